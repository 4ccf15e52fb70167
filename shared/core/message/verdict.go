package message

// Judgement is what the platform's content security makes of a text.
type Judgement string

// The judgements, from best to worst.
const (
	Pass      Judgement = "pass"
	Unchecked Judgement = "unchecked" // nobody has looked at it; Reason says why
	Review    Judgement = "review"    // a person should look at it
	Risky     Judgement = "risky"     // it must not go out
)

// Verdict is the outcome of a text check (M12).
type Verdict struct {
	Judgement Judgement `json:"judgement"`
	// Label says what the text was found to be: 100 normal, 10001 advertising, 20001 politics,
	// 20002 pornography, 20003 abuse, 20006 crime, 20008 fraud, 20012 vulgar, 20013 copyright,
	// 21000 other. 0 if it wasn't checked.
	Label int `json:"label,omitempty"`
	// TraceID names the check to the platform.
	TraceID string `json:"trace_id,omitempty"`
	// Reason is a stable word that says why a text wasn't checked.
	Reason string `json:"reason,omitempty"`
	// Code is the platform's error code of a check that it refused.
	Code int `json:"code,omitempty"`
}

// NotOffered is the reason of accounts for which the platform has no content security.
const NotOffered = "not-offered"

// Worse returns the worse of two verdicts, the first of two that are alike: so a text
// that was checked in pieces is what its worst piece is.
func (v Verdict) Worse(w Verdict) Verdict {
	if w.Judgement.rank() > v.Judgement.rank() {
		return w
	}
	return v
}

func (j Judgement) rank() int {
	switch j {
	case Pass:
		return 0
	case Review:
		return 2
	case Risky:
		return 3
	}
	return 1 // Unchecked, and whatever isn't known
}
