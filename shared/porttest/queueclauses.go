package porttest

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/queue"
)

var sendClauses = []queueClause{
	{name: "an empty queue gives nothing", check: func(t *testing.T, q queueCase) {
		q.wantNothing(t)
		q.wantDead(t)
		must(t, q.Ack(t.Context()))
		wantEqual(t, "Redrive", got[int](t)(q.Redrive(t.Context())), 0)
	}},
	{name: "a message arrives with all that belongs to it", check: func(t *testing.T, q queueCase) {
		body := []byte("\x00\xff<你好>")
		sent := q.clock.Now()
		must(t, q.Send(t.Context(), "group/1", 0, body))
		body[0] = 'X' // the queue has its own
		q.clock.pass(t, 0.1)
		d := q.want(t, "\x00\xff<你好>")[0]
		if d.ID == "" || d.Receipt == "" || d.Group != q.group("group/1") || d.Receives != 1 || d.SentAt.IsZero() {
			t.Errorf("got %+v; want id, receipt, group, 1 receive, time", d)
		}
		if !q.clock.real && !d.SentAt.Equal(sent) {
			t.Errorf("SentAt: got %s; want %s", d.SentAt, sent)
		}
	}},
	{name: "a body of the limit fits, one byte more is Invalid", check: func(t *testing.T, q queueCase) {
		b := pattern(queue.MaxBody + 1)
		must(t, q.Send(t.Context(), "g", 0, b[:queue.MaxBody]))
		wantKind(t, "one byte more", q.Send(t.Context(), "g", 0, b), fault.Invalid)
		list := q.take(t, 2)
		if len(list) != 1 || !bytes.Equal(list[0].Body, b[:queue.MaxBody]) {
			t.Errorf("got %d messages; want the one of the limit, whole", len(list))
		}
	}},
	{name: "a delay of 15 minutes is taken, more is Invalid", delays: true, check: func(t *testing.T, q queueCase) {
		must(t, q.Send(t.Context(), "", queue.MaxDelay, []byte("late")))
		wantKind(t, "a second more", q.Send(t.Context(), "", queue.MaxDelay+time.Second, []byte("x")), fault.Invalid)
		q.wantNothing(t)
	}},
	{name: "a cancelled Send sends nothing", check: func(t *testing.T, q queueCase) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantKind(t, "Send", q.Send(ctx, "g", 0, []byte("x")), fault.Unavailable)
		q.wantNothing(t)
	}},
	{name: "messages without a group are all ready at once", check: func(t *testing.T, q queueCase) {
		q.send(t, "", numbered("m", 1, 5)...)
		got := map[string]bool{}
		for range 5 {
			for _, d := range q.take(t, 1) {
				got[string(d.Body)] = true
			}
		}
		wantEqual(t, "different messages", len(got), 5)
		q.wantNothing(t)
	}},
	{name: "a delayed message comes after its delay", delays: true, check: func(t *testing.T, q queueCase) {
		for _, group := range []string{"", "g"} {
			must(t, q.Send(t.Context(), group, q.units(2), []byte("late"+group)))
			q.clock.pass(t, 1)
			q.wantNothing(t)
			q.clock.pass(t, 1.1)
			q.ack(t, q.want(t, "late"+group)...)
		}
	}},
	{name: "groups of every name are apart", groups: true, check: func(t *testing.T, q queueCase) {
		groups := []string{"g", "g1", "g/1", "g\x00", "g\x00\x01", "ö", "1", "\xff", strings.Repeat("g", 128)}
		for _, g := range groups {
			q.send(t, g, g+" first", g+" second")
		}
		seen := map[string]string{}
		for range groups {
			for _, d := range q.take(t, 1) {
				seen[d.Group] = string(d.Body)
			}
		}
		for _, g := range groups {
			wantEqual(t, "first of "+g, seen[g], g+" first")
		}
	}},
}

