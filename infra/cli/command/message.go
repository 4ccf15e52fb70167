package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

// messageRow is what a list shows of a message.
type messageRow struct {
	ID        string    `json:"id"`
	Session   string    `json:"session"`
	Direction string    `json:"direction"`
	Type      string    `json:"type"`
	State     string    `json:"state"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"created_at"`
	text      string
}

// UnmarshalJSON reads the message, and from the object of its type a text.
func (r *messageRow) UnmarshalJSON(b []byte) error {
	type plain messageRow
	if err := json.Unmarshal(b, (*plain)(r)); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if content := all[r.Type]; content != nil {
		return r.say(content)
	}
	return nil
}

// say picks the words of a message: the first of them that its type has.
func (r *messageRow) say(content json.RawMessage) error {
	var c struct {
		Content     string `json:"content"`
		Recognition string `json:"recognition"`
		Title       string `json:"title"`
		URL         string `json:"url"`
		PagePath    string `json:"pagepath"`
		Media       string `json:"media"`
		Label       string `json:"label"`
		Head        string `json:"head_content"`
		Name        string `json:"name"`
		Key         string `json:"key"`
		From        string `json:"from"`
		Type        string `json:"type"` // of an unknown one
		Latitude    any    `json:"latitude"`
		Longitude   any    `json:"longitude"`
		Articles    []struct {
			Title string `json:"title"`
			URL   string `json:"url"`
		} `json:"articles"`
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return err
	}
	parts := []string{c.Content, c.Recognition, c.Head, c.Title, c.Label, c.Name, c.Key, c.From, c.Type, cmp.Or(c.URL, c.PagePath), c.Media}
	if c.Latitude != nil {
		parts = append(parts, fmt.Sprintf("%v,%v", c.Latitude, c.Longitude))
	}
	for _, article := range c.Articles {
		parts = append(parts, article.Title, article.URL)
	}
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	r.text = strings.Join(said, " ")
	return nil
}

func (r messageRow) cells() []string {
	return []string{r.ID, clock(r.CreatedAt), r.Direction, r.Type, r.State, r.Reason, r.By, r.text}
}

func (a *app) message() *cobra.Command {
	at := func(args []string) string { return client.Path("sessions", args[0], "messages", args[1]) }
	show := a.verb("get SESSION MESSAGE", "A message, and how often the platform delivered it", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(at(args)), "")
	})
	cancel := a.verb("cancel SESSION MESSAGE", "Take back a message that isn't sent yet", func(ctx context.Context, args []string) error {
		return a.show(ctx, remove(at(args)), "message "+args[1]+" cancelled")
	})
	approve := a.verb("approve SESSION MESSAGE", "Let a message go out that waits for a supervisor", func(ctx context.Context, args []string) error {
		return a.show(ctx, post(at(args)+"/approve", nil), "message "+args[1]+" approved")
	})
	for _, cmd := range []*cobra.Command{show, cancel, approve} {
		a.completeWords(cmd, sessionIDs, messageIDs)
	}
	return a.group("message", "One message: look at it, cancel it, approve it", show, cancel, approve)
}

// sending is what the flags of send say.
type sending struct {
	file, at, expires, whenClosed, repeat string
}

func (a *app) send() *cobra.Command {
	var s sending
	cmd := a.verb("send SESSION [TEXT]", "Send a message", func(ctx context.Context, args []string) error {
		message, err := a.content(ctx, args[1:], s.file)
		if err != nil {
			return err
		}
		if err := s.add(message, a.Now()); err != nil {
			return err
		}
		body, err := encode(message)
		if err != nil {
			return err
		}
		call := post(client.Path("sessions", args[0], "messages"), body)
		call.Repeat = s.repeat
		return a.show(ctx, call, "")
	})
	cmd.Long = `Send a message: a text, or with --file any type as JSON. A text of - is read from standard input.

It goes out at once if the customer's window lets it, and otherwise waits for him; kefu message get tells what became of it.`
	cmd.Example = `  kefu send s4k2 "Hello 你好"
  kefu send s4k2 - < answer.txt
  kefu send s4k2 --file image.json        {"type":"image","image":{"media":"m123"}}
  kefu send s4k2 "Your parcel is here" --at 2026-01-31T08:00:00Z
  kefu send s4k2 "See you in a quarter of an hour" --at 15m`
	f := cmd.Flags()
	f.StringVarP(&s.file, "file", "f", "", "`file` with the message as JSON; - is standard input")
	f.StringVar(&s.at, "at", "", "not before this `time`, or this long from now (2026-01-31T08:00:00Z or 15m)")
	f.StringVar(&s.expires, "expires", "", "give up then; a `time`, or how long from now (default the account's hold_for, 48h)")
	f.StringVar(&s.whenClosed, "when-closed", "", "what a closed window `does`: hold (default) has it wait, fail refuses it")
	f.StringVar(&s.repeat, "idempotency-key", "", "`name` of this message: the same call with it sends nothing twice within 24 h (default a new one)")
	complete(cmd, "when-closed", "hold", "fail")
	a.completeWords(cmd, sessionIDs)
	return cmd
}

// content is the message itself.
func (a *app) content(ctx context.Context, words []string, file string) (map[string]json.RawMessage, error) {
	switch {
	case len(words) == 1 && file != "":
		return nil, usage("the message is a TEXT or --file, not both")
	case len(words) == 0 && file == "":
		return nil, usage("the message is missing: a TEXT, - for standard input, or --file")
	case file != "":
		b, err := a.body(ctx, file)
		if err != nil {
			return nil, err
		}
		var m map[string]json.RawMessage
		err = json.Unmarshal(b, &m)
		return m, err
	}
	text := words[0]
	if text == "-" {
		b, err := a.read(ctx, "-", maxBody)
		if err != nil {
			return nil, usage("the text: %w", err)
		}
		if text = strings.TrimRight(string(b), "\r\n"); text == "" {
			return nil, usage("standard input holds no text")
		}
	}
	content, err := encode(map[string]string{"content": text})
	return map[string]json.RawMessage{"type": json.RawMessage(`"text"`), "text": content}, err
}

// add puts into the message what the flags say.
func (s sending) add(message map[string]json.RawMessage, now time.Time) error {
	for _, f := range []struct{ flag, field, value string }{{"--at", "send_at", s.at}, {"--expires", "expires_at", s.expires}} {
		if f.value == "" {
			continue
		}
		at, err := instant(f.value, now)
		if err != nil {
			return usage("%s: %w", f.flag, err)
		}
		message[f.field] = json.RawMessage(fmt.Sprintf("%q", at.UTC().Format(time.RFC3339)))
	}
	switch s.whenClosed {
	case "":
	case "hold", "fail":
		message["when_closed"] = json.RawMessage(fmt.Sprintf("%q", s.whenClosed))
	default:
		return usage("--when-closed is %q; want hold or fail", s.whenClosed)
	}
	return nil
}

// instant reads a time, or a time span from now.
func instant(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return time.Time{}, errors.New("want a time such as 2026-01-31T08:00:00Z, or a time span such as 15m")
	}
	return now.Add(d), nil
}
