package app_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/app"
	"kefu/shared/core/account"
	"kefu/shared/faas"
)

var update = flag.Bool("update", false, "rewrite events/*/*.golden and *.log by what the functions do")

const (
	eventsDir = "../../events"
	// sampleKey is the operator's key in the sample events; `make invoke` sets it as well.
	sampleKey account.Secret = "sample-operator-key"
)

// sampleNow is some seconds after the platform sent the sample pushes.
func sampleNow() time.Time { return time.Unix(1_700_000_020, 0).UTC() }

// functions gives the handler of each function as the mains build it, but of a system that the test opened.
var functions = map[string]func(*app.System) faas.Handler{
	"callback": (*app.System).Callback,
	"ingest":   (*app.System).Ingest,
	"router":   (*app.System).Router,
	"sender":   (*app.System).Sender,
	"webhook":  (*app.System).Webhook,
	"expiry":   (*app.System).Expiry,
	"api":      (*app.System).API,
}

// TestEvents sends every sample to its function, each on a fresh engine that knows the accounts of events/setup. The
// answer must be that of the golden to the byte, and the log that of the .log file: a refusal tells its reason there
// alone. After a change that is meant: go test ./shared/app -run TestEvents -update, and read the diff.
func TestEvents(t *testing.T) {
	t.Parallel()
	seeded := sampleData(t)
	for name, handler := range functions {
		files := samples(t, name)
		if len(files) == 0 {
			t.Errorf("events/%s: has no sample", name)
		}
		for _, file := range files {
			t.Run(name+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				t.Parallel()
				log := &bytes.Buffer{}
				system := openSamples(t, copyData(t, seeded), log)
				answer, err := handler(system).Invoke(t.Context(), read(t, file))
				if err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				base := strings.TrimSuffix(file, ".json")
				golden(t, base+".golden", string(answer)+"\n")
				golden(t, base+".log", sortedLines(log.String()))
				discreet(t, log.String())
			})
		}
	}
}

// TestEventsAreSorted: each folder belongs to a function, and each golden to a sample.
func TestEventsAreSorted(t *testing.T) {
	t.Parallel()
	mains, err := filepath.Glob("../../functions/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("got %v, %v, want the mains of the functions", mains, err)
	}
	known := []string{"setup"}
	for _, main := range mains {
		known = append(known, filepath.Base(filepath.Dir(main)))
	}
	slices.Sort(known)
	want := slices.Sorted(maps.Keys(functions))
	if got := slices.DeleteFunc(slices.Clone(known), func(f string) bool { return f == "setup" }); !slices.Equal(got, want) {
		t.Errorf("got functions %q, want %q: this test must know them all", got, want)
	}
	folders, err := os.ReadDir(eventsDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !slices.Contains(known, folder.Name()) {
			t.Errorf("events/%s: got a folder of no function", folder.Name())
		}
		for _, ext := range []string{".golden", ".log"} {
			outcomes, err := filepath.Glob(filepath.Join(eventsDir, folder.Name(), "*"+ext))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range outcomes {
				if _, err := os.Stat(strings.TrimSuffix(file, ext) + ".json"); err != nil {
					t.Errorf("%s: belongs to no sample: %v", file, err)
				}
			}
		}
	}
}

// samples lists the events of a folder of events/.
func samples(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(eventsDir, folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sampleData makes a data folder with the accounts that the samples name, and their rules. They are made by events of the
// api function, as `make invoke` does it and as an operator would.
func sampleData(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	config := sampleConfig(folder, io.Discard)
	config.Now = func() time.Time { return sampleNow().Add(-time.Minute) } // before the pushes came
	system, err := app.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	api := system.API()
	for _, file := range samples(t, "setup") {
		if answer, err := api.Invoke(t.Context(), read(t, file)); err != nil || !bytes.HasPrefix(answer, []byte(`{"statusCode":20`)) {
			t.Errorf("%s: got %s, %v, want status 200 or 201", file, answer, err)
		}
	}
	if err := system.Close(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// copyData copies a data folder that no process has open.
func copyData(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// openSamples opens a data folder until the test ends.
func openSamples(t *testing.T, folder string, log io.Writer) *app.System {
	t.Helper()
	system, err := app.Open(sampleConfig(folder, log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return system
}

// sampleConfig has nothing in it that changes from run to run, and a log without times.
func sampleConfig(folder string, log io.Writer) app.Config {
	return app.Config{
		Data: folder, WeChatURL: "http://127.0.0.1:9", AdminKey: sampleKey, Version: "sample", Now: sampleNow, Rand: sampleRand{},
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == "took_ms") {
				return slog.Attr{}
			}
			return a
		}})),
	}
}

// sampleRand salts every answer alike, and makes one incarnation of all accounts.
type sampleRand struct{}

func (sampleRand) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = "0123456789abcdef"[i%16]
	}
	return len(b), nil
}

// golden compares got with a file, or rewrites the file. A log that stays empty has no file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		var err error
		if got == "" {
			if err = os.Remove(file); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		} else {
			err = os.WriteFile(file, []byte(got), 0o644)
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	want, err := os.ReadFile(filepath.Clean(file))
	if err != nil && (got != "" || !errors.Is(err, fs.ErrNotExist)) {
		t.Errorf("%v; got %q; -update writes it", err, got)
		return
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// sortedLines makes a log comparable: groups of a batch are worked on in parallel.
func sortedLines(log string) string {
	lines := slices.Sorted(strings.Lines(log))
	return strings.Join(lines, "")
}

// discreet: what customers wrote, keys, tokens and signatures stay out of the log.
func discreet(t *testing.T, log string) {
	t.Helper()
	for _, secret := range []string{
		sampleKey.Reveal(), "kfToken2026", "sample-app-secret", "aozyxq4R650B", "rveUEcRZy6I2", // keys of events/setup
		"你好", "发货", "order=42", "sample-media-id", // contents
		"bd4f6d44eb891a63", "6c5d2b40143a8dd7", "kf_no_such_key", // signatures and a key that somebody tried
	} {
		if strings.Contains(log, secret) {
			t.Errorf("got %q in the log, want no content, key or signature there:\n%s", secret, log)
		}
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
