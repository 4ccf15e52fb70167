package app_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// TestFilesEnd: what an agent uploaded is gone, bytes and all, when its time is over.
func TestFilesEnd(t *testing.T) {
	t.Parallel()
	r, _, _ := served(t)
	id := r.upload("ann", "shop", png)
	if status, _ := r.raw("ann", "GET", "/media/"+id, "", nil); status != 200 {
		t.Fatalf("the file: %d", status)
	}
	r.time.Add(int64(31 * 24 * time.Hour))
	r.sweep()
	if status, _ := r.raw("ann", "GET", "/media/"+id, "", nil); status != 404 {
		t.Errorf("the file after its time: %d, want 404", status)
	}
}

// TestAgentsGo: a deleted agent's keys are refused at once, his sessions go back, and nothing of him is in the lists.
func TestAgentsGo(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	key := r.must("admin", "POST", "/agents/ann/keys", nil, 201)
	r.must("admin", "DELETE", "/agents/ann/keys/"+key.str("id"), nil, 204)
	r.must("admin", "DELETE", "/agents/ann", nil, 204)
	if status, _ := r.call("ann", "GET", "/sessions", nil); status != 401 {
		t.Errorf("a deleted agent's key: %d, want 401", status)
	}
	r.pump()
	r.ok(mei.Say(r.ctx, "still there?"))
	r.pump()
	r.want("state", r.must("admin", "GET", "/sessions/"+id, nil, 200).str("state"), "queued")
	r.want("agents", len(r.must("admin", "GET", "/agents", nil, 200).items()), 0)
}

// TestLargePush: a push too big for a queue or an item is kept whole.
func TestLargePush(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.Official, wxfake.Plaintext, wxfake.XML)
	r.agent("ann", "agent", 10, "shop")
	mei := r.platform.Named("wxshop", "mei")
	var text strings.Builder
	for dice := rand.New(rand.NewPCG(1, 2)); text.Len() < 840_000; { // as base64 in a queue's body more than SQS takes
		text.WriteRune(rune(0x4e00 + dice.IntN(20_000)))
	}
	long := text.String()
	r.ok(mei.Say(r.ctx, long))
	r.pump()
	list := r.messages(r.session(mei).str("id"))
	if len(list) != 1 || list[0].obj("text").str("content") != long {
		t.Fatalf("got %d messages; want the one long text", len(list))
	}
}
