package wxfake

import (
	"embed"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// pagePolicy lets the page load nothing but its own files.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageTypes is every file of the page with its content type.
var pageTypes = map[string]string{
	"index.html": "text/html; charset=utf-8",
	"app.css":    "text/css; charset=utf-8",
	"app.js":     "text/javascript; charset=utf-8",
	"chat.js":    "text/javascript; charset=utf-8",
	"traffic.js": "text/javascript; charset=utf-8",
	"icon.svg":   "image/svg+xml",
}

// simMaxBody caps what the page sends: a 2 MiB picture in base64, and a little more.
const simMaxBody = 3 << 20

// servePage serves the page, its calls, and downloads of media.
func (p *Platform) servePage(w http.ResponseWriter, r *http.Request, path string) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if strings.HasPrefix(path, "/download/") {
		p.serveDownload(w, r, path)
		return
	}
	h.Set("Content-Security-Policy", pagePolicy)
	if call, ok := strings.CutPrefix(path, "/sim/"); ok {
		h.Set("Cache-Control", "no-store")
		p.serveSim(w, r, call)
		return
	}
	name := strings.TrimPrefix(path, "/")
	if name == "" {
		name = "index.html"
	}
	contentType, ok := pageTypes[name]
	if !ok || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		http.NotFound(w, r)
		return
	}
	body, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) //nolint:gosec // G705: an embedded file; a browser that is gone is no error
}

// simError is a refusal of the page's own calls.
type simError struct {
	status int
	text   string
}

func (e *simError) Error() string { return e.text }

// simCalls is every call of the page, by method and name.
var simCalls = map[string]func(*Platform, *http.Request) (any, error){
	"GET accounts": (*Platform).simAccounts,
	"GET state":    (*Platform).simState,
	"POST act":     (*Platform).simAct,
	"POST fault":   (*Platform).simFault,
	"POST permit":  (*Platform).simPermit,
	"POST verify":  (*Platform).simVerify,
}

// serveSim answers the page's calls with JSON.
func (p *Platform) serveSim(w http.ResponseWriter, r *http.Request, name string) {
	if name == "media" && r.Method == http.MethodGet {
		p.simMedia(w, r)
		return
	}
	out, err := func() (any, error) {
		run, ok := simCalls[r.Method+" "+name]
		if !ok {
			return nil, &simError{http.StatusNotFound, "no such call"}
		}
		if err := sameOrigin(r); err != nil {
			return nil, err
		}
		r.Body = http.MaxBytesReader(w, r.Body, simMaxBody)
		return run(p, r)
	}()
	status := http.StatusOK
	if refused := new(simError); errors.As(err, &refused) {
		status, out = refused.status, map[string]string{"error": refused.text}
	} else if err != nil {
		status, out = http.StatusBadRequest, map[string]string{"error": "bad request"}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the browser may be gone: that is its loss
}

// sameOrigin refuses calls that another site's page makes: a form can't send JSON, and a script can't without a
// preflight that is never answered. The headers that browsers add say the same once more.
func sameOrigin(r *http.Request) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return &simError{http.StatusForbidden, "cross-site call"}
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return &simError{http.StatusForbidden, "cross-site call"}
		}
	}
	if r.Method == http.MethodPost {
		if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
			return &simError{http.StatusUnsupportedMediaType, "Content-Type must be application/json"}
		}
	}
	return nil
}

// readJSON reads the body of one of the page's calls; unknown fields are refused.
func readJSON(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
			return &simError{http.StatusRequestEntityTooLarge, "too large: at most 2 MB"}
		}
		return &simError{http.StatusBadRequest, "not the JSON that this call takes"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return &simError{http.StatusBadRequest, "something follows the JSON"}
	}
	return nil
}

// simMedia shows a picture of an account's media.
func (p *Platform) simMedia(w http.ResponseWriter, r *http.Request) {
	data, contentType, ok := p.Media(r.URL.Query().Get("app"), r.URL.Query().Get("id"))
	if !ok || !strings.HasPrefix(contentType, "image/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(data) //nolint:gosec // G705: an image by its bytes, under nosniff; a browser that is gone is no error
}
