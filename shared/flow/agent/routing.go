package agent

import (
	"encoding/json"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/bot"
	"kefu/shared/core/fault"
)

func (c *call) getRouting() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	return ok(viewRouting(a.Settings.Routing)), nil
}

// maxRouting bounds an account's rules: they are part of its record, which every function reads once a minute.
const maxRouting = 192 << 10

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
	for _, err := range []error{rules.Check(), rules.For(a.Channel), bot.Check(rules.Bot, a.Channel)} {
		if err != nil {
			return answer{}, err
		}
	}
	if b, err := json.Marshal(rules); err != nil || len(b) > maxRouting {
		return answer{}, fault.New(fault.Invalid, "routing-invalid", fmt.Sprintf("The rules have more than %d KiB in all: each message of a customer reads them.", maxRouting>>10))
	}
	if err := c.Store.SetRouting(c.ctx(), a.ID, rules); err != nil {
		return answer{}, named(fmt.Errorf("set routing: %w", err), "account")
	}
	if rules.Assign.Mode == account.Auto || rules.Queue.Text != "" {
		// Whoever waits now is not given out by anything else.
		if err := c.Shell.WakeRouter(c.ctx(), a.ID, a.Owner()); err != nil {
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
