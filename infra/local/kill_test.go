package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// TestKilledAtAnyMoment runs the real binary under load and kills it with SIGKILL
// again and again, while customers write, agents answer and the platform repeats,
// loses and delays. When it has come to rest, guarantees 1 to 7 are checked
// against what the simulator saw.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	k := newKilling(t)
	k.start("0s")
	k.prepare()
	stop := k.load()
	for round := range kills {
		k.round(round)
		k.rest(300*time.Millisecond + time.Duration(rand.IntN(1200))*time.Millisecond)
		k.kill()
		k.start("0s")
		t.Logf("killed and started again, round %d", round+1)
	}
	k.rest(time.Second)
	stop()
	// Leases of calls that were cut run out after a minute; let three pass.
	k.kill()
	k.start("3m")
	k.settle()
	k.checkWindows()
	// Every hold ends; then everything has ended.
	k.kill()
	k.start("100h")
	k.ended()
	k.checkMessages()
}

const (
	customers = 16
	kills     = 7
	ends      = 4
	// endsWithin is shorter than what container hosts and service managers grant before they kill.
	endsWithin = 8 * time.Second
)

// TestTerminatedAmidLoad asks for a clean end again and again, while customers write and agents answer, and every other
// time while the platform hangs. Each comes in time, and guarantees 1 to 7 hold all the same.
func TestTerminatedAmidLoad(t *testing.T) {
	t.Parallel()
	k := newKilling(t)
	k.refused = 0.2 // an end takes no work for seconds, in which pushes wait; see checkWindows
	k.start("0s")
	k.prepare()
	stop := k.load()
	for round := range ends {
		k.round(round)
		k.rest(300*time.Millisecond + time.Duration(rand.IntN(900))*time.Millisecond)
		if round%2 == 1 {
			k.hanging.Store(0)
			k.silent.Store(true)
			if err := until(k.ctx, "calls hang", func() (bool, error) { return k.hanging.Load() > 0, nil }); err != nil {
				t.Fatal(err)
			}
		}
		k.terminate()
		k.silent.Store(false)
		k.start("0s")
	}
	k.rest(time.Second)
	stop()
	k.terminate()
	k.start("3m")
	k.settle()
	k.checkWindows()
	k.terminate()
	k.start("100h")
	k.ended()
	k.checkMessages()
}

// TestASecondSignalEndsAtOnce: nobody has to wait for what hangs.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	k := newKilling(t)
	k.start("0s")
	k.prepare()
	stop := k.load()
	k.silent.Store(true)
	if err := until(k.ctx, "calls hang", func() (bool, error) { return k.hanging.Load() > 0, nil }); err != nil {
		t.Fatal(err)
	}
	stopped := func() (bool, error) { return k.admin.do(k.ctx, "GET", "/health", nil, nil) != nil, nil }
	if err := k.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := until(k.ctx, "the end has begun", stopped); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := k.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := k.process.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the end: got %v, want the second signal to end it", err)
	}
	if took := time.Since(begin); took > graceLimit {
		t.Errorf("it took %v", took)
	}
	k.process = nil
	k.silent.Store(false)
	k.start("0s")
	stop()
}

type killing struct {
	siege
	binary  string
	folder  string
	addr    string
	wechat  *httptest.Server
	silent  atomic.Bool  // the platform answers no call
	hanging atomic.Int64 // calls that it has not answered
	process *exec.Cmd
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	k := &killing{siege: siege{t: t, ctx: t.Context(), refused: 0.02}, folder: t.TempDir()}
	k.binary = filepath.Join(k.folder, "kefu")
	build := exec.CommandContext(k.ctx, "go", "build", "-o", k.binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(k.ctx, "tcp", "127.0.0.1:0") // a free port, kept over restarts
	if err != nil {
		t.Fatal(err)
	}
	k.addr = ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	k.platform = wxfake.New(besieging)
	k.wechat = httptest.NewServer(k.silenced(k.platform.Handler()))
	k.admin = client{base: "http://" + k.addr + "/v1", key: "operator-key-of-this-test"}
	t.Cleanup(func() {
		k.kill()
		k.wechat.Close()
		k.platform.Close()
	})
	return k
}

// silenced is the platform, which while it is silent takes calls and doesn't answer them.
func (k *killing) silenced(platform http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !k.silent.Load() {
			platform.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the caller leave
		k.hanging.Add(1)
		<-r.Context().Done()
	})
}

func (k *killing) start(offset string) {
	k.t.Helper()
	k.process = exec.Command(k.binary, "run")
	k.process.Env = append(os.Environ(), "KEFU_ADDR="+k.addr, "KEFU_DATA="+filepath.Join(k.folder, "data"), "KEFU_WECHAT_URL="+k.wechat.URL,
		"KEFU_ADMIN_KEY="+k.admin.key, "KEFU_CLOCK_OFFSET="+offset, "KEFU_LOG_LEVEL=error")
	k.process.Stderr = os.Stderr
	if err := k.process.Start(); err != nil {
		k.t.Fatal(err)
	}
	if err := until(k.ctx, "the system answers", func() (bool, error) {
		return k.admin.do(k.ctx, "GET", "/health", nil, nil) == nil, nil
	}); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killing) kill() {
	if k.process == nil {
		return
	}
	_ = k.process.Process.Kill() // SIGKILL: no farewell
	_ = k.process.Wait()         // says that it was killed
	k.process = nil
}

// terminate asks for a clean end and wants it soon, without an error.
func (k *killing) terminate() {
	k.t.Helper()
	if err := k.process.Process.Signal(syscall.SIGTERM); err != nil {
		k.t.Fatal(err)
	}
	late := time.AfterFunc(endsWithin, func() {
		k.t.Errorf("still there %v after SIGTERM", endsWithin)
		_ = k.process.Process.Kill()
	})
	if err := k.process.Wait(); err != nil {
		k.t.Errorf("the end: got %v, want exit code 0", err)
	}
	late.Stop()
	k.process = nil
}

func (k *killing) prepare() {
	k.t.Helper()
	a := wxfake.Account{
		Channel: wxfake.MiniProgram, AppID: "wxkilltest", OriginalID: "gh_kill", Secret: "a-secret", Token: "atoken",
		AESKey: "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0", Mode: wxfake.Secure, Format: wxfake.JSON,
		CallbackURL: "http://" + k.addr + "/callback/shop",
	}
	if err := k.platform.AddAccount(a); err != nil {
		k.t.Fatal(err)
	}
	if err := k.admin.do(k.ctx, "PUT", "/accounts/shop", map[string]any{
		"channel": a.Channel, "app_id": a.AppID, "original_id": a.OriginalID, "token": a.Token, "aes_key": a.AESKey,
		"secret": a.Secret, "mode": a.Mode, "format": a.Format,
	}, nil); err != nil {
		k.t.Fatal(err)
	}
	k.begin(a.AppID, customers)
}
