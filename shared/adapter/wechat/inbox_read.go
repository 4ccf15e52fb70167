package wechat

import (
	"crypto/sha256"
	"encoding/base32"
	"math"
	"strconv"
	"strings"
	"time"

	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// Read brings an opened push into Kefu's own form. A type that Kefu doesn't know is
// TypeUnknown, an event that it doesn't know keeps the platform's name; neither is
// an error. A body that is no push at all is Invalid with code "unreadable".
//
// Field names and types are those of "Receive messages and events" (Mini Program)
// and "Receiving standard messages" (Official Account).
func (*Inbox) Read(acc account.Account, p message.Push) (message.Inbound, error) {
	body := p.Body
	n, err := wxmsg.Read(body)
	if err != nil {
		body = mend(body)
		n, err = wxmsg.Read(body)
	}
	if err != nil {
		return message.Inbound{}, fault.Wrap(fault.Invalid, CodeUnreadable, err)
	}
	id, err := identify(body)
	if err != nil {
		return message.Inbound{}, fault.Wrap(fault.Invalid, CodeUnreadable, err)
	}
	in := message.Inbound{Customer: id.customer, Key: id.key, At: createdAt(n.Get("CreateTime"), p.ReceivedAt)}
	switch kind := n.Get("MsgType"); {
	case kind == "event":
		in.Content, in.Action = readEvent(acc, n)
	case kind == "" && n.Get("InfoType") != "":
		in.Content = readInfo(n)
	default:
		m := reading{Node: n, acc: acc.Scope(), in: &in}
		in.Content = m.content(kind)
		// What Kefu doesn't know is a customer's message if it has what only messages have.
		in.FromCustomer = in.Customer != "" && (in.Content.Type != message.TypeUnknown || n.Get("MsgId") != "")
		in.Action = messageGrants(in)
	}
	if in.Customer == "" {
		in.Action = ""
	}
	return in, nil
}

// messageGrants: a message of a customer's grants, but a tap on a msgmenu item, which
// arrives as a text, counts as a click on the menu.
func messageGrants(in message.Inbound) quota.Action {
	switch {
	case !in.FromCustomer:
		return ""
	case in.Content.Text != nil && in.Content.Text.MenuID != "":
		return quota.Click
	}
	return quota.Message
}

// latest is how far a CreateTime may be ahead of the arrival before it is taken for
// nonsense. Clocks differ by less.
const latest = 24 * time.Hour

// createdAt reads the platform's Unix seconds; without sensible ones the second of
// the arrival stands in.
func createdAt(text string, receivedAt time.Time) time.Time {
	arrived := receivedAt.UTC().Truncate(time.Second)
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxInt32*100 {
		return arrived
	}
	at := time.Unix(seconds, 0).UTC()
	if at.Sub(arrived) > latest {
		return arrived
	}
	return at
}

// reading is a message while its content is made.
type reading struct {
	wxmsg.Node
	acc account.Scope
	in  *message.Inbound
}

// content makes a message's content.
func (m reading) content(kind string) message.Content {
	c := message.Content{Type: message.Type(kind)}
	switch c.Type {
	case message.TypeText:
		c.Text = &message.Text{Content: m.Get("Content"), MenuID: m.Get("bizmsgmenuid")}
	case message.TypeImage:
		c.Image = &message.MediaRef{Media: m.media("MediaId", message.TypeImage), PicURL: m.Get("PicUrl")}
	case message.TypeVoice:
		c.Voice = &message.Voice{Media: m.media("MediaId", message.TypeVoice), Format: m.Get("Format"), Recognition: m.Get("Recognition")}
	case message.TypeVideo:
		c.Video = m.video(message.TypeVideo)
	case message.TypeShortVideo:
		c.ShortVideo = m.video(message.TypeShortVideo)
	case message.TypeLocation:
		place, ok := m.location()
		if !ok {
			return unknown(kind)
		}
		c.Location = place
	case message.TypeLink:
		c.Link = &message.Link{Title: m.Get("Title"), Description: m.Get("Description"), URL: m.Get("Url")}
	case message.TypeMiniProgramPage:
		c.MiniProgramPage = &message.MiniProgramPage{
			Title: m.Get("Title"), AppID: m.Get("AppId"), PagePath: m.Get("PagePath"),
			ThumbMedia: m.media("ThumbMediaId", message.TypeImage), ThumbURL: m.Get("ThumbUrl"),
		}
	default:
		return unknown(kind)
	}
	return c
}

func unknown(kind string) message.Content {
	return message.Content{Type: message.TypeUnknown, Unknown: &message.Raw{Type: kind}}
}

func (m reading) video(t message.Type) *message.Video {
	return &message.Video{Media: m.media("MediaId", t), ThumbMedia: m.media("ThumbMediaId", message.TypeImage)}
}

// location reads a place; X is the latitude. Without two numbers it is none.
func (m reading) location() (*message.Location, bool) {
	lat, err1 := strconv.ParseFloat(m.Get("Location_X"), 64)
	lon, err2 := strconv.ParseFloat(m.Get("Location_Y"), 64)
	// NaN fails every comparison; no JSON could hold it.
	if err1 != nil || err2 != nil || !(math.Abs(lat) <= 90) || !(math.Abs(lon) <= 180) {
		return nil, false
	}
	scale, err := strconv.Atoi(m.Get("Scale"))
	if err != nil {
		scale = 0 // only how far the map was zoomed in
	}
	return &message.Location{Latitude: lat, Longitude: lon, Scale: scale, Label: m.Get("Label")}, true
}

// media gives Kefu's id for the file that a field names and lists it to be kept;
// empty if the field is.
func (m reading) media(field string, t message.Type) string {
	platformID := m.Get(field)
	if platformID == "" {
		return ""
	}
	id := mediaID(m.acc, m.in.Key, field)
	m.in.PlatformMedia = append(m.in.PlatformMedia, message.PlatformMedia{ID: id, PlatformID: platformID, Type: t})
	return id
}

// mediaID names a file by where it came from, so that every delivery of a push gives
// the same id: "md" and 26 characters of lower-case base32, 130 bits.
func mediaID(acc account.Scope, key, field string) string {
	sum := sha256.Sum256([]byte(string(acc) + "\x00" + key + "\x00" + field))
	return "md" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
