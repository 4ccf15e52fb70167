package dynamo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
)

// NoteSighting keeps what was seen of the platform's calls to an account, for 30 days after the last. It is one write of
// one small item: what was accepted under a condition, and a refusal without. A write of the latter that is repeated
// because its answer was lost counts twice, which a number for people can bear.
func (s *Store) NoteSighting(ctx context.Context, v doctor.Sighting) error {
	if v.Reason != "" && !v.Reason.Known() {
		return fault.New(fault.Invalid, "unknown-reason", "no such reason of a refusal: "+string(v.Reason))
	}
	c := change{condition: condition{
		names:  map[string]string{"#body": sightingAttr(v), "#ttl": attrTTL},
		values: item{":body": text(packSighting(v)), ":ttl": lifetime(s.later(v.At).Add(doctor.Memory))},
	}}
	if v.Reason != "" {
		c.update = "SET #body = :body, #ttl = :ttl ADD #count :count"
		c.names["#count"], c.values[":count"] = sightingCount(v.Reason), number(min(max(v.Count, 1), doctor.MaxCount))
	} else {
		c.update = "SET #body = :body, #ttl = :ttl, #at = :at"
		c.expr = "attribute_not_exists(#at) OR #at < :at"
		c.names["#at"], c.values[":at"] = sightingTime(v), moment(v.At)
	}
	if v.Reason == "" && !v.Check {
		var counts []string // start anew
		for i, r := range doctor.Reasons() {
			name := fmt.Sprintf("#c%d", i)
			c.names[name] = sightingCount(r)
			counts = append(counts, name)
		}
		c.update += " REMOVE " + strings.Join(counts, ", ")
	}
	_, _, _, err := s.update(ctx, sightingKey(v.Account), c) // what is older than what stands has nothing to change
	return err
}

// Sightings returns what has been seen; the zero value if that is nothing.
func (s *Store) Sightings(ctx context.Context, a account.Scope) (doctor.Sightings, error) {
	it, err := s.get(ctx, sightingKey(a), true)
	if err != nil {
		return doctor.Sightings{}, err
	}
	var out doctor.Sightings
	for _, v := range []doctor.Sighting{{}, {Check: true}} {
		if err := readSighting(it, &v); err != nil {
			return doctor.Sightings{}, err
		}
		if v.At.IsZero() {
			continue
		}
		v.Account, v.Count = a, 1
		out = out.With(v)
	}
	for _, r := range doctor.Reasons() {
		v := doctor.Sighting{Reason: r}
		if err := readSighting(it, &v); err != nil {
			return doctor.Sightings{}, err
		}
		if v.At.IsZero() {
			continue
		}
		v.Account = a
		count := min(readNumber(it[sightingCount(r)]), doctor.MaxCount)
		out = out.With(v)
		for i := range out.Refused {
			if out.Refused[i].Reason == r {
				out.Refused[i].Count = count
			}
		}
	}
	return out, nil
}

// readSighting reads the sighting of v's kind, if there is one.
func readSighting(in item, v *doctor.Sighting) error {
	packed := readText(in[sightingAttr(*v)])
	if packed == "" {
		return nil
	}
	if err := unpackSighting(packed, v); err != nil {
		return fault.Wrap(fault.Internal, "broken-item", fmt.Errorf("sighting: %w", err))
	}
	return nil
}

// packSighting writes a sighting as time|check|mode|format|sent|found, all but its kind.
func packSighting(v doctor.Sighting) string {
	check := ""
	if v.Check {
		check = "c"
	}
	return strings.Join([]string{packTime(v.At), check, string(v.Mode), string(v.Format), packTime(v.SentAt), v.Found}, "|")
}

func unpackSighting(packed string, v *doctor.Sighting) error {
	const fields = 6
	f := strings.SplitN(packed, "|", fields)
	if len(f) != fields {
		return fmt.Errorf("%d fields; want %d", len(f), fields)
	}
	at, err := unpackTime(f[0])
	if err != nil {
		return err
	}
	sent, err := unpackTime(f[4])
	if err != nil {
		return err
	}
	v.At, v.Check, v.Mode, v.Format, v.SentAt, v.Found = at, f[1] == "c", account.Mode(f[2]), account.Format(f[3]), sent, f[5]
	return nil
}

// packTime writes a time to the nanosecond; the zero one is empty.
func packTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixNano(), 36)
}

func unpackTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(s, 36, 64)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, n).UTC(), nil
}
