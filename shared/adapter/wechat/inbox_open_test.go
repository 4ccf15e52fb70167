package wechat_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

var arrival = time.Date(2023, 11, 14, 22, 13, 21, 500, time.UTC) // 1700000001

// pushVector is a push of the shared vectors.
type pushVector struct {
	ID         string            `json:"id"`
	Token      account.Secret    `json:"token"`
	AESKey     account.Secret    `json:"encoding_aes_key"`
	AppID      string            `json:"appid"`
	Method     string            `json:"method"`
	Query      map[string]string `json:"query"`
	Body       string            `json:"body"`
	BodyObject json.RawMessage   `json:"body_object"`
	Encrypt    string            `json:"encrypt"`
	Expected   struct {
		Msg       string `json:"msg"`
		ReplyBody string `json:"reply_body"`
	} `json:"expected"`
	FailWith string `json:"must_fail_with"`
}

func (v pushVector) query() url.Values {
	q := url.Values{}
	for name, value := range v.Query {
		q.Set(name, value)
	}
	return q
}

func (v pushVector) account(mode account.Mode) account.Account {
	return account.Account{ID: "shop", AppID: v.AppID, Mode: mode, Token: v.Token, AESKey: v.AESKey}
}

func pushVectors(t testing.TB) (good, bad []pushVector) {
	t.Helper()
	raw, err := os.ReadFile("wxcrypt/testdata/vectors/open-platform-crypto.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors  []pushVector `json:"vectors"`
		Negative []pushVector `json:"negative"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors, file.Negative
}

// TestOpenVectors takes every push of the vectors through the whole of Open.
func TestOpenVectors(t *testing.T) {
	t.Parallel()
	want := map[string]message.Push{ // Customer and Key; the body is the vector's
		"official-plain-json-push":    {Customer: "o9AgO5Kd5ggOC-bXrbNODIiE3bGY", Key: "e:o9AgO5Kd5ggOC-bXrbNODIiE3bGY:1714037059:debug_demo::hello world"},
		"official-secure-json-push":   {Customer: "o9AgO5Kd5ggOC-bXrbNODIiE3bGY", Key: "e:o9AgO5Kd5ggOC-bXrbNODIiE3bGY:1714112445:debug_demo::hello world"},
		"official-component-xml-push": {Customer: "o9AgO5Kd5ggOC-bXrbNODIiE3bGY", Key: "e:o9AgO5Kd5ggOC-bXrbNODIiE3bGY:1715943329:debug_demo::hello world"},
		"easywechat-xml-push":         {Customer: "asdasdasdsadasd", Key: "m:asdasdasdsadasd:1234567898:12345"},
		"own-json-text-push-pad32":    {Customer: "oExampleOpenId_-0123456789AB", Key: "m:oExampleOpenId_-0123456789AB:1700000000:23637352235060881"},
		"own-xml-compat-event-push":   {Customer: "oExampleOpenId_-0123456789AB", Key: "e:oExampleOpenId_-0123456789AB:1700000100:user_enter_tempsession:"},
		"own-component-ticket-push":   {Customer: "", Key: "i:component_verify_ticket:1700000200:wxcomponent0123456:"},
	}
	good, _ := pushVectors(t)
	seen := 0
	for _, v := range good {
		if v.Method != "POST" {
			continue
		}
		seen++
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			mode, body, plain := account.Secure, []byte(v.Body), v.Expected.Msg
			switch {
			case strings.Contains(v.ID, "compat"):
				mode = account.Compatible
			case v.Encrypt == "":
				mode, body, plain = account.Plaintext, v.BodyObject, string(v.BodyObject)
			}
			var inbox wechat.Inbox
			got, err := inbox.Open(v.account(mode), v.query(), body, arrival)
			if err != nil {
				t.Fatalf("got %v", err)
			}
			w, ok := want[v.ID]
			if !ok || got.Account != "shop" || got.Customer != w.Customer || got.Key != w.Key || !got.ReceivedAt.Equal(arrival) {
				t.Errorf("got  %+v\nwant %+v", got, w)
			}
			if string(got.Body) != plain {
				t.Errorf("body:\ngot  %s\nwant %s", got.Body, plain)
			}
		})
	}
	if seen != len(want) {
		t.Errorf("%d pushes in the vectors; want %d", seen, len(want))
	}
}

func TestOpenNegativeVectors(t *testing.T) {
	t.Parallel()
	codes := map[string]string{
		"neg-signature": wechat.CodeSignature, "neg-signature-is-plain-signature": wechat.CodeSignature, "neg-appid": wechat.CodeAppID,
		"neg-tampered-last-byte": wechat.CodePadding, "neg-msg-len": wechat.CodeLength, "neg-pad-zero": wechat.CodePadding, "neg-not-base64": wechat.CodeBase64,
	}
	_, bad := pushVectors(t)
	if len(bad) != len(codes) {
		t.Errorf("%d negative vectors; want %d", len(bad), len(codes))
	}
	for _, v := range bad {
		for _, mode := range []account.Mode{account.Secure, account.Compatible, account.Plaintext} {
			for _, body := range []string{
				`{"ToUserName":"gh_0123456789ab","Encrypt":"` + v.Encrypt + `"}`,
				`<xml><FromUserName>o1</FromUserName><MsgType>text</MsgType><MsgId>1</MsgId><Encrypt><![CDATA[` + v.Encrypt + `]]></Encrypt></xml>`,
			} {
				var inbox wechat.Inbox
				_, err := inbox.Open(v.account(mode), v.query(), []byte(body), arrival)
				checkRefusal(t, v.ID+" "+string(mode), err, codes[v.ID])
			}
		}
	}
}

// checkRefusal: the log has the code, the answer is one and the same.
func checkRefusal(t *testing.T, name string, err error, code string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != fault.Denied || fault.CodeOf(err) != code {
		t.Errorf("%s: got %v; want denied %s", name, err, code)
		return
	}
	if fault.Status(err) != 403 || fault.DetailOf(err) != fault.DetailOf(fault.Denied) || fault.Extra(err) != nil {
		t.Errorf("%s: the answer tells more than a refusal: %d %q %v", name, fault.Status(err), fault.DetailOf(err), fault.Extra(err))
	}
}

func TestEcho(t *testing.T) {
	t.Parallel()
	good, _ := pushVectors(t)
	v := good[0]
	var inbox wechat.Inbox
	for _, mode := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
		if got, err := inbox.Echo(v.account(mode), v.query()); err != nil || got != v.Expected.ReplyBody {
			t.Errorf("%s: got %q, %v; want %q", mode, got, err, v.Expected.ReplyBody)
		}
		for _, name := range []string{"signature", "timestamp", "nonce", "echostr"} {
			code := wechat.CodeSignature
			switch name {
			case "echostr":
				code = wechat.CodeEcho
			case "signature":
				code = wechat.CodeUnsigned
			}
			q := v.query()
			q.Del(name)
			_, err := inbox.Echo(v.account(mode), q)
			checkRefusal(t, "without "+name, err, code)
			if name == "echostr" {
				continue // which nothing signs
			}
			q = v.query()
			q.Set(name, q.Get(name)+"0")
			_, err = inbox.Echo(v.account(mode), q)
			checkRefusal(t, "wrong "+name, err, wechat.CodeSignature)
		}
	}
	_, err := inbox.Echo(account.Account{Mode: account.Secure}, url.Values{
		"signature": {wxcrypt.Signature("", "1", "2")}, "timestamp": {"1"}, "nonce": {"2"}, "echostr": {"3"},
	})
	checkRefusal(t, "account without a token", err, wechat.CodeSignature)
}

// delivery is a push as the platform sends it.
type delivery struct {
	acc   account.Account
	query url.Values
	body  string
}

// deliver makes one in the account's mode and format. key is what the platform uses.
func deliver(t testing.TB, acc account.Account, key account.Secret, fields string) delivery {
	t.Helper()
	whole := func(inside string) string {
		if acc.Format == account.JSON {
			return "{" + inside + "}"
		}
		return "<xml>" + inside + "</xml>"
	}
	d := delivery{acc: acc, query: signedQuery(acc), body: whole(fields)}
	if acc.Mode == account.Plaintext {
		return d
	}
	sealer := acc
	sealer.AESKey = key
	encrypt := sealText(t, sealer, d.body)
	d.query.Set("encrypt_type", "aes")
	d.query.Set("msg_signature", wxcrypt.Signature(acc.Token.Reveal(), "1700000000", "987654321", encrypt))
	member, to := "<Encrypt><![CDATA["+encrypt+"]]></Encrypt>", "<ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
	if acc.Format == account.JSON {
		member, to = `,"Encrypt":"`+encrypt+`"`, `"ToUserName":"gh_0123456789ab"`
	}
	if acc.Mode == account.Compatible {
		to = fields
	}
	d.body = whole(to + member)
	return d
}

var matrixFields = map[account.Format]string{
	account.JSON: `"ToUserName":"gh_0123456789ab","FromUserName":"oUser","CreateTime":1700000000,"MsgType":"text","Content":"你好😀","MsgId":23637352235060881`,
	account.XML: "<ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oUser]]></FromUserName><CreateTime>1700000000</CreateTime>" +
		"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好😀]]></Content><MsgId>23637352235060881</MsgId>",
}

func TestEveryModeFormatAndKey(t *testing.T) {
	t.Parallel()
	for _, mode := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
		for _, format := range []account.Format{account.JSON, account.XML} {
			for _, key := range []account.Secret{currentKey, previousKey} {
				t.Run(string(mode)+" "+string(format)+" "+key.Reveal()[:1], func(t *testing.T) {
					t.Parallel()
					acc := secureAccount(format)
					acc.Mode, acc.AESKeyPrevious = mode, previousKey
					d := deliver(t, acc, key, matrixFields[format])
					for _, without := range []string{"", "signature", "encrypt_type", "openid"} {
						if mode == account.Plaintext && without == "signature" {
							continue
						}
						d.query.Del(without)
						var inbox wechat.Inbox
						p, err := inbox.Open(acc, d.query, []byte(d.body), arrival)
						if err != nil {
							t.Fatalf("without %q: got %v", without, err)
						}
						in, err := inbox.Read(acc, p.Push)
						if err != nil {
							t.Fatalf("Read: %v", err)
						}
						const wantKey = "m:oUser:1700000000:23637352235060881"
						if p.Customer != "oUser" || p.Key != wantKey || in.Key != wantKey || in.Content.Text == nil || in.Content.Text.Content != "你好😀" {
							t.Errorf("without %q: got %+v %+v", without, p, in)
						}
					}
				})
			}
		}
	}
}

func TestOpenOversized(t *testing.T) {
	t.Parallel()
	var inbox wechat.Inbox
	for _, mode := range []account.Mode{account.Plaintext, account.Secure} {
		acc := secureAccount(account.XML)
		acc.Mode = mode
		_, err := inbox.Open(acc, signedQuery(acc), make([]byte, wechat.MaxBody+1), arrival)
		if fault.Status(err) != 413 || fault.KindOf(err) != fault.Invalid || fault.CodeOf(err) != wechat.CodeOversized {
			t.Errorf("%s: got %v with status %d; want oversized with 413", mode, err, fault.Status(err))
		}
	}
	acc := secureAccount(account.XML)
	acc.Mode, acc.OriginalID = account.Plaintext, ""
	body := "<xml><MsgType>text</MsgType><Content>" + strings.Repeat("a", wechat.MaxBody)
	body = body[:wechat.MaxBody-len("</Content></xml>")] + "</Content></xml>"
	if p, err := inbox.Open(acc, signedQuery(acc), []byte(body), arrival); err != nil || len(p.Body) != wechat.MaxBody {
		t.Errorf("just not oversized: got %d bytes, %v", len(p.Body), err)
	}
}

// TestPlaintextAccountTakesEncryptedPush: the console was just changed to secure.
func TestPlaintextAccountTakesEncryptedPush(t *testing.T) {
	t.Parallel()
	d := deliver(t, secureAccount(account.JSON), currentKey, matrixFields[account.JSON])
	d.acc.Mode = account.Plaintext
	var inbox wechat.Inbox
	p, err := inbox.Open(d.acc, d.query, []byte(d.body), arrival)
	if err != nil || p.Customer != "oUser" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// TestCompatibleUsesEncryptedCopy: nothing signs the plain one.
func TestCompatibleUsesEncryptedCopy(t *testing.T) {
	t.Parallel()
	acc := secureAccount(account.JSON)
	acc.Mode = account.Compatible
	d := deliver(t, acc, currentKey, matrixFields[account.JSON])
	d.body = strings.Replace(d.body, "oUser", "oMallory", 1)
	var inbox wechat.Inbox
	p, err := inbox.Open(d.acc, d.query, []byte(d.body), arrival)
	if err != nil || p.Customer != "oUser" || strings.Contains(string(p.Body), "oMallory") {
		t.Errorf("got %+v, %v; want the encrypted copy", p, err)
	}
}

// TestSignedButUnreadable: kept raw, whatever it is.
func TestSignedButUnreadable(t *testing.T) {
	t.Parallel()
	for _, mode := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
		acc := secureAccount(account.XML)
		acc.Mode = mode
		d := deliver(t, acc, currentKey, matrixFields[account.XML])
		text := "<xml><a>"
		if mode == account.Plaintext {
			d.body = text
		} else {
			encrypt := sealText(t, acc, text)
			d.body = "<xml><ToUserName>gh_0123456789ab</ToUserName><Encrypt>" + encrypt + "</Encrypt></xml>"
			d.query.Set("msg_signature", wxcrypt.Signature(acc.Token.Reveal(), "1700000000", "987654321", encrypt))
		}
		var inbox wechat.Inbox
		p, err := inbox.Open(acc, d.query, []byte(d.body), arrival)
		const wantKey = "raw:0c5dbb5d5a51031e91935f06bf35f5e572c91576960019b9e485a90326fbf5a2"
		if err != nil || p.Customer != "" || p.Key != wantKey || string(p.Body) != text {
			t.Errorf("%s: got %+v, %v", mode, p, err)
		}
		_, err = inbox.Read(acc, p.Push)
		if fault.KindOf(err) != fault.Invalid || fault.CodeOf(err) != wechat.CodeUnreadable {
			t.Errorf("%s: Read: got %v, want invalid unreadable", mode, err)
		}
	}
}
