package hook

import (
	"encoding/json"
	"strconv"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// Told is the body of a queue message: news as the shell sends it, which is a session.Tell, or as somebody has it told
// again.
type Told struct {
	session.Tell
	// AgainAt is when somebody had it told again; zero: it is the first time.
	AgainAt time.Time `json:"again_at,omitzero"`
}

// Read reads the body of a queue message. What is none is Invalid with code "not-news".
func Read(body []byte) (Told, error) {
	var t Told
	if err := json.Unmarshal(body, &t); err != nil {
		return Told{}, fault.Wrap(fault.Invalid, "not-news", err)
	}
	if t.Account == "" || t.Customer == "" || t.News.Session == "" || t.News.Event == "" || t.News.Seq <= 0 || t.News.At.IsZero() {
		return Told{}, fault.New(fault.Invalid, "not-news", "the queue message names no news of a conversation")
	}
	return t, nil
}

// ID is the request's webhook-id: the same however often it is told, so that a receiver can drop what it has had.
// Session ids differ across all accounts.
func (t Told) ID() string {
	return "evt_" + string(t.News.Session) + "-" + strconv.FormatInt(t.News.Seq, 10)
}

// since is from when the time counts for which it is tried.
func (t Told) since() time.Time {
	if t.AgainAt.After(t.News.At) {
		return t.AgainAt
	}
	return t.News.At
}
