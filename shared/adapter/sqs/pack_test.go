package sqs

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// taken says in the words of SQS's manual which texts it takes.
func taken(text string) bool {
	for _, r := range text {
		ok := r == 0x9 || r == 0xA || r == 0xD || (r >= 0x20 && r <= 0xD7FF) || (r >= 0xE000 && r <= 0xFFFD) || r >= 0x10000
		if !ok {
			return false
		}
	}
	return text != "" && utf8.ValidString(text)
}

func TestPack(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "{}", " ", "\x00", "\t\n\r", "\x1f", "\x7f", "你好 😀", "\ufffd", "\ufffe", "\uffff", "\U0001fffe", "\xff", "\xed\xa0\x80",
		"kefu1.", "kefu1.base64.", "kefu1.object.1.2.3", "kefu1", "kefu2.x",
	} {
		if err := toAndFro(body); err != nil {
			t.Error(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.Map(rapid.String(), func(s string) string { return mark + s }),
		).Draw(t, "body")
		if err := toAndFro(body); err != nil {
			t.Fatal(err)
		}
	})
}

// toAndFro packs a body and unpacks it again.
func toAndFro(body string) error {
	text, err := (&Queue{}).pack(context.Background(), []byte(body), isText([]byte(body)))
	if err != nil || !taken(text) {
		return fmt.Errorf("pack(%q): got %q, error %w; want a text that SQS takes", body, text, err)
	}
	if plain := taken(body) && !packed(body); plain != (text == body) {
		return fmt.Errorf("pack(%q): got %q; want it untouched exactly if it is text without the mark", body, text)
	}
	got, err := Unpack(context.Background(), nil, text)
	if err != nil || string(got) != body {
		return fmt.Errorf("Unpack(%q): got %q, error %w; want %q", text, got, err, body)
	}
	return nil
}

func TestEncodeUpToTheLimit(t *testing.T) {
	t.Parallel()
	most := base64.RawStdEncoding.DecodedLen(maxText - len(codedMark))
	if text, ok := encode(make([]byte, most)); !ok || len(text) > maxText {
		t.Errorf("%d bytes: got a text of %d, %t; want one of %d at most", most, len(text), ok, maxText)
	}
	if _, ok := encode(make([]byte, most+1)); ok {
		t.Errorf("%d bytes: got a text; want none", most+1)
	}
}

func FuzzUnpack(f *testing.F) {
	o := object{length: 3, key: Prefix + "2025-03-01/x"}
	for _, seed := range []string{"{}", "kefu1.", "kefu1.base64.AA", "kefu1.base64.AB", "kefu1.object.", o.text(), strings.Replace(o.text(), "queue/", "media/", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body, err := Unpack(t.Context(), nil, text)
		if !packed(text) && (err != nil || string(body) != text) {
			t.Errorf("Unpack(%q): got %q, error %v; want it untouched", text, body, err)
		}
		rest, ok := strings.CutPrefix(text, objectMark)
		if !ok {
			return
		}
		if o, err := readObject(rest); err == nil {
			again, err := readObject(strings.TrimPrefix(o.text(), objectMark))
			if err != nil || again != o || !strings.HasPrefix(o.key, Prefix) {
				t.Errorf("readObject(%q): got %+v, then %+v, error %v; want the same twice, under %s", rest, o, again, err, Prefix)
			}
		}
	})
}

func TestGroupNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.OneOf(
			rapid.StringN(1, 200, -1),
			rapid.StringMatching(`[!-~]{1,130}`),
			rapid.Custom(func(t *rapid.T) string { return groupName(rapid.String().Draw(t, "inner")) }),
			rapid.SampledFrom([]string{"%", "%0.", "%b.", "%h.", "account/customer", strings.Repeat("ä", 99), strings.Repeat("a", 129)}),
		)
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		name := groupName(a)
		if !isGroup(name) || name == "" || name != groupName(a) {
			t.Fatalf("groupName(%q): got %q; want a name that SQS takes, always the same", a, name)
		}
		if a != b && name == groupName(b) {
			t.Fatalf("groups %q and %q: got one name, %q", a, b, name)
		}
		if got := groupOf(name); got != a && !strings.HasPrefix(name, hashedGroup) {
			t.Fatalf("groupOf(%q): got %q; want %q", name, got, a)
		}
		if len(a) <= 90 && groupOf(name) != a {
			t.Fatalf("group %q of %d bytes: got %q; want it back", a, len(a), groupOf(name))
		}
	})
	if one, two := groupName(""), groupName(""); one == two || groupOf(one) != "" {
		t.Errorf("the group %q: got names %q and %q; want two that stand for no group", "", one, two)
	}
}

func BenchmarkPack(b *testing.B) {
	push := []byte(`{"account":"shop","customer":"oAbCdEfGhIjKlMnOpQrStUvWxYz0","push":"` + strings.Repeat("0123456789abcdef", 32) + `"}`)
	for _, tc := range []struct {
		name string
		body []byte
	}{
		{"push", push},
		{"chinese", []byte(strings.Repeat("你好，请问有货吗？", 40))},
		{"binary", bytes.Repeat([]byte{0, 1, 2, 0xff}, 150)},
		{"text-900k", bytes.Repeat([]byte("a"), maxText)},
	} {
		b.Run(fmt.Sprintf("%s-%d", tc.name, len(tc.body)), func(b *testing.B) {
			b.SetBytes(int64(len(tc.body)))
			b.ReportAllocs()
			q := &Queue{}
			for b.Loop() {
				if _, err := q.pack(b.Context(), tc.body, isText(tc.body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	q := &Queue{}
	for _, body := range [][]byte{bytes.Repeat([]byte("a"), 600), bytes.Repeat([]byte{0, 1, 2, 0xff}, 150)} {
		text, err := q.pack(b.Context(), body, isText(body))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("packed=%t", packed(text)), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Unpack(b.Context(), nil, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
