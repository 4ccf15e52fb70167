package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var errPlace = errors.New("an index entry's place can't be read")

// part is one partition of an index. If before is set, it is of the entries before that place.
type part struct {
	of     index
	name   string
	before string
}

// query asks for the entries after a place; "" is the beginning.
func (p part) query(after string, limit int) *dynamodb.QueryInput {
	q := &dynamodb.QueryInput{
		IndexName: &p.of.name, Limit: aws.Int32(int32(limit)), //nolint:gosec // a page's
		KeyConditionExpression:    aws.String("#p = :p"),
		ExpressionAttributeNames:  map[string]string{"#p": p.of.partition},
		ExpressionAttributeValues: item{":p": text(p.name)},
	}
	bound := func(expr string) {
		*q.KeyConditionExpression += " AND " + expr
		q.ExpressionAttributeNames["#a"] = p.of.place
	}
	values := q.ExpressionAttributeValues
	switch {
	case after != "" && p.before != "":
		// BETWEEN takes in both ends: the successor of after, and before, which is no entry's place.
		bound("#a BETWEEN :a AND :b")
		values[":a"], values[":b"] = text(after+"\x00"), text(p.before)
	case after != "":
		bound("#a > :a")
		values[":a"] = text(after)
	case p.before != "":
		bound("#a < :b")
		values[":b"] = text(p.before)
	}
	return q
}

// merged walks several partitions of one order as one. A place that stands in several of them, as that of a session
// whose state has just changed may, is passed in all of them at once.
type merged struct {
	store *Store
	runs  []*run
	last  string // place that was passed
}

// run is the walk through one of them.
type run struct {
	q      *dynamodb.QueryInput // for what follows places; nil if there is no more
	place  string               // attribute
	places []string             // what has been read and not been passed
}

// Limits of a merge.
const (
	mergeWidth = 8   // queries at once
	mergeMost  = 200 // entries of one query
	mergeLeast = 40  // entries of one query that cost no more than one
)

// merge begins after the given place in each part. Limit is how many entries the caller will probably take.
func (s *Store) merge(ctx context.Context, parts []part, after string, limit int) (*merged, error) {
	m := &merged{store: s, last: after}
	if len(parts) == 0 {
		return m, nil
	}
	size := min(max(mergeLeast, 2*limit/len(parts)), limit+1, mergeMost)
	for _, p := range parts {
		if len(p.name) > maxPK || (p.before != "" && after >= p.before) {
			continue
		}
		m.runs = append(m.runs, &run{q: p.query(after, size), place: p.of.place})
	}
	return m, each(ctx, mergeWidth, m.runs, func(ctx context.Context, r *run) error { return r.pass(ctx, s, after) })
}

// peek returns the first place of all; ok is false at the end.
func (m *merged) peek(ctx context.Context) (place string, ok bool, err error) {
	for _, r := range m.runs {
		if err := r.pass(ctx, m.store, m.last); err != nil {
			return "", false, err
		}
		if len(r.places) > 0 && (!ok || r.places[0] < place) {
			place, ok = r.places[0], true
		}
	}
	return place, ok, nil
}

// take returns the next places, as many as there are up to n, and passes them.
func (m *merged) take(ctx context.Context, n int) (places []string, err error) {
	for len(places) < n {
		place, ok, err := m.peek(ctx)
		if err != nil || !ok {
			return places, err
		}
		places, m.last = append(places, place), place
	}
	return places, nil
}

// cursor is where to go on behind what was taken; "" at the end.
func (m *merged) cursor(ctx context.Context, scope string) (string, error) {
	if _, ok, err := m.peek(ctx); err != nil || !ok {
		return "", err
	}
	return cursorAt(scope, m.last), nil
}

// pass forgets what lies up to a place, and reads on if nothing is left.
func (r *run) pass(ctx context.Context, s *Store, last string) error {
	for {
		for len(r.places) > 0 && r.places[0] <= last {
			r.places = r.places[1:]
		}
		if len(r.places) > 0 || r.q == nil {
			return nil
		}
		out, err := s.query(ctx, r.q)
		if err != nil {
			return err
		}
		for _, in := range out.Items {
			r.places = append(r.places, readText(in[r.place]))
		}
		if r.q.ExclusiveStartKey = out.LastEvaluatedKey; len(out.LastEvaluatedKey) == 0 {
			r.q = nil
		}
	}
}

// countRange counts a part's entries, up to a limit.
func (s *Store) countRange(ctx context.Context, p part, limit int) (n int, err error) {
	q := p.query("", limit)
	q.Select = types.SelectCount
	for {
		out, err := s.query(ctx, q)
		if err != nil {
			return 0, err
		}
		n += int(out.Count)
		if n >= limit || len(out.LastEvaluatedKey) == 0 {
			return n, nil
		}
		q.ExclusiveStartKey, q.Limit = out.LastEvaluatedKey, aws.Int32(int32(limit-n)) //nolint:gosec // a page's
	}
}
