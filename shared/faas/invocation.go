package faas

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

type requestIDKey struct{}

// withRequestID sets the id for a host that has none of its own.
func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID gives the host's id of the invocation that ctx belongs to, for log lines; empty when it has none.
func RequestID(ctx context.Context) string {
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		return id
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	id, _ := scfRequest(ctx)
	return id
}

// functionName gives the name that the host knows the function by.
func functionName(ctx context.Context) string {
	if lambdacontext.FunctionName != "" {
		return lambdacontext.FunctionName
	}
	if _, name := scfRequest(ctx); name != "" {
		return name
	}
	if name := os.Getenv("FUNCTION_NAME"); name != "" {
		return name
	}
	return "local"
}
