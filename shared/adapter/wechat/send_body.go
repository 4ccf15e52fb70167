package wechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// The platform's form of outgoing messages; members stand in the order of its page.
type (
	outgoing struct {
		ToUser  string    `json:"touser"`
		MsgType string    `json:"msgtype"`
		Text    *outText  `json:"text,omitempty"`
		Image   *outMedia `json:"image,omitempty"`
		Link    *outLink  `json:"link,omitempty"`
		Page    *outPage  `json:"miniprogrampage,omitempty"`
		Voice   *outMedia `json:"voice,omitempty"`
		Video   *outVideo `json:"video,omitempty"`
		News    *outNews  `json:"news,omitempty"`
		Menu    *outMenu  `json:"msgmenu,omitempty"`
	}
	outText struct {
		Content string `json:"content"`
	}
	outMedia struct {
		MediaID string `json:"media_id"`
	}
	outLink struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		URL         string `json:"url"`
		ThumbURL    string `json:"thumb_url"`
	}
	outPage struct {
		Title        string `json:"title"`
		AppID        string `json:"appid,omitempty"`
		PagePath     string `json:"pagepath"`
		ThumbMediaID string `json:"thumb_media_id"`
	}
	outVideo struct {
		MediaID      string `json:"media_id"`
		ThumbMediaID string `json:"thumb_media_id,omitempty"`
		Title        string `json:"title"`
		Description  string `json:"description"`
	}
	outNews struct {
		Articles []outArticle `json:"articles"`
	}
	outArticle struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		URL         string `json:"url"`
		PicURL      string `json:"picurl"`
	}
	outMenu struct {
		HeadContent string        `json:"head_content"`
		List        []outMenuItem `json:"list"`
		TailContent string        `json:"tail_content"`
	}
	outMenuItem struct {
		ID      string `json:"id"`
		Content string `json:"content"`
	}
)

// sendBody writes the request of custom/send. Errors are of kind Invalid.
func sendBody(ch account.Channel, to account.Customer, c message.Content, files map[string]string) ([]byte, error) {
	if err := c.CheckOutbound(ch); err != nil {
		return nil, err
	}
	m := outgoing{ToUser: string(to), MsgType: string(c.Type)}
	for _, id := range c.Media() {
		if files[id] == "" {
			return nil, fault.New(fault.Invalid, "media-missing", fmt.Sprintf("file %q is not on the platform", id))
		}
	}
	switch c.Type {
	case message.TypeText:
		m.Text = &outText{c.Text.Content}
	case message.TypeImage:
		m.Image = &outMedia{files[c.Image.Media]}
	case message.TypeVoice:
		m.Voice = &outMedia{files[c.Voice.Media]}
	case message.TypeVideo:
		v := c.Video
		m.Video = &outVideo{files[v.Media], files[v.ThumbMedia], v.Title, v.Description}
	case message.TypeLink:
		l := c.Link
		m.Link = &outLink{l.Title, l.Description, l.URL, l.ThumbURL}
	case message.TypeMiniProgramPage:
		p := c.MiniProgramPage
		m.Page = &outPage{p.Title, "", p.PagePath, files[p.ThumbMedia]}
		if ch == account.Official {
			m.Page.AppID = p.AppID
		}
	case message.TypeNews:
		m.News = &outNews{}
		for _, a := range c.News.Articles {
			m.News.Articles = append(m.News.Articles, outArticle(a))
		}
	case message.TypeMsgMenu:
		m.Menu = &outMenu{HeadContent: c.MsgMenu.HeadContent, TailContent: c.MsgMenu.TailContent}
		for _, item := range c.MsgMenu.List {
			m.Menu.List = append(m.Menu.List, outMenuItem(item))
		}
	default:
		return nil, fault.New(fault.Invalid, "type-not-supported", fmt.Sprintf("messages of type %q can't be sent", c.Type))
	}
	return encode(m)
}

// encode writes JSON as the platform wants it: raw UTF-8. A \uXXXX in a request is an error to it (40033), or shown
// as it stands, also where a JSON library writes it unasked, as in <a>.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fault.Wrap(fault.Internal, "request-invalid", err)
	}
	return rawUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// rawUTF8 replaces the escapes that encoding/json leaves even without HTML escaping: the separators U+2028 and
// U+2029 and the replacement of invalid UTF-8 become raw characters. Control characters can only stand in JSON as
// escapes: \n, \r and \t stay, the others, which no customer could see, are dropped.
func rawUTF8(b []byte) []byte {
	if !bytes.ContainsRune(b, '\\') {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'b', 'f':
		case 'u':
			out = append(out, unescaped(b[i+1:min(i+5, len(b))])...)
			i += 4
		default:
			out = append(out, '\\', b[i])
		}
	}
	return out
}

// unescaped is the character of four hexadecimal digits, or nothing for a control character.
func unescaped(hex []byte) string {
	n, err := strconv.ParseUint(string(hex), 16, 16)
	if err != nil || n < ' ' {
		return ""
	}
	return string(rune(n))
}
