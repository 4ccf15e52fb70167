package dynamo

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
)

// TestLargeBodies stores what is too big for an item and finds it again.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	body := noise(1 << 20)
	raw := message.RawPush{Push: message.Push{Account: "shop", Key: "k", Body: body, ReceivedAt: start}, Reason: "unreadable"}
	must(t, s.KeepRaw(ctx, raw))
	pushes, _, err := s.RawPushes(ctx, "shop", "", 10)
	must(t, err)
	if len(pushes) != 1 || !bytes.Equal(pushes[0].Push.Body, body) || pushes[0].Push.Key != "k" || pushes[0].Reason != raw.Reason {
		t.Errorf("got %d kept pushes; want the one that was kept", len(pushes))
	}
	done := replay.Call{Key: "k", Done: true, Status: 200, Body: body, ExpiresAt: after(time.Hour)}
	must(t, s.FinishCall(ctx, "t", done))
	found, begun, err := s.BeginCall(ctx, "t", aCall("k"), start)
	must(t, err)
	if begun || !bytes.Equal(found.Body, body) || found.Status != 200 {
		t.Errorf("got begun %v, status %d, %d bytes; want the finished call", begun, found.Status, len(found.Body))
	}
	for _, it := range scan(t, s) {
		if readText(it[attrSpilled]) == "" || it[attrBody] != nil {
			t.Errorf("%s: got its body in the item; want it in the bucket", readText(it[attrPK]))
		}
	}
}

// TestWithoutBucket: what is about files names the setting, so that a queue keeps the message until it is set.
func TestWithoutBucket(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.bucket = nil
	ctx := t.Context()
	_, blobErr := s.Blob(ctx, "m")
	for what, err := range map[string]error{
		"PutBlob": s.PutBlob(ctx, "m", nil), "Blob": blobErr, "DeleteMedia": s.DeleteMedia(ctx, "m"),
	} {
		wantKind(t, what, err, fault.Unavailable, "store-setting")
		if !strings.Contains(err.Error(), "KEFU_BUCKET") {
			t.Errorf("%s: got %q; want it to name KEFU_BUCKET", what, err)
		}
	}
	must(t, s.PutMedia(ctx, message.Media{ID: "m"}))
	large := message.RawPush{Push: message.Push{Account: "shop", Key: "k", Body: noise(1 << 20)}}
	wantKind(t, "KeepRaw", s.KeepRaw(ctx, large), fault.Invalid, "too-large")
}

// TestTimesToTheNanosecond: leases and lives end at their instant, not a moment before or after.
func TestTimesToTheNanosecond(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	begin := func(c replay.Call, now time.Time, want bool) {
		t.Helper()
		_, begun, err := s.BeginCall(ctx, "t", c, now)
		must(t, err)
		if begun != want {
			t.Errorf("BeginCall at %s: got begun %v; want %v", now.Format(time.StampNano), begun, want)
		}
	}
	c := aCall("k")
	begin(c, start, true)
	begin(c, c.LeaseUntil.Add(-1), false)
	begin(c, c.LeaseUntil, true)
	c.Done = true
	must(t, s.FinishCall(ctx, "t", c))
	begin(c, c.ExpiresAt.Add(-1), false)
	begin(c, c.ExpiresAt, true)

	until := after(time.Minute)
	must(t, s.LeaseToken(ctx, ofApp("wx1"), start, until))
	wantKind(t, "LeaseToken", s.LeaseToken(ctx, ofApp("wx1"), until.Add(-1), after(time.Hour)), fault.Conflict, "token-leased")
	must(t, s.LeaseToken(ctx, ofApp("wx1"), until, after(time.Hour)))
}

// TestLongPast: an item that has ended and that DynamoDB hasn't deleted yet.
func TestLongPast(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	old := message.Seen{Key: "k", Message: "s-1", FirstAt: start.AddDate(-1, 0, 0)}
	must(t, s.MarkSeen(ctx, "shop", old))
	must(t, s.MarkSeen(ctx, "shop", message.Seen{Key: "k", Message: "s-2", FirstAt: start}))
	seen, err := s.Seen(ctx, "shop", "k")
	must(t, err)
	if seen != old {
		t.Errorf("got %+v; want what was noted first", seen)
	}
	must(t, s.SaveToken(ctx, ofApp("wx1"), account.AccessToken{Value: "v", ExpiresAt: start.AddDate(-1, 0, 0)}))
	tok, err := s.Token(ctx, ofApp("wx1"))
	must(t, err)
	if tok.Good(start) {
		t.Error("a token that ended a year ago is good")
	}
}
