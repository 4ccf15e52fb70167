package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// started opens the system with the simulator on a folder.
func started(t *testing.T, folder string, c *clock) *local {
	t.Helper()
	l, err := start(t.Context(), localOptions{
		addr: "127.0.0.1:0", clock: c, config: app.Config{Data: folder}, log: slog.New(slog.DiscardHandler),
		sim: wxfake.Options{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return l
}

// TestTheSimulatorSurvivesARestart: a customer writes, everything is started anew, and
// answers reach him, as many as the window still allows.
func TestTheSimulatorSurvivesARestart(t *testing.T) {
	t.Parallel()
	folder, c := t.TempDir(), &clock{}
	ctx := t.Context()
	open := func() *play {
		l := started(t, folder, c)
		return &play{
			local: l, out: t.Output(), start: c.Now(), agent: l.as("ann"),
			customer: l.platform.Named(l.demo.Accounts[0].AppID, "Mei 梅"),
		}
	}
	p := open()
	if push := p.customer.Say(ctx, "你好"); push.Err != nil {
		t.Fatalf("Say: %v", push.Err)
	}
	s, err := p.awaitSession(ctx, "the session waits", func(s sessionView) bool { return s.State == "queued" })
	if err != nil {
		t.Fatal(err)
	}
	p.session = s.ID
	if err := p.agent.do(ctx, "POST", "/sessions/"+s.ID+"/accept", nil, nil); err != nil {
		t.Fatal(err)
	}
	sent(t, p, "answer 1")
	window := p.customer.Window()
	if err := p.close(); err != nil {
		t.Fatalf("close: %v", err)
	}

	c.Forward(time.Hour)
	p = open()
	p.session = s.ID
	if got := p.customer.Window(); got != window {
		t.Errorf("window after the restart: got %+v, want %+v", got, window)
	}
	for _, text := range []string{"answer 2", "answer 3", "answer 4", "answer 5"} {
		sent(t, p, text)
	}
	if got := p.customer.Texts(); !inOrder(got, 5) {
		t.Errorf("Mei has %q, want the five answers in order", got)
	}
	if m, err := p.answer(ctx, "answer 6", nil); err != nil || m.State != "held" {
		t.Errorf("the sixth: got %q, %v, want held: both sides count on", m.State, err)
	}
	if err := p.close(); err != nil {
		t.Fatalf("close: %v", err)
	}

	// What is held is sent when she writes in a third run.
	p = open()
	if push := p.customer.Say(ctx, "still there?"); push.Err != nil {
		t.Fatalf("Say: %v", push.Err)
	}
	if _, err := p.customer.AwaitInbox(ctx, 6); err != nil {
		t.Fatal(err)
	}
	if got := p.customer.Texts(); !inOrder(got, 6) {
		t.Errorf("Mei has %q, want six answers in order", got)
	}
	for code, n := range p.customer.Refused() {
		t.Errorf("the platform refused %d sends with %d, want none", n, code)
	}
	if err := p.close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	checkFile(t, p)
}

// sent answers and waits until the platform has taken it.
func sent(t *testing.T, p *play, text string) {
	t.Helper()
	m, err := p.answer(t.Context(), text, nil)
	if err == nil {
		err = p.state(t.Context(), m.ID, "sent")
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// checkFile looks at what is left in the folder: one private file without a secret.
func checkFile(t *testing.T, p *play) {
	t.Helper()
	b, err := os.ReadFile(p.keeper.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.demo.Accounts {
		for _, secret := range []string{a.Secret, a.Token, a.AESKey} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("a secret of %s is in the file", a.ID)
			}
		}
	}
	if info, err := os.Stat(p.keeper.path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o600) {
		t.Errorf("mode: got %v, %v, want 0600", info.Mode(), err)
	}
	if left, err := filepath.Glob(p.keeper.path + ".*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: got %q, %v, want nothing", left, err)
	}
}

func TestADamagedSimulatorFileIsPutAside(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"cut": `{"format":"wxfake","version":1,"acc`, "newer": `{"format":"wxfake","version":99}`, "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "simulator.json")
			if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			log := &lines{}
			l, err := start(t.Context(), localOptions{
				addr: "127.0.0.1:0", clock: &clock{}, config: app.Config{Data: folder}, log: slog.New(slog.NewJSONHandler(log, nil)),
			})
			if err != nil {
				t.Fatalf("start: %v", err)
			}
			c := l.platform.Named(l.demo.Accounts[0].AppID, "Mei")
			if push := c.Say(t.Context(), "hi"); push.Err != nil {
				t.Errorf("the simulator doesn't work: %v", push.Err)
			}
			if err := l.close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if !log.has("WARN", "the simulator starts without its customers") {
				t.Errorf("log: got %q, want a warning", log.all())
			}
			if b, err := os.ReadFile(path + ".damaged"); err != nil || string(b) != file {
				t.Errorf("put aside: got %q, %v, want %q", b, err, file)
			}
			if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte(c.OpenID())) {
				t.Errorf("the new file: got %q, %v, want the new customer in it", b, err)
			}
		})
	}
}

func TestAnUnreadableSimulatorFileStopsTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "simulator.json")
	if err := os.Symlink("simulator.json", path); err != nil { // leads to itself
		t.Skipf("no symbolic links here: %v", err)
	}
	l, err := start(t.Context(), localOptions{
		addr: "127.0.0.1:0", clock: &clock{}, config: app.Config{Data: folder}, log: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		t.Fatalf("got no error, want one; close: %v", l.close())
	}
	if !strings.Contains(err.Error(), "simulator.json") {
		t.Errorf("got %v, want an error that names the file", err)
	}
	// Nothing is left running or locked.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := started(t, folder, &clock{}).close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestTheKeeperSavesWhatHasChanged runs the keeper in a bubble where time passes at once.
func TestTheKeeperSavesWhatHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "simulator.json")
		log := &lines{}
		p := wxfake.New(wxfake.Options{})
		defer p.Close()
		k := &keeper{platform: p, path: path, log: slog.New(slog.NewJSONHandler(log, nil))}
		if err := k.load(); err != nil {
			t.Fatalf("load without a file: %v", err)
		}
		k.start(t.Context())
		tick := func() {
			time.Sleep(keepEvery) // of the bubble
			synctest.Wait()
		}
		holds := func(when, openID string, want bool) {
			t.Helper()
			b, err := os.ReadFile(path)
			if got := err == nil && bytes.Contains(b, []byte(openID)); got != want {
				t.Errorf("%s: got %v, want %v (%v)", when, got, want, err)
			}
		}
		tick()
		holds("nothing has happened, the file is there", "", false)
		p.Customer("wx1", "oFirst")
		holds("before the next tick", "oFirst", false)
		tick()
		holds("after the tick", "oFirst", true)

		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		tick()
		holds("nothing has changed, the file is written", "", false)

		// A folder in its place: it can't be saved, and is again as soon as it can.
		if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
		p.Customer("wx1", "oSecond")
		tick()
		if !log.has("WARN", "the simulator's customers are not saved") {
			t.Errorf("log: got %q, want a warning", log.all())
		}
		if _, err := os.Stat(path + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the half-made file: got %v, want it removed", err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		tick()
		holds("saved at last", "oSecond", true)

		p.Customer("wx1", "oThird")
		if err := k.close(); err != nil {
			t.Errorf("close: %v", err)
		}
		holds("after close", "oThird", true)
	})
}

// lines is a log that can be looked at.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.buf.String()), "\n")
}

func (l *lines) has(level, msg string) bool {
	return slices.ContainsFunc(l.all(), func(line string) bool {
		var one struct{ Level, Msg string }
		return json.Unmarshal([]byte(line), &one) == nil && one.Level == level && one.Msg == msg
	})
}
