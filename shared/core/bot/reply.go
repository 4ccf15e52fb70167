package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// render turns a reply into messages: the answer, then the menu. The two become one when
// the answer is a text and both fit, since each message is one of few: a customer who
// enters a Mini Program's conversation grants two for a minute, and the second may be
// wanted by a human.
// https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/customer-message.html
// A message that can't be read is left out: [Check] has told of it.
func render(menus map[string]account.Menu, ch account.Channel, r account.Reply) []message.Content {
	var say []message.Content
	if r.Answer != "" {
		say = append(say, text(r.Answer))
	} else if len(r.Message) > 0 {
		if c, err := parse(r.Message); err == nil {
			say = append(say, c)
		}
	}
	menu, ok := menus[r.Menu]
	if !ok {
		return say
	}
	shown := show(r.Menu, menu, ch)
	if len(say) > 0 {
		if one, ok := join(say[0], shown); ok {
			return []message.Content{one}
		}
	}
	return append(say, shown)
}

// parse reads a message as POST …/messages takes it: nothing that a message doesn't have.
func parse(raw json.RawMessage) (message.Content, error) {
	var c message.Content
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return message.Content{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return message.Content{}, errors.New("something follows the object")
	}
	return c, nil
}

// join puts a text in front of a menu, if the whole fits into one message: of a numbered
// menu into its text, of a msgmenu into its head.
func join(said, menu message.Content) (message.Content, bool) {
	if said.Type != message.TypeText || said.Text == nil || size(said)+len("\n")+size(menu) > message.MaxTextBytes {
		return message.Content{}, false
	}
	first := said.Text.Content
	if menu.Type == message.TypeText {
		return text(first + "\n" + menu.Text.Content), true
	}
	list := *menu.MsgMenu
	if list.HeadContent != "" {
		first += "\n" + list.HeadContent
	}
	list.HeadContent = first
	return message.Content{Type: message.TypeMsgMenu, MsgMenu: &list}, true
}

// sendable says whether the content can go out on the channel as one message.
func sendable(c message.Content, ch account.Channel) error {
	if err := c.CheckOutbound(ch); err != nil {
		return err
	}
	if n := size(c); n > message.MaxTextBytes {
		return fault.New(fault.Invalid, "message-invalid",
			fmt.Sprintf("it has %d bytes, and one message carries %d", n, message.MaxTextBytes))
	}
	return nil
}

// size is how many bytes of text the customer reads; of other contents than texts and menus 0.
func size(c message.Content) int {
	switch {
	case c.Type == message.TypeText && c.Text != nil:
		return len(c.Text.Content)
	case c.Type == message.TypeMsgMenu && c.MsgMenu != nil:
		n := len(c.MsgMenu.HeadContent) + len(c.MsgMenu.TailContent)
		for _, item := range c.MsgMenu.List {
			n += len(item.Content) + len("\n")
		}
		return n
	}
	return 0
}

func text(s string) message.Content {
	return message.Content{Type: message.TypeText, Text: &message.Text{Content: s}}
}
