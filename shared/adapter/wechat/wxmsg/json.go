package wxmsg

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonDocument reads the outermost object.
func (r *reader) jsonDocument() error { return r.object(rootName) }

// object reads an object from its '{'.
func (r *reader) object(name span) error {
	at, err := r.open(name)
	if err != nil {
		return err
	}
	r.pos++
	r.space()
	for first := true; !r.takeByte('}'); first = false {
		if !first && !r.comma() {
			return r.fail("neither , nor }")
		}
		key, err := r.quoted()
		if err != nil {
			return err
		}
		r.space()
		if !r.takeByte(':') {
			return r.fail("no colon")
		}
		r.space()
		if err := r.value(key); err != nil {
			return err
		}
		r.space()
	}
	r.close(at)
	return nil
}

// array reads a list, whose entries are named as in the platform's XML, from its '['.
func (r *reader) array(name span) error {
	at, err := r.open(name)
	if err != nil {
		return err
	}
	r.pos++
	r.space()
	for first := true; !r.takeByte(']'); first = false {
		if !first && !r.comma() {
			return r.fail("neither , nor ]")
		}
		if err := r.value(entryName); err != nil {
			return err
		}
		r.space()
	}
	r.close(at)
	return nil
}

func (r *reader) comma() bool {
	ok := r.takeByte(',')
	r.space()
	return ok
}

func (r *reader) value(name span) error {
	switch c := r.peek(); {
	case c == '{':
		return r.object(name)
	case c == '[':
		return r.array(name)
	}
	at, err := r.open(name)
	if err != nil {
		return err
	}
	text, err := r.scalar()
	if err != nil {
		return err
	}
	r.item(at).text = text
	r.close(at)
	return nil
}

func (r *reader) scalar() (span, error) {
	start := r.pos
	switch {
	case r.peek() == '"':
		return r.quoted()
	case r.take("true"), r.take("false"), r.number():
		return makeSpan(start, r.pos), nil
	case r.take("null"):
		return span{}, nil
	}
	return span{}, r.fail("no value")
}

// number moves past a number, or past part of one and gives false.
func (r *reader) number() bool {
	r.takeByte('-')
	if !r.takeByte('0') && !r.digits() {
		return false
	}
	if r.takeByte('.') && !r.digits() {
		return false
	}
	if r.takeByte('e') || r.takeByte('E') {
		if !r.takeByte('+') {
			r.takeByte('-')
		}
		return r.digits()
	}
	return true
}

func (r *reader) digits() bool {
	start := r.pos
	for r.pos < len(r.body) && r.body[r.pos]-'0' <= 9 {
		r.pos++
	}
	return r.pos > start
}

// quoted reads a string from its quotation mark.
func (r *reader) quoted() (span, error) {
	if !r.takeByte('"') {
		return span{}, r.fail("no string")
	}
	n := bytes.IndexByte(r.body[r.pos:], '"')
	if n < 0 {
		return span{}, r.fail("string does not end")
	}
	at := makeSpan(r.pos, r.pos+n)
	text := r.bytes(at)
	if bytes.IndexByte(text, '\\') >= 0 {
		return r.escaped()
	}
	if legal(text)&^nonchars != 0 {
		return span{}, r.fail("character that no JSON string has")
	}
	r.pos += n + 1
	return at, nil
}

// escaped reads a string with escapes from behind its quotation mark.
func (r *reader) escaped() (span, error) {
	var out []byte
	for {
		n := bytes.IndexAny(r.body[r.pos:], `"\`)
		if n < 0 {
			return span{}, r.fail("string does not end")
		}
		text := r.body[r.pos : r.pos+n]
		if legal(text)&^nonchars != 0 {
			return span{}, r.fail("character that no JSON string has")
		}
		out = append(out, text...)
		r.pos += n
		if r.takeByte('"') {
			return r.aside(out), nil
		}
		c, ok := r.escape()
		if !ok {
			return span{}, r.fail("escape that JSON has not")
		}
		out = utf8.AppendRune(out, c)
	}
}

// escape reads an escape from its backslash. Half of a surrogate pair is U+FFFD,
// as in encoding/json: text that was cut inside an emoji is still a text.
func (r *reader) escape() (rune, bool) {
	if c, ok := r.unicode(); ok {
		if !utf16.IsSurrogate(c) {
			return c, true
		}
		here := r.pos
		if low, ok := r.unicode(); ok {
			if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
				return pair, true
			}
			r.pos = here // it belongs to itself
		}
		return utf8.RuneError, true
	}
	if len(r.body)-r.pos < 2 {
		return 0, false
	}
	c := r.body[r.pos+1]
	r.pos += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

// unicode reads \uXXXX, or nothing.
func (r *reader) unicode() (rune, bool) {
	const size = 6
	if len(r.body)-r.pos < size || r.body[r.pos] != '\\' || r.body[r.pos+1] != 'u' {
		return 0, false
	}
	var c rune
	for _, d := range r.body[r.pos+2 : r.pos+size] {
		switch {
		case '0' <= d && d <= '9':
			c = c<<4 | rune(d-'0')
		case 'a' <= d && d <= 'f':
			c = c<<4 | rune(d-'a'+10)
		case 'A' <= d && d <= 'F':
			c = c<<4 | rune(d-'A'+10)
		default:
			return 0, false
		}
	}
	r.pos += size
	return c, true
}
