package wxfake

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// Channel is the kind of an account.
type Channel string

// The two kinds of accounts that the open platform has.
const (
	MiniProgram Channel = "miniprogram"
	Official    Channel = "official"
)

// Mode is how pushes are encrypted.
type Mode string

// The three encryption modes of the console.
const (
	Plaintext  Mode = "plaintext"
	Compatible Mode = "compatible"
	Secure     Mode = "secure"
)

// Format is the data format of pushes and of passive replies.
type Format string

// The two data formats of the console.
const (
	JSON Format = "json"
	XML  Format = "xml"
)

// Account is what the owner of an account sets in the platform's console.
type Account struct {
	Channel     Channel
	AppID       string // "wx…", unique
	OriginalID  string // "gh_…", the ToUserName of pushes
	Name        string // shown on the page; the AppID if empty
	Secret      string
	Token       string // signs pushes
	AESKey      string // EncodingAESKey, 43 characters; unused in plaintext mode
	Mode        Mode   // empty means plaintext, as for a new account
	Format      Format // empty means xml, as for a new account
	CallbackURL string // empty: customers' messages go to the platform's own tool
	Rules       Rules  // this account's window rules, if not the channel's
	Permissions Permissions
}

// Permissions is what the platform denies an account. The zero value denies nothing.
type Permissions struct {
	NoCustomerMessages bool     // custom/send, typing and the quota of them answer 48001
	Banned             bool     // custom/send, typing and the quota of them answer 48004
	DeniedTypes        []string // message types that answer 48008
	SecretFrozen       bool     // token calls answer 40243
	AccountFrozen      bool     // token calls answer 50007
	AllowedIPs         []string // when set, token calls from elsewhere answer 40164
	NoContentCheck     bool     // the content checks answer 48001
	ChecksPerMinute    int      // of each content check, beyond it 44991; 0 means the platform's own limit
	ChecksPerDay       int      // the same by the day, beyond it 45009
	BusinessTypingOnly bool     // a Mini Program's /custom/typing answers 40200, as the documents of 2026 have it
}

// check fills the defaults and says what the console would not accept.
func (a *Account) check() error {
	if a.Mode == "" {
		a.Mode = Plaintext
	}
	if a.Format == "" {
		a.Format = XML
	}
	if a.Name == "" {
		a.Name = a.AppID
	}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if a.AppID == "" || a.OriginalID == "" {
		bad("AppID and OriginalID are needed")
	}
	if a.Channel != MiniProgram && a.Channel != Official {
		bad("channel %q is neither %q nor %q", a.Channel, MiniProgram, Official)
	}
	if !slices.Contains([]Mode{Plaintext, Compatible, Secure}, a.Mode) {
		bad("unknown mode %q", a.Mode)
	}
	if a.Format != JSON && a.Format != XML {
		bad("unknown format %q", a.Format)
	}
	if a.Token == "" {
		bad("a token is needed")
	}
	if a.Mode != Plaintext {
		if _, err := aesKey(a.AESKey); err != nil {
			errs = append(errs, err)
		}
	}
	if u, err := url.Parse(a.CallbackURL); a.CallbackURL != "" && (err != nil || (u.Scheme != "http" && u.Scheme != "https")) {
		bad("the callback URL must start with http:// or https://")
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("account %q: %w", a.AppID, err)
	}
	return nil
}

// aesKey decodes an EncodingAESKey. Its 43 characters hold 258 bits; the last two are dropped whatever they
// are, which the standard decoder does unless told to be strict.
func aesKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text + "=")
	if err != nil || len(text) != 43 || len(key) != 32 {
		return nil, errors.New("an EncodingAESKey has 43 characters out of a-z A-Z 0-9")
	}
	return key, nil
}

// account is one account with everything the platform keeps for it.
type account struct {
	appID     string
	cfg       atomic.Pointer[Account] // nil until AddAccount
	customers sync.Map                // openid -> *Customer
	tokens    tokenBox
	quota     quotaBox
	checked   minuteBox
}

// AddAccount adds an account, or replaces the settings of the one with this AppID: its customers, windows and
// tokens stay. What is pushed next follows the new settings.
func (p *Platform) AddAccount(a Account) error {
	a.Permissions.DeniedTypes = slices.Clone(a.Permissions.DeniedTypes)
	a.Permissions.AllowedIPs = slices.Clone(a.Permissions.AllowedIPs)
	if err := a.check(); err != nil {
		return err
	}
	p.account(a.AppID).cfg.Store(&a)
	p.bell.ring()
	return nil
}

// UpdateAccount changes settings of an account at run time: mode, format, key, URL, permissions.
func (p *Platform) UpdateAccount(appID string, change func(*Account)) error {
	cfg := p.config(appID)
	if cfg == nil {
		return fmt.Errorf("no account %q", appID)
	}
	next := *cfg
	change(&next)
	if next.AppID != appID {
		return fmt.Errorf("account %q: the AppID can't change", appID)
	}
	return p.AddAccount(next)
}

// Account returns the settings of an account, and whether there is one.
func (p *Platform) Account(appID string) (Account, bool) {
	if cfg := p.config(appID); cfg != nil {
		return *cfg, true
	}
	return Account{}, false
}

// account returns the account of an AppID, made on first use and unknown to the API until it has settings.
func (p *Platform) account(appID string) *account {
	if a, ok := p.accounts.Load(appID); ok {
		return a.(*account) //nolint:forcetypeassert // the map holds nothing else
	}
	a, _ := p.accounts.LoadOrStore(appID, &account{appID: appID})
	return a.(*account) //nolint:forcetypeassert // the map holds nothing else
}

// config returns an account's settings without making the account, or nil.
func (p *Platform) config(appID string) *Account {
	if a, ok := p.accounts.Load(appID); ok {
		return a.(*account).cfg.Load() //nolint:forcetypeassert // the map holds nothing else
	}
	return nil
}

// configured returns the settings of all accounts, sorted by name.
func (p *Platform) configured() []*Account {
	var all []*Account
	p.accounts.Range(func(_, v any) bool {
		if cfg := v.(*account).cfg.Load(); cfg != nil { //nolint:forcetypeassert // the map holds nothing else
			all = append(all, cfg)
		}
		return true
	})
	sort.Slice(all, func(i, j int) bool { return strings.Compare(all[i].Name+all[i].AppID, all[j].Name+all[j].AppID) < 0 })
	return all
}

// rules returns the window rules that hold for an account.
func (p *Platform) rules(cfg *Account) Rules {
	if cfg.Rules != nil {
		return cfg.Rules
	}
	if r, ok := p.opt.Rules[cfg.Channel]; ok {
		return r
	}
	return CurrentRules(cfg.Channel)
}
