package account

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"
)

func (b Bot) checkMenus() error {
	if len(b.Menus) > maxMenus {
		return wrongRouting("bot.menus has more than %d menus", maxMenus)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Menus)) {
		at, m := "bot.menus."+name, b.Menus[name]
		if !ValidID(name) {
			return wrongRouting("bot.menus has %q; a menu's name is 1 to 64 letters, digits, - and _", name)
		}
		if len(m.Items) == 0 || len(m.Items) > maxChoices {
			return wrongRouting("%s.items must have 1 to %d choices", at, maxChoices)
		}
		length := len(m.Head) + len(m.Tail) + 2
		for i, c := range m.Items {
			if c.Label == "" || len(c.Label) > 200 {
				return wrongRouting("%s.items[%d].label must have 1 to 200 bytes", at, i)
			}
			length += len(c.Label) + len("20. \n")
			if err := b.checkReply(fmt.Sprintf("%s.items[%d]", at, i), c.Reply); err != nil {
				return err
			}
		}
		if length > MaxRuleText {
			return wrongRouting("%s has more than %d bytes in all: it goes out as one message", at, MaxRuleText)
		}
	}
	return nil
}

func (b Bot) checkKeywords() error {
	if len(b.Keywords) > MaxQuestions {
		return wrongRouting("bot.keywords has more than %d rules", MaxQuestions)
	}
	for i, k := range b.Keywords {
		at := fmt.Sprintf("bot.keywords[%d]", i)
		if len(k.Words) == 0 {
			return wrongRouting("%s.words is missing", at)
		}
		for _, err := range []error{
			checkWords(at+".words", k.Words), checkMatch(at+".match", k.Match),
			checkPriority(at+".priority", k.Priority), b.checkReply(at, k.Reply),
		} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (b Bot) checkQuestions() error {
	if len(b.Questions) > MaxQuestions {
		return wrongRouting("bot.questions has more than %d questions", MaxQuestions)
	}
	for i, q := range b.Questions {
		at := fmt.Sprintf("bot.questions[%d]", i)
		if len(q.Ask) == 0 || len(q.Ask) > 20 {
			return wrongRouting("%s.ask must have 1 to 20 wordings", at)
		}
		for _, ask := range q.Ask {
			if ask == "" || len(ask) > 500 {
				return wrongRouting("%s.ask has a wording that is empty or longer than 500 bytes", at)
			}
		}
		if err := b.checkReply(at, q.Reply); err != nil {
			return err
		}
	}
	return nil
}

func (b Bot) checkReply(at string, r Reply) error {
	said := r.Answer != "" || len(r.Message) > 0
	switch {
	case !said && r.Menu == "" && !r.Handoff:
		return wrongRouting("%s has neither answer, message, menu nor handoff", at)
	case r.Answer != "" && len(r.Message) > 0:
		return wrongRouting("%s has both answer and message", at)
	case r.Menu != "" && r.Handoff:
		return wrongRouting("%s has both menu and handoff", at)
	case len(r.Message) > 0 && (r.Message[0] != '{' || len(r.Message) > 2*MaxRuleText || !json.Valid(r.Message)):
		return wrongRouting("%s.message must be a message object of at most %d bytes", at, 2*MaxRuleText)
	}
	if r.Menu != "" {
		if _, ok := b.Menus[r.Menu]; !ok {
			return wrongRouting("%s.menu is %q, and bot.menus has none of that name", at, r.Menu)
		}
	}
	return checkText(at+".answer", r.Answer)
}

func (r Responder) check() error {
	if r.URL == "" {
		return nil
	}
	if err := checkWeb("bot.responder.url", r.URL); err != nil {
		return err
	}
	if d := time.Duration(r.Timeout); d < 0 || d > 20*time.Second {
		return wrongRouting("bot.responder.timeout must be between 0 and 20s")
	}
	return nil
}

// checkWeb wants an address that can be called: of a host, without a user.
func checkWeb(name, s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || len(s) > 1000 {
		return wrongRouting("%s must be an http(s) address without a user in it", name)
	}
	return nil
}
