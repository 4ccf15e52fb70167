package bot

import (
	"strconv"
	"strings"
	"unicode"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/word"
)

// show renders a menu: on an Official Account as a msgmenu, whose items are tapped;
// elsewhere as text with numbers, since the platform has no msgmenu there.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
func show(name string, m account.Menu, ch account.Channel) message.Content {
	if ch == account.Official {
		list := make([]message.MenuItem, len(m.Items))
		for i, c := range m.Items {
			list[i] = message.MenuItem{ID: itemID(name, i), Content: c.Label}
		}
		return message.Content{Type: message.TypeMsgMenu, MsgMenu: &message.MsgMenu{HeadContent: m.Head, List: list, TailContent: m.Tail}}
	}
	var lines []string
	if m.Head != "" {
		lines = append(lines, m.Head)
	}
	for i, c := range m.Items {
		lines = append(lines, number(i)+". "+c.Label)
	}
	if m.Tail != "" {
		lines = append(lines, m.Tail)
	}
	return text(strings.Join(lines, "\n"))
}

// itemID is the id of a msgmenu item. It names menu and item, "main/2", so that a tap
// says what is meant however many menus have been shown since. No menu's name has a slash.
func itemID(menu string, i int) string { return menu + "/" + number(i) }

// number is what the customer writes for the i-th item.
func number(i int) string { return strconv.Itoa(i + 1) }

// tapped finds the item of that id. An id may also be of a menu that is no more, or of a
// msgmenu that an agent sent.
func tapped(menus map[string]account.Menu, id string) (account.Choice, bool) {
	name, n, _ := strings.Cut(id, "/")
	return numbered(menus[name], n)
}

// chosen finds the item of which the text is the number or the label. Signs after the
// number don't count: １, "1." and "1、" are 1.
func chosen(m account.Menu, text string) (account.Choice, bool) {
	n := strings.TrimRightFunc(word.Fold(text), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r)
	})
	if c, ok := numbered(m, n); ok {
		return c, true
	}
	for _, c := range m.Items {
		if word.Match([]string{c.Label}, account.Exact, text) {
			return c, true
		}
	}
	return account.Choice{}, false
}

func numbered(m account.Menu, n string) (account.Choice, bool) {
	for i, c := range m.Items {
		if number(i) == n {
			return c, true
		}
	}
	return account.Choice{}, false
}
