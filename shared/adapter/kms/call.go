package kms

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"kefu/shared/adapter/awscall"
)

const (
	callTime = 10 * time.Second // for one call with all its tries
	tryTime  = 4 * time.Second  // for one try
)

// call asks until there is an answer for good, and not beyond callTime or the end of ctx. A data key whose answer was
// lost is one that nobody uses.
func (r *remote) call(ctx context.Context, operation string, q question) (answer, error) {
	switch {
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	case r.keyID == "":
		return answer{}, errNoKey
	case r.wrong != nil:
		return answer{}, r.wrong
	}
	body, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return awscall.Do(ctx, r.caller, awscall.Call[answer]{
		Build: func(ctx context.Context) (*http.Request, string, error) { return r.build(ctx, operation, body) },
		Read: func(resp *http.Response) (answer, error) {
			if resp.StatusCode != http.StatusOK {
				return answer{}, refused(resp)
			}
			return read(resp)
		},
		Passing: passing,
	})
}
