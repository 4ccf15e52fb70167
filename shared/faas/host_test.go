package faas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/faas/faastest"
)

// reply is what testdata/echo answers.
type reply struct {
	Text      string `json:"text"`
	Request   string `json:"request"`
	Remaining int64  `json:"remaining_ms"`
	Builds    int    `json:"builds"`
}

type invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

func ask(t *testing.T, host invoker, order string) (reply, error) {
	t.Helper()
	answer, err := host.Invoke(t.Context(), []byte(order))
	if err != nil {
		return reply{}, err
	}
	var r reply
	if err := json.Unmarshal(answer, &r); err != nil {
		return reply{}, fmt.Errorf("answer %q: %w", answer, err)
	}
	return r, nil
}

// reported checks that err is a function error that says want.
func reported(t *testing.T, err error, want string) {
	t.Helper()
	var reported *faastest.FunctionError
	if !errors.As(err, &reported) || !strings.Contains(reported.Message, want) {
		t.Errorf("got error %v, want a function error that says %q", err, want)
	}
}

// TestHosts runs one real binary under each host.
func TestHosts(t *testing.T) {
	t.Parallel()
	bin := faastest.Build(t, "./testdata/echo")
	for name, test := range map[string]func(*testing.T, string){
		"lambda":            testLambda,
		"lambda kill":       testLambdaKill,
		"lambda build":      testLambdaBuild,
		"lambda http":       testLambdaHTTP,
		"lambda parallel":   testLambdaParallel,
		"scf":               testSCF,
		"scf build":         testSCFBuild,
		"scf zero deadline": testSCFZeroDeadline,
		"scf parallel":      testSCFParallel,
		"local":             testLocal,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, bin)
		})
	}
}

// conversation is what both clouds must do alike.
func conversation(t *testing.T, host invoker, log func() string) {
	t.Helper()
	r, err := ask(t, host, `{"text":"你好"}`)
	if err != nil || r.Text != "你好" || r.Builds != 1 || r.Request == "" {
		t.Errorf("got %+v, %v, want the text back, one build and a request id", r, err)
	}
	if r.Remaining < 5_000 || r.Remaining > 60_000 {
		t.Errorf("got %d ms until the deadline, want that of the host, 30 s", r.Remaining)
	}
	_, err = ask(t, host, `{"do":"fail"}`)
	reported(t, err, "conflict told-to: I was told to fail.")
	_, err = ask(t, host, `{"do":"panic","text":"4711"}`)
	reported(t, err, "panic: string")
	if err != nil && strings.Contains(err.Error(), "4711") {
		t.Errorf("got error %v, want none of the panic's content", err)
	}
	if got := log(); !strings.Contains(got, "main.command") || strings.Contains(got, "4711") {
		t.Errorf("got log %s\nwant the panic's stack without its content", got)
	}
	if r, err := ask(t, host, `{"text":"still here"}`); err != nil || r.Text != "still here" || r.Builds != 1 {
		t.Errorf("after a panic: got %+v, %v, want the same process to answer", r, err)
	}
}

func testLambda(t *testing.T, bin string) {
	rt := faastest.NewRuntime()
	defer rt.Close()
	p := rt.Run(t, bin, "ECHO_SETTING=1")
	conversation(t, rt, p.Log)
}

func testLambdaKill(t *testing.T, bin string) {
	rt := faastest.NewRuntime()
	defer rt.Close()
	p := rt.Run(t, bin, "ECHO_SETTING=1")
	if _, err := ask(t, rt, `{}`); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, rt, `{"do":"exit"}`); !errors.Is(err, faastest.ErrExited) {
		t.Errorf("a process that exits: got error %v, want %v", err, faastest.ErrExited)
	}
	<-p.Exited()
	p.Kill()
	for range 3 {
		p = rt.Run(t, bin, "ECHO_SETTING=1")
		if r, err := ask(t, rt, `{"text":"again"}`); err != nil || r.Text != "again" || r.Builds != 1 {
			t.Errorf("after a restart: got %+v, %v, want the answer of a fresh process", r, err)
		}
		p.Kill()
	}
}

func testLambdaBuild(t *testing.T, bin string) {
	gate := filepath.Join(t.TempDir(), "gate")
	rt := faastest.NewRuntime()
	defer rt.Close()
	p := rt.Run(t, bin, "ECHO_SETTING=1", "ECHO_GATE="+gate)
	<-rt.Polled()
	if !strings.Contains(p.Log(), "the gate is closed") {
		t.Errorf("at the first poll: got log %s\nwant a build that was tried and has failed", p.Log())
	}
	for range 2 {
		_, err := ask(t, rt, `{}`)
		reported(t, err, "the gate is closed")
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r, err := ask(t, rt, `{}`); err != nil || r.Builds != 4 {
			t.Errorf("with the gate open: got %+v, %v, want the handler of the 4th build", r, err)
		}
	}
}

func testLambdaHTTP(t *testing.T, bin string) {
	rt := faastest.NewRuntime()
	defer rt.Close()
	rt.Run(t, bin, "ECHO_SETTING=1", "ECHO_KIND=http")
	event := []byte(`{"version":"2.0","rawPath":"/a","rawQueryString":"b=%20","body":"aGk=","isBase64Encoded":true,` +
		`"requestContext":{"http":{"method":"PUT"}}}`)
	answer, err := rt.Invoke(t.Context(), event)
	want := `{"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"},"isBase64Encoded":false,"body":"PUT /a?b=%20 hi"}`
	if err != nil || string(answer) != want {
		t.Errorf("got  %s, %v\nwant %s", answer, err, want)
	}
	_, err = rt.Invoke(t.Context(), []byte(`{"Records":[]}`))
	reported(t, err, "not an HTTP event")
}

