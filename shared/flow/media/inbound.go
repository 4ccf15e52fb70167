package media

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// Expect notes files that a customer of the account has sent at the given time, so that they can be fetched. It
// downloads nothing. Noting a file again changes nothing.
func (k *Keeper) Expect(ctx context.Context, a account.Account, list []message.PlatformMedia, at time.Time) error {
	for _, p := range list {
		_, err := k.Store.Media(ctx, p.ID)
		if err == nil {
			continue
		}
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
		err = k.Store.PutMedia(ctx, message.Media{
			ID: p.ID, Account: a.ID, Owner: a.Owner(), Type: kindOf(p.Type), PlatformID: p.PlatformID, PlatformUntil: at.Add(platformLife),
			CreatedAt: at, ExpiresAt: at.Add(a.Settings.MediaLife()),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kindOf is the kind of file that a message of type t carries.
func kindOf(t message.Type) string {
	switch t {
	case message.TypeVideo, message.TypeShortVideo:
		return "video"
	case message.TypeVoice:
		return "voice"
	case message.TypeImage, message.TypeMiniProgramPage, "thumb":
		// A cover that came with a message keeps to no limit of covers; as a picture it can be sent again.
		return "image"
	}
	return string(t)
}

// Fetch downloads a file that Expect has noted and keeps it; a file that is kept already stays as it is. Errors:
// NotFound with code "media-unknown" for one that nobody noted or that has expired, and "media-gone" for one that the
// platform no longer has, whose record stays; else what store and platform give: trying again may help.
func (k *Keeper) Fetch(ctx context.Context, id string) error {
	m, err := k.find(ctx, id)
	if err != nil || m.Kept {
		return err
	}
	_, _, err = k.fetch(ctx, m)
	return err
}

// fetch downloads and keeps what is not kept.
func (k *Keeper) fetch(ctx context.Context, m message.Media) (message.Media, []byte, error) {
	if m.PlatformID == "" || !k.now().Before(m.PlatformUntil) {
		return k.salvage(ctx, m)
	}
	a, err := k.owner(ctx, m)
	if err != nil {
		return message.Media{}, nil, err
	}
	b, contentType, name, err := k.Platform.Download(ctx, a, m.PlatformID)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return k.lose(ctx, m)
	}
	if err != nil {
		return message.Media{}, nil, err
	}
	if err := k.Store.PutBlob(ctx, m.ID, b); err != nil {
		return message.Media{}, nil, err
	}
	m.Kept, m.ContentType, m.Name, m.Size = true, contentType, plainName(name, contentType), int64(len(b))
	if err := k.Store.PutMedia(ctx, m); err != nil {
		return message.Media{}, nil, err
	}
	return m, b, nil
}

// lose notes that the platform no longer has the file, so that it is not asked again.
func (k *Keeper) lose(ctx context.Context, m message.Media) (message.Media, []byte, error) {
	m.PlatformUntil = k.now()
	// Another may have kept it since the record was read: that must not be undone.
	if now, err := k.Store.Media(ctx, m.ID); err == nil && now.Kept {
		return k.open(ctx, now)
	}
	if err := k.Store.PutMedia(ctx, m); err != nil {
		return message.Media{}, nil, err
	}
	return k.salvage(ctx, m)
}

// salvage looks for bytes that were kept without the record saying so, as a crash between the two leaves them.
func (k *Keeper) salvage(ctx context.Context, m message.Media) (message.Media, []byte, error) {
	b, err := k.Store.Blob(ctx, m.ID)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return message.Media{}, nil, fault.New(fault.NotFound, "media-gone", "The platform no longer has this file, and it was not fetched in time.")
	}
	if err != nil {
		return message.Media{}, nil, err
	}
	m.Kept, m.Size = true, int64(len(b))
	if m.ContentType == "" {
		m.ContentType = sniff(b)
	}
	return m, b, k.Store.PutMedia(ctx, m)
}
