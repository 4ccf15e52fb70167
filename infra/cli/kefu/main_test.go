package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// patience is how long something may take that happens by itself.
const patience = 60 * time.Second

// system is the real server with its simulator, and the real command line.
type system struct {
	kefu, url, admin string
}

// start builds both and starts the server on a free port. KEFU_TEST_SERVER names a server (./infra/local) that is built.
func start(t *testing.T) *system {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the server")
	}
	folder := t.TempDir()
	s := &system{kefu: build(t, ".", "./", filepath.Join(folder, "kefu"))}
	server := os.Getenv("KEFU_TEST_SERVER")
	if server == "" {
		server = build(t, "../../..", "./infra/local", filepath.Join(folder, "server"))
	}
	cmd := exec.Command(server, "run")
	cmd.Env = append(os.Environ(), "KEFU_ADDR=127.0.0.1:0", "KEFU_DATA="+filepath.Join(folder, "data"), "KEFU_ADMIN_KEY=", "KEFU_ENGINE=")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	s.read(t, bufio.NewScanner(out))
	return s
}

func build(t *testing.T, dir, pkg, to string) string {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", to, pkg)
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, b)
	}
	return to
}

// read takes the address and the operator's key from what the server prints.
func (s *system) read(t *testing.T, lines *bufio.Scanner) {
	t.Helper()
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) > 1 && words[0] == "interface":
			s.url = words[1]
		case len(words) > 2 && words[0] == "admin":
			s.admin = words[2]
		case strings.Contains(lines.Text(), "/simulator/"):
			go func() {
				for lines.Scan() { // so that the server never waits for a reader
				}
			}()
			return
		}
	}
	t.Fatalf("the server ended: %v", lines.Err())
}

// command is kefu with a key.
func (s *system) command(ctx context.Context, key string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.kefu, args...)
	cmd.Env = append(os.Environ(), "KEFU_URL="+s.url, "KEFU_KEY="+key)
	return cmd
}

// as runs kefu with a key, checks the exit code, and returns the output.
func (s *system) as(t *testing.T, key string, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := s.command(t.Context(), key, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("kefu %s: got exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), errs.String())
	}
	if strings.Contains(errs.String(), key) {
		t.Errorf("kefu %s shows its key", strings.Join(args, " "))
	}
	return out.String()
}

// object runs kefu and reads the object that it prints.
func (s *system) object(t *testing.T, key string, args ...string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(s.as(t, key, 0, append(args, "--output", "json")...)), &v); err != nil {
		t.Fatalf("kefu %s: %v", strings.Join(args, " "), err)
	}
	return v
}

// says has a customer write, in the simulator.
func (s *system) says(t *testing.T, app, text string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"app": app, "name": "Mei 梅", "action": "say", "text": text})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(strings.TrimSuffix(s.url, "/v1")+"/simulator/sim/act", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the simulator answers %s", resp.Status)
	}
}

// line is one that a running kefu tail printed.
var line = regexp.MustCompile(`^\S+Z  (s\w+)  (in |out)  (\w+) +(.*)$`)

// follow starts kefu tail; next waits for its next line, stop presses Ctrl-C and returns the exit code.
func (s *system) follow(t *testing.T, key string, args ...string) (next func() []string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := s.command(ctx, key, append([]string{"tail", "--every", "200ms", "--verbose"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// With its second list it knows what is old.
	traces := bufio.NewScanner(errs)
	for lists := 0; lists < 2 && traces.Scan(); {
		if strings.Contains(traces.Text(), "/v1/sessions?") {
			lists++
		}
	}
	go func() {
		for traces.Scan() { // so that it never waits for a reader
		}
	}()
	lines := bufio.NewScanner(out)
	next = func() []string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("kefu tail ended: %v", lines.Err())
		}
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("kefu tail prints %q", lines.Text())
		}
		return m[1:]
	}
	stop = func() int {
		t.Helper()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // the exit code is what is asked for
		return cmd.ProcessState.ExitCode()
	}
	return next, stop
}

// TestDay plays a day at the desk by the command line alone, on the real server.
func TestDay(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.tenants(t)
	app := s.accounts(t)
	ann := s.agents(t)
	s.conversation(t, app, ann)
}

// tenants: a tenant is made, its key sees nothing of others, and ends.
func (s *system) tenants(t *testing.T) {
	t.Helper()
	if out := s.as(t, "any", 0, "health"); !strings.HasPrefix(out, "status   ok\n") {
		t.Errorf("health prints %q", out)
	}
	s.as(t, s.admin, 0, "tenants", "put", "teahouse", "--name", "茶馆")
	if got := s.object(t, s.admin, "tenants", "get", "teahouse"); got["name"] != "茶馆" {
		t.Errorf("got tenant %v", got)
	}
	key := s.object(t, s.admin, "tenants", "key", "create", "teahouse")
	theirs := fmt.Sprint(key["key"])
	if out := s.as(t, theirs, 0, "accounts", "list", "--output", "json"); strings.Join(strings.Fields(out), "") != `{"items":[]}` {
		t.Errorf("the new tenant's accounts: %s", out)
	}
	s.as(t, theirs, 4, "accounts", "get", "demo")
	s.as(t, theirs, 6, "tenants", "get", "teahouse")
	s.as(t, s.admin, 0, "tenants", "key", "delete", "teahouse", fmt.Sprint(key["id"]))
	s.as(t, theirs, 6, "accounts", "list")
}

