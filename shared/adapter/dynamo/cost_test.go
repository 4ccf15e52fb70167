package dynamo

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// costing is a store whose use is counted.
type costing struct {
	*Store
	tally
}

func newCosting(t *testing.T) *costing {
	t.Helper()
	c := &costing{}
	c.Store = newStore(t, func(_ *aws.Config, o *Options) { o.Meter = c.add })
	return c
}

// cost is what a call used, by DynamoDB's own account.
func (c *costing) cost(t *testing.T, what string, call func() error) Usage {
	t.Helper()
	c.used = Usage{}
	must(t, call())
	t.Logf("%s: %v units written, %v of them in indexes; %v read", what, c.used.Write, c.used.Index, c.used.Read)
	return c.used
}

func (c *costing) wantCost(t *testing.T, what string, want Usage, call func() error) {
	t.Helper()
	if got := c.cost(t, what, call); got != want {
		t.Errorf("%s: got %+v; want %+v", what, got, want)
	}
}

// TestAMessageCosts holds the budget of what happens with each message: one unit a write, none of it in an index. The
// conversations are in full swing, and the texts don't compress.
func TestAMessageCosts(t *testing.T) {
	t.Parallel()
	s, ctx, g := newCosting(t), t.Context(), newTypical(1)
	calm, busy := g.session(), g.sending()
	busy.ID, busy.Customer, busy.DueAt, busy.OpenedAt, busy.QueuedAt = calm.ID, calm.Customer, calm.DueAt, calm.OpenedAt, calm.QueuedAt
	must(t, s.SaveSession(ctx, calm, 0))
	s.wantCost(t, "GlanceSession", Usage{Read: 0.5}, func() error { _, err := s.GlanceSession(ctx, calm.Account, calm.Customer); return err })
	s.wantCost(t, "Session", Usage{Read: 1}, func() error { _, err := s.Session(ctx, calm.Account, calm.Customer); return err })
	calm.Seq++
	s.wantCost(t, "SaveSession", Usage{Write: 1}, func() error { return s.SaveSession(ctx, calm, 1) })
	s.wantCost(t, "SaveSession with a call under way", Usage{Write: 1}, func() error { return s.SaveSession(ctx, busy, 2) })
	for _, m := range []struct {
		what  string
		row   message.Message
		write float64
	}{
		{"PutMessage, inbound, 30 bytes", g.inbound(g.chinese(30)), 1},
		{"PutMessage, inbound, 300 bytes and the push", g.inbound(g.chinese(300)), 1},
		{"PutMessage, inbound, 2,048 bytes and the push", g.inbound(g.chinese(2048)), 2},
		{"PutMessage, outbound, 300 bytes", g.outbound(g.chinese(300)), 1},
		{"PutMessage, outbound, 2,048 bytes", g.outbound(g.chinese(2048)), 2},
	} {
		s.wantCost(t, m.what, Usage{Write: m.write}, func() error { return s.PutMessage(ctx, m.row) })
	}
	out := g.outbound(g.chinese(300))
	must(t, s.PutMessage(ctx, out))
	end := message.Settlement{Message: out.ID, State: message.Failed, Reason: "window-closed", Code: 45015, At: g.at(5000)}
	s.wantCost(t, "SettleMessage", Usage{Write: 1}, func() error { _, err := s.SettleMessage(ctx, end); return err })
}

// localTransaction is how often DynamoDB Local counts each unit of a transaction; DynamoDB itself counts it twice.
const localTransaction = 4

// TestAChangeOfStateCosts holds what the turns of a session cost, with their indexes: each happens once in its life.
func TestAChangeOfStateCosts(t *testing.T) {
	t.Parallel()
	s, ctx, g := newCosting(t), t.Context(), newTypical(2)
	v := g.session()
	must(t, s.nameAccount(ctx, v.Tenant, v.Account))
	save := func(what string, entries float64, st session.State) {
		t.Helper()
		v.State = st
		want := Usage{Write: localTransaction * (2 + entries), Index: localTransaction * entries}
		s.wantCost(t, what, want, func() error { return s.SaveSession(ctx, v, v.Version) })
		v.Version++
	}
	v.Version, v.Agent = 0, ""
	save("opens: state, customer, due time", 3, session.Bot)
	save("queues: from state to state, queue", 3, session.Queued)
	v.Agent = "zhang-wei"
	save("is accepted: from state to state, queue, agent", 4, session.Serving)
	save("is closed: from state to state, of the agent, too", 4, session.Closed)
	old := v
	s.wantCost(t, "ArchiveSession", Usage{Write: 1}, func() error { return s.ArchiveSession(ctx, history(old)) })
	v.ID, v.State, v.Agent = g.sessionID(), session.Bot, ""
	if used := s.cost(t, "is replaced", func() error { return s.SaveSession(ctx, v, v.Version) }); used.Write > 5*localTransaction || used.Read > 1 {
		t.Errorf("is replaced: got %+v; want 3 items and 2 entries, 1 read", used)
	}
	s.wantCost(t, "SessionByID, current", Usage{Read: 2}, func() error { _, err := s.SessionByID(ctx, v.ID); return err })
	s.wantCost(t, "SessionByID, archived", Usage{Read: 1}, func() error { _, err := s.SessionByID(ctx, old.ID); return err })
}

// TestListsCost holds that a page costs what it shows, whatever else the table has.
func TestListsCost(t *testing.T) {
	t.Parallel()
	s, ctx, g := newCosting(t), t.Context(), newTypical(3)
	for i := range 60 {
		v := g.session()
		v.State, v.Agent = states[i%len(states)], ""
		must(t, s.SaveSession(ctx, v, 0))
	}
	list := func(what string, most float64, q session.Query) {
		t.Helper()
		q.Tenant, q.Limit = "default", 5
		used := s.cost(t, what, func() error { _, _, err := s.Sessions(ctx, q); return err })
		if used.Read > most {
			t.Errorf("%s: got %v read; want at most %v", what, used.Read, most)
		}
	}
	list("a page of 5, one state", 0.5+5*0.5, session.Query{Account: "main-store", State: session.Serving})
	list("a page of 5 of the queue", 0.5+0.5+5*0.5, session.Query{State: session.Queued})
	list("a page of 5, all states", 0.5+float64(len(states))*0.5+5*0.5, session.Query{})
	for i := range int64(60) {
		m := g.inbound(g.chinese(300))
		m.Session, m.N = "s", i+1
		m.ID = message.NewID(m.Session, m.N)
		must(t, s.PutMessage(ctx, m))
	}
	for what, page := range map[string]func(context.Context, session.ID, string, int) ([]message.Message, string, error){
		"oldest": s.Messages, "newest": s.NewestMessages,
	} {
		used := s.cost(t, "a page of 5 messages, "+what+" first", func() error { _, _, err := page(ctx, "s", "", 5); return err })
		if used.Read > 2 {
			t.Errorf("a page of 5 messages of 60, %s first: got %v read; want at most 2", what, used.Read)
		}
	}
	q := g.session()
	q.State, q.QueuedAt = session.Queued, g.at(1000)
	used := s.cost(t, "QueuePosition", func() error { _, err := s.QueuePosition(ctx, q); return err })
	if used.Read > 0.5 {
		t.Errorf("QueuePosition: got %v read; want 0.5", used.Read)
	}
	used = s.cost(t, "Due", func() error { _, _, err := s.Due(ctx, g.at(1_000_000), "", 10); return err })
	if used.Read > dueShards*0.5 {
		t.Errorf("Due: got %v read; want at most %v", used.Read, dueShards*0.5)
	}
}
