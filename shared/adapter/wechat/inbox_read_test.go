package wechat_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

var updateInbound = flag.Bool("update-inbound", false, "rewrite testdata/inbound")

// field is a field of a push: text, int (a number in JSON), or fields inside.
type field struct {
	name  string
	value any
}

type fields []field

// write renders fields as the platform would.
func (f fields) write(format account.Format) string {
	var b strings.Builder
	for i, x := range f {
		if format == account.JSON && i > 0 {
			b.WriteString(",")
		}
		value := ""
		switch v := x.value.(type) {
		case fields:
			value = v.write(format)
			if format == account.JSON {
				value = "{" + value + "}"
			}
		case []fields:
			for j, item := range v {
				if format == account.XML {
					value += "<item>" + item.write(format) + "</item>"
					continue
				}
				if j > 0 {
					value += ","
				}
				value += "{" + item.write(format) + "}"
			}
			if format == account.JSON {
				value = "[" + value + "]"
			}
		case int:
			value = strconv.Itoa(v)
		case string:
			value = "<![CDATA[" + v + "]]>"
			if format == account.JSON {
				quoted, err := json.Marshal(v)
				if err != nil {
					return err.Error()
				}
				value = string(quoted)
			}
		}
		if format == account.JSON {
			fmt.Fprintf(&b, "%q:%s", x.name, value)
		} else {
			fmt.Fprintf(&b, "<%s>%s</%s>", x.name, value, x.name)
		}
	}
	return b.String()
}

func (f fields) body(format account.Format) []byte {
	if format == account.JSON {
		return []byte("{" + f.write(format) + "}")
	}
	return []byte("<xml>" + f.write(format) + "</xml>")
}

const (
	mini     = account.MiniProgram
	official = account.Official
)

// said is a message or an event of the customer oUser.
func said(kind string, more ...field) fields {
	return append(fields{{"ToUserName", "gh_1"}, {"FromUserName", "oUser"}, {"CreateTime", 1700000000}, {"MsgType", kind}}, more...)
}

func event(name string, more ...field) fields {
	return said("event", append(fields{{"Event", name}}, more...)...)
}

