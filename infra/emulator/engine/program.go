package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// program is an engine that isn't running yet.
type program struct {
	name  string
	dir   string                                                           // where it runs: its folder in the cache
	args  func(port string) []string                                       // the command line
	probe func(ctx context.Context, address string) (*http.Request, error) // what it answers with 200 as soon as it is ready
}

// dynamoDB is DynamoDB Local. Unlike AWS it never throttles, never reports a TransactionConflict and never deletes expired
// items. It listens on all interfaces; there is no flag against it.
//
// The flags of Java suit a short life on two cores: a start takes 1.6 s instead of 2.6, a thousand transactions half the time.
func dynamoDB(java, dir string) program {
	return program{
		name: "dynamodb",
		dir:  dir,
		args: func(port string) []string {
			return []string{
				java, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
				"-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar",
				"-inMemory", "-sharedDb", "-disableTelemetry", "-port", port,
			}
		},
		probe: func(ctx context.Context, address string) (*http.Request, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("{}"))
			if err != nil {
				return nil, err
			}
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
			// It reads who asks, and doesn't verify the signature.
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
			return r, nil
		},
	}
}

// sqs is fauxqs, for SQS and S3 at one address. Unlike AWS
//   - one receive gives one message of a group, never several;
//   - a receipt that never was one is taken by DeleteMessage, and is MessageNotInflight to ChangeMessageVisibility;
//   - an expired receipt, of a message not delivered since, still changes the visibility;
//   - DelaySeconds beyond 900 or below 0 are taken;
//   - every error's code begins with "AWS.SimpleQueueService.", also where AWS has the bare code;
//   - StartMessageMoveTask and ListDeadLetterSourceQueues are unknown, DeduplicationScope is ignored;
//   - PutObject ignores If-None-Match, and fails with 500 for the content types of the other protocols:
//     application/x-www-form-urlencoded and application/x-amz-json-1.0.
func sqs(node, dir string) program {
	return program{
		name: "sqs",
		dir:  dir,
		args: func(port string) []string { return []string{node, "launch.mjs", port} },
		probe: func(ctx context.Context, address string) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, address+"/health", http.NoBody)
		},
	}
}

func address(port int) string {
	return "http://127.0.0.1:" + strconv.Itoa(port)
}

// ask tells why the program doesn't serve at that address, or nil if it does.
func (p program) ask(ctx context.Context, address string) error {
	r, err := p.probe(ctx, address)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
