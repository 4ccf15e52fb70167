package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// stingy answers each batch with its first key's item alone, and leaves the rest out; with none at all, if it is mean.
type stingy struct {
	mean  bool
	calls atomic.Int32
}

func (g *stingy) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchGetItem") {
		return transport().RoundTrip(r)
	}
	g.calls.Add(1)
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in struct {
		RequestItems map[string]struct{ Keys []json.RawMessage }
	}
	if err := json.Unmarshal(asked, &in); err != nil {
		return nil, err
	}
	for table, want := range in.RequestItems {
		if g.mean {
			return answer(table, nil, want.Keys)
		}
		items, err := fetch(r, fmt.Sprintf(`{"RequestItems":{%q:{"Keys":[%s]}}}`, table, want.Keys[0]))
		if err != nil {
			return nil, err
		}
		return answer(table, items[table], want.Keys[1:])
	}
	return nil, errors.New("a batch of nothing")
}

// fetch makes a request with another body.
func fetch(r *http.Request, body string) (map[string][]json.RawMessage, error) {
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	resp, err := transport().RoundTrip(r)
	if err != nil {
		return nil, err
	}
	var got struct {
		Responses map[string][]json.RawMessage
	}
	err = errors.Join(json.NewDecoder(resp.Body).Decode(&got), resp.Body.Close())
	return got.Responses, err
}

func answer(table string, items, left []json.RawMessage) (*http.Response, error) {
	type m = map[string]any
	body, err := json.Marshal(m{"Responses": m{table: items}, "UnprocessedKeys": m{table: m{"Keys": left}}})
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(string(body))),
	}, err
}

func TestABatchGoesOnUntilItHasAll(t *testing.T) {
	t.Parallel()
	calm := newStore(t)
	var want []string
	for i := range 5 {
		must(t, calm.SaveSession(t.Context(), aSession(account.Customer(fmt.Sprint(i)), session.ID(fmt.Sprint("b", i)), session.Bot), 0))
		want = append(want, fmt.Sprintf("b%d bot", i))
	}
	over := func(g *stingy) *Store {
		return newStore(t, onTable(calm), func(c *aws.Config, _ *Options) { c.HTTPClient = &http.Client{Transport: g} })
	}
	wantSame(t, "all", ids(t, over(&stingy{}), session.Query{}), want)

	mean := &stingy{mean: true}
	_, _, err := over(mean).Sessions(t.Context(), session.Query{Tenant: "t"})
	wantKind(t, "from one that gives nothing", err, fault.Unavailable, "store-unavailable")
	if n := int(mean.calls.Load()); n >= maxAttempts+1 {
		t.Errorf("got %d calls; want at most %d", n, maxAttempts)
	}
}

func TestABatchOfMoreThanOneCallHolds(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	keys := make([]key, 0, 500)
	for i := range 250 {
		k := accountKey(account.ID(fmt.Sprint(i)))
		if i%2 == 0 {
			_, _, err := s.put(t.Context(), k.item(), condition{})
			must(t, err)
		}
		keys = append(keys, k, k) // named twice
	}
	found, err := s.batch(t.Context(), keys, true)
	if err != nil || len(found) != 125 {
		t.Errorf("got %d items, error %v; want 125", len(found), err)
	}
}
