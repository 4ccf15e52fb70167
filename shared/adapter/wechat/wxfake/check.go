package wxfake

import (
	"context"
	"sync"
	"unicode/utf8"
)

// checkInput is what the two content checks read.
type checkInput struct {
	OpenID    string `json:"openid"`
	Scene     int    `json:"scene"`
	Version   int    `json:"version"`
	Content   string `json:"content"`
	MediaURL  string `json:"media_url"`
	MediaType int    `json:"media_type"`
}

// verdict is a content check's result: the simulator lets everything pass.
type verdict struct {
	Suggest string `json:"suggest"`
	Label   int    `json:"label"`
}

type checkDetail struct {
	Strategy string `json:"strategy"`
	ErrCode  int    `json:"errcode"`
	Suggest  string `json:"suggest"`
	Label    int    `json:"label"`
	Prob     int    `json:"prob"`
}

// pendingCheck is a media check whose result has not been pushed yet.
type pendingCheck struct{ appID, trace string }

type checkBox struct {
	mu      sync.Mutex
	pending []pendingCheck
}

// checkInput reads and checks what both calls share.
func (p *Platform) checkInput(q *call) (checkInput, int) {
	var in checkInput
	if q.cfg.Channel != MiniProgram {
		return in, codeNoPermission
	}
	if code := q.decode(&in); code != 0 {
		return in, code
	}
	q.who = in.OpenID
	switch {
	case in.Scene < 1 || in.Scene > 4:
		return in, codeBadScene
	case in.Version != 2:
		return in, codeBadArgs
	case in.OpenID == "":
		return in, codeNoOpenID
	}
	if _, ok := q.acc.customers.Load(in.OpenID); !ok {
		return in, codeBadOpenID
	}
	return in, 0
}

// msgSecCheck is POST /wxa/msg_sec_check, version 2.
func (p *Platform) msgSecCheck(q *call) answer {
	in, code := p.checkInput(q)
	if code == 0 && (in.Content == "" || utf8.RuneCountInString(in.Content) > 2500) {
		code = codeBadArgs
	}
	if code != 0 {
		return refuse(code)
	}
	return result(struct {
		ErrCode int           `json:"errcode"`
		ErrMsg  string        `json:"errmsg"`
		TraceID string        `json:"trace_id"`
		Result  verdict       `json:"result"`
		Detail  []checkDetail `json:"detail"`
	}{0, "ok", p.dice.rid(q.now), verdict{"pass", 100}, []checkDetail{{"content_model", 0, "pass", 100, 90}}})
}

// mediaCheckAsync is POST /wxa/media_check_async, version 2; the result is a push.
func (p *Platform) mediaCheckAsync(q *call) answer {
	in, code := p.checkInput(q)
	switch {
	case code != 0:
		return refuse(code)
	case in.MediaURL == "":
		return refuse(codeBadArgs)
	case in.MediaType != 1 && in.MediaType != 2:
		return refuse(codeBadMediaType)
	}
	trace := p.dice.rid(q.now)
	p.checks.mu.Lock()
	p.checks.pending = append(p.checks.pending, pendingCheck{q.appID, trace})
	if len(p.checks.pending) > 1000 {
		p.checks.pending = p.checks.pending[1:]
	}
	p.checks.mu.Unlock()
	if p.opt.MediaCheckDelay > 0 {
		p.tasks.start(func() {
			if p.opt.Wait(p.ctx, p.opt.MediaCheckDelay) == nil {
				p.FinishMediaChecks(p.ctx)
			}
		})
	}
	return result(struct {
		ErrCode int    `json:"errcode"`
		ErrMsg  string `json:"errmsg"`
		TraceID string `json:"trace_id"`
	}{0, "ok", trace})
}

// FinishMediaChecks pushes wxa_media_check, with the result pass, for every media check that waits for it.
func (p *Platform) FinishMediaChecks(ctx context.Context) []Push {
	p.checks.mu.Lock()
	pending := p.checks.pending
	p.checks.pending = nil
	p.checks.mu.Unlock()
	var out []Push
	for _, check := range pending {
		// The sender is a user of the platform's, not the customer whose media it was.
		out = append(out, p.Customer(check.appID, "oPlatformMediaCheck_00000000").Push(ctx, Fields{
			{"MsgType", "event"},
			{"Event", "wxa_media_check"},
			{"appid", check.appID},
			{"trace_id", check.trace},
			{"version", 2},
			{"detail", []Fields{{
				{"strategy", "content_model"}, {"errcode", 0}, {"suggest", "pass"}, {"label", 100}, {"prob", 90},
			}}},
			{"errcode", 0},
			{"errmsg", "ok"},
			{"result", Fields{{"suggest", "pass"}, {"label", 100}}},
		}))
	}
	return out
}

// callbackCheck is POST /cgi-bin/callback/check.
func (p *Platform) callbackCheck(q *call) answer {
	var in struct {
		Action   string `json:"action"`
		Operator string `json:"check_operator"`
	}
	if code := q.decode(&in); code != 0 {
		return refuse(code)
	}
	switch in.Action {
	case "all", "dns", "ping":
	default:
		return refuse(codeBadCheckAction)
	}
	switch in.Operator {
	case "CHINANET", "UNICOM", "CAP", "DEFAULT":
	default:
		return refuse(codeBadCheckOperator)
	}
	if q.cfg.CallbackURL == "" {
		return refuse(codeNoCallbackURL)
	}
	type dns struct {
		IP       string `json:"ip"`
		Operator string `json:"real_operator"`
	}
	type ping struct {
		IP       string `json:"ip"`
		Operator string `json:"from_operator"`
		Loss     string `json:"package_loss"`
		Time     string `json:"time"`
	}
	var out struct {
		DNS  []dns  `json:"dns,omitempty"`
		Ping []ping `json:"ping,omitempty"`
	}
	if in.Action != "ping" {
		out.DNS = []dns{{"127.0.0.1", "UNICOM"}}
	}
	if in.Action != "dns" {
		out.Ping = []ping{{"127.0.0.1", "UNICOM", "0%", "1.000ms"}}
	}
	return result(out)
}

// callbackIP is GET /cgi-bin/getcallbackip and /cgi-bin/get_api_domain_ip.
func (p *Platform) callbackIP(*call) answer {
	return result(struct {
		List []string `json:"ip_list"`
	}{[]string{"127.0.0.1"}})
}
