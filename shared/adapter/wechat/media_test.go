package wechat

import (
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

const (
	pngBytes = "\x89PNG\r\n\x1a\n0000000000000000"
	mp4Bytes = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
)

func TestUpload(t *testing.T) {
	t.Parallel()
	created := clientNow.Add(-time.Minute)
	for name, tc := range map[string]struct {
		answer string
		id     string
		until  time.Time
	}{
		"as documented":  {`{"type":"image","media_id":"MID","created_at":1790827140}`, "MID", created.Add(mediaLife)},
		"with errcode":   {`{"errcode":0,"type":"image","media_id":"MID","created_at":"1790827140"}`, "MID", created.Add(mediaLife)},
		"a thumb":        {`{"type":"thumb","thumb_media_id":"TID","created_at":1790827140}`, "TID", created.Add(mediaLife)},
		"no time":        {`{"type":"image","media_id":"MID"}`, "MID", clientNow.Add(mediaLife)},
		"a time to come": {`{"type":"image","media_id":"MID","created_at":9999999999}`, "MID", clientNow.Add(mediaLife)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				if got, want := r.URL.String(), "/cgi-bin/media/upload?access_token=86_tok1&type=image"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				f, h, err := r.FormFile("media")
				if err != nil {
					t.Error(err)
					return
				}
				b, _ := io.ReadAll(f)
				if string(b) != pngBytes || h.Filename != "a b图.png" || h.Header.Get("Content-Type") != "image/png" {
					t.Errorf("got %d bytes, %q, %v; want the file with its name and type", len(b), h.Filename, h.Header)
				}
				_, _ = io.WriteString(w, tc.answer)
			})
			id, until, err := c.Upload(t.Context(), clientMini, "image", "../x\\a \"b图\r\n.png", "image/png", []byte(pngBytes))
			if err != nil || id != tc.id || !until.Equal(tc.until) {
				t.Errorf("got %q, %v, %v; want %q, %v", id, until, err, tc.id, tc.until)
			}
		})
	}
}

func TestUploadFails(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		kind fault.Kind
		code string
	}{
		`{"errcode":40004}`: {fault.Invalid, "media-invalid"},
		`{"errcode":40005}`: {fault.Invalid, "media-invalid"},
		`{"errcode":40006}`: {fault.Invalid, "too-large"},
		`{"errcode":40009}`: {fault.Invalid, "too-large"},
		`{"errcode":45001}`: {fault.Invalid, "too-large"},
		`{"errcode":48001}`: {fault.Denied, "not-authorized"},
		`{"errcode":40001}`: {fault.Denied, "token-refused"},
		`{"errcode":-1}`:    {fault.Unavailable, "platform-busy"},
		`{"errcode":45009}`: {fault.Exhausted, "day-quota"},
		`{"type":"image"}`:  {fault.Unavailable, "platform-unreachable"},
		`<html>`:            {fault.Unavailable, "platform-unreachable"},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, answering(200, answer))
			_, _, err := c.Upload(t.Context(), clientMini, "image", "a.png", "image/png", []byte(pngBytes))
			if fault.KindOf(err) != want.kind || fault.CodeOf(err) != want.code {
				t.Errorf("got %v, want %s %s", err, want.kind, want.code)
			}
		})
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		contentType, disposition, body string
		wantType, wantName             string
	}{
		"as documented":           {"image/png", `attachment; filename="MID.png"`, pngBytes, "image/png", "MID.png"},
		"a wrong type":            {"text/plain", "", pngBytes, "image/png", ""},
		"a voice":                 {"text/plain", `attachment; filename="../../etc/x.amr"`, "#!AMR\n\x3c\x00", "audio/amr", "x.amr"},
		"an MP3":                  {"", "", "\xff\xfb\x90\x00aaaa", "audio/mpeg", ""},
		"speex, by its type":      {"audio/speex", "", "\x00\x01\x02\x03", "audio/speex", ""},
		"speex, of a wrong type":  {"text/plain", "", "\x00\x01\x02\x03", "application/octet-stream", ""},
		"bytes that begin like {": {"", "", "{\x00\x01\x02", "application/octet-stream", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				if got, want := r.URL.String(), "/cgi-bin/media/get?access_token=86_tok1&media_id=MID"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				w.Header().Set("Content-Type", tc.contentType)
				w.Header().Set("Content-Disposition", tc.disposition)
				_, _ = io.WriteString(w, tc.body)
			})
			b, ct, fn, err := c.Download(t.Context(), clientMini, "MID")
			if err != nil || string(b) != tc.body || ct != tc.wantType || fn != tc.wantName {
				t.Errorf("got %q, %q, %q, %v; want %q, %q, %q", b, ct, fn, err, tc.body, tc.wantType, tc.wantName)
			}
		})
	}
}

func TestDownloadFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		code   string
	}{
		"gone":             {200, `{"errcode":40007,"errmsg":"invalid media_id"}`, fault.NotFound, "media-gone"},
		"busy":             {200, `{"errcode":-1}`, fault.Unavailable, "platform-busy"},
		"token":            {200, `{"errcode":42001}`, fault.Denied, "token-refused"},
		"JSON of no sense": {200, `{"ok":true}`, fault.Unavailable, "platform-unreachable"},
		"html":             {200, "<html><head></head></html>", fault.Unavailable, "platform-unreachable"},
		"nothing":          {200, "", fault.Unavailable, "platform-unreachable"},
		"500 with a file":  {500, pngBytes, fault.Unavailable, "platform-unreachable"},
		"redirect":         {302, "", fault.Unavailable, "platform-unreachable"},
		"too large":        {200, strings.Repeat("x", maxFile+1), fault.Invalid, "too-large"},
		"link to a file":   {200, `{"video_url":"file:///etc/passwd"}`, fault.Unavailable, "platform-unreachable"},
		"link with a user": {200, `{"video_url":"http://u:p@127.0.0.1/"}`, fault.Unavailable, "platform-unreachable"},
		"link to nowhere":  {200, `{"video_url":"http://"}`, fault.Unavailable, "platform-unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, answering(tc.status, tc.body))
			_, _, _, err := c.Download(t.Context(), clientMini, "MID")
			if fault.KindOf(err) != tc.kind || fault.CodeOf(err) != tc.code {
				t.Errorf("got %v, want %s %s", err, tc.kind, tc.code)
			}
		})
	}
}

func TestDownloadFollowsALinkOfThePlatform(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
	}{
		"there":     {200, mp4Bytes, ""},
		"gone":      {404, "", fault.NotFound},
		"forbidden": {403, "", fault.NotFound},
		"moved":     {302, "", fault.Unavailable},
		"broken":    {503, "", fault.Unavailable},
		"too large": {200, strings.Repeat("x", maxFile+1), fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/cgi-bin/media/get" {
					_, _ = io.WriteString(w, `{"video_url":"http://`+r.Host+`/v/1?sig=a%26b"}`)
					return
				}
				if got, want := r.URL.String(), "/v/1?sig=a%26b"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				answering(tc.status, tc.body)(w, r)
			})
			b, ct, _, err := c.Download(t.Context(), clientMini, "MID")
			if tc.kind == "" && (err != nil || string(b) != mp4Bytes || ct != "video/mp4") {
				t.Errorf("got %d bytes, %q, %v; want the video", len(b), ct, err)
			}
			if tc.kind != "" && fault.KindOf(err) != tc.kind {
				t.Errorf("got %v, want %s", err, tc.kind)
			}
		})
	}
}

func TestDownloadFollowsNoLinkInside(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("got a request, want none") }))
	t.Cleanup(inside.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(inside.URL, "http://"), ":")
	for _, link := range []string{inside.URL, "http://localhost:" + port + "/", "http://[::ffff:127.0.0.1]:" + port + "/", "http://0.0.0.0:" + port + "/"} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, answering(200, `{"video_url":"`+link+`"}`))
			if _, _, _, err := c.Download(t.Context(), clientMini, "MID"); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("got %v, want it refused", err)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"119.147.1.1": true, "2402:4e00::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"169.254.0.23": false, "100.100.100.200": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "::": false, "fe80::1": false, "fd00:ec2::254": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
	} {
		if got := public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got public %v, want %v", addr, got, want)
		}
	}
}

func TestPlainName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "file", "..": "file", "a/": "file", `C:\x\y.png`: "y.png", "a\x00b.png": "ab.png", "你好.png": "你好.png",
		strings.Repeat("长", 100) + ".png": strings.Repeat("长", 32) + ".png",
	} {
		if got := plainName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if _, _, err := mime.ParseMediaType(`form-data; name="media"; filename="` + plainName(in) + `"`); err != nil {
			t.Errorf("%q: got a header that can't be read: %v", in, err)
		}
	}
}

func TestUploadAndDownloadReplaceARefusedToken(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("access_token") == "86_tok1":
			_, _ = io.WriteString(w, `{"errcode":42001}`)
		case r.Method == http.MethodPost:
			if _, _, err := r.FormFile("media"); err != nil {
				t.Errorf("second try: %v", err)
			}
			_, _ = io.WriteString(w, `{"media_id":"MID"}`)
		default:
			_, _ = io.WriteString(w, pngBytes)
		}
	})
	a := account.Account{ID: "shop", AppID: "wx1"}
	if id, _, err := c.Upload(t.Context(), a, "image", "a.png", "image/png", []byte(pngBytes)); err != nil || id != "MID" {
		t.Errorf("got %q, %v; want MID", id, err)
	}
	c.Tokens = &tokenScript{tokens: []string{"86_tok1", "86_tok2"}}
	if b, _, _, err := c.Download(t.Context(), a, "MID"); err != nil || string(b) != pngBytes {
		t.Errorf("got %d bytes, %v; want the picture", len(b), err)
	}
}
