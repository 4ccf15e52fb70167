package wxmsg

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlDocument reads the outermost element. Only at the start may an XML declaration
// stand before it.
func (r *reader) xmlDocument(atStart bool) error {
	if atStart && r.take("<?xml") {
		if err := r.declaration(); err != nil {
			return err
		}
		r.space()
	}
	if !r.takeByte('<') {
		return r.fail("no element")
	}
	if err := r.element(); err != nil {
		return err
	}
	if string(r.bytes(r.item(0).name)) != "xml" {
		return r.fail("outermost element is not xml")
	}
	return nil
}

// declaration reads an XML declaration from behind "<?xml".
func (r *reader) declaration() error {
	version, ok := r.pseudo("version")
	if !ok || version != "1.0" {
		return r.fail("XML declaration without version 1.0")
	}
	if encoding, ok := r.pseudo("encoding"); ok && !strings.EqualFold(encoding, "utf-8") {
		return r.fail("encoding is not UTF-8")
	}
	if alone, ok := r.pseudo("standalone"); ok && alone != "yes" && alone != "no" {
		return r.fail("standalone is neither yes nor no")
	}
	r.space()
	if !r.take("?>") {
		return r.fail("XML declaration does not end")
	}
	return nil
}

// pseudo reads white space, name = "value" of an XML declaration, or nothing.
func (r *reader) pseudo(name string) (string, bool) {
	start := r.pos
	r.space()
	if r.pos > start && r.take(name) && r.takeByte('=') {
		if quote := r.peek(); quote == '"' || quote == '\'' {
			rest := r.body[r.pos+1:]
			if n := bytes.IndexByte(rest, quote); n >= 0 {
				r.pos += n + 2
				return string(rest[:n]), true
			}
		}
	}
	r.pos = start
	return "", false
}

// element reads an element from behind its '<'.
func (r *reader) element() error {
	name, err := r.name()
	if err != nil {
		return err
	}
	at, err := r.open(name)
	if err != nil {
		return err
	}
	if !r.leaf(at) {
		r.space()
		if !r.take("/>") {
			if !r.takeByte('>') {
				return r.fail("an attribute, or a tag that does not end")
			}
			if err := r.content(at); err != nil {
				return err
			}
		}
	}
	r.close(at)
	return nil
}

// leaf reads the rest of the most usual element in one go, "><![CDATA[text]]></name>".
// Of any other, good or bad, it reads nothing.
func (r *reader) leaf(at int) bool {
	const opening, closing = "><![CDATA[", "]]></"
	rest := r.body[r.pos:]
	if len(rest) < len(opening) || string(rest[:len(opening)]) != opening {
		return false
	}
	rest = rest[len(opening):]
	n := max(0, bytes.IndexByte(rest, ']'))
	text, end := rest[:n], rest[n:]
	name := r.bytes(r.item(at).name)
	size := len(closing) + len(name) + len(">")
	if len(end) < size || string(end[:len(closing)]) != closing || end[size-1] != '>' ||
		!bytes.Equal(end[len(closing):size-1], name) || legal(text)&^controls != 0 {
		return false
	}
	start := r.pos + len(opening)
	r.item(at).text = makeSpan(start, start+n)
	r.pos = start + n + size
	return true
}

// content reads what stands in the element at, and its end tag: a text, or elements.
func (r *reader) content(at int) error {
	text, err := r.text()
	if err != nil {
		return err
	}
	if r.take("</") {
		r.item(at).text = text
		return r.endTag(at)
	}
	for {
		if !blank(r.bytes(text)) {
			return r.fail("text beside elements")
		}
		r.pos++ // the '<' of a tag
		if err := r.element(); err != nil {
			return err
		}
		r.space()
		if text, err = r.text(); err != nil {
			return err
		}
		if r.take("</") {
			if !blank(r.bytes(text)) {
				return r.fail("text beside elements")
			}
			return r.endTag(at)
		}
	}
}

// text reads characters and CDATA sections up to the next tag.
func (r *reader) text() (span, error) {
	var text, part span
	var err error
	for {
		switch {
		case r.pos == len(r.body):
			return span{}, r.fail("element does not end")
		case r.body[r.pos] != '<':
			part, err = r.characters()
		case r.take("<![CDATA["):
			part, err = r.cdata()
		default:
			return text, nil
		}
		if err != nil {
			return span{}, err
		}
		text = r.join(text, part)
	}
}

