package faas

import (
	"context"
	"log/slog"
	"time"
)

// Defaults of the options.
const (
	defaultBodyLimit = 12 << 20
	defaultWorkers   = 16
	defaultMargin    = 500 * time.Millisecond
	defaultTimeout   = 30 * time.Second
)

// Option sets one thing of HTTP, Batch, Timer or Gateway. An option that a wrapper has no use for is ignored.
type Option func(*settings)

type settings struct {
	log       *slog.Logger
	name      string
	bodyLimit int
	workers   int
	margin    time.Duration
	timeout   time.Duration
	parked    func(context.Context, Message, error) error
	returned  func(context.Context, Message, time.Duration) error
}

func apply(options []Option) settings {
	s := settings{
		bodyLimit: defaultBodyLimit,
		workers:   defaultWorkers,
		margin:    defaultMargin,
		timeout:   defaultTimeout,
	}
	for _, option := range options {
		option(&s)
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s
}

// Logger sets where the summary line of each event goes; slog.Default at the time of wrapping if absent.
func Logger(log *slog.Logger) Option { return func(s *settings) { s.log = log } }

// Name sets the function's name in log lines; the host's own name for the function if absent.
func Name(name string) Option { return func(s *settings) { s.name = name } }

// BodyLimit sets the largest request body in bytes that HTTP and Gateway accept; a larger one is answered with
// 413. Default 12 MiB; below 1 it means the default. The platforms' own limits are lower: 6 MB for an event on
// Lambda and SCF, of which base64 takes a quarter.
func BodyLimit(bytes int) Option {
	return func(s *settings) {
		if bytes > 0 {
			s.bodyLimit = bytes
		}
	}
}

// Workers sets how many groups of a batch run at the same time. Default 16; below 1 it means the default.
func Workers(n int) Option {
	return func(s *settings) {
		if n > 0 {
			s.workers = n
		}
	}
}

// Margin sets how long before the host's deadline Batch and Timer end the context that they pass on, and Batch
// starts no further message, so that the answer still gets out. Default 500 ms; zero turns it off.
func Margin(d time.Duration) Option { return func(s *settings) { s.margin = max(d, 0) } }

// Timeout sets how long one call may take behind Gateway. Default 30 s, the HTTP API's own limit; zero or less
// means none.
func Timeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// Parked sets where Batch puts a message that no repetition will help (fault.Park). When the hook returns an error
// the message is not acknowledged but comes again. Without a hook it is acknowledged and only logged.
func Parked(hook func(ctx context.Context, m Message, cause error) error) Option {
	return func(s *settings) { s.parked = hook }
}

// Returned sets what Batch does with a message that failed and must come again: typically change its visibility
// timeout by Message.Receipt, so that it needn't rest for the queue's whole one. After is zero unless the error said
// when to come back (fault.Later). The message is reported as failed in any case, so an error of the hook only means
// that it comes back later than it might. Messages of its group that didn't run are not given to the hook.
func Returned(hook func(ctx context.Context, m Message, after time.Duration) error) Option {
	return func(s *settings) { s.returned = hook }
}
