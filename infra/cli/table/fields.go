package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Fields lays out a JSON object with one line for each of its values, in its own order: nested ones by their path, such
// as window.limit or bot.menus[0].title; plain arrays in one line.
func Fields(w io.Writer, object json.RawMessage) error {
	var f flat
	if err := f.add("", object); err != nil {
		return err
	}
	return Write(w, nil, f.rows)
}

// flat collects the values of an object.
type flat struct{ rows [][]string }

func (f *flat) add(path string, value json.RawMessage) error {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return nil
	}
	switch value[0] {
	case '{':
		return f.object(path, value)
	case '[':
		return f.array(path, value)
	}
	text, err := scalar(value)
	f.rows = append(f.rows, []string{path, text})
	return err
}

func (f *flat) object(path string, value json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	if _, err := dec.Token(); err != nil {
		return err
	}
	empty := true
	for ; dec.More(); empty = false {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var member json.RawMessage
		if err := dec.Decode(&member); err != nil {
			return err
		}
		below := fmt.Sprint(name)
		if path != "" {
			below = path + "." + below
		}
		if err := f.add(below, member); err != nil {
			return err
		}
	}
	if empty && path != "" {
		f.rows = append(f.rows, []string{path, "{}"})
	}
	return nil
}

func (f *flat) array(path string, value json.RawMessage) error {
	var items []json.RawMessage
	if err := json.Unmarshal(value, &items); err != nil {
		return err
	}
	var plain []string
	for _, item := range items {
		if item[0] == '{' || item[0] == '[' {
			break
		}
		text, err := scalar(item)
		if err != nil {
			return err
		}
		plain = append(plain, text)
	}
	if len(plain) == len(items) {
		f.rows = append(f.rows, []string{path, strings.Join(plain, ", ")})
		return nil
	}
	for i, item := range items {
		if err := f.add(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
			return err
		}
	}
	return nil
}

// scalar is a string's text, or the JSON of anything else.
func scalar(value json.RawMessage) (string, error) {
	if value[0] != '"' {
		return string(value), nil
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err
}
