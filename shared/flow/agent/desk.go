package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

var (
	errTaken  = fault.New(fault.Conflict, "already-taken", "The session is being served already.")
	errClosed = fault.New(fault.Conflict, "session-closed", "The session has ended; the customer opens another when he writes.")
)

// acceptSession gives a waiting session to the key's agent. His seat is taken
// first, so that no number of simultaneous calls gives him more than he can serve.
func (c *call) acceptSession() (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	if c.self == nil {
		return answer{}, errRole("agents; this key belongs to none")
	}
	rules, err := c.openRules(s)
	if err != nil {
		return answer{}, err
	}
	if c.self.At(c.now).Status != agent.Online {
		return answer{}, fault.New(fault.Conflict, "not-available", "Only an agent who is online accepts sessions; set your status first.")
	}
	waiting := func(cur session.Session) error {
		switch cur = cur.At(rules, c.now); {
		case cur.State == session.Serving:
			return errTaken
		case !cur.State.Active():
			return errClosed
		}
		return nil
	}
	cur, err := c.current(s)
	if err != nil {
		return answer{}, err
	}
	if err := waiting(cur); err != nil {
		return answer{}, err
	}
	return c.seated(s, *c.self, func() (session.Session, error) {
		return c.change(s, rules, waiting, session.Accept{Agent: c.self.ID})
	})
}

// seated takes a seat of the agent, lets give hand the session to him, and shows it.
func (c *call) seated(s session.Session, g agent.Agent, give func() (session.Session, error)) (answer, error) {
	if err := c.takeSeat(s.ID, g); err != nil {
		return answer{}, err
	}
	given, err := give()
	if err != nil {
		c.settleSeat(s, g)
		return answer{}, err
	}
	return c.showSession(given)
}

// seat is the seat that a call took: when, and whether the session had none before.
type seat struct {
	at    time.Time
	taken bool
}

// takeSeat takes one of the agent's seats. When none is free, those that a crash
// left taken are given back first.
func (c *call) takeSeat(id session.ID, g agent.Agent) error {
	full := fault.New(fault.Conflict, "capacity-full", fmt.Sprintf("All %d seats of the agent are taken.", g.Capacity))
	err := c.trySeat(id, g)
	if !errors.Is(err, fault.Conflict) {
		return err
	}
	d, err := c.Store.Desk(c.ctx(), g.Tenant, g.ID)
	if err != nil {
		return fmt.Errorf("list seats: %w", err)
	}
	freed, err := c.Shell.FreeStaleSeats(c.ctx(), c.Store, d.Seats, g)
	if err != nil {
		return err
	}
	if freed == 0 {
		return full
	}
	if err = c.trySeat(id, g); errors.Is(err, fault.Conflict) {
		return full
	}
	return err
}

// trySeat takes a seat, or keeps the one that the session has: a call that is repeated
// after a crash finds its own.
func (c *call) trySeat(id session.ID, g agent.Agent) (err error) {
	for kept := false; !kept; {
		c.seat.at = c.Now() // later than the call began: whoever freed the seat meanwhile freed the one before
		c.seat.taken, err = c.Store.TakeSeat(c.ctx(), g.Tenant, g.ID, id, g.Capacity, c.seat.at)
		if err != nil || c.seat.taken {
			return err
		}
		if kept, err = c.Store.KeepSeat(c.ctx(), g.Tenant, g.ID, id, c.seat.at); err != nil {
			return err
		}
	}
	return nil
}

// transferSession passes a session to another agent or back to the queue.
func (c *call) transferSession() (answer, error) {
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	var body struct {
		To      string `json:"to"`
		ToAgent string `json:"to_agent"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if (body.To != "" || body.ToAgent == "") && (body.To != "queue" || body.ToAgent != "") {
		return answer{}, fault.New(fault.Invalid, "transfer-invalid", `Give either {"to_agent":"ID"} or {"to":"queue"}.`)
	}
	rules, err := c.openRules(s)
	if err != nil {
		return answer{}, err
	}
	cur, err := c.current(s)
	if err != nil {
		return answer{}, err
	}
	if err := c.mayAct(cur); err != nil {
		return answer{}, err
	}
	if !cur.At(rules, c.now).State.Active() {
		return answer{}, errClosed
	}
	if body.To == "queue" {
		given, err := c.change(s, rules, c.mayAct, session.Transfer{})
		if err != nil {
			return answer{}, err
		}
		return c.showSession(given)
	}
	g, err := c.target(s, body.ToAgent)
	if err != nil {
		return answer{}, err
	}
	return c.seated(s, g, func() (session.Session, error) {
		return c.change(s, rules, c.mayAct, session.Transfer{Agent: g.ID})
	})
}

// target finds the agent whom a session is to be passed to.
func (c *call) target(s session.Session, id string) (agent.Agent, error) {
	g, err := c.agentByID(id)
	if err != nil {
		return agent.Agent{}, err
	}
	if !identity(g).Sees(s.Account) {
		return agent.Agent{}, fault.New(fault.Conflict, "not-available", "That agent is not bound to the session's account.")
	}
	if g.At(c.now).Status != agent.Online {
		return agent.Agent{}, fault.New(fault.Conflict, "not-available", "That agent is not online.")
	}
	return g, nil
}

// closeSession ends a session. What is still held goes out when the customer writes again.
func (c *call) closeSession() (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	if err := c.mayAct(s); err != nil {
		return answer{}, err
	}
	rules, err := c.openRules(s)
	if err != nil {
		return answer{}, err
	}
	closed, err := c.change(s, rules, c.mayAct, session.Close{By: string(c.id.Agent)})
	if err != nil {
		return answer{}, err
	}
	return c.showSession(closed)
}

// typingTime bounds the signal: what comes later is of no use.
const typingTime = 3 * time.Second

// typingView says whether the customer was shown the signal.
type typingView struct {
	Shown bool `json:"shown"`
}

// showTyping shows the customer that the agent is writing. Whether it works is not important.
func (c *call) showTyping() (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	a, err := c.accountByID(s.Account)
	if err != nil {
		return answer{}, err
	}
	cur, err := c.current(s)
	if err != nil {
		return answer{}, err
	}
	if err := c.mayAct(cur); err != nil {
		return answer{}, err
	}
	switch cur = cur.At(session.RulesOf(a), c.now); {
	case !cur.State.Active():
		return answer{}, errClosed
	case cur.State != session.Serving:
		return answer{}, fault.New(fault.Conflict, "not-serving", "No agent has the session.")
	}
	ctx, cancel := context.WithTimeout(c.host, typingTime)
	defer cancel()
	err = c.Typer.Typing(ctx, a, s.Customer, true)
	if err != nil {
		c.warn("typing not shown", err)
	}
	return ok(typingView{Shown: err == nil}), nil
}
