package wxfake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Push tells what became of one thing that a customer did.
type Push struct {
	MsgID      string // "" for events
	Fields     Fields // what was pushed, before encryption
	Accepted   bool   // the account's server answered in time and in form
	Skipped    bool   // nothing was pushed: this channel doesn't know such a message or event
	ToTool     bool   // nothing was pushed: the platform's own tool has the customer, or no URL is set
	Held       bool   // held back for reordering; it comes with a later push's Released, or with Flush
	Deliveries []Delivery
	Reply      Reply  // the accepted one
	Notice     string // what the customer read when the account's server never answered
	Released   []Push // pushes held back earlier that went out with this one, in the order of delivery
	Err        error  // why it was neither accepted, skipped, held, nor given to the tool
}

// Delivery is one POST (or, by VerifyURL, GET) to the account's server.
type Delivery struct {
	Attempt int // from 1
	Status  int // 0 when no answer came
	Body    []byte
	Took    time.Duration // in real time, whatever Options.Now says
	Reply   Reply
	Problem string // the platform accepted the answer, and then ignored it for this reason
	Err     error  // why it counts as failed
}

// OK reports whether the platform accepted the answer.
func (d Delivery) OK() bool { return d.Err == nil }

// PushFaults is how pushes misbehave. The zero value is good behaviour.
type PushFaults struct {
	// Duplicate delivers each push so often although it was answered; 0 and 1 are the same. Each copy has its own
	// timestamp, nonce and ciphertext, and the same MsgId.
	Duplicate int
	// Together delivers the copies at the same time instead of one after the other.
	Together bool
	// LoseAnswers takes the first answers of each push as not arrived: the platform delivers it again.
	LoseAnswers int
	// Reorder holds pushes back until there are so many, then delivers them shuffled, one after the other. The
	// calls of the held ones return at once with Held set.
	Reorder int
}

type pushFaultBox struct {
	now  atomic.Pointer[PushFaults]
	mu   sync.Mutex
	held []*job
}

// SetPushFaults replaces how pushes misbehave from now on.
func (p *Platform) SetPushFaults(f PushFaults) {
	p.pushing.now.Store(&f)
	p.bell.ring()
}

// PushFaults returns how pushes misbehave at present.
func (p *Platform) PushFaults() PushFaults {
	if f := p.pushing.now.Load(); f != nil {
		return *f
	}
	return PushFaults{}
}

// Flush delivers the pushes that are held back for reordering, shuffled.
func (p *Platform) Flush(ctx context.Context) []Push {
	p.pushing.mu.Lock()
	held := p.pushing.held
	p.pushing.held = nil
	p.pushing.mu.Unlock()
	return p.release(ctx, held)
}

func (p *Platform) release(ctx context.Context, jobs []*job) []Push {
	p.dice.shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	out := make([]Push, 0, len(jobs))
	for _, j := range jobs {
		out = append(out, p.deliver(ctx, j))
	}
	return out
}

// dispatch delivers a push now, or holds it back for reordering.
func (p *Platform) dispatch(ctx context.Context, j *job) Push {
	k := p.PushFaults().Reorder
	if k < 2 {
		return p.deliver(ctx, j)
	}
	p.pushing.mu.Lock()
	p.pushing.held = append(p.pushing.held, j)
	var out []*job
	if len(p.pushing.held) >= k {
		out, p.pushing.held = p.pushing.held, nil
	}
	p.pushing.mu.Unlock()
	if out == nil {
		j.c.acted(j.actSeq, ActHeld)
		return Push{MsgID: j.fields.Get("MsgId"), Fields: j.fields, Held: true}
	}
	released := p.release(ctx, out)
	for i, one := range released {
		if out[i] == j {
			one.Released = slices.Concat(released[:i], released[i+1:])
			return one
		}
	}
	return Push{Released: released} // not reached: j is one of out
}

