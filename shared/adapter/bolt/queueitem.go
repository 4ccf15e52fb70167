package bolt

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kefu/shared/core/fault"
)

// A queue is one bucket. Its keys begin with a letter:
const (
	itemAt    = 'm' // sequence: the message without its body
	bodyAt    = 'b' // sequence: the body
	readyAt   = 'r' // place: what can be taken: messages without a group, and the first of each free group
	timerAt   = 't' // time, sequence: when a delayed or hidden message becomes ready
	memberAt  = 'g' // group, place: all messages that have joined the group
	hiddenAt  = 'n' // group: how many of it are hidden; a group is free when there is no such entry
	deadAt    = 'x' // time, sequence: dead letters
	placeLen  = timeLen + seqLen
	seqLen    = 8
	itemFixed = 1 + timeLen + timeLen + 8 + timeLen
)

// standing is what a message is doing.
type standing byte

const (
	delayed standing = 'd' // not yet of its group
	visible standing = 'v' // can be taken when its turn comes
	hidden  standing = 'h' // delivered, or put off; its group waits
	dead    standing = 'x'
)

// item is a message without its body.
type item struct {
	seq      uint64
	is       standing
	joined   time.Time // with seq its place in the group
	at       time.Time // delayed, hidden: until when; dead: since when
	receives uint64
	sent     time.Time
	group    string
}

func (m item) place() key { return newKey().time(m.joined).num(m.seq) }

func (m item) encode() []byte {
	k := make(key, 0, itemFixed+len(m.group)).byte(byte(m.is)).time(m.joined).time(m.at).num(m.receives).time(m.sent)
	return k.bare(m.group)
}

func decodeItem(seq uint64, raw []byte) (item, error) {
	if len(raw) < itemFixed {
		return item{}, broken("queue message", errShort)
	}
	m := item{seq: seq, is: standing(raw[0])}
	m.joined, _ = readTime(raw[1:])
	m.at, _ = readTime(raw[1+timeLen:])
	m.receives = binary.BigEndian.Uint64(raw[1+2*timeLen:])
	m.sent, _ = readTime(raw[1+2*timeLen+8:])
	m.group = string(raw[itemFixed:])
	return m, nil
}

// id is what the world calls the message.
func (m item) id() string { return fmt.Sprintf("%016x", m.seq) }

// receipt names this delivery of it.
func (m item) receipt() string { return m.id() + "." + strconv.FormatUint(m.receives, 10) }

func readID(id string) (uint64, bool) {
	if len(id) != 16 {
		return 0, false
	}
	seq, err := strconv.ParseUint(id, 16, 64)
	return seq, err == nil
}

// receipt is what a text that item.receipt made says.
type receipt struct{ seq, receives uint64 }

func readReceipts(texts []string) ([]receipt, error) {
	out := make([]receipt, 0, len(texts))
	for _, text := range texts {
		id, n, _ := strings.Cut(text, ".")
		seq, ok := readID(id)
		receives, err := strconv.ParseUint(n, 10, 64)
		if !ok || err != nil {
			return nil, fault.Wrap(fault.Invalid, "bad-receipt", fmt.Errorf("%q is no receipt", text))
		}
		out = append(out, receipt{seq: seq, receives: receives})
	}
	return out, nil
}
