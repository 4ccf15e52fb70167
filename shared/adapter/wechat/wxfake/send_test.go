package wxfake

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSendRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mini, oa := w.p.Named(miniApp, "a"), w.p.Named(oaApp, "a")
	mini.Say(t.Context(), "hi")
	oa.Say(t.Context(), "hi")
	image, thumb := w.media(miniApp, "image", pngFile), w.media(miniApp, "thumb", jpgFile)
	foreign := w.media(oaApp, "image", pngFile)
	to := func(c *Customer, msgType, object string) string {
		return fmt.Sprintf(`{"touser":"%s","msgtype":"%s","%s":%s}`, c.OpenID(), msgType, msgType, object)
	}
	long := strings.Repeat("x", 3000)
	for _, tt := range []struct {
		name string
		app  string
		body string
		want int
	}{
		{"empty body", miniApp, "", codeEmptyBody},
		{"blank body", miniApp, " \n", codeEmptyBody},
		{"no JSON", miniApp, `{"touser":`, codeBadJSON},
		{"wrong type", miniApp, `{"touser":7}`, codeBadJSON},
		{"Chinese escaped", miniApp, to(mini, "text", `{"content":"\u4f60"}`), codeBadCharset},
		{"less-than escaped as Go does", miniApp, to(mini, "text", `{"content":"\u003ca"}`), codeBadCharset},
		{"not UTF-8", miniApp, to(mini, "text", "{\"content\":\"\xff\"}"), codeBadCharset},
		{"no openid", miniApp, `{"msgtype":"text","text":{"content":"a"}}`, codeNoOpenID},
		{"unknown openid", miniApp, textTo(otherID, "a"), codeBadOpenID},
		{"openid of another account", miniApp, textTo(oa.OpenID(), "a"), codeBadOpenID},
		{"no type", miniApp, fmt.Sprintf(`{"touser":"%s"}`, mini.OpenID()), codeBadMessageType},
		{"unknown type", miniApp, to(mini, "file", `{}`), codeBadMessageType},
		{"voice to a Mini Program", miniApp, to(mini, "voice", `{"media_id":"x"}`), codeBadMessageType},
		{"msgmenu to a Mini Program", miniApp, to(mini, "msgmenu", `{}`), codeBadMessageType},
		{"link to an official account", oaApp, to(oa, "link", `{}`), codeBadMessageType},
		{"transfer as a message", miniApp, to(mini, "transfer_customer_service", `{}`), codeInvalidType},
		{"empty text", miniApp, textTo(mini.OpenID(), ""), codeEmptyText},
		{"no text object", miniApp, fmt.Sprintf(`{"touser":"%s","msgtype":"text"}`, mini.OpenID()), codeEmptyText},
		{"text of 2049 bytes", miniApp, textTo(mini.OpenID(), strings.Repeat("好", 683)), codeTextTooLong},
		{"no media_id", miniApp, to(mini, "image", `{}`), codeNoMediaID},
		{"unknown media_id", miniApp, to(mini, "image", `{"media_id":"nothing"}`), codeBadMediaID},
		{"another account's media_id", miniApp, to(mini, "image", `{"media_id":"`+foreign+`"}`), codeBadMediaID},
		{"a thumb as an image", miniApp, to(mini, "image", `{"media_id":"`+thumb+`"}`), codeBadMediaID},
		{"an image as a voice", oaApp, to(oa, "voice", `{"media_id":"`+foreign+`"}`), codeBadMediaID},
		{"card without a cover", miniApp, to(mini, "miniprogrampage", `{"title":"a","pagepath":"b"}`), codeNoMediaID},
		{"card without a path", miniApp, to(mini, "miniprogrampage", `{"title":"a","thumb_media_id":"`+image+`"}`), codeBadArgs},
		{"official card without appid", oaApp, to(oa, "miniprogrampage", `{"title":"a","pagepath":"b","thumb_media_id":"`+foreign+`"}`), codeBadArgs},
		{"link without url", miniApp, to(mini, "link", `{"title":"a"}`), codeBadArgs},
		{"long title", miniApp, to(mini, "link", `{"title":"`+long+`","url":"http://a"}`), codeTitleTooLong},
		{"long description", miniApp, to(mini, "link", `{"title":"a","description":"`+long+`","url":"http://a"}`), codeDescTooLong},
		{"long link", miniApp, to(mini, "link", `{"title":"a","url":"http://`+long+`"}`), codeLinkTooLong},
		{"long picture link", miniApp, to(mini, "link", `{"title":"a","url":"http://a","thumb_url":"http://`+long+`"}`), codePictureTooLong},
		{"no article", oaApp, to(oa, "news", `{"articles":[]}`), codeNoArticle},
		{"two articles", oaApp, to(oa, "news", `{"articles":[{"title":"a"},{"title":"b"}]}`), codeTooManyArticles},
		{"menu without items", oaApp, to(oa, "msgmenu", `{"head_content":"a"}`), codeBadArgs},
		{"menu item without id", oaApp, to(oa, "msgmenu", `{"list":[{"content":"a"}]}`), codeBadArgs},
		{"music without url", oaApp, to(oa, "music", `{}`), codeBadArgs},
		{"card without id", oaApp, to(oa, "wxcard", `{}`), codeBadArgs},
		{"mpnews without id", oaApp, to(oa, "mpnews", `{}`), codeNoMediaID},
		{"article without id", oaApp, to(oa, "mpnewsarticle", `{}`), codeBadArgs},
	} {
		r := w.send(tt.app, tt.body)
		wantCode(t, tt.name, r, tt.want)
		if !strings.Contains(r.Text, " rid: ") {
			t.Errorf("%s: got errmsg %q, want a rid", tt.name, r.Text)
		}
	}
	wantCode(t, "GET", w.get("/cgi-bin/message/custom/send?access_token="+w.token(miniApp)), codeNeedPost)
	wantCode(t, "a body over 1 MiB", w.send(miniApp, strings.Repeat("x", maxBody+1)), codeMediaTooBig)
	if used := mini.Window().Used + oa.Window().Used; used != 0 {
		t.Errorf("refused sends: got %d counted, want 0", used)
	}
	if n := len(mini.Inbox()) + len(oa.Inbox()); n != 0 {
		t.Errorf("refused sends: got %d in the inboxes, want 0", n)
	}
	if got := mini.Refused(); got[codeBadMediaID] != 3 || got[codeEmptyText] != 2 {
		t.Errorf("counters: got %v", got)
	}
	if got := w.p.Refused(); got[codeBadOpenID] != 2 || got[codeBadCharset] != 3 {
		t.Errorf("platform's counters: got %v", got)
	}
}

func TestEveryTypeArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := map[string]string{
		"IMG": w.media(oaApp, "image", pngFile), "VOI": w.media(oaApp, "voice", amrFile), "VID": w.media(oaApp, "video", mp4File),
		"THU": w.media(oaApp, "thumb", jpgFile), "MIMG": w.media(miniApp, "image", pngFile),
	}
	for _, tt := range []struct{ app, msgType, object, text string }{
		{miniApp, "text", `{"content":"你好 <a href=\"http://a\">b</a> \\u4f60 & 😀"}`, `你好 <a href="http://a">b</a> \u4f60 & 😀`},
		{miniApp, "image", `{"media_id":"MIMG"}`, ""},
		{miniApp, "link", `{"title":"t","description":"d","url":"http://a","thumb_url":"http://b"}`, "t"},
		{miniApp, "miniprogrampage", `{"title":"t","pagepath":"p?x=1","thumb_media_id":"MIMG"}`, "t"},
		{oaApp, "voice", `{"media_id":"VOI"}`, ""},
		{oaApp, "video", `{"media_id":"VID","thumb_media_id":"THU","title":"t"}`, "t"},
		{oaApp, "music", `{"title":"t","musicurl":"http://a","thumb_media_id":"THU"}`, "t"},
		{oaApp, "news", `{"articles":[{"title":"t","url":"http://a"}]}`, "t"},
		{oaApp, "mpnews", `{"media_id":"m"}`, ""},
		{oaApp, "mpnewsarticle", `{"article_id":"m"}`, ""},
		{oaApp, "msgmenu", `{"head_content":"h","list":[{"id":101,"content":"y"},{"id":"102","content":"n"}],"tail_content":"z"}`, "h"},
		{oaApp, "wxcard", `{"card_id":"m"}`, ""},
		{oaApp, "miniprogrampage", `{"title":"t","appid":"wx","pagepath":"p","thumb_media_id":"IMG"}`, "t"},
	} {
		c := w.p.Named(tt.app, tt.msgType+tt.app)
		c.Say(t.Context(), "hi")
		object := tt.object
		for name, mediaID := range id {
			object = strings.ReplaceAll(object, `"`+name+`"`, `"`+mediaID+`"`)
		}
		body := fmt.Sprintf(`{"touser":"%s","msgtype":"%s","%s":%s,"customservice":{"kf_account":"anna@shop"},"aimsgcontext":{"is_ai_msg":1},"businessid":"7"}`,
			c.OpenID(), tt.msgType, tt.msgType, object)
		r := w.send(tt.app, body)
		if string(r.body) != `{"errcode":0,"errmsg":"ok"}` {
			t.Errorf("%s: got %s", tt.msgType, r.body)
			continue
		}
		in := c.Inbox()[0]
		if in.MsgType != tt.msgType || in.Text != tt.text || string(in.Content) != object || string(in.Raw) != body ||
			in.KfAccount != "anna@shop" || !in.AI || in.BusinessID != "7" || in.Overlapped || in.Passive || in.Hidden {
			t.Errorf("%s: got %+v", tt.msgType, in)
		}
		if got := c.Window(); got.Used != 1 {
			t.Errorf("%s: got %d counted, want 1", tt.msgType, got.Used)
		}
	}
}

func TestTextOf2048BytesFits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	wantCode(t, "2048 bytes", w.sendText(c, strings.Repeat("好", 682)+"ab"), 0)
}

func TestWindowOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Push(t.Context(), Fields{{"MsgType", "event"}, {"Event", "debug_demo"}, {"debug_str", "hello world"}})
	wantCode(t, "before he acted", w.sendText(c, "0"), codeOutOfWindow)
	c.Enter(t.Context(), "")
	for i := range 2 {
		wantCode(t, "within the two", w.sendText(c, fmt.Sprint(i)), 0)
	}
	r := w.sendText(c, "too many")
	wantCode(t, "the third", r, codeOutOfCount)
	if !strings.HasPrefix(r.Text, "out of response count limit rid: ") {
		t.Errorf("text: got %q", r.Text)
	}
	w.clock.add(time.Minute)
	r = w.sendText(c, "too late")
	wantCode(t, "after a minute", r, codeOutOfWindow)
	if !strings.HasPrefix(r.Text, "response out of time limit or subscription is canceled rid: ") {
		t.Errorf("text: got %q", r.Text)
	}
	if got, want := strings.Join(c.Texts(), ","), "0,1"; got != want {
		t.Errorf("inbox: got %s, want %s", got, want)
	}
	if got := c.Refused(); got[codeOutOfCount] != 1 || got[codeOutOfWindow] != 2 {
		t.Errorf("refused: got %v", got)
	}
}

func TestUnfollowClosesTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(oaApp, "a")
	c.Say(t.Context(), "hi")
	c.Unfollow(t.Context())
	wantCode(t, "after unfollow", w.sendText(c, "x"), codeOutOfWindow)
}

func TestFlagsOfCustomersAndAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(oaApp, "a")
	c.Say(t.Context(), "hi")
	for want, flags := range map[int]Flags{
		43004: {NotFollowing: true}, 43019: {Blacklisted: true}, 48002: {RefusesMessages: true}, 50002: {Limited: true}, 70000: {Minor: true},
	} {
		c.SetFlags(flags)
		wantCode(t, fmt.Sprintf("%+v", flags), w.sendText(c, "x"), want)
	}
	c.SetFlags(Flags{})
	for want, perm := range map[int]Permissions{
		48001: {NoCustomerMessages: true}, 48004: {Banned: true}, 48008: {DeniedTypes: []string{"text"}},
	} {
		w.update(oaApp, func(a *Account) { a.Permissions = perm })
		wantCode(t, fmt.Sprintf("%+v", perm), w.sendText(c, "x"), want)
	}
	w.update(oaApp, func(a *Account) { a.Permissions = Permissions{DeniedTypes: []string{"voice"}} })
	wantCode(t, "nothing denied", w.sendText(c, "x"), 0)
}

func TestHiddenLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	r := w.send(miniApp, fmt.Sprintf(`{"touser":"%s","msgtype":"link","link":{"title":"t","url":"https://mp.weixin.qq.com/s/x"}}`, c.OpenID()))
	wantCode(t, "a link to an article", r, 0)
	if in := c.Inbox(); len(in) != 1 || !in[0].Hidden {
		t.Errorf("got %+v, want one hidden message", in)
	}
}

func TestTyping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const plain, business = "/cgi-bin/message/custom/typing", "/cgi-bin/message/custom/business/typing"
	typing := func(path string, c *Customer, command string) reply {
		return w.post(path+"?access_token="+w.token(c.AppID()), fmt.Sprintf(`{"touser":"%s","command":"%s"}`, c.OpenID(), command))
	}
	mini, oa := w.p.Named(miniApp, "a"), w.p.Named(oaApp, "a")
	wantCode(t, "no window", typing(plain, mini, "Typing"), codeOutOfWindow)
	mini.Enter(t.Context(), "")
	wantCode(t, "no exchange", typing(plain, mini, "Typing"), codeNoExchange)
	mini.Say(t.Context(), "hi")
	oa.Say(t.Context(), "hi")
	wantCode(t, "bad command", typing(plain, mini, "typing"), codeBadTyping)
	wantCode(t, "Typing", typing(business, mini, "Typing"), 0)
	if !mini.Typing() {
		t.Error("the indicator is not shown")
	}
	w.clock.add(15*time.Second - 1)
	wantCode(t, "again within 15 s", typing(plain, mini, "Typing"), codeAlreadyTyping)
	w.clock.add(1)
	if mini.Typing() {
		t.Error("the indicator is shown after 15 s")
	}
	wantCode(t, "after 15 s", typing(plain, mini, "Typing"), 0)
	wantCode(t, "CancelTyping", typing(plain, mini, "CancelTyping"), 0)
	wantCode(t, "after cancelling", typing(plain, mini, "Typing"), 0)
	w.sendText(mini, "answer")
	if mini.Typing() {
		t.Error("a sent message leaves the indicator on")
	}
	w.clock.add(30*time.Second + 1)
	wantCode(t, "30 s after the last exchange", typing(plain, mini, "Typing"), codeNoExchange)
	wantCode(t, "the business path of an official account", typing(business, oa, "Typing"), codeWrongAccountType)
	w.update(miniApp, func(a *Account) { a.Permissions.BusinessTypingOnly = true })
	wantCode(t, "the plain path of a strict Mini Program", typing(plain, mini, "Typing"), codeWrongAccountType)
	if got := mini.Window().Used; got != 1 {
		t.Errorf("counted: got %d, want 1", got)
	}
}
