package app_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/dynamo"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

var (
	// printBudget is what make budget sets.
	printBudget = flag.Bool("budget", false, "print the table of what messages cost, and fill the table with 100,000 sessions")

	// Prices of us-east-1, on demand, without the free tier, November 2026, in dollars per million.
	writePrice, readPrice     = 0.625, 0.125 // aws.amazon.com/dynamodb/pricing/on-demand
	fifoPrice, standardPrice  = 0.50, 0.40   // aws.amazon.com/sqs/pricing
	httpPrice, functionsPrice = 1.00, 0.20   // aws.amazon.com/api-gateway/pricing, aws.amazon.com/lambda/pricing; requests alone
)

// usage is what one step used, by the services' own account.
type usage struct {
	Write, Index     float64 // write units; those of indexes are among the first
	Read             float64 // read units
	Consistent       int     // strongly consistent reads
	FIFO, Standard   int     // queue requests
	Functions, Calls int     // invocations, requests of the HTTP API
}

// dollars is what a million of it costs, without the functions' time.
func (u usage) dollars() float64 {
	return u.Write*writePrice + u.Read*readPrice + float64(u.FIFO)*fifoPrice + float64(u.Standard)*standardPrice +
		float64(u.Functions)*functionsPrice + float64(u.Calls)*httpPrice
}

// budgets are what each step may use: write units, read units, requests to queues. Design section 7 names those of the two
// messages; the others are what was measured when they were written down, so that a change which makes one dearer is seen.
var budgets = map[string]struct {
	write, read float64
	queue       int
}{
	// One of these is the note for the doctor, which a process makes at most every 15 s and account.
	"a message that opens a session": {15, 4.5, 3},
	// Four of these are the mark at which its half hour of silence will be over.
	"hand-over: an agent accepts":                         {17, 7, 0},
	"the first answer after a pause":                      {6, 12, 3},
	"**inbound message**, existing session":               {3, 1, 3},
	"**outbound message**":                                {4, 11, 3},
	"an inbound message that the platform delivers twice": {4, 1.5, 6},
	"a minute of a busy conversation (the sweep's look)":  {0, 4, 0},
	"half an hour of silence: the session is released":    {17, 6, 3},
	"a session expires":                                   {15, 5, 3},
	"a message that opens the next session":               {18, 5.5, 3},
	"an agent closes the session":                         {15, 8, 3},
}

// ledger sums up what the engine uses.
type ledger struct {
	mu   sync.Mutex
	now  usage
	keys map[string]float64 // write units by partition key
}

func (l *ledger) meter(u dynamo.Usage) {
	if u.Op == "TransactWriteItems" {
		// DynamoDB charges a transaction two units per kilobyte (docs.aws.amazon.com/amazondynamodb/latest/developerguide/
		// transaction-apis.html); DynamoDB Local 1.25.1 reports four.
		u.Write, u.Index = u.Write/2, u.Index/2
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.Write, l.now.Index, l.now.Read = l.now.Write+u.Write, l.now.Index+u.Index, l.now.Read+u.Read
	if u.Consistent {
		l.now.Consistent++
	}
	if u.Write > 0 {
		l.keys[u.Key] += u.Write - u.Index
	}
}

// wire counts requests to queues; a look into an empty queue belongs to no message.
func (l *ledger) wire(next http.RoundTripper) http.RoundTripper { return counting{l, next} }

type counting struct {
	*ledger
	next http.RoundTripper
}

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	call, queue := strings.CutPrefix(req.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !queue {
		return c.next.RoundTrip(req)
	}
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if call == "ReceiveMessage" && !bytes.Contains(got, []byte(`"MessageId"`)) {
		return resp, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes.Contains(sent, []byte(".fifo")) {
		c.now.FIFO++
	} else {
		c.now.Standard++
	}
	return resp, nil
}

// take returns what was used since the last time.
func (l *ledger) take() usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.now
	l.now = usage{}
	return u
}

// till is a rig with a ledger, that works message by message as the event sources do.
type till struct {
	*rig
	ledger *ledger
	rows   []row
}

// row is one line of the table.
type row struct {
	name string
	usage
}

func newTill(t *testing.T) *till {
	t.Helper()
	l := &ledger{keys: map[string]float64{}}
	r := newRig(t, inCloud(t), func(c *app.Config) { *c = app.Probed(*c, l.meter, l.wire) })
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 10, "shop")
	return &till{rig: r, ledger: l}
}

// work lets every consumer work until all queues are empty.
func (b *till) work() {
	b.t.Helper()
	for worked := true; worked; {
		worked = false
		for _, name := range []string{"inbound", "route", "outbound"} {
			if b.consume(name) {
				b.ledger.mu.Lock()
				b.ledger.now.Functions++
				b.ledger.mu.Unlock()
				worked = true
			}
		}
	}
}

// measure notes what step and the work that it causes use. Http calls of the step are a function's invocation each.
func (b *till) measure(name string, calls int, step func()) usage {
	b.t.Helper()
	b.ledger.take()
	step()
	b.work()
	u := b.ledger.take()
	u.Functions, u.Calls = u.Functions+calls, calls
	b.rows = append(b.rows, row{name, u})
	return u
}

