package wxmsg

import (
	"bytes"
	"fmt"
)

// bom may stand before a text in UTF-8.
var bom = []byte("\xef\xbb\xbf")

// Read reads a push. The first byte that is no space decides between XML ('<')
// and JSON ('{'). The result refers to body, which must not change afterwards.
func Read(body []byte) (Node, error) {
	r := &reader{body: body, side: fixed}
	if err := r.document(); err != nil {
		return Node{}, err
	}
	return Node{r: r}, nil
}

// fixed are the names that elements of JSON have and no body spells out. It has no
// spare capacity, so that whoever appends gets a copy.
var fixed = []byte("xmlitem")[:7:7]

var rootName, entryName = span{^0, 3}, span{^3, 7}

// usual is how many elements a push has at most, as a rule. Their items lie in the
// reader itself, so that one allocation, or none, is enough.
const usual = 16

// reader is a place in a body, and what stands before it.
type reader struct {
	body  []byte
	side  []byte // texts that are not in the body as they are: they had escapes
	more  []item // items after the usual ones
	pos   int
	depth int
	count int
	room  [usual]item
}

// item is an element, in document order.
type item struct {
	name, text span
	end        int32 // index behind the last element inside this one
}

// span is a text: from and to in the body, or, if from is negative, ^from and to
// in side. Neither grows beyond a few times MaxSize.
type span struct{ from, to int32 }

func makeSpan(from, to int) span {
	return span{int32(from), int32(to)} //nolint:gosec // small, see span
}

func (s span) empty() bool { return s.from == s.to || ^s.from == s.to }

func (r *reader) item(i int) *item {
	if i < usual {
		return &r.room[i]
	}
	return &r.more[i-usual]
}

func (r *reader) bytes(s span) []byte {
	if s.from < 0 {
		return r.side[^s.from:s.to:s.to]
	}
	return r.body[s.from:s.to:s.to]
}

// join is the span of a text that begins with a and goes on with b, which was read
// right after it.
func (r *reader) join(a, b span) span {
	switch {
	case a.empty():
		return b
	case b.empty():
		return a
	case a.from < 0 && b.from < 0 && a.to == ^b.from:
		return span{a.from, b.to}
	case a.from >= 0 || int(a.to) != len(r.side): // at most once for a text, else it would cost its square
		start := len(r.side)
		r.side = append(r.side, r.bytes(a)...)
		a = makeSpan(^start, len(r.side))
	}
	r.side = append(r.side, r.bytes(b)...)
	return makeSpan(int(a.from), len(r.side))
}

func (r *reader) document() error {
	if len(r.body) > MaxSize {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(r.body))
	}
	if bytes.HasPrefix(r.body, bom) {
		r.pos = len(bom)
	}
	start := r.pos
	r.space()
	var err error
	switch r.peek() {
	case '<':
		err = r.xmlDocument(r.pos == start)
	case '{':
		err = r.jsonDocument()
	default:
		return r.fail("neither < nor {")
	}
	if err != nil {
		return err
	}
	r.space()
	if r.pos != len(r.body) {
		return r.fail("something follows the end")
	}
	return nil
}

// open adds an element; whoever opens it sets its text and calls close.
func (r *reader) open(name span) (int, error) {
	if r.depth == MaxDepth {
		return 0, r.wrap(ErrTooDeep)
	}
	if r.count == MaxNodes {
		return 0, r.wrap(ErrTooMany)
	}
	r.depth++
	if r.count < usual {
		r.room[r.count] = item{name: name}
	} else {
		r.more = append(r.more, item{name: name})
	}
	r.count++
	return r.count - 1, nil
}

func (r *reader) close(at int) {
	r.depth--
	r.item(at).end = int32(r.count) //nolint:gosec // at most MaxNodes
}

// peek is the next byte, 0 at the end. A 0 in the body is an error everywhere.
func (r *reader) peek() byte {
	if r.pos < len(r.body) {
		return r.body[r.pos]
	}
	return 0
}

// take moves past s if it stands here.
func (r *reader) take(s string) bool {
	if len(r.body)-r.pos >= len(s) && string(r.body[r.pos:r.pos+len(s)]) == s {
		r.pos += len(s)
		return true
	}
	return false
}

// takeByte moves past c if it stands here.
func (r *reader) takeByte(c byte) bool {
	if r.pos < len(r.body) && r.body[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// space moves past white space, which is the same four bytes in XML and JSON.
func (r *reader) space() {
	for r.pos < len(r.body) && isSpace(r.body[r.pos]) {
		r.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func (r *reader) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, r.pos)
}

func (r *reader) wrap(err error) error { return fmt.Errorf("%w at byte %d", err, r.pos) }
