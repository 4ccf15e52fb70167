package wechat

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// eventRule says what Kefu makes of an event of the platform.
type eventRule struct {
	name    string          // Kefu's word
	grants  quota.Action    // what it grants …
	channel account.Channel // … on accounts of this channel alone
	apart   []string        // fields that tell it from a sibling of the same second, where EventKey doesn't
	whole   bool            // the whole body tells it apart
	sender  string          // the field with the customer, nobody, or empty for FromUserName
}

// nobody marks events whose FromUserName is the platform's own user.
const nobody = "-"

// events are the platform's events by their names in lower case: "Receive messages
// and events" (Mini Program), "Receiving event pushes" (Official Account). Which of
// them grant a window is in the table of "Send customer messages".
var events = map[string]eventRule{
	"user_enter_tempsession": {name: "enter", grants: quota.Enter, channel: account.MiniProgram},

	"subscribe":          {name: "follow", grants: quota.Follow, channel: account.Official},
	"unsubscribe":        {name: "unfollow"},
	"scan":               {name: "scan", grants: quota.Scan, channel: account.Official},
	"location":           {name: "location", apart: []string{"Latitude", "Longitude"}},
	"click":              {name: "click", grants: quota.Click, channel: account.Official},
	"scancode_push":      {name: "click", grants: quota.Click, channel: account.Official},
	"scancode_waitmsg":   {name: "click", grants: quota.Click, channel: account.Official},
	"view":               {name: "view"},
	"view_miniprogram":   {name: "view_miniprogram"},
	"pic_sysphoto":       {name: "menu_picture"},
	"pic_photo_or_album": {name: "menu_picture"},
	"pic_weixin":         {name: "menu_picture"},
	"location_select":    {name: "menu_location"},

	"kf_create_session": {name: "session_created", apart: []string{"KfAccount"}},
	"kf_close_session":  {name: "session_closed", apart: []string{"KfAccount"}},
	"kf_switch_session": {name: "session_switched", apart: []string{"FromKfAccount", "ToKfAccount"}},

	"wxa_media_check":           {name: "media_checked", apart: []string{"trace_id"}, sender: nobody},
	"user_authorization_revoke": {name: "consent_revoked", apart: []string{"OpenID", "RevokeInfo"}, sender: "OpenID"},
	"debug_demo":                {name: "debug", apart: []string{"debug_str"}},

	"subscribe_msg_popup_event":  {name: "subscribe_message", whole: true},
	"subscribe_msg_change_event": {name: "subscribe_message", whole: true},
	"subscribe_msg_sent_event":   {name: "subscribe_message", whole: true},
}

// infos are the pushes to a third-party platform's authorisation address, by InfoType.
var infos = map[string]string{
	"component_verify_ticket": "ticket",
	"authorized":              "authorized",
	"updateauthorized":        "authorization_updated",
	"unauthorized":            "authorization_withdrawn",
}

// readEvent makes the content of an event, and what it grants.
func readEvent(acc account.Account, n wxmsg.Node) (message.Content, quota.Action) {
	event := n.Get("Event")
	rule, known := events[strings.ToLower(event)]
	if !known {
		rule.name = ownName(event)
	}
	key := n.Get("EventKey")
	if rule.name == "follow" {
		// A follow through a parametric QR code has a prefix that a scan has not.
		key = strings.TrimPrefix(key, "qrscene_")
	}
	c := message.Content{Type: message.TypeEvent, Event: &message.Event{
		Name: rule.name, Key: key, From: n.Get("SessionFrom"), Fields: eventFields(n),
	}}
	if rule.channel != acc.Channel {
		return c, ""
	}
	return c, rule.grants
}

// readInfo makes the content of a push to the authorisation address.
func readInfo(n wxmsg.Node) message.Content {
	info := n.Get("InfoType")
	name, known := infos[info]
	if !known {
		name = ownName(info)
	}
	return message.Content{Type: message.TypeEvent, Event: &message.Event{Name: name, Fields: eventFields(n)}}
}

// ownName is the platform's name of an event that Kefu has no word for. One that
// happens to be a word of Kefu's is marked, so that nobody takes it for that.
func ownName(name string) string {
	for _, rule := range events {
		if rule.name == name {
			return "platform:" + name
		}
	}
	for _, word := range infos {
		if word == name {
			return "platform:" + name
		}
	}
	return name
}

// Bounds of what an event keeps beside the push itself, which is kept whole.
const (
	maxFields = 64
	maxField  = 1024 // bytes of a value
)

// notFields are told elsewhere in the event, or must not be shown: who has a ticket
// or an authorisation code can act for the merchant.
var notFields = map[string]bool{
	"ToUserName": true, "FromUserName": true, "CreateTime": true, "MsgType": true, "InfoType": true,
	"Event": true, "EventKey": true, "SessionFrom": true,
	"ComponentVerifyTicket": true, "AuthorizationCode": true, "PreAuthCode": true, "auth_code": true,
}

// eventFields lists what else an event told, as "ScanCodeInfo.ScanResult"; of fields
// with the same name the second is "…#2". It is nil if there is nothing.
func eventFields(n wxmsg.Node) map[string]string {
	var fields map[string]string
	var walk func(prefix string, n wxmsg.Node)
	walk = func(prefix string, n wxmsg.Node) {
		times := map[string]int{}
		for kid := range n.Children() {
			name := kid.Name()
			if notFields[name] {
				continue
			}
			times[name]++
			if times[name] > 1 {
				name += "#" + strconv.Itoa(times[name])
			}
			if !kid.Leaf() {
				walk(prefix+name+".", kid)
				continue
			}
			if len(fields) == maxFields {
				return
			}
			if fields == nil {
				fields = make(map[string]string)
			}
			fields[prefix+name] = clip(kid.Text())
		}
	}
	walk("", n)
	return fields
}

// clip shortens a value to maxField bytes at a character's end.
func clip(s string) string {
	if len(s) <= maxField {
		return s
	}
	n := maxField
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
