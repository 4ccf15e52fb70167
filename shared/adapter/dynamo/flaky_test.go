package dynamo

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/fault"
)

// flaky stands between a store and the engine, and spoils what spoil says: of each operation the n-th request, from 1.
type flaky struct {
	spoil func(op string, n int) mishap

	mu sync.Mutex
	n  map[string]int
}

// mishap is what happens to one request; the zero one is none.
type mishap struct {
	status int    // an answer that the engine didn't give …
	code   string // … with this error
	body   string // more members of its JSON
	cut    bool   // the connection breaks before the request is there
	lost   bool   // the engine does its work, and the answer is lost
	torn   bool   // the same, in the middle of the answer
	hang   bool   // nothing comes until the caller gives up
}

func refusal(status int, code string) mishap { return mishap{status: status, code: code} }

// through makes a store whose calls pass f.
func through(f *flaky) setting {
	return func(c *aws.Config, _ *Options) { c.HTTPClient = &http.Client{Transport: f} }
}

// onTable makes a store on the table of another.
func onTable(s *Store) setting {
	return func(_ *aws.Config, o *Options) { o.Table, o.Bucket, o.Vault = *s.table, s.bucket, s.vault }
}

var errCut = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	m := f.next(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810."))
	switch {
	case m.hang:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case m.cut:
		return nil, errCut
	case m.code != "":
		answer := `{"__type":"com.amazonaws.dynamodb.v20120810#` + m.code + `","message":"spoilt"` + m.body + `}`
		return &http.Response{
			StatusCode: m.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(answer)),
		}, nil
	}
	resp, err := transport().RoundTrip(r)
	if err != nil || !m.lost && !m.torn {
		return resp, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil || m.lost {
		return nil, errors.Join(errCut, err)
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer[:len(answer)/2]), noMore{}))
	return resp, nil
}

func (f *flaky) next(op string) mishap {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == nil {
		f.n = map[string]int{}
	}
	f.n[op]++
	return f.spoil(op, f.n[op])
}

// requests is how many there were of all operations.
func (f *flaky) requests() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.n {
		n += m
	}
	return n
}

// noMore is the rest of an answer that doesn't come.
type noMore struct{}

func (noMore) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// wantKind ends the test unless err is of the kind, and of the code if there is one.
func wantKind(t testing.TB, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || code != "" && fault.CodeOf(err) != code {
		t.Fatalf("%s: got error %v; want kind %s, code %q", what, err, kind, code)
	}
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v; want none", err)
	}
}
