package sqs

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A message's text is the body itself, or begins with mark and is one of two other forms:
//
//	kefu1.base64.BODY               the body in base64, without padding
//	kefu1.object.LENGTH.SHA256.KEY  where the body lies in the bucket; length decimal, sum in hex
//
// A body that begins with the mark travels as base64, so that nobody's text can pass for one of them.
const (
	mark       = "kefu1."
	codedMark  = mark + "base64."
	objectMark = mark + "object."
)

// maxText is the longest text in bytes: SQS takes 1 MiB of text and attributes together.
const maxText = 900 << 10

var errForm = errors.New("not a form of text that this version reads")

// packed reports whether a text is something other than its body.
func packed(text string) bool { return strings.HasPrefix(text, mark) }

// isText reports whether SQS takes a body as it is: UTF-8 of the characters of XML, at least one
// (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
func isText(body []byte) bool {
	for i := 0; i < len(body); {
		c := body[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		if (r == utf8.RuneError && size == 1) || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		i += size
	}
	return len(body) > 0 && !packed(string(body[:min(len(body), len(mark))]))
}

// encode writes a body as base64 text; false if that is too long for a message.
func encode(body []byte) (text string, ok bool) {
	if len(codedMark)+base64.RawStdEncoding.EncodedLen(len(body)) > maxText {
		return "", false
	}
	b := make([]byte, 0, len(codedMark)+base64.RawStdEncoding.EncodedLen(len(body)))
	b = append(b, codedMark...)
	return string(base64.RawStdEncoding.AppendEncode(b, body)), true
}

// object says where a body lies, and how to know it again.
type object struct {
	length int
	sum    [32]byte // SHA-256
	key    string
}

func (o object) text() string {
	return objectMark + strconv.Itoa(o.length) + "." + hex.EncodeToString(o.sum[:]) + "." + o.key
}

// readObject reads what stands behind objectMark.
func readObject(rest string) (o object, err error) {
	length, rest, _ := strings.Cut(rest, ".")
	sum, key, _ := strings.Cut(rest, ".")
	if o.length, err = strconv.Atoi(length); err != nil {
		return object{}, errForm
	}
	if n, err := hex.Decode(o.sum[:], []byte(sum[:min(len(sum), 2*len(o.sum))])); err != nil || n != len(o.sum) || len(sum) != 2*n {
		return object{}, errForm
	}
	if !strings.HasPrefix(key, Prefix) { // of the whole bucket, only what a queue has put there
		return object{}, errForm
	}
	o.key = key
	return o, nil
}
