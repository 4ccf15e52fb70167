package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"kefu/shared/adapter/dynamo"
	"kefu/shared/core/account"
)

// Engine names what stores and queues.
type Engine string

// Embedded keeps everything in one file of one process; AWS is DynamoDB, SQS, S3 and KMS.
const (
	Embedded Engine = "embedded"
	AWS      Engine = "aws"
)

// Config is everything that is set from outside. Read it with [FromEnv].
type Config struct {
	// Engine is KEFU_ENGINE. Default embedded.
	Engine Engine
	// Cloud is what the engine aws needs; see there.
	Cloud Cloud
	// Data is the folder of the embedded engine (KEFU_DATA). Default ".kefu".
	Data string
	// WeChatURL is the platform's address (KEFU_WECHAT_URL). Default https://api.weixin.qq.com.
	WeChatURL string
	// AdminKey is the operator's key (KEFU_ADMIN_KEY), at least 16 characters.
	// Empty: generated once and kept in Data. In a cloud only its hash is set; see Cloud.
	AdminKey account.Secret
	// SecretKey seals secrets at rest (KEFU_SECRET_KEY, 64 hexadecimal digits).
	// Empty: generated once and kept beside the data.
	SecretKey account.Secret
	// LogLevel is KEFU_LOG_LEVEL: debug, info, warn or error. Default info.
	LogLevel slog.Level
	// Version is what health shows.
	Version string
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Rand salts sealed answers to the platform, and makes keys, secrets and incarnations. Default: the system's
	// cryptographic source.
	Rand io.Reader
	// Log is where the log goes. Default: JSON on standard error.
	Log *slog.Logger
	// PrivateHooks is KEFU_PRIVATE_HOOKS: whether webhooks and responders may be at addresses of private networks and of
	// this machine, and without TLS. Default false: whoever may set up an account could look into the network then.
	PrivateHooks bool
	// MaxBytes bounds the data file (KEFU_MAX_BYTES); 0 means the disk does.
	MaxBytes int

	// probe is for tests that measure what a cloud's engine uses.
	probe probe
}

// probe hears what an engine uses; its zero value is nobody.
type probe struct {
	meter func(dynamo.Usage)
	wire  func(http.RoundTripper) http.RoundTripper
}

// Defaults of [Config].
const (
	DefaultData      = ".kefu"
	DefaultWeChatURL = "https://api.weixin.qq.com"
)

// FromEnv reads the settings; whatever is wrong is reported together.
func FromEnv(getenv func(string) string) (Config, error) {
	c := Config{
		Data: getenv("KEFU_DATA"), WeChatURL: getenv("KEFU_WECHAT_URL"),
		AdminKey: account.Secret(getenv("KEFU_ADMIN_KEY")), SecretKey: account.Secret(getenv("KEFU_SECRET_KEY")),
	}
	var wrong []error
	if level := getenv("KEFU_LOG_LEVEL"); level != "" {
		if err := c.LogLevel.UnmarshalText([]byte(level)); err != nil {
			wrong = append(wrong, fmt.Errorf("KEFU_LOG_LEVEL is %q; want debug, info, warn or error", level))
		}
	}
	if engine := getenv("KEFU_ENGINE"); engine != "" {
		c.Engine = Engine(engine)
	}
	var bad []error
	if c.Cloud, bad = cloudFromEnv(getenv); c.Engine == AWS {
		wrong = append(wrong, bad...)
	}
	if text := getenv("KEFU_PRIVATE_HOOKS"); text != "" {
		var err error
		if c.PrivateHooks, err = strconv.ParseBool(text); err != nil {
			wrong = append(wrong, fmt.Errorf("KEFU_PRIVATE_HOOKS is %q; want true or false", text))
		}
	}
	if text := getenv("KEFU_MAX_BYTES"); text != "" {
		var err error
		if c.MaxBytes, err = strconv.Atoi(text); err != nil || c.MaxBytes < 0 {
			wrong = append(wrong, fmt.Errorf("KEFU_MAX_BYTES is %q; want a number of bytes", text))
		}
	}
	return c, errors.Join(append(wrong, c.complete()...)...)
}

// complete fills in defaults and checks what was set.
func (c *Config) complete() []error {
	var wrong []error
	switch c.Engine {
	case "":
		c.Engine = Embedded
	case Embedded:
	case AWS:
		wrong = append(wrong, c.Cloud.check(*c)...)
	default:
		wrong = append(wrong, fmt.Errorf("KEFU_ENGINE is %q; want embedded or aws", c.Engine))
	}
	if c.Data == "" {
		c.Data = DefaultData
	}
	if c.WeChatURL == "" {
		c.WeChatURL = DefaultWeChatURL
	}
	if u, err := url.Parse(c.WeChatURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		wrong = append(wrong, fmt.Errorf("KEFU_WECHAT_URL is %q; want an http(s) address", c.WeChatURL))
	}
	c.WeChatURL = strings.TrimRight(c.WeChatURL, "/")
	if n := len(c.AdminKey); n > 0 && n < 16 {
		wrong = append(wrong, errors.New("KEFU_ADMIN_KEY has fewer than 16 characters"))
	}
	if c.SecretKey != "" {
		if b, err := hex.DecodeString(c.SecretKey.Reveal()); err != nil || len(b) != 32 {
			wrong = append(wrong, errors.New("KEFU_SECRET_KEY must be 64 hexadecimal digits; `openssl rand -hex 32` makes one"))
		}
	}
	if c.Now == nil {
		c.Now = time.Now
		if ahead := c.Cloud.ClockOffset; c.Engine == AWS && ahead != 0 {
			c.Now = func() time.Time { return time.Now().Add(ahead) }
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	}
	if c.Version == "" {
		c.Version = version()
	}
	return wrong
}

func (c Config) random() io.Reader {
	if c.Rand == nil {
		return rand.Reader
	}
	return c.Rand
}
