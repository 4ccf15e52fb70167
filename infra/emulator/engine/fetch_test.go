package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestFetchFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		npm         string
		unavailable bool
		want        string
	}{
		"no npm":           {"", true, "there is no npm"},
		"no network":       {"offline", true, "npm error code ENOTFOUND"},
		"another archive":  {"packs", false, "is not what was published"},
		"npm finds it out": {"forged", false, "EINTEGRITY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := filepath.Join(t.TempDir(), "new", "cache")
			err := Fetch(t.Context(), Options{Cache: cache, lookPath: tools(t, but(map[string]string{"npm": c.npm}))})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q in it", err, c.want)
			}
			if got := errors.Is(err, ErrUnavailable); got != c.unavailable {
				t.Errorf("errors.Is(%v, ErrUnavailable): got %v, want %v", err, got, c.unavailable)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line", err)
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "dynamodb*")); len(left) > 0 {
				t.Errorf("got %v in the cache, want nothing", left)
			}
		})
	}
}

// Many want the same folder: one fetches, the others wait, and what a killed fetch left is no hindrance.
func TestFetchOnce(t *testing.T) {
	t.Parallel()
	o := Options{Cache: t.TempDir(), lookPath: tools(t, but(map[string]string{"npm": "fetches"}))}.withDefaults()
	if err := os.MkdirAll(filepath.Join(o.Cache, "thing.part", "half"), 0o700); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			dir, err := o.cached(t.Context(), "thing", "a thing", func(npm, dir string) error { return run(t.Context(), dir, npm, "ci") })
			if want := filepath.Join(o.Cache, "thing"); dir != want || err != nil {
				t.Errorf("got %q, %v; want %q", dir, err, want)
			}
		})
	}
	all.Wait()
	if got, err := os.ReadFile(filepath.Join(o.Cache, "fetched")); string(got) != "x" {
		t.Errorf("got %d fetches (%v), want 1", len(got), err)
	}
	if _, err := os.Stat(filepath.Join(o.Cache, "thing", "half")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what an earlier fetch left: got %v, want it gone", err)
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string // in the error; empty: none
	}{
		"well made":     {files: map[string]string{"package/emulator/lib/a.jar": "A", "package/README": "no"}},
		"leads outside": {files: map[string]string{"package/emulator/../../../evil": "E"}, want: "escapes"},
		"other content": {files: map[string]string{"package/README": "no"}, want: "holds no package/emulator"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			archive := filepath.Join(dir, "archive.tgz")
			if err := pack(archive, c.files); err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(dir, "to")
			if err := os.Mkdir(to, 0o700); err != nil {
				t.Fatal(err)
			}
			err := unpack(archive, "package/emulator", to)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q in it", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(to, "lib", "a.jar")); string(got) != "A" {
				t.Errorf("got %q, %v; want A", got, err)
			}
		})
	}
}

func TestUnpackCut(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "archive.tgz")
	if err := pack(archive, map[string]string{"package/emulator/a": strings.Repeat("long ", 1000)}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(archive, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if err := unpack(archive, "package/emulator", t.TempDir()); err == nil {
		t.Error("half an archive: got no error")
	}
}
