package wxmsg_test

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
)

// replyVector is a vector of the shared file that encrypts an answer.
type replyVector struct {
	ID     string `json:"id"`
	Token  string `json:"token"`
	AESKey string `json:"encoding_aes_key"`
	AppID  string `json:"appid"`
	Input  *struct {
		Random string `json:"random_16"`
		Msg    string `json:"msg"`
		Nonce  string `json:"nonce"`
	} `json:"input"`
	Expected struct {
		Body       string          `json:"body"`
		BodyObject json.RawMessage `json:"body_object"`
	} `json:"expected"`
}

func replyVectors(t *testing.T) map[string]replyVector {
	t.Helper()
	raw, err := os.ReadFile("../wxcrypt/testdata/vectors/open-platform-crypto.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []replyVector `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	byID := map[string]replyVector{}
	for _, v := range file.Vectors {
		byID[v.ID] = v
	}
	return byID
}

func TestReplyVectors(t *testing.T) {
	t.Parallel()
	const user, acc = "oExampleOpenId_-0123456789AB", "gh_0123456789ab"
	tests := []struct {
		id     string
		format account.Format
		plain  *wxmsg.Transfer // nil: the plaintext is the vector's
		at     int64
	}{
		{"own-json-transfer-reply", account.JSON, &wxmsg.Transfer{To: user, From: acc, Time: 1700000002}, 1700000002},
		{"own-xml-transfer-reply", account.XML, &wxmsg.Transfer{To: user, From: acc, Time: 1700000102, KfAccount: "test1@test"}, 1700000102},
		{"official-secure-json-reply", account.JSON, nil, 1713424427},
		{"official-component-xml-reply", account.XML, nil, 1713424427},
	}
	vectors := replyVectors(t)
	for _, tc := range tests {
		t.Run(tc.id, func(t *testing.T) {
			t.Parallel()
			v, ok := vectors[tc.id]
			if !ok {
				t.Fatal("no such vector")
			}
			msg := []byte(v.Input.Msg)
			if tc.plain != nil {
				msg = wxmsg.TransferReply(tc.format, *tc.plain)
				if string(msg) != v.Input.Msg {
					t.Errorf("plaintext:\ngot  %s\nwant %s", msg, v.Input.Msg)
				}
			}
			key, err := wxcrypt.ParseKey(v.AESKey)
			if err != nil {
				t.Fatal(err)
			}
			e := wxmsg.Encrypted{Encrypt: key.Encrypt([16]byte([]byte(v.Input.Random)), msg, v.AppID), Time: tc.at, Nonce: v.Input.Nonce}
			e.Signature = wxcrypt.Signature(v.Token, strconv.FormatInt(tc.at, 10), e.Nonce, e.Encrypt)
			got := wxmsg.EncryptedReply(tc.format, e)
			want := []byte(v.Expected.Body)
			if len(want) == 0 {
				want = v.Expected.BodyObject
			}
			if tc.plain != nil && tc.format == account.XML && string(got) != string(want) {
				t.Errorf("body:\ngot  %s\nwant %s", got, want)
			}
			if g, w := fields(t, got), fields(t, want); g != w {
				t.Errorf("fields:\ngot  %s\nwant %s", g, w)
			}
		})
	}
}

func mustRead(t *testing.T, body string) wxmsg.Node {
	t.Helper()
	n, err := wxmsg.Read([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return n
}

// fields lists what a body holds, whatever white space stands between.
func fields(t *testing.T, body []byte) string {
	t.Helper()
	p := plainOf(mustRead(t, string(body)))
	p.Text = ""
	return p.String()
}

func TestReplyEscapes(t *testing.T) {
	t.Parallel()
	tr := wxmsg.Transfer{To: `a"b<c>&]]>d`, From: "gh_1", Time: 1}
	const wantJSON = `{"ToUserName":"a\"b<c>&]]>d","FromUserName":"gh_1","CreateTime":1,"MsgType":"transfer_customer_service"}`
	if got := string(wxmsg.TransferReply(account.JSON, tr)); got != wantJSON {
		t.Errorf("got  %s\nwant %s", got, wantJSON)
	}
	const wantXML = `<xml><ToUserName><![CDATA[a"b<c>&]]]]><![CDATA[>d]]></ToUserName><FromUserName><![CDATA[gh_1]]></FromUserName>` +
		`<CreateTime>1</CreateTime><MsgType><![CDATA[transfer_customer_service]]></MsgType></xml>`
	if got := string(wxmsg.TransferReply(account.XML, tr)); got != wantXML {
		t.Errorf("got  %s\nwant %s", got, wantXML)
	}
	tr.KfAccount = "k"
	const nested = `{"ToUserName":"a\"b<c>&]]>d","FromUserName":"gh_1","CreateTime":1,"MsgType":"transfer_customer_service","TransInfo":{"KfAccount":"k"}}`
	if got := string(wxmsg.TransferReply(account.JSON, tr)); got != nested {
		t.Errorf("got  %s\nwant %s", got, nested)
	}
}
