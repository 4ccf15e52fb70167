package dynamo

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// The id of a deleted account is anybody's when the last of its conversations has gone; within a minute of the deletion
// the lists may not tell yet.
func TestAReservationEndsWithItsData(t *testing.T) {
	t.Parallel()
	now := start
	s, ctx := newStore(t, func(_ *aws.Config, o *Options) { o.Now = func() time.Time { return now } }), t.Context()
	_, err := s.PutAccount(ctx, anAccount("t", "shop"))
	must(t, err)
	must(t, s.SaveSession(ctx, session.Session{ID: "s1", Tenant: "t", Account: "shop", Customer: "mei", State: session.Closed, OpenedAt: start}, 0))
	must(t, s.DeleteAccount(ctx, "shop"))
	other := anAccount("u", "shop")
	other.AppID = "wx2"
	wantTaken := func(when string) {
		t.Helper()
		if _, err := s.PutAccount(ctx, other); !errors.Is(err, account.ErrTaken) {
			t.Errorf("%s: got %v; want %v", when, err, account.ErrTaken)
		}
	}
	wantTaken("at once")
	now = start.Add(time.Hour)
	wantTaken("an hour later")
	for _, k := range []key{conversationKey(session.Ref{Account: "shop", Customer: "mei"}), sessionKey("s1")} {
		must(t, s.remove(ctx, k, condition{}))
	}
	now = start.Add(30 * time.Second)
	wantTaken("with nothing left, at once")
	now = start.Add(time.Hour)
	if created, err := s.PutAccount(ctx, other); err != nil || !created {
		t.Errorf("with nothing left: got %t, %v; want it made", created, err)
	}
}
