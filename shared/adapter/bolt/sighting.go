package bolt

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
)

// sightingRecord is what has been seen of one account's callback.
type sightingRecord struct {
	Seen   doctor.Sightings        `json:"seen"`
	Counts map[doctor.Reason]int64 `json:"counts,omitempty"` // of Seen.Refused
	Ends   time.Time               `json:"ends"`             // its entry in the expiry index
}

func sightingKey(a account.Scope) key { return newKey().bare(string(a)) }

// sightings is the record as the doctor knows it.
func (r sightingRecord) sightings(a account.Scope) doctor.Sightings {
	out := r.Seen
	for _, s := range []*doctor.Sighting{&out.Push, &out.Check} {
		if !s.At.IsZero() {
			s.Account, s.Count = a, 1
		}
	}
	for i := range out.Refused {
		out.Refused[i].Account, out.Refused[i].Count = a, r.Counts[out.Refused[i].Reason]
	}
	return out
}

// NoteSighting keeps what was seen of the platform's calls to an account, for 30 days after the last.
func (s *Store) NoteSighting(ctx context.Context, v doctor.Sighting) error {
	if v.Reason != "" && !v.Reason.Known() {
		return fault.New(fault.Invalid, "unknown-reason", "no such reason of a refusal: "+string(v.Reason))
	}
	at := sightingKey(v.Account)
	last := s.db.utcNow()
	if v.At.After(last) {
		last = v.At
	}
	return s.db.update(ctx, func(t *tx) error {
		r, ok, err := load[sightingRecord](t, inSighting, at, "sightings")
		if err != nil {
			return err
		}
		end := last.Add(doctor.Memory)
		if r.Ends.After(end) {
			end = r.Ends
		}
		seen := r.sightings(v.Account).With(v)
		next := sightingRecord{Seen: seen, Counts: map[doctor.Reason]int64{}, Ends: end}
		for _, f := range seen.Refused {
			next.Counts[f.Reason] = f.Count
		}
		raw, err := encode(next)
		if err != nil {
			return err
		}
		if ok {
			t.delete(expiry, expiryKey(r.Ends, expireSighting, at))
		}
		t.put(inSighting, at, raw)
		t.put(expiry, expiryKey(end, expireSighting, at), present)
		return nil
	})
}

// Sightings returns what has been seen; the zero value if that is nothing.
func (s *Store) Sightings(ctx context.Context, a account.Scope) (out doctor.Sightings, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		r, _, err := load[sightingRecord](t, inSighting, sightingKey(a), "sightings")
		out = r.sightings(a)
		return err
	})
	return out, err
}
