package app

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"kefu/shared/core/account"
)

// Cloud is what the engine aws needs to know. No secret is among it: account secrets lie sealed in the table, and of
// the operator's key only the hash is set.
type Cloud struct {
	// Table is the DynamoDB table (KEFU_TABLE). Every function needs it; who only looks into queues does not.
	Table string
	// Bucket is the S3 bucket for media and for bodies too big for a queue or an item (KEFU_BUCKET).
	Bucket string
	// Inbound, Route, Outbound and Hooks are the URLs of the SQS queues (KEFU_QUEUE_INBOUND …). A function needs those
	// that it reads or fills.
	Inbound, Route, Outbound, Hooks string
	// KMSKey seals secrets (KEFU_KMS_KEY, an id or an ARN). Functions that touch no secret have none.
	KMSKey string
	// AdminKeySHA256 is the hash of the operator's key (KEFU_ADMIN_KEY_SHA256, 64 hexadecimal digits).
	AdminKeySHA256 string
	// Region, and the credentials, are set by the host (AWS_REGION, AWS_ACCESS_KEY_ID …).
	Region                  string
	KeyID                   string
	SecretKey, SessionToken account.Secret
	DynamoDBURL, SQSURL     string // AWS_ENDPOINT_URL_DYNAMODB …: local engines; empty for AWS itself
	S3URL, KMSURL           string
	// ClockOffset is added to the clock (KEFU_CLOCK_OFFSET); only for a local engine.
	ClockOffset time.Duration
}

func cloudFromEnv(getenv func(string) string) (c Cloud, wrong []error) {
	c = Cloud{
		Table: getenv("KEFU_TABLE"), Bucket: getenv("KEFU_BUCKET"),
		Inbound: getenv("KEFU_QUEUE_INBOUND"), Route: getenv("KEFU_QUEUE_ROUTE"), Outbound: getenv("KEFU_QUEUE_OUTBOUND"),
		Hooks:  getenv("KEFU_QUEUE_HOOKS"),
		KMSKey: getenv("KEFU_KMS_KEY"), AdminKeySHA256: getenv("KEFU_ADMIN_KEY_SHA256"),
		Region: getenv("AWS_REGION"), KeyID: getenv("AWS_ACCESS_KEY_ID"),
		SecretKey: account.Secret(getenv("AWS_SECRET_ACCESS_KEY")), SessionToken: account.Secret(getenv("AWS_SESSION_TOKEN")),
	}
	for name, at := range map[string]*string{"DYNAMODB": &c.DynamoDBURL, "SQS": &c.SQSURL, "S3": &c.S3URL, "KMS": &c.KMSURL} {
		if *at = getenv("AWS_ENDPOINT_URL_" + name); *at == "" {
			*at = getenv("AWS_ENDPOINT_URL")
		}
	}
	if text := getenv("KEFU_CLOCK_OFFSET"); text != "" {
		offset, err := time.ParseDuration(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("KEFU_CLOCK_OFFSET is %q; want a duration such as 48h or 90s", text))
		}
		c.ClockOffset = offset
	}
	return c, wrong
}

// local reports whether the table is in an engine on this machine.
func (c Cloud) local() bool {
	u, err := url.Parse(c.DynamoDBURL)
	if err != nil || c.DynamoDBURL == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

// check finds what is missing for whoever calls AWS, and what must not be set in a cloud. What a function needs besides
// is checked by [Config.need].
func (c Cloud) check(all Config) (wrong []error) {
	for _, s := range []struct{ name, value, why string }{
		{"AWS_REGION", c.Region, "the Region of the table"},
		{"AWS_ACCESS_KEY_ID", c.KeyID, "credentials (Lambda sets them by the function's role)"},
		{"AWS_SECRET_ACCESS_KEY", c.SecretKey.Reveal(), "credentials (Lambda sets them by the function's role)"},
	} {
		if s.value == "" {
			wrong = append(wrong, fmt.Errorf("%s is not set; it is %s", s.name, s.why))
		}
	}
	if h := c.AdminKeySHA256; h != "" {
		if b, err := hex.DecodeString(h); err != nil || len(b) != 32 {
			wrong = append(wrong, errors.New("KEFU_ADMIN_KEY_SHA256 must be 64 hexadecimal digits; `make admin-key` prints a key and its hash"))
		}
	}
	if c.local() {
		return wrong
	}
	if all.AdminKey != "" {
		wrong = append(wrong, errors.New("KEFU_ADMIN_KEY must not stand in a cloud's environment; set KEFU_ADMIN_KEY_SHA256"))
	}
	if all.SecretKey != "" {
		wrong = append(wrong, errors.New("KEFU_SECRET_KEY must not stand in a cloud's environment; set KEFU_KMS_KEY"))
	}
	if c.ClockOffset != 0 {
		wrong = append(wrong, errors.New("KEFU_CLOCK_OFFSET is for a local engine (AWS_ENDPOINT_URL_DYNAMODB on a loopback address)"))
	}
	return wrong
}

// needs are the settings without which a function can't do its work.
var needs = map[string][]string{
	"callback": {"KEFU_TABLE", "KEFU_QUEUE_INBOUND", "KEFU_KMS_KEY"},
	"ingest":   {"KEFU_TABLE", "KEFU_QUEUE_INBOUND", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS"},
	"router":   {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	"sender":   {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	"webhook":  {"KEFU_TABLE", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	"expiry":   {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS"},
	"api":      {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY", "KEFU_ADMIN_KEY_SHA256"},
}

// need says which of a function's settings are missing.
func (c Config) need(function string) error {
	if c.Engine != AWS {
		return nil
	}
	have := map[string]bool{
		"KEFU_TABLE":         c.Cloud.Table != "",
		"KEFU_QUEUE_INBOUND": c.Cloud.Inbound != "", "KEFU_QUEUE_ROUTE": c.Cloud.Route != "", "KEFU_QUEUE_OUTBOUND": c.Cloud.Outbound != "",
		"KEFU_QUEUE_HOOKS": c.Cloud.Hooks != "",
		"KEFU_KMS_KEY":     c.Cloud.KMSKey != "" || c.SecretKey != "", "KEFU_ADMIN_KEY_SHA256": c.Cloud.AdminKeySHA256 != "" || c.AdminKey != "",
	}
	var missing []string
	for _, name := range needs[function] {
		if !have[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s needs %s, which is not set", function, strings.Join(missing, ", "))
}
