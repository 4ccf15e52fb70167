package agent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"kefu/shared/core/fault"
)

// bodyKind is what a call takes.
type bodyKind int

const (
	noBody bodyKind = iota
	jsonBody
	fileBody
)

const (
	maxJSON = 1 << 20
	// maxFile is the largest file that the platform takes: a video of 10 MB.
	maxFile = 10 << 20
	// maxForm leaves room for the lines around the file.
	maxForm = maxFile + 64<<10
)

// upload is the file of a multipart form.
type upload struct {
	name, contentType string
	bytes             []byte
}

// readBody reads the whole body within its limit.
func (c *call) readBody(w http.ResponseWriter) error {
	if !c.route.writes() {
		return nil
	}
	limit := int64(maxJSON)
	if c.route.takes == fileBody {
		limit = maxForm
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, limit))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return tooLarge(limit)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, "body-unreadable", err)
	}
	if c.route.takes == fileBody {
		return c.readForm(b)
	}
	c.body = b
	return nil
}

func tooLarge(limit int64) error {
	return fault.WithStatus(fault.New(fault.Invalid, "too-large", fmt.Sprintf("The body is larger than %d bytes.", limit)),
		http.StatusRequestEntityTooLarge)
}

// readForm finds the part "media".
func (c *call) readForm(b []byte) error {
	wrong := fault.New(fault.Invalid, "form-invalid", "The body must be multipart/form-data with one file in the part \"media\".")
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return wrong
	}
	form := multipart.NewReader(bytes.NewReader(b), params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return wrong // the end, without the part
		}
		if part.FormName() != "media" {
			continue
		}
		file, err := io.ReadAll(io.LimitReader(part, maxFile+1))
		switch {
		case err != nil || len(file) == 0:
			return wrong
		case len(file) > maxFile:
			return tooLarge(maxFile)
		}
		c.file = upload{name: fileName(part.FileName()), contentType: part.Header.Get("Content-Type"), bytes: file}
		return nil
	}
}

// fileName keeps the last element of a name that a client made up.
func fileName(s string) string {
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if s == "." || s == "/" || len(s) > 200 {
		return ""
	}
	return s
}

// digest names what was sent. A form is named by its file: its boundary is a new
// one each time.
func (c *call) digest() [sha256.Size]byte {
	if c.route.takes != fileBody {
		return sha256.Sum256(c.body)
	}
	sum := sha256.Sum256(c.file.bytes)
	return sha256.Sum256(fmt.Appendf(sum[:], "%q %q", c.file.name, c.file.contentType))
}
