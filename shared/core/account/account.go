// Package account describes the identities that customers write to: a Mini
// Program or an Official Account, its keys towards the platform, and its
// settings. Start with [Account]; [Account.Check] says what a complete one has.
package account

import (
	"fmt"
	"regexp"
	"sync"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// ID names an account within a deployment; it stands in the callback's path, so
// it is unique across tenants. See [ValidID] for its shape.
type ID string

// Customer names who writes, within one account: an openid, or an external_userid.
type Customer string

// Channel is the kind of account.
type Channel string

// The channels of the open platform.
const (
	MiniProgram Channel = "miniprogram"
	Official    Channel = "official"
)

// Mode is how the platform protects its pushes (消息加密方式).
type Mode string

// The three modes of the platform's console. Compatible pushes carry the fields
// twice, once in the clear and once encrypted; only the encrypted copy counts.
const (
	Plaintext  Mode = "plaintext"
	Compatible Mode = "compatible"
	Secure     Mode = "secure"
)

// Format is the data format of pushes and of answers to them.
type Format string

// The two data formats of the platform's console.
const (
	JSON Format = "json"
	XML  Format = "xml"
)

// Account is one identity that customers write to.
type Account struct {
	ID             ID          `json:"id"`
	Tenant         tenant.ID   `json:"tenant"`
	Incarnation    Incarnation `json:"inc,omitempty"`
	Channel        Channel     `json:"channel"`
	AppID          string      `json:"app_id"`
	OriginalID     string      `json:"original_id,omitempty"` // gh_…, the ToUserName of pushes; checked when set
	Mode           Mode        `json:"mode"`
	Format         Format      `json:"format"`
	Token          Secret      `json:"-"` // signs pushes
	AESKey         Secret      `json:"-"` // EncodingAESKey, 43 characters
	AESKeyPrevious Secret      `json:"-"` // accepted during a key change
	AppSecret      Secret      `json:"-"` // fetches access tokens
	Settings       Settings    `json:"settings"`
	Webhook        Webhook     `json:"webhook,omitzero"` // set by its own call, as Settings.Routing is
	Signing        Signing     `json:"-"`                // likewise
	CreatedAt      time.Time   `json:"created_at"`
	UpdatedAt      time.Time   `json:"updated_at"`
}

// What a store refuses an account for; see flow/agent's port.
var (
	// ErrTaken: the id belongs to another tenant.
	ErrTaken = fault.New(fault.Conflict, "account-taken", "The account id is taken.")
	// ErrAppTaken: the app id belongs to another tenant.
	ErrAppTaken = fault.New(fault.Conflict, "app-taken",
		"Another business of this deployment has an account with this app id. If the app id is yours, ask the operator.")
)

// Compiled when they are first needed: a function's start is waited for.
var (
	idShape     = shape(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	appIDShape  = shape(`^[A-Za-z0-9_-]{1,64}$`)
	aesKeyShape = shape(`^[A-Za-z0-9+/]{43}$`)
)

func shape(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// ValidID reports whether s can name an account, an agent or a tenant: 1 to 64
// letters, digits, '-' and '_', beginning with a letter or digit.
func ValidID(s string) bool { return idShape().MatchString(s) }

// Check says what is missing or wrong, as a fault of kind Invalid whose code is
// "account-incomplete" or "account-invalid".
//
// Token and EncodingAESKey: the platform's console, "Message push" (消息推送).
func (a Account) Check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "account-invalid", fmt.Sprintf(format, args...))
	}
	switch a.Channel {
	case MiniProgram, Official:
	default:
		return wrong("channel is %q; want miniprogram or official", a.Channel)
	}
	if !appIDShape().MatchString(a.AppID) {
		return wrong("app_id is missing or has characters that no app id has")
	}
	if a.Token == "" || len(a.Token) > 128 {
		return wrong("token is missing or longer than 128 characters: copy it from the console's message push page")
	}
	switch a.Mode {
	case Plaintext:
	case Compatible, Secure:
		if a.AESKey == "" {
			return wrong("aes_key is missing: mode %s needs the EncodingAESKey of the console", a.Mode)
		}
	default:
		return wrong("mode is %q; want plaintext, compatible or secure", a.Mode)
	}
	if a.AESKey != "" && !aesKeyShape().MatchString(string(a.AESKey)) {
		return wrong("aes_key must be the console's EncodingAESKey: exactly 43 letters and digits")
	}
	if a.AESKeyPrevious != "" && !aesKeyShape().MatchString(string(a.AESKeyPrevious)) {
		return wrong("aes_key_previous must be exactly 43 letters and digits")
	}
	if a.Format != JSON && a.Format != XML {
		return wrong("format is %q; want json or xml", a.Format)
	}
	return a.Settings.Check()
}
