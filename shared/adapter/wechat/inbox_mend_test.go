package wechat

import (
	"net/url"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// TestReadMends: what a customer pasted is seen, without what no format can carry.
func TestReadMends(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"XML, control characters":  "<xml><ToUserName>gh_1</ToUserName><FromUserName>mei</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content><![CDATA[a\x08b\x00c]]></Content><MsgId>1</MsgId></xml>",
		"JSON, control characters": "{\"ToUserName\":\"gh_1\",\"FromUserName\":\"mei\",\"CreateTime\":1700000000,\"MsgType\":\"text\",\"Content\":\"a\x08b\x00c\",\"MsgId\":1}",
	} {
		in, err := (&Inbox{}).Read(account.Account{ID: "shop", Channel: account.MiniProgram}, message.Push{Body: []byte(body), ReceivedAt: time.Unix(1700000001, 0)})
		if err != nil || in.Customer != "mei" || in.Key != "m:mei:1700000000:1" || in.Content.Text == nil || in.Content.Text.Content != "abc" {
			t.Errorf("%s: got %+v, %v", name, in, err)
		}
	}
	broken := "<xml><FromUserName>mei</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>a\xff</Content><MsgId>1</MsgId></xml>"
	in, err := (&Inbox{}).Read(account.Account{ID: "shop"}, message.Push{Body: []byte(broken)})
	if err != nil || in.Content.Text == nil || in.Content.Text.Content != "a\uFFFD" {
		t.Errorf("no UTF-8: got %+v, %v", in, err)
	}
	if _, err := (&Inbox{}).Read(account.Account{ID: "shop"}, message.Push{Body: []byte("<xml><a></xml>")}); err == nil {
		t.Error("what is no XML at all was read")
	}
}

// TestOpenWithoutAddress: a push that is signed well and names no account is kept;
// only one that names another is refused.
func TestOpenWithoutAddress(t *testing.T) {
	t.Parallel()
	acc := account.Account{ID: "shop", Channel: account.MiniProgram, AppID: "wx1", OriginalID: "gh_1", Mode: account.Plaintext, Token: "t"}
	query := url.Values{"timestamp": {"1"}, "nonce": {"2"}, "signature": {wxcrypt.Signature("t", "1", "2")}}
	for body, want := range map[string]string{
		`{}`:                        "",
		`{"FromUserName":"mei"}`:    "",
		`{"ToUserName":"gh_1"}`:     "",
		`hello`:                     "",
		`{"ToUserName":"gh_other"}`: CodeOriginalID,
	} {
		_, err := (&Inbox{}).Open(acc, query, []byte(body), time.Unix(1700000001, 0))
		if (err == nil) != (want == "") || (err != nil && fault.CodeOf(err) != want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}
