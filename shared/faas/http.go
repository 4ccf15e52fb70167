package faas

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"kefu/shared/core/fault"
)

// HTTP makes a Handler that serves h from the HTTP events of both clouds: AWS payload format 2.0 (HTTP API,
// function URL) and Tencent SCF (function URL, API Gateway). The query string reaches h byte for byte where the
// platform gives it so; a stage is cut off the path; the body is decoded.
//
// An event that is no HTTP event is an Invalid error. A body over BodyLimit is answered with 413 and a panic in h
// with 500, both as a problem document, without h or what it had written. The answer's body goes out as text when
// its type says text or JSON and its bytes are UTF-8, else as base64. There is no streaming: h's ResponseWriter
// keeps everything until h returns.
func HTTP(h http.Handler, options ...Option) Handler {
	s := apply(options)
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		start := time.Now()
		c, err := decodeHTTP(ctx, payload, s.bodyLimit)
		if err != nil && !errors.Is(err, errTooLarge) {
			err = badEvent(err)
			s.summarise(ctx, summary{trigger: "http", kind: kindText(err), took: time.Since(start), n: 1, failed: 1})
			return nil, err
		}
		if RequestID(ctx) == "" && c.requestID != "" {
			ctx = withRequestID(ctx, c.requestID)
			c.request = c.request.WithContext(ctx)
		}
		var rec *recorder
		if err != nil {
			rec = newRecorder(c.request.Method)
			WriteProblem(rec, tooLarge(s.bodyLimit))
		} else {
			rec = s.serve(h, c.request)
		}
		answer := rec.answer(c.tencent)
		s.summariseHTTP(ctx, start, c.request.Method, rec.status)
		return answer, nil
	}
}

// serve runs h and gives what it wrote, or a problem document when it panicked.
func (s *settings) serve(h http.Handler, r *http.Request) (rec *recorder) {
	rec = newRecorder(r.Method)
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so as well
			_ = panicked(r.Context(), s.log, v) // for its log line: the client learns no more than 500
		}
		rec = newRecorder(r.Method)
		WriteProblem(rec, fault.Internal)
	}()
	h.ServeHTTP(rec, r)
	return rec
}

func (s *settings) summariseHTTP(ctx context.Context, start time.Time, method string, status int) {
	sum := summary{
		trigger: "http",
		kind:    statusKind(status),
		took:    time.Since(start),
		n:       1,
		more:    []slog.Attr{slog.String("method", method), slog.Int("status", status)},
	}
	if status >= 500 {
		sum.failed = 1
	}
	s.summarise(ctx, sum)
}

// statusKind names the outcome of an answer for the log, where only its status is known.
func statusKind(status int) string {
	switch {
	case status < 400:
		return kindOK
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return string(fault.Denied)
	case status == http.StatusNotFound:
		return string(fault.NotFound)
	case status == http.StatusConflict:
		return string(fault.Conflict)
	case status == http.StatusTooManyRequests:
		return string(fault.Exhausted)
	case status == http.StatusServiceUnavailable:
		return string(fault.Unavailable)
	case status < 500:
		return string(fault.Invalid)
	}
	return string(fault.Internal)
}
