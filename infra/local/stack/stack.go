// Package stack makes in local engines what infra/aws makes in an account: the table, the queues with their dead
// letters, the bucket and the key.
//
// Start with Make, give its Env to the functions, and Remove it at the end:
//
//	s, err := stack.Make(ctx, stack.Options{Name: "kefu-local", DynamoDB: engines.DynamoDB, SQS: engines.SQS, S3: engines.S3})
//	defer s.Remove(ctx)
//
// It speaks with the queues and the bucket by itself, without the product's adapters: what plays the cloud must not
// share their mistakes. Only the table is the product's own, as its shape is.
package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"kefu/shared/adapter/kms/kmsfake"
	"kefu/shared/app"
)

// Region is where all of it is.
const Region = kmsfake.Region

// Options say where and what. The addresses are of local engines, http://127.0.0.1:PORT.
type Options struct {
	DynamoDB, SQS, S3 string
	// Name begins the names of the table, of the queues and of the bucket: lower-case letters, digits, hyphens.
	Name string
	// Visibility is how long a delivered message stays hidden, in whole seconds; 0: as infra/aws has it for each queue.
	Visibility time.Duration
}

// Stack is what was made.
type Stack struct {
	Inbound, Route, Outbound, Hooks *Queue

	o      Options
	web    *http.Client
	key    *key
	tabled bool     // the table is made
	queues []*Queue // all that were made, the dead letters' too
}

// Rule is how a queue is set.
type Rule struct {
	Ordered     bool
	Visibility  time.Duration
	MaxReceives int // deliveries, after which a message is a dead letter
}

// Rules are the queues' rules by name, as infra/aws/queues.yml has them.
func Rules() map[string]Rule {
	return map[string]Rule{
		"inbound":  {Ordered: true, Visibility: 180 * time.Second, MaxReceives: 5},
		"route":    {Visibility: 180 * time.Second, MaxReceives: 5},
		"outbound": {Visibility: 720 * time.Second, MaxReceives: 5},
		"hooks":    {Ordered: true, Visibility: 180 * time.Second, MaxReceives: 40},
	}
}

// Make makes it all. Nothing of that name may be there before.
func Make(ctx context.Context, o Options) (s *Stack, err error) {
	s = &Stack{o: o, web: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Remove(ctx)) // as far as it came
		}
	}()
	if s.key, err = newKey(ctx); err != nil {
		return s, err
	}
	if err := s.makeTable(ctx); err != nil {
		return s, fmt.Errorf("make the table: %w", err)
	}
	s.tabled = true
	if err := s.Put(ctx, "", nil); err != nil {
		return s, fmt.Errorf("make the bucket: %w", err)
	}
	for name, to := range map[string]**Queue{"inbound": &s.Inbound, "route": &s.Route, "outbound": &s.Outbound, "hooks": &s.Hooks} {
		rule := Rules()[name]
		if o.Visibility > 0 {
			rule.Visibility = o.Visibility
		}
		if *to, err = s.makeQueue(ctx, name, rule); err != nil {
			return s, fmt.Errorf("make the queue %s: %w", name, err)
		}
	}
	return s, nil
}

// Env are the settings of every function, by name, as serverless.yml and Lambda itself set them.
func (s *Stack) Env() map[string]string {
	env := map[string]string{
		"KEFU_ENGINE": "aws", "KEFU_TABLE": s.o.Name, "KEFU_BUCKET": s.o.Name, "KEFU_KMS_KEY": s.key.arn,
		"KEFU_QUEUE_INBOUND": s.Inbound.URL, "KEFU_QUEUE_ROUTE": s.Route.URL, "KEFU_QUEUE_OUTBOUND": s.Outbound.URL,
		"KEFU_QUEUE_HOOKS":          s.Hooks.URL,
		"AWS_ENDPOINT_URL_DYNAMODB": s.o.DynamoDB, "AWS_ENDPOINT_URL_SQS": s.o.SQS, "AWS_ENDPOINT_URL_S3": s.o.S3,
		"AWS_ENDPOINT_URL_KMS": s.key.address,
	}
	maps.Copy(env, credentials)
	return env
}

// credentials are taken by every local engine.
var credentials = map[string]string{"AWS_REGION": Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}

// tableMaker is the store of a local engine.
type tableMaker interface {
	CreateTable(ctx context.Context) error
}

func (s *Stack) makeTable(ctx context.Context) error {
	system, err := app.Open(app.Config{Engine: app.AWS, Log: slog.New(slog.DiscardHandler), Cloud: app.Cloud{
		Table: s.o.Name, Region: Region, KeyID: "local", SecretKey: "local", DynamoDBURL: s.o.DynamoDB,
	}})
	if err != nil {
		return err
	}
	defer func() { _ = system.Close() }() // it holds nothing
	store, ok := system.Store().(tableMaker)
	if !ok {
		return fmt.Errorf("a %T can't make its table", system.Store())
	}
	return store.CreateTable(ctx)
}

// removeTime is how long Remove may take, also when its caller is in a hurry.
const removeTime = 10 * time.Second

// Remove takes away what Make made, as far as it came, but for the bucket: who shares the engines should not find the
// rest. It closes the stack, too.
func (s *Stack) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	var errs []error
	for _, q := range s.queues {
		errs = append(errs, q.remove(ctx))
	}
	if s.tabled {
		errs = append(errs, s.wire(s.o.DynamoDB, "DynamoDB_20120810.DeleteTable").call(ctx, map[string]any{"TableName": s.o.Name}, nil))
	}
	return errors.Join(append(errs, s.Close())...)
}

// Close lets go of the stack and leaves what it made to its engines. The key is gone with it, and what it sealed.
func (s *Stack) Close() error {
	s.web.CloseIdleConnections()
	if s.key == nil {
		return nil
	}
	return s.key.close()
}
