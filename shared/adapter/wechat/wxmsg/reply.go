package wxmsg

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"kefu/shared/core/account"
)

// Encrypted is an encrypted answer to a push.
type Encrypted struct {
	Encrypt   string // of wxcrypt's Key.Encrypt
	Signature string // over token, Time, Nonce and Encrypt
	Time      int64  // own time, Unix seconds
	Nonce     string // the push's own
}

// EncryptedReply writes an encrypted answer. The format must be the account's:
// the platform takes an answer in the other one for a failure.
func EncryptedReply(f account.Format, e Encrypted) []byte {
	w := writer{json: f == account.JSON}
	w.begin()
	w.text("Encrypt", e.Encrypt)
	w.text("MsgSignature", e.Signature)
	w.number("TimeStamp", e.Time)
	w.text("Nonce", e.Nonce)
	return w.end()
}

// Transfer hands a customer's message to the platform's own customer-service tool.
type Transfer struct {
	To        string // the customer: FromUserName of the push
	From      string // the account: ToUserName of the push
	Time      int64  // own time, Unix seconds
	KfAccount string // whom to ask; optional, Official Account only
}

// TransferReply writes the plaintext of the answer transfer_customer_service.
func TransferReply(f account.Format, t Transfer) []byte {
	w := writer{json: f == account.JSON}
	w.begin()
	w.text("ToUserName", t.To)
	w.text("FromUserName", t.From)
	w.number("CreateTime", t.Time)
	w.text("MsgType", "transfer_customer_service")
	if t.KfAccount != "" {
		w.nest("TransInfo", func() { w.text("KfAccount", t.KfAccount) })
	}
	return w.end()
}

// writer writes elements in one of the two formats.
type writer struct {
	b     bytes.Buffer
	json  bool
	later bool // a member stands before this one
}

func (w *writer) begin() {
	if w.json {
		w.b.WriteByte('{')
	} else {
		w.b.WriteString("<xml>")
	}
}

func (w *writer) end() []byte {
	if w.json {
		w.b.WriteByte('}')
	} else {
		w.b.WriteString("</xml>")
	}
	return w.b.Bytes()
}

func (w *writer) element(name string, value func()) {
	if w.json {
		if w.later {
			w.b.WriteByte(',')
		}
		w.later = true
		w.b.WriteString(`"` + name + `":`)
		value()
		return
	}
	w.b.WriteString("<" + name + ">")
	value()
	w.b.WriteString("</" + name + ">")
}

func (w *writer) number(name string, n int64) {
	w.element(name, func() { w.b.WriteString(strconv.FormatInt(n, 10)) })
}

func (w *writer) nest(name string, inside func()) {
	w.element(name, func() {
		if !w.json {
			inside()
			return
		}
		w.later = false
		w.b.WriteByte('{')
		inside()
		w.b.WriteByte('}')
		w.later = true
	})
}

func (w *writer) text(name, s string) {
	w.element(name, func() {
		if w.json {
			w.b.Write(quote(s))
			return
		}
		// A CDATA section can't hold its own end: cut it there.
		w.b.WriteString("<![CDATA[" + strings.ReplaceAll(xmlText(s), "]]>", "]]]]><![CDATA[>") + "]]>")
	})
}

// xmlText replaces what no XML document may hold.
func xmlText(s string) string {
	return strings.Map(func(c rune) rune {
		if !isChar(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}

// quote writes a JSON string as raw UTF-8: the platform shows \u003c as it stands.
func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return []byte(`""`) // a string always encodes
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