// inboundCases are every type of sections 2.2 and 2.3 of the protocol and what else
// may come. What Kefu makes of each is in testdata/inbound.
var inboundCases = []struct {
	name    string
	channel account.Channel
	push    fields
}{
	{"text", mini, said("text", field{"Content", "你好😀 <a&b>\n\"q\""}, field{"MsgId", 23637352235060881})},
	{"text-id-no-number", mini, said("text", field{"Content", "hi"}, field{"MsgId", "8f3a-hash"})},
	{"text-no-id", mini, said("text", field{"Content", "hi"})},
	{"text-msgmenu", official, said("text", field{"Content", "Yes"}, field{"MsgId", 1}, field{"bizmsgmenuid", "101"})},
	{"text-article", official, said("text", field{"Content", "hi"}, field{"MsgId", 1}, field{"MsgDataId", "9"}, field{"Idx", 1})},
	{"text-sub-merchant", mini, said("text", field{"Content", "hi"}, field{"MsgId", 1}, field{"BusinessId", 7})},
	{"image", mini, said("image", field{"PicUrl", "http://pic.example/1"}, field{"MediaId", "m-1"}, field{"MsgId", 2})},
	{"image-no-media", mini, said("image", field{"PicUrl", "http://pic.example/1"}, field{"MsgId", 2})},
	{"miniprogrampage", mini, said("miniprogrampage", field{"MsgId", 3}, field{"Title", "T"}, field{"AppId", "wx2"},
		field{"PagePath", "pages/a?x=1"}, field{"ThumbUrl", "http://pic.example/2"}, field{"ThumbMediaId", "m-2"})},
	{"voice", official, said("voice", field{"MediaId", "m-3"}, field{"Format", "amr"}, field{"MediaId16K", "m-4"}, field{"Recognition", "你好"}, field{"MsgId", 4})},
	{"video", official, said("video", field{"MediaId", "m-5"}, field{"ThumbMediaId", "m-6"}, field{"MsgId", 5})},
	{"shortvideo", official, said("shortvideo", field{"MediaId", "m-5"}, field{"ThumbMediaId", "m-6"}, field{"MsgId", 6})},
	{"location", official, said("location", field{"Location_X", "23.134521"}, field{"Location_Y", "113.358803"}, field{"Scale", 20}, field{"Label", "广州"}, field{"MsgId", 7})},
	{"location-nowhere", official, said("location", field{"Location_X", "NaN"}, field{"Location_Y", "1e999"}, field{"Scale", "x"}, field{"MsgId", 7})},
	{"link", official, said("link", field{"Title", "T"}, field{"Description", "D"}, field{"Url", "https://example.com/"}, field{"MsgId", 8})},
	{"unknown-message", official, said("file", field{"FileName", "a.pdf"}, field{"MsgId", 9})},
	{"unknown-type", official, said("hardware", field{"Device", "d"})},
	{"no-type", official, fields{{"ToUserName", "gh_1"}, {"action", "CheckContainerPath"}}},

	{"enter", mini, event("user_enter_tempsession", field{"SessionFrom", "order=42&src=详情页"})},
	{"enter-official", official, event("user_enter_tempsession", field{"SessionFrom", ""})},
	{"follow", official, event("subscribe")},
	{"follow-by-code", official, event("subscribe", field{"EventKey", "qrscene_123"}, field{"Ticket", "T"})},
	{"follow-mini", mini, event("subscribe")},
	{"unfollow", official, event("unsubscribe")},
	{"scan", official, event("SCAN", field{"EventKey", "123"}, field{"Ticket", "T"})},
	{"scan-lower-case", official, event("scan", field{"EventKey", "123"})},
	{"event-location", official, event("LOCATION", field{"Latitude", "23.1"}, field{"Longitude", "113.3"}, field{"Precision", "65.0"})},
	{"click", official, event("CLICK", field{"EventKey", "K1"})},
	{"view", official, event("VIEW", field{"EventKey", "https://example.com/"}, field{"MenuId", 5})},
	{"scancode-push", official, event("scancode_push", field{"EventKey", "K2"}, field{"ScanCodeInfo", fields{{"ScanType", "qrcode"}, {"ScanResult", "1"}}})},
	{"scancode-waitmsg", official, event("scancode_waitmsg", field{"EventKey", "K3"}, field{"ScanCodeInfo", fields{{"ScanType", "qrcode"}, {"ScanResult", "2"}}})},
	{"pic-sysphoto", official, event("pic_sysphoto", field{"EventKey", "K4"}, field{"SendPicsInfo", fields{{"Count", 2}, {"PicList", []fields{{{"PicMd5Sum", "a1"}}, {{"PicMd5Sum", "b2"}}}}}})},
	{"pic-photo-or-album", official, event("pic_photo_or_album", field{"EventKey", "K5"})},
	{"pic-weixin", official, event("pic_weixin", field{"EventKey", "K6"})},
	{"location-select", official, event("location_select", field{"EventKey", "K7"}, field{"SendLocationInfo", fields{{"Location_X", "23"}, {"Location_Y", "113"}, {"Scale", "15"}, {"Label", "L"}, {"Poiname", ""}}})},
	{"view-miniprogram", official, event("view_miniprogram", field{"EventKey", "pages/a"}, field{"MenuId", 5})},
	{"kf-create-session", official, event("kf_create_session", field{"KfAccount", "a@b"})},
	{"kf-close-session", official, event("kf_close_session", field{"KfAccount", "a@b"})},
	{"kf-switch-session", official, event("kf_switch_session", field{"FromKfAccount", "a@b"}, field{"ToKfAccount", "c@b"})},
	{"media-check", mini, event("wxa_media_check", field{"appid", "wx1"}, field{"trace_id", "t-1"}, field{"version", 2}, field{"errcode", 0}, field{"errmsg", "ok"},
		field{"result", fields{{"suggest", "pass"}, {"label", 100}}}, field{"detail", []fields{{{"strategy", "content_model"}, {"suggest", "pass"}}}})},
	{"authorization-revoke", mini, event("user_authorization_revoke", field{"OpenID", "oReal"}, field{"AppID", "wx1"}, field{"RevokeInfo", "201"})},
	{"debug", mini, event("debug_demo", field{"debug_str", "hello world"})},
	{"subscribe-msg-popup", mini, event("subscribe_msg_popup_event", field{"List", []fields{{{"TemplateId", "a"}}, {{"TemplateId", "b"}}}})},
	{"subscribe-msg-change", mini, event("subscribe_msg_change_event", field{"List", fields{{"TemplateId", "a"}}})},
	{"subscribe-msg-sent", mini, event("subscribe_msg_sent_event", field{"List", fields{{"TemplateId", "a"}}})},
	{"unknown-event", mini, event("trade_manage_remind_shipping", field{"order_id", 7})},
	{"unknown-event-with-our-word", mini, event("enter", field{"x", 7})},

	{"ticket", mini, fields{{"AppId", "wxcomponent"}, {"CreateTime", 1700000000}, {"InfoType", "component_verify_ticket"}, {"ComponentVerifyTicket", "ticket@@@secret"}}},
	{"authorized", mini, fields{
		{"AppId", "wxcomponent"},
		{"CreateTime", 1700000000},
		{"InfoType", "authorized"},
		{"AuthorizerAppid", "wx3"},
		{"AuthorizationCode", "secret"},
		{"AuthorizationCodeExpiredTime", 1700003600},
		{"PreAuthCode", "secret"},
	}},
	{"updateauthorized", mini, fields{{"AppId", "wxcomponent"}, {"CreateTime", 1700000000}, {"InfoType", "updateauthorized"}, {"AuthorizerAppid", "wx3"}}},
	{"unauthorized", mini, fields{{"AppId", "wxcomponent"}, {"CreateTime", 1700000000}, {"InfoType", "unauthorized"}, {"AuthorizerAppid", "wx3"}}},
	{"unknown-info", mini, fields{{"AppId", "wxcomponent"}, {"CreateTime", 1700000000}, {"InfoType", "notify_third_fasteregister"}, {"auth_code", "secret"}}},
}

