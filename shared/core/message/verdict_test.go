package message

import "testing"

// TestWorse: a text is what its worst piece is; what nobody looked at is worse than
// what passed, and better than what was found wanting.
func TestWorse(t *testing.T) {
	t.Parallel()
	order := []Judgement{Pass, Unchecked, Review, Risky}
	for i, a := range order {
		for j, b := range order {
			want := Verdict{Judgement: order[max(i, j)], TraceID: "first"}
			if j > i {
				want.TraceID = "second"
			}
			if got := (Verdict{Judgement: a, TraceID: "first"}).Worse(Verdict{Judgement: b, TraceID: "second"}); got != want {
				t.Errorf("%s and %s: got %+v, want %+v", a, b, got, want)
			}
		}
	}
}
