package wxfake

import (
	"context"
	"sync"
)

// pendingCheck is a media check whose result has not been pushed yet.
type pendingCheck struct{ appID, trace string }

type checkBox struct {
	mu      sync.Mutex
	pending []pendingCheck
	rules   []ContentRule
}

// mediaCheckAsync is POST /wxa/media_check_async, version 2; the result is a push.
func (p *Platform) mediaCheckAsync(q *call) answer {
	in, code := p.checkInput(q, 2000, 200_000)
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
