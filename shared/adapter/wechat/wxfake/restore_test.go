package wxfake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestDamagedFilesAreRefusedWhole(t *testing.T) {
	t.Parallel()
	head := `{"format":"wxfake","version":1,`
	customer := func(fields string) string {
		return head + `"accounts":[{"app_id":"` + miniApp + `","customers":[{"openid":"oNew"},{"openid":"o2",` + fields + `}]}]}`
	}
	tests := []struct{ name, file, want string }{
		{"empty", "", "damaged"},
		{"no JSON", "hello", "damaged"},
		{"zeros", "\x00\x00\x00\x00", "damaged"},
		{"another JSON", `{"accounts":[]}`, "no saved platform"},
		{"a list", `[]`, "damaged"},
		{"null", `null`, "no saved platform"},
		{"no version", `{"format":"wxfake"}`, "no version 0"},
		{"negative version", `{"format":"wxfake","version":-1}`, "no version -1"},
		{"newer", `{"format":"wxfake","version":2,"accounts":"of another shape"}`, "version 2, and this program reads up to 1"},
		{"two documents", head + `"accounts":[]}{}`, "damaged"},
		{"wrong type", head + `"accounts":7}`, "damaged"},
		{"MsgId below zero", head + `"last_msg_id":-1}`, "out of range"},
		{"MsgId at its end", head + `"last_msg_id":9223372036854775807}`, "out of range"},
		{"exchanges at their end", head + `"exchanges":18446744073709551615}`, "out of range"},
		{"the same account twice", head + `"accounts":[{"app_id":"a"},{"app_id":"a"}]}`, "account 2 has the AppID of another"},
		{"the same customer twice", customer(`"name":"x"},{"openid":"o2"`), "account 1, customer 3 has the openid of another"},
		{"negative count", customer(`"used":-1`), "customer 2: -1 messages sent"},
		{"negative grant", customer(`"grants":{"message":{"limit":-5,"end":"2026-01-02T03:04:05Z"}}`), "a grant of -5"},
		{"no time", customer(`"exchanged":"yesterday"`), "damaged"},
		{"number at its end", customer(`"seq":18446744073709551615`), "lines in the chat"},
		{"inbox beyond the end", customer(`"seq":1,"inbox":[{"seq":2}]`), "inbox, entry 1"},
		{"acts out of order", customer(`"seq":9,"acts":[{"seq":2},{"seq":2}]`), "acts, entry 2"},
		{"notices without number", customer(`"seq":9,"notices":[{"seq":0}]`), "notices, entry 1"},
		{"no base64", customer(`"seq":9,"inbox":[{"seq":1,"raw":"***"}]`), "damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before := saved(t, w.p)
			err := w.p.Load(strings.NewReader(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if after := saved(t, w.p); !bytes.Equal(after, before) {
				t.Errorf("something was taken:\n got %s\nwant %s", after, before)
			}
		})
	}
}

func TestEveryCutFileIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	wantCode(t, "send", w.sendText(c, "hello"), 0)
	file := bytes.TrimSpace(saved(t, w.p))
	p := New(Options{})
	defer p.Close()
	for n := range file {
		if err := p.Load(bytes.NewReader(file[:n])); err == nil {
			t.Fatalf("got no error for the first %d of %d bytes", n, len(file))
		}
	}
	if err := p.Load(bytes.NewReader(file)); err != nil {
		t.Errorf("the whole file: got %v", err)
	}
}

func TestReadAndWriteErrorsComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := errors.New("broken")
	if err := w.p.Load(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("Load: got %v, want %v", err, broken)
	}
	r, pipe := io.Pipe()
	if err := r.CloseWithError(broken); err != nil {
		t.Fatal(err)
	}
	if err := w.p.Save(pipe); !errors.Is(err, broken) {
		t.Errorf("Save: got %v, want %v", err, broken)
	}
}

func TestLoadReplacesCustomersAndWakesWaiters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Grant(TriggerMessage)
	wantCode(t, "send", w.sendText(c, "kept"), 0)
	file := saved(t, w.p)

	next := newWorld(t)
	c = next.p.Named(miniApp, "a")
	c.Say(t.Context(), "replaced")
	other := next.p.Named(miniApp, "other")
	other.Say(t.Context(), "stays")
	waiting := make(chan []Received)
	go func() {
		inbox, err := c.AwaitInbox(t.Context(), 1)
		if err != nil {
			t.Errorf("AwaitInbox: %v", err)
		}
		waiting <- inbox
	}()
	loaded(t, next.p, file)
	if got := <-waiting; len(got) != 1 || got[0].Text != "kept" {
		t.Errorf("the waiter got %v, want the loaded message", got)
	}
	if acts := c.Acts(); len(acts) != 0 {
		t.Errorf("acts: got %v, want those of the file, none", acts)
	}
	if acts := other.Acts(); len(acts) != 1 {
		t.Errorf("the other's acts: got %v, want his one", acts)
	}
	loaded(t, next.p, file) // twice is harmless
	if got := c.Texts(); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("loaded twice: got %q", got)
	}
}

func TestVersionGrowsWithWhatIsSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(miniApp)
	c := w.p.Named(miniApp, "a")
	for _, tt := range []struct {
		name string
		do   func()
	}{
		{"a new customer", func() { w.p.Customer(miniApp, "oNew") }},
		{"a name", func() { w.p.Named(miniApp, "b") }},
		{"a message", func() { c.Say(t.Context(), "hi") }},
		{"a picture", func() { c.SendImage(t.Context(), pngFile) }},
		{"an answer", func() { w.post(sendPath+token, textTo(c.OpenID(), "hello")) }},
		{"typing", func() {
			w.post("/cgi-bin/message/custom/typing?access_token="+token, `{"touser":"`+c.OpenID()+`","command":"Typing"}`)
		}},
		{"an upload", func() { w.media(miniApp, "image", pngFile) }},
		{"flags", func() { c.SetFlags(Flags{Limited: true}) }},
		{"a refused answer", func() { w.post(sendPath+token, textTo(c.OpenID(), "hello")) }},
		{"a grant", func() { c.Grant(TriggerEnter) }},
		{"the tool", func() { c.ToolAccept(t.Context(), "kf") }},
		{"the tool has him", func() { c.Say(t.Context(), "hi") }},
		{"the tool ends", func() { c.ToolClose(t.Context(), "kf") }},
		{"lost media", func() { w.p.DropMedia() }},
	} {
		file, version := saved(t, w.p), w.p.Version()
		if again := saved(t, w.p); !bytes.Equal(again, file) || w.p.Version() != version {
			t.Errorf("before %s: saving changed something", tt.name)
		}
		tt.do()
		if got := w.p.Version(); got <= version {
			t.Errorf("%s: got version %d, want more than %d", tt.name, got, version)
		}
		if bytes.Equal(saved(t, w.p), file) {
			t.Errorf("%s: the file is the same", tt.name)
		}
	}
}

func TestSaveAndLoadWhileCustomersWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(miniApp)
	const customers, messages = 8, 8
	var acting, saving sync.WaitGroup
	for n := range customers {
		acting.Go(func() {
			c := w.p.Named(miniApp, fmt.Sprint(n))
			for i := range messages {
				c.Say(t.Context(), fmt.Sprint(i))
				c.SetFlags(Flags{Minor: i%2 == 1}) // every second answer is refused
				c.SendImage(t.Context(), pngFile)
				w.post(sendPath+token, textTo(c.OpenID(), "answer"))
			}
		})
	}
	for range 2 {
		saving.Go(func() {
			for range messages {
				var b bytes.Buffer
				p := New(Options{})
				if err := errors.Join(w.p.Save(&b), p.Load(&b)); err != nil {
					t.Errorf("a file saved meanwhile: %v", err)
				}
				p.Close()
			}
		})
	}
	other := newWorld(t)
	loaded(t, other.p, saved(t, w.p))
	saving.Go(func() { // customers of another platform are replaced while they are written to
		for i := range messages {
			c := other.p.Named(miniApp, "0")
			c.Say(t.Context(), fmt.Sprint(i))
			if err := other.p.Load(bytes.NewReader(saved(t, w.p))); err != nil {
				t.Errorf("Load: %v", err)
			}
		}
	})
	acting.Wait()
	saving.Wait()
	next := w.restarted()
	for n := range customers {
		c := next.p.Named(miniApp, fmt.Sprint(n))
		if acts, inbox := len(c.Acts()), len(c.Inbox()); acts != 2*messages || inbox != messages/2 {
			t.Errorf("customer %d: got %d acts and %d answers, want %d and %d", n, acts, inbox, 2*messages, messages/2)
		}
	}
}

func FuzzLoad(f *testing.F) {
	w := newWorld(f)
	c := w.p.Named(miniApp, "a")
	c.Say(f.Context(), "hi")
	c.SendImage(f.Context(), pngFile)
	w.sendText(c, "hello")
	f.Add(saved(f, w.p))
	f.Add([]byte(`{"format":"wxfake","version":1,"accounts":[{"app_id":"a","customers":[{"openid":"o","used":3,"seq":4}]}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		p := New(Options{Now: w.clock.now})
		defer p.Close()
		if p.Load(bytes.NewReader(file)) != nil {
			return
		}
		// What loads can be used, saves, and loads again as the same.
		for _, a := range p.everyAccount() {
			a.customers.Range(func(_, v any) bool {
				one := v.(*Customer)
				_, _, _ = one.Window(), one.items(), one.Tool()
				return true
			})
		}
		p.Traffic(0)
		first := saved(t, p)
		next := New(Options{Now: w.clock.now})
		defer next.Close()
		loaded(t, next, first)
		if second := saved(t, next); !bytes.Equal(cutHead(second), cutHead(first)) {
			t.Errorf("got %s\nwant %s", second, first)
		}
	})
}

// cutHead drops the numbers that a restart raises: they stand before the accounts.
func cutHead(file []byte) []byte {
	_, rest, _ := bytes.Cut(file, []byte(`"accounts"`))
	return rest
}
