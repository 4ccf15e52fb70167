package agent_test

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/flow/agent"
)

// form makes a multipart body with one file.
func form(t *testing.T, part, name, contentType string, b []byte) (body []byte, header string) {
	t.Helper()
	var buf bytes.Buffer
	m := multipart.NewWriter(&buf)
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+part+`"; filename="`+name+`"`)
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	p, err := m.CreatePart(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), m.FormDataContentType()
}

// upload uploads a small PNG by name.
func (w *world) upload(who, to, kind, text string, more ...string) reply {
	w.t.Helper()
	body, header := form(w.t, "media", "cat.png", "image/png", []byte(text))
	return w.call(who, "POST", "/v1/accounts/"+to+"/media?type="+kind, body, append(more, "Content-Type", header)...)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.upload("ann", "shop", "image", "pixels").want(201)
	r.is("image", "type").is(6, "size").is("2026-12-21T08:00:00Z", "expires_at")
	id := r.text("id")
	got := w.call("bob", "GET", "/v1/media/"+id, nil).want(200)
	if string(got.raw) != "pixels" || got.header.Get("Content-Type") != "image/png" {
		t.Errorf("file %q of type %q, want the PNG", got.raw, got.header.Get("Content-Type"))
	}
	if d := got.header.Get("Content-Disposition"); d != `attachment; filename=cat.png` {
		t.Errorf("disposition %q, want an attachment", d)
	}
	if got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a customer's file goes out without nosniff")
	}
	w.call("olga", "GET", "/v1/media/"+id, nil).want(404, "not-found")
	w.call("ann", "GET", "/v1/media/none", nil).want(404, "not-found")
	w.call("ann", "GET", "/v1/media/%2e%2e%2fx", nil).want(404, "not-found")
	w.pass(31 * 24 * 3600e9)
	w.call("bob", "GET", "/v1/media/"+id, nil).want(404, "not-found")
}

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload("ann", "shop", "", "x").want(400, "bad-parameter").is("type", "field")
	w.upload("ann", "shop", "hologram", "x").want(422, "type-not-supported")
	w.upload("ann", "shop", "image", "bad").want(400, "media-invalid")
	w.upload("ann", "oa", "image", "x").want(404, "not-found")
	path := "/v1/accounts/shop/media?type=image"
	w.call("ann", "POST", path, "x").want(400, "form-invalid")
	w.call("ann", "POST", path, `{}`, "Content-Type", "application/json").want(400, "form-invalid")
	w.call("ann", "POST", path, "x", "Content-Type", "multipart/form-data").want(400, "form-invalid")
	w.call("ann", "POST", path, "x", "Content-Type", "multipart/form-data; boundary=b").want(400, "form-invalid")
	body, header := form(t, "file", "x.png", "image/png", []byte("x"))
	w.call("ann", "POST", path, body, "Content-Type", header).want(400, "form-invalid")
	body, header = form(t, "media", "x.png", "image/png", nil)
	w.call("ann", "POST", path, body, "Content-Type", header).want(400, "form-invalid")
	body, header = form(t, "media", "x.png", "image/png", make([]byte, 10<<20+1))
	w.call("ann", "POST", path, body, "Content-Type", header).want(413, "too-large")
	w.call("ann", "POST", path, make([]byte, 12<<20), "Content-Type", header).want(413, "too-large")
	body, header = form(t, "media", "x.png", "image/png", make([]byte, 10<<20))
	w.call("ann", "POST", path, body, "Content-Type", header).want(201)
}

func TestFileNamesAndTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct{ name, kind, wantName, wantType string }{
		{`a.png`, "image/png", "a.png", "image/png"},
		{`../../etc/passwd`, "text/html", "passwd", "application/octet-stream"},
		{`C:\\temp\\b.jpg`, "image/jpeg; charset=x", "b.jpg", "image/jpeg; charset=x"},
		{`page.html`, "text/html", "page.html", "application/octet-stream"},
		{strings.Repeat("n", 300), "", "", "application/octet-stream"},
	}
	for _, tt := range tests {
		body, header := form(t, "media", tt.name, tt.kind, []byte("x"))
		id := w.call("ann", "POST", "/v1/accounts/shop/media?type=image", body, "Content-Type", header).want(201).text("id")
		r := w.call("ann", "GET", "/v1/media/"+id, nil).want(200)
		if tt.wantName == "" {
			tt.wantName = id
		}
		if got := r.header.Get("Content-Disposition"); !strings.HasSuffix(got, "filename="+tt.wantName) {
			t.Errorf("%q comes back as %q, want %q", tt.name, got, tt.wantName)
		}
		if got := r.header.Get("Content-Type"); got != tt.wantType {
			t.Errorf("type %q comes back as %q, want %q", tt.kind, got, tt.wantType)
		}
	}
}

// closedFiles is a keeper whose files can't be opened.
type closedFiles struct {
	agent.Media
	err error
}

func (f closedFiles) Open(context.Context, string) (message.Media, []byte, error) {
	return message.Media{}, nil, f.err
}

func TestFileCannotBeOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.upload("ann", "shop", "image", "x").want(201).text("id")
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{fault.New(fault.NotFound, "media-gone", ""), 404, "not-found"},
		{fault.New(fault.Invalid, "secret-missing", ""), 503, "unavailable"},
		{fault.Later("day-quota", "", time.Hour), 503, "unavailable"},
		{fault.Wrap(fault.Unavailable, "platform-unreachable", errors.New("dial")), 503, "unavailable"},
	} {
		w.api.Media = closedFiles{Media: w.media, err: tt.err}
		w.h = w.api.Handler()
		w.call("ann", "GET", "/v1/media/"+id, nil).want(tt.status, tt.code)
	}
}
