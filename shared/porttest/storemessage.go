package porttest

import (
	"bytes"
	"context"
	"testing"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

func rowsOf(s storeCase, id session.ID) lister[message.Message] {
	return func(ctx context.Context, cursor string, limit int) ([]message.Message, string, error) {
		return s.Messages(ctx, id, cursor, limit)
	}
}

func newestOf(s storeCase, id session.ID) lister[message.Message] {
	return func(ctx context.Context, cursor string, limit int) ([]message.Message, string, error) {
		return s.NewestMessages(ctx, id, cursor, limit)
	}
}

func rowID(m message.Message) string { return string(m.ID) }

var messageClauses = []storeClause{
	{"PutMessage of an id that exists is Conflict and changes nothing", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutMessage(ctx, aMessage("s", 1)))
		wantEqual(t, "Message", got[message.Message](t)(s.Message(ctx, "s-1")), aMessage("s", 1))
		other := aMessage("s", 1)
		other.By, other.State = "wu", message.Sent
		wantKind(t, "PutMessage again", s.PutMessage(ctx, other), fault.Conflict)
		wantEqual(t, "Message", got[message.Message](t)(s.Message(ctx, "s-1")), aMessage("s", 1))
	}},
	{"PutMessage wants the id that session and number make", func(t *testing.T, s storeCase) {
		m := aMessage("s", 1)
		m.ID = "s-2"
		wantKind(t, "another number", s.PutMessage(t.Context(), m), fault.Invalid)
	}},
	{"one of 20 that put one row wins", func(t *testing.T, s storeCase) {
		errs := tried(20, func(int) error { return s.PutMessage(t.Context(), aMessage("s", 1)) })
		if n := count(errs, func(err error) bool { return err == nil }); n != 1 {
			t.Errorf("got %d winners; want 1", n)
		}
	}},
	{"Messages lists a session's rows by number", func(t *testing.T, s storeCase) {
		for _, n := range []int64{10, 9, 100, 1, 1_000_000, 2} {
			must(t, s.PutMessage(t.Context(), aMessage("s", n)))
		}
		must(t, s.PutMessage(t.Context(), aMessage("s1", 3)))
		must(t, s.PutMessage(t.Context(), aMessage("r", 4)))
		wantList(t, s, "Messages", rowsOf(s, "s"), rowID, "s-1", "s-2", "s-9", "s-10", "s-100", "s-1000000")
		wantList(t, s, "Messages of s1", rowsOf(s, "s1"), rowID, "s1-3")
	}},
	{"NewestMessages lists them the other way round", func(t *testing.T, s storeCase) {
		for _, n := range []int64{10, 9, 100, 1, 1_000_000, 2} {
			must(t, s.PutMessage(t.Context(), aMessage("s", n)))
		}
		for _, id := range []session.ID{"r", "s1", "t", "r9", "~"} { // neighbors, however an engine orders them
			must(t, s.PutMessage(t.Context(), aMessage(id, 3)))
		}
		wantList(t, s, "NewestMessages", newestOf(s, "s"), rowID, "s-1000000", "s-100", "s-10", "s-9", "s-2", "s-1")
		wantList(t, s, "NewestMessages of s1", newestOf(s, "s1"), rowID, "s1-3")
		wantList(t, s, "NewestMessages of none", newestOf(s, "q"), rowID)
	}},
	{"new rows between pages of NewestMessages repeat and hide nothing", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for _, n := range []int64{2, 4, 6, 8} {
			must(t, s.PutMessage(ctx, aMessage("s", n)))
		}
		var next string
		s.soon(t, func() string {
			page, cursor, err := s.NewestMessages(ctx, "s", "", 2)
			if err != nil || len(page) != 2 || cursor == "" {
				return "first page: want 2 rows and a cursor"
			}
			next = cursor
			return ""
		})
		for _, n := range []int64{3, 7, 9} {
			must(t, s.PutMessage(ctx, aMessage("s", n)))
		}
		rest := func(ctx context.Context, cursor string, limit int) ([]message.Message, string, error) {
			if cursor == "" {
				cursor = next
			}
			return s.NewestMessages(ctx, "s", cursor, limit)
		}
		wantList(t, s, "the rest", rest, rowID, "s-4", "s-3", "s-2")
	}},
	{"a cursor of messages belongs to its session and order", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for n := range int64(3) {
			must(t, s.PutMessage(ctx, aMessage("s", n+1)))
			must(t, s.PutMessage(ctx, aMessage("r", n+1)))
		}
		lists := map[string]lister[message.Message]{
			"oldest of s": rowsOf(s, "s"), "newest of s": newestOf(s, "s"), "oldest of r": rowsOf(s, "r"), "newest of r": newestOf(s, "r"),
		}
		for from, l := range lists {
			var cursor string
			s.soon(t, func() string {
				var err error
				if _, cursor, err = l(ctx, "", 1); err != nil || cursor == "" {
					return "first page of " + from + ": want a cursor"
				}
				return ""
			})
			for to, other := range lists {
				if _, _, err := other(ctx, cursor, 1); to != from {
					wantCode(t, to+" from a cursor of "+from, err, fault.Invalid, "bad-cursor")
				}
			}
		}
	}},
	{"a row between pages shows in its place", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for _, n := range []int64{2, 4, 6} {
			must(t, s.PutMessage(ctx, aMessage("s", n)))
		}
		var next string
		s.soon(t, func() string {
			page, cursor, err := s.Messages(ctx, "s", "", 2)
			if err != nil || len(page) != 2 || cursor == "" {
				return "first page: want 2 rows and a cursor"
			}
			next = cursor
			return ""
		})
		for _, n := range []int64{3, 5, 7} {
			must(t, s.PutMessage(ctx, aMessage("s", n)))
		}
		rest := func(ctx context.Context, cursor string, limit int) ([]message.Message, string, error) {
			if cursor == "" {
				cursor = next
			}
			return s.Messages(ctx, "s", cursor, limit)
		}
		wantList(t, s, "the rest", rest, rowID, "s-5", "s-6", "s-7")
	}},
	{"SettleMessage writes once", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutMessage(ctx, aMessage("s", 1)))
		end := message.Settlement{
			Message: "s-1", State: message.Sent, Reason: "r", Code: 7, At: sec(40), PartsSent: 3, With: "s-9", Approved: "sue",
			Cause: &message.Cause{Action: "message", At: sec(30), Message: "s-8"},
		}
		if wrote := got[bool](t)(s.SettleMessage(ctx, end)); !wrote {
			t.Error("got wrote false; want true")
		}
		want, _ := aMessage("s", 1).Settle(end)
		wantEqual(t, "Message", got[message.Message](t)(s.Message(ctx, "s-1")), want)
		end.State = message.Failed
		if wrote := got[bool](t)(s.SettleMessage(ctx, end)); wrote {
			t.Error("again: got wrote true; want false")
		}
		wantEqual(t, "Message", got[message.Message](t)(s.Message(ctx, "s-1")), want)
		wantList(t, s, "Messages", rowsOf(s, "s"), func(m message.Message) string { return string(m.State) }, "sent")
	}},
	{"of 20 that settle one row one writes", func(t *testing.T, s storeCase) {
		must(t, s.PutMessage(t.Context(), aMessage("s", 1)))
		states := []message.State{message.Sent, message.Failed, message.Expired, message.Cancelled, message.Unknown}
		wrote := tried(20, func(i int) message.State {
			st := states[i%len(states)]
			if ok, err := s.SettleMessage(t.Context(), message.Settlement{Message: "s-1", State: st}); err != nil || !ok {
				return ""
			}
			return st
		})
		var winner message.State
		for _, st := range wrote {
			if st != "" {
				winner = st
			}
		}
		if n := count(wrote, func(st message.State) bool { return st != "" }); n != 1 {
			t.Fatalf("got %d that wrote; want 1", n)
		}
		wantEqual(t, "state", got[message.Message](t)(s.Message(t.Context(), "s-1")).State, winner)
	}},
	{"a row of 200 KiB comes back whole", func(t *testing.T, s storeCase) {
		m := aMessage("s", 1)
		m.Raw = pattern(200 << 10)
		must(t, s.PutMessage(t.Context(), m))
		back := got[message.Message](t)(s.Message(t.Context(), "s-1"))
		if !bytes.Equal(back.Raw, m.Raw) {
			t.Fatalf("got %d bytes; want the %d that were stored", len(back.Raw), len(m.Raw))
		}
		back.Raw, m.Raw = nil, nil
		wantEqual(t, "the rest of it", back, m)
	}},
}

// pattern makes bytes in which a lost or doubled piece shows.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}
