package media

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// Add keeps a file that an agent uploads for the account. Kind is image, voice, video or thumb, the cover of a card.
// What the file is, is decided by its bytes; contentType, the uploader's word, counts for nothing. The platform gets the
// file only when it is sent.
//
// Errors: Invalid with code "media-invalid" for an unknown kind or a format that the platform doesn't take for it,
// Invalid with code "too-large" (413) above its limit; else what the store gives.
func (k *Keeper) Add(ctx context.Context, a account.Account, kind, filename, contentType string, b []byte) (message.Media, error) {
	rule, ok := rules[kind]
	switch {
	case !ok:
		return message.Media{}, invalid("type is %q; want image, voice, video or thumb", kind)
	case len(b) == 0:
		return message.Media{}, invalid("the file is empty")
	case len(b) > rule.limit:
		return message.Media{}, fault.WithStatus(fault.New(fault.Invalid, "too-large",
			fmt.Sprintf("a file of type %s may have at most %d bytes", kind, rule.limit)), 413)
	}
	actual := sniff(b)
	if !rule.formats[actual] {
		said := ""
		if contentType != "" && actual != "" && !strings.EqualFold(contentType, actual) {
			said = fmt.Sprintf(", whatever its Content-Type says: by its bytes it is %s", actual)
		}
		return message.Media{}, invalid("a file of type %s must be %s%s", kind, rule.names, said)
	}
	now := k.now()
	m := message.Media{
		ID: k.newID(), Account: a.ID, Owner: a.Owner(), Type: kind, ContentType: actual, Name: plainName(filename, actual), Size: int64(len(b)),
		CreatedAt: now, ExpiresAt: now.Add(a.Settings.MediaLife()),
	}
	// The record goes first, so that a crash between the steps leaves nothing that Sweep can't find.
	if err := k.Store.PutMedia(ctx, m); err != nil {
		return message.Media{}, err
	}
	if err := k.Store.PutBlob(ctx, m.ID, b); err != nil {
		return message.Media{}, err
	}
	m.Kept = true
	if err := k.Store.PutMedia(ctx, m); err != nil {
		return message.Media{}, err
	}
	return m, nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, "media-invalid", fmt.Sprintf(format, args...))
}

// plainName is a file name without folders, control characters and excess, for a person to read; it never
// becomes a path or a header as it is.
func plainName(name, contentType string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	const longest = 120
	if len(name) > longest { // the end matters more: it holds the extension
		name = strings.ToValidUTF8(name[len(name)-longest:], "")
	}
	if strings.Trim(name, ". ") == "" {
		return "file" + extensions[contentType]
	}
	return name
}
