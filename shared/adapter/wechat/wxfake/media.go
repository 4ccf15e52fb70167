package wxfake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// mediaLife is how long temporary material lives.
const mediaLife = 3 * 24 * time.Hour

// mediaKinds is the table of what may be uploaded.
var mediaKinds = map[string]struct {
	limit   int
	tooBig  int
	formats []string
}{
	"image": {2 << 20, codeBadImageSize, []string{"image/png", "image/jpeg", "image/gif"}},
	"voice": {2 << 20, codeBadMediaSize, []string{"audio/amr", "audio/mpeg"}},
	"video": {10 << 20, codeBadMediaSize, []string{"video/mp4"}},
	"thumb": {64 << 10, codeBadMediaSize, []string{"image/jpeg"}},
}

var mediaExt = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "audio/amr": ".amr", "audio/mpeg": ".mp3", "video/mp4": ".mp4",
}

// medium is one stored file.
type medium struct {
	id, appID, kind string
	contentType     string
	data            []byte
	until           time.Time
}

// mediaStore keeps temporary material of all accounts, the newest up to limit bytes.
type mediaStore struct {
	mu    sync.RWMutex
	items map[string]*medium
	order []string // oldest first
	bytes int64
	limit int64
}

func (s *mediaStore) put(m *medium) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = make(map[string]*medium)
	}
	s.items[m.id] = m
	s.order = append(s.order, m.id)
	s.bytes += int64(len(m.data))
	for s.bytes > s.limit && len(s.order) > 1 {
		s.bytes -= int64(len(s.items[s.order[0]].data))
		delete(s.items, s.order[0])
		s.order = s.order[1:]
	}
}

// get returns a medium of an account that is still alive, or nil.
func (s *mediaStore) get(appID, id string, now time.Time) *medium {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if m := s.items[id]; m != nil && m.appID == appID && now.Before(m.until) {
		return m
	}
	return nil
}

// DropMedia loses all stored media now: media_ids answer 40007 as if three days had passed.
func (p *Platform) DropMedia() {
	p.media.mu.Lock()
	p.media.items, p.media.order, p.media.bytes = nil, nil, 0
	p.media.mu.Unlock()
	p.bell.ring()
}

// Media returns the bytes and the content type behind a media_id of an account, as a customer's phone shows them.
func (p *Platform) Media(appID, mediaID string) (data []byte, contentType string, ok bool) {
	m := p.media.get(appID, mediaID, p.now())
	if m == nil {
		return nil, "", false
	}
	return slices.Clone(m.data), m.contentType, true
}

// addMedium stores a file and returns its media_id.
func (p *Platform) addMedium(appID, kind string, data []byte, now time.Time) *medium {
	m := &medium{
		id: p.dice.text(64), appID: appID, kind: kind, contentType: sniff(data),
		data: slices.Clone(data), until: now.Add(mediaLife),
	}
	p.media.put(m)
	return m
}

// sniff tells a file's type by its first bytes, as the platform does: file names prove nothing.
func sniff(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("#!AMR")):
		return "audio/amr"
	case len(data) > 1 && data[0] == 0xff && data[1]&0xe0 == 0xe0:
		return "audio/mpeg"
	case len(data) > 8 && string(data[4:8]) == "ftyp":
		return "video/mp4"
	}
	t, _, _ := strings.Cut(http.DetectContentType(data), ";")
	return t
}

// mediaUsable checks a media_id in a message: alive, of this account, of one of the kinds.
func (p *Platform) mediaUsable(q *call, id string, kinds ...string) int {
	if id == "" {
		return codeNoMediaID
	}
	if m := p.media.get(q.appID, id, q.now); m == nil || !slices.Contains(kinds, m.kind) {
		return codeBadMediaID
	}
	return 0
}

// mediaUpload is POST /cgi-bin/media/upload.
func (p *Platform) mediaUpload(q *call) answer {
	kind := q.r.URL.Query().Get("type")
	rule, ok := mediaKinds[kind]
	if !ok {
		return refuse(codeBadMediaType)
	}
	data, err := mediaPart(q)
	switch {
	case err != nil || len(data) == 0:
		return refuse(codeNoMedia)
	case len(data) > rule.limit:
		return refuse(rule.tooBig)
	case !slices.Contains(rule.formats, sniff(data)):
		return refuse(codeBadFileType)
	}
	m := p.addMedium(q.appID, kind, data, q.now)
	return result(struct {
		Type      string `json:"type"`
		MediaID   string `json:"media_id"`
		CreatedAt int64  `json:"created_at"`
	}{kind, m.id, q.now.Unix()})
}

// mediaPart finds the part named media; like any form file it needs a file name.
func mediaPart(q *call) ([]byte, error) {
	ct, params, err := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	if err != nil || ct != "multipart/form-data" {
		return nil, errors.New("not multipart/form-data")
	}
	for form := multipart.NewReader(bytes.NewReader(q.body), params["boundary"]); ; {
		part, err := form.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FormName() == "media" && part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}

// mediaGet is GET /cgi-bin/media/get: a video is answered as a link, everything else as bytes.
func (p *Platform) mediaGet(q *call) answer {
	id := q.r.URL.Query().Get("media_id")
	if id == "" {
		return refuse(codeNoMediaID)
	}
	m := p.media.get(q.appID, id, q.now)
	if m == nil {
		return refuse(codeBadMediaID)
	}
	if m.kind == "video" {
		return result(struct {
			URL string `json:"video_url"`
		}{p.hereURL(q.r, q.path) + "/download/" + m.appID + "/" + m.id})
	}
	return answer{body: m.data, header: map[string]string{
		"Content-Type":        m.contentType,
		"Content-Disposition": fmt.Sprintf(`attachment; filename="%s%s"`, m.id, mediaExt[m.contentType]),
	}}
}

// hereURL is where the Handler is reachable: the set base, or what the request was sent to without the call's path.
func (p *Platform) hereURL(r *http.Request, path string) string {
	if base := *p.baseURL.Load(); base != "" {
		return strings.TrimSuffix(base, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	// StripPrefix changes r.URL and leaves RequestURI as it came.
	full, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		full = r.URL
	}
	return scheme + "://" + r.Host + strings.TrimSuffix(full.Path, path)
}

// serveDownload answers the links of video_url and PicUrl.
func (p *Platform) serveDownload(w http.ResponseWriter, r *http.Request, path string) {
	appID, id, _ := strings.Cut(strings.TrimPrefix(path, "/download/"), "/")
	m := p.media.get(appID, id, p.now())
	if m == nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	// Only what is an image or a video by its bytes is shown as such: an upload can't become a page.
	if strings.HasPrefix(m.contentType, "image/") || m.contentType == "video/mp4" {
		h.Set("Content-Type", m.contentType)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(m.data) // the client may be gone: that is its loss
}
