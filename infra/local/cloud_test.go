package main

import (
	"bytes"
	crypto "crypto/rand"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kefu/infra/emulator/engine"
	"kefu/infra/local/stack"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/porttest"
)

// TestCloud runs the functions' real binaries together, as AWS would: on DynamoDB Local, and on the emulator of SQS and
// S3, with everything that lies between them.
func TestCloud(t *testing.T) {
	t.Parallel()
	w := sky{
		engines: engine.Engines{
			DynamoDB: porttest.Emulator(t, "dynamodb"), SQS: porttest.Emulator(t, "sqs"), S3: porttest.Emulator(t, "s3"),
		},
		binaries: binaries(t),
	}
	for name, check := range map[string]func(*testing.T, sky){
		"conversation": conversation, "killed": killedInTheCloud, "poison": poisonInTheCloud, "settings": wrongSettings,
		"no table": noTable, "banner": bannerOfTheCloud,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, w)
		})
	}
}

// sky is what all clouds of a test run share: the engines and the built functions.
type sky struct {
	engines  engine.Engines
	binaries string
}

// options are those of a cloud of the test's own, with what the functions write in a file that a failing test shows.
func (w sky) options(t *testing.T) *cloudOptions {
	t.Helper()
	logs, err := os.Create(filepath.Join(t.TempDir(), "functions.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = logs.Close() // the processes had handles of their own
		if text, err := os.ReadFile(logs.Name()); t.Failed() && err == nil {
			t.Logf("the functions wrote, at the end:\n%s", text)
		}
	})
	return &cloudOptions{engines: &w.engines, binaries: w.binaries, name: "test-" + strings.ToLower(crypto.Text()), logs: logs}
}

// start starts a cloud with a simulator; it ends with the test.
func (w sky) start(t *testing.T, o *cloudOptions, sim wxfake.Options) (*local, *cloud) {
	t.Helper()
	l, err := start(t.Context(), localOptions{
		addr: "127.0.0.1:0", clock: &clock{}, cloud: o, sim: sim, log: slog.New(slog.NewJSONHandler(o.logs, nil)),
	})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	c, ok := l.functions.(*cloud)
	if !ok {
		t.Fatalf("got a %T, want a cloud", l.functions)
	}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for name, f := range c.functions {
			if n := f.Running(); n != 0 {
				t.Errorf("%s: got %d processes after the end, want none", name, n)
			}
		}
	})
	return l, c
}

// conversation plays what `make demo ENGINE=aws` plays.
func conversation(t *testing.T, w sky) {
	var out bytes.Buffer
	if err := demo(t.Context(), &out, w.options(t)); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{
		"12 processes of 7 functions", "delivered 3 times", "the sixth is held", "the held one arrives", "session expired", "Everything as promised",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the timeline doesn't tell that %s:\n%s", want, &out)
		}
	}
}

// killedInTheCloud kills all processes again and again under load; see siege.
func killedInTheCloud(t *testing.T, w sky) {
	const crowd, kills = 5, 4
	o := w.options(t)
	o.visibility = 4 * time.Second
	l, c := w.start(t, o, besieging)
	s := &siege{t: t, ctx: t.Context(), platform: l.platform, admin: l.admin, refused: 0.2}
	s.begin(l.demo.Accounts[0].AppID, crowd)
	pass := func(d time.Duration) {
		t.Helper()
		if err := l.pass(s.ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	stop := s.load()
	for round := range kills {
		s.round(round)
		s.rest(time.Second + time.Duration(rand.IntN(1000))*time.Millisecond)
		c.kill()
		s.rest(500 * time.Millisecond)
		pass(2 * time.Minute) // leases of calls that were cut run out after one
	}
	s.rest(time.Second)
	stop()
	c.finish(t)
	pass(3 * time.Minute)
	s.settle()
	s.checkWindows()
	pass(100 * time.Hour) // every hold ends
	s.ended()
	s.checkMessages()
	written, err := os.ReadFile(o.logs.Name())
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(written, []byte("the function's process exited")); n == 0 {
		t.Error("no process was killed during an event: the test has not tested much")
	} else {
		t.Logf("%d events were cut by a kill", n)
	}
	if text := c.dead(t); strings.Count(text, " 0 dead letters\n") != len(stack.Rules()) {
		t.Errorf("got %swant no dead letter", text)
	}
}

// finish waits until every push is worked on. Who was unlucky in five deliveries is sent again, as an operator would.
func (c *cloud) finish(t *testing.T) {
	t.Helper()
	for {
		if err := until(t.Context(), "every push is worked on", func() (bool, error) {
			n, err := c.stack.Inbound.Depth(t.Context())
			return n == 0, err
		}); err != nil {
			t.Fatal(err)
		}
		if text := c.dead(t, "-redrive"); strings.Count(text, " 0 sent again\n") == len(stack.Rules()) {
			return
		}
	}
}

// dead is what `kefu dead` prints about the cloud's queues. It gets no table, which it doesn't read.
func (c *cloud) dead(t *testing.T, args ...string) string {
	t.Helper()
	settings := c.stack.Env()
	delete(settings, "KEFU_TABLE")
	var out bytes.Buffer
	if err := dead(t.Context(), func(name string) string { return settings[name] }, &out, args); err != nil {
		t.Fatalf("dead %v: %v", args, err)
	}
	return out.String()
}

// bannerOfTheCloud: what `make run ENGINE=aws` prints says what runs and what becomes of the data.
func bannerOfTheCloud(t *testing.T, w sky) {
	o := w.options(t)
	l, _ := w.start(t, o, impatient)
	var out bytes.Buffer
	if err := l.banner(&out, localOptions{cloud: o, clock: l.clock}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		" processes of 7 functions on DynamoDB Local and an emulator of SQS and S3. Everything is in memory and gone at the end.\n",
		"/simulator/\n", "kfadmin_", "agent ann   kf_", "/accept\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, &out)
		}
	}
}
