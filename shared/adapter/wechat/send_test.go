package wechat

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

func TestSendBodies(t *testing.T) {
	t.Parallel()
	files := map[string]string{"m1": "MEDIA1", "m2": "MEDIA2"}
	for name, tc := range map[string]struct {
		channel account.Channel
		content message.Content
		want    string
	}{
		"text": {
			account.MiniProgram,
			message.Content{Type: message.TypeText, Text: &message.Text{Content: "你好 <a href=\"https://a.test/?x=1&y=2\">看</a>\n第二行"}},
			`{"touser":"o1","msgtype":"text","text":{"content":"你好 <a href=\"https://a.test/?x=1&y=2\">看</a>\n第二行"}}`,
		},
		"image": {
			account.MiniProgram,
			message.Content{Type: message.TypeImage, Image: &message.MediaRef{Media: "m1"}},
			`{"touser":"o1","msgtype":"image","image":{"media_id":"MEDIA1"}}`,
		},
		"link": {
			account.MiniProgram,
			message.Content{Type: message.TypeLink, Link: &message.Link{Title: "T", Description: "D", URL: "https://a.test/?a=1&b=2", ThumbURL: "https://a.test/p.png"}},
			`{"touser":"o1","msgtype":"link","link":{"title":"T","description":"D","url":"https://a.test/?a=1&b=2","thumb_url":"https://a.test/p.png"}}`,
		},
		"card of a mini program": {
			account.MiniProgram,
			message.Content{Type: message.TypeMiniProgramPage, MiniProgramPage: &message.MiniProgramPage{Title: "T", AppID: "wx9", PagePath: "pages/a?x=1", ThumbMedia: "m2"}},
			`{"touser":"o1","msgtype":"miniprogrampage","miniprogrampage":{"title":"T","pagepath":"pages/a?x=1","thumb_media_id":"MEDIA2"}}`,
		},
		"card of an official account": {
			account.Official,
			message.Content{Type: message.TypeMiniProgramPage, MiniProgramPage: &message.MiniProgramPage{Title: "T", AppID: "wx9", PagePath: "pages/a", ThumbMedia: "m2"}},
			`{"touser":"o1","msgtype":"miniprogrampage","miniprogrampage":{"title":"T","appid":"wx9","pagepath":"pages/a","thumb_media_id":"MEDIA2"}}`,
		},
		"voice": {
			account.Official,
			message.Content{Type: message.TypeVoice, Voice: &message.Voice{Media: "m1"}},
			`{"touser":"o1","msgtype":"voice","voice":{"media_id":"MEDIA1"}}`,
		},
		"video": {
			account.Official,
			message.Content{Type: message.TypeVideo, Video: &message.Video{Media: "m1", ThumbMedia: "m2", Title: "T", Description: "D"}},
			`{"touser":"o1","msgtype":"video","video":{"media_id":"MEDIA1","thumb_media_id":"MEDIA2","title":"T","description":"D"}}`,
		},
		"video without a cover": {
			account.Official,
			message.Content{Type: message.TypeVideo, Video: &message.Video{Media: "m1"}},
			`{"touser":"o1","msgtype":"video","video":{"media_id":"MEDIA1","title":"","description":""}}`,
		},
		"news": {
			account.Official,
			message.Content{Type: message.TypeNews, News: &message.News{Articles: []message.Article{{Title: "T", Description: "D", URL: "https://a.test/", PicURL: "https://a.test/p.png"}}}},
			`{"touser":"o1","msgtype":"news","news":{"articles":[{"title":"T","description":"D","url":"https://a.test/","picurl":"https://a.test/p.png"}]}}`,
		},
		"menu": {
			account.Official,
			message.Content{Type: message.TypeMsgMenu, MsgMenu: &message.MsgMenu{HeadContent: "H", List: []message.MenuItem{{ID: "1", Content: "满意"}, {ID: "2", Content: "不满意"}}, TailContent: "E"}},
			`{"touser":"o1","msgtype":"msgmenu","msgmenu":{"head_content":"H","list":[{"id":"1","content":"满意"},{"id":"2","content":"不满意"}],"tail_content":"E"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan string, 1)
			c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				bodies <- string(b)
				if got, want := r.Method+" "+r.URL.String(), "POST /cgi-bin/message/custom/send?access_token=86_tok1"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if got, want := r.Header.Get("Content-Type"), "application/json; charset=utf-8"; got != want {
					t.Errorf("got Content-Type %q, want %q", got, want)
				}
				_, _ = io.WriteString(w, okAnswer)
			})
			a := account.Account{ID: "shop", Channel: tc.channel, AppID: "wx1"}
			if got, want := c.Send(t.Context(), a, "o1", tc.content, files), (session.Outcome{Kind: session.Sent}); got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			if got := <-bodies; got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestSendRefusesWhatCannotBeSaid(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, func(http.ResponseWriter, *http.Request) { t.Error("got a request, want none") })
	for name, tc := range map[string]struct {
		content message.Content
		want    string
	}{
		"a type of customers alone":          {message.Content{Type: message.TypeLocation, Location: &message.Location{}}, "type-not-supported"},
		"a type of the other channel":        {message.Content{Type: message.TypeVoice, Voice: &message.Voice{Media: "m1"}}, "type-not-supported"},
		"nothing":                            {message.Content{}, "type-not-supported"},
		"a type without its object":          {message.Content{Type: message.TypeText}, "message-invalid"},
		"a file that is not on the platform": {message.Content{Type: message.TypeImage, Image: &message.MediaRef{Media: "m1"}}, "media-missing"},
	} {
		if got, want := c.Send(t.Context(), clientMini, "o1", tc.content, nil), (session.Outcome{Kind: session.Refused, Reason: tc.want}); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestEncodeIsRawUTF8(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"Chinese":                  {"你好", `"你好"`},
		"emoji":                    {"👩‍👧🏽", `"👩‍👧🏽"`},
		"markup":                   {`<a href="x">&=</a>`, `"<a href=\"x\">&=</a>"`},
		"line and paragraph marks": {"a\u2028b\u2029c", "\"a\u2028b\u2029c\""},
		"breaks and tabs":          {"a\nb\rc\td", `"a\nb\rc\td"`},
		"other controls":           {"a\x00b\x07c\bd\fe\x1bf\x1fg", `"abcdefg"`},
		"DEL and C1":               {"a\x7fb\u0085c", "\"a\x7fb\u0085c\""},
		"backslashes":              {`C:\users\u2028 \\u0041 \n`, `"C:\\users\\u2028 \\\\u0041 \\n"`},
		"invalid UTF-8":            {"a\xffb", "\"a\ufffdb\""},
		"a lone backslash":         {`\`, `"\\"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := encode(tc.text)
			if err != nil || string(got) != tc.want {
				t.Errorf("got %s, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "你好", `\u2028`, "\u2028\u2029", "\x00\x1f\b\f", `\\\`, "\xff\xfe", `"<>&`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := encode(s)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(got) {
			t.Errorf("got %q, want valid UTF-8", got)
		}
		for i := 0; i+1 < len(got); i++ {
			if got[i] == '\\' {
				i++
				if strings.IndexByte(`nrt"\`, got[i]) < 0 {
					t.Errorf("got escape \\%c in %q, want only the short ones", got[i], got)
				}
			}
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("got %q, want JSON: %v", got, err)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
				return -1
			}
			return r // invalid bytes have become U+FFFD
		}, s)
		if back != want {
			t.Errorf("got %q, want %q", back, want)
		}
	})
}
