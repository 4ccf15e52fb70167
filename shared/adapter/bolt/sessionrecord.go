package bolt

import (
	"encoding/binary"
	"errors"
	"time"

	"kefu/shared/core/session"
)

// sessionHead is what lists and conditions need of a stored session. It stands before the session's JSON, so that
// neither a list's filter nor a save has to read the whole.
type sessionHead struct {
	version                                      uint64
	id, tenant, account, customer, state, served string
	opened, queued, due                          time.Time // queued is its place in the queue
}

func headOf(s session.Session, version uint64) sessionHead {
	return sessionHead{
		version: version, id: string(s.ID), tenant: string(s.Tenant), account: string(s.Account),
		customer: string(s.Customer), state: string(s.State), served: string(s.Agent),
		opened: s.OpenedAt, queued: s.Place(), due: s.DueAt,
	}
}

// sessionRecord makes the stored form: version, texts, times, JSON.
func sessionRecord(h sessionHead, body []byte) []byte {
	k := make(key, 0, 256+len(body)).num(h.version)
	for _, s := range []string{h.id, h.tenant, h.account, h.customer, h.state, h.served} {
		k = k.text(s)
	}
	return append(k.time(h.opened).time(h.queued).time(h.due), body...)
}

var errShort = errors.New("it is cut short")

// readHead reads the head and returns the JSON behind it.
func readHead(raw []byte) (h sessionHead, body []byte, err error) {
	if len(raw) < 8 {
		return h, nil, broken("session", errShort)
	}
	h.version = binary.BigEndian.Uint64(raw)
	var ok bool
	rest := raw[8:]
	for _, p := range []*string{&h.id, &h.tenant, &h.account, &h.customer, &h.state, &h.served} {
		if *p, rest, ok = readText(rest); !ok {
			return h, nil, broken("session", errShort)
		}
	}
	for _, p := range []*time.Time{&h.opened, &h.queued, &h.due} {
		if *p, ok = readTime(rest); !ok {
			return h, nil, broken("session", errShort)
		}
		rest = rest[timeLen:]
	}
	return h, rest, nil
}

// readSession reads the whole session of a record.
func readSession(raw []byte) (session.Session, error) {
	_, body, err := readHead(raw)
	if err != nil {
		return session.Session{}, err
	}
	return decode[session.Session]("session", body)
}