func (b *till) later(d time.Duration) { b.time.Add(int64(d)) }

func (b *till) say(c *wxfake.Customer, text string) func() {
	return func() { b.ok(c.Say(b.ctx, text)) }
}

func (b *till) answer(session, text string) func() {
	return func() {
		b.must("ann", "POST", "/sessions/"+session+"/messages", m{"type": "text", "text": m{"content": text}}, 202)
	}
}

// TestBudgets measures what each step of a conversation costs, by DynamoDB's ConsumedCapacity and the requests to the
// queues, and fails over the budget.
func TestBudgets(t *testing.T) {
	t.Parallel()
	b := newTill(t)
	mei := b.platform.Named("wxshop", "mei")

	// The first messages also read the account and fetch an access token, which later ones find in memory.
	warm := b.platform.Named("wxshop", "first of all")
	b.say(warm, "hello")()
	b.work()
	first := b.session(warm).str("id")
	b.must("ann", "POST", "/sessions/"+first+"/accept", nil, 200)
	b.answer(first, "hello")()
	b.work()
	b.must("ann", "POST", "/sessions/"+first+"/close", nil, 200)
	b.later(time.Hour)
	b.sweep()
	b.work()

	b.measure("a message that opens a session", 1, b.say(mei, "你好，请问红色的还有货吗？"))
	id := b.session(mei).str("id")
	b.later(time.Second)
	b.measure("hand-over: an agent accepts", 1, func() { b.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200) })
	b.later(time.Second)
	b.measure("the first answer after a pause", 1, b.answer(id, "您好！还有的，请问需要什么尺码？"))
	b.later(time.Second)
	in := b.measure("**inbound message**, existing session", 1, b.say(mei, "M 码，谢谢。另外什么时候可以发货？"))
	b.later(time.Second)
	out := b.measure("**outbound message**", 1, b.answer(id, "今天下单，明天发货。"))
	b.later(time.Second)
	b.platform.SetPushFaults(wxfake.PushFaults{Duplicate: 2, Together: true})
	b.measure("an inbound message that the platform delivers twice", 2, b.say(mei, "在吗"))
	b.platform.SetPushFaults(wxfake.PushFaults{})
	b.later(2 * time.Minute)
	b.measure("a minute of a busy conversation (the sweep's look)", 0, b.sweep)
	b.later(40 * time.Minute)
	b.measure("half an hour of silence: the session is released", 0, b.sweep)
	b.later(48 * time.Hour)
	b.measure("a session expires", 0, b.sweep)
	b.measure("a message that opens the next session", 1, b.say(mei, "又是我"))
	id = b.session(mei).str("id")
	b.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200)
	b.measure("an agent closes the session", 1, func() { b.must("ann", "POST", "/sessions/"+id+"/close", nil, 200) })

	for _, r := range b.rows {
		most, ok := budgets[r.name]
		if !ok || r.Write > most.write || r.Read > most.read || r.FIFO+r.Standard > most.queue {
			t.Errorf("%s used %+v; the budget is %+v", r.name, r.usage, most)
		}
	}
	if in.Index > 0 || in.Consistent > 0 || out.Index > 0 {
		t.Errorf("a message used %+v, an answer %+v; neither may write to an index, nor the message read consistently", in, out)
	}
	if *printBudget {
		b.print(os.Stdout)
	}
}

func (b *till) print(w io.Writer) {
	const head = "| step | write units | of these index | read units | consistent reads | queue requests | $ per million |\n| --- | --: | --: | --: | --: | --: | --: |\n"
	var out strings.Builder
	out.WriteString(head)
	for _, r := range b.rows {
		fmt.Fprintf(&out, "| %s | %g | %g | %g | %d | %d | %.2f |\n", r.name, r.Write, r.Index, r.Read, r.Consistent, r.FIFO+r.Standard, r.dollars())
	}
	_, _ = io.WriteString(w, out.String())
}

// TestBudgetSpread: under an even load no partition takes more than a hundredth of the writes.
func TestBudgetSpread(t *testing.T) {
	t.Parallel()
	b := newTill(t)
	const customers = 120
	clear(b.ledger.keys)
	for i := range customers {
		c := b.platform.Named("wxshop", fmt.Sprint("customer ", i))
		for range 3 {
			b.say(c, "hello")()
			b.later(100 * time.Millisecond)
		}
		b.work()
	}
	var all, most float64
	var busiest string
	for key, n := range b.ledger.keys {
		if all += n; n > most {
			most, busiest = n, key
		}
	}
	share := most / all
	if share > 0.01 {
		t.Errorf("%s takes %.1f %% of %g write units; want at most 1 %%", strings.SplitN(busiest, "#", 2)[0], 100*share, all)
	}
	if *printBudget {
		fmt.Printf("\nSpread: of %g write units to the table, the busiest of %d partition keys took %.2f %%.\n", all, len(b.ledger.keys), 100*share)
	}
}
