package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/shared/app"
	"kefu/shared/core/message"
	"kefu/shared/faas"
	"kefu/shared/faas/faastest"
)

// maxBinary is the budget of a function's binary. It is meant for arm64, whose binaries are the smaller ones.
const maxBinary = 12 << 20

// binaries are the functions as they ship, by name.
type binaries map[string]string

// host starts a function in one cloud.
type host struct {
	name string
	// start runs a binary with settings until the process is killed or the test ends.
	start func(t *testing.T, bin string, settings map[string]string) *instance
}

// instance is a running function.
type instance struct {
	*faastest.Process
	invoke func(ctx context.Context, payload []byte) ([]byte, error)
	// set changes a setting for the calls to come; nil where settings last as long as the process.
	set func(name, value string)
}

// hosts are the clouds. On Lambda the settings are the process's environment, on SCF they come with each call.
var hosts = []host{{"lambda", startLambda}, {"scf", startSCF}}

func startLambda(t *testing.T, bin string, settings map[string]string) *instance {
	t.Helper()
	runtime := faastest.NewRuntime()
	t.Cleanup(runtime.Close)
	env := make([]string, 0, len(settings))
	for name, value := range settings {
		env = append(env, name+"="+value)
	}
	return &instance{Process: runtime.Run(t, bin, env...), invoke: runtime.Invoke}
}

func startSCF(t *testing.T, bin string, settings map[string]string) *instance {
	t.Helper()
	process, scf := faastest.RunSCF(t, bin)
	scf.Environment = settings
	return &instance{Process: process, invoke: scf.Invoke, set: func(name, value string) { settings[name] = value }}
}

// TestBinaries runs the functions as they ship, under stand-ins of both clouds and by hand.
func TestBinaries(t *testing.T) {
	t.Parallel()
	bins := binaries{}
	for name := range functions {
		bins[name] = faastest.Build(t, "kefu/functions/"+name)
	}
	seeded := sampleData(t)
	t.Run("size", func(t *testing.T) { t.Parallel(); testSize(t) })
	t.Run("by hand", func(t *testing.T) { t.Parallel(); testByHand(t, bins, copyData(t, seeded)) })
	for _, h := range hosts {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			t.Run("chain", func(t *testing.T) { t.Parallel(); testChain(t, h, bins, t.TempDir()) })
			t.Run("in use", func(t *testing.T) { t.Parallel(); testInUse(t, h, bins["callback"], copyData(t, seeded)) })
			for name, bin := range bins {
				t.Run("settings/"+name, func(t *testing.T) { t.Parallel(); testSettings(t, h, name, bin) })
			}
		})
	}
}

// testSize builds the largest function as Lambda gets it.
func testSize(t *testing.T) {
	bin := faastest.Build(t, "kefu/functions/api", "noscf")
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxBinary {
		t.Errorf("api has %d bytes, want at most %d", info.Size(), maxBinary)
	}
}

// settings are those of the sample events, on a data folder. The platform's address is one where nobody listens.
func settings(data string) map[string]string {
	return map[string]string{"KEFU_DATA": data, "KEFU_ADMIN_KEY": sampleKey.Reveal(), "KEFU_WECHAT_URL": "http://127.0.0.1:9"}
}

