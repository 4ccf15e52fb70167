package wechat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// answerVector is a vector of the shared file that encrypts an answer.
type answerVector struct {
	ID     string         `json:"id"`
	Token  account.Secret `json:"token"`
	AESKey account.Secret `json:"encoding_aes_key"`
	AppID  string         `json:"appid"`
	Input  struct {
		Random    string `json:"random_16"`
		Msg       string `json:"msg"`
		Timestamp string `json:"timestamp"`
		Nonce     string `json:"nonce"`
	} `json:"input"`
	Expected struct {
		Body       string          `json:"body"`
		BodyObject json.RawMessage `json:"body_object"`
	} `json:"expected"`
}

func answerVectors(t testing.TB) map[string]answerVector {
	t.Helper()
	raw, err := os.ReadFile("wxcrypt/testdata/vectors/open-platform-crypto.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []answerVector `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	byID := map[string]answerVector{}
	for _, v := range file.Vectors {
		byID[v.ID] = v
	}
	return byID
}

// want is the vector's answer without the white space of the platform's pages.
func (v answerVector) want() string {
	if v.Expected.Body != "" {
		return strings.ReplaceAll(v.Expected.Body, "\n", "")
	}
	var b bytes.Buffer
	if json.Compact(&b, v.Expected.BodyObject) != nil {
		return "(no JSON)"
	}
	return b.String()
}

// TestHandOverVectors answers the pushes that the shared vectors' answers belong to.
func TestHandOverVectors(t *testing.T) {
	t.Parallel()
	vectors := answerVectors(t)
	for _, tc := range []struct {
		id     string
		push   string // "" where the answer is no hand-over: then it is sealed as it stands
		format account.Format
		kf     string
	}{
		{"own-json-transfer-reply", `{"ToUserName":"gh_0123456789ab","FromUserName":"oExampleOpenId_-0123456789AB","CreateTime":1700000000,"MsgType":"text","Content":"a","MsgId":1}`, account.JSON, ""},
		{
			"own-xml-transfer-reply", "<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oExampleOpenId_-0123456789AB</FromUserName>" +
				"<CreateTime>1700000100</CreateTime><MsgType>text</MsgType><Content>a</Content><MsgId>1</MsgId></xml>", account.XML, "test1@test",
		},
		{"official-secure-json-reply", "", account.JSON, ""},
		{"official-component-xml-reply", "", account.XML, ""},
	} {
		t.Run(tc.id, func(t *testing.T) {
			t.Parallel()
			v, ok := vectors[tc.id]
			if !ok {
				t.Fatal("no such vector")
			}
			seconds, err := strconv.ParseInt(v.Input.Timestamp, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acc := account.Account{ID: "shop", Channel: official, AppID: v.AppID, Token: v.Token, AESKey: v.AESKey}
			acc.Settings.Routing.External.KfAccount = tc.kf
			inbox := wechat.Inbox{Random: strings.NewReader(v.Input.Random)}
			opened := message.Opened{Push: message.Push{Body: []byte(tc.push)}, AESKey: v.AESKey, Nonce: v.Input.Nonce}
			at := time.Unix(seconds, 999)
			var got []byte
			if tc.push == "" {
				got, err = wechat.Seal(&inbox, acc, opened, tc.format, []byte(v.Input.Msg), at)
			} else {
				got, err = inbox.HandOver(acc, opened, at)
			}
			if err != nil || string(got) != v.want() {
				t.Errorf("got  %s, %v\nwant %s", got, err, v.want())
			}
		})
	}
}

// answered is what the platform makes of an answer: it knows its own key, and nothing of ours.
func answered(t *testing.T, acc account.Account, key account.Secret, format account.Format, answer []byte) (map[string]string, wxmsg.Node) {
	t.Helper()
	if first := answer[0]; (first == '{') != (format == account.JSON) {
		t.Errorf("the answer begins with %c; want it in %s", first, format)
	}
	outer, err := wxmsg.Read(answer)
	if err != nil {
		t.Fatalf("the answer can't be read: %v", err)
	}
	if outer.Get("Encrypt") == "" {
		return nil, outer
	}
	seal := map[string]string{}
	for kid := range outer.Children() {
		seal[kid.Name()] = kid.Text()
	}
	if !wxcrypt.Verify(seal["MsgSignature"], acc.Token.Reveal(), seal["TimeStamp"], seal["Nonce"], seal["Encrypt"]) {
		t.Error("the answer's signature does not hold")
	}
	k, err := wxcrypt.ParseKey(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := k.Decrypt([]byte(seal["Encrypt"]), acc.AppID)
	if err != nil {
		t.Fatalf("the platform's key does not open the answer: %v", err)
	}
	if first := plain[0]; (first == '{') != (format == account.JSON) {
		t.Errorf("the sealed answer begins with %c; want it in %s", first, format)
	}
	inner, err := wxmsg.Read(plain)
	if err != nil {
		t.Fatalf("the sealed answer can't be read: %v", err)
	}
	return seal, inner
}

// TestHandOver: in every mode, both formats, under the current key and the one before.
// The account's own format is set wrongly all along: the push shows which one counts.
func TestHandOver(t *testing.T) {
	t.Parallel()
	answerAt := time.Unix(1700000007, 8)
	for _, mode := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
		for _, format := range []account.Format{account.JSON, account.XML} {
			for _, key := range []account.Secret{currentKey, previousKey} {
				t.Run(string(mode)+" "+string(format)+" "+key.Reveal()[:1], func(t *testing.T) {
					t.Parallel()
					acc := secureAccount(format)
					acc.Mode, acc.AESKeyPrevious = mode, previousKey
					d := deliver(t, acc, key, matrixFields[format])
					acc.Format = map[account.Format]account.Format{account.JSON: account.XML, account.XML: account.JSON}[format]
					acc.Settings.Routing.External.KfAccount = "test1@test" // not for a Mini Program
					var inbox wechat.Inbox
					o, err := inbox.Open(acc, d.query, []byte(d.body), arrival)
					if err != nil {
						t.Fatal(err)
					}
					answer, err := inbox.HandOver(acc, o, answerAt)
					if err != nil {
						t.Fatal(err)
					}
					seal, n := answered(t, acc, key, format, answer)
					switch {
					case (seal != nil) != (mode != account.Plaintext):
						t.Errorf("sealed: got %v in mode %s", seal != nil, mode)
					case seal != nil && (seal["Nonce"] != "987654321" || seal["TimeStamp"] != "1700000007" || len(seal) != 4):
						t.Errorf("seal: got %v; want the push's nonce, the time of now and four fields", seal)
					}
					if n.Get("ToUserName") != "oUser" || n.Get("FromUserName") != "gh_0123456789ab" ||
						n.Get("CreateTime") != "1700000007" || n.Get("MsgType") != "transfer_customer_service" || n.Get("TransInfo", "KfAccount") != "" {
						t.Errorf("got to %s, from %s, at %s, %s, for %s", n.Get("ToUserName"), n.Get("FromUserName"), n.Get("CreateTime"),
							n.Get("MsgType"), n.Get("TransInfo", "KfAccount"))
					}
				})
			}
		}
	}
}

// TestHandOverAsThePushCame: the push decides over the seal, whatever the account's mode has become.
func TestHandOverAsThePushCame(t *testing.T) {
	t.Parallel()
	d := deliver(t, secureAccount(account.JSON), currentKey, matrixFields[account.JSON])
	d.acc.Mode = account.Plaintext // here; the console is in secure mode by now
	var inbox wechat.Inbox
	o, err := inbox.Open(d.acc, d.query, []byte(d.body), arrival)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := inbox.HandOver(d.acc, o, arrival)
	if err != nil {
		t.Fatal(err)
	}
	if seal, _ := answered(t, d.acc, currentKey, account.JSON, answer); seal == nil {
		t.Errorf("got a plain answer to an encrypted push: %s", answer)
	}
}

func TestHandOverToOneAgent(t *testing.T) {
	t.Parallel()
	acc := secureAccount(account.XML)
	acc.Mode, acc.Channel = account.Plaintext, official
	acc.Settings.Routing.External.KfAccount = "test1@test"
	for format, fields := range matrixFields {
		acc.Format = format
		d := deliver(t, acc, "", fields)
		var inbox wechat.Inbox
		o, err := inbox.Open(acc, d.query, []byte(d.body), arrival)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := inbox.HandOver(acc, o, arrival)
		if err != nil {
			t.Fatal(err)
		}
		if _, n := answered(t, acc, "", format, answer); n.Get("TransInfo", "KfAccount") != "test1@test" {
			t.Errorf("%s: got %s, want the agent's account in it", format, answer)
		}
	}
}

// TestHandOverOfAMendedPush: what a customer pasted doesn't keep him from the tool.
func TestHandOverOfAMendedPush(t *testing.T) {
	t.Parallel()
	acc := secureAccount(account.JSON)
	d := deliver(t, acc, currentKey, strings.Replace(matrixFields[account.JSON], "你好", "\x08", 1))
	var inbox wechat.Inbox
	o, err := inbox.Open(acc, d.query, []byte(d.body), arrival)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := inbox.HandOver(acc, o, arrival)
	if err != nil {
		t.Fatal(err)
	}
	if _, n := answered(t, acc, currentKey, account.JSON, answer); n.Get("ToUserName") != "oUser" {
		t.Errorf("got %s, want it for oUser", answer)
	}
}

func TestHandOverSaltsEveryAnswer(t *testing.T) {
	t.Parallel()
	acc := secureAccount(account.JSON)
	d := deliver(t, acc, currentKey, matrixFields[account.JSON])
	var inbox wechat.Inbox
	o, err := inbox.Open(acc, d.query, []byte(d.body), arrival)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 10 {
		answer, err := inbox.HandOver(acc, o, arrival)
		if err != nil || seen[string(answer)] {
			t.Fatalf("got %s again, %v; want another salt each time", answer, err)
		}
		seen[string(answer)] = true
	}
}

// brokenSource gives a few bytes and then no more.
type brokenSource struct{ left int }

func (s *brokenSource) Read(b []byte) (int, error) {
	if s.left == 0 {
		return 0, errors.New("no more randomness")
	}
	n := min(s.left, len(b))
	s.left -= n
	return n, nil
}

func TestHandOverThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	acc := secureAccount(account.JSON)
	const whole = `{"ToUserName":"gh_1","FromUserName":"o1","MsgType":"text"}`
	for _, tc := range []struct {
		name, body string
		key        account.Secret
		random     *brokenSource
		kind       fault.Kind
		code       string
	}{
		{"no receiver", `{"FromUserName":"o1","MsgType":"text"}`, currentKey, nil, fault.Invalid, wechat.CodeNoAddress},
		{"no sender", `{"ToUserName":"gh_1","MsgType":"text"}`, currentKey, nil, fault.Invalid, wechat.CodeNoAddress},
		{"unreadable", `{"ToUserName`, currentKey, nil, fault.Invalid, wechat.CodeNoAddress},
		{"no body", ``, "", nil, fault.Invalid, wechat.CodeNoAddress},
		{"no randomness", whole, currentKey, &brokenSource{}, fault.Internal, "random"},
		{"too little randomness", whole, currentKey, &brokenSource{left: 15}, fault.Internal, "random"},
		{"a key that is none", whole, "short", nil, fault.Internal, wechat.CodeKey},
	} {
		var inbox wechat.Inbox
		if tc.random != nil {
			inbox.Random = tc.random
		}
		o := message.Opened{Push: message.Push{Body: []byte(tc.body)}, AESKey: tc.key, Nonce: "1"}
		answer, err := inbox.HandOver(acc, o, arrival)
		if answer != nil || fault.KindOf(err) != tc.kind || fault.CodeOf(err) != tc.code {
			t.Errorf("%s: got %s, %v; want %v %s", tc.name, answer, err, tc.kind, tc.code)
		}
	}
}

// TestOpenedIsNotQueued: what seals an answer stays out of the queue and out of logs.
func TestOpenedIsNotQueued(t *testing.T) {
	t.Parallel()
	o := message.Opened{Push: message.Push{Account: "shop", Key: "k"}, AESKey: currentKey, Nonce: "987654321"}
	b, err := json.Marshal(o)
	if err != nil || bytes.Contains(b, []byte(currentKey)) || bytes.Contains(b, []byte("987654321")) {
		t.Errorf("got %s, %v; want neither key nor nonce", b, err)
	}
}

// FuzzHandOver: whoever wrote and wherever to, what is sealed opens to just that.
func FuzzHandOver(f *testing.F) {
	f.Add("oUser", "gh_0123456789ab", uint64(987654321), "test1@test", int64(1700000007), []byte("0123456789abcdef"), true, false)
	f.Add(`o"<]]>&`, "gh\n", uint64(0), "", int64(0), []byte{}, false, true)
	f.Fuzz(func(t *testing.T, from, to string, number uint64, kf string, seconds int64, salt []byte, asXML, previous bool) {
		format, key := account.JSON, account.Secret(currentKey)
		if asXML {
			format = account.XML
		}
		if previous {
			key = previousKey
		}
		push := wxmsg.TransferReply(format, wxmsg.Transfer{To: to, From: from, Time: 1}) // has both addresses
		n, err := wxmsg.Read(push)
		if err != nil {
			t.Skip("no push has such a name")
		}
		from, to = n.Get("FromUserName"), n.Get("ToUserName")
		acc := secureAccount(format)
		acc.Channel, acc.Settings.Routing.External.KfAccount = official, kf
		inbox := wechat.Inbox{Random: bytes.NewReader(append(salt, make([]byte, 16)...))}
		nonce := strconv.FormatUint(number, 10)
		answer, err := inbox.HandOver(acc, message.Opened{Push: message.Push{Body: push}, AESKey: key, Nonce: nonce}, time.Unix(seconds, 0))
		if from == "" || to == "" {
			if fault.CodeOf(err) != wechat.CodeNoAddress {
				t.Errorf("got %v without an address", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		seal, got := answered(t, acc, key, format, answer)
		if seal["Nonce"] != nonce {
			t.Errorf("got nonce %s, want %s", seal["Nonce"], nonce)
		}
		if got.Get("ToUserName") != from || got.Get("FromUserName") != to || got.Get("CreateTime") != strconv.FormatInt(seconds, 10) {
			t.Errorf("got to %q from %q at %s", got.Get("ToUserName"), got.Get("FromUserName"), got.Get("CreateTime"))
		}
	})
}
