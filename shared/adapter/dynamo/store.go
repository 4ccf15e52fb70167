package dynamo

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Vault seals secrets; the owner is bound to what is sealed. See kefu/shared/adapter/kms.
type Vault interface {
	Seal(ctx context.Context, owner string, plain []byte) ([]byte, error)
	Open(ctx context.Context, owner string, sealed []byte) ([]byte, error)
}

// Options are the parts of a [Store].
type Options struct {
	Table string
	// Vault seals secrets and access tokens. Without one, accounts are read without their secrets, and neither they
	// nor tokens can be written: a function that needs no secret gets no permission on their key.
	Vault Vault
	// Bucket keeps files and values too big for an item; without one both are refused.
	Bucket Bucket
	// Now is the clock, which only decides how long things live. Default time.Now.
	Now func() time.Time
	// Meter, if set, hears what each call used.
	Meter func(Usage)
}

// Usage is what one call used, by DynamoDB's own account.
type Usage struct {
	Op          string // GetItem, PutItem …
	Key         string // partition key of the first item that is written or read
	Read, Write float64
	Index       float64 // of Write, what the indexes took
	Consistent  bool    // a strongly consistent read
}

// Store is the store on one table. It is safe for concurrent use.
type Store struct {
	db     *dynamodb.Client
	table  *string
	vault  Vault
	bucket Bucket
	now    func() time.Time
	meter  func(Usage)
	known  *known
}

// New makes a store on the table; it makes no call. The configuration's retryer is replaced by one of its own.
func New(c aws.Config, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	client := dynamodb.NewFromConfig(c, func(d *dynamodb.Options) { d.Retryer = newRetryer() })
	return &Store{db: client, table: aws.String(o.Table), vault: o.Vault, bucket: o.Bucket, now: o.Now, meter: o.Meter, known: newKnown()}
}

// Warm opens the connection, so that the first event finds it open. That the item isn't there is what it expects.
func (s *Store) Warm(ctx context.Context) error {
	_, err := s.get(ctx, key{"-", "-"}, false)
	return err
}

// nonce names one write, so that a write whose answer was lost is told from somebody else's.
func nonce() types.AttributeValue {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return binary(b)
}
