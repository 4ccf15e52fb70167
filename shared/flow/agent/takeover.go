package agent

import (
	"errors"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// errOccupied says that somebody has taken it meanwhile.
var errOccupied = errors.New("somebody serves the session")

// errVacant says that nobody serves the session that the agent writes into: it becomes his (M9).
var errVacant = errors.New("nobody serves the session")

// vacant reports whether writing into the session makes it the agent's own. A key
// without an agent, or one that reads more than it serves, leaves it where it is.
func (o *outgoing) vacant(cur session.Session) bool {
	if o.self == nil || cur.ID != o.path.ID || (o.id.Supervises() && o.self.At(o.now).Status != agent.Online) {
		return false
	}
	switch cur.At(o.rules, o.now).State {
	case session.Bot, session.Queued, session.Released:
		return true
	}
	return false
}

// takeOver has the agent take the session and write, in one step. A supervisor whose
// seats are all taken writes without taking it.
func (o *outgoing) takeOver() (message.Message, session.Session, error) {
	if o.self.At(o.now).Status != agent.Online {
		return message.Message{}, session.Session{}, fault.New(fault.Conflict, "not-available",
			"Nobody serves the session, and only an agent who is online takes one; set your status first.")
	}
	err := o.takeSeat(o.path.ID, *o.self)
	if fault.CodeOf(err) == "capacity-full" && o.id.Supervises() {
		o.visiting = true
		return o.accept()
	}
	if err != nil {
		return message.Message{}, session.Session{}, err
	}
	m, s, err := o.enqueue(func(cur session.Session) error {
		if !o.vacant(cur) {
			return errOccupied
		}
		return nil
	}, session.Accept{Agent: o.self.ID}, o.event)
	if err != nil {
		o.settleSeat(o.path, *o.self)
	}
	if errors.Is(err, errOccupied) {
		o.visiting = true // it is somebody's now, perhaps his own by another call
		return o.accept()
	}
	return m, s, err
}
