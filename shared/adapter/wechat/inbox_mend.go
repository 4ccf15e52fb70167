package wechat

import (
	"bytes"
	"unicode/utf8"
)

// mend takes out of a push what neither XML nor JSON allows and a customer may have
// typed or pasted all the same: control characters, and bytes that are no UTF-8. It
// is for pushes that can't be read otherwise, so that what somebody wrote is seen.
func mend(body []byte) []byte {
	return bytes.Map(func(r rune) rune {
		switch {
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return -1
		case r == utf8.RuneError:
			return utf8.RuneError // of a wrong byte, this writes the character that stands for it
		}
		return r
	}, body)
}
