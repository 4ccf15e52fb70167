package bolt

import "context"

// list is a list in the order of one bucket's keys, or in the reverse order.
type list[T any] struct {
	bucket bucket
	scope  key // what the cursor belongs to
	prefix key // of all its keys; what follows is the place
	back   bool
	// read makes the item of an entry; place and value live as long as the transaction.
	read func(t *tx, place key, value []byte) (T, error)
}

// page returns up to limit items after the cursor, and the cursor of the next page if there is one.
func (l list[T]) page(ctx context.Context, d *DB, cursor string, limit int) (items []T, next string, err error) {
	after, err := d.cursors.open(l.scope, cursor)
	if err != nil {
		return nil, "", err
	}
	limit = pageSize(limit)
	err = d.view(ctx, func(t *tx) error {
		var last key
		scan := t.scan
		if l.back {
			scan = t.scanBack
		}
		for k, v := range scan(l.bucket, l.prefix, after) {
			if len(items) == limit {
				next = d.cursors.wrap(l.scope, last)
				return nil
			}
			last = k[len(l.prefix):]
			item, err := l.read(t, last, v)
			if err != nil {
				return err
			}
			items = append(items, item)
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return items, next, nil
}
