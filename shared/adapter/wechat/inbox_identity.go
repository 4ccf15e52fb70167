package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
)

// maxKey bounds the key of a push, in bytes. A menu key may be a long address; a
// longer one is replaced by its hash.
const maxKey = 200

// maxCustomer bounds a sender's id, in bytes; an openid has 28.
const maxCustomer = 128

// identity says whose a push is, and which.
type identity struct {
	customer account.Customer // empty: nobody's
	key      string           // see message.Inbound
	to       []byte           // ToUserName, in the body
}

// The fields that tell a push from others.
const (
	fieldType = iota
	fieldTo
	fieldFrom
	fieldCreated
	fieldMsgID
	fieldEvent
	fieldEventKey
	fieldInfo
	identityFields
)

func identityField(name []byte) int {
	switch string(name) {
	case "MsgType":
		return fieldType
	case "ToUserName":
		return fieldTo
	case "FromUserName":
		return fieldFrom
	case "CreateTime":
		return fieldCreated
	case "MsgId":
		return fieldMsgID
	case "Event":
		return fieldEvent
	case "EventKey":
		return fieldEventKey
	case "InfoType":
		return fieldInfo
	}
	return -1
}

// identify reads whose a push is. The error is one of wxmsg: the body can't be read.
func identify(body []byte) (identity, error) {
	var f [identityFields][]byte
	if err := wxmsg.Pick(body, f[:], identityField); err != nil {
		return identity{}, err
	}
	kind := f[fieldType]
	switch {
	case len(kind) == 0 && len(f[fieldInfo]) > 0:
		return identify3rd(body)
	case string(kind) == "event":
		return identifyEvent(body, &f)
	}
	id := identity{to: f[fieldTo]}
	var room [maxKey]byte
	switch {
	case len(kind) == 0:
		id.key = rawKey(body)
	case len(f[fieldMsgID]) == 0:
		id.key = bounded(append(parts(room[:0], "m:", &f), bodyHash(body)...))
	default:
		id.key = bounded(append(parts(room[:0], "m:", &f), f[fieldMsgID]...))
	}
	id.customer = customerIn(id.key, f[fieldFrom])
	return id, nil
}

// identifyEvent: an event has no id. The platform advises sender and time, which two
// events of one second share, so name, key and what else tells siblings apart are added.
func identifyEvent(body []byte, f *[identityFields][]byte) (identity, error) {
	name := strings.ToLower(string(f[fieldEvent])) // SCAN and CLICK, but subscribe: the platform's spelling is no promise
	rule, known := events[name]
	customer := customerOf(f[fieldFrom])
	var room [maxKey]byte
	key := append(append(parts(room[:0], "e:", f), name...), ':')
	key = append(key, f[fieldEventKey]...)
	if rule.apart != nil || rule.sender != "" {
		n, err := wxmsg.Read(body)
		if err != nil {
			return identity{}, err
		}
		for _, field := range rule.apart {
			key = append(append(key, ':'), n.Child(field).TextBytes()...)
		}
		switch rule.sender {
		case "":
		case nobody:
			customer = ""
		default:
			customer = customerOf(n.Child(rule.sender).TextBytes())
		}
	}
	if !known || rule.whole || len(f[fieldCreated]) == 0 {
		key = append(append(key, ':'), bodyHash(body)...)
	}
	return identity{customer: customer, key: bounded(key), to: f[fieldTo]}, nil
}

// identify3rd reads a push to a third-party platform's authorisation address: a
// ticket, or a merchant who authorised the platform. It is no customer's, and is
// addressed to the component by AppId, which the ciphertext has checked.
func identify3rd(body []byte) (identity, error) {
	n, err := wxmsg.Read(body)
	if err != nil {
		return identity{}, err
	}
	key := []byte("i")
	for _, field := range []string{"InfoType", "CreateTime", "AppId", "AuthorizerAppid"} {
		key = append(append(key, ':'), n.Child(field).TextBytes()...)
	}
	if n.Get("CreateTime") == "" {
		key = append(append(key, ':'), bodyHash(body)...)
	}
	return identity{key: bounded(key)}, nil
}

// parts writes prefix from:created: and leaves the rest to the caller.
func parts(key []byte, prefix string, f *[identityFields][]byte) []byte {
	key = append(key, prefix...)
	key = append(append(key, f[fieldFrom]...), ':')
	return append(append(key, f[fieldCreated]...), ':')
}

// bounded hashes a key that no store would like: too long, or with control characters.
func bounded(key []byte) string {
	ok := len(key) <= maxKey
	for _, c := range key {
		if c < ' ' || c == 0x7f {
			ok = false
		}
	}
	if ok {
		return string(key)
	}
	sum := sha256.Sum256(key)
	return "h:" + hex.EncodeToString(sum[:])
}

// rawKey is the key of a push that can't be read.
func rawKey(body []byte) string {
	sum := sha256.Sum256(body)
	return "raw:" + hex.EncodeToString(sum[:])
}

// bodyHash stands in for an id where a push has none: every delivery of it has the
// same decrypted text.
func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// customerOf is a sender as a customer, nobody if it is no openid: printable ASCII
// without spaces.
func customerOf(sender []byte) account.Customer {
	if !isCustomer(sender) {
		return ""
	}
	return account.Customer(sender)
}

// customerIn is customerOf for the sender of a message with that key, whose second part
// it is if the key is not a hash: one allocation serves for both then.
func customerIn(key string, sender []byte) account.Customer {
	if rest, ok := strings.CutPrefix(key, "m:"); ok && strings.HasPrefix(rest, string(sender)) && isCustomer(sender) {
		return account.Customer(rest[:len(sender)])
	}
	return customerOf(sender)
}

func isCustomer(sender []byte) bool {
	for _, c := range sender {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(sender) <= maxCustomer
}
