// Package wxmsg reads the bodies of the open platform's pushes and writes the
// answers to them, both in XML and in JSON. It is pure: bytes in, values out.
//
// Call [Read] for a whole push and [Node.Get] for its fields; call
// [ReadEnvelope] for the outer body of an encrypted push. [EncryptedReply] and
// [TransferReply] write answers.
//
// The reader is strict, because bodies come from anybody who knows the address.
// It takes what the platform's page "Message push" shows and nothing more: one
// element <xml> (or one JSON object), character data, CDATA sections, the five
// predefined entities and character references. A document type, a processing
// instruction other than a leading XML declaration, another entity, a comment, an
// attribute, text beside elements, an encoding other than UTF-8: each is an
// error. Whatever it accepts, encoding/xml and encoding/json accept with the same
// values, which the fuzz tests hold it to.
package wxmsg

import "errors"

// The bounds of a body. Real pushes stay far below all of them.
const (
	MaxSize  = 1 << 20 // bytes
	MaxDepth = 8       // elements inside each other, the outermost included
	MaxNodes = 1024    // elements in all
)

// Why a body could not be read. Every error of this package is one of these,
// with the place in the body added, and never quotes the body.
var (
	ErrSyntax    = errors.New("wxmsg: not the XML or JSON of a push")
	ErrTooLarge  = errors.New("wxmsg: body is too large")
	ErrTooDeep   = errors.New("wxmsg: nested too deeply")
	ErrTooMany   = errors.New("wxmsg: too many elements")
	ErrDuplicate = errors.New("wxmsg: field of the envelope stands twice")
)