// deliver sends a push as often as its faults ask, and shows the customer a notice if nobody answered.
func (p *Platform) deliver(ctx context.Context, j *job) Push {
	ctx, done := p.joined(ctx)
	defer done()
	f := p.PushFaults()
	result := Push{MsgID: j.fields.Get("MsgId"), Fields: j.fields}
	runs := make([][]Delivery, max(1, f.Duplicate))
	if f.Together {
		var all sync.WaitGroup
		for i := range runs {
			all.Go(func() { runs[i] = p.retry(ctx, j, f) })
		}
		all.Wait()
	} else {
		for i := range runs {
			runs[i] = p.retry(ctx, j, f)
		}
	}
	for _, run := range runs {
		result.Deliveries = append(result.Deliveries, run...)
		last := &result.Deliveries[len(result.Deliveries)-1]
		if last.OK() && !result.Accepted {
			result.Accepted, result.Reply = true, last.Reply
			if last.Problem = p.obey(j, last.Reply); last.Problem != "" {
				p.stats.badReplies.Add(1)
			}
		}
		result.Err = last.Err
	}
	p.settle(j, &result)
	return result
}

// settle notes the outcome of a push where the customer and the log see it.
func (p *Platform) settle(j *job, result *Push) {
	state := ActOK
	if result.Accepted {
		result.Err = nil
	} else {
		state = ActFailed
		p.stats.failed.Add(1)
		if cfg := j.c.acc.cfg.Load(); cfg != nil && !j.silent {
			result.Notice = noticeText(cfg.Channel)
			j.c.notice(p.now(), result.Notice)
		}
	}
	j.c.acted(j.actSeq, state)
	p.opt.Log.LogAttrs(p.ctx, slog.LevelDebug, "push", slog.String("app_id", j.c.acc.appID),
		slog.String("kind", j.act.Kind), slog.Int("deliveries", len(result.Deliveries)), slog.Bool("accepted", result.Accepted))
}

// errLost stands for an answer that a fault lost on its way.
var errLost = errors.New("the answer was lost (injected)")

// retry delivers until an answer is accepted, at most Options.Deliveries times.
func (p *Platform) retry(ctx context.Context, j *job, f PushFaults) []Delivery {
	var out []Delivery
	for n := 1; ; n++ {
		d, timedOut := p.post(ctx, j, n)
		if n <= f.LoseAnswers && d.OK() {
			d.Err = errLost
		}
		out = append(out, d)
		if d.OK() || n >= p.opt.Deliveries {
			return out
		}
		// A delivery that ran into its timeout has already waited.
		if !timedOut && p.opt.Wait(ctx, p.opt.RetryGap) != nil {
			return out
		}
		if ctx.Err() != nil {
			return out
		}
	}
}

// post makes one delivery with the settings of this moment.
func (p *Platform) post(ctx context.Context, j *job, n int) (d Delivery, timedOut bool) {
	cfg := j.c.acc.cfg.Load()
	e, err := p.seal(cfg, j.fields, j.c.openID)
	if err != nil {
		return Delivery{Attempt: n, Err: err}, false
	}
	p.stats.deliveries.Add(1)
	d, timedOut = p.exchange(ctx, http.MethodPost, e)
	d.Attempt = n
	x := Exchange{
		Kind: KindPush, At: p.now(), Took: d.Took, AppID: cfg.AppID, OpenID: j.c.openID, Method: http.MethodPost, URL: e.url,
		Outer: clip(e.body), Plain: clip(e.plain), Status: d.Status, Answer: clip(d.Body),
	}
	if d.Err == nil {
		if d.Reply, d.Err = readReply(cfg, e, d.Status, d.Body); d.Err != nil && d.Status == http.StatusOK {
			p.stats.badReplies.Add(1)
		}
	}
	if d.Reply.Encrypted {
		x.AnswerPlain = clip(d.Reply.Raw)
	}
	if d.Err != nil {
		x.Err = d.Err.Error()
	}
	p.traffic.add(x)
	p.bell.ring()
	return d, timedOut
}

// envelope is a push as it goes over the wire.
type envelope struct {
	url         string
	contentType string
	body        []byte
	plain       []byte // what Encrypt holds; nil in plaintext mode
	key         []byte // the AES key that was used; nil in plaintext mode
	nonce       string // of the query
}