func testSCF(t *testing.T, bin string) {
	p, scf := faastest.RunSCF(t, bin, "ECHO_SETTING=1")
	if err := scf.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	conversation(t, scf, p.Log)
	if _, err := ask(t, scf, `{"do":"exit"}`); !errors.Is(err, faastest.ErrExited) {
		t.Errorf("a process that exits: got error %v, want %v", err, faastest.ErrExited)
	}
	_, scf = faastest.RunSCF(t, bin, "ECHO_SETTING=1")
	if r, err := ask(t, scf, `{"text":"again"}`); err != nil || r.Text != "again" || r.Builds != 1 {
		t.Errorf("after a restart: got %+v, %v, want the answer of a fresh process", r, err)
	}
}

// testSCFBuild: SCF's settings come with the call, so nothing may be built before, and a bad setting is not final.
func testSCFBuild(t *testing.T, bin string) {
	_, scf := faastest.RunSCF(t, bin)
	for range 2 {
		_, err := ask(t, scf, `{}`)
		reported(t, err, "ECHO_SETTING is missing")
	}
	scf.Environment = map[string]string{"ECHO_SETTING": "1"}
	for range 2 {
		if r, err := ask(t, scf, `{}`); err != nil || r.Builds != 3 {
			t.Errorf("with the setting: got %+v, %v, want the handler of the 3rd build", r, err)
		}
	}
}

func testSCFZeroDeadline(t *testing.T, bin string) {
	_, scf := faastest.RunSCF(t, bin, "ECHO_SETTING=1")
	scf.NoDeadline = true
	if r, err := ask(t, scf, `{}`); err != nil || r.Remaining < 20_000 || r.Remaining > 30_000 {
		t.Errorf("no deadline, no limit: got %+v, %v, want 30 s", r, err)
	}
	scf.TimeLimit = 100 * time.Second
	if r, err := ask(t, scf, `{}`); err != nil || r.Remaining < 90_000 || r.Remaining > 100_000 {
		t.Errorf("no deadline, a limit of 100 s: got %+v, %v, want the limit", r, err)
	}
}

func testSCFParallel(t *testing.T, bin string) {
	_, scf := faastest.RunSCF(t, bin, "ECHO_SETTING=1")
	crowd(t, scf)
}

// testLambdaParallel polls over several connections, as on Managed Instances.
func testLambdaParallel(t *testing.T, bin string) {
	rt := faastest.NewRuntime()
	defer rt.Close()
	rt.Run(t, bin, "ECHO_SETTING=1", "AWS_LAMBDA_MAX_CONCURRENCY=4")
	crowd(t, rt)
}

// crowd makes many calls at once, from the first one on.
func crowd(t *testing.T, host invoker) {
	t.Helper()
	var calls sync.WaitGroup
	for i := range 40 {
		calls.Go(func() {
			text := strconv.Itoa(i)
			if r, err := ask(t, host, `{"text":"`+text+`"}`); err != nil || r.Text != text || r.Builds != 1 {
				t.Errorf("got %+v, %v, want text %s back and one build", r, err, text)
			}
		})
	}
	calls.Wait()
}

func testLocal(t *testing.T, bin string) {
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"text":"from a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const set = "ECHO_SETTING=1"
	for name, tc := range map[string]struct {
		env    []string
		args   []string
		stdin  string
		answer string // part of standard output; none when it must fail
		reason string // part of standard error
	}{
		"stdin":      {env: []string{set}, stdin: `{"text":"hi"}`, answer: `"text":"hi"`},
		"dash":       {env: []string{set}, args: []string{"-"}, stdin: `{"text":"hi"}`, answer: `"text":"hi"`},
		"file":       {env: []string{set}, args: []string{file}, answer: `"text":"from a file"`},
		"tick":       {env: []string{set, "ECHO_KIND=timer"}, answer: "{}"},
		"batch":      {env: []string{set, "ECHO_KIND=batch"}, stdin: `{"Records":[{"messageId":"7","body":"bad"}]}`, answer: `{"batchItemFailures":[{"itemIdentifier":"7"}]}`},
		"no file":    {env: []string{set}, args: []string{file + "x"}, reason: "read the event: open "},
		"two files":  {env: []string{set}, args: []string{file, file}, reason: "usage: "},
		"error":      {env: []string{set}, stdin: `{"do":"fail"}`, reason: "the event failed: conflict told-to"},
		"panic":      {env: []string{set}, stdin: `{"do":"panic"}`, reason: "the event failed: internal panic: panic: string"},
		"bad build":  {stdin: `{}`, reason: "the event failed: unavailable not-ready: build: ECHO_SETTING is missing"},
		"wrong kind": {env: []string{set, "ECHO_KIND=timer"}, stdin: `{"Records":[]}`, reason: "the event failed: invalid bad-event"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), bin, tc.args...)
			cmd.Env = append([]string{}, tc.env...)
			cmd.Stdin = strings.NewReader(tc.stdin)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if tc.answer != "" {
				if err != nil || !strings.Contains(stdout.String(), tc.answer) {
					t.Errorf("got %q, %v, want %q\n%s", stdout.String(), err, tc.answer, stderr.String())
				}
				return
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(stderr.String(), tc.reason) || stdout.Len() > 0 {
				t.Errorf("got %v with %q and answer %q, want exit code 1, %q and none", err, stderr.String(), stdout.String(), tc.reason)
			}
		})
	}
}
