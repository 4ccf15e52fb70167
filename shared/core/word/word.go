// Package word looks for words in what customers write, without regard to case and
// width: ＲＧ, Rg and rg are the same. Start with [Match].
package word

import (
	"strings"
	"unicode"

	"kefu/shared/core/account"
)

// Fold brings a text into the form in which words are compared: full-width letters,
// digits and signs become their ordinary ones (Unicode's block "Halfwidth and
// Fullwidth Forms", U+FF01 to U+FF5E), letters small, white space single, and
// none of it stands at the ends.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		if r >= 0x4E00 && r <= 0x9FFF { // the common Chinese characters stay what they are
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
			continue
		}
		r = fold(r)
		if unicode.IsSpace(r) || invisible(r) {
			space = space || unicode.IsSpace(r)
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

func fold(r rune) rune {
	if r >= 0xFF01 && r <= 0xFF5E {
		r -= 0xFF01 - '!'
	}
	return unicode.ToLower(r)
}

// invisible are the marks that input methods and copied texts leave behind.
func invisible(r rune) bool {
	return r == 0xFEFF || (r >= 0x200B && r <= 0x200D) || r == 0x2060 || unicode.Is(unicode.Variation_Selector, r)
}

// Match reports whether the text is one of the words, or with [account.Contains] has
// one in it. Punctuation and spaces around an exact word don't count: "人工！" is 人工.
func Match(words []string, how account.Match, text string) bool {
	text = Fold(text)
	bare := Bare(text)
	for _, w := range words {
		w = Fold(w)
		if w == "" {
			continue
		}
		if how == account.Contains && contains(text, w) || text == w || bare != "" && bare == Bare(w) {
			return true
		}
	}
	return false
}

// contains looks for w in text. A word of Latin letters or digits must stand by
// itself, since languages with spaces end words there: "rg" is not in "large", but
// 人工 is in 我要人工客服.
func contains(text, w string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], w)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(w)
		if !joined(text[:start], w) && !joined(w, text[end:]) {
			return true
		}
		from = start + 1
	}
}

// joined reports whether the texts, side by side, run together into one Latin word.
func joined(left, right string) bool {
	return len(left) > 0 && len(right) > 0 && latin(left[len(left)-1]) && latin(right[0])
}

func latin(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// Bare is a folded text without punctuation and symbols at its ends.
func Bare(folded string) string {
	return strings.TrimFunc(folded, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r)
	})
}