// TestInbound: both formats of a push give the same, which stands in a golden file.
func TestInbound(t *testing.T) {
	t.Parallel()
	for _, tc := range inboundCases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", "inbound", tc.name+".golden")
			if *updateInbound {
				if err := os.WriteFile(path, []byte(readAs(t, tc.channel, tc.push, account.JSON)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, format := range []account.Format{account.JSON, account.XML} {
				if got := readAs(t, tc.channel, tc.push, format); got != string(want) {
					t.Errorf("%s:\ngot  %s\nwant %s", format, got, want)
				}
			}
		})
	}
}

// readAs takes a push through Open and Read and shows what came out.
func readAs(t *testing.T, channel account.Channel, push fields, format account.Format) string {
	t.Helper()
	acc := account.Account{ID: "shop", Channel: channel, AppID: "wx1", Mode: account.Plaintext, Format: format, Token: "t"}
	var inbox wechat.Inbox
	p, err := inbox.Open(acc, signedQuery(acc), push.body(format), arrival)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	in, err := inbox.Read(acc, p.Push)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if in.Customer != p.Customer || in.Key != p.Key {
		t.Errorf("Open and Read differ: %q %q, %q %q", p.Customer, p.Key, in.Customer, in.Key)
	}
	// The two formats have two bodies, so what is made of the body is two.
	sum := sha256.Sum256(p.Body)
	in.Key = strings.Replace(in.Key, hex.EncodeToString(sum[:]), "(hash of the body)", 1)
	in.Key = strings.Replace(in.Key, hex.EncodeToString(sum[:16]), "(hash of the body)", 1)
	for i, m := range in.PlatformMedia {
		if len(m.ID) != 28 || !strings.HasPrefix(m.ID, "md") {
			t.Errorf("media id %q; want md and 26 characters", m.ID)
		}
		if ids := in.Content.Media(); ids[i] != m.ID {
			t.Errorf("media %d: got %q, content has %q", i, m.ID, ids[i])
		}
	}
	out, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

func TestCreatedAt(t *testing.T) {
	t.Parallel()
	arrived := arrival.Truncate(time.Second)
	sent := time.Unix(1700000000, 0).UTC()
	tests := map[string]time.Time{
		`1700000000`: sent, `"1700000000"`: sent, `" 1700000000 "`: sent, `1234567898`: time.Unix(1234567898, 0).UTC(),
		`""`: arrived, `null`: arrived, `0`: arrived, `-1`: arrived, `"soon"`: arrived, `1.7e9`: arrived, `1700000000.5`: arrived,
		`1700000000000`: arrived, `99999999999999999999`: arrived, `{"a":1}`: arrived,
		`1700086401`: time.Unix(1700086401, 0).UTC(), `1700086402`: arrived, // a day ahead, and more
	}
	var inbox wechat.Inbox
	for text, want := range tests {
		in, err := inbox.Read(account.Account{}, message.Push{Body: []byte(`{"MsgType":"text","CreateTime":` + text + `}`), ReceivedAt: arrival})
		if err != nil || !in.At.Equal(want) || in.At.Location() != time.UTC {
			t.Errorf("CreateTime %s: got %v, %v; want %v", text, in.At, err, want)
		}
	}
	in, err := inbox.Read(account.Account{}, message.Push{Body: []byte(`{}`), ReceivedAt: arrival})
	if err != nil || !in.At.Equal(arrived) {
		t.Errorf("no CreateTime: got %v, %v; want %v", in.At, err, arrived)
	}
}

func TestReadUnreadable(t *testing.T) {
	t.Parallel()
	var inbox wechat.Inbox
	for _, body := range []string{"", "success", "<xml>", `{"a":`, "[]", `<!DOCTYPE xml><xml/>`, "\xff"} {
		_, err := inbox.Read(account.Account{}, message.Push{Body: []byte(body)})
		if fault.KindOf(err) != fault.Invalid || fault.CodeOf(err) != wechat.CodeUnreadable {
			t.Errorf("%q: got %v, want invalid unreadable", body, err)
		}
	}
}

// TestSiblings: pushes that differ where the platform's advice doesn't look have
// different keys, deliveries of one push the same.
func TestSiblings(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	for _, push := range []fields{
		said("voice", field{"MsgId", 1}), said("voice", field{"MsgId", 2}),
		{{"FromUserName", "oOther"}, {"CreateTime", 1700000000}, {"MsgType", "voice"}, {"MsgId", 1}},
		{{"FromUserName", "oUser"}, {"CreateTime", 1700000001}, {"MsgType", "voice"}, {"MsgId", 1}},
		said("text", field{"Content", "a"}), said("text", field{"Content", "b"}),
		event("CLICK", field{"EventKey", "a"}), event("CLICK", field{"EventKey", "b"}), event("VIEW", field{"EventKey", "a"}),
		event("LOCATION", field{"Latitude", "1"}), event("LOCATION", field{"Latitude", "2"}), event("unsubscribe"), event("subscribe"),
		event("kf_create_session", field{"KfAccount", "a"}), event("kf_create_session", field{"KfAccount", "b"}),
		event("wxa_media_check", field{"trace_id", "a"}), event("wxa_media_check", field{"trace_id", "b"}),
		event("user_authorization_revoke", field{"OpenID", "a"}), event("user_authorization_revoke", field{"OpenID", "b"}),
		event("other", field{"x", "a"}), event("other", field{"x", "b"}),
		event("CLICK", field{"EventKey", strings.Repeat("a", 200)}), event("CLICK", field{"EventKey", strings.Repeat("a", 201)}),
		{{"MsgType", "event"}, {"Event", "subscribe"}, {"FromUserName", "oUser"}},
		{{"MsgType", "event"}, {"Event", "subscribe"}, {"FromUserName", "oUser"}, {"x", "1"}},
		{{"InfoType", "authorized"}, {"AuthorizerAppid", "a"}, {"CreateTime", 1}},
		{{"InfoType", "authorized"}, {"AuthorizerAppid", "b"}, {"CreateTime", 1}},
		{{"InfoType", "a"}},
		{{"InfoType", "a"}, {"x", "1"}},
	} {
		key := keyOf(t, push)
		if again := keyOf(t, push); again != key {
			t.Errorf("two deliveries: got %q and %q", key, again)
		}
		if len(key) > 200 || key == "" {
			t.Errorf("key of %d bytes: %q", len(key), key)
		}
		if before, twice := keys[key]; twice {
			t.Errorf("same key %q for %s and %s", key, before, push.body(account.JSON))
		}
		keys[key] = string(push.body(account.JSON))
	}
	// The platform's spelling of event names is no promise.
	if a, b := keyOf(t, event("CLICK", field{"EventKey", "a"})), keyOf(t, event("click", field{"EventKey", "a"})); a != b {
		t.Errorf("CLICK and click: got %q and %q", a, b)
	}
	if key := keyOf(t, event("CLICK", field{"EventKey", "a\nb"})); !strings.HasPrefix(key, "h:") {
		t.Errorf("key with a control character: got %q, want its hash", key)
	}
}

func keyOf(t *testing.T, push fields) string {
	t.Helper()
	var inbox wechat.Inbox
	in, err := inbox.Read(account.Account{ID: "shop"}, message.Push{Body: push.body(account.JSON), ReceivedAt: arrival})
	if err != nil {
		t.Fatal(err)
	}
	return in.Key
}

// TestStrangeSenders: what is no openid is nobody, and grants nobody anything.
func TestStrangeSenders(t *testing.T) {
	t.Parallel()
	var inbox wechat.Inbox
	for _, from := range []string{"", "o user", "o\x00", "用户", strings.Repeat("o", 129)} {
		push := fields{{"FromUserName", from}, {"CreateTime", 1700000000}, {"MsgType", "text"}, {"Content", "x"}, {"MsgId", 1}}
		in, err := inbox.Read(account.Account{Channel: mini}, message.Push{Body: push.body(account.JSON), ReceivedAt: arrival})
		if err != nil || in.Customer != "" || in.Action != "" || in.FromCustomer {
			t.Errorf("%q: got %+v, %v; want nobody", from, in, err)
		}
	}
	push := said("text", field{"MsgId", 1})
	push[1].value = strings.Repeat("o", 128)
	in, err := inbox.Read(account.Account{Channel: mini}, message.Push{Body: push.body(account.JSON), ReceivedAt: arrival})
	if err != nil || in.Customer == "" || in.Action != quota.Message || !in.FromCustomer {
		t.Errorf("128 bytes: got %+v, %v; want a customer", in, err)
	}
}

func TestEventFieldsAreBounded(t *testing.T) {
	t.Parallel()
	push := event("other", field{"long", strings.Repeat("我", 1000)}, field{"twice", "1"}, field{"twice", "2"})
	for i := range 100 {
		push = append(push, field{"f" + strconv.Itoa(i), i})
	}
	var inbox wechat.Inbox
	in, err := inbox.Read(account.Account{}, message.Push{Body: push.body(account.XML), ReceivedAt: arrival})
	if err != nil {
		t.Fatal(err)
	}
	f := in.Content.Event.Fields
	if len(f) != 64 || f["long"] != strings.Repeat("我", 341) || f["twice"] != "1" || f["twice#2"] != "2" {
		t.Errorf("got %d fields, long of %d bytes, twice %q %q; want 64, 1023, 1 and 2", len(f), len(f["long"]), f["twice"], f["twice#2"])
	}
}
