package bolt

import (
	"encoding/binary"

	"kefu/shared/core/queue"
)

// deadLetters returns the first dead letters.
func (s *shelf) deadLetters(limit int) (out []queue.DeadLetter, err error) {
	for k := range s.scan(s.bucket, at(deadAt), nil) {
		if len(out) == limit {
			break
		}
		m, err := s.mustItem(k[1+timeLen:])
		if err != nil {
			return nil, err
		}
		out = append(out, queue.DeadLetter{
			ID: m.id(), Group: m.group, Body: s.body(m.seq), Receives: int(m.receives), //nolint:gosec // a small count
			SentAt: m.sent, DiedAt: m.at,
		})
	}
	return out, nil
}

// deadSeqs names all dead letters.
func (s *shelf) deadSeqs() (seqs []uint64) {
	for k := range s.scan(s.bucket, at(deadAt), nil) {
		seqs = append(seqs, binary.BigEndian.Uint64(k[1+timeLen:]))
	}
	return seqs
}

// revive sends a dead letter again as a new message; false if there is no such dead letter.
func (s *shelf) revive(seq uint64) (bool, error) {
	m, ok, err := s.item(seq)
	if err != nil || !ok || m.is != dead {
		return false, err
	}
	body := s.body(seq)
	s.delete(s.bucket, deadKey(m))
	s.delete(s.bucket, ofSeq(itemAt, seq))
	s.delete(s.bucket, ofSeq(bodyAt, seq))
	s.add(m.group, 0, body)
	return true, nil
}
