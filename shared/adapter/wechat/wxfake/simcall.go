package wxfake

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// simAccount is an account as the page sees it: no token, key or secret.
type simAccount struct {
	AppID      string   `json:"app_id"`
	OriginalID string   `json:"original_id"`
	Name       string   `json:"name"`
	Channel    Channel  `json:"channel"`
	Mode       Mode     `json:"mode"`
	Format     Format   `json:"format"`
	HasURL     bool     `json:"has_url"`
	Customers  []string `json:"customers"`
}

// simAccounts is GET sim/accounts.
func (p *Platform) simAccounts(*http.Request) (any, error) {
	out := []simAccount{}
	for _, cfg := range p.configured() {
		out = append(out, simAccount{
			cfg.AppID, cfg.OriginalID, cfg.Name, cfg.Channel, cfg.Mode, cfg.Format,
			cfg.CallbackURL != "", p.names(cfg.AppID, 50),
		})
	}
	return map[string]any{"accounts": out}, nil
}

// names returns the names of up to limit customers of an account, sorted.
func (p *Platform) names(appID string, limit int) []string {
	out := []string{}
	p.account(appID).customers.Range(func(_, v any) bool {
		c := v.(*Customer) //nolint:forcetypeassert // the map holds nothing else
		c.mu.Lock()
		out = append(out, c.name)
		c.mu.Unlock()
		return len(out) < limit
	})
	sort.Strings(out)
	return out
}

// find returns the customer of this name or openid, nil if there is none.
func (p *Platform) find(appID, name string) *Customer {
	for _, id := range []string{name, OpenID(appID, name)} {
		if v, ok := p.account(appID).customers.Load(id); ok {
			return v.(*Customer) //nolint:forcetypeassert // the map holds nothing else
		}
	}
	return nil
}

// simWindow is a window as the page shows it.
type simWindow struct {
	Limit int    `json:"limit"`
	Used  int    `json:"used"`
	Until *int64 `json:"until"` // Unix milliseconds
}

// simItem is one line of the chat.
type simItem struct {
	Seq     uint64          `json:"seq"`
	At      int64           `json:"at"`
	From    string          `json:"from"` // customer, account, notice
	Kind    string          `json:"kind"`
	Text    string          `json:"text"`
	Media   string          `json:"media,omitempty"`
	State   string          `json:"state,omitempty"`
	Content json.RawMessage `json:"content,omitempty"`
	Passive bool            `json:"passive,omitempty"`
	Tool    bool            `json:"tool,omitempty"`
	Hidden  bool            `json:"hidden,omitempty"`
	AI      bool            `json:"ai,omitempty"`
	Agent   string          `json:"agent,omitempty"`
}

// simExchange is one entry of the traffic log.
type simExchange struct {
	Seq         uint64 `json:"seq"`
	Kind        string `json:"kind"`
	At          int64  `json:"at"`
	TookMicros  int64  `json:"took_us"`
	OpenID      string `json:"openid,omitempty"`
	Method      string `json:"method"`
	URL         string `json:"url"`
	Outer       string `json:"outer,omitempty"`
	Plain       string `json:"plain,omitempty"`
	Status      int    `json:"status"`
	Code        int    `json:"code"`
	Answer      string `json:"answer,omitempty"`
	AnswerPlain string `json:"answer_plain,omitempty"`
	Err         string `json:"err,omitempty"`
}

const (
	itemsShown   = 200
	trafficShown = 100
	longPoll     = 20 * time.Second
)

