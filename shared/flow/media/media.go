// Package media keeps pictures, voices and videos: those that customers send, before the platform drops them, and
// those that agents upload, until an account sends them. Make a [Keeper]; agents' files come in by [Keeper.Add],
// customers' by [Keeper.Expect] and [Keeper.Fetch], [Keeper.Open] reads both, [Keeper.PlatformID] makes a file ready
// to be sent, and [Keeper.Sweep] deletes what has expired.
//
// Who may see a file is the caller's to check: [message.Media] names its account.
package media

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// Files keeps files and what is known of them.
type Files interface {
	// PutMedia stores or replaces what is known of a file.
	PutMedia(ctx context.Context, m message.Media) error
	// Media returns it; NotFound if there is no such file.
	Media(ctx context.Context, id string) (message.Media, error)
	// DueMedia lists ids of files whose ExpiresAt is before the given time, earliest first.
	DueMedia(ctx context.Context, before time.Time, limit int) ([]string, error)
	// DeleteMedia removes the record and the bytes; removing what isn't there is no error.
	DeleteMedia(ctx context.Context, id string) error
	// PutBlob stores the bytes of a file, at most 16 MiB; replacing is allowed and atomic.
	PutBlob(ctx context.Context, id string, b []byte) error
	// Blob returns them; NotFound if there are none.
	Blob(ctx context.Context, id string) ([]byte, error)
}

// Platform exchanges files with the platform. Errors carry a kind of package fault; NotFound for a file that the
// platform no longer has.
type Platform interface {
	Upload(ctx context.Context, a account.Account, kind, filename, contentType string, b []byte) (platformID string, until time.Time, err error)
	Download(ctx context.Context, a account.Account, platformID string) (b []byte, contentType, filename string, err error)
}

// Accounts finds the account that a file belongs to.
type Accounts interface {
	// Account returns the account with its secrets; NotFound if there is none.
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Keeper keeps files. All fields but Now and NewID are needed. It may be used concurrently.
type Keeper struct {
	Store    Files
	Platform Platform
	Accounts Accounts
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// NewID makes ids of uploaded files. Default "mu" and 26 random characters: nobody can guess one.
	NewID func() string
}

const (
	// platformLife is how long the platform keeps a file.
	//
	// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/getTempMedia.html
	platformLife = 3 * 24 * time.Hour
	// platformSpare is what a platform id must have left to be sent: messages wait in the outbox.
	platformSpare = time.Hour
)

// Open returns a file with its bytes; those of a customer's file that are not kept yet are fetched now. Errors:
// NotFound with code "media-unknown" when there is no such file or it has expired, and "media-gone" when it was
// not fetched before the platform dropped it; else what store and platform give.
func (k *Keeper) Open(ctx context.Context, id string) (message.Media, []byte, error) {
	m, err := k.find(ctx, id)
	if err != nil {
		return message.Media{}, nil, err
	}
	return k.open(ctx, m)
}

func (k *Keeper) open(ctx context.Context, m message.Media) (message.Media, []byte, error) {
	if !m.Kept {
		got, b, err := k.fetch(ctx, m)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			// That the platform refuses us is our trouble, not the reader's doing.
			err = fault.Wrap(fault.Unavailable, "unavailable", err)
		}
		return got, b, err
	}
	b, err := k.Store.Blob(ctx, m.ID)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return message.Media{}, nil, unknown() // deleted between the two reads
	}
	if err != nil {
		return message.Media{}, nil, err
	}
	return m, b, nil
}

// find returns the record of a file that has not expired.
func (k *Keeper) find(ctx context.Context, id string) (message.Media, error) {
	m, err := k.Store.Media(ctx, id)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return message.Media{}, unknown()
	}
	if err != nil {
		return message.Media{}, err
	}
	if !k.now().Before(m.ExpiresAt) {
		return message.Media{}, unknown()
	}
	return m, nil
}

// Sweep deletes up to limit files that have expired at now, and says how many. A file that can't be deleted stays
// for the next time and does not keep the others.
func (k *Keeper) Sweep(ctx context.Context, now time.Time, limit int) (n int, err error) {
	ids, err := k.Store.DueMedia(ctx, now, limit)
	if err != nil {
		return 0, err
	}
	var first error
	for _, id := range ids {
		if err := k.Store.DeleteMedia(ctx, id); err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		n++
	}
	return n, first
}

func unknown() error {
	return fault.New(fault.NotFound, "media-unknown", "There is no such file, or it has expired.")
}

func (k *Keeper) now() time.Time {
	if k.Now == nil {
		return time.Now().UTC()
	}
	return k.Now().UTC()
}

func (k *Keeper) newID() string {
	if k.NewID == nil {
		return "mu" + strings.ToLower(rand.Text())
	}
	return k.NewID()
}
