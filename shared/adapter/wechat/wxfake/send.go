package wxfake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Size limits of custom/send. Only the text's is known (2048 bytes of UTF-8, from SDK practice); the others are the
// simulator's own, wide enough for anything sensible.
const (
	maxText  = 2048
	maxTitle = 512
	maxDesc  = 2048
	maxLink  = 2048
)

// sendRequest is the body of custom/send before the content is looked at.
type sendRequest struct {
	ToUser    string `json:"touser"`
	MsgType   string `json:"msgtype"`
	KfAccount struct {
		KfAccount string `json:"kf_account"`
	} `json:"customservice"`
	AI struct {
		IsAIMsg int `json:"is_ai_msg"`
	} `json:"aimsgcontext"`
	BusinessID json.RawMessage `json:"businessid"`
}

// content is the union of all content objects. One shape for all keeps the checks in one table.
type content struct {
	Content      string            `json:"content"`
	MediaID      string            `json:"media_id"`
	ThumbMediaID string            `json:"thumb_media_id"`
	Title        string            `json:"title"`
	Description  string            `json:"description"`
	URL          string            `json:"url"`
	ThumbURL     string            `json:"thumb_url"`
	PicURL       string            `json:"picurl"`
	PagePath     string            `json:"pagepath"`
	AppID        string            `json:"appid"`
	MusicURL     string            `json:"musicurl"`
	ArticleID    string            `json:"article_id"`
	CardID       string            `json:"card_id"`
	HeadContent  string            `json:"head_content"`
	Articles     []content         `json:"articles"`
	List         []json.RawMessage `json:"list"`
}

// messageType is one row of the fact sheet's table of types.
type messageType struct {
	mini, official bool
	check          func(*Platform, *call, *content) int
}

var messageTypes = map[string]messageType{
	"text":            {true, true, checkText},
	"image":           {true, true, checkMedia("image")},
	"link":            {true, false, checkLink},
	"miniprogrampage": {true, true, checkPage},
	"voice":           {false, true, checkMedia("voice")},
	"video":           {false, true, checkVideo},
	"music":           {false, true, checkMusic},
	"news":            {false, true, checkNews},
	"mpnews":          {false, true, need(func(c *content) string { return c.MediaID }, codeNoMediaID)},
	"mpnewsarticle":   {false, true, need(func(c *content) string { return c.ArticleID }, codeBadArgs)},
	"msgmenu":         {false, true, checkMenu},
	"wxcard":          {false, true, need(func(c *content) string { return c.CardID }, codeBadArgs)},
}

// customSend is POST /cgi-bin/message/custom/send. The order of the checks is the simulator's choice: body, message,
// account, customer, and last the window, so that a refused send never counts.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/sendCustomMessage.html
func (p *Platform) customSend(q *call) answer {
	var in sendRequest
	if code := q.decode(&in); code != 0 {
		return refuse(code)
	}
	q.who = in.ToUser
	c, code := p.receiver(q, in.ToUser)
	if c == nil {
		return refuse(code)
	}
	raw, body, code := p.checkMessage(q, in.MsgType)
	if code == 0 {
		code = c.receive(q.now, newReceived(q, in, raw, body))
	}
	if code != 0 {
		c.refused.add(code)
		return refuse(code)
	}
	p.stats.sent.Add(1)
	p.bell.ring()
	return answer{}
}

// receiver checks the account's right to write and finds the customer. Nobody is created here: an openid that never
// acted is foreign to the account.
func (p *Platform) receiver(q *call, openID string) (*Customer, int) {
	switch perm := q.cfg.Permissions; {
	case perm.NoCustomerMessages:
		return nil, codeNoPermission
	case perm.Banned:
		return nil, codeBanned
	case openID == "":
		return nil, codeNoOpenID
	}
	v, ok := q.acc.customers.Load(openID)
	if !ok {
		return nil, codeBadOpenID
	}
	return v.(*Customer), 0 //nolint:forcetypeassert // the map holds nothing else
}

// checkMessage reads the object named like the type and checks it.
func (p *Platform) checkMessage(q *call, msgType string) (json.RawMessage, *content, int) {
	if msgType == "transfer_customer_service" {
		return nil, nil, codeInvalidType // it is a passive reply and no message
	}
	kind, ok := messageTypes[msgType]
	if !ok || (q.cfg.Channel == MiniProgram && !kind.mini) || (q.cfg.Channel == Official && !kind.official) {
		return nil, nil, codeBadMessageType
	}
	if slices.Contains(q.cfg.Permissions.DeniedTypes, msgType) {
		return nil, nil, codeTypeDenied
	}
	var objects map[string]json.RawMessage
	if json.Unmarshal(q.body, &objects) != nil {
		return nil, nil, codeBadJSON
	}
	var c content
	if raw, ok := objects[msgType]; ok && json.Unmarshal(raw, &c) != nil {
		return nil, nil, codeBadJSON
	}
	return objects[msgType], &c, kind.check(p, q, &c)
}

func checkText(_ *Platform, _ *call, c *content) int {
	switch {
	case c.Content == "":
		return codeEmptyText
	case len(c.Content) > maxText:
		return codeTextTooLong
	}
	return 0
}

func checkMedia(kinds ...string) func(*Platform, *call, *content) int {
	return func(p *Platform, q *call, c *content) int { return p.mediaUsable(q, c.MediaID, kinds...) }
}

