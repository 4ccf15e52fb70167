package wxfake

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options sets up a [Platform]. The zero value is a platform in real time that keeps its log to itself.
type Options struct {
	// Now is the platform's clock; nil means time.Now. Windows, tokens, media and CreateTime follow it.
	Now func() time.Time
	// Client delivers pushes; nil means a client with enough idle connections for a load test.
	// Redirects are never followed: the platform takes a 3xx answer as a failure.
	Client *http.Client
	// Log gets one line per push and per refused call, without texts or tokens; nil discards.
	Log *slog.Logger
	// Wait sleeps between deliveries and for slow answers; nil means a timer. Tests pass one that
	// returns at once or moves their clock.
	Wait func(ctx context.Context, d time.Duration) error
	// PushTimeout is how long a delivery waits for its answer, in real time; 0 means 5 s.
	PushTimeout time.Duration
	// RetryGap is the pause after a delivery that failed before its timeout; 0 means 5 s. A delivery
	// that timed out is followed at once.
	RetryGap time.Duration
	// Deliveries is how often an unanswered push is sent in all; 0 means 3.
	Deliveries int
	// Rules replaces the window rules of a channel; a missing channel keeps [CurrentRules].
	Rules map[Channel]Rules
	// MediaCheckDelay is when wxa_media_check follows media_check_async by itself; 0 means only when
	// [Platform.FinishMediaChecks] is called.
	MediaCheckDelay time.Duration
	// BaseURL is where the Handler is reachable, without a final slash. It makes the PicUrl of pushes; see
	// [Platform.SetBaseURL].
	BaseURL string
	// MediaBytes caps what all stored media take together; 0 means 128 MiB. The oldest go first.
	MediaBytes int64
	// Seed starts every random choice. The same seed, the same clock and the same order of calls give
	// the same nonces, ids, shuffles and faults.
	Seed uint64
}

// Platform is one simulated WeChat platform with any number of accounts and customers. All its methods may
// be called concurrently. Make one with [New], and end it with [Platform.Close].
type Platform struct {
	opt    Options
	client *http.Client
	dice   dice
	msgID  atomic.Int64

	accounts sync.Map // AppID -> *account
	tokens   sync.Map // token text -> *token
	media    mediaStore
	faults   faultBox
	pushing  pushFaultBox
	checks   checkBox
	traffic  trafficLog
	bell     bell
	refused  refusals
	stats    counters
	baseURL  atomic.Pointer[string]

	ctx    context.Context
	cancel context.CancelFunc
	tasks  tasks
}

// New returns a platform without accounts.
func New(opt Options) *Platform {
	opt = opt.withDefaults()
	p := &Platform{opt: opt, client: pushClient(opt.Client)}
	start := opt.Now()
	p.dice.seed(opt.Seed, start)
	// Real ids are above 2^53, so that a reader that goes through a float shows itself. The start time is
	// in them: after a restart they go on, and never meet those of an earlier run.
	p.msgID.Store(20_000_000_000_000_000 + start.UnixMilli()*1000)
	p.media.limit = opt.MediaBytes
	p.SetBaseURL(opt.BaseURL)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Wait == nil {
		o.Wait = sleep
	}
	if o.PushTimeout <= 0 {
		o.PushTimeout = 5 * time.Second
	}
	if o.RetryGap <= 0 {
		o.RetryGap = 5 * time.Second
	}
	if o.Deliveries <= 0 {
		o.Deliveries = 3
	}
	if o.MediaBytes <= 0 {
		o.MediaBytes = 128 << 20
	}
	return o
}

// pushClient keeps the caller's transport and drops what the platform would not do.
func pushClient(c *http.Client) *http.Client {
	own := http.Client{}
	if c != nil {
		own = *c
	} else {
		own.Transport = &http.Transport{
			MaxIdleConns: 512, MaxIdleConnsPerHost: 512, IdleConnTimeout: 30 * time.Second,
		}
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// sleep is the default of Options.Wait.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops pushes that are under way, ends waiting page requests and waits for everything the platform
// started by itself.
func (p *Platform) Close() {
	p.cancel()
	p.tasks.close()
	p.client.CloseIdleConnections()
}

// SetBaseURL tells where the Handler is reachable once that is known, for example a test server's URL.
func (p *Platform) SetBaseURL(url string) { p.baseURL.Store(&url) }

// now is the platform's clock in UTC.
func (p *Platform) now() time.Time { return p.opt.Now().UTC() }

// joined returns a context that ends with ctx or with the platform.
func (p *Platform) joined(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// tasks is what the platform does by itself; after close nothing more is started.
type tasks struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

func (t *tasks) start(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.group.Go(do)
	}
}

func (t *tasks) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.group.Wait()
}

// Stats counts what happened since New, over all accounts.
type Stats struct {
	Pushes     int64 // customers' messages and events that were to be pushed
	Deliveries int64 // POST requests made for them
	Failed     int64 // pushes given up after the last delivery
	Calls      int64 // API calls received
	Sent       int64 // messages that customers got through custom/send
	Refused    int64 // API calls answered with a code other than 0
	BadReplies int64 // answers to pushes, of status 200, that the platform could not read or that it ignored
}

type counters struct {
	pushes, deliveries, failed, calls, sent, refused, badReplies atomic.Int64
}

// Stats returns the counters.
func (p *Platform) Stats() Stats {
	return Stats{
		Pushes: p.stats.pushes.Load(), Deliveries: p.stats.deliveries.Load(), Failed: p.stats.failed.Load(),
		Calls: p.stats.calls.Load(), Sent: p.stats.sent.Load(), Refused: p.stats.refused.Load(), BadReplies: p.stats.badReplies.Load(),
	}
}

// refusals counts answers by error code.
type refusals struct {
	mu    sync.Mutex
	codes map[int]int
}

func (r *refusals) add(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.codes == nil {
		r.codes = make(map[int]int)
	}
	r.codes[code]++
}

func (r *refusals) copy() map[int]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[int]int, len(r.codes))
	for code, n := range r.codes {
		out[code] = n
	}
	return out
}

// Refused returns how often each error code was answered by any API call.
func (p *Platform) Refused() map[int]int { return p.refused.copy() }
