package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// Check says what is wrong with the messages inside the rules of a bot for an account on
// channel ch, as a fault of kind Invalid with code "routing-invalid" that names the
// member, such as bot.keywords[3].message: each must be one message that the channel
// takes. Call it after account.Routing.Check, which looks at everything else.
func Check(b account.Bot, ch account.Channel) error {
	c := checker{channel: ch}
	c.reply("bot.greeting", account.Reply{Answer: b.Greeting})
	for _, name := range slices.Sorted(maps.Keys(b.Menus)) {
		at, menu := "bot.menus."+name, b.Menus[name]
		c.sendable(at, show(name, menu, ch))
		for i, item := range menu.Items {
			c.reply(fmt.Sprintf("%s.items[%d]", at, i), item.Reply)
		}
	}
	for i, k := range b.Keywords {
		c.reply(fmt.Sprintf("bot.keywords[%d]", i), k.Reply)
	}
	for i, q := range b.Questions {
		c.reply(fmt.Sprintf("bot.questions[%d]", i), q.Reply)
	}
	c.reply("bot.fallback", account.Reply{Answer: b.Fallback})
	c.reply("bot.offer", account.Reply{Answer: b.Offer})
	return c.err
}

// checker keeps the first error.
type checker struct {
	channel account.Channel
	err     error
}

// reply checks what the reply at that place says. Its menu is checked with the menus: the
// two are joined only when they fit.
func (c *checker) reply(at string, r account.Reply) {
	if len(r.Message) == 0 {
		if r.Answer != "" {
			c.sendable(at, text(r.Answer))
		}
		return
	}
	content, err := parse(r.Message)
	if err != nil {
		c.fail(at+".message", unreadable(err), err)
		return
	}
	c.sendable(at+".message", content)
}

func (c *checker) sendable(at string, content message.Content) {
	if err := sendable(content, c.channel); err != nil {
		c.fail(at, fault.DetailOf(err), err)
	}
}

func (c *checker) fail(at, detail string, cause error) {
	if c.err == nil {
		c.err = fault.WithDetail(fault.Wrap(fault.Invalid, "routing-invalid", cause), at+": "+detail)
	}
}

// unreadable says in our words what the JSON decoder didn't like.
func unreadable(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return fmt.Sprintf("%s can't be a %s", kind.Field, kind.Value)
	}
	return "it can't be read as a message: " + strings.TrimPrefix(err.Error(), "json: ")
}
