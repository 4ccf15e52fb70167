package account

import (
	"encoding/json"
	"time"
)

// Bot is what answers by itself (M10). It answers while a session is with the bot; with
// Handoff switched off that is until the customer writes, so that it only greets.
type Bot struct {
	Enabled bool `json:"enabled"`
	// Greeting is said on entering, inside the one-minute grant, with the menu Menu if there is one.
	Greeting string `json:"greeting,omitempty"`
	// Menu names the menu that is shown on entering and asked for with MenuWords.
	Menu      string          `json:"menu,omitempty"`
	MenuWords []string        `json:"menu_words,omitempty"` // such as 菜单, 0
	Menus     map[string]Menu `json:"menus,omitempty"`
	// Keywords are tried in order of their priority, then as they stand.
	Keywords []Keyword `json:"keywords,omitempty"`
	// Questions are tried after the keywords, by likeness.
	Questions []Question `json:"questions,omitempty"`
	// Likeness is how alike a question must be, from 0 (anything) to 1 (the same). Default 0.38,
	// which core/bot's testdata/questions*.txt have chosen.
	Likeness float64 `json:"likeness,omitempty"`
	// Fallback is said when nothing fits.
	Fallback string `json:"fallback,omitempty"`
	// MaxUnanswered is after how many in a row Offer is said instead. 0: never.
	MaxUnanswered int `json:"max_unanswered,omitempty"`
	// Offer tells the customer how to call a human.
	Offer string `json:"offer,omitempty"`
	// Responder is the business's own.
	Responder Responder `json:"responder,omitzero"`
}

// Menu is a list of choices: numbered text on a Mini Program, msgmenu on an Official Account.
type Menu struct {
	Head  string   `json:"head,omitempty"`
	Tail  string   `json:"tail,omitempty"`
	Items []Choice `json:"items"` // 1 to 20
}

// Choice is an item of a menu: its label and what it brings.
type Choice struct {
	Label string `json:"label"`
	Reply
}

// Reply is what the bot does: it says an answer, shows a menu, calls a human, or the first and one of the others.
type Reply struct {
	Answer string `json:"answer,omitempty"`
	// Message is a whole message, as POST …/messages takes it, in place of Answer.
	Message json.RawMessage `json:"message,omitempty"`
	Menu    string          `json:"menu,omitempty"`
	Handoff bool            `json:"handoff,omitempty"`
}

// Keyword is a rule by words.
type Keyword struct {
	Words    []string `json:"words"`
	Match    Match    `json:"match,omitempty"` // default contains
	Priority int      `json:"priority,omitempty"`
	Reply
}

// Question is a common question in one or more wordings.
type Question struct {
	Ask []string `json:"ask"`
	Reply
}

// Responder is an HTTP address of the business that answers in the bot's place. It is
// asked with a signed POST; when it fails, or is too slow, the other rules answer.
type Responder struct {
	URL string `json:"url,omitempty"`
	// Timeout is how long it may take. Default 5 s, at most 20 s.
	Timeout Duration `json:"timeout,omitempty"`
}

// Defaults and bounds of [Bot].
const (
	DefaultLikeness         = 0.38
	DefaultResponderTimeout = 5 * time.Second
	MaxQuestions            = 1000
	maxMenus                = 100
	maxChoices              = 20
)

// Patience is Timeout or its default.
func (r Responder) Patience() time.Duration { return or(r.Timeout, DefaultResponderTimeout) }

// Alike is Likeness or its default.
func (b Bot) Alike() float64 {
	if b.Likeness == 0 {
		return DefaultLikeness
	}
	return b.Likeness
}

func (b Bot) check() error {
	for name, text := range map[string]string{"bot.greeting": b.Greeting, "bot.fallback": b.Fallback, "bot.offer": b.Offer} {
		if err := checkText(name, text); err != nil {
			return err
		}
	}
	if b.Menu != "" {
		if _, ok := b.Menus[b.Menu]; !ok {
			return wrongRouting("bot.menu is %q, and bot.menus has none of that name", b.Menu)
		}
	}
	if err := checkWords("bot.menu_words", b.MenuWords); err != nil {
		return err
	}
	if b.Likeness < 0 || b.Likeness > 1 {
		return wrongRouting("bot.likeness must be between 0 and 1")
	}
	if b.MaxUnanswered < 0 || b.MaxUnanswered > 100 {
		return wrongRouting("bot.max_unanswered must be between 0 and 100")
	}
	for _, err := range []error{b.checkMenus(), b.checkKeywords(), b.checkQuestions(), b.Responder.check()} {
		if err != nil {
			return err
		}
	}
	return nil
}
