package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/replay"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/agent"
)

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	first := w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k1").want(202)
	if first.header.Get("Idempotent-Replayed") != "" {
		t.Error("the first answer says that it is a repetition")
	}
	w.pass(time.Hour)
	for range 3 {
		again := w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k1").want(202)
		if string(again.raw) != string(first.raw) || again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Content-Type") != "application/json" {
			t.Errorf("repetition answered %s %v, want the first answer %s", again.raw, again.header, first.raw)
		}
	}
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(1, "waiting")
	// The key belongs to this call: of this body, this address, this agent.
	w.call("ann", "POST", path(s, "messages"), text("y"), "Idempotency-Key", "k1").want(422, "idempotency-mismatch")
	w.call("sue", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k1").want(422, "idempotency-mismatch")
	w.call("ann", "POST", path(s, "close"), nil, "Idempotency-Key", "k1").want(422, "idempotency-mismatch")
	// It is the tenant's: another business's is another key.
	w.call("rival/eve", "PUT", "/v1/agents/me/status", `{"status":"away"}`, "Idempotency-Key", "k1").want(200)
	// Without a key, and with another, it is another message.
	w.call("ann", "POST", path(s, "messages"), text("x")).want(202)
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k2").want(202)
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(3, "waiting")
	// A day later the key is forgotten.
	w.pass(24 * time.Hour)
	w.call("ann", "POST", path(s, "messages"), text("y"), "Idempotency-Key", "k1").want(202)
	// Problems and empty answers are repeated too.
	w.call("bob", "POST", path(s, "close"), nil, "Idempotency-Key", "k3").want(403, "not-yours")
	if r := w.call("bob", "POST", path(s, "close"), nil, "Idempotency-Key", "k3").want(403, "not-yours"); r.header.Get("Idempotent-Replayed") != "true" {
		t.Error("a refusal was not repeated")
	}
	for range 2 {
		w.call("ada", "DELETE", "/v1/agents/bob", nil, "Idempotency-Key", "k4").want(204)
	}
	// A GET has no use for it.
	w.call("ann", "GET", "/v1/sessions/"+s, nil, "Idempotency-Key", "k1").want(200)
}

func TestIdempotencyKeyForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := func(more ...string) reply {
		return w.call("ann", "PUT", "/v1/agents/me/status", `{"status":"away"}`, more...)
	}
	status("Idempotency-Key", strings.Repeat("k", 128)).want(200)
	status("Idempotency-Key", "a key with spaces, ~ and \"quotes\"").want(200)
	status("Idempotency-Key", strings.Repeat("k", 129)).want(400, "idempotency-invalid")
	status("Idempotency-Key", "").want(400, "idempotency-invalid")
	status("Idempotency-Key", "ключ").want(400, "idempotency-invalid")
	status("Idempotency-Key", "a", "Idempotency-Key", "b").want(400, "idempotency-invalid")
}

// TestIdempotencyTogether: twenty repetitions at once are one call.
func TestIdempotencyTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	got := w.together(20, func(int) reply {
		return w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k")
	})
	accepted := 0
	for _, r := range got {
		if r.status == 202 {
			accepted++
			r.is(s+"-2", "id")
			continue
		}
		r.want(409, "in-progress")
		if r.header.Get("Retry-After") == "" {
			t.Error("in-progress without Retry-After")
		}
	}
	if accepted == 0 {
		t.Error("nobody was accepted")
	}
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(1, "waiting")
}

func TestKeysAreShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.call("ada", "POST", "/v1/agents/bob/keys", nil, "Idempotency-Key", "k").want(201)
	again := w.call("ada", "POST", "/v1/agents/bob/keys", nil, "Idempotency-Key", "k").want(409, "key-shown").is(first.text("id"), "id")
	if strings.Contains(string(again.raw), first.text("key")) {
		t.Error("the key was kept and shown again")
	}
	kept, _, err := w.store.BeginCall(t.Context(), "default", replay.Call{Key: "k"}, w.clock())
	if err != nil || strings.Contains(string(kept.Body), "kf_") {
		t.Errorf("kept %s, %v; want no key in the store", kept.Body, err)
	}
	// A failure is kept as what it was.
	w.call("ada", "POST", "/v1/agents/nobody/keys", nil, "Idempotency-Key", "k2").want(404, "not-found")
	w.call("ada", "POST", "/v1/agents/nobody/keys", nil, "Idempotency-Key", "k2").want(404, "not-found")
}

func TestUploadRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Each form has a boundary of its own; it is the file that names the call.
	first := w.upload("ann", "shop", "image", "pixels", "Idempotency-Key", "k").want(201)
	w.upload("ann", "shop", "image", "pixels", "Idempotency-Key", "k").want(201).is(first.text("id"), "id")
	w.upload("ann", "shop", "image", "others", "Idempotency-Key", "k").want(422, "idempotency-mismatch")
	w.upload("ann", "shop", "thumb", "pixels", "Idempotency-Key", "k").want(422, "idempotency-mismatch")
}

// TestCrashedCall: a call that never ended blocks its key for its lease only.
func TestCrashedCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	forgetful := &forgetfulStore{Store: w.store, fail: fault.Wrap(fault.Unavailable, "", errors.New("gone"))}
	w.api.Store = forgetful
	w.h = w.api.Handler()
	first := w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(202)
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(409, "in-progress")
	forgetful.fail = nil
	w.pass(30 * time.Second)
	// The answer was lost; the message wasn't, and is not accepted twice.
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(202).is(first.text("id"), "id")
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(1, "waiting")
	if !strings.Contains(w.log.String(), "answer not kept") {
		t.Error("the log does not tell of the answer that was not kept")
	}
}

// forgetfulStore can't keep answers.
type forgetfulStore struct {
	agent.Store
	fail error
}

func (f *forgetfulStore) FinishCall(ctx context.Context, t tenant.ID, c replay.Call) error {
	if f.fail != nil {
		return f.fail
	}
	return f.Store.FinishCall(ctx, t, c)
}