var orderClauses = []queueClause{
	{name: "a group comes in the order of its Sends", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", numbered("g", 1, 12)...)
		for _, want := range numbered("g", 1, 12) {
			q.ack(t, q.want(t, want)...)
		}
		q.wantNothing(t)
	}},
	{name: "while one of a group is worked on, no other of it is delivered", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "a", "a1", "a2")
		q.send(t, "b", "b1", "b2")
		first := q.take(t, 1)[0]
		second := q.take(t, 1)[0]
		if first.Group == second.Group {
			t.Fatalf("got %s and %s; want one of each group", first.Body, second.Body)
		}
		q.wantNothing(t)
		q.ack(t, first)
		q.want(t, first.Group+"2")
		q.wantNothing(t)
		q.ack(t, second)
		q.want(t, second.Group+"2")
	}},
	{name: "one Receive may return several of a group, in order", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", numbered("g", 1, 5)...)
		list, err := q.Receive(t.Context(), 3)
		must(t, err)
		wantEqual(t, "received", bodiesOf(list), numbered("g", 1, len(list)))
		q.wantNothing(t)
		q.ack(t, list[:len(list)-1]...)
		if len(list) > 1 {
			q.wantNothing(t) // the last is still being worked on
		}
		q.ack(t, list[len(list)-1])
		q.want(t, numbered("g", len(list)+1, 5)[0])
	}},
	{name: "a message sent to a locked group waits", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1")
		first := q.want(t, "g1")
		q.send(t, "g", "g2")
		q.wantNothing(t)
		q.ack(t, first...)
		q.want(t, "g2")
	}},
	{name: "a delayed message blocks nobody before", groups: true, delays: true, check: func(t *testing.T, q queueCase) {
		must(t, q.Send(t.Context(), "g", q.units(2), []byte("late")))
		q.send(t, "g", "g1", "g2")
		q.ack(t, q.want(t, "g1")...)
		q.ack(t, q.want(t, "g2")...)
		q.wantNothing(t)
		q.clock.pass(t, 2.1)
		q.want(t, "late")
	}},
	{name: "a delayed message joins its group when its delay is over", groups: true, delays: true, setClock: true, check: func(t *testing.T, q queueCase) {
		must(t, q.Send(t.Context(), "g", q.units(2), []byte("late")))
		q.send(t, "g", "before")
		q.clock.pass(t, 3)
		q.send(t, "g", "after") // sent when the delay was over, whether anybody had looked or not
		for _, want := range []string{"before", "late", "after"} {
			q.ack(t, q.want(t, want)...)
		}
	}},
	{name: "a clock that is set back keeps the order", groups: true, setClock: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1")
		q.clock.pass(t, -100)
		q.send(t, "g", "g2", "g3")
		for _, want := range numbered("g", 1, 3) {
			q.ack(t, q.want(t, want)...)
		}
	}},
}

