package awscall

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// Refusal is an answer that is no success.
type Refusal struct {
	Status  int
	Code    string // the service's word for it, such as "SlowDown"; empty if there was none
	Message string // the service's sentence
	Region  string // where the thing is, if the service says so
	Request string // the service's id of the request, for its support
}

func (r *Refusal) Error() string {
	code := r.Code
	if code == "" {
		code = http.StatusText(r.Status)
	}
	s := fmt.Sprintf("%s (status %d", code, r.Status)
	if r.Request != "" {
		s += ", request " + r.Request
	}
	s += ")"
	if r.Message != "" {
		s += ": " + r.Message
	}
	return s
}

// Word keeps a text that is a short identifier, and nothing else.
func Word(s string) string {
	if len(s) > 64 {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~", rune(c)) {
			return ""
		}
	}
	return s
}

// Sentence makes a foreign text fit for one line of a log.
func Sentence(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
