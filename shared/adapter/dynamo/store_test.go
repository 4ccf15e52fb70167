package dynamo

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
	"kefu/shared/porttest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	porttest.TestStore(t, porttest.Stores{
		Open: func(t *testing.T) porttest.Store { return newStore(t) },
		Lag:  2 * time.Second,
		Crowd: func(t *testing.T, s porttest.Store, queued []session.Session) {
			t.Helper()
			crowd(t, s.(*Store), queued)
		},
	})
}

// crowd puts in the sessions' own items, which the queue is an index of, twenty-five at a time.
func crowd(t *testing.T, s *Store, queued []session.Session) {
	t.Helper()
	for batch := range slices.Chunk(queued, 25) {
		var puts []types.WriteRequest
		for _, v := range batch {
			in, err := s.sessionItem(t.Context(), v, listKeys(v))
			must(t, err)
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: in}})
		}
		out, err := s.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*s.table: puts}})
		must(t, err)
		if left := out.UnprocessedItems[*s.table]; len(left) > 0 {
			t.Fatalf("%d of %d items were not written", len(left), len(puts))
		}
	}
}

// setting changes what a test's store is made of.
type setting func(c *aws.Config, o *Options)

// newStore makes a store on a table of the test's own in the local engine, with a vault and a bucket. A setting that
// names a table gets a second store on that one.
func newStore(t testing.TB, settings ...setting) *Store {
	t.Helper()
	plain := localConfig(porttest.Emulator(t, "dynamodb"))
	c, o := plain, Options{Vault: newTestVault(t), Bucket: newTestBucket(t)}
	for _, set := range settings {
		set(&c, &o)
	}
	if o.Table == "" {
		o.Table = "kefu-" + rand.Text()
		makeTable(t, New(plain, Options{Table: o.Table}))
	}
	return New(c, o)
}

// makeTable makes the store's table and removes it with the test.
func makeTable(t testing.TB, s *Store) {
	t.Helper()
	if err := s.CreateTable(t.Context()); err != nil {
		t.Fatalf("CreateTable: got error %v; want none", err)
	}
	t.Cleanup(func() {
		if _, err := s.db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: s.table}); err != nil {
			t.Errorf("DeleteTable: got error %v; want none", err)
		}
	})
}

// transport is shared, so that tests don't each open connections of their own.
var transport = sync.OnceValue(func() http.RoundTripper {
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.MaxIdleConnsPerHost = 64
	return tr
})

// localConfig is a configuration for a local engine.
func localConfig(address string) aws.Config {
	return aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: &address, HTTPClient: &http.Client{Transport: transport()},
	}
}

// ofApp is what an account of this app id calls the platform with.
func ofApp(appID string) account.Credential {
	c, err := account.NewCredential(appID, "secret")
	if err != nil {
		panic(err) // there is a secret
	}
	return c
}
