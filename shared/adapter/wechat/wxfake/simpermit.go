package wxfake

import (
	"context"
	"net/http"
)

// simPermit is POST sim/permit: what the platform grants an account, and where it pushes. What the call leaves out stays.
func (p *Platform) simPermit(r *http.Request) (any, error) {
	var in struct {
		App                string    `json:"app"`
		NoCustomerMessages *bool     `json:"no_customer_messages"`
		Banned             *bool     `json:"banned"`
		SecretFrozen       *bool     `json:"secret_frozen"`
		AccountFrozen      *bool     `json:"account_frozen"`
		AllowedIPs         *[]string `json:"allowed_ips"`
		CallbackURL        *string   `json:"callback_url"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if p.config(in.App) == nil {
		return nil, &simError{http.StatusNotFound, "no such account"}
	}
	err := p.UpdateAccount(in.App, func(a *Account) {
		set(&a.Permissions.NoCustomerMessages, in.NoCustomerMessages)
		set(&a.Permissions.Banned, in.Banned)
		set(&a.Permissions.SecretFrozen, in.SecretFrozen)
		set(&a.Permissions.AccountFrozen, in.AccountFrozen)
		set(&a.Permissions.AllowedIPs, in.AllowedIPs)
		set(&a.CallbackURL, in.CallbackURL)
	})
	if err != nil {
		return nil, &simError{http.StatusUnprocessableEntity, err.Error()}
	}
	return struct{}{}, nil
}

// set changes what there is a value for.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// simVerify is POST sim/verify: the check of the address that the console makes when it is saved.
func (p *Platform) simVerify(r *http.Request) (any, error) {
	var in struct {
		App string `json:"app"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if p.config(in.App) == nil {
		return nil, &simError{http.StatusNotFound, "no such account"}
	}
	d := p.VerifyURL(context.WithoutCancel(r.Context()), in.App)
	out := map[string]any{"passed": d.Err == nil, "status": d.Status}
	if d.Err != nil {
		out["problem"] = d.Err.Error()
	}
	return out, nil
}