// seal signs and encrypts fields by the account's mode and format; every call draws a new nonce and ciphertext.
func (p *Platform) seal(cfg *Account, fields Fields, openID string) (envelope, error) {
	timestamp, nonce := strconv.FormatInt(p.now().Unix(), 10), p.dice.nonce()
	query := "signature=" + signature(cfg.Token, timestamp, nonce) + "&timestamp=" + timestamp + "&nonce=" + nonce
	plain := fields.encode(cfg.Format)
	e := envelope{contentType: "text/xml", body: plain, nonce: nonce}
	if cfg.Format == JSON {
		e.contentType = "application/json"
	}
	if cfg.Mode != Plaintext {
		key, err := aesKey(cfg.AESKey)
		if err != nil {
			return envelope{}, err
		}
		secret, err := encrypt(key, p.dice.hex16(), plain, cfg.AppID)
		if err != nil {
			return envelope{}, err
		}
		outer := Fields{{"ToUserName", cfg.OriginalID}}
		if cfg.Mode == Compatible {
			outer = fields[:len(fields):len(fields)]
		}
		e.plain, e.key = plain, key
		e.body = append(outer, Field{"Encrypt", secret}).encode(cfg.Format)
		query += "&openid=" + url.QueryEscape(openID) + "&encrypt_type=aes&msg_signature=" +
			signature(cfg.Token, timestamp, nonce, secret)
	}
	e.url = withQuery(cfg.CallbackURL, query)
	return e, nil
}

// withQuery adds parameters to a URL that may have some already.
func withQuery(base, query string) string {
	if strings.Contains(base, "?") {
		return base + "&" + query
	}
	return base + "?" + query
}

// maxAnswer is how much of an answer the platform reads.
const maxAnswer = 1 << 20

// exchange makes one request and reads the answer, all within the push timeout.
func (p *Platform) exchange(ctx context.Context, method string, e envelope) (d Delivery, timedOut bool) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, p.opt.PushTimeout)
	defer cancel()
	fail := func(err error) (Delivery, bool) {
		late := limited.Err() != nil && ctx.Err() == nil
		if late {
			err = fmt.Errorf("no answer within %v", p.opt.PushTimeout)
		}
		return Delivery{Took: time.Since(began), Err: err}, late
	}
	req, err := http.NewRequestWithContext(limited, method, e.url, bytes.NewReader(e.body))
	if err != nil {
		return fail(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", e.contentType)
	}
	req.Header.Set("User-Agent", "Mozilla/4.0")
	res, err := p.client.Do(req)
	if err != nil {
		return fail(err)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fail(err)
	}
	return Delivery{Status: res.StatusCode, Body: body, Took: time.Since(began)}, false
}

// VerifyURL checks the account's URL as the console does when it is saved: a signed GET whose answer must be the echostr,
// byte for byte.
func (p *Platform) VerifyURL(ctx context.Context, appID string) Delivery {
	cfg := p.config(appID)
	if cfg == nil {
		return Delivery{Attempt: 1, Err: ErrNoAccount}
	}
	ctx, done := p.joined(ctx)
	defer done()
	timestamp, nonce := strconv.FormatInt(p.now().Unix(), 10), p.dice.nonce()
	echo := strconv.FormatUint(p.dice.next()>>1, 10)
	target := withQuery(cfg.CallbackURL, "signature="+signature(cfg.Token, timestamp, nonce)+
		"&echostr="+echo+"&timestamp="+timestamp+"&nonce="+nonce)
	d, _ := p.exchange(ctx, http.MethodGet, envelope{url: target})
	d.Attempt = 1
	switch {
	case d.Err != nil:
	case d.Status != http.StatusOK:
		d.Err = fmt.Errorf("status %d", d.Status)
	case string(d.Body) != echo:
		d.Err = errors.New("the answer is not the echostr, byte for byte")
	}
	x := Exchange{
		Kind: KindVerify, At: p.now(), Took: d.Took, AppID: appID, Method: http.MethodGet, URL: target,
		Status: d.Status, Answer: clip(d.Body),
	}
	if d.Err != nil {
		x.Err = d.Err.Error()
	}
	p.traffic.add(x)
	p.bell.ring()
	return d
}
