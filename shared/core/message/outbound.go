package message

import (
	"fmt"
	"net/url"
	"unicode/utf8"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// MaxTextBytes is the most that one call may carry. The platform's page gives no
// number; 2,048 bytes of UTF-8 is the practice of its SDKs, and 45002 answers more.
const MaxTextBytes = 2048

// MaxParts bounds a text: more parts than the largest window could never be sent.
const MaxParts = 20

// officialOnly are the outbound types that a Mini Program account cannot send.
var officialOnly = map[Type]bool{TypeVoice: true, TypeVideo: true, TypeMsgMenu: true, TypeNews: true}

// CheckOutbound says whether an account of channel ch can send the content.
// A type that exists nowhere, or not on this channel, is "type-not-supported" (422);
// a missing or oversized member is "message-invalid" (400).
func (c Content) CheckOutbound(ch account.Channel) error {
	unsupported := func() error {
		return fault.WithStatus(fault.New(fault.Invalid, "type-not-supported",
			fmt.Sprintf("a %s account can't send messages of type %q", ch, c.Type)), 422)
	}
	check, ok := outboundChecks[c.Type]
	if !ok || (officialOnly[c.Type] && ch != account.Official) || (c.Type == TypeLink && ch == account.Official) {
		return unsupported()
	}
	if n := c.members(); n != 1 {
		return invalid("a message of type %s carries the object %q and no other", c.Type, c.Type)
	}
	return check(c, ch)
}

var outboundChecks = map[Type]func(Content, account.Channel) error{
	TypeText: func(c Content, _ account.Channel) error {
		switch t := c.Text; {
		case t == nil || t.Content == "":
			return invalid("text.content is missing or empty")
		case t.MenuID != "":
			return invalid("text.menu_id only comes from customers")
		case !utf8.ValidString(t.Content):
			return invalid("text.content is not valid UTF-8")
		case len(Cut(t.Content, MaxTextBytes)) > MaxParts:
			return invalid("text.content is longer than %d parts of %d bytes", MaxParts, MaxTextBytes)
		}
		return nil
	},
	TypeImage: func(c Content, _ account.Channel) error {
		return needMedia("image.media", c.Image != nil && c.Image.Media != "")
	},
	TypeVoice: func(c Content, _ account.Channel) error {
		return needMedia("voice.media", c.Voice != nil && c.Voice.Media != "")
	},
	TypeVideo: func(c Content, _ account.Channel) error {
		return needMedia("video.media", c.Video != nil && c.Video.Media != "")
	},
	TypeLink: func(c Content, _ account.Channel) error {
		l := c.Link
		if l == nil || l.Title == "" || l.URL == "" {
			return invalid("link needs title and url")
		}
		return first(webURL("link.url", l.URL), optionalURL("link.thumb_url", l.ThumbURL))
	},
	TypeMiniProgramPage: func(c Content, ch account.Channel) error {
		p := c.MiniProgramPage
		switch {
		case p == nil || p.Title == "" || p.PagePath == "":
			return invalid("miniprogrampage needs title and pagepath")
		case ch == account.Official && p.AppID == "":
			return invalid("miniprogrampage.appid is needed on an official account")
		}
		return needMedia("miniprogrampage.thumb_media", p.ThumbMedia != "")
	},
	TypeMsgMenu: func(c Content, _ account.Channel) error {
		if c.MsgMenu == nil || len(c.MsgMenu.List) == 0 {
			return invalid("msgmenu.list is missing or empty")
		}
		for i, item := range c.MsgMenu.List {
			if item.ID == "" || item.Content == "" {
				return invalid("msgmenu.list[%d] needs id and content", i)
			}
		}
		return nil
	},
	TypeNews: func(c Content, _ account.Channel) error {
		// More than one article is answered with 45008.
		if c.News == nil || len(c.News.Articles) != 1 {
			return invalid("news.articles must have exactly one article")
		}
		a := c.News.Articles[0]
		if a.Title == "" {
			return invalid("news.articles[0].title is missing")
		}
		return first(webURL("news.articles[0].url", a.URL), optionalURL("news.articles[0].picurl", a.PicURL))
	},
}

// members counts the objects that are set.
func (c Content) members() int {
	n := 0
	for _, set := range []bool{
		c.Text != nil, c.Image != nil, c.Voice != nil, c.Video != nil, c.ShortVideo != nil, c.Location != nil,
		c.Link != nil, c.MiniProgramPage != nil, c.MsgMenu != nil, c.News != nil, c.Event != nil, c.Unknown != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

// Parts is how many calls the content needs: one, but for long texts.
func (c Content) Parts() int {
	if c.Type == TypeText && c.Text != nil {
		return len(Cut(c.Text.Content, MaxTextBytes))
	}
	return 1
}

// Words is what the content says in words: a text, or a voice as the platform
// recognised it.
func (c Content) Words() string {
	switch {
	case c.Text != nil:
		return c.Text.Content
	case c.Voice != nil:
		return c.Voice.Recognition
	}
	return ""
}

// TextBytes is the length of a text, 0 for every other content.
func (c Content) TextBytes() int {
	if c.Type == TypeText && c.Text != nil {
		return len(c.Text.Content)
	}
	return 0
}

// Part returns the content of the i-th call, from 0.
func (c Content) Part(i int) Content {
	if c.Type != TypeText || len(c.Text.Content) <= MaxTextBytes {
		return c
	}
	parts := Cut(c.Text.Content, MaxTextBytes)
	if i < 0 || i >= len(parts) {
		return c
	}
	return Content{Type: TypeText, Text: &Text{Content: parts[i]}}
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, "message-invalid", fmt.Sprintf(format, args...))
}

func needMedia(name string, ok bool) error {
	if !ok {
		return invalid("%s is missing: upload the file first and name its id", name)
	}
	return nil
}

func webURL(name, s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return invalid("%s is missing or no http(s) address", name)
	}
	return nil
}

func optionalURL(name, s string) error {
	if s == "" {
		return nil
	}
	return webURL(name, s)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