var returnClauses = []queueClause{
	{name: "a message that nobody acks comes again when its visibility is over", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1", "g2")
		first := q.want(t, "g1")[0]
		q.clock.pass(t, visible-1)
		q.wantNothing(t)
		q.clock.pass(t, 1.1)
		again := q.want(t, "g1")[0]
		if again.ID != first.ID || again.Receives != 2 || again.Receipt == first.Receipt || again.Group != "g" {
			t.Errorf("got %+v after %+v; want the same id, another receipt, 2 receives", again, first)
		}
		q.ack(t, again)
		q.want(t, "g2")
	}},
	{name: "a message without a group comes again when its visibility is over", check: func(t *testing.T, q queueCase) {
		q.send(t, "", "m")
		first := q.want(t, "m")[0]
		q.clock.pass(t, visible-1)
		q.wantNothing(t)
		q.clock.pass(t, 1.1)
		again := q.want(t, "m")[0]
		if again.ID != first.ID || again.Receives != 2 || again.Receipt == first.Receipt || again.Group != "" {
			t.Errorf("got %+v after %+v; want the same id, another receipt, 2 receives", again, first)
		}
		q.ack(t, again)
		q.wantNothing(t)
	}},
	{name: "Retry gives a message without a group back after the delay", check: func(t *testing.T, q queueCase) {
		q.send(t, "", "m", "n")
		list := q.take(t, 2)
		wantEqual(t, "received", len(list), 2)
		q.retry(t, list[0], 2)
		q.retry(t, list[1], 0)
		q.ack(t, q.want(t, string(list[1].Body))...) // it doesn't wait for the other
		q.wantNothing(t)
		q.clock.pass(t, 2.1)
		wantEqual(t, "receives", q.want(t, string(list[0].Body))[0].Receives, 2)
	}},
	{name: "an acked message never comes again", check: func(t *testing.T, q queueCase) {
		q.send(t, "", "m")
		q.ack(t, q.want(t, "m")...)
		q.clock.pass(t, visible+0.1)
		q.wantNothing(t)
	}},
	{name: "an Ack after the visibility holds if nobody has the message yet", setClock: true, check: func(t *testing.T, q queueCase) {
		for _, group := range []string{"", "g"} {
			q.send(t, group, "m", "n")
			m := q.take(t, 1)
			q.clock.pass(t, visible+0.1)
			q.ack(t, m...)
			n := q.take(t, 2)
			wantEqual(t, "what is left", bodiesOf(n), []string{"n"})
			q.ack(t, n...)
		}
	}},
	{name: "a stale receipt changes nothing", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1", "g2")
		stale := q.want(t, "g1")[0]
		q.clock.pass(t, visible+0.1)
		fresh := q.want(t, "g1")[0]
		q.ack(t, stale)
		q.retry(t, stale, 0)
		q.wantNothing(t) // neither freed the group
		q.retry(t, fresh, 0)
		q.ack(t, q.want(t, "g1")...)
		q.ack(t, fresh, stale)
		q.ack(t, q.want(t, "g2")...)
		q.clock.pass(t, visible+0.1)
		q.wantNothing(t)
	}},
	{name: "what is no receipt is Invalid", check: func(t *testing.T, q queueCase) {
		wantKind(t, "Ack", q.Ack(t.Context(), "no receipt"), fault.Invalid)
		wantKind(t, "Retry", q.Retry(t.Context(), "no receipt", 0), fault.Invalid)
	}},
	{name: "Retry takes 12 hours, more is Invalid", check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "m")
		d := q.want(t, "m")[0]
		wantKind(t, "a second more", q.Retry(t.Context(), d.Receipt, 12*time.Hour+time.Second), fault.Invalid)
		must(t, q.Retry(t.Context(), d.Receipt, 12*time.Hour-time.Minute)) // the time since the delivery counts in some engines
		q.wantNothing(t)
	}},
	{name: "several receipts are acked at once", check: func(t *testing.T, q queueCase) {
		q.send(t, "", numbered("m", 1, 10)...)
		q.ack(t, q.take(t, 10)...)
		q.clock.pass(t, visible+0.1)
		q.wantNothing(t)
	}},
	{name: "Retry gives a message back after the delay, and its group waits", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1", "g2")
		q.retry(t, q.want(t, "g1")[0], 1)
		q.wantNothing(t)
		q.clock.pass(t, 1.1)
		again := q.want(t, "g1")[0]
		wantEqual(t, "receives", again.Receives, 2)
		q.retry(t, again, 0)
		again = q.want(t, "g1")[0]
		wantEqual(t, "receives", again.Receives, 3)
		q.ack(t, again)
		q.want(t, "g2")
	}},
	{name: "Retry beyond the visibility lasts as long as it says", check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1")
		q.retry(t, q.want(t, "g1")[0], visible+2)
		q.clock.pass(t, visible+1)
		q.wantNothing(t)
		q.clock.pass(t, 1.1)
		q.want(t, "g1")
	}},
	{name: "several of a group that are given back come in their old order", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", numbered("g", 1, 4)...)
		list, err := q.Receive(t.Context(), 3)
		must(t, err)
		for i := len(list) - 1; i >= 0; i-- { // the last first
			q.retry(t, list[i], 0)
		}
		for _, want := range numbered("g", 1, 4) {
			q.ack(t, q.want(t, want)...)
		}
	}},
	{name: "a redelivered message keeps its place before later ones", groups: true, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1")
		q.want(t, "g1")
		q.send(t, "g", "g2")
		q.clock.pass(t, visible+0.1)
		q.ack(t, q.want(t, "g1")...)
		q.ack(t, q.want(t, "g2")...)
	}},
	{name: "a delivery is the receiver's own", check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "body")
		d := q.want(t, "body")[0]
		d.Body[0] = 'X'
		q.retry(t, d, 0)
		q.want(t, "body")
	}},
}
