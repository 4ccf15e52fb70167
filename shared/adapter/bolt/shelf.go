package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"kefu/shared/core/queue"
)

// shelf is a queue within one transaction. Every step costs a few look-ups, whatever the backlog.
type shelf struct {
	*tx
	bucket      bucket
	now         time.Time
	visibility  time.Duration
	maxReceives uint64
	// stirred says that something became ready, or a timer earlier than all others began.
	stirred bool
}

func at(kind byte) key                    { return newKey().byte(kind) }
func ofSeq(kind byte, seq uint64) key     { return at(kind).num(seq) }
func ofGroup(kind byte, group string) key { return at(kind).text(group) }
func timerKey(m item) key                 { return at(timerAt).time(m.at).num(m.seq) }
func deadKey(m item) key                  { return at(deadAt).time(m.at).num(m.seq) }

func (s *shelf) save(m item) { s.put(s.bucket, ofSeq(itemAt, m.seq), m.encode()) }

func (s *shelf) item(seq uint64) (m item, ok bool, err error) {
	raw := s.get(s.bucket, ofSeq(itemAt, seq))
	if raw == nil {
		return m, false, nil
	}
	m, err = decodeItem(seq, raw)
	return m, err == nil, err
}

func (s *shelf) body(seq uint64) []byte {
	return append([]byte{}, s.get(s.bucket, ofSeq(bodyAt, seq))...)
}

// first returns the first key of a kind, without the letter; nil if there is none.
func (s *shelf) first(kind byte) key {
	k, _ := s.Bucket(s.bucket).Cursor().Seek([]byte{kind})
	if len(k) == 0 || k[0] != kind {
		return nil
	}
	return k[1:]
}

func (s *shelf) hasReady() bool { return s.first(readyAt) != nil }

// nextTimer is the earliest timer.
func (s *shelf) nextTimer() (time.Time, bool) {
	k := s.first(timerAt)
	if k == nil {
		return time.Time{}, false
	}
	return readTime(k)
}

// due reports whether a timer is over.
func (s *shelf) due(now time.Time) bool {
	t, ok := s.nextTimer()
	return ok && !t.After(now)
}

// startTimer keeps the message away until m.at.
func (s *shelf) startTimer(m item) {
	if next, ok := s.nextTimer(); !ok || m.at.Before(next) {
		s.stirred = true
	}
	s.put(s.bucket, timerKey(m), present)
}

// add puts a new message in.
func (s *shelf) add(group string, delay time.Duration, body []byte) {
	// Making the bucket is a write of its own kind, so is counting.
	s.dirty = true
	seq, err := s.Bucket(s.bucket).NextSequence()
	if err != nil {
		s.err = unavailable(err)
		return
	}
	m := item{seq: seq, sent: s.now, group: group}
	s.put(s.bucket, ofSeq(bodyAt, seq), body)
	if delay > 0 {
		m.is, m.at = delayed, s.now.Add(delay)
		m.joined = m.at
		s.save(m)
		s.startTimer(m)
		return
	}
	// A clock that was set back must not let the message overtake its group.
	m.joined = s.now
	if last, ok := s.lastJoined(group); ok && last.After(m.joined) {
		m.joined = last
	}
	s.join(m)
}

// lastJoined is when the last message of a group joined it.
func (s *shelf) lastJoined(group string) (time.Time, bool) {
	if group == "" {
		return time.Time{}, false
	}
	prefix := ofGroup(memberAt, group)
	c := s.Bucket(s.bucket).Cursor()
	k, _ := c.Seek(prefix.plus(bytes.Repeat([]byte{0xff}, placeLen)))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if !bytes.HasPrefix(k, prefix) {
		return time.Time{}, false
	}
	return readTime(k[len(prefix):])
}

// join makes a message part of its group, at its place.
func (s *shelf) join(m item) {
	m.is, m.at = visible, time.Time{}
	s.save(m)
	if m.group == "" {
		s.offer(m.place())
		return
	}
	before := s.freeHead(m.group)
	s.put(s.bucket, ofGroup(memberAt, m.group).plus(m.place()), present)
	s.reoffer(m.group, before)
}

// offer lists a place as ready.
func (s *shelf) offer(place key) {
	s.put(s.bucket, at(readyAt).plus(place), present)
	s.stirred = true
}

// freeHead is the place of the first message of a group, nil while the group is locked or empty. For a free group, it
// and nothing else of the group is listed as ready.
func (s *shelf) freeHead(group string) key {
	if s.get(s.bucket, ofGroup(hiddenAt, group)) != nil {
		return nil
	}
	prefix := ofGroup(memberAt, group)
	for k := range s.scan(s.bucket, prefix, nil) {
		return slices.Clone(k[len(prefix):])
	}
	return nil
}

// reoffer lists the group's new head in place of the one that it had before a change.
func (s *shelf) reoffer(group string, before key) {
	head := s.freeHead(group)
	if bytes.Equal(before, head) {
		return
	}
	if before != nil {
		s.delete(s.bucket, at(readyAt).plus(before))
	}
	if head != nil {
		s.offer(head)
	}
}

// lock counts how many messages of a group are hidden; the group is locked while any is.
func (s *shelf) lock(group string, by int) {
	k := ofGroup(hiddenAt, group)
	n := by
	if raw := s.get(s.bucket, k); len(raw) == 8 {
		n += int(binary.BigEndian.Uint64(raw)) //nolint:gosec // a count that this function wrote
	}
	if n <= 0 {
		s.delete(s.bucket, k)
		return
	}
	s.put(s.bucket, k, newKey().num(uint64(n)))
}

