package wechat_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/core/account"
)

// The budget is that BenchmarkCallback takes at most 1.5 times as long as
// BenchmarkCallbackStdlib, which is the bare cryptography on the same bytes: run
//
//	go test -bench Callback -run xxx ./shared/adapter/wechat/...
//
// A message of 600 bytes, in secure mode, in both formats.
var benchMessages = map[account.Format]string{
	account.XML: pad600("<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n<FromUserName><![CDATA[oExampleOpenId_-0123456789AB]]></FromUserName>\n"+
		"<CreateTime>1700000000</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[你好，我的订单 12345 什么时候发货？", "]]></Content>\n<MsgId>23637352235060881</MsgId>\n</xml>"),
	account.JSON: pad600(`{"ToUserName":"gh_0123456789ab","FromUserName":"oExampleOpenId_-0123456789AB","CreateTime":1700000000,"MsgType":"text",`+
		`"Content":"你好，我的订单 12345 什么时候发货？`, `","MsgId":23637352235060881}`),
}

// pad600 writes letters between the two halves until there are 600 bytes.
func pad600(head, tail string) string {
	return head + strings.Repeat("Please tell me. ", 40)[:600-len(head)-len(tail)] + tail
}

func BenchmarkCallback(b *testing.B) {
	for format, text := range benchMessages {
		b.Run(string(format), func(b *testing.B) {
			acc := secureAccount(format)
			query, body := sealed(b, acc, text)
			var inbox wechat.Inbox
			at := time.Unix(1700000001, 0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := inbox.Open(acc, query, body, at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCallbackStdlib(b *testing.B) {
	for format, text := range benchMessages {
		b.Run(string(format), func(b *testing.B) {
			acc := secureAccount(format)
			encrypt := []byte(sealText(b, acc, text))
			key, err := base64.StdEncoding.DecodeString(acc.AESKey.Reveal() + "=")
			if err != nil {
				b.Fatal(err)
			}
			block, err := aes.NewCipher(key)
			if err != nil {
				b.Fatal(err)
			}
			request := []byte("1700000000" + "987654321" + acc.Token.Reveal())
			signed := append(append([]byte{}, request...), encrypt...)
			b.ReportAllocs()
			for b.Loop() {
				for _, text := range [][]byte{request, signed} { // signature and msg_signature
					sum := sha1.Sum(text)
					var sig [40]byte
					hex.Encode(sig[:], sum[:])
				}
				buf := make([]byte, base64.StdEncoding.DecodedLen(len(encrypt)))
				n, err := base64.StdEncoding.Decode(buf, encrypt)
				if err != nil {
					b.Fatal(err)
				}
				cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(buf[:n], buf[:n])
			}
		})
	}
}

// secureAccount is an account in secure mode.
func secureAccount(format account.Format) account.Account {
	return account.Account{
		ID: "shop", Channel: account.MiniProgram, AppID: "wx0123456789abcdef", OriginalID: "gh_0123456789ab",
		Mode: account.Secure, Format: format, Token: "kfToken2026", AESKey: currentKey, AESKeyPrevious: "",
	}
}

// Two EncodingAESKeys of the shared vectors.
const (
	currentKey  = "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG"
	previousKey = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0"
)

// sealText encrypts a text as the platform does, with the account's current key.
func sealText(t testing.TB, acc account.Account, text string) string {
	t.Helper()
	key, err := wxcrypt.ParseKey(acc.AESKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return key.Encrypt([16]byte([]byte("0123456789abcdef")), []byte(text), acc.AppID)
}

// sealed is a push in secure mode: its query and its body.
func sealed(t testing.TB, acc account.Account, text string) (url.Values, []byte) {
	t.Helper()
	encrypt := sealText(t, acc, text)
	query := signedQuery(acc)
	query.Set("openid", "oExampleOpenId_-0123456789AB")
	query.Set("encrypt_type", "aes")
	query.Set("msg_signature", wxcrypt.Signature(acc.Token.Reveal(), "1700000000", "987654321", encrypt))
	if acc.Format == account.JSON {
		return query, []byte(`{"ToUserName":"` + acc.OriginalID + `","Encrypt":"` + encrypt + `"}`)
	}
	return query, []byte("<xml>\n    <ToUserName><![CDATA[" + acc.OriginalID + "]]></ToUserName>\n    <Encrypt><![CDATA[" + encrypt + "]]></Encrypt>\n</xml>\n")
}

// signedQuery is the query of any push: the signature of three parts.
func signedQuery(acc account.Account) url.Values {
	return url.Values{
		"signature": {wxcrypt.Signature(acc.Token.Reveal(), "1700000000", "987654321")},
		"timestamp": {"1700000000"}, "nonce": {"987654321"},
	}
}
