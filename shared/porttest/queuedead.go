package porttest

import "testing"

// die delivers the head of a queue with two receives until it is a dead letter.
func (q queueCase) die(t testing.TB, body string) {
	t.Helper()
	q.retry(t, q.want(t, body)[0], 0)
	q.retry(t, q.want(t, body)[0], 0)
}

var deadClauses = []queueClause{
	{name: "after maxReceives deliveries a message is a dead letter, and its group goes on", groups: true, receives: 2, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1", "g2")
		d := q.want(t, "g1")[0]
		q.retry(t, d, 0)
		q.want(t, "g1")
		q.wantDead(t)
		q.clock.pass(t, visible+0.1)
		q.ack(t, q.want(t, "g2")...)
		q.wantNothing(t)
		dead := q.wantDead(t, "g1")[0]
		if dead.ID == "" || dead.Group != "g" || dead.Receives != 2 || dead.SentAt.IsZero() || dead.DiedAt.Before(dead.SentAt) {
			t.Errorf("got %+v; want id, group, 2 receives and its times", dead)
		}
	}},
	{name: "the last delivery can still be acked", groups: true, receives: 2, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1", "g2")
		q.retry(t, q.want(t, "g1")[0], 0)
		q.ack(t, q.want(t, "g1")...)
		q.want(t, "g2")
		q.wantDead(t)
	}},
	{name: "a message without a group dies alone", receives: 2, check: func(t *testing.T, q queueCase) {
		q.send(t, "", "m")
		q.die(t, "m")
		q.send(t, "", "n")
		q.ack(t, q.want(t, "n")...)
		dead := q.wantDead(t, "m")[0]
		if dead.ID == "" || dead.Group != "" || dead.Receives != 2 || dead.SentAt.IsZero() || dead.DiedAt.Before(dead.SentAt) {
			t.Errorf("got %+v; want id, no group, 2 receives and its times", dead)
		}
		wantEqual(t, "redriven", got[int](t)(q.Redrive(t.Context())), 1)
		wantEqual(t, "receives", q.want(t, "m")[0].Receives, 1)
		q.wantDead(t)
	}},
	{name: "Dead lists letters that it has listed before", receives: 2, check: func(t *testing.T, q queueCase) {
		q.send(t, "", "m")
		q.die(t, "m")
		q.wantNothing(t)
		first := q.wantDead(t, "m")
		if d := diff(first, q.wantDead(t, "m")); d != "" {
			t.Errorf("the second list: %s", d)
		}
	}},
	{name: "Dead lists the oldest first", receives: 2, check: func(t *testing.T, q queueCase) {
		for _, b := range []string{"m1", "m2", "m3"} {
			q.send(t, "", b)
			q.die(t, b)
			q.wantNothing(t)
			q.clock.pass(t, 0.2)
		}
		q.wantDead(t, "m1", "m2", "m3")
		list, err := q.Dead(t.Context(), 2)
		must(t, err)
		if len(list) != 2 || string(list[0].Body) != "m1" || string(list[1].Body) != "m2" {
			t.Errorf("Dead with limit 2: got %d letters; want m1 and m2", len(list))
		}
	}},
	{name: "Redrive sends named dead letters as new messages", receives: 2, check: func(t *testing.T, q queueCase) {
		for _, b := range []string{"m1", "m2", "m3"} {
			q.send(t, "g", b)
			q.die(t, b)
			q.wantNothing(t)
		}
		dead := q.wantDead(t, "m1", "m2", "m3")
		n := got[int](t)(q.Redrive(t.Context(), dead[1].ID, "no such id", dead[1].ID))
		wantEqual(t, "redriven", n, 1)
		d := q.want(t, "m2")[0]
		if d.Receives != 1 || d.Group != q.group("g") {
			t.Errorf("got %+v; want 1 receive in group %q", d, q.group("g"))
		}
		q.ack(t, d)
		q.wantDead(t, "m1", "m3")
	}},
	{name: "Redrive without ids sends all, behind what is there", groups: true, receives: 2, check: func(t *testing.T, q queueCase) {
		for _, b := range numbered("m", 1, 40) {
			q.send(t, "g", b)
			q.die(t, b)
			q.wantNothing(t)
		}
		q.send(t, "g", "there")
		wantEqual(t, "redriven", got[int](t)(q.Redrive(t.Context())), 40)
		q.wantDead(t)
		for _, want := range append([]string{"there"}, numbered("m", 1, 40)...) {
			q.ack(t, q.want(t, want)...)
		}
		wantEqual(t, "redriven of none", got[int](t)(q.Redrive(t.Context())), 0)
	}},
	{name: "Redrive leaves messages that live alone", groups: true, receives: 2, check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "g1", "g2")
		live := q.want(t, "g1")[0]
		wantEqual(t, "redriven", got[int](t)(q.Redrive(t.Context(), live.ID)), 0)
		q.wantNothing(t)
		q.ack(t, live)
		q.ack(t, q.want(t, "g2")...)
		q.wantNothing(t)
	}},
	{name: "without maxReceives a message comes for ever", check: func(t *testing.T, q queueCase) {
		q.send(t, "g", "m")
		for i := range 30 {
			d := q.want(t, "m")[0]
			wantEqual(t, "receives", d.Receives, i+1)
			q.retry(t, d, 0)
		}
	}},
}
