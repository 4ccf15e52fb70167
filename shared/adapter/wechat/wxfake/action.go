package wxfake

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrNoAccount is the Err of a push for an account that was never added.
var ErrNoAccount = errors.New("no such account")

// Enter is opening the chat through the Mini Program's contact button, so he is visiting it; sessionFrom is the button's
// attribute.
func (c *Customer) Enter(ctx context.Context, sessionFrom string) Push {
	c.Visit()
	return c.event(ctx, MiniProgram, TriggerEnter, "user_enter_tempsession", Fields{{"SessionFrom", sessionFrom}})
}

// Say sends a text.
func (c *Customer) Say(ctx context.Context, text string) Push {
	return c.message(ctx, "", Act{Kind: "text", Text: text}, Fields{{"Content", text}})
}

// SendImage sends a picture. The account finds it under MediaId for three days, and at PicUrl.
func (c *Customer) SendImage(ctx context.Context, data []byte) Push {
	m := c.p.addMedium(c.acc.appID, "image", data, c.p.now())
	return c.message(ctx, "", Act{Kind: "image", MediaID: m.id}, Fields{{"PicUrl", c.p.picURL(m)}, {"MediaId", m.id}})
}

// SendVoice sends a recording; recognition is what speech recognition makes of it, "" if that is off.
func (c *Customer) SendVoice(ctx context.Context, data []byte, recognition string) Push {
	now := c.p.now()
	m, hi := c.p.addMedium(c.acc.appID, "voice", data, now), c.p.addMedium(c.acc.appID, "voice", data, now)
	f := Fields{{"MediaId", m.id}, {"Format", "amr"}, {"MediaId16K", hi.id}}
	if recognition != "" {
		f = append(f, Field{"Recognition", recognition})
	}
	return c.message(ctx, Official, Act{Kind: "voice", MediaID: m.id}, f)
}

// SendVideo sends a film with its cover picture.
func (c *Customer) SendVideo(ctx context.Context, data, thumb []byte) Push {
	return c.film(ctx, "video", data, thumb)
}

// SendShortVideo sends a film that was taken in the chat.
func (c *Customer) SendShortVideo(ctx context.Context, data, thumb []byte) Push {
	return c.film(ctx, "shortvideo", data, thumb)
}

func (c *Customer) film(ctx context.Context, kind string, data, thumb []byte) Push {
	now := c.p.now()
	m, t := c.p.addMedium(c.acc.appID, "video", data, now), c.p.addMedium(c.acc.appID, "thumb", thumb, now)
	return c.message(ctx, Official, Act{Kind: kind, MediaID: m.id}, Fields{{"MediaId", m.id}, {"ThumbMediaId", t.id}})
}

// SendLocation sends a place: latitude, longitude, the map's scale and the place's name.
func (c *Customer) SendLocation(ctx context.Context, lat, lon float64, scale int, label string) Push {
	return c.message(ctx, Official, Act{Kind: "location", Text: label},
		Fields{{"Location_X", lat}, {"Location_Y", lon}, {"Scale", scale}, {"Label", label}})
}

// SendLink sends a shared link.
func (c *Customer) SendLink(ctx context.Context, title, description, url string) Push {
	return c.message(ctx, Official, Act{Kind: "link", Text: title},
		Fields{{"Title", title}, {"Description", description}, {"Url", url}})
}

// SendMiniProgramCard sends a Mini Program's card; thumb is its cover picture.
func (c *Customer) SendMiniProgramCard(ctx context.Context, title, pagePath string, thumb []byte) Push {
	m := c.p.addMedium(c.acc.appID, "thumb", thumb, c.p.now())
	return c.message(ctx, "", Act{Kind: "miniprogrampage", Text: title, MediaID: m.id}, Fields{
		{"Title", title},
		{"AppId", c.acc.appID},
		{"PagePath", pagePath},
		{"ThumbUrl", c.p.picURL(m)},
		{"ThumbMediaId", m.id},
	})
}

// TapMenu taps an item of a msgmenu. It arrives as a text, and opens the window of a click.
func (c *Customer) TapMenu(ctx context.Context, id, content string) Push {
	job := c.job(Act{Kind: "text", Text: content}, Fields{{"MsgType", "text"}, {"Content", content}, {"bizmsgmenuid", id}}, true)
	return c.start(ctx, job, Official, TriggerClick)
}

// Follow follows an official account; scene is the parametric QR code's value, "" for a plain follow.
func (c *Customer) Follow(ctx context.Context, scene string) Push {
	c.mu.Lock()
	c.flags.NotFollowing = false
	c.mu.Unlock()
	f := Fields{{"EventKey", ""}}
	if scene != "" {
		f = Fields{{"EventKey", "qrscene_" + scene}, {"Ticket", "gQ" + c.p.dice.text(94)}}
	}
	return c.event(ctx, Official, TriggerFollow, "subscribe", f)
}

// Unfollow stops following an official account, which closes his window at once.
func (c *Customer) Unfollow(ctx context.Context) Push {
	if cfg := c.acc.cfg.Load(); cfg != nil && cfg.Channel == Official {
		c.mu.Lock()
		c.window.close()
		c.mu.Unlock()
	}
	return c.event(ctx, Official, "", "unsubscribe", Fields{{"EventKey", ""}})
}

// Scan scans a parametric QR code as a follower.
func (c *Customer) Scan(ctx context.Context, scene string) Push {
	return c.event(ctx, Official, TriggerScan, "SCAN", Fields{{"EventKey", scene}, {"Ticket", "gQ" + c.p.dice.text(94)}})
}