// testChain has a push go its way through the real functions, which take turns on one data folder: only one process may
// have it open. Each is killed, so that whatever the next one finds had to be durable at the time of the answer.
func testChain(t *testing.T, h host, bins binaries, data string) {
	turn := func(function string, payload []byte) string {
		t.Helper()
		p := h.start(t, bins[function], settings(data))
		answer, err := p.invoke(t.Context(), payload)
		p.Kill()
		if err != nil {
			t.Fatalf("%s: %v\n%s", function, err, p.Log())
		}
		discreet(t, p.Log())
		return string(answer)
	}
	same := func(function, sample string) {
		t.Helper()
		base := filepath.Join(eventsDir, function, sample)
		if got, want := turn(function, read(t, base+".json"))+"\n", string(read(t, base+".golden")); got != want {
			t.Errorf("%s %s: got  %s\nwant %s", function, sample, got, want)
		}
	}
	if got := turn("api", read(t, filepath.Join(eventsDir, "setup", "account-secure-json.json"))); !strings.HasPrefix(got, `{"statusCode":201,`) {
		t.Fatalf("an account: got %s, want status 201", got)
	}
	same("callback", "secure-json")
	batch := inbound(t, data)
	if got, want := turn("ingest", batch), `{"batchItemFailures":[]}`; got != want {
		t.Errorf("ingest: got %s, want %s", got, want)
	}
	same("router", "empty")
	same("sender", "empty")
	same("webhook", "empty")
	same("expiry", "eventbridge")
	same("expiry", "scf-timer")
	for _, sample := range []string{"health", "health-scf"} {
		if got := turn("api", read(t, filepath.Join(eventsDir, "api", sample+".json"))); !strings.Contains(got, `{\"status\":\"ok\",`) {
			t.Errorf("api %s: got %s, want that all is well", sample, got)
		}
	}
	got := turn("api", read(t, filepath.Join(eventsDir, "api", "sessions.json")))
	if n := strings.Count(got, `\"customer\":\"oExampleOpenId_-0123456789AB\"`); n != 1 {
		t.Errorf("api sessions: got %s\nwant one session, of the push's customer; got %d", got, n)
	}
}

// inbound takes the one push out of the inbound queue, checks it, and gives the event that the queue's trigger makes of it.
func inbound(t *testing.T, data string) []byte {
	t.Helper()
	config := sampleConfig(data, io.Discard)
	config.Now = time.Now // as the functions do, whose messages it takes
	system, err := app.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := system.Close(); err != nil { // or else the next process can't open it
			t.Error(err)
		}
	}()
	deliveries, err := system.Queues().Inbound.Receive(t.Context(), 10)
	if err != nil || len(deliveries) != 1 {
		t.Fatalf("the inbound queue: got %d messages, %v, want one", len(deliveries), err)
	}
	d := deliveries[0]
	var push message.Push
	if err := json.Unmarshal(d.Body, &push); err != nil {
		t.Fatal(err)
	}
	const customer = "oExampleOpenId_-0123456789AB"
	if push.Account != "secure-json" || push.Customer != customer || d.Group != "secure-json/"+customer ||
		!bytes.Contains(push.Body, []byte(`"MsgId":23637352235060881`)) {
		t.Errorf("the inbound queue: got %s of %s in group %s with %q, want the sample's push", push.Account, push.Customer, d.Group, push.Body)
	}
	if err := system.Queues().Inbound.Ack(t.Context(), d.Receipt); err != nil {
		t.Error(err)
	}
	event, err := faas.EncodeBatch([]faas.Message{{ID: d.ID, Group: d.Group, Body: string(d.Body), Receives: d.Receives, Sent: d.SentAt}})
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// testByHand runs samples as `make invoke` does: the event's file is the only argument.
func testByHand(t *testing.T, bins binaries, data string) {
	for _, sample := range []string{"callback/secure-json", "callback/wrong-signature", "ingest/text", "router/wake-up", "sender/wake-up", "webhook/no-webhook", "expiry/scf-timer", "api/unknown-path"} {
		function, _, _ := strings.Cut(sample, "/")
		file := filepath.Join(eventsDir, filepath.FromSlash(sample))
		cmd := exec.CommandContext(t.Context(), bins[function], file+".json")
		for name, value := range settings(data) {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", sample, err, stderr.String())
			continue
		}
		if got, want := stdout.String(), string(read(t, file+".golden")); got != want {
			t.Errorf("%s: got  %s\nwant %s", sample, got, want)
		}
	}
}

