package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kefu/infra/cli/command"
)

// TestExitCodes: what the server says decides the code.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	const problem, page = "application/problem+json", "text/html"
	for _, tt := range []struct {
		status int
		kind   string
		want   int
	}{
		{200, "application/json", 0},
		{400, problem, 1},
		{413, problem, 1},
		{422, problem, 1},
		{429, problem, 1},
		{500, problem, 1},
		{503, problem, 1},
		{401, problem, 6},
		{403, problem, 6},
		{404, problem, 4},
		{409, problem, 5},
		{200, page, 3},
		{302, page, 3},
		{403, page, 3},
		{404, page, 3},
		{502, page, 3},
		{403, "application/json", 3},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.kind), func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, `{"code":"some-code","detail":"Said why."}`)
			}))
			defer s.Close()
			r := run(t, s.URL, "", "accounts", "get", "shop")
			if r.code != tt.want {
				t.Errorf("got exit code %d, want %d", r.code, tt.want)
			}
			if ok := tt.want == 0; ok != (r.errors == "") || (!ok && (r.out != "" || strings.Count(r.errors, "\n") != 1)) {
				t.Errorf("got output %q and errors %q, want one line of errors, and only if it failed", r.out, r.errors)
			}
			if tt.kind == problem && !strings.Contains(r.errors, "some-code") {
				t.Errorf("got %q, want the code in it", r.errors)
			}
		})
	}
}

// TestUnreachable is an exit code of its own.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	d.Close()
	if r := run(t, d.URL, "", "health"); r.code != 3 || !strings.Contains(r.errors, "can't be reached") {
		t.Errorf("got %+v, want exit code 3", r)
	}
}

// TestKey: where the key comes from, and that it goes to the server alone.
func TestKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("key", "  "+secret+"-of-file\n")
	for _, tt := range []struct {
		name, env, stdin string
		args             []string
		want             string // what the server is shown
		code             int
	}{
		{"from the environment", secret, "", nil, secret, 0},
		{"spaces around it", " " + secret + "\n", "", nil, secret, 0},
		{"a file goes first", secret, "", []string{"--key-file", file}, secret + "-of-file", 0},
		{"from standard input", "", secret + "\n", []string{"--key-file", "-"}, secret, 0},
		{"none", "", "", nil, "", 2},
		{"an empty file", secret, "", []string{"--key-file", write("empty", "\n")}, "", 2},
		{"a file of something else", "", "", []string{"--key-file", write("env", "KEFU_KEY=a\nOTHER=not-to-be-seen\n")}, "", 2},
		{"a huge file", "", "", []string{"--key-file", write("huge", strings.Repeat("not-to-be-seen", 1000))}, "", 2},
		{"verbose", secret, "", []string{"--verbose"}, secret, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openDesk(t)
			r := runWith(t, map[string]string{"KEFU_URL": d.URL, "KEFU_KEY": tt.env}, tt.stdin, append([]string{"accounts", "get", "shop"}, tt.args...)...)
			got := strings.Join(d.keys, "|")
			want := ""
			if tt.want != "" {
				want = "Bearer " + tt.want
			}
			if r.code != tt.code || got != want {
				t.Errorf("got exit code %d and the keys %q, want %d and %q; %s", r.code, got, tt.code, want, r.errors)
			}
		})
	}
}

// TestHealthNeedsNoKey and shows none.
func TestHealthNeedsNoKey(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for _, key := range []string{"", secret} {
		if r := runWith(t, map[string]string{"KEFU_URL": d.URL, "KEFU_KEY": key}, "", "health"); r.code != 0 || d.keys[0] != "" {
			t.Errorf("got %+v and the key %q, want no key", r, d.keys[0])
		}
	}
}

// TestVerbose tells of each try.
func TestVerbose(t *testing.T) {
	t.Parallel()
	r := run(t, openDesk(t).URL, "", "accounts", "list", "--limit", "1", "-v")
	if !strings.HasPrefix(r.errors, "GET /v1/accounts?limit=1 200 ") || !strings.Contains(r.errors, "s\n") {
		t.Errorf("got %q, want method, path, status and time", r.errors)
	}
	d := openDesk(t)
	d.Close()
	if r := run(t, d.URL, "", "health", "-v"); strings.Count(r.errors, "GET /v1/health no answer ") != 3 {
		t.Errorf("got %q, want three tries without an answer", r.errors)
	}
}