// checkSizes looks at what title, description and links have in common.
func checkSizes(c *content) int {
	switch {
	case len(c.Title) > maxTitle:
		return codeTitleTooLong
	case len(c.Description) > maxDesc:
		return codeDescTooLong
	case len(c.URL) > maxLink || len(c.MusicURL) > maxLink || len(c.PagePath) > maxLink:
		return codeLinkTooLong
	case len(c.ThumbURL) > maxLink || len(c.PicURL) > maxLink:
		return codePictureTooLong
	}
	return 0
}

func checkLink(_ *Platform, _ *call, c *content) int {
	if c.Title == "" || c.URL == "" {
		return codeBadArgs
	}
	return checkSizes(c)
}

func checkPage(p *Platform, q *call, c *content) int {
	if c.PagePath == "" || c.Title == "" || (q.cfg.Channel == Official && c.AppID == "") {
		return codeBadArgs
	}
	if code := checkSizes(c); code != 0 {
		return code
	}
	return p.mediaUsable(q, c.ThumbMediaID, "thumb", "image")
}

func checkVideo(p *Platform, q *call, c *content) int {
	if code := checkSizes(c); code != 0 {
		return code
	}
	if code := p.mediaUsable(q, c.MediaID, "video"); code != 0 {
		return code
	}
	if c.ThumbMediaID == "" {
		return 0
	}
	return p.mediaUsable(q, c.ThumbMediaID, "thumb", "image")
}

func checkMusic(p *Platform, q *call, c *content) int {
	if c.MusicURL == "" {
		return codeBadArgs
	}
	if code := checkSizes(c); code != 0 {
		return code
	}
	return p.mediaUsable(q, c.ThumbMediaID, "thumb", "image")
}

func checkNews(_ *Platform, _ *call, c *content) int {
	switch len(c.Articles) {
	case 0:
		return codeNoArticle
	case 1:
		return checkSizes(&c.Articles[0])
	}
	return codeTooManyArticles
}

func checkMenu(_ *Platform, _ *call, c *content) int {
	if len(c.List) == 0 {
		return codeBadArgs
	}
	size := len(c.HeadContent)
	for _, raw := range c.List {
		var item struct {
			ID      json.RawMessage `json:"id"`
			Content string          `json:"content"`
		}
		if json.Unmarshal(raw, &item) != nil || len(item.ID) == 0 || item.Content == "" {
			return codeBadArgs
		}
		size += len(item.Content)
	}
	if size > maxText {
		return codeTextTooLong
	}
	return 0
}

func need(get func(*content) string, code int) func(*Platform, *call, *content) int {
	return func(_ *Platform, _ *call, c *content) int {
		if get(c) == "" {
			return code
		}
		return 0
	}
}

// newReceived is what the customer will see of a message.
func newReceived(q *call, in sendRequest, raw json.RawMessage, c *content) Received {
	r := Received{
		At: q.now, MsgType: in.MsgType, Raw: q.body, Content: raw, Text: c.Content, MediaID: c.MediaID,
		KfAccount: in.KfAccount.KfAccount, AI: in.AI.IsAIMsg == 1, BusinessID: strings.Trim(string(in.BusinessID), `"`),
	}
	switch in.MsgType {
	case "msgmenu":
		r.Text = c.HeadContent
	case "miniprogrampage":
		r.Text, r.MediaID = c.Title, c.ThumbMediaID
	case "link", "video", "music":
		r.Text = c.Title
	case "news":
		if len(c.Articles) == 1 {
			r.Text = c.Articles[0].Title
		}
	}
	// The platform says ok to a Mini Program's link to an official account's article, and shows nothing.
	r.Hidden = in.MsgType == "link" && q.cfg.Channel == MiniProgram && strings.Contains(c.URL, "://mp.weixin.qq.com/")
	return r
}

// typing is POST /cgi-bin/message/custom/typing and …/business/typing: the second is for Mini Programs only.
func (p *Platform) typing(q *call) answer {
	var in struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if code := q.decode(&in); code != 0 {
		return refuse(code)
	}
	q.who = in.ToUser
	business := strings.HasSuffix(q.path, "/business/typing")
	mini := q.cfg.Channel == MiniProgram
	if (business && !mini) || (!business && mini && q.cfg.Permissions.BusinessTypingOnly) {
		return refuse(codeWrongAccountType)
	}
	c, code := p.receiver(q, in.ToUser)
	if c == nil {
		return refuse(code)
	}
	if in.Command != "Typing" && in.Command != "CancelTyping" {
		code = codeBadTyping
	} else {
		code = c.typing(q.now, in.Command == "Typing")
	}
	if code != 0 {
		c.refused.add(code)
		return refuse(code)
	}
	p.bell.ring()
	return answer{}
}

const (
	typingLife   = 15 * time.Second
	exchangeLife = 30 * time.Second
)

// typing shows or hides the indicator. It counts nothing, so a used-up window is open enough for it.
func (c *Customer) typing(now time.Time, on bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.window.at(now).Limit == 0:
		return codeOutOfWindow
	case c.exchanged.IsZero() || now.Sub(c.exchanged) > exchangeLife:
		return codeNoExchange
	case !on:
		c.typingUntil = time.Time{}
		return 0
	case now.Before(c.typingUntil):
		return codeAlreadyTyping
	}
	c.typingUntil = now.Add(typingLife)
	return 0
}

// String tells a received message in one line.
func (r Received) String() string { return fmt.Sprintf("%s %q", r.MsgType, r.Text) }
