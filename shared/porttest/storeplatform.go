package porttest

import (
	"bytes"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

var tokenClauses = []storeClause{
	{"SaveToken stores a token and ends the lease", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.LeaseToken(ctx, aCredential("wx1"), sec(0), sec(60)))
		tok := account.AccessToken{Value: "value <1>", ExpiresAt: sec(7200), ForcedAt: sec(1)}
		must(t, s.SaveToken(ctx, aCredential("wx1"), tok))
		wantEqual(t, "Token", got[account.AccessToken](t)(s.Token(ctx, aCredential("wx1"))), tok)
		must(t, s.LeaseToken(ctx, aCredential("wx1"), sec(1), sec(61)))
		tok.LeaseUntil = sec(61)
		wantEqual(t, "Token under a lease", got[account.AccessToken](t)(s.Token(ctx, aCredential("wx1"))), tok)
	}},
	{"LeaseToken is Conflict while another's lease runs", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.LeaseToken(ctx, aCredential("wx1"), sec(0), sec(60)))
		wantKind(t, "at once", s.LeaseToken(ctx, aCredential("wx1"), sec(0), sec(60)), fault.Conflict)
		wantKind(t, "just before its end", s.LeaseToken(ctx, aCredential("wx1"), sec(59), sec(119)), fault.Conflict)
		must(t, s.LeaseToken(ctx, aCredential("wx1"), sec(60), sec(120)))
		wantKind(t, "again", s.LeaseToken(ctx, aCredential("wx1"), sec(61), sec(121)), fault.Conflict)
		must(t, s.LeaseToken(ctx, aCredential("wx2"), sec(61), sec(121)))
	}},
	{"another secret of the same app id has a token and a lease of its own", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		thief := got[account.Credential](t)(account.NewCredential("wx1", "guessed"))
		must(t, s.SaveToken(ctx, aCredential("wx1"), account.AccessToken{Value: "value", ExpiresAt: sec(7200)}))
		must(t, s.LeaseToken(ctx, aCredential("wx1"), sec(0), sec(60)))
		_, err := s.Token(ctx, thief)
		wantKind(t, "Token", err, fault.NotFound)
		must(t, s.LeaseToken(ctx, thief, sec(0), sec(60)))
		must(t, s.SaveToken(ctx, thief, account.AccessToken{Value: "theirs", ExpiresAt: sec(7200)}))
		wantEqual(t, "Token", got[account.AccessToken](t)(s.Token(ctx, aCredential("wx1"))).Value.Reveal(), "value")
	}},
	{"of 50 that want a lease one gets it", func(t *testing.T, s storeCase) {
		errs := tried(50, func(int) error { return s.LeaseToken(t.Context(), aCredential("wx1"), sec(0), sec(60)) })
		if n := count(errs, func(err error) bool { return err == nil }); n != 1 {
			t.Errorf("got %d leases; want 1", n)
		}
	}},
	{"a lease alone is no token", func(t *testing.T, s storeCase) {
		must(t, s.LeaseToken(t.Context(), aCredential("wx1"), sec(0), sec(60)))
		_, err := s.Token(t.Context(), aCredential("wx1"))
		wantKind(t, "Token", err, fault.NotFound)
	}},
}

func aMedia(id string, expires time.Time) message.Media {
	return message.Media{
		ID: id, Account: "shop", Owner: account.Owner{Tenant: "t", Incarnation: "i"}, Type: "image", ContentType: "image/png", Name: "图 <1>.png", Size: 5, PlatformID: "p",
		PlatformUntil: sec(5), Kept: true, CreatedAt: sec(1), ExpiresAt: expires,
	}
}

func wantDueMedia(t *testing.T, s storeCase, before, limit int, want ...string) {
	t.Helper()
	s.soon(t, func() string {
		ids, err := s.DueMedia(t.Context(), sec(before), limit)
		if err != nil {
			return err.Error()
		}
		return diff(want, ids)
	})
}

// blobLimit is the most bytes of one file.
const blobLimit = 16 << 20

