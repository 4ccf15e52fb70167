package main

import (
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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
)

type killing struct {
	siege
	binary  string
	folder  string
	addr    string
	wechat  *httptest.Server
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
	k.wechat = httptest.NewServer(k.platform.Handler())
	k.admin = client{base: "http://" + k.addr + "/v1", key: "operator-key-of-this-test"}
	t.Cleanup(func() {
		k.kill()
		k.wechat.Close()
		k.platform.Close()
	})
	return k
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
