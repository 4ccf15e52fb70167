package account

import "time"

// AccessToken opens the platform's interface for one app id. Every account with
// the same app id shares it.
type AccessToken struct {
	Value     Secret
	ExpiresAt time.Time
	// LeaseUntil: until then one caller is fetching a new one.
	LeaseUntil time.Time
	// ForcedAt is when a new one was last forced, which the platform allows 20
	// times a day and not twice within 30 s.
	ForcedAt time.Time
}

// Good reports whether the token can be used for calls that begin at now.
func (t AccessToken) Good(now time.Time) bool { return t.Value != "" && now.Before(t.ExpiresAt) }
