package engine

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var healthy = map[string]string{"java": "serves", "node": "serves", "npm": "offline"}

// but gives healthy tools with other manners for some.
func but(manners map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{healthy, manners} {
		for tool, manner := range m {
			all[tool] = manner
		}
	}
	return all
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	cache := fetched(t)
	e, err := Start(t.Context(), Options{Cache: cache, lookPath: tools(t, healthy)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	for _, a := range []string{e.DynamoDB, e.SQS, e.S3} {
		if err := get(a); err != nil {
			t.Errorf("%s: got %v, want an answer", a, err)
		}
	}
	if err := e.Err(); err != nil {
		t.Errorf("while they run: got %v, want no error", err)
	}
	e.Stop()
	e.Stop() // twice is fine
	if err := get(e.SQS); err == nil {
		t.Error("got an answer after Stop")
	}
	if err := e.Err(); err != nil {
		t.Errorf("after Stop: got %v, want no error", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "*.log")); len(left) > 0 {
		t.Errorf("got logs %v of a good run, want none", left)
	}
}

func TestEngineThatEndsByItself(t *testing.T) {
	t.Parallel()
	e, err := Start(t.Context(), Options{Cache: fetched(t), lookPath: tools(t, healthy)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	dynamo := e.processes[0]
	if err := dynamo.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-dynamo.over
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), dynamo.log) {
		t.Errorf("got %v, want an error that names %s", err, dynamo.log)
	}
	e.Stop()
	if _, err := os.Stat(dynamo.log); err != nil {
		t.Errorf("its log: got %v, want it kept", err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		manners     map[string]string
		unavailable bool
		want        []string
		log         string
	}{
		"no java":         {manners: but(map[string]string{"java": ""}), unavailable: true, want: []string{"there is no java"}},
		"no node":         {manners: but(map[string]string{"node": ""}), unavailable: true, want: []string{"there is no node"}},
		"dies at once":    {manners: but(map[string]string{"java": "dies"}), want: []string{"dynamodb doesn't start", "ended at once (exit status 1)", ".log"}, log: "out of memory"},
		"never ready":     {manners: but(map[string]string{"node": "refuses"}), want: []string{"sqs doesn't start", "no answer within", "503", ".log"}},
		"both go wrong":   {manners: but(map[string]string{"java": "dies", "node": "dies"}), want: []string{"dynamodb doesn't", "sqs doesn't"}},
		"can't be called": {manners: but(map[string]string{"java": "absent"}), want: []string{"dynamodb"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{Cache: fetched(t), lookPath: tools(t, c.manners), wait: time.Second}
			e, err := Start(t.Context(), o)
			if err == nil {
				e.Stop()
				t.Fatal("got engines, want an error")
			}
			if got := errors.Is(err, ErrUnavailable); got != c.unavailable {
				t.Errorf("errors.Is(%v, ErrUnavailable): got %v, want %v", err, got, c.unavailable)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
			if got := logs(t, o.Cache); !strings.Contains(got, c.log) {
				t.Errorf("log: got %q, want %q in it", got, c.log)
			}
		})
	}
}

// A stranger has the first port. DynamoDB Local lives on without its port, node ends.
func TestBusyPort(t *testing.T) {
	t.Parallel()
	for name, manner := range map[string]string{"engine ends": "serves", "engine lives on": "clings"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken := strangers(t)
			ports := make(chan int, 3)
			ports <- taken
			o := Options{Cache: fetched(t), lookPath: tools(t, but(map[string]string{"java": manner}))}.withDefaults()
			o.freePort = func() (int, error) {
				select {
				case p := <-ports:
					return p, nil
				default:
					return freePort()
				}
			}
			programs, err := o.programs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p, err := o.launch(t.Context(), programs[0])
			if err != nil {
				t.Fatal(err)
			}
			defer p.kill()
			if p.address == address(taken) {
				t.Errorf("got the address %s of a stranger", p.address)
			}

			ports <- taken
			ports <- taken
			ports <- taken
			if p, err := o.launch(t.Context(), programs[0]); !errors.Is(err, errPortBusy) {
				t.Errorf("busy every time: got %v, %v; want errPortBusy", p, err)
			}
		})
	}
}

// strangers gives a port on which somebody serves something else.
func strangers(t *testing.T) int {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).Port
}

func TestStartIsCalledOff(t *testing.T) {
	t.Parallel()
	why := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	e, err := Start(ctx, Options{Cache: fetched(t), lookPath: tools(t, but(map[string]string{"java": "refuses"}))})
	if !errors.Is(err, why) {
		t.Errorf("got %v, %v; want %v", e, err, why)
	}
}

func get(address string) error {
	r, err := http.Get(address)
	if err != nil {
		return err
	}
	return r.Body.Close()
}
