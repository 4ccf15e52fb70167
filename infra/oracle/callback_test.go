package oracle

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	foreign "github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
)

// Made up, like everything here.
const (
	token     = "oracle-token"
	appID     = "wx0123456789abcdef"
	aesKey    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
	timestamp = "1767225600"
	nonce     = "1320562132"
)

// push is one encrypted push, as the platform posts it to the callback.
type push struct {
	body      []byte
	signature string // msg_signature of the query
	encrypt   string // what the body holds, for who measures the cryptography alone
}

// text is what a reader needs of a text message to put it into a queue.
type text struct{ from, kind, id, created, content string }

// encrypted makes a push of a text message whose plaintext has the given size in bytes. The foreign SDK encrypts and
// signs it, so that reading it means agreeing.
func encrypted(tb testing.TB, size int) push {
	tb.Helper()
	plain := plaintext(size)
	sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(plain), appID, aesKey)
	if err != nil {
		tb.Fatal(err)
	}
	p := push{encrypt: string(sealed), signature: util.Signature(token, timestamp, nonce, string(sealed))}
	p.body = []byte("<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><Encrypt><![CDATA[" + p.encrypt + "]]></Encrypt></xml>")
	return p
}

// plaintext is a text message of the given size.
func plaintext(size int) string {
	const head = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n" +
		"<FromUserName><![CDATA[oABCDEFGHIJKLMNOPQRSTUVWXYZ0]]></FromUserName>\n<CreateTime>1767225600</CreateTime>\n" +
		"<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA["
	const tail = "]]></Content>\n<MsgId>24681012141618202</MsgId></xml>"
	return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
}

var errRefused = errors.New("refused")

// ours reads a push with Kefu's parts. The key is parsed once per account, as in the product.
func ours(key *wxcrypt.Key, p push) (text, error) {
	envelope, err := wxmsg.ReadEnvelope(p.body)
	if err != nil {
		return text{}, err
	}
	if !wxcrypt.VerifyPush(p.signature, token, timestamp, nonce, envelope.Encrypt) {
		return text{}, errRefused
	}
	plain, err := key.Decrypt(envelope.Encrypt, appID)
	if err != nil {
		return text{}, err
	}
	m, err := wxmsg.Read(plain)
	if err != nil {
		return text{}, err
	}
	return text{m.Get("FromUserName"), m.Get("MsgType"), m.Get("MsgId"), m.Get("CreateTime"), m.Get("Content")}, nil
}

// theirs reads a push with the calls that silenceper's server makes, in its order, less its own HTTP work.
func theirs(p push) (*foreign.MixMessage, error) {
	var envelope foreign.EncryptedXMLMsg
	if err := xml.Unmarshal(p.body, &envelope); err != nil {
		return nil, err
	}
	if p.signature != util.Signature(token, timestamp, nonce, envelope.EncryptedMsg) {
		return nil, errRefused
	}
	_, plain, err := util.DecryptMsg(appID, envelope.EncryptedMsg, aesKey)
	if err != nil {
		return nil, err
	}
	m := new(foreign.MixMessage)
	return m, xml.Unmarshal(plain, m)
}

func parseKey(tb testing.TB) *wxcrypt.Key {
	tb.Helper()
	key, err := wxcrypt.ParseKey(aesKey)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// TestAgree reads what the foreign SDK wrote, at every length around the edges of a padding block.
func TestAgree(t *testing.T) {
	t.Parallel()
	key := parseKey(t)
	for size := 300; size < 300+70; size++ {
		p := encrypted(t, size)
		got, err := ours(key, p)
		if err != nil {
			t.Fatalf("plaintext of %d bytes: got error %v", size, err)
		}
		m, err := theirs(p)
		if err != nil {
			t.Fatalf("plaintext of %d bytes: the foreign SDK refuses its own: %v", size, err)
		}
		want := text{string(m.FromUserName), string(m.MsgType), "24681012141618202", timestamp, m.Content}
		if got != want {
			t.Errorf("plaintext of %d bytes: got %+v, want %+v", size, got, want)
		}
	}
}

// TestAgreeOnReplies has the foreign SDK decrypt what Kefu encrypts.
func TestAgreeOnReplies(t *testing.T) {
	t.Parallel()
	key := parseKey(t)
	for size := range 70 {
		want := strings.Repeat("y", size)
		sealed := key.Encrypt([16]byte{1, 2, 3}, []byte(want), appID)
		_, got, err := util.DecryptMsg(appID, sealed, aesKey)
		if err != nil || string(got) != want {
			t.Errorf("reply of %d bytes: the foreign SDK got %q, error %v, want %q", size, got, err, want)
		}
		theirSum, ourSum := util.Signature(token, timestamp, nonce, sealed), wxcrypt.Signature(token, timestamp, nonce, sealed)
		if ourSum != theirSum {
			t.Errorf("reply of %d bytes: got signature %s, want %s", size, ourSum, theirSum)
		}
	}
}
