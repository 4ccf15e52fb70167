package wechat

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"kefu/shared/core/account"
)

// DefaultBaseURL is the platform's interface.
const DefaultBaseURL = "https://api.weixin.qq.com"

// Defaults of [Client].
const (
	DefaultCallTimeout  = 10 * time.Second
	DefaultMediaTimeout = 30 * time.Second
)

// Tokens gives access tokens. The client asks before every call and keeps none.
type Tokens interface {
	// Token returns a token that is good now. Refused is empty, or a token that the platform has just refused,
	// which must not be returned again. Errors carry a kind of package fault.
	Token(ctx context.Context, a account.Account, refused string) (string, error)
}

// Client calls the platform. Set Tokens, and BaseURL for anything but the real platform; then use it by pointer.
// Its methods may run concurrently; its fields must not change after the first call.
type Client struct {
	// BaseURL is scheme and host, and a path prefix if need be. Default [DefaultBaseURL].
	BaseURL string
	// HTTP makes the calls; redirects are never followed, whatever it says itself. Default [NewHTTPClient]. With
	// another transport it can't be told exactly whether a failed request was fully written; then it counts as written.
	HTTP   *http.Client
	Tokens Tokens
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log gets one line for every call that fails, at level Error when a person must act. It never gets texts or
	// tokens. Default: none.
	Log *slog.Logger
	// CallTimeout ends one call, from dialling to the last byte of the answer. Default [DefaultCallTimeout].
	CallTimeout time.Duration
	// MediaTimeout is the same for uploads and downloads of files. Default [DefaultMediaTimeout].
	MediaTimeout time.Duration

	once  sync.Once
	http  *http.Client // HTTP without redirects
	links *http.Client // reaches public addresses only
}

// httpClients makes both HTTP clients on first use.
func (c *Client) httpClients() (platform, links *http.Client) {
	c.once.Do(func() {
		own := c.HTTP
		if own == nil {
			own = NewHTTPClient()
		}
		still := *own
		still.CheckRedirect = dontFollow
		c.http = &still
		c.links = newLinkClient()
	})
	return c.http, c.links
}

func (c *Client) baseURL() string {
	if c.BaseURL == "" {
		return DefaultBaseURL
	}
	return strings.TrimRight(c.BaseURL, "/")
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now().UTC()
	}
	return c.Now().UTC()
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

func (c *Client) callTimeout() time.Duration {
	if c.CallTimeout <= 0 {
		return DefaultCallTimeout
	}
	return c.CallTimeout
}

func (c *Client) mediaTimeout() time.Duration {
	if c.MediaTimeout <= 0 {
		return DefaultMediaTimeout
	}
	return c.MediaTimeout
}

// report writes the line of a call that failed. Quiet is for calls whose failure harms nobody.
func (c *Client) report(ctx context.Context, a account.Account, op string, err error, quiet bool) {
	var no *Refusal
	var tok *tokenError
	switch {
	case err == nil:
	case errors.As(err, &tok) && errors.As(err, &no):
		// The call that fetched the token has said so already.
	case errors.As(err, &no):
		level := slog.LevelWarn
		if no.row.alert {
			level = slog.LevelError
		}
		if quiet {
			level = slog.LevelDebug
		}
		c.log().LogAttrs(ctx, level, "the platform refused a call", append([]slog.Attr{
			slog.String("account", string(a.ID)), slog.String("app_id", a.AppID), slog.String("op", op),
		}, no.attrs()...)...)
	default:
		level := slog.LevelWarn
		if quiet {
			level = slog.LevelDebug
		}
		c.log().LogAttrs(ctx, level, "a call to the platform failed", slog.String("account", string(a.ID)),
			slog.String("app_id", a.AppID), slog.String("op", op), slog.String("cause", err.Error()))
	}
}
