package faas

import (
	"encoding/base64"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// recorder is the ResponseWriter of HTTP. It keeps the answer until it is complete.
type recorder struct {
	header http.Header
	sent   http.Header // header as it was at WriteHeader; later changes don't count
	status int         // 0 until WriteHeader
	head   bool
	body   []byte
}

func newRecorder(method string) *recorder {
	return &recorder{header: make(http.Header), head: method == http.MethodHead}
}

// Header gives the headers of the answer, which count up to the first Write or WriteHeader.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader sets the status; the first call wins. Informational statuses have no place in an event's answer.
func (w *recorder) WriteHeader(status int) {
	if w.status != 0 || (status >= 100 && status < 200) {
		return
	}
	if status < 100 || status > 999 { // net/http panics, which HTTP would answer with 500 as well
		status = http.StatusInternalServerError
	}
	w.status, w.sent = status, w.header.Clone()
}

// Write adds to the body, except where HTTP allows none.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if !w.head {
		w.body = append(w.body, b...)
	}
	return len(b), nil
}

// answer writes the answer object, which both clouds take but for headers with several values: AWS wants them
// joined, with cookies apart; Tencent takes a list.
func (w *recorder) answer(tencent bool) []byte {
	w.WriteHeader(http.StatusOK)
	w.sniff()
	text := w.isText()
	b := make([]byte, 0, len(w.body)*4/3+512)
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(w.status), 10)
	b = append(b, `,"headers":{`...)
	first := true
	for _, name := range slices.Sorted(maps.Keys(w.sent)) {
		list := w.sent[name]
		if len(list) == 0 || (name == "Set-Cookie" && !tencent) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, name)
		b = append(b, ':')
		if tencent && len(list) > 1 {
			b = appendList(b, list)
		} else {
			b = appendString(b, strings.Join(list, ", "))
		}
	}
	b = append(b, '}')
	if cookies := w.sent["Set-Cookie"]; len(cookies) > 0 && !tencent {
		b = append(b, `,"cookies":`...)
		b = appendList(b, cookies)
	}
	b = append(b, `,"isBase64Encoded":`...)
	b = strconv.AppendBool(b, !text)
	b = append(b, `,"body":`...)
	if text {
		b = appendString(b, string(w.body))
	} else {
		b = appendBase64(b, w.body)
	}
	return append(b, '}')
}

// sniff names the type of a body that came without, as net/http's server does.
func (w *recorder) sniff() {
	_, named := w.sent["Content-Type"]
	if named || len(w.body) == 0 || w.sent.Get("Content-Encoding") != "" {
		return
	}
	w.sent.Set("Content-Type", http.DetectContentType(w.body))
}

// isText reports whether the body can travel as a JSON string: its type says text and its bytes are UTF-8.
func (w *recorder) isText() bool {
	if len(w.body) == 0 {
		return true
	}
	if w.sent.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, err := mime.ParseMediaType(w.sent.Get("Content-Type"))
	if err != nil {
		return false
	}
	switch {
	case strings.HasPrefix(kind, "text/"), kind == "application/json", kind == "application/xml",
		kind == "application/javascript", strings.HasSuffix(kind, "+json"), strings.HasSuffix(kind, "+xml"):
		return utf8.Valid(w.body)
	}
	return false
}

// appendString appends s as a JSON string. Like encoding/json it turns what is not UTF-8 into U+FFFD; unlike it,
// it leaves < > & alone, because nothing here is embedded in HTML.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	plain := 0 // start of what is still to copy
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[plain:i]...), "\uFFFD"...)
				plain = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[plain:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}

// appendList appends list as a JSON array of strings.
func appendList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// appendBase64 appends body as a JSON string of its base64, whose alphabet needs no escapes.
func appendBase64(b, body []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, body)
	return append(b, '"')
}
