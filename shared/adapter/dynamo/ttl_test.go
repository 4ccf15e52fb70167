package dynamo

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/fault"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
)

// expire does what DynamoDB does to an item whose time is over, days later.
func expire(t *testing.T, s *Store, k key) {
	t.Helper()
	if err := s.remove(t.Context(), k, condition{}); err != nil {
		t.Fatal(err)
	}
}

func TestAnItemPastItsTimeIsAsGoodAsAny(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(_ *aws.Config, o *Options) { o.Now = func() time.Time { return start.AddDate(-5, 0, 0) } })
	v := aSession("o", "s1", session.Queued)
	v.OpenedAt, v.QueuedAt, v.DueAt = start.AddDate(-5, 0, 0), start.AddDate(-5, 0, 0), start.AddDate(-5, 0, 1)
	must(t, s.SaveSession(t.Context(), v, 0))
	v.Version = 1
	in, err := s.get(t.Context(), conversationKey(v.Ref()), true)
	must(t, err)
	if got, want := readNumber(in[attrTTL]), v.OpenedAt.Add(silence+week).Unix(); got != want {
		t.Errorf("got ttl %d; want %d", got, want)
	}
	got, err := s.Session(t.Context(), "shop", "o")
	must(t, err)
	wantSame(t, "session", got, v)
	wantSame(t, "queue", ids(t, s, session.Query{State: session.Queued}), []string{"s1 queued"})
	must(t, s.SaveSession(t.Context(), v, 1))
	wantKind(t, "a stale save", s.SaveSession(t.Context(), v, 1), fault.Conflict, "stale-session")
}

func TestAConversationOutlivesAllThatItRemembers(t *testing.T) {
	t.Parallel()
	later := noon.Add(100 * time.Hour)
	for what, c := range map[string]struct {
		session session.Session
		want    time.Time
	}{
		"nothing":                {session.Session{}, noon},
		"opened":                 {session.Session{OpenedAt: noon.Add(-time.Hour)}, noon.Add(47 * time.Hour)},
		"opened, long ago":       {session.Session{OpenedAt: noon.Add(-100 * time.Hour)}, noon},
		"the customer's word":    {session.Session{LastCustomerAt: noon}, noon.Add(48 * time.Hour)},
		"due":                    {session.Session{DueAt: later}, later},
		"ended, by a fast clock": {session.Session{EndedAt: later}, later},
		"a grant":                {session.Session{Window: quota.Window{Live: []quota.Live{{Until: noon}, {Until: later}}}}, later},
		"a hold":                 {session.Session{Outbox: []session.Waiting{{ExpiresAt: later}, {ExpiresAt: noon}}}, later},
	} {
		if got := end(c.session, noon); !got.Equal(c.want) {
			t.Errorf("%s: got %v; want %v", what, got, c.want)
		}
	}
}

func TestAConversationMayGoBetweenReadAndSave(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	for _, moved := range []session.State{session.Bot, session.Closed} {
		must(t, s.SaveSession(ctx, aSession("o", "s1", session.Bot), 0))
		v, err := s.Session(ctx, "shop", "o")
		must(t, err)
		expire(t, s, conversationKey(v.Ref()))
		v.State = moved
		wantKind(t, "SaveSession, "+string(moved), s.SaveSession(ctx, v, v.Version), fault.Conflict, "stale-session")
		_, err = s.Session(ctx, "shop", "o")
		wantKind(t, "Session", err, fault.NotFound, "")
	}
	must(t, s.SaveSession(ctx, aSession("o", "s2", session.Bot), 0))
	wantSame(t, "all sessions", ids(t, s, session.Query{}), []string{"s2 bot", "s1 expired"})
}

// TestHistoryOutlivesTheConversation deletes conversations and wants their last sessions shown as they ended.
func TestHistoryOutlivesTheConversation(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	v := aSession("o", "s1", session.Bot)
	must(t, s.SaveSession(ctx, v, 0))
	v.State, v.Agent, v.EndedBy, v.EndedAt, v.Seq = session.Closed, "li", "li", after(time.Hour), 12
	must(t, s.SaveSession(ctx, v, 1))
	lost := aSession("p", "s2", session.Queued) // the sweep never came
	must(t, s.SaveSession(ctx, lost, 0))
	expire(t, s, conversationKey(v.Ref()))
	expire(t, s, conversationKey(lost.Ref()))

	got, err := s.SessionByID(ctx, "s1")
	must(t, err)
	v.Version = 2
	wantSame(t, "SessionByID", got, v)
	if got, err = s.SessionByID(ctx, "s2"); err != nil || got.State != session.Expired {
		t.Errorf("SessionByID of one that never ended: got state %q, error %v; want expired", got.State, err)
	}
	wantSame(t, "all", ids(t, s, session.Query{}), []string{"s2 expired", "s1 closed"})
	wantSame(t, "closed, of li", ids(t, s, session.Query{Agent: "li", State: session.Closed}), []string{"s1 closed"})
	wantSame(t, "queue", ids(t, s, session.Query{State: session.Queued}), nil)

	next := aSession("o", "s2", session.Bot)
	next.ID = "s3"
	must(t, s.SaveSession(ctx, next, 0)) // the customer comes again
	wantSame(t, "of the customer", ids(t, s, session.Query{Customer: "o"}), []string{"s3 bot", "s1 closed"})
}