var mediaClauses = []storeClause{
	{"PutMedia stores and replaces", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutMedia(ctx, aMedia("m", sec(10))))
		wantEqual(t, "Media", got[message.Media](t)(s.Media(ctx, "m")), aMedia("m", sec(10)))
		next := message.Media{ID: "m", Account: "b", Type: "voice", ExpiresAt: sec(30)}
		must(t, s.PutMedia(ctx, next))
		wantEqual(t, "Media", got[message.Media](t)(s.Media(ctx, "m")), next)
	}},
	{"DueMedia lists by time and follows it", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for id, second := range map[string]int{"c": 30, "a": 10, "d": 40, "b": 20} {
			must(t, s.PutMedia(ctx, aMedia(id, sec(second))))
		}
		must(t, s.PutMedia(ctx, aMedia("never", time.Time{})))
		wantDueMedia(t, s, 10, 10)
		wantDueMedia(t, s, 11, 10, "a")
		wantDueMedia(t, s, 99, 10, "a", "b", "c", "d")
		wantDueMedia(t, s, 99, 3, "a", "b", "c")
		must(t, s.PutMedia(ctx, aMedia("a", sec(35))))
		must(t, s.PutMedia(ctx, aMedia("b", time.Time{})))
		must(t, s.DeleteMedia(ctx, "c"))
		wantDueMedia(t, s, 99, 10, "a", "d")
	}},
	{"DeleteMedia removes record and bytes, and what isn't there", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutMedia(ctx, aMedia("m", sec(10))))
		must(t, s.PutBlob(ctx, "m", []byte("bytes")))
		must(t, s.PutBlob(ctx, "only bytes", []byte("bytes")))
		for range 2 {
			for _, id := range []string{"m", "only bytes", "nothing"} {
				must(t, s.DeleteMedia(ctx, id))
				_, err := s.Media(ctx, id)
				wantKind(t, "Media", err, fault.NotFound)
				_, err = s.Blob(ctx, id)
				wantKind(t, "Blob", err, fault.NotFound)
			}
		}
	}},
	{"PutBlob replaces", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutBlob(ctx, "m", []byte("a long first text")))
		must(t, s.PutBlob(ctx, "m", []byte("second")))
		wantEqual(t, "Blob", string(got[[]byte](t)(s.Blob(ctx, "m"))), "second")
		must(t, s.PutBlob(ctx, "m", nil))
		wantEqual(t, "empty Blob", len(got[[]byte](t)(s.Blob(ctx, "m"))), 0)
	}},
	{"a reader sees a file whole while it is replaced", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		whole := map[byte][]byte{}
		for _, c := range []byte("abcd") {
			whole[c] = bytes.Repeat([]byte{c}, 200_000)
		}
		must(t, s.PutBlob(ctx, "m", whole['a']))
		done := make(chan error, 1)
		go func() {
			var err error
			for i := 0; i < 20 && err == nil; i++ {
				err = s.PutBlob(ctx, "m", whole["abcd"[i%4]])
			}
			done <- err
		}()
		for {
			b, err := s.Blob(ctx, "m")
			must(t, err)
			if len(b) != 200_000 || !bytes.Equal(b, whole[b[0]]) {
				t.Fatalf("got %d bytes of a mixture; want one version whole", len(b))
			}
			select {
			case err := <-done:
				must(t, err)
				return
			default:
			}
		}
	}},
	{"ids of files lead nowhere else", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		ids := []string{"m", "../m", "/m", "./m", "m/", "m/../m", "\x00", "..", "tmp", "图", "M"}
		for _, id := range ids {
			must(t, s.PutBlob(ctx, id, []byte("bytes of "+id)))
		}
		for _, id := range ids {
			wantEqual(t, "Blob", string(got[[]byte](t)(s.Blob(ctx, id))), "bytes of "+id)
		}
	}},
	{"a file of 16 MiB fits, one byte more is Invalid", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		b := pattern(blobLimit + 1)
		must(t, s.PutBlob(ctx, "m", b[:blobLimit]))
		wantKind(t, "one byte more", s.PutBlob(ctx, "m", b), fault.Invalid)
		if back := got[[]byte](t)(s.Blob(ctx, "m")); !bytes.Equal(back, b[:blobLimit]) {
			t.Errorf("got %d bytes; want the %d that were stored", len(back), blobLimit)
		}
	}},
}
