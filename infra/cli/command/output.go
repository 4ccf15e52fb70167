package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"kefu/infra/cli/client"
	"kefu/infra/cli/table"
)

// show makes a call and prints the object that it answers; done is the line for a call that answers none.
func (a *app) show(ctx context.Context, call client.Call, done string) error {
	body, err := a.api.Do(ctx, call)
	if err != nil {
		return err
	}
	return a.object(body, done)
}

// object prints one object of the interface.
func (a *app) object(body json.RawMessage, done string) error {
	switch {
	case a.output == "json" && len(body) == 0:
		return nil // as the interface answered
	case a.output == "json":
		return a.json(body)
	case len(body) == 0:
		_, err := fmt.Fprintln(a.Stdout, table.Clean(done))
		return err
	}
	return table.Fields(a.Stdout, body)
}

// json prints what the interface gave, but for the spaces between.
func (a *app) json(body json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := a.Stdout.Write(b.Bytes())
	return err
}

// list is what a command prints of a list.
type list struct {
	path  string
	query url.Values
	limit int
	head  []string
	row   func(json.RawMessage) ([]string, error)
}

// print reads all pages up to the limit and prints them.
func (a *app) print(ctx context.Context, l list) error {
	if l.limit < 0 {
		return usage("--limit is %d; want a number, or 0 for all", l.limit)
	}
	items, more, err := a.api.List(ctx, l.path, l.query, l.limit)
	if err != nil {
		return err
	}
	if err := a.items(items, l); err != nil {
		return err
	}
	if more {
		a.note("There are more; --limit 0 shows all.")
	}
	return nil
}

func (a *app) items(items []json.RawMessage, l list) error {
	if a.output == "json" {
		// Marshal would escape < and > in what others wrote.
		return a.json(append(append([]byte(`{"items":[`), bytes.Join(raw(items), []byte(","))...), "]}"...))
	}
	if len(items) == 0 {
		a.note("There are none.")
		return nil
	}
	rows := make([][]string, len(items))
	for i, item := range items {
		var err error
		if rows[i], err = l.row(item); err != nil {
			return fmt.Errorf("the list at %s can't be read: %w", l.path, err)
		}
	}
	return table.Write(a.Stdout, l.head, rows)
}

func raw(items []json.RawMessage) [][]byte {
	out := make([][]byte, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}

// row makes a row of an item that is read as a T.
func row[T any](cells func(T) []string) func(json.RawMessage) ([]string, error) {
	return func(item json.RawMessage) ([]string, error) {
		var v T
		if err := json.Unmarshal(item, &v); err != nil {
			return nil, err
		}
		return cells(v), nil
	}
}

// clock is a time in a table, empty for none.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// maxBody is the longest body that the interface takes.
const maxBody = 1 << 20

// body reads a JSON object from a file or, without one, from standard input.
func (a *app) body(ctx context.Context, file string) ([]byte, error) {
	name := file
	if name == "" {
		name = "-"
		if f, ok := a.Stdin.(*os.File); ok && terminal(f) {
			a.note("Type a JSON object, then Ctrl-D; --file FILE reads a file.")
		}
	}
	b, err := a.read(ctx, name, maxBody)
	if err != nil {
		return nil, usage("--file: %w", err)
	}
	if name == "-" {
		name = "standard input"
	}
	return b, checkObject(b, name)
}

// terminal tells whether a person types there.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// checkObject finds what a file can't be meant to hold; all else is the interface's to judge.
func checkObject(b []byte, name string) error {
	var all map[string]json.RawMessage
	err := json.Unmarshal(b, &all)
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return usage("%s is empty; want a JSON object", name)
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(b[:min(int(syntax.Offset), len(b))], []byte("\n"))
		return usage("%s is no JSON: line %d: %w", name, line, syntax)
	case err != nil || all == nil:
		return usage("%s holds no JSON object", name)
	}
	return nil
}

// encode makes a body of what the command line said.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// put, post and remove are calls that write.
func put(path string, body []byte) client.Call {
	return client.Call{Method: http.MethodPut, Path: path, Body: body}
}

func post(path string, body []byte) client.Call {
	return client.Call{Method: http.MethodPost, Path: path, Body: body}
}

func remove(path string) client.Call { return client.Call{Method: http.MethodDelete, Path: path} }

func get(path string) client.Call { return client.Call{Path: path} }
