package sqs

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// steady is the SDK's HTTP client without a race that costs answers.
//
// The SDK closes a request's body as soon as the head of the answer is there. The transport may at that moment still
// look whether the body goes on beyond its length, through io.WriterTo if it has that. Closed, the SDK's body answers
// that call with io.EOF, which only Read may do: the transport takes it for a failure and closes the connection, while
// the answer is being read from it. A receive would then hide messages that nobody got. A body with nothing but Read
// and Close has no such end.
type steady struct{ next sqs.HTTPClient }

// Do sends the request.
func (s steady) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context()) // a copy
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return s.next.Do(r)
}
