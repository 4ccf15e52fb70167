package agent

import (
	"bytes"
	"encoding/json"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

func (c *call) getRouting() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	return ok(viewRouting(a.Settings.Routing)), nil
}

// putRouting replaces the rules by which sessions find their agents.
func (c *call) putRouting() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	var rules account.Routing
	if err := c.decode(&rules); err != nil {
		return answer{}, err
	}
	for name, part := range map[string]*json.RawMessage{
		"bot": &rules.Bot, "handoff": &rules.Handoff, "hours": &rules.Hours, "spend": &rules.Spend,
	} {
		if bytes.Equal(*part, []byte("null")) {
			*part = nil
		}
		if len(*part) > 0 && (*part)[0] != '{' {
			return answer{}, wrongField("wrong-type", name, name+" must be an object.")
		}
	}
	if err := rules.Check(); err != nil {
		return answer{}, err
	}
	if err := c.Store.SetRouting(c.ctx(), a.ID, rules); err != nil {
		return answer{}, named(fmt.Errorf("set routing: %w", err), "account")
	}
	if rules.Assign.Mode == account.Auto {
		// Whoever waits now is not given out by anything else.
		if err := c.Shell.WakeRouter(c.ctx(), a.ID); err != nil {
			return answer{}, fault.Wrap(fault.Unavailable, "", err)
		}
	}
	return ok(viewRouting(rules)), nil
}

// viewRouting shows the rules with the default that is in force.
func viewRouting(r account.Routing) account.Routing {
	if r.Assign.Mode == "" {
		r.Assign.Mode = account.Manual
	}
	return r
}
