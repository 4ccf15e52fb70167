package account

import "time"

// External hands customers' messages to the platform's own tool (M6) by answering
// the push with transfer_customer_service.
//
// https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html
type External struct {
	Mode     ExternalMode `json:"mode,omitempty"`     // default off
	Keywords []string     `json:"keywords,omitempty"` // of mode keyword
	Match    Match        `json:"match,omitempty"`    // default exact
	// KfAccount names the platform's agent who shall have them; Official Accounts only.
	KfAccount string `json:"kf_account,omitempty"`
}

// ExternalMode says which messages are handed over.
type ExternalMode string

// The modes.
const (
	ExternalOff     ExternalMode = "off"
	ExternalAlways  ExternalMode = "always"
	ExternalOpen    ExternalMode = "in_hours"      // in the service hours
	ExternalClosed  ExternalMode = "outside_hours" // outside of them
	ExternalKeyword ExternalMode = "keyword"
)

// Off reports whether no message is ever handed over.
func (e External) Off() bool { return e.Mode == "" || e.Mode == ExternalOff }

// ExternalFor is how long the platform's tool holds a customer after his last message.
const ExternalFor = 30 * time.Minute

func (e External) check(h Hours) error {
	switch e.Mode {
	case "", ExternalOff, ExternalAlways:
	case ExternalOpen, ExternalClosed:
		if len(h.Open) == 0 {
			return wrongRouting("external.mode is %s, but hours.open is missing", e.Mode)
		}
	case ExternalKeyword:
		if len(e.Keywords) == 0 {
			return wrongRouting("external.mode is keyword, but external.keywords is missing")
		}
	default:
		return wrongRouting("external.mode is %q; want off, always, in_hours, outside_hours or keyword", e.Mode)
	}
	if len(e.KfAccount) > 64 {
		return wrongRouting("external.kf_account is longer than 64 bytes")
	}
	if err := checkMatch("external.match", e.Match); err != nil {
		return err
	}
	return checkWords("external.keywords", e.Keywords)
}
