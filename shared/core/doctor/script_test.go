package doctor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/scripttest"
)

// TestScripts plays testdata/*.txt, which are for people first. A block says in what an account's evidence differs from
// that of one that has nothing wrong; after "----" come the findings, without those that are ok unless it asks for them.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripttest.Files(t, "testdata/*.txt", play)
}

func play(t *testing.T, script string) string {
	t.Helper()
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(script), "\n\n") {
		e, shown := healthy(), []string(nil)
		for line := range strings.SplitSeq(block, "\n") {
			if line == "----" {
				break
			}
			out.WriteString(line + "\n")
			if strings.HasPrefix(line, "#") {
				continue
			}
			if codes, ok := strings.CutPrefix(line, "show "); ok {
				shown = strings.Fields(codes)
				continue
			}
			if err := given(&e, strings.Fields(line)); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
		if strings.Contains(block, "----") {
			out.WriteString("----\n" + tell(e, shown))
		}
		out.WriteString("\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// now is when every diagnosis is made.
var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// healthy is the evidence of an account that has nothing wrong.
func healthy() Evidence {
	return Evidence{
		At: now,
		Account: account.Account{
			ID: "shop", Channel: account.MiniProgram, AppID: "wx0123456789abcdef", OriginalID: "gh_0123456789ab",
			Mode: account.Secure, Format: account.JSON, Token: "kfToken2026", AESKey: "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0",
			AppSecret: "0123456789abcdef0123456789abcdef", CreatedAt: now.AddDate(-1, 0, 0), UpdatedAt: now.AddDate(0, 0, -3),
		},
		Agents: 2, Online: 1,
		Seen: Sightings{Push: Sighting{
			At: now.Add(-5 * time.Minute), SentAt: now.Add(-5*time.Minute - 2*time.Second), Mode: account.Secure, Format: account.JSON,
		}},
		Callback: CallbackTrial{
			Names: []Resolved{{IP: "192.0.2.7", Operator: "UNICOM"}},
			Pings: []Ping{{IP: "192.0.2.7", Operator: "UNICOM", Millis: 23}},
		},
		Send: SendTrial{Limit: 500_000, Used: 20, Remain: 499_980, RateCalls: 5000, RateFor: time.Minute},
	}
}

// given plays one line.
func given(e *Evidence, f []string) error {
	o := options{}
	for _, w := range f[1:] {
		k, v, _ := strings.Cut(w, "=")
		o[k] = v
	}
	switch f[0] {
	case "account":
		return o.account(&e.Account)
	case "nothing-came":
		e.Seen = Sightings{}
	case "push":
		e.Seen.Push = Sighting{At: o.ago(), Mode: account.Mode(o["mode"]), Format: account.Format(o["format"])}
		if o.has("sent") {
			d, err := time.ParseDuration(o["sent"])
			if err != nil {
				return err
			}
			e.Seen.Push.SentAt = e.Seen.Push.At.Add(d)
		}
	case "check":
		e.Seen.Check = Sighting{At: o.ago(), Check: true}
	case "refused":
		e.Seen = e.Seen.With(Sighting{At: o.ago(), Reason: Reason(f[1]), Check: o.has("check"), Found: o["found"], Count: o.num("count")})
	case "token":
		e.Token = o.trial()
	case "callback":
		e.Callback = CallbackTrial{Trial: o.trial()}
		for name := range strings.SplitSeq(o["names"], ",") {
			if name != "" {
				e.Callback.Names = append(e.Callback.Names, Resolved{IP: name})
			}
		}
		for ping := range strings.SplitSeq(o["lost"], ",") {
			if n, err := strconv.Atoi(strings.TrimSuffix(ping, "%")); err == nil {
				e.Callback.Pings = append(e.Callback.Pings, Ping{IP: "192.0.2.7", Loss: n})
			}
		}
	case "send":
		e.Send = SendTrial{Trial: o.trial(), Limit: o.num("limit"), Used: o.num("used"), Remain: o.num("remain")}
	case "agents":
		e.Agents, e.Online = int(o.num("bound")), int(o.num("online"))
	case "lacks":
		e.Lacks = append(e.Lacks, Lack(f[1]))
	default:
		return routing(&e.Account, f, o)
	}
	return nil
}

// routing plays a line about who answers.
func routing(a *account.Account, f []string, o options) error {
	r := &a.Settings.Routing
	call := account.Reply{Handoff: true}
	switch f[0] {
	case "assign":
		r.Assign.Mode = account.AssignMode(f[1])
	case "external":
		r.External.Mode = account.ExternalMode(f[1])
	case "handoff":
		r.Handoff.Enabled = f[1] == "on"
		if o.has("keywords") {
			r.Handoff.Keywords = strings.Split(o["keywords"], ",")
		}
		if o.has("urgent") {
			r.Handoff.Urgent = []account.Urgent{{Words: []string{o["urgent"]}, Priority: 1}}
		}
	case "bot":
		r.Bot.Enabled = f[1] == "on"
		switch {
		case o.has("greeting"):
			r.Bot.Greeting = "hello"
		case o.has("keyword"):
			r.Bot.Keywords = []account.Keyword{{Words: []string{"a"}, Reply: account.Reply{Answer: "b", Handoff: o["keyword"] == "handoff"}}}
		case o.has("question"):
			r.Bot.Questions = []account.Question{{Ask: []string{"a"}, Reply: call}}
		case o.has("menu"):
			r.Bot.Menus = map[string]account.Menu{"m": {Items: []account.Choice{{Label: "human", Reply: call}}}}
		case o.has("responder"):
			r.Bot.Responder.URL = "https://shop.example/bot"
		}
	case "webhook":
		a.Webhook.URL = "https://shop.example/hook"
	case "signed":
		a.Signing.Secret = "whsec_c2VjcmV0"
	default:
		return fmt.Errorf("unknown line")
	}
	return nil
}

type options map[string]string

func (o options) has(k string) bool { _, ok := o[k]; return ok }

func (o options) num(k string) int64 {
	n, _ := strconv.ParseInt(o[k], 10, 64) // absent is 0
	return n
}

// ago is the moment that ago names: 5m, or days as 9d.
func (o options) ago() time.Time { return now.Add(-span2(o["ago"])) }

func span2(s string) time.Duration {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, _ := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour
	}
	d, _ := time.ParseDuration(s)
	return d
}

func (o options) trial() Trial {
	return Trial{Reason: o["reason"], Code: int(o.num("code")), RID: o["rid"], IP: o["ip"], Host: o["host"], How: How(o["how"])}
}

func (o options) account(a *account.Account) error {
	for k, v := range o {
		v = strings.ReplaceAll(v, "_SPACE_", " ")
		switch k {
		case "channel":
			a.Channel = account.Channel(v)
		case "mode":
			a.Mode = account.Mode(v)
		case "format":
			a.Format = account.Format(v)
		case "token":
			a.Token = account.Secret(v)
		case "aes_key":
			a.AESKey = account.Secret(v)
		case "previous":
			a.AESKeyPrevious = account.Secret(v)
		case "changed":
			a.UpdatedAt = now.Add(-span2(v))
		case "made":
			a.CreatedAt = now.Add(-span2(v))
			a.UpdatedAt = a.CreatedAt
		default:
			return fmt.Errorf("unknown member %q", k)
		}
	}
	return nil
}

// tell writes the findings as a person reads them.
func tell(e Evidence, shown []string) string {
	var out strings.Builder
	findings := Diagnose(e)
	for _, f := range findings {
		if f.Level == OK && !slices.Contains(shown, f.Code) && !slices.Contains(shown, "all") {
			continue
		}
		fmt.Fprintf(&out, "%-7s %s: %s\n  %s\n", f.Level, f.Check, f.Code, f.Text)
		if f.Do != "" {
			fmt.Fprintf(&out, "  Do: %s\n", f.Do)
		}
		if len(f.Data) > 0 {
			out.WriteString("  Data:")
			for _, k := range slices.Sorted(maps.Keys(f.Data)) {
				v, err := json.Marshal(f.Data[k])
				if err != nil {
					v = []byte(err.Error())
				}
				fmt.Fprintf(&out, " %s=%s", k, v)
			}
			out.WriteString("\n")
		}
	}
	if !Healthy(findings) {
		return out.String() + "not healthy\n"
	}
	return out.String() + "healthy\n"
}