// held returns the message of a receipt if the receipt is of its latest delivery.
func (s *shelf) held(r receipt) (item, bool, error) {
	m, ok, err := s.item(r.seq)
	if err != nil || !ok || m.receives != r.receives || (m.is != hidden && m.is != visible) {
		return item{}, false, err
	}
	return m, true, nil
}

// remove forgets a message that has been delivered.
func (s *shelf) remove(m item) {
	s.delete(s.bucket, ofSeq(itemAt, m.seq))
	s.delete(s.bucket, ofSeq(bodyAt, m.seq))
	s.leave(m)
}

// leave takes a message out of its group and of all that waits for it.
func (s *shelf) leave(m item) {
	if m.is == hidden {
		s.delete(s.bucket, timerKey(m))
	}
	if m.group == "" {
		if m.is == visible {
			s.delete(s.bucket, at(readyAt).plus(m.place()))
		}
		return
	}
	before := s.freeHead(m.group)
	if m.is == hidden {
		s.lock(m.group, -1)
	}
	s.delete(s.bucket, ofGroup(memberAt, m.group).plus(m.place()))
	s.reoffer(m.group, before)
}

// putOff hides a delivered message for the delay, or gives it back at once.
func (s *shelf) putOff(m item, delay time.Duration) {
	if m.is == visible { // its time was over, and nobody has taken it yet
		m = s.hide(m)
	} else {
		s.delete(s.bucket, timerKey(m))
	}
	if delay <= 0 {
		s.giveBack(m)
		return
	}
	m.at = s.now.Add(delay)
	s.save(m)
	s.startTimer(m)
}

// hide takes a visible message out of what is ready. The caller saves it, and starts its timer.
func (s *shelf) hide(m item) item {
	if m.group == "" {
		s.delete(s.bucket, at(readyAt).plus(m.place()))
	} else {
		before := s.freeHead(m.group)
		s.lock(m.group, 1)
		s.reoffer(m.group, before)
	}
	m.is = hidden
	return m
}

// giveBack makes a hidden message, whose timer is gone, visible at its place, or a dead letter if it has been
// delivered too often.
func (s *shelf) giveBack(m item) {
	if s.maxReceives > 0 && m.receives >= s.maxReceives {
		s.leave(m) // its timer is gone already: deleting it again does nothing
		m.is, m.at = dead, s.now
		s.save(m)
		s.put(s.bucket, deadKey(m), present)
		return
	}
	m.is, m.at = visible, time.Time{}
	s.save(m)
	if m.group == "" {
		s.offer(m.place())
		return
	}
	before := s.freeHead(m.group)
	s.lock(m.group, -1)
	s.reoffer(m.group, before)
}

// wakeStep is how many timers one Receive works off at most.
const wakeStep = 1024

// wake makes ready what has waited long enough. If more has than one step may do, horizon is the time of the next:
// nothing behind it may be taken, or it would be overtaken.
func (s *shelf) wake() (horizon time.Time, more bool, err error) {
	var over []key
	for k := range s.scan(s.bucket, at(timerAt), nil) {
		t, _ := readTime(k[1:])
		if t.After(s.now) {
			break
		}
		if len(over) == wakeStep {
			horizon, more = t, true
			break
		}
		over = append(over, slices.Clone(k))
	}
	for _, k := range over {
		m, ok, err := s.item(binary.BigEndian.Uint64(k[1+timeLen:]))
		if err != nil {
			return horizon, more, err
		}
		s.delete(s.bucket, k)
		switch {
		case !ok:
		case m.is == delayed:
			s.join(m)
		case m.is == hidden:
			s.giveBack(m)
		}
	}
	return horizon, more, nil
}

// take delivers up to limit messages, those without a group and one of each free group, in the order of their places.
// More of one group would be counted as delivered each time that the first of them fails, and would end among the dead
// letters with it. The answer more says that timers which are over had to be left for another time.
func (s *shelf) take(limit int) (out []queue.Delivery, more bool, err error) {
	horizon, more, err := s.wake()
	if err != nil {
		return nil, false, err
	}
	var heads []item
	for k := range s.scan(s.bucket, at(readyAt), nil) {
		joined, _ := readTime(k[1:])
		if len(heads) == limit || (more && joined.After(horizon)) {
			break
		}
		m, err := s.mustItem(k[1+timeLen:])
		if err != nil {
			return nil, false, err
		}
		heads = append(heads, m)
	}
	for _, head := range heads {
		out = append(out, s.deliver(head))
	}
	s.stirred = s.stirred || more || s.hasReady()
	return out, more, nil
}

func (s *shelf) mustItem(seq []byte) (item, error) {
	m, ok, err := s.item(binary.BigEndian.Uint64(seq))
	if err == nil && !ok {
		err = broken("queue index", errShort)
	}
	return m, err
}

// deliver hides a message that is ready, and with it its group, and makes its delivery.
func (s *shelf) deliver(m item) queue.Delivery {
	s.delete(s.bucket, at(readyAt).plus(m.place()))
	if m.group != "" {
		s.lock(m.group, 1)
	}
	m.is, m.at = hidden, s.now.Add(s.visibility)
	m.receives++
	s.save(m)
	s.startTimer(m)
	return queue.Delivery{
		ID: m.id(), Receipt: m.receipt(), Group: m.group, Body: s.body(m.seq),
		Receives: int(m.receives), SentAt: m.sent, //nolint:gosec // a count far below any limit
	}
}
