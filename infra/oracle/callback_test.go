package oracle

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	foreign "github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

// Made up, like everything here.
const (
	token     = "oracle-token"
	appID     = "wx0123456789abcdef"
	aesKey    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
	timestamp = "1767225600"
	nonce     = "1320562132"
	original  = "gh_0123456789ab"
	customer  = "oABCDEFGHIJKLMNOPQRSTUVWXYZ0"
)

// shop is the account that the pushes are for.
var shop = account.Account{
	ID: "shop", Channel: account.Official, AppID: appID, OriginalID: original,
	Mode: account.Secure, Format: account.XML, Token: token, AESKey: aesKey,
}

var arrival = time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)

// push is one encrypted push, as the platform posts it to the callback.
type push struct {
	query   url.Values
	body    []byte
	encrypt string // what the body holds, for who measures the cryptography alone
}

// text is what both readers must make of a text message.
type text struct{ from, kind, id, content string }

// encrypted makes a push of a text message whose plaintext has the given size in bytes. The foreign SDK encrypts and
// signs it, so that reading it means agreeing.
func encrypted(tb testing.TB, size int) push {
	tb.Helper()
	sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(plaintext(size)), appID, aesKey)
	if err != nil {
		tb.Fatal(err)
	}
	return push{
		encrypt: string(sealed),
		query: url.Values{
			"signature": {util.Signature(token, timestamp, nonce)}, "timestamp": {timestamp}, "nonce": {nonce},
			"openid": {customer}, "encrypt_type": {"aes"},
			"msg_signature": {util.Signature(token, timestamp, nonce, string(sealed))},
		},
		body: []byte("<xml><ToUserName><![CDATA[" + original + "]]></ToUserName><Encrypt><![CDATA[" + string(sealed) + "]]></Encrypt></xml>"),
	}
}

// plaintext is a text message of the given size.
func plaintext(size int) string {
	const head = "<xml><ToUserName><![CDATA[" + original + "]]></ToUserName>\n" +
		"<FromUserName><![CDATA[" + customer + "]]></FromUserName>\n<CreateTime>" + timestamp + "</CreateTime>\n" +
		"<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA["
	const tail = "]]></Content>\n<MsgId>24681012141618202</MsgId></xml>"
	return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
}

var errRefused = errors.New("refused")

// opened is what the callback does with a push before it queues it: both signatures, decryption, whose it is and which.
func opened(inbox *wechat.Inbox, p push) (message.Push, error) {
	m, err := inbox.Open(shop, p.query, p.body, arrival)
	return m.Push, err
}

// queued is all that the callback does with a push but for its HTTP work: it opens it and writes it for the queue.
func queued(inbox *wechat.Inbox, p push) ([]byte, error) {
	m, err := opened(inbox, p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// read is what the foreign SDK does at once and Kefu in two functions: it opens a push and reads every field.
func read(inbox *wechat.Inbox, p push) (message.Inbound, error) {
	m, err := opened(inbox, p)
	if err != nil {
		return message.Inbound{}, err
	}
	return inbox.Read(shop, m)
}

// theirs reads a push with the calls that silenceper's server makes, in its order, less its own HTTP work.
func theirs(p push) (*foreign.MixMessage, error) {
	time, once := p.query.Get("timestamp"), p.query.Get("nonce")
	if p.query.Get("signature") != util.Signature(token, time, once) {
		return nil, errRefused
	}
	var envelope foreign.EncryptedXMLMsg
	if err := xml.Unmarshal(p.body, &envelope); err != nil {
		return nil, err
	}
	if p.query.Get("msg_signature") != util.Signature(token, time, once, envelope.EncryptedMsg) {
		return nil, errRefused
	}
	_, plain, err := util.DecryptMsg(appID, envelope.EncryptedMsg, aesKey)
	if err != nil {
		return nil, err
	}
	m := new(foreign.MixMessage)
	return m, xml.Unmarshal(plain, m)
}

// TestAgree reads what the foreign SDK wrote, at every length around the edges of a padding block.
func TestAgree(t *testing.T) {
	t.Parallel()
	var inbox wechat.Inbox
	for size := 300; size < 300+70; size++ {
		p := encrypted(t, size)
		in, err := read(&inbox, p)
		if err != nil {
			t.Fatalf("plaintext of %d bytes: got error %v", size, err)
		}
		m, err := theirs(p)
		if err != nil {
			t.Fatalf("plaintext of %d bytes: the foreign SDK refuses its own: %v", size, err)
		}
		if in.Content.Text == nil {
			t.Fatalf("plaintext of %d bytes: got %+v, want a text", size, in)
		}
		_, id, _ := strings.Cut(in.Key, timestamp+":")
		got := text{string(in.Customer), string(in.Content.Type), id, in.Content.Text.Content}
		want := text{string(m.FromUserName), string(m.MsgType), "24681012141618202", m.Content}
		if got != want || in.At.Unix() != m.CreateTime {
			t.Errorf("plaintext of %d bytes: got %+v at %d, want %+v at %d", size, got, in.At.Unix(), want, m.CreateTime)
		}
	}
}

// TestQueued reads back what goes to the queue.
func TestQueued(t *testing.T) {
	t.Parallel()
	var inbox wechat.Inbox
	body, err := queued(&inbox, encrypted(t, 600))
	if err != nil {
		t.Fatal(err)
	}
	var got message.Push
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Account != shop.ID || got.Customer != customer || string(got.Body) != plaintext(600) || !got.ReceivedAt.Equal(arrival) {
		t.Errorf("got %+v; want the push of %s with its body, at %v", got, customer, arrival)
	}
}

// TestAgreeOnReplies has the foreign SDK decrypt what Kefu encrypts.
func TestAgreeOnReplies(t *testing.T) {
	t.Parallel()
	key, err := wxcrypt.ParseKey(aesKey)
	if err != nil {
		t.Fatal(err)
	}
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