// TestInvoke runs what the README tells people to try, with a folder of its own for what make keeps.
func TestInvoke(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("needs make, as `make invoke` does:", err)
	}
	cache := t.TempDir()
	invoke := func(sample string) (string, error) {
		function, event, _ := strings.Cut(sample, "/")
		cmd := exec.CommandContext(t.Context(), "make", "-C", "../..", "-s", "invoke", "CACHE="+cache, "F="+function, "E="+event)
		// A make that runs this test is none of its business; settings of the person's own must not matter.
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") }),
			"KEFU_DATA="+cache+"/wrong", "KEFU_SECRET_KEY=wrong", "KEFU_ADMIN_KEY=wrong")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
		}
		return stdout.String(), nil
	}
	for _, sample := range []string{"callback/secure-json", "callback/wrong-signature", "api/unknown-path"} {
		want := string(read(t, filepath.Join(eventsDir, sample+".golden")))
		if got, err := invoke(sample); err != nil || got != want {
			t.Errorf("make invoke %s: got  %s, %v\nwant %s", sample, got, err, want)
		}
	}
	if _, err := invoke("callback/nothing"); err == nil || !strings.Contains(err.Error(), "there is no events/callback/nothing.json") {
		t.Errorf("make invoke of a sample that isn't there: got %v, want an error that names the file", err)
	}
	if got, err := invoke(""); err != nil || !strings.Contains(got, "secure-json-scf") {
		t.Errorf("make invoke alone: got %q, %v, want the list of samples", got, err)
	}
}

// ticks are events that each function answers on an empty engine.
var ticks = map[string]string{
	"callback": "callback/unknown-account", "ingest": "ingest/empty", "router": "router/empty", "sender": "sender/empty",
	"webhook": "webhook/empty", "expiry": "expiry/eventbridge", "api": "api/unknown-path",
}

// testSettings: a setting that can't be used is an answer to every call, with its name in it and without its value; the
// process stays, and works as soon as the setting can be used.
func testSettings(t *testing.T, h host, function, bin string) {
	base := filepath.Join(eventsDir, filepath.FromSlash(ticks[function]))
	event, want := read(t, base+".json"), strings.TrimSuffix(string(read(t, base+".golden")), "\n")
	parent := filepath.Join(t.TempDir(), "parent")
	if err := os.WriteFile(parent, nil, 0o600); err != nil { // a file where a folder is needed: not even root writes there
		t.Fatal(err)
	}
	env := settings(filepath.Join(parent, "data"))
	p := h.start(t, bin, env)
	for range 3 {
		refused(t, p, event, "KEFU_DATA")
	}
	if err := os.Remove(parent); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := p.invoke(t.Context(), event); err != nil || string(got) != want {
			t.Errorf("with a folder for the data: got  %s, %v\nwant %s", got, err, want)
		}
	}
	p.Kill()

	const bad = "4711-is-no-key"
	env = settings(t.TempDir())
	env["KEFU_SECRET_KEY"] = bad
	p = h.start(t, bin, env)
	for range 3 {
		refused(t, p, event, "KEFU_SECRET_KEY")
	}
	if strings.Contains(p.Log(), bad) {
		t.Errorf("got log %s\nwant nothing of a key in it", p.Log())
	}
	if p.set == nil {
		return
	}
	p.set("KEFU_SECRET_KEY", strings.Repeat("0f", 32))
	if got, err := p.invoke(t.Context(), event); err != nil || string(got) != want {
		t.Errorf("with a good key: got  %s, %v\nwant %s", got, err, want)
	}
}

// testInUse: a function that finds the data taken says so, and works once they are free.
func testInUse(t *testing.T, h host, bin, data string) {
	holder, err := app.Open(sampleConfig(data, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	p := h.start(t, bin, settings(data))
	event := read(t, filepath.Join(eventsDir, "callback", "secure-json.json"))
	refused(t, p, event, "in-use")
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := p.invoke(t.Context(), event); err != nil || !bytes.Contains(got, []byte(`"body":"success"`)) {
		t.Errorf("with the data free: got %s, %v, want success", got, err)
	}
}

// refused checks that a call fails with a reported reason that names what, and that the process is still there.
func refused(t *testing.T, p *instance, event []byte, what string) {
	t.Helper()
	answer, err := p.invoke(t.Context(), event)
	var reported *faastest.FunctionError
	if !errors.As(err, &reported) || !strings.Contains(reported.Message, what) || reported.Exit {
		t.Errorf("got %s, %v, want a reported error that names %s and asks for no restart", answer, err, what)
	}
	select {
	case <-p.Exited():
		t.Fatalf("got the end of the process, want it to stay:\n%s", p.Log())
	default:
	}
}
