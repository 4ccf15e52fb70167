package agent

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"kefu/shared/core/fault"
)

// mediaView is a file that can be sent.
type mediaView struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Size      int64     `json:"size"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// uploadMedia keeps a file for sending.
func (c *call) uploadMedia() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	kind := c.r.URL.Query().Get("type")
	switch kind {
	case "image", "voice", "video", "thumb":
	case "":
		return answer{}, wrongField("bad-parameter", "type", "The parameter type is missing; it is image, voice, video or thumb.")
	default:
		return answer{}, fault.WithStatus(wrongField("type-not-supported", "type", "type must be image, voice, video or thumb."), http.StatusUnprocessableEntity)
	}
	m, err := c.Media.Add(c.ctx(), a, kind, c.file.name, c.file.contentType, c.file.bytes)
	if err != nil {
		return answer{}, fmt.Errorf("add media: %w", err)
	}
	return created(mediaView{ID: m.ID, Type: m.Type, Size: m.Size, ExpiresAt: m.ExpiresAt.UTC()}), nil
}

// getMedia gives a file back. Browsers save it rather than show it: what a customer
// sends must not run as a page of ours.
func (c *call) getMedia() (answer, error) {
	id := c.r.PathValue("media")
	if !idShape().MatchString(id) {
		return answer{}, missing("file")
	}
	// Whose it is comes first: opening it may fetch it from the platform.
	m, err := c.Store.Media(c.ctx(), id)
	if err != nil {
		return answer{}, named(err, "file")
	}
	a, err := c.accountByID(m.Account)
	if err != nil {
		return answer{}, named(err, "file")
	}
	if !m.Owner.Is(a.Owner()) {
		return answer{}, missing("file") // of one who had the account's id before
	}
	if !m.ExpiresAt.IsZero() && !c.now.Before(m.ExpiresAt) {
		return answer{}, missing("file")
	}
	m, b, err := c.Media.Open(c.ctx(), id)
	if fault.KindOf(err) == fault.NotFound {
		return answer{}, missing("file")
	}
	if err != nil {
		// Whatever the platform has against it, the caller did nothing wrong.
		return answer{}, fault.Wrap(fault.Unavailable, "", fmt.Errorf("open media: %w", err))
	}
	name := m.Name
	if name == "" {
		name = m.ID
	}
	return answer{
		status: http.StatusOK, file: append([]byte{}, b...), contentType: mediaType(m.ContentType),
		header: http.Header{"Content-Disposition": {mime.FormatMediaType("attachment", map[string]string{"filename": name})}},
	}, nil
}

// mediaType keeps to pictures, sound and films; everything else is bytes.
func mediaType(s string) string {
	kind, params, err := mime.ParseMediaType(s)
	if err == nil {
		for _, family := range []string{"image/", "audio/", "video/"} {
			if strings.HasPrefix(kind, family) {
				return mime.FormatMediaType(kind, params)
			}
		}
	}
	return "application/octet-stream"
}
