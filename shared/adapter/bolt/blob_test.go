package bolt

import (
	"os"
	"path/filepath"
	"testing"

	"kefu/shared/core/fault"
)

// What a crash left half written is cleared at the next start; what was stored stays.
func TestHalfWrittenFilesAreCleared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kefu.db")
	media := filepath.Join(t.TempDir(), "elsewhere")
	for round := range 2 {
		d, err := Open(Options{Path: path, MediaDir: media})
		if err != nil {
			t.Fatalf("open: got error %v; want none", err)
		}
		left, err := os.ReadDir(filepath.Join(media, tempDir))
		if err != nil || len(left) != 0 {
			t.Errorf("round %d: got %d half-written files, error %v; want none", round, len(left), err)
		}
		if round == 0 {
			if err := d.Store().PutBlob(t.Context(), "m", []byte("bytes")); err != nil {
				t.Fatalf("PutBlob: got error %v; want none", err)
			}
		}
		if b, err := d.Store().Blob(t.Context(), "m"); err != nil || string(b) != "bytes" {
			t.Errorf("round %d: got %q, error %v; want the bytes", round, b, err)
		}
		if err := d.Close(); err != nil {
			t.Fatalf("close: got error %v; want none", err)
		}
		if err := os.WriteFile(filepath.Join(media, tempDir, "123"), []byte("half"), 0o600); err != nil {
			t.Fatalf("write: got error %v; want none", err)
		}
	}
}

// A folder that can't be written is Unavailable and leaves what was there.
func TestUnwritableMedia(t *testing.T) {
	t.Parallel()
	d := fresh(t, Options{})
	s := d.Store()
	if err := s.PutBlob(t.Context(), "m", []byte("first")); err != nil {
		t.Fatalf("PutBlob: got error %v; want none", err)
	}
	if err := os.Remove(filepath.Join(d.media, tempDir)); err != nil {
		t.Fatalf("remove: got error %v; want none", err)
	}
	if err := s.PutBlob(t.Context(), "m", []byte("second")); err == nil || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("PutBlob: got error %v; want unavailable", err)
	}
	if b, err := s.Blob(t.Context(), "m"); err != nil || string(b) != "first" {
		t.Errorf("Blob: got %q, error %v; want the first", b, err)
	}
}

// A secret that was moved to another owner, or sealed with another key, doesn't open.
func TestSealsAreBound(t *testing.T) {
	t.Parallel()
	one, err := newSealer([32]byte{1})
	if err != nil {
		t.Fatalf("sealer: got error %v; want none", err)
	}
	two, err := newSealer([32]byte{2})
	if err != nil {
		t.Fatalf("sealer: got error %v; want none", err)
	}
	sealed, err := one.seal("account:a", []byte("secret"))
	if err != nil {
		t.Fatalf("seal: got error %v; want none", err)
	}
	if plain, err := one.open("account:a", sealed); err != nil || string(plain) != "secret" {
		t.Errorf("open: got %q, error %v; want the secret", plain, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another owner": func() ([]byte, error) { return one.open("account:b", sealed) },
		"another key":   func() ([]byte, error) { return two.open("account:a", sealed) },
		"cut short":     func() ([]byte, error) { return one.open("account:a", sealed[:5]) },
		"changed": func() ([]byte, error) {
			return one.open("account:a", append(sealed[:len(sealed)-1:len(sealed)-1], 0, 1))
		},
	} {
		if plain, err := open(); fault.CodeOf(err) != "wrong-key" || plain != nil {
			t.Errorf("%s: got %q, error %v; want wrong-key", name, plain, err)
		}
	}
}