// simState is GET sim/state: everything about one customer, as soon as something differs from version since.
func (p *Platform) simState(r *http.Request) (any, error) {
	query := r.URL.Query()
	appID, name := query.Get("app"), query.Get("name")
	cfg := p.config(appID)
	if cfg == nil {
		return nil, &simError{http.StatusNotFound, "no such account"}
	}
	since, _ := strconv.ParseUint(query.Get("since"), 10, 64)         // 0, at once, is right for what isn't a number
	lastTraffic, _ := strconv.ParseUint(query.Get("traffic"), 10, 64) // as above
	version := p.await(r.Context(), since)
	now := p.now()
	out := map[string]any{
		"version": version, "now": now.UnixMilli(), "traffic": p.simTraffic(appID, lastTraffic),
		"items": []simItem{}, "window": simWindow{}, "typing_until": int64(0), "openid": OpenID(appID, name),
		"tool": ToolNone, "tool_agent": "", "tool_until": int64(0),
		"refused": map[int]int{}, "faults": p.faultLines(), "bad_replies": p.stats.badReplies.Load(),
	}
	if c := p.find(appID, name); c != nil {
		w := c.Window()
		shown := simWindow{Limit: w.Limit, Used: w.Used}
		if w.Limit > 0 {
			until := w.Until.UnixMilli()
			shown.Until = &until
		}
		out["openid"], out["window"], out["items"] = c.openID, shown, c.items()
		out["refused"] = c.Refused()
		if state, agent, until := c.toolNow(); state != ToolNone {
			out["tool"], out["tool_agent"], out["tool_until"] = state, agent, until.UnixMilli()
		}
		if c.Typing() {
			out["typing_until"] = c.typingEnd().UnixMilli()
		}
	}
	return out, nil
}

// await waits until something has changed since a version, or 20 seconds, and returns the version of now.
func (p *Platform) await(ctx context.Context, since uint64) uint64 {
	ctx, done := p.joined(ctx)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, longPoll)
	defer cancel()
	changed, leave := p.bell.listen()
	defer leave()
	for {
		rung := changed()
		if v := p.bell.version.Load(); v != since {
			return v
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return p.bell.version.Load()
		}
	}
}

// items is the newest part of the chat, in order.
func (c *Customer) items() []simItem {
	out := []simItem{}
	c.mu.Lock()
	for _, a := range c.acts[max(0, len(c.acts)-itemsShown):] {
		out = append(out, simItem{
			Seq: a.Seq, At: a.At.UnixMilli(), From: "customer", Kind: a.Kind, Text: a.Text, Media: a.MediaID, State: a.State,
		})
	}
	for _, r := range c.inbox[max(0, len(c.inbox)-itemsShown):] {
		out = append(out, simItem{
			Seq: r.Seq, At: r.At.UnixMilli(), From: "account", Kind: r.MsgType, Text: r.Text, Media: r.MediaID,
			Content: r.Content, Passive: r.Passive, Tool: r.Tool, Hidden: r.Hidden, AI: r.AI, Agent: r.KfAccount,
		})
	}
	for _, n := range c.notices[max(0, len(c.notices)-itemsShown):] {
		out = append(out, simItem{Seq: n.Seq, At: n.At.UnixMilli(), From: "notice", Kind: "notice", Text: n.Text})
	}
	c.mu.Unlock()
	sort.Slice(out, func(i, j int) bool { return out[i].Seq < out[j].Seq })
	return out[max(0, len(out)-itemsShown):]
}

// simTraffic is the newest part of the log that concerns an account.
func (p *Platform) simTraffic(appID string, after uint64) []simExchange {
	out := []simExchange{}
	for _, x := range p.traffic.since(after) {
		if x.AppID != appID && x.AppID != "" {
			continue
		}
		out = append(out, simExchange{
			Seq: x.Seq, Kind: x.Kind, At: x.At.UnixMilli(), TookMicros: x.Took.Microseconds(), OpenID: x.OpenID, Method: x.Method,
			URL: x.URL, Outer: string(x.Outer), Plain: string(x.Plain), Status: x.Status, Code: x.Code,
			Answer: string(x.Answer), AnswerPlain: string(x.AnswerPlain), Err: x.Err,
		})
	}
	return out[max(0, len(out)-trafficShown):]
}

