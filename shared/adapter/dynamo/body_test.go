package dynamo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// offline is a store for what makes no call.
func offline() *Store {
	return New(localConfig("http://127.0.0.1:1"), Options{Now: func() time.Time { return noon }})
}

// wantSame ends the test unless two values are equal; an empty slice and none are.
func wantSame[T any](t interface {
	Helper()
	Fatalf(format string, args ...any)
}, what string, got, want T,
) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s: want (-) and got (+) differ:\n%s", what, d)
	}
}

// anyText draws strings, among them many that look like what is taken out of a body, and some that do so only nearly.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.Custom(func(t *rapid.T) string {
			at := time.Unix(rapid.Int64Range(-9e9, 9e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
			zone := time.FixedZone("", rapid.SampledFrom([]int{0, 0, 0, 3600}).Draw(t, "zone"))
			form := rapid.SampledFrom([]string{time.RFC3339Nano, time.RFC3339, "2006-01-02T15:04:05.000000000Z", "2006-01-02T15:04:05,000Z"})
			return at.In(zone).Format(form.Draw(t, "form"))
		}),
		rapid.Custom(func(t *rapid.T) string {
			b := rapid.SliceOfN(rapid.Byte(), 11, 13).Draw(t, "digest")
			return base64.RawURLEncoding.EncodeToString(b)
		}),
		rapid.StringMatching(`[A-Za-z0-9_-]{16}`),
		rapid.SampledFrom([]string{"last_customer_at", "0001-01-01T00:00:00Z", "\x00\x01\x02\x03", `"`, `\`, `\"`, ":", "sent_at\":"}),
	)
}

// anyValue draws what json.Unmarshal makes of some JSON.
func anyValue(depth int) *rapid.Generator[any] {
	leaf := []*rapid.Generator[any]{
		anyText().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
	}
	if depth == 0 {
		return rapid.OneOf(leaf...)
	}
	return rapid.OneOf(append(leaf,
		rapid.SliceOfN(anyValue(depth-1), 0, 5).AsAny(), rapid.MapOfN(anyText(), anyValue(depth-1), 0, 5).AsAny())...)
}

func TestBodiesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, tail := anyValue(3).Draw(t, "value"), rapid.SliceOf(rapid.Byte()).Draw(t, "tail")
		plain, err := json.Marshal(v)
		if err != nil {
			t.Skip("not JSON")
		}
		rest, taken := shrink(plain)
		if again, err := expand(rest, taken); err != nil || !bytes.Equal(again, plain) {
			t.Fatalf("expand: got %q, error %v; want %q", again, err, plain)
		}
		stored, err := packBoth(v, tail)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		back, err := unpackBoth("value", stored, &got)
		if err != nil || !reflect.DeepEqual(got, want) || !bytes.Equal(back, tail) {
			t.Fatalf("unpack: got %v and %q, error %v; want %v and %q", got, back, err, want, tail)
		}
	})
}

func TestABrokenBodyIsToldAndNoPanic(t *testing.T) {
	t.Parallel()
	good, err := pack(newTypical(1).sending())
	must(t, err)
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(good)[:rapid.IntRange(0, len(good)-1).Draw(t, "length")]
		if len(bad) > 0 {
			bad[rapid.IntRange(0, len(bad)-1).Draw(t, "at")] ^= rapid.Byte().Draw(t, "by")
		}
		var v session.Session
		if err := unpack("session", bad, &v); err != nil && fault.CodeOf(err) != "store-corrupt" {
			t.Fatalf("got error %v; want code store-corrupt", err)
		}
	})
}

// full fills every member of a value, so that one which isn't stored shows.
func full(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("x", *n%9) + "ß")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Uint8:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		full(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			full(t, v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"k": "v"}))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(noon.Add(time.Duration(*n) * (time.Second + 7))))
			return
		}
		for i := range v.NumField() {
			full(t, v.Field(i), n)
		}
	default:
		t.Fatalf("a member of kind %s is new: fill it", v.Kind())
	}
}

func TestEveryMemberOfASessionIsStored(t *testing.T) {
	t.Parallel()
	var want session.Session
	n := 0
	full(t, reflect.ValueOf(&want).Elem(), &n)
	s := offline()
	in, err := s.conversationItem(t.Context(), want, []byte("lists"), nonce())
	must(t, err)
	got, err := s.readConversation(t.Context(), want.Ref(), in)
	must(t, err)
	wantSame(t, "session", got, want)
	entry, err := s.sessionItem(t.Context(), want, listKeys(want))
	must(t, err)
	past, err := s.readShown(t.Context(), entry)
	must(t, err)
	wantSame(t, "history", past, history(want))
}

func TestEveryMemberOfAMessageIsStored(t *testing.T) {
	t.Parallel()
	var want message.Message
	n := 0
	full(t, reflect.ValueOf(&want).Elem(), &n)
	want.ID = message.NewID(want.Session, want.N)
	s := offline()
	row, err := s.messageItem(t.Context(), want)
	must(t, err)
	got, err := s.readMessage(t.Context(), want.Session, row)
	must(t, err)
	wantSame(t, "message", got, want)
	for _, name := range []string{attrState, attrReason, attrCode, attrParts, attrAt} {
		if row[name] == nil {
			t.Errorf("attribute %s: got none; want one, since a settlement changes it", name)
		}
	}
}
