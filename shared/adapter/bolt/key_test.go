package bolt

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anyTime(t *rapid.T, name string) time.Time {
	return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, name), rapid.Int64Range(0, 999_999_999).Draw(t, name+" ns")).UTC()
}

// Keys sort as their times do, and times come back.
func TestTimesSortInKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyTime(t, "a"), anyTime(t, "b")
		if got, want := bytes.Compare(newKey().time(a), newKey().time(b)), a.Compare(b); got != want {
			t.Errorf("%s and %s: keys compare %d; want %d", a, b, got, want)
		}
		if got, want := bytes.Compare(newKey().newest(a), newKey().newest(b)), b.Compare(a); got != want {
			t.Errorf("%s and %s, newest first: keys compare %d; want %d", a, b, got, want)
		}
		if got, ok := readTime(newKey().time(a)); !ok || !got.Equal(a) || got.IsZero() != a.IsZero() {
			t.Errorf("got %s back; want %s", got, a)
		}
	})
	if got, ok := readTime(newKey().time(time.Time{})); !ok || got != (time.Time{}) {
		t.Errorf("got %s back; want the zero time", got)
	}
}

// No two lists of texts make the same key, and no text reaches into the range of another.
func TestTextsStayApartInKeys(t *testing.T) {
	t.Parallel()
	texts := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 2, 'a', '/'}), 0, 4, -1), 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		ka, kb := newKey(), newKey()
		for _, s := range a {
			ka = ka.text(s)
		}
		for _, s := range b {
			kb = kb.text(s)
		}
		begins := len(a) <= len(b)
		for i := 0; begins && i < len(a); i++ {
			begins = a[i] == b[i]
		}
		if got := bytes.HasPrefix(kb, ka); got != begins {
			t.Errorf("%q begins with %q: got %v; want %v", b, a, got, begins)
		}
		rest := []byte(ka)
		for _, want := range a {
			s, more, ok := readText(rest)
			if !ok || s != want {
				t.Fatalf("got %q back; want %q", s, want)
			}
			rest = more
		}
	})
}

// Whatever stands in a file, reading it ends in an error or a value.
func FuzzReadRecords(f *testing.F) {
	f.Add(sessionRecord(sessionHead{version: 1, id: "s", tenant: "t"}, []byte("{}")))
	f.Add(item{seq: 1, is: visible, group: "g"}.encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, body, err := readHead(raw); err == nil {
			h2, body2, err := readHead(sessionRecord(h, body))
			if err != nil || !bytes.Equal(body, body2) || !h.sameLists(h2) || !h.due.Equal(h2.due) {
				t.Errorf("got %+v back, error %v; want %+v", h2, err, h)
			}
		}
		if m, err := decodeItem(1, raw); err == nil {
			if m2, err := decodeItem(1, m.encode()); err != nil || m2 != m {
				t.Errorf("got %+v back, error %v; want %+v", m2, err, m)
			}
		}
	})
}

// The end of a range is behind all that begin with its prefix, and in front of all else that follows.
func TestEndOfARange(t *testing.T) {
	t.Parallel()
	bytesOf := func(least int) *rapid.Generator[[]byte] {
		return rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xfe, 0xff}), least, 4)
	}
	rapid.Check(t, func(t *rapid.T) {
		prefix, other := key(bytesOf(0).Draw(t, "prefix")), key(bytesOf(0).Draw(t, "other"))
		end := prefix.end()
		if within := prefix.plus(other); end != nil && bytes.Compare(within, end) >= 0 {
			t.Errorf("%x is not in front of %x, the end of %x", within, end, prefix)
		}
		if bytes.HasPrefix(other, prefix) || bytes.Compare(other, prefix) < 0 {
			return
		}
		if end == nil || bytes.Compare(other, end) < 0 {
			t.Errorf("%x is in front of %x, the end of %x", other, end, prefix)
		}
	})
}
