package faastest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"strconv"
	"sync/atomic"
	"time"
)

// SCF calls a function as Tencent's host does: net/rpc with gob, methods Function.Ping and Function.Invoke. Its
// fields may be set between calls.
type SCF struct {
	// Environment is sent with each call, and the function's process finds it among its variables.
	Environment map[string]string
	// FunctionName is the name that the function sees.
	FunctionName string
	// NoDeadline sends a zero Deadline, as the host does at times.
	NoDeadline bool
	// TimeLimit is the function's time limit as the request tells it; no field is sent when zero.
	TimeLimit time.Duration

	client *rpc.Client
	calls  atomic.Int64
}

// The protocol's messages. gob matches fields by name, so the types' own names don't matter.
type (
	pingRequest  struct{}
	pingResponse struct{}

	timestamp struct {
		Seconds int64
		Nanos   int64
	}

	invokeRequest struct {
		Payload         []byte
		RequestId       string //nolint:revive,staticcheck // the protocol's spelling
		Deadline        timestamp
		FunctionName    string
		FunctionVersion string
		MemoryLimitInMb int32
		TimeLimitInMs   int32
		Environment     string
	}

	invokeResponse struct {
		Payload []byte
		Error   *invokeError
	}

	invokeError struct {
		Message    string
		Type       string
		ShouldExit bool
	}
)

// DialSCF connects to the function that listens on port.
func DialSCF(port int) (*SCF, error) {
	client, err := rpc.Dial("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return &SCF{FunctionName: "under-test", client: client}, nil
}

// Close ends the connection.
func (c *SCF) Close() error { return c.client.Close() }

// Ping asks whether the function is there.
func (c *SCF) Ping(ctx context.Context) error {
	return c.call(ctx, "Function.Ping", &pingRequest{}, &pingResponse{})
}

// Invoke gives one event to the function and waits for its answer until ctx's deadline, at most 30 s where it has
// none; the function sees the same deadline unless NoDeadline is set. The error is a *FunctionError when the
// function reported one, ErrExited when its process ended, or the context's.
func (c *SCF) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, deadline, cancel := timeLimit(ctx)
	defer cancel()
	request := &invokeRequest{
		Payload:         payload,
		RequestId:       "request-" + strconv.FormatInt(c.calls.Add(1), 10),
		FunctionName:    c.FunctionName,
		FunctionVersion: "$LATEST",
		MemoryLimitInMb: 128,
		TimeLimitInMs:   int32(min(c.TimeLimit.Milliseconds(), 900_000)), //nolint:gosec // bounded: 900 s is SCF's limit
	}
	if !c.NoDeadline {
		request.Deadline = timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())}
	}
	if c.Environment != nil {
		environment, err := json.Marshal(c.Environment)
		if err != nil {
			return nil, err
		}
		request.Environment = string(environment)
	}
	var response invokeResponse
	if err := c.call(ctx, "Function.Invoke", request, &response); err != nil {
		return nil, err
	}
	if e := response.Error; e != nil {
		return nil, &FunctionError{Message: e.Message, Type: e.Type, Exit: e.ShouldExit}
	}
	return response.Payload, nil
}

func (c *SCF) call(ctx context.Context, method string, request, response any) error {
	call := c.client.Go(method, request, response, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
	case <-ctx.Done():
		return ctx.Err()
	}
	var network net.Error
	switch err := call.Error; {
	case err == nil:
		return nil
	case errors.Is(err, rpc.ErrShutdown), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &network):
		return fmt.Errorf("%w: %w", ErrExited, err)
	default:
		return err
	}
}
