package wxfake

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

// simFault is POST sim/fault: misbehaviour at the press of a button.
func (p *Platform) simFault(r *http.Request) (any, error) {
	var in struct {
		App  string `json:"app"`
		Kind string `json:"kind"`
		Code int    `json:"code"`
		Path string `json:"path"` // of code: the end of the call's path; custom/send if empty
		Text string `json:"text"` // a word for the content check to find
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	once := func(f Fault) { f.Times = 1; p.Inject(f) }
	pushes := p.PushFaults()
	switch in.Kind {
	case "lost-answer":
		once(Fault{Kind: FaultLostAnswer, Path: "custom/send"})
	case "status":
		once(Fault{Kind: FaultStatus, Path: "custom/send", Status: http.StatusBadGateway})
	case "html":
		once(Fault{Kind: FaultHTML, Path: "custom/send"})
	case "refuse":
		once(Fault{Kind: FaultRefuse, Path: "custom/send"})
	case "slow":
		once(Fault{Kind: FaultSlow, Path: "custom/send", Delay: 8 * time.Second})
	case "code":
		once(Fault{Kind: FaultCode, Path: cmp.Or(in.Path, "custom/send"), Code: in.Code})
	case "expire-tokens":
		p.ExpireTokens(in.App)
	case "revoke-tokens":
		p.RevokeTokens(in.App)
	case "drop-media":
		p.DropMedia()
	case "duplicate":
		pushes.Duplicate = 3
		p.SetPushFaults(pushes)
	case "lose-push-answers":
		pushes.LoseAnswers = 2
		p.SetPushFaults(pushes)
	case "reorder":
		pushes.Reorder = 3
		p.SetPushFaults(pushes)
	case "risky-word", "review-word":
		if in.Text == "" || len(in.Text) > 200 {
			return nil, &simError{http.StatusUnprocessableEntity, "a word has 1 to 200 bytes"}
		}
		suggest, label := SuggestRisky, 10001
		if in.Kind == "review-word" {
			suggest, label = SuggestReview, 21000
		}
		p.SetContentRules(append(p.ContentRules(), ContentRule{in.Text, suggest, label})...)
	case "clear":
		p.ClearFaults()
		p.SetContentRules()
		p.tasks.start(func() { p.Flush(context.WithoutCancel(r.Context())) })
	default:
		return nil, &simError{http.StatusUnprocessableEntity, "no such fault"}
	}
	return map[string]any{"faults": p.faultLines()}, nil
}

// faultLines tells what is active, for a person to read.
func (p *Platform) faultLines() []string {
	out := []string{}
	for _, f := range p.Faults() {
		line := "API: " + string(f.Kind)
		if f.Kind == FaultCode {
			line += fmt.Sprintf(" %d", f.Code)
		}
		if f.Times > 0 {
			line += fmt.Sprintf(" × %d", f.Times)
		}
		out = append(out, line)
	}
	pushes := p.PushFaults()
	if pushes.Duplicate > 1 {
		out = append(out, fmt.Sprintf("pushes: each delivered %d times", pushes.Duplicate))
	}
	if pushes.LoseAnswers > 0 {
		out = append(out, fmt.Sprintf("pushes: first %d answers lost", pushes.LoseAnswers))
	}
	if pushes.Reorder > 1 {
		out = append(out, fmt.Sprintf("pushes: held until %d, then shuffled", pushes.Reorder))
	}
	for _, r := range p.ContentRules() {
		out = append(out, fmt.Sprintf("content check: %q is %s", r.Word, r.Suggest))
	}
	return out
}
