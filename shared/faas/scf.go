//go:build !noscf

package faas

import (
	"context"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
	"github.com/tencentyun/scf-go-lib/functioncontext"
)

// The vendor's library stands on net/rpc, whose reflection makes the linker keep every method of every type: five
// megabytes, once a cloud's SDK is linked too. Builds for Lambda leave it out by the tag noscf.

// scfTimeout is taken when SCF sends neither a deadline nor a time limit.
const scfTimeout = 30 * time.Second

var _ cloudfunction.Handler = Handler(nil)

// startSCF serves SCF's protocol; it does not return.
func startSCF(h Handler) { cloudfunction.StartHandler(timely(h)) }

// scfRequest gives the id of the request and the function's name, on SCF.
func scfRequest(ctx context.Context) (id, function string) {
	if fc, ok := functioncontext.FromContext(ctx); ok {
		return fc.RequestID, fc.FunctionName
	}
	return "", ""
}

// timely gives an SCF call a deadline where the request has none: the vendor's library reads a zero Deadline as
// the year 1970, which is a context that is already over.
func timely(h Handler) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		deadline, ok := ctx.Deadline()
		if !ok || deadline.Unix() > 0 {
			return h(ctx, payload)
		}
		limit := scfTimeout
		if fc, ok := functioncontext.FromContext(ctx); ok && fc.TimeLimitInMs > 0 {
			limit = time.Duration(fc.TimeLimitInMs) * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		return h(ctx, payload)
	}
}
