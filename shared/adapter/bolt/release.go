package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// queuePrefix begins the name of each queue's bucket.
const queuePrefix = "queue:"

// release makes ready at once what an earlier process had received and not acknowledged. The file has one owner, so
// whoever received it is gone, and nobody need wait for a visibility time to end. The delivery stays counted.
func (d *DB) release(ctx context.Context) error {
	var queues []bucket
	err := d.view(ctx, func(t *tx) error {
		return t.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if bytes.HasPrefix(name, []byte(queuePrefix)) {
				queues = append(queues, slices.Clone(bucket(name)))
			}
			return nil
		})
	})
	for _, name := range queues {
		if err != nil {
			return err
		}
		err = d.relieve(ctx, func(t *tx) error {
			return (&shelf{tx: t, bucket: name, now: d.utcNow()}).release()
		})
	}
	return err
}

func (s *shelf) release() error {
	var timers []key
	for k := range s.scan(s.bucket, at(timerAt), nil) {
		timers = append(timers, slices.Clone(k))
	}
	for _, k := range timers {
		m, ok, err := s.item(binary.BigEndian.Uint64(k[1+timeLen:]))
		if err != nil {
			return err
		}
		if !ok || m.is != hidden {
			continue
		}
		s.delete(s.bucket, k)
		s.giveBack(m)
	}
	return nil
}
