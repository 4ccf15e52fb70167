package wxmsg

import "iter"

// Node is one element of a push: the outermost, as [Read] gives it, or one inside.
// XML and JSON give the same nodes: a JSON object's members are its children, and
// a list's entries are children named "item", as in the platform's XML. The zero
// Node has no name, no text and no children.
type Node struct {
	r  *reader
	at int
}

// Name is the element's name; of the outermost "xml", in JSON too.
func (n Node) Name() string { return string(n.NameBytes()) }

// NameBytes is Name where it stands; it must not be changed.
func (n Node) NameBytes() []byte {
	if n.r == nil {
		return nil
	}
	return n.r.bytes(n.r.item(n.at).name)
}

// Text is the element's own text, empty if it has children. Numbers, true and
// false are as they were written, so that a message id above 2^53 stays exact;
// JSON's null is empty.
func (n Node) Text() string { return string(n.TextBytes()) }

// TextBytes is Text where it stands; it must not be changed.
func (n Node) TextBytes() []byte {
	if n.r == nil {
		return nil
	}
	return n.r.bytes(n.r.item(n.at).text)
}

// Get is the text of the element that path leads to, empty if there is none.
// Where a name stands twice the first counts, here and in [Node.Child].
func (n Node) Get(path ...string) string {
	for _, name := range path {
		n = n.Child(name)
	}
	return n.Text()
}

// Child is the first child of that name, the zero Node if there is none. Names
// are compared exactly.
func (n Node) Child(name string) Node {
	for kid := range n.Children() {
		if string(kid.NameBytes()) == name {
			return kid
		}
	}
	return Node{}
}

// Children are the elements directly inside, in their order.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.r == nil {
			return
		}
		end := int(n.r.item(n.at).end)
		for i := n.at + 1; i < end; i = int(n.r.item(i).end) {
			if !yield(Node{n.r, i}) {
				return
			}
		}
	}
}

// Leaf reports whether there is nothing inside.
func (n Node) Leaf() bool { return n.r == nil || int(n.r.item(n.at).end) == n.at+1 }
