package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPackTwiceGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	program := bytes.Repeat([]byte("a program "), 1000)
	var zips [2][]byte
	for i, modified := range []time.Time{time.Unix(1_000_000_000, 0), time.Unix(2_000_000_000, 0)} {
		dir := t.TempDir()
		from, to := filepath.Join(dir, "program"), filepath.Join(dir, "function.zip")
		if err := os.WriteFile(from, program, os.FileMode(0o600+0o100*i)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(from, modified, modified); err != nil {
			t.Fatal(err)
		}
		if err := packFile(from, to); err != nil {
			t.Fatal(err)
		}
		var err error
		if zips[i], err = os.ReadFile(to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Errorf("got different zips of %d and %d bytes; want the same bytes whatever the program's time and mode", len(zips[0]), len(zips[1]))
	}
}

func TestPackHoldsOneExecutable(t *testing.T) {
	t.Parallel()
	program := []byte("a program")
	var b bytes.Buffer
	if err := pack(&b, program); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 1 {
		t.Fatalf("got %d entries, want 1", len(z.File))
	}
	f := z.File[0]
	if f.Name != "bootstrap" || f.Mode() != 0o755 {
		t.Errorf("got entry %s with mode %o, want bootstrap with 755", f.Name, f.Mode())
	}
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, program) {
		t.Errorf("got content %q and error %v, want %q", got, err, program)
	}
}

func TestPackFileSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := filepath.Join(dir, "function.zip")
	if err := packFile(filepath.Join(dir, "program"), to); !os.IsNotExist(err) {
		t.Errorf("got error %v, want that the program does not exist", err)
	}
	if _, err := os.Stat(to); !os.IsNotExist(err) {
		t.Errorf("got a zip file without a program (error %v), want none", err)
	}
}
