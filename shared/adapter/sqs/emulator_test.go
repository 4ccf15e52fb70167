package sqs_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
	"kefu/shared/porttest"
)

// The tests mostly wait for the engine's clock: they need no processor each.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const region = "eu-west-1"

// transport is one for all tests: with the default's two idle connections, each request would dial.
var transport = &http.Transport{MaxIdleConnsPerHost: 128}

// config is a client's configuration, with something between it and the engine.
func config(address string, between http.RoundTripper) aws.Config {
	return aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "key", ""),
		BaseEndpoint: &address,
		HTTPClient:   &http.Client{Transport: between},
	}
}

// engine is the emulator, and a client to prepare it with.
type engine struct {
	address string
	raw     *awssqs.Client
}

// nowhere is for tests whose wire answers everything itself.
var nowhere = engine{address: "http://localhost"}

func emulator(t testing.TB) engine {
	t.Helper()
	address := porttest.Emulator(t, "sqs")
	return engine{address: address, raw: awssqs.NewFromConfig(config(address, transport))}
}

// make makes a queue of the test's own and gives its URL.
func (e engine) make(t testing.TB, ordered bool, attributes map[string]string) string {
	t.Helper()
	name := "test-" + rand.Text()
	if ordered {
		name += ".fifo"
		attributes["FifoQueue"] = "true"
	}
	out, err := e.raw.CreateQueue(context.Background(), &awssqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatalf("make a queue: got error %v; want none", err)
	}
	t.Cleanup(func() {
		if _, err := e.raw.DeleteQueue(context.Background(), &awssqs.DeleteQueueInput{QueueUrl: out.QueueUrl}); err != nil {
			t.Logf("delete the queue: %v", err)
		}
	})
	return *out.QueueUrl
}

// open makes a queue, with dead letters if it has a MaxReceives, and a client of it.
func (e engine) open(t testing.TB, ordered bool, s porttest.QueueSetup, between http.RoundTripper) *sqs.Queue {
	t.Helper()
	attributes := map[string]string{"VisibilityTimeout": "30"}
	if s.MaxReceives > 0 {
		attributes["RedrivePolicy"] = policy(e.arn(t, e.make(t, ordered, map[string]string{})), s.MaxReceives)
	}
	return e.client(t, sqs.Options{
		URL: e.make(t, ordered, attributes), Ordered: ordered, Visibility: s.Visibility, Now: s.Now, Bucket: &bucket{},
	}, between)
}

func (e engine) client(t testing.TB, o sqs.Options, between http.RoundTripper) *sqs.Queue {
	t.Helper()
	if o.Setting == "" {
		o.Setting = "KEFU_QUEUE_TEST"
	}
	q, err := sqs.New(config(e.address, between), o)
	if err != nil {
		t.Fatalf("New: got error %v; want none", err)
	}
	return q
}

func (e engine) arn(t testing.TB, url string) string {
	t.Helper()
	out, err := e.raw.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("ask for the ARN: got error %v; want none", err)
	}
	return out.Attributes["QueueArn"]
}

func policy(arn string, receives int) string {
	b, err := json.Marshal(map[string]any{"deadLetterTargetArn": arn, "maxReceiveCount": receives})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// bucket is a Bucket that says no when told to.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	refuse  error
}

func (b *bucket) Put(_ context.Context, key string, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	if b.objects == nil {
		b.objects = map[string][]byte{}
	}
	b.objects[key] = append([]byte(nil), body...)
	return nil
}

func (b *bucket) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return nil, b.refuse
	}
	body, ok := b.objects[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "", "")
	}
	return append([]byte(nil), body...), nil
}

// change lets the test have its way with the objects.
func (b *bucket) change(fn func(objects map[string][]byte)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn(b.objects)
}

func wantFault(t testing.TB, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.CodeOf(err) != code {
		t.Errorf("%s: got error %v (kind %s, code %s); want kind %s, code %s", what, err, fault.KindOf(err), fault.CodeOf(err), kind, code)
	}
}

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got error %v; want none", what, err)
	}
}

var setup = porttest.QueueSetup{Visibility: 30 * time.Second}