// endTag reads an end tag from behind its "</".
func (r *reader) endTag(at int) error {
	name := r.bytes(r.item(at).name)
	if !bytes.HasPrefix(r.body[r.pos:], name) {
		return r.fail("end tag of another element")
	}
	r.pos += len(name)
	r.space()
	if !r.takeByte('>') {
		return r.fail("end tag does not end")
	}
	return nil
}

// name reads an element's name: ASCII, without name spaces.
func (r *reader) name() (span, error) {
	start, rest := r.pos, r.body[r.pos:]
	n := 0
	for n < len(rest) && nameBytes[rest[n]] {
		n++
	}
	r.pos += n
	if n == 0 || rest[0] == '-' || rest[0] == '.' || (rest[0] >= '0' && rest[0] <= '9') {
		return span{}, r.fail("no element name")
	}
	return makeSpan(start, r.pos), nil
}

// nameBytes are what a name consists of; digits, '-' and '.' can't begin one.
var nameBytes = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-." {
		t[c] = true
	}
	return t
}()

// cdata reads a CDATA section from behind its opening.
func (r *reader) cdata() (span, error) {
	n := cdataEnd(r.body[r.pos:])
	if n < 0 {
		return span{}, r.fail("CDATA section does not end")
	}
	text := makeSpan(r.pos, r.pos+n)
	k := legal(r.bytes(text))
	if k&(broken|nonchars) != 0 {
		return span{}, r.fail("character that XML has not")
	}
	r.pos += n + len("]]>")
	if k&returns != 0 {
		return r.aside(lines(r.bytes(text))), nil
	}
	return text, nil
}

// cdataEnd is bytes.Index of "]]>", faster in a text with few brackets.
func cdataEnd(b []byte) int {
	for from := 0; ; from++ {
		n := bytes.IndexByte(b[from:], ']')
		if n < 0 {
			return -1
		}
		from += n
		if len(b)-from >= 3 && b[from+1] == ']' && b[from+2] == '>' {
			return from
		}
	}
}

// characters reads text up to the next tag.
func (r *reader) characters() (span, error) {
	n := bytes.IndexByte(r.body[r.pos:], '<')
	if n < 0 {
		return span{}, r.fail("element does not end")
	}
	at := makeSpan(r.pos, r.pos+n)
	text := r.bytes(at)
	if blank(text) && bytes.IndexByte(text, '\r') < 0 { // between elements, mostly
		r.pos += n
		return at, nil
	}
	k := legal(text)
	if k&(broken|nonchars) != 0 || cdataEnd(text) >= 0 {
		return span{}, r.fail("character that XML has not")
	}
	escaped := bytes.IndexByte(text, '&') >= 0
	if k&returns != 0 {
		text = lines(text)
	}
	if escaped {
		plain, ok := unescape(text)
		if !ok {
			return span{}, r.fail("entity that is not predefined")
		}
		text = plain
	}
	r.pos += n
	if escaped || k&returns != 0 {
		return r.aside(text), nil
	}
	return at, nil
}

// aside keeps a text that is not in the body.
func (r *reader) aside(text []byte) span {
	start := len(r.side)
	r.side = append(r.side, text...)
	return makeSpan(^start, len(r.side))
}

// blank reports whether text is white space only.
func blank(text []byte) bool {
	for _, c := range text {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// lines ends every line with a line feed: section 2.11 of the specification.
func lines(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i, c := range text {
		switch {
		case c == '\r':
			out = append(out, '\n')
		case c == '\n' && i > 0 && text[i-1] == '\r':
		default:
			out = append(out, c)
		}
	}
	return out
}

// unescape replaces the predefined entities and character references. What it
// makes is never longer than what it replaces.
func unescape(text []byte) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for {
		amp := bytes.IndexByte(text, '&')
		if amp < 0 {
			out = append(out, text...)
			return out, true
		}
		out = append(out, text[:amp]...)
		text = text[amp+1:]
		end := bytes.IndexByte(text, ';')
		if end < 0 {
			return nil, false
		}
		c, ok := entity(string(text[:end]))
		if !ok {
			return nil, false
		}
		out = utf8.AppendRune(out, c)
		text = text[end+1:]
	}
}

// longestEntity is a character reference with a few leading zeros.
const longestEntity = 16

// entity is the character between '&' and ';'.
func entity(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, found := strings.CutPrefix(name, "#")
	if !found || len(name) > longestEntity {
		return 0, false
	}
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32) // takes no sign, space or underscore
	if err != nil || n > utf8.MaxRune {
		return 0, false
	}
	c := rune(n)
	if n >= 0xD800 && n < 0xE000 {
		return utf8.RuneError, true // half of a pair: text that was cut inside an emoji is still a text
	}
	return c, isChar(c)
}