// TestJSONUnchanged: the interface's own objects, member for member and digit for digit.
func TestJSONUnchanged(t *testing.T) {
	t.Parallel()
	const object = `{"z":1,"a":12345678901234567890.10,"text":"<b>&\u2028 中 \u001b","new":{"later":[null]}}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := object
		if r.URL.Path == "/v1/agents" {
			body = `{"items":[` + object + `],"next":"` + map[string]string{"": "2"}[r.URL.Query().Get("cursor")] + `"}`
		}
		_, _ = io.WriteString(w, body)
	}))
	defer s.Close()
	for _, tt := range []struct{ command, want string }{
		{"agents get ann", object},
		{"agents list", `{"items":[` + object + `,` + object + `]}`},
	} {
		r := run(t, s.URL, "", append(strings.Fields(tt.command), "-o", "json")...)
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(r.out)); err != nil || strings.TrimSpace(got.String()) != tt.want {
			t.Errorf("%s: got %v, %s\nwant %s", tt.command, err, got.String(), tt.want)
		}
	}
}

// TestIdempotencyKey: the caller's own goes out as it is.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	var keys []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	run(t, s.URL, "", "send", "s4k2", "a", "--idempotency-key", "order-17")
	run(t, s.URL, "", "send", "s4k2", "a")
	run(t, s.URL, "", "agents", "delete", "ann")
	if len(keys) != 3 || keys[0] != "order-17" || keys[1] == "" || keys[2] == "" || keys[1] == keys[2] {
		t.Errorf("got %q, want the caller's, then new ones", keys)
	}
}

// TestInterrupted: Ctrl-C ends a command that waits for standard input, and one that waits for the server.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	world := quick(&out, &errs)
	world.Getenv = func(name string) string { return map[string]string{"KEFU_KEY": secret}[name] }
	world.Stdin = reader
	done := make(chan int)
	go func() { done <- command.Run(ctx, []string{"accounts", "put", "shop"}, world) }()
	_, _ = writer.Write([]byte("{")) // it is reading
	cancel()
	if code := <-done; code != 130 || errs.String() != "kefu: interrupted\n" {
		t.Errorf("got exit code %d and %q, want 130", code, errs.String())
	}

	ctx, cancel = context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer s.Close()
	if code := command.Run(ctx, []string{"health", "--url", s.URL}, quick(&out, &errs)); code != 130 {
		t.Errorf("got exit code %d, want 130", code)
	}
}

// TestDocumented: each call that the scripts make is one of the interface's document, or will be.
func TestDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../shared/flow/agent/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(b, &document); err != nil {
		t.Fatal(err)
	}
	var known []*regexp.Regexp
	for path, methods := range document.Paths {
		for method := range methods {
			known = append(known, regexp.MustCompile("^"+strings.ToUpper(method)+" "+regexp.MustCompile(`{\w+}`).ReplaceAllString(path, "[^/]+")+"$"))
		}
	}
	for call := range openDesk(t).answers {
		if call != "nothing" && !slices.ContainsFunc(known, func(r *regexp.Regexp) bool { return r.MatchString(call) }) {
			t.Errorf("%s is not in openapi.json", call)
		}
	}
}

// TestComplete: what a Tab offers, and that it offers nothing, silently, when the server doesn't help.
func TestComplete(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	closed := openDesk(t)
	closed.Close()
	for _, tt := range []struct {
		words, url, want string
	}{
		{"accounts get ", d.URL, "shop news"},
		{"accounts get s", d.URL, "shop"},
		{"accounts get shop ", d.URL, ""},
		{"agents status ", d.URL, "ann mei-lin bo"},
		{"agents status ann o", d.URL, "online offline"},
		{"sessions close ", d.URL, "s4k2 s9m1 s0a0 s4k3 s000"},
		{"message cancel s4k2 s4k2-8", d.URL, "s4k2-8"},
		{"webhook resend shop ", d.URL, "0000-w1 0000-w22"},
		{"sessions list --account ", d.URL, "shop news"},
		{"sessions list --agent b", d.URL, "bo"},
		{"sessions list --state ", d.URL, "bot queued serving released external closed expired"},
		{"sessions transfer s4k2 --to-agent a", d.URL, "ann"},
		{"send s4k2 a --when-closed ", d.URL, "hold fail"},
		{"agents put ann --role ", d.URL, "agent supervisor admin"},
		{"agents put ann --account n", d.URL, "news"},
		{"webhook put shop https://x --event message", d.URL, "message.in message.out"},
		{"tail --account s", d.URL, "shop"},
		{"accounts list --output ", d.URL, "table json"},
		{"accounts get ", closed.URL, ""},
		{"accounts get ", "nonsense", ""},
	} {
		words := strings.Split(tt.words, " ")
		r := runWith(t, map[string]string{"KEFU_URL": tt.url, "KEFU_KEY": secret}, "", append([]string{"__complete"}, words...)...)
		var got []string
		for line := range strings.Lines(r.out) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(word, ":") {
				got = append(got, word)
			}
		}
		if strings.Join(got, " ") != tt.want || r.code != 0 || strings.Contains(r.errors, "kefu:") {
			t.Errorf("kefu %s<Tab> at %s: got %q, %d, %q; want %q", tt.words, tt.url, got, r.code, r.errors, tt.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := run(t, d.URL, "", "completion", shell); r.code != 0 || !strings.Contains(r.out, "kefu") {
			t.Errorf("completion %s: got %d, %d bytes", shell, r.code, len(r.out))
		}
	}
	tries := 0
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer down.Close()
	if run(t, down.URL, "", "__complete", "accounts", "get", ""); tries != 1 {
		t.Errorf("a server in trouble is asked %d times, want once", tries)
	}
	if got := runWith(t, map[string]string{"KEFU_URL": d.URL}, "", "__complete", "accounts", "get", "").out; strings.Contains(got, "shop") {
		t.Errorf("without a key: got %q", got)
	}
}

// TestHelp: each command has a line about it, and none is too long for a terminal of 130 columns.
func TestHelp(t *testing.T) {
	t.Parallel()
	all := []string{""}
	for len(all) > 0 {
		words := strings.Fields(all[0])
		r := run(t, "", "", append(words, "--help")...)
		if r.code != 0 || r.out == "" || r.errors != "" {
			t.Errorf("kefu %s --help: got %+v", all[0], r)
		}
		verbs := false
		for line := range strings.Lines(r.out) {
			if len([]rune(line)) > 150 {
				t.Errorf("kefu %s --help: a line of %d characters: %s", all[0], len([]rune(line)), line)
			}
			fields := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "Available Commands:"):
				verbs = true
			case len(fields) == 0:
				verbs = false
			case verbs && fields[0] != "completion" && fields[0] != "help":
				all = append(all, all[0]+" "+fields[0])
				if len(fields) < 3 {
					t.Errorf("kefu %s: %q says nothing about the command", all[0], line)
				}
			}
		}
		all = all[1:]
	}
}
