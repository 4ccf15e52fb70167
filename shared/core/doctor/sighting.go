package doctor

import (
	"cmp"
	"slices"
	"time"

	"kefu/shared/core/account"
)

// Sighting is what was seen of one or more calls of the platform to the callback
// address: a push, or the console's check of the address.
type Sighting struct {
	Account account.Scope `json:"-"`
	At      time.Time     `json:"at"`              // arrival
	Check   bool          `json:"check,omitempty"` // the console's check (GET), not a push
	// Mode and Format are those in which the push came; empty: not known.
	Mode   account.Mode   `json:"mode,omitempty"`
	Format account.Format `json:"format,omitempty"`
	// SentAt is the signed timestamp; zero: not known.
	SentAt time.Time `json:"sent_at,omitzero"`
	// Reason is why it was refused or could not be read; empty: it was accepted.
	Reason Reason `json:"reason,omitempty"`
	// Found is what stood in it where the account's own id should have, for WrongAppID and WrongOriginalID.
	Found string `json:"found,omitempty"`
	// Count is how many it stands for, at least 1. See [Sightings.Refused].
	Count int64 `json:"-"`
}

// Skew is how much later the push arrived than it says it was sent: our clock less the
// platform's, and the way.
func (s Sighting) Skew() (time.Duration, bool) {
	if s.SentAt.IsZero() {
		return 0, false
	}
	return s.At.Sub(s.SentAt), true
}

// Reason is why a call was refused, or could not be read.
type Reason string

// The reasons, which are the codes of the callback's refusals. There is no other.
const (
	Unsigned        Reason = "unsigned"      // no signature at all: hardly the platform
	WrongToken      Reason = "signature"     // the signature doesn't hold with the account's token
	WrongBody       Reason = "msg-signature" // the query is signed well, the body is not
	Unencrypted     Reason = "mode"          // signed well and not encrypted, for an account that wants it so
	BadEnvelope     Reason = "envelope"      // signed well, and its body can't be read from outside
	NoKey           Reason = "aes-key"       // the account has no usable AES key
	NotBase64       Reason = "base64"        // signed well, Encrypt is no base64
	WrongLength     Reason = "length"        // decrypted to nonsense, by its length
	WrongKey        Reason = "padding"       // decrypted to nonsense
	WrongAppID      Reason = "appid"         // encrypted for another app id
	WrongOriginalID Reason = "original-id"   // addressed to another account
	NoEcho          Reason = "echostr"       // a check of the address with nothing to answer
	Oversized       Reason = "oversized"     // larger than a push may be
	Unreadable      Reason = "unreadable"    // accepted and kept raw: neither XML nor JSON of a push
)

// Reasons lists them all.
func Reasons() []Reason {
	return []Reason{
		Unsigned, WrongToken, WrongBody, Unencrypted, BadEnvelope, NoKey, NotBase64, WrongLength, WrongKey, WrongAppID,
		WrongOriginalID, NoEcho, Oversized, Unreadable,
	}
}

// Known reports whether r is one of [Reasons].
func (r Reason) Known() bool { return slices.Contains(Reasons(), r) }

// Sightings is what is remembered of an account.
type Sightings struct {
	Push  Sighting // the newest accepted push; zero At: none
	Check Sighting // the newest check of the address that passed
	// Refused is the last of each reason, by reason. Its Count is how many there were
	// since the newest accepted push; 0 when it is older than that.
	Refused []Sighting
}

// Memory is how long a sighting counts.
const Memory = 30 * 24 * time.Hour

// MaxCount bounds Count.
const MaxCount = 1_000_000

// With notes one more. An accepted one that is older than the newest changes nothing;
// a newer push sets the counts of all refused to 0; of a reason the last that is noted
// stays. It changes nothing that the receiver shares.
func (s Sightings) With(v Sighting) Sightings {
	v.Count = min(max(v.Count, 1), MaxCount)
	out := Sightings{Push: s.Push, Check: s.Check, Refused: slices.Clone(s.Refused)}
	switch {
	case v.Reason != "":
		at, ok := slices.BinarySearchFunc(out.Refused, v.Reason, func(f Sighting, r Reason) int { return cmp.Compare(f.Reason, r) })
		if ok {
			v.Count = min(v.Count+out.Refused[at].Count, MaxCount)
			out.Refused[at] = v
		} else {
			out.Refused = slices.Insert(out.Refused, at, v)
		}
	case v.Check:
		if v.At.After(s.Check.At) {
			out.Check = v
		}
	case v.At.After(s.Push.At):
		out.Push = v
		for i := range out.Refused {
			out.Refused[i].Count = 0
		}
	}
	return out
}

// between leaves out what was seen before an account was made, for another may have had
// its name, or too long ago.
func (s Sightings) between(from, now time.Time) Sightings {
	if old := now.Add(-Memory); old.After(from) {
		from = old
	}
	if s.Push.At.Before(from) {
		s.Push = Sighting{}
	}
	if s.Check.At.Before(from) {
		s.Check = Sighting{}
	}
	s.Refused = slices.DeleteFunc(slices.Clone(s.Refused), func(f Sighting) bool { return f.At.Before(from) })
	return s
}
