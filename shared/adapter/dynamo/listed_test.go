package dynamo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

// An index may lag behind the table. Here it never does, so what it would show for a moment is written into the item:
// index keys of before beside a body of now.

func TestAccountsBelieveTheTable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	for _, id := range []account.ID{"a", "b", "c"} {
		_, err := s.PutAccount(ctx, anAccount("t", id))
		must(t, err)
	}
	it, err := s.get(ctx, accountKey("b"), true)
	must(t, err)
	it[attrTenant] = text("u")
	_, _, err = s.put(ctx, it, condition{})
	must(t, err)
	accounts, next, err := s.Accounts(ctx, "t", "", 2)
	must(t, err)
	if len(accounts) != 1 || accounts[0].ID != "a" || next == "" {
		t.Errorf("got %d accounts, cursor %q; want a and a cursor", len(accounts), next)
	}
	accounts, next, err = s.Accounts(ctx, "t", next, 2)
	must(t, err)
	if len(accounts) != 1 || accounts[0].ID != "c" || next != "" {
		t.Errorf("second page: got %d accounts, cursor %q; want c and none", len(accounts), next)
	}
}

func TestDueMediaBelievesTheTable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	for id, ends := range map[string]time.Duration{"due": 1, "put off": 2, "for good": 3} {
		must(t, s.PutMedia(ctx, message.Media{ID: id, ExpiresAt: after(ends)}))
	}
	for id, ends := range map[string]time.Time{"put off": after(time.Hour), "for good": {}} {
		it, err := s.get(ctx, mediaKey(id), true)
		must(t, err)
		packed, err := pack(message.Media{ID: id, ExpiresAt: ends})
		must(t, err)
		it[attrBody] = binary(packed)
		_, _, err = s.put(ctx, it, condition{})
		must(t, err)
	}
	ids, err := s.DueMedia(ctx, after(time.Minute), 10)
	must(t, err)
	if !slices.Equal(ids, []string{"due"}) {
		t.Errorf("got %q; want due", ids)
	}
}

// TestDueMediaOfManyShards has more files than a page, of one time in part, with names that are too long for a key.
func TestDueMediaOfManyShards(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	var want []string
	for i := range 40 {
		id := fmt.Sprintf("%03d", i) + strings.Repeat("x", i*10)
		want = append(want, id)
		must(t, s.PutMedia(ctx, message.Media{ID: id, ExpiresAt: after(time.Duration(i))}))
	}
	for _, limit := range []int{1, 7, 39, 40, 41, 0} {
		ids, err := s.DueMedia(ctx, after(time.Minute), limit)
		must(t, err)
		n := limit
		if n == 0 {
			n = len(want)
		}
		if !slices.Equal(ids, want[:min(n, len(want))]) {
			t.Errorf("limit %d: got %d ids; want the first %d in order", limit, len(ids), n)
		}
	}
}

// TestKeptPushesOfOneInstant come in one order, page by page, whatever their keys.
func TestKeptPushesOfOneInstant(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	keys := []string{"", "/", "a/b", strings.Repeat("long", 500), "客户"}
	for _, k := range keys {
		must(t, s.KeepRaw(ctx, message.RawPush{Push: message.Push{Account: "shop", Key: k, ReceivedAt: start}}))
	}
	var got []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := s.RawPushes(ctx, "shop", cursor, 2)
		must(t, err)
		for _, r := range page {
			got = append(got, r.Push.Key)
		}
		cursor = next
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
		t.Errorf("got %d pushes %.20q; want %d", len(got), got, len(want))
	}
}
