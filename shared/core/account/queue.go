package account

import "time"

// Queue is what a customer is told while he waits, and how long he may (K14). Its
// texts count against the window, as all messages do.
type Queue struct {
	// Text tells him on entering the queue; {position} becomes his place in it. Empty: nothing is said.
	Text string `json:"text,omitempty"`
	// Timeout ends the waiting of one who entered the queue in service hours. Zero: never.
	Timeout Duration `json:"timeout,omitempty"`
	// TimeoutText tells him so.
	TimeoutText string `json:"timeout_text,omitempty"`
	// Then is where his session goes: close (default), bot, or stay.
	Then Then `json:"then,omitempty"`
}

func (q Queue) check() error {
	if err := checkText("queue.text", q.Text); err != nil {
		return err
	}
	if err := checkText("queue.timeout_text", q.TimeoutText); err != nil {
		return err
	}
	if d := time.Duration(q.Timeout); d != 0 && (d < 10*time.Second || d > 48*time.Hour) {
		return wrongRouting("queue.timeout must be between 10s and 48h")
	}
	return checkThen("queue.then", q.Then, ThenClose, ThenBot, ThenStay)
}
