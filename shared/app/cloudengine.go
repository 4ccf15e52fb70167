package app

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kefu/shared/adapter/dynamo"
	"kefu/shared/adapter/kms"
	"kefu/shared/adapter/s3"
	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
)

// cloud opens the engine of DynamoDB, SQS, S3 and KMS, which it calls with web. It makes no call yet: what is wrong with a
// name or a permission is found by the first event, which goes back to its queue.
func cloud(c Config, web *http.Client) (engine, error) {
	conf := awsConfig(c.Cloud, web)
	vault, err := newVault(c, conf)
	if err != nil {
		return engine{}, err
	}
	options := dynamo.Options{Table: c.Cloud.Table, Vault: vault, Now: c.Now, Meter: c.probe.meter}
	var spill sqs.Bucket
	if c.Cloud.Bucket != "" {
		bucket := s3.New(at(conf, c.Cloud.S3URL), s3.Options{Bucket: c.Cloud.Bucket, PathStyle: c.Cloud.S3URL != ""})
		options.Bucket, spill = bucket, bucket
	}
	store := dynamo.New(at(conf, c.Cloud.DynamoDBURL), options)
	e := engine{
		store: store, accounts: newAccountCache(store, c.Now), rests: true, close: func() error { return nil },
		unpack: func(ctx context.Context, text string) ([]byte, error) { return sqs.Unpack(ctx, spill, text) },
	}
	for _, q := range []struct {
		to           *Queue
		url, setting string
		ordered      bool
	}{
		{&e.queues.Inbound, c.Cloud.Inbound, "KEFU_QUEUE_INBOUND", true},
		{&e.queues.Route, c.Cloud.Route, "KEFU_QUEUE_ROUTE", false},
		{&e.queues.Outbound, c.Cloud.Outbound, "KEFU_QUEUE_OUTBOUND", false},
		{&e.queues.Hooks, c.Cloud.Hooks, "KEFU_QUEUE_HOOKS", true},
	} {
		if q.url == "" {
			continue
		}
		made, err := sqs.New(at(conf, c.Cloud.SQSURL), sqs.Options{
			URL: q.url, Setting: q.setting, Ordered: q.ordered, Bucket: spill, Now: c.Now,
			Once: q.to == &e.queues.Hooks, // whoever saves a conversation asks for what others may be putting there
		})
		if err != nil {
			return engine{}, err
		}
		*q.to = made
	}
	return e, nil
}

// newVault seals with the KMS key, or on a local engine with the key that is set; nil for functions that have neither.
func newVault(c Config, conf aws.Config) (dynamo.Vault, error) {
	switch {
	case c.Cloud.KMSKey != "":
		return kms.New(at(conf, c.Cloud.KMSURL), kms.Options{KeyID: c.Cloud.KMSKey, Now: c.Now}), nil
	case c.SecretKey != "":
		b, err := hex.DecodeString(c.SecretKey.Reveal())
		if err != nil || len(b) != 32 {
			return nil, fault.New(fault.Invalid, "bad-secret-key", "KEFU_SECRET_KEY must be 64 hexadecimal digits")
		}
		return kms.Static([32]byte(b)), nil
	}
	return nil, nil
}

// awsConfig is made by hand: the SDK's own loader would add two megabytes of ways to find credentials to each
// function, and Lambda has one, the environment.
func awsConfig(c Cloud, web *http.Client) aws.Config {
	return aws.Config{
		Region:      c.Region,
		Credentials: credentials.NewStaticCredentialsProvider(c.KeyID, c.SecretKey.Reveal(), c.SessionToken.Reveal()),
		HTTPClient:  web,
	}
}

// at points a configuration to a local engine.
func at(c aws.Config, url string) aws.Config {
	if url != "" {
		c.BaseEndpoint = aws.String(url)
	}
	return c
}

// endpoints are the addresses of the services that every event may call.
func (c Cloud) endpoints() []string {
	suffix := ".amazonaws.com/"
	if strings.HasPrefix(c.Region, "cn-") {
		suffix = ".amazonaws.com.cn/"
	}
	var all []string
	add := func(service, local string) {
		if local == "" {
			local = "https://" + service + "." + c.Region + suffix
		}
		all = append(all, local)
	}
	add("dynamodb", c.DynamoDBURL)
	add("sqs", c.SQSURL)
	if c.KMSKey != "" {
		add("kms", c.KMSURL)
	}
	return all
}
