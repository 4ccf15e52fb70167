package media

import (
	"context"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/shell"
)

// PlatformID returns the platform's id of a file for a message that account a sends. It uploads the file when the
// platform doesn't have it, when the platform's id ends within an hour, and when renew says that the platform has
// refused that id. Accounts of one tenant with the same app id share files; a file of any other account is NotFound.
//
// Errors: NotFound with code "media-unknown" or "media-gone", Invalid with code "media-invalid" or "too-large" for a
// file that the platform doesn't take; else what store and platform give. Uploading twice at once does no harm.
func (k *Keeper) PlatformID(ctx context.Context, a account.Account, id string, renew bool) (string, error) {
	m, err := k.find(ctx, id)
	if err != nil {
		return "", err
	}
	if err := k.shared(ctx, a, m); err != nil {
		return "", err
	}
	if !renew && m.PlatformID != "" && k.now().Add(platformSpare).Before(m.PlatformUntil) {
		return m.PlatformID, nil
	}
	m, b, err := k.open(ctx, m)
	if err != nil {
		return "", err
	}
	kind := m.Type
	if cover := rules["thumb"]; kind == "thumb" && (len(b) > cover.limit || !cover.formats[sniff(b)]) {
		kind = "image" // a card takes a picture as well, and a picture may be larger
	}
	// The name is made anew: the platform goes by the extension too, and a person's file name is none of its business.
	m.PlatformID, m.PlatformUntil, err = k.Platform.Upload(ctx, a, kind, m.ID+extensions[m.ContentType], m.ContentType, b)
	if err != nil {
		return "", err
	}
	return m.PlatformID, k.Store.PutMedia(ctx, m)
}

// shared says whether account a may send the file: the platform's ids belong to an app id, files to a tenant.
func (k *Keeper) shared(ctx context.Context, a account.Account, m message.Media) error {
	if m.Account == a.ID && m.Owner.Is(a.Owner()) {
		return nil
	}
	owner, err := k.owner(ctx, m)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return unknown()
	}
	if err != nil {
		return err
	}
	if owner.AppID != a.AppID || owner.Tenant != a.Tenant {
		return unknown()
	}
	return nil
}

// owner is the account that the file belongs to; NotFound if it has gone, whoever has its id since.
func (k *Keeper) owner(ctx context.Context, m message.Media) (account.Account, error) {
	return shell.AccountOf(ctx, k.Accounts, m.Account, func(a account.Account) bool { return m.Owner.Is(a.Owner()) })
}
