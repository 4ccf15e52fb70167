package dynamo

import "context"

// listed reads a page of a list that is one partition of an index: the items themselves, as they are now, in the order
// of their places. At makes an item's key of its place. What the index still shows and the table no longer has is left
// out; whether the rest still belongs to the list is for the caller to see.
func (s *Store) listed(ctx context.Context, p part, cursor string, limit int, at func(place string) key) (items []item, next string, err error) {
	after, err := placeAt(p.name, cursor)
	if err != nil {
		return nil, "", err
	}
	limit = pageSize(limit)
	m, err := s.merge(ctx, []part{p}, after, limit)
	if err != nil {
		return nil, "", err
	}
	places, err := m.take(ctx, limit)
	if err != nil {
		return nil, "", err
	}
	if items, err = s.itemsAt(ctx, places, at); err != nil {
		return nil, "", err
	}
	next, err = m.cursor(ctx, p.name)
	return items, next, err
}

// itemsAt reads the items of some places, in their order, without those that have gone.
func (s *Store) itemsAt(ctx context.Context, places []string, at func(place string) key) (items []item, err error) {
	keys := make([]key, 0, len(places))
	for _, place := range places {
		keys = append(keys, at(place))
	}
	found, err := s.batch(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		if it, ok := found[at(place)]; ok {
			items = append(items, it)
		}
	}
	return items, nil
}
