// Package external decides which customers' messages go to the platform's own
// customer-service tool (M6). Call [HandsOver]; the settings are account.External.
package external

import (
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/word"
)

// HandsOver reports whether a push is answered with a hand-over to the platform's own
// tool. It is a function of the rules, the push and its arrival, so that every delivery
// of a push is answered alike. Text is what the customer wrote, empty for a picture and
// the like.
//
// Only messages are handed over, never events: the platform's page "Transfer customer
// messages" (消息转发), and the enter event is not shown in the tool at all.
//
// https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html
func HandsOver(r account.Routing, text string, isMessage bool, at time.Time) bool {
	if !isMessage {
		return false
	}
	switch r.External.Mode {
	case account.ExternalAlways:
		return true
	case account.ExternalOpen:
		return r.Hours.IsOpen(at)
	case account.ExternalClosed:
		return !r.Hours.IsOpen(at)
	case account.ExternalKeyword:
		return word.Match(r.External.Keywords, r.External.Match, text)
	case account.ExternalOff:
	}
	return false // also for a mode that a later version has stored
}
