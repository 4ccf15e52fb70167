// Package faas lets one handler run on three hosts: AWS Lambda, Tencent SCF and the local machine.
//
// A function's main calls Main with a constructor. The constructor returns a Handler, which it makes from plain Go
// by one of three wrappers: HTTP around an http.Handler, Batch around a func of one queue message, Timer around a
// func of nothing. No code inside sees a vendor's event type.
//
//	func main() { faas.Main(app.Ingest) }
//
// The local runner feeds the same handlers with the same bytes: Gateway stands for the platform's HTTP front,
// EncodeBatch and DecodeFailures for its queue trigger.
//
// Handlers are safe to run in parallel. Nothing outlives a call: a frozen process wakes no goroutine.
package faas

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

// Handler takes one event's bytes and gives the answer's bytes. It must not keep payload after it returns: hosts
// use the buffer again. An error means that the event as a whole failed and the host decides what follows:
// an HTTP front answers 500, a queue gives the whole batch again.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls h. With it a Handler is what both runtime libraries accept; handed over as a bare func, they would
// find it by reflection and JSON-decode the bytes.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

var _ lambda.Handler = Handler(nil)