// accounts: one is put from a file, read and removed; the simulator's own app is returned.
func (s *system) accounts(t *testing.T) (app string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.json")
	if err := os.WriteFile(file, []byte(`{"channel":"miniprogram","app_id":"wx0123456789abcdef","token":"t0k3n","secret":"s3cr3t"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.as(t, s.admin, 0, "accounts", "put", "shop", "--file", file); !strings.Contains(out, "has_secret            true\n") ||
		strings.Contains(out, "s3cr3t") {
		t.Errorf("put prints %s, want no secret", out)
	}
	out := s.as(t, s.admin, 0, "accounts", "list")
	for _, want := range []string{"ID       CHANNEL      APP_ID", "shop     miniprogram  wx0123456789abcdef  plaintext   xml     secret"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for rules, want := range map[string]int{`{"assign":{"mode":"auto"}}`: 0, `{"assign":{"mode":"never"}}`: 1} {
		if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
		s.as(t, s.admin, want, "routing", "put", "shop", "-f", file)
	}
	if out := s.as(t, s.admin, 0, "routing", "get", "shop"); !regexp.MustCompile(`(?m)^assign.mode +auto$`).MatchString(out) {
		t.Errorf("got rules\n%s", out)
	}
	if out := s.as(t, s.admin, 1, "doctor", "shop"); !strings.Contains(out, "->") {
		t.Errorf("the doctor says nothing to do about an app id that doesn't exist:\n%s", out)
	}
	s.as(t, s.admin, 0, "webhook", "put", "shop", "https://shop.example/kefu")
	if out := s.as(t, s.admin, 0, "webhook", "secret", "shop"); !strings.Contains(out, "whsec_") {
		t.Errorf("no secret in %q", out)
	}
	if out := s.as(t, s.admin, 0, "webhook", "get", "shop"); strings.Contains(out, "whsec_") {
		t.Errorf("the secret is shown again: %s", out)
	}
	s.as(t, s.admin, 0, "dead", "shop")
	s.as(t, s.admin, 0, "webhook", "delete", "shop")
	s.as(t, s.admin, 4, "webhook", "get", "shop")
	s.as(t, s.admin, 0, "accounts", "delete", "shop")
	s.as(t, s.admin, 4, "accounts", "get", "shop")
	return fmt.Sprint(s.object(t, s.admin, "accounts", "get", "demo")["app_id"])
}

// agents: one is made, gets a key and comes online.
func (s *system) agents(t *testing.T) (key string) {
	t.Helper()
	s.as(t, s.admin, 0, "agents", "put", "mei-lin", "--name", "林美玲", "--account", "demo", "--capacity", "1")
	key = fmt.Sprint(s.object(t, s.admin, "keys", "create", "mei-lin")["key"])
	s.as(t, key, 1, "agents", "status", "me", "online", "--lease", "1s")
	s.as(t, key, 0, "agents", "status", "me", "online", "--lease", "15m")
	s.as(t, key, 0, "agents", "status", "me", "online")
	s.as(t, key, 6, "agents", "put", "mei-lin", "--name", "x", "--role", "admin")
	if out := s.as(t, key, 0, "agents", "list"); !regexp.MustCompile(`(?m)^mei-lin  林美玲  agent  online  \S+  0 of 1   demo$`).MatchString(out) {
		t.Errorf("got agents\n%s", out)
	}
	return key
}

// conversation: a customer writes, an agent answers, and kefu tail sees it all.
func (s *system) conversation(t *testing.T, app, ann string) {
	t.Helper()
	next, stop := s.follow(t, ann, "--account", "demo")
	s.says(t, app, "你好 <1>")
	first := next()
	if first[1] != "in " || first[3] != "你好 <1>" {
		t.Errorf("tail: got %q, want the customer's text", first)
	}
	id := first[0]
	if out := s.as(t, ann, 0, "sessions", "list", "--state", "queued", "--account", "demo"); !strings.Contains(out, id+"  demo     queued  no. 1  5 of 5  ") {
		t.Errorf("got sessions\n%s", out)
	}
	s.as(t, ann, 6, "sessions", "close", id)
	s.as(t, ann, 0, "sessions", "accept", id)
	s.as(t, ann, 5, "sessions", "accept", id)
	sent := s.object(t, ann, "send", id, "在的 <2>", "--idempotency-key", "once")
	if again := s.object(t, ann, "send", id, "在的 <2>", "--idempotency-key", "once"); again["id"] != sent["id"] {
		t.Errorf("repeated: got message %v, want %v", again["id"], sent["id"])
	}
	if got := next(); got[0] != id || got[1] != "out" || got[3] != "在的 <2>" {
		t.Errorf("tail: got %q, want the answer", got)
	}
	later := fmt.Sprint(s.object(t, ann, "send", id, "later", "--at", "1h")["id"])
	if got := next(); got[3] != "later" {
		t.Errorf("tail: got %q, want the message that waits", got)
	}
	s.as(t, ann, 0, "message", "cancel", id, later)
	if got := s.object(t, ann, "message", "get", id, later); got["state"] != "cancelled" {
		t.Errorf("cancelled: got %v", got)
	}
	s.says(t, app, "谢谢")
	if got := next(); got[0] != id || got[3] != "谢谢" {
		t.Errorf("tail: got %q, want the customer's thanks", got)
	}
	s.as(t, ann, 4, "sessions", "transfer", id, "--to-agent", "nobody")
	s.as(t, ann, 0, "sessions", "close", id)
	s.as(t, ann, 5, "send", id, "too late")
	if out := s.as(t, ann, 0, "sessions", "messages", id); len(strings.Split(strings.TrimSpace(out), "\n")) != 5 || !strings.Contains(out, "  out  text  cancelled") {
		t.Errorf("got messages\n%s", out)
	}
	if code := stop(); code != 0 {
		t.Errorf("kefu tail after Ctrl-C: got exit code %d, want 0", code)
	}
	if out := s.as(t, ann, 0, "__complete", "sessions", "get", ""); !strings.HasPrefix(out, id+"\tclosed, demo, ") {
		t.Errorf("completion offers %q", out)
	}
}