// simInput is POST sim/act.
type simInput struct {
	App    string `json:"app"`
	Name   string `json:"name"`
	Action string `json:"action"`
	Text   string `json:"text"`
	ID     string `json:"id"`
	Data   string `json:"data"` // a picture in base64
}

// simAct does something in the customer's name and answers when the push is settled, which may take 15 s.
func (p *Platform) simAct(r *http.Request) (any, error) {
	var in simInput
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	in.Name = strings.TrimSpace(in.Name)
	switch {
	case p.config(in.App) == nil:
		return nil, &simError{http.StatusNotFound, "no such account"}
	case in.Name == "" || utf8.RuneCountInString(in.Name) > 64:
		return nil, &simError{http.StatusUnprocessableEntity, "a customer's name has 1 to 64 characters"}
	case len(in.Text) > 20_000:
		return nil, &simError{http.StatusUnprocessableEntity, "the text is too long"}
	}
	picture, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil || len(picture) > 2<<20 {
		return nil, &simError{http.StatusUnprocessableEntity, "a picture is base64 of at most 2 MB"}
	}
	c := p.find(in.App, in.Name)
	if c == nil {
		c = p.Named(in.App, in.Name)
	}
	// Leaving the page doesn't stop the platform from retrying.
	push, err := c.actByName(context.WithoutCancel(r.Context()), in, picture)
	if err != nil {
		return nil, err
	}
	return simResult(push), nil
}

// simResult is a push's outcome for the page.
func simResult(push Push) map[string]any {
	type delivery struct {
		Attempt int    `json:"attempt"`
		Status  int    `json:"status"`
		TookMS  int64  `json:"took_ms"`
		Error   string `json:"error,omitempty"`
		Problem string `json:"problem,omitempty"`
	}
	list := []delivery{}
	for _, d := range push.Deliveries {
		one := delivery{d.Attempt, d.Status, d.Took.Milliseconds(), "", d.Problem}
		if d.Err != nil {
			one.Error = d.Err.Error()
		}
		list = append(list, one)
	}
	return map[string]any{
		"msg_id": push.MsgID, "accepted": push.Accepted, "skipped": push.Skipped, "held": push.Held,
		"to_tool": push.ToTool, "notice": push.Notice, "deliveries": list,
	}
}

// actByName is the table of what the page can do.
func (c *Customer) actByName(ctx context.Context, in simInput, picture []byte) (Push, error) {
	switch in.Action {
	case "enter":
		return c.Enter(ctx, in.Text), nil
	case "say":
		return c.Say(ctx, in.Text), nil
	case "image":
		if !strings.HasPrefix(sniff(picture), "image/") {
			return Push{}, &simError{http.StatusUnprocessableEntity, "that is no picture"}
		}
		return c.SendImage(ctx, picture), nil
	case "card":
		return c.SendMiniProgramCard(ctx, in.Text, "pages/goods/detail?id=1", picture), nil
	case "location":
		return c.SendLocation(ctx, 31.2304, 121.4737, 15, in.Text), nil
	case "follow":
		return c.Follow(ctx, in.Text), nil
	case "unfollow":
		return c.Unfollow(ctx), nil
	case "scan":
		return c.Scan(ctx, in.Text), nil
	case "click":
		return c.Click(ctx, in.Text), nil
	case "view":
		return c.View(ctx, in.Text), nil
	case "tap":
		return c.TapMenu(ctx, in.ID, in.Text), nil
	case "visit":
		c.Visit()
		return Push{}, nil
	case "tool-accept":
		return c.ToolAccept(ctx, ""), nil
	case "tool-say":
		if !c.ToolSay(in.Text) {
			return Push{}, &simError{http.StatusConflict, "no agent of the platform's tool has the customer"}
		}
		return Push{ToTool: true}, nil
	case "tool-close":
		return c.ToolClose(ctx, ""), nil
	}
	return Push{}, &simError{http.StatusUnprocessableEntity, "no such action"}
}
