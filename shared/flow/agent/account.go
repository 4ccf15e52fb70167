package agent

import (
	"errors"
	"fmt"
	"slices"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// account finds the account of the path, if the key may see it.
func (c *call) account() (account.Account, error) {
	return c.accountByID(account.ID(c.r.PathValue("account")))
}

func (c *call) accountByID(id account.ID) (account.Account, error) {
	if !account.ValidID(string(id)) || !c.id.Sees(id) {
		return account.Account{}, missing("account")
	}
	a, err := c.Store.Account(c.ctx(), id)
	if err != nil {
		return account.Account{}, named(err, "account")
	}
	if a.Tenant != c.id.Tenant {
		return account.Account{}, missing("account")
	}
	return a, nil
}

func (c *call) getAccount() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	return ok(viewAccount(a)), nil
}

// listAccounts shows admins all of the tenant, others what they are bound to.
func (c *call) listAccounts() (answer, error) {
	cursor, limit, err := c.paging()
	if err != nil {
		return answer{}, err
	}
	look := c.bound
	if c.id.Admin() {
		look = c.all
	}
	all, next, err := look(cursor, limit)
	if err != nil {
		return answer{}, fmt.Errorf("list accounts: %w", err)
	}
	items := make([]accountView, 0, len(all))
	for _, a := range all {
		items = append(items, viewAccount(a))
	}
	return ok(page(items, next)), nil
}

// all lists the accounts of the tenant, by id.
func (c *call) all(cursor string, limit int) (items []account.Account, next string, err error) {
	return c.Store.Accounts(c.ctx(), c.id.Tenant, cursor, limit)
}

// bound lists the accounts that the key is bound to, by id. The cursor is the last one shown.
func (c *call) bound(cursor string, limit int) (items []account.Account, next string, err error) {
	if cursor != "" && !account.ValidID(cursor) {
		return nil, "", fault.New(fault.Invalid, "bad-cursor", "The cursor is none that a list has given.")
	}
	ids := slices.Clone(c.id.Accounts)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if string(id) <= cursor {
			continue
		}
		a, err := c.accountByID(id)
		if errors.Is(err, fault.NotFound) {
			continue // deleted since
		}
		if err != nil {
			return nil, "", err
		}
		if len(items) == limit {
			return items, string(items[limit-1].ID), nil
		}
		items = append(items, a)
	}
	return items, "", nil
}

// accountBody is the complete account: what a PUT leaves out is gone afterwards,
// secrets included.
type accountBody struct {
	Channel        account.Channel  `json:"channel"`
	AppID          string           `json:"app_id"`
	OriginalID     string           `json:"original_id"`
	Token          string           `json:"token"`
	AESKey         string           `json:"aes_key"`
	AESKeyPrevious string           `json:"aes_key_previous"`
	Mode           account.Mode     `json:"mode"`
	Format         account.Format   `json:"format"`
	Secret         string           `json:"secret"`
	Settings       account.Settings `json:"settings"`
}

// putAccount makes an account or replaces it whole.
func (c *call) putAccount() (answer, error) {
	id := c.r.PathValue("account")
	if !account.ValidID(id) {
		return answer{}, errID("An account's id")
	}
	var body accountBody
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if body.Mode == "" {
		body.Mode = account.Plaintext
		if body.AESKey != "" {
			body.Mode = account.Secure
		}
	}
	if body.Format == "" {
		body.Format = account.XML // the first choice of the platform's console
	}
	a := account.Account{
		ID: account.ID(id), Tenant: c.id.Tenant, Channel: body.Channel, AppID: body.AppID, OriginalID: body.OriginalID,
		Mode: body.Mode, Format: body.Format, Token: account.Secret(body.Token), AESKey: account.Secret(body.AESKey),
		AESKeyPrevious: account.Secret(body.AESKeyPrevious), AppSecret: account.Secret(body.Secret),
		Settings: body.Settings, CreatedAt: c.now, UpdatedAt: c.now,
	}
	if err := a.Check(); err != nil {
		return answer{}, err
	}
	var err error
	if a.Incarnation, err = account.NewIncarnation(c.Rand); err != nil { // counts if the account is made now
		return answer{}, err
	}
	if len(a.OriginalID) > 64 || len(a.AppSecret) > 128 {
		return answer{}, fault.New(fault.Invalid, "account-invalid", "original_id is longer than 64 bytes, or secret longer than 128.")
	}
	isNew, err := c.Store.PutAccount(c.ctx(), a)
	if errors.Is(err, account.ErrTaken) {
		return answer{}, missing("account") // another tenant's
	}
	if err != nil {
		return answer{}, fmt.Errorf("put account: %w", err)
	}
	if a, err = c.accountByID(a.ID); err != nil {
		return answer{}, fmt.Errorf("read account: %w", err)
	}
	return made(isNew, viewAccount(a)), nil
}

func errID(what string) error {
	return fault.New(fault.Invalid, "id-invalid", what+" is 1 to 64 letters, digits, - and _, beginning with a letter or digit.")
}

// deleteAccount removes an account. Its conversations stay readable; nothing goes
// in or out any more.
func (c *call) deleteAccount() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	if err := c.closeAll(a); err != nil {
		return answer{}, err
	}
	if err := c.Store.DeleteAccount(c.ctx(), a.ID); err != nil {
		return answer{}, named(err, "account")
	}
	return done(), nil
}

// closeAll ends the account's sessions that go on, so that nobody's seat stays taken.
func (c *call) closeAll(a account.Account) error {
	for _, state := range []session.State{session.Serving, session.Queued, session.Released, session.Bot, session.External} {
		for cursor := ""; ; {
			list, next, err := c.Store.Sessions(c.ctx(), session.Query{Tenant: a.Tenant, Account: a.ID, State: state, Cursor: cursor, Limit: maxLimit})
			if err != nil {
				return fmt.Errorf("list sessions: %w", err)
			}
			for _, s := range list {
				_, err := c.change(s, session.RulesOf(a), func(session.Session) error { return nil }, session.Close{By: string(c.id.Agent)})
				if err != nil && !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.NotFound) {
					return fmt.Errorf("close session: %w", err)
				}
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return nil
}
