package wxfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Field is one element of a push. Value is a string, an int, an int64, a float64, Fields (nested) or []Fields (a
// list, in XML of item elements).
type Field struct {
	Name  string
	Value any
}

// Fields is the content of a push, in the order in which it is written.
type Fields []Field

// Get returns the text of a top-level field, "" if it is missing.
func (f Fields) Get(name string) string {
	for _, field := range f {
		if field.Name == name {
			return fmt.Sprint(field.Value)
		}
	}
	return ""
}

// has reports whether a top-level field is there.
func (f Fields) has(name string) bool {
	for _, field := range f {
		if field.Name == name {
			return true
		}
	}
	return false
}

// encode writes the fields in the account's format.
func (f Fields) encode(format Format) []byte {
	var b bytes.Buffer
	if format == JSON {
		f.writeJSON(&b)
	} else {
		b.WriteString("<xml>")
		f.writeXML(&b)
		b.WriteString("</xml>")
	}
	return b.Bytes()
}

func (f Fields) writeXML(b *bytes.Buffer) {
	for _, field := range f {
		b.WriteString("<" + field.Name + ">")
		switch v := field.Value.(type) {
		case Fields:
			v.writeXML(b)
		case []Fields:
			for _, item := range v {
				b.WriteString("<item>")
				item.writeXML(b)
				b.WriteString("</item>")
			}
		case string:
			// A CDATA section can't hold its own end: cut it there.
			b.WriteString("<![CDATA[" + strings.ReplaceAll(xmlText(v), "]]>", "]]]]><![CDATA[>") + "]]>")
		default:
			b.WriteString(number(v))
		}
		b.WriteString("</" + field.Name + ">")
	}
}

// xmlText drops what no XML document may hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return r
		case r < 0x20 || r == 0xfffe || r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

func (f Fields) writeJSON(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(jsonText(field.Name) + ":")
		switch v := field.Value.(type) {
		case Fields:
			v.writeJSON(b)
		case []Fields:
			b.WriteByte('[')
			for j, item := range v {
				if j > 0 {
					b.WriteByte(',')
				}
				item.writeJSON(b)
			}
			b.WriteByte(']')
		case string:
			b.WriteString(jsonText(v))
		default:
			b.WriteString(number(v))
		}
	}
	b.WriteByte('}')
}

// jsonText quotes a string without the escapes for HTML.
func jsonText(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func number(v any) string {
	switch n := v.(type) {
	case int:
		return strconv.Itoa(n)
	case int64:
		return strconv.FormatInt(n, 10)
	case float64:
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return "0"
}