// Click taps an item of the account's menu that pushes its key.
func (c *Customer) Click(ctx context.Context, key string) Push {
	return c.event(ctx, Official, TriggerClick, "CLICK", Fields{{"EventKey", key}})
}

// View taps an item of the account's menu that opens a page; that opens no window.
func (c *Customer) View(ctx context.Context, url string) Push {
	return c.event(ctx, Official, "", "VIEW", Fields{{"EventKey", url}, {"MenuId", int64(430_000_000)}})
}

// ScanCode taps a menu item that scans; wait is the kind that shows a waiting dialog.
func (c *Customer) ScanCode(ctx context.Context, key, found string, wait bool) Push {
	name := "scancode_push"
	if wait {
		name = "scancode_waitmsg"
	}
	return c.event(ctx, Official, TriggerClick, name,
		Fields{{"EventKey", key}, {"ScanCodeInfo", Fields{{"ScanType", "qrcode"}, {"ScanResult", found}}}})
}

// Locate reports his position, as phones do on entry or every 5 seconds.
func (c *Customer) Locate(ctx context.Context, lat, lon, precision float64) Push {
	return c.event(ctx, Official, "", "LOCATION", Fields{{"Latitude", lat}, {"Longitude", lon}, {"Precision", precision}})
}

// Revoke withdraws his consent to the Mini Program's use of his data.
func (c *Customer) Revoke(ctx context.Context) Push {
	return c.event(ctx, MiniProgram, "", "user_authorization_revoke",
		Fields{{"OpenID", c.openID}, {"AppID", c.acc.appID}, {"RevokeInfo", "201"}})
}

// Push pushes any fields as they are. ToUserName, FromUserName and CreateTime are put in front when they are missing;
// a MsgId is not. It opens no window: see [Customer.Grant].
func (c *Customer) Push(ctx context.Context, fields Fields) Push {
	msgType := fields.Get("MsgType")
	kind := msgType
	if msgType == "event" {
		kind = fields.Get("Event")
	}
	job := c.job(Act{Kind: kind, Text: fields.Get("Content")}, fields, false)
	job.message = msgType != "event"
	job.silent = true
	return c.start(ctx, job, "", "")
}

// message pushes a message of his; only is the channel that pushes such a thing, "" for both.
func (c *Customer) message(ctx context.Context, only Channel, a Act, f Fields) Push {
	job := c.job(a, append(Fields{{"MsgType", a.Kind}}, f...), true)
	return c.start(ctx, job, only, TriggerMessage)
}

func (c *Customer) event(ctx context.Context, only Channel, t Trigger, name string, f Fields) Push {
	text := f.Get("EventKey") + f.Get("SessionFrom")
	job := c.job(Act{Kind: name, Text: text}, append(Fields{{"MsgType", "event"}, {"Event", name}}, f...), false)
	job.silent = t == ""
	return c.start(ctx, job, only, t)
}

// job completes the fields of a push; withID gives it the next MsgId.
func (c *Customer) job(a Act, f Fields, withID bool) *job {
	now := c.p.now()
	a.At = now
	j := &job{c: c, act: a, at: now, message: withID}
	var head Fields
	if cfg := c.acc.cfg.Load(); cfg != nil && !f.has("ToUserName") {
		head = append(head, Field{"ToUserName", cfg.OriginalID})
	}
	if !f.has("FromUserName") {
		head = append(head, Field{"FromUserName", c.openID})
	}
	if !f.has("CreateTime") {
		head = append(head, Field{"CreateTime", now.Unix()})
	}
	j.fields = slices.Concat(head, f)
	if withID {
		j.fields = append(j.fields, Field{"MsgId", c.p.msgID.Add(1)})
	}
	return j
}

// start opens the window, decides who gets the push, and delivers it.
func (c *Customer) start(ctx context.Context, j *job, only Channel, t Trigger) Push {
	cfg := c.acc.cfg.Load()
	if cfg == nil {
		return Push{Err: ErrNoAccount}
	}
	j.actSeq = c.act(j.act)
	if only != "" && cfg.Channel != only {
		c.acted(j.actSeq, ActSkipped)
		return Push{Fields: j.fields, Skipped: true}
	}
	if t != "" {
		c.grant(t, j.at)
	}
	c.p.stats.pushes.Add(1)
	if cfg.CallbackURL == "" || (j.message && c.toTool(j.at)) {
		c.acted(j.actSeq, ActTool)
		return Push{MsgID: j.fields.Get("MsgId"), Fields: j.fields, ToTool: true}
	}
	c.p.bell.ring()
	return c.p.dispatch(ctx, j)
}

// picURL is where the platform shows a customer's picture.
func (p *Platform) picURL(m *medium) string {
	base := *p.baseURL.Load()
	if base == "" {
		base = "http://mmbiz.qpic.invalid"
	}
	return base + "/download/" + m.appID + "/" + m.id
}

// noticeText is what a customer reads when the account's server did not answer.
func noticeText(ch Channel) string {
	if ch == MiniProgram {
		return "该小程序提供的服务出现故障，请稍后再试"
	}
	return "该公众号提供的服务出现故障，请稍后再试"
}

// job is one push on its way.
type job struct {
	c       *Customer
	act     Act
	actSeq  uint64
	at      time.Time
	fields  Fields
	message bool // a user's message, not an event
	silent  bool // a failure shows no notice: the customer did nothing
}
