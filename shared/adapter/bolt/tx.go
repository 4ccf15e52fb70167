package bolt

import (
	"bytes"
	"encoding/json"
	"iter"

	"go.etcd.io/bbolt"
)

// bucket names one tree of the file.
type bucket []byte

// The buckets. Those of the queues are made as the queues are: see queueBucket.
var (
	inMeta       = bucket("meta")
	inTenant     = bucket("tenant")
	inAccount    = bucket("account")
	byTenant     = bucket("account.tenant") // tenant, id
	inClaim      = bucket("account.app")    // app id: whose it is
	inReserved   = bucket("account.gone")   // id of a deleted account: whose it was
	inAgent      = bucket("agent")
	agentsOf     = bucket("agent.account") // tenant, account, id
	inKey        = bucket("key")
	keysOf       = bucket("key.agent")     // tenant, agent, id
	inSeat       = bucket("seat")          // tenant, agent, session
	seatTimes    = bucket("seat.times")    // tenant, agent: when the last was taken, and freed
	inSession    = bucket("session")       // account, customer
	inArchive    = bucket("session.past")  // id
	sessionByID  = bucket("session.id")    // id to account, customer
	sessionLists = bucket("session.list")  // see listKeys
	sessionDue   = bucket("session.due")   // due time, account, customer
	inMessage    = bucket("message")       // session, number
	inSeen       = bucket("seen")          // account, key
	inSighting   = bucket("sighting")      // account
	inRaw        = bucket("raw")           // account, time, key
	rawByKey     = bucket("raw.key")       // account, key
	inCall       = bucket("call")          // tenant, key
	inToken      = bucket("token")         // credential
	inMedia      = bucket("media")         // id
	mediaExpiry  = bucket("media.expires") // time, id
	expiry       = bucket("expires")       // time, kind, key
)

var allBuckets = []bucket{
	inMeta, inTenant, inAccount, byTenant, inClaim, inReserved, inAgent, agentsOf, inKey, keysOf, inSeat, seatTimes, inSession, inArchive, sessionByID,
	sessionLists, sessionDue, inMessage, inSeen, inSighting, inRaw, rawByKey, inCall, inToken, inMedia, mediaExpiry, expiry,
}

// tx is a transaction. Writing can't fail in the middle of a closure: the first error is kept, and the writer looks
// at it afterwards. Bytes that come out of it live only as long as the transaction.
type tx struct {
	*bbolt.Tx
	dirty bool
	err   error
}

func (t *tx) get(b bucket, k key) []byte { return t.Bucket(b).Get(k) }

func (t *tx) put(b bucket, k key, v []byte) {
	t.dirty = true
	if err := t.Bucket(b).Put(k, v); err != nil && t.err == nil {
		t.err = unfit(err)
	}
}

func (t *tx) delete(b bucket, k key) {
	t.dirty = true
	if err := t.Bucket(b).Delete(k); err != nil && t.err == nil {
		t.err = unavailable(err)
	}
}

// scan yields the entries whose keys begin with prefix, in order, beginning after the place that follows the prefix.
// Nothing may be written while it runs. Key and value live as long as the transaction.
func (t *tx) scan(b bucket, prefix, after key) iter.Seq2[key, []byte] {
	return func(yield func(key, []byte) bool) {
		c := t.Bucket(b).Cursor()
		from := prefix.plus(after)
		k, v := c.Seek(from)
		if after != nil && bytes.Equal(k, from) {
			k, v = c.Next()
		}
		for ; k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// scanBack is scan in the reverse order: it begins before the place that follows the prefix, or, without one, at the end.
func (t *tx) scanBack(b bucket, prefix, before key) iter.Seq2[key, []byte] {
	return func(yield func(key, []byte) bool) {
		c := t.Bucket(b).Cursor()
		from := prefix.plus(before)
		if before == nil {
			from = prefix.end()
		}
		// The first key that is not before it, if there is one, and then the one in front of that.
		step := c.Prev
		if k, _ := c.Seek(from); from == nil || k == nil {
			step = c.Last
		}
		for k, v := step(); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Prev() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// encode makes the stored form of a value. Unlike json.Marshal it leaves <, > and & as they are.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, unfit(err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decode reads a stored value; what names it in the error.
func decode[T any](what string, b []byte) (T, error) {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return v, broken(what, err)
	}
	return v, nil
}

// load reads the value at k; ok is false if there is none.
func load[T any](t *tx, b bucket, k key, what string) (v T, ok bool, err error) {
	raw := t.get(b, k)
	if raw == nil {
		return v, false, nil
	}
	v, err = decode[T](what, raw)
	return v, err == nil, err
}

// present is the value of entries whose key says all.
var present = []byte{1}
