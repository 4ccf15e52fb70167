package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kefu/shared/core/fault"
)

// decode reads the call's JSON object strictly: no unknown field, no wrong type,
// nothing behind it.
func (c *call) decode(into any) error {
	return decode(c.body, into)
}

// noFields checks the body of a call that takes none: absent, or an empty object.
func (c *call) noFields() error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	return c.decode(&struct{}{})
}

func decode(body []byte, into any) error {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return malformed("The body is empty; a JSON object is expected.")
	case trimmed[0] != '{':
		return malformed("The body must be one JSON object.")
	case !utf8.Valid(body):
		return malformed("The body is not valid UTF-8.")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return explain(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("Something follows the JSON object.")
	}
	return nil
}

func malformed(detail string) error { return fault.New(fault.Invalid, "malformed-json", detail) }

// wrongField is a fault about one field, which the problem document names.
func wrongField(code, field, detail string) error {
	return fault.With(fault.New(fault.Invalid, code, detail), map[string]any{"field": field})
}

// explain says in our words what the decoder didn't like.
func explain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return malformed(fmt.Sprintf("The JSON is broken at byte %d.", syntax.Offset))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return malformed("The JSON ends too early.")
	case errors.As(err, &kind):
		field := strings.TrimPrefix(kind.Field, "Content.") // the name of the embedded struct in sendBody
		return wrongField("wrong-type", field, fmt.Sprintf("%s must be %s, not a %s.", strconv.Quote(field), typeName(kind.Type), kind.Value))
	}
	// The package has no type for this one.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		field, failed := strconv.Unquote(name)
		if failed != nil {
			field = name
		}
		return wrongField("unknown-field", field, fmt.Sprintf("There is no field %s here.", strconv.Quote(field)))
	}
	return fault.New(fault.Invalid, "wrong-type", "A field can't be read: "+err.Error()+".")
}

// typeName is a JSON type in words.
func typeName(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	return "a whole number"
}

// instant reads a time; an empty text is the zero time.
func instant(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, wrongField("wrong-type", field, fmt.Sprintf("%s must be a time such as 2026-01-31T08:00:00Z.", strconv.Quote(field)))
	}
	return t.UTC(), nil
}
