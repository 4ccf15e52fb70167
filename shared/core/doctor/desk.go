package doctor

import (
	"fmt"

	"kefu/shared/core/account"
)

// desk looks at who answers, and at settings that can't work together.
func (d *diagnosis) desk() {
	d.check = CheckDesk
	if d.lacks(LackAgents) {
		d.unknown(LackAgents)
	} else {
		d.agents()
	}
	d.bot()
	d.signing()
}

func (d *diagnosis) agents() {
	r := d.Account.Settings.Routing
	data := facts{"agents": d.Agents, "online": d.Online}
	switch {
	case d.Agents > 0:
		d.ok("agents-bound", fmt.Sprintf("%s bound to the account, %d online.", plural(int64(d.Agents), "agent"), d.Online), data)
	case r.External.Mode == account.ExternalAlways:
		d.ok("agents-not-needed", "No agent is bound to the account; every message goes to the platform's own tool.", data)
	case r.Assign.Mode == account.Auto:
		d.say(Error, "auto-without-agents", "Sessions are to be given to agents by themselves, and no agent is bound to the account.",
			"Add the account to the accounts of an agent.", data)
	default:
		d.say(Warning, "no-agents", "No agent is bound to the account: only supervisors and admins of all accounts see who waits.",
			"Add the account to the accounts of an agent.", data)
	}
}

// bot: see [account.Bot] and [account.Handoff].
func (d *diagnosis) bot() {
	b, h := d.Account.Settings.Routing.Bot, d.Account.Settings.Routing.Handoff
	rules := b.Responder.URL != ""
	if d.Account.Channel != account.Official { // whose menu clicks the bot answers all the same
		rules = rules || len(b.Keywords) > 0 || len(b.Questions) > 0
	}
	switch {
	case b.Enabled && rules && !h.Enabled:
		d.say(Warning, "bot-never-asked", "The bot has rules, and none of them is ever used: with handoff.enabled off, whoever writes goes to an agent at once.",
			"Switch handoff.enabled on, or leave the bot its greeting only.", nil)
	case h.Enabled && !reachable(b, h):
		d.say(Warning, "handoff-without-words", "Customers stay with the bot until they write a word that calls a human, and there is no such word.",
			"Set handoff.keywords, or switch handoff.enabled off.", nil)
	case h.Enabled && !b.Enabled:
		d.say(Warning, "handoff-without-bot", "Whoever writes stays with a bot that is switched off: nobody answers him until he writes a word that calls a human, or an agent takes him from the list of the bot's sessions.",
			"Switch bot.enabled on, or handoff.enabled off.", nil)
	default:
		d.ok("bot-fits", "The settings of bot and hand-off go together.", nil)
	}
}

// reachable reports whether a customer has some way to a human.
func reachable(b account.Bot, h account.Handoff) bool {
	if len(h.Keywords) > 0 || len(h.Urgent) > 0 {
		return true
	}
	if !b.Enabled {
		return false
	}
	if b.Responder.URL != "" { // which may call a human
		return true
	}
	for _, k := range b.Keywords {
		if k.Handoff {
			return true
		}
	}
	for _, q := range b.Questions {
		if q.Handoff {
			return true
		}
	}
	for _, m := range b.Menus {
		for _, c := range m.Items {
			if c.Handoff {
				return true
			}
		}
	}
	return false
}

func (d *diagnosis) signing() {
	var unsigned []string
	if d.Account.Webhook.URL != "" {
		unsigned = append(unsigned, "webhook")
	}
	if d.Account.Settings.Routing.Bot.Responder.URL != "" {
		unsigned = append(unsigned, "responder")
	}
	switch {
	case len(unsigned) == 0:
	case d.Account.Signing.Secret == "":
		d.say(Warning, "signing-secret-missing", "What is sent to the business's own software is not signed, so it can't tell Kefu from anybody else.",
			"Make a signing secret for the account.", facts{"to": unsigned})
	default:
		d.ok("signing-secret-set", "What is sent to the business's own software is signed.", facts{"to": unsigned})
	}
}
