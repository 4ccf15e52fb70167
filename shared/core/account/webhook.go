package account

import (
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/fault"
)

// Webhook is where an account's events are told to the business's own software. The
// zero value tells nobody.
type Webhook struct {
	URL    string   `json:"url,omitempty"`
	Events []string `json:"events,omitempty"` // names of events; none means all
}

// The events that can be told.
const (
	SessionOpened   = "session.opened"
	SessionQueued   = "session.queued"
	SessionAssigned = "session.assigned"
	SessionReleased = "session.released"
	SessionClosed   = "session.closed"
	SessionExpired  = "session.expired"
	MessageIn       = "message.in"
	MessageOut      = "message.out" // with its final state
)

// WebhookEvents lists them all.
func WebhookEvents() []string {
	return []string{SessionOpened, SessionQueued, SessionAssigned, SessionReleased, SessionClosed, SessionExpired, MessageIn, MessageOut}
}

// SigningOverlap is how long what is told carries the signature of the former secret too.
const SigningOverlap = 24 * time.Hour

// Tells reports whether an event of the name is told.
func (w Webhook) Tells(event string) bool {
	return w.URL != "" && (len(w.Events) == 0 || slices.Contains(w.Events, event))
}

// Check says what is wrong, as a fault of kind Invalid with code "webhook-invalid".
func (w Webhook) Check() error {
	if err := checkWeb("url", w.URL); err != nil {
		return fault.New(fault.Invalid, "webhook-invalid", fault.DetailOf(err))
	}
	for _, e := range w.Events {
		if !slices.Contains(WebhookEvents(), e) {
			return fault.New(fault.Invalid, "webhook-invalid", fmt.Sprintf("events has %q; known: %v", e, WebhookEvents()))
		}
	}
	return nil
}

// Signing are the secrets that sign what is sent to the business, Standard Webhooks'
// "whsec_" and base64. Previous signs too, for [SigningOverlap] after ChangedAt.
type Signing struct {
	Secret    Secret
	Previous  Secret
	ChangedAt time.Time
}
