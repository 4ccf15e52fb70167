package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
	"unicode"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

const (
	uploadPath   = "/cgi-bin/media/upload"
	downloadPath = "/cgi-bin/media/get"

	// maxFile bounds what is downloaded; the platform takes no more than 10 MB itself.
	maxFile = 16 << 20
	// mediaLife is how long a file stays on the platform.
	mediaLife = 3 * 24 * time.Hour
)

// Upload gives a file to the platform and returns the platform's id for it and when that ends. Kind is image, voice,
// video or thumb. The id is good for the app id of a alone, any number of times.
//
// Errors: Invalid with code "media-invalid" or "too-large" for a file that the platform doesn't take, Denied,
// Exhausted and Unavailable as for [Client.Issue]. Uploading again is harmless.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/uploadTempMedia.html
func (c *Client) Upload(ctx context.Context, a account.Account, kind, filename, contentType string, b []byte) (platformID string, until time.Time, err error) {
	r, err := c.uploadRequest(kind, filename, contentType, b)
	if err != nil {
		return "", time.Time{}, err
	}
	var out struct {
		MediaID      string      `json:"media_id"`
		ThumbMediaID string      `json:"thumb_media_id"` // some editions answer thumbs so
		CreatedAt    json.Number `json:"created_at"`
	}
	now := c.now()
	err = c.withToken(ctx, a, r, func(ans answer) error {
		if err := readJSON(r.op, false, ans, &out); err != nil {
			return err
		}
		if out.MediaID == "" {
			out.MediaID = out.ThumbMediaID
		}
		if out.MediaID == "" {
			return &exchangeError{r.op, true, errors.New("no media_id in the answer")}
		}
		return nil
	})
	c.report(ctx, a, r.op, err, false)
	if err != nil {
		return "", time.Time{}, c.faultOf(err)
	}
	// The earlier of the two clocks counts; an answer without a time is taken as made just now.
	from := now
	if sec, err := out.CreatedAt.Int64(); err == nil && sec > 0 && time.Unix(sec, 0).Before(now) {
		from = time.Unix(sec, 0).UTC()
	}
	return out.MediaID, from.Add(mediaLife), nil
}

func (c *Client) uploadRequest(kind, filename, contentType string, b []byte) (request, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="media"; filename="%s"`, plainName(filename)))
	header.Set("Content-Type", plainType(contentType))
	part, err := w.CreatePart(header)
	if err == nil {
		_, err = part.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return request{}, fault.Wrap(fault.Internal, "", fmt.Errorf("media/upload: %w", err))
	}
	return request{
		op: "media/upload", method: http.MethodPost, path: uploadPath, query: url.Values{"type": {kind}},
		contentType: w.FormDataContentType(), body: form.Bytes(), limit: maxAnswer, timeout: c.mediaTimeout(),
	}, nil
}

// plainName leaves nothing in a file name that could end its place in a header or lead to another folder.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == '"' || r == unicode.ReplacementChar || unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	const longest = 100
	if len(name) > longest { // the end matters more: it holds the extension
		name = strings.ToValidUTF8(name[len(name)-longest:], "")
	}
	if name == "" || name == "." || name == ".." {
		return "file"
	}
	return name
}

func plainType(contentType string) string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil {
		return t
	}
	return "application/octet-stream"
}

// Download gets a file from the platform: one that a customer sent, or one that was uploaded. What it is, is decided
// by its bytes: the platform's Content-Type has been wrong, a video comes as a link, an error as JSON with status 200.
// Filename may be empty.
//
// Errors: NotFound with code "media-gone" when the platform no longer has it; Invalid with code "too-large" above
// 16 MiB; Denied, Exhausted and Unavailable as for [Client.Issue].
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/getTempMedia.html
func (c *Client) Download(ctx context.Context, a account.Account, platformID string) (b []byte, contentType, filename string, err error) {
	r := request{
		op: "media/get", method: http.MethodGet, path: downloadPath, query: url.Values{"media_id": {platformID}},
		limit: maxFile, timeout: c.mediaTimeout(),
	}
	var file answer
	link := ""
	err = c.withToken(ctx, a, r, func(ans answer) error {
		file = ans
		link, err = readFile(r.op, ans)
		return err
	})
	if err == nil && link != "" {
		file, err = c.follow(ctx, link)
	}
	if errors.Is(err, errTooLong) {
		err = fault.WithDetail(fault.Wrap(fault.Invalid, "too-large", err), "The file is larger than 16 MiB.")
	}
	c.report(ctx, a, r.op, err, false)
	if err != nil {
		return nil, "", "", c.faultOf(err)
	}
	return file.body, sniff(file), dispositionName(file.header), nil
}

// readFile tells a file from a link to one, from a refusal and from rubbish.
func readFile(op string, ans answer) (link string, err error) {
	body := bytes.TrimLeft(ans.body, " \t\r\n")
	if len(body) > 0 && body[0] == '{' && json.Valid(body) {
		var out struct {
			VideoURL string `json:"video_url"`
		}
		if err := readJSON(op, false, ans, &out); err != nil {
			return "", err
		}
		if out.VideoURL == "" {
			return "", &exchangeError{op, true, errors.New("JSON without an errcode or a video_url")}
		}
		return out.VideoURL, nil
	}
	return "", checkFile(op, ans)
}

// checkFile refuses what is no file.
func checkFile(op string, ans answer) error {
	switch {
	case ans.status != http.StatusOK:
		return &exchangeError{op, true, fmt.Errorf("status %d", ans.status)}
	case len(ans.body) == 0:
		return &exchangeError{op, true, errors.New("empty file")}
	case strings.HasPrefix(http.DetectContentType(ans.body), "text/html"):
		return &exchangeError{op, true, errors.New("a web page in place of a file")}
	}
	return nil
}

// sniff names the type of a file by its first bytes, and where they tell nothing by its header.
func sniff(ans answer) string {
	b := ans.body
	switch {
	case bytes.HasPrefix(b, []byte("#!AMR")):
		return "audio/amr"
	case bytes.HasPrefix(b, []byte("#!SILK")) || bytes.HasPrefix(b, []byte("\x02#!SILK")):
		return "audio/silk"
	case len(b) > 1 && b[0] == 0xff && b[1]&0xe6 == 0xe2: // MPEG audio frame, layer III
		return "audio/mpeg"
	case len(b) > 12 && string(b[4:8]) == "ftyp":
		return "video/mp4"
	}
	t, _, _ := strings.Cut(http.DetectContentType(b), ";")
	if t != "application/octet-stream" && t != "text/plain" {
		return t
	}
	switch said := plainType(ans.header.Get("Content-Type")); said {
	case "text/plain", "application/json", "text/html":
		return "application/octet-stream"
	default:
		return said
	}
}

func dispositionName(h http.Header) string {
	_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil || params["filename"] == "" {
		return ""
	}
	return plainName(params["filename"])
}
