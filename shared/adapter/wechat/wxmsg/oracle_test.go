package wxmsg_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"kefu/shared/adapter/wechat/wxmsg"
)

// plain is what an oracle read: a Node without the machinery.
type plain struct {
	Name string
	Text string
	Kids []plain
}

// plainOf copies a Node.
func plainOf(n wxmsg.Node) plain {
	p := plain{Name: n.Name(), Text: n.Text()}
	for kid := range n.Children() {
		p.Kids = append(p.Kids, plainOf(kid))
	}
	return p
}

// String is for comparing and for reading in a failure.
func (p plain) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q=%q", p.Name, p.Text)
	if len(p.Kids) > 0 {
		fmt.Fprintf(&b, "%v", p.Kids)
	}
	return b.String()
}

var errShape = errors.New("not the shape of a push")

// xmlOracle reads a whole document with encoding/xml. errShape is for what
// encoding/xml takes and a push has not.
func xmlOracle(body []byte) (plain, error) {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	stack := []plain{{}}
	var shape error
	for {
		at := d.InputOffset()
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return plain{}, err
		}
		top := &stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(tok.Attr) > 0 || tok.Name.Space != "" || (len(stack) == 1 && tok.Name.Local != "xml") || !ascii(tok.Name.Local) {
				shape = errShape
			}
			stack = append(stack, plain{Name: tok.Name.Local})
		case xml.EndElement:
			done := *top
			if len(done.Kids) > 0 {
				if strings.Trim(done.Text, " \t\r\n") != "" {
					shape = errShape
				}
				done.Text = ""
			}
			stack = stack[:len(stack)-1]
			stack[len(stack)-1].Kids = append(stack[len(stack)-1].Kids, done)
		case xml.CharData:
			if len(stack) == 1 && strings.Trim(string(tok), " \t\r\n") != "" {
				shape = errShape
			}
			top.Text += string(tok)
		case xml.ProcInst:
			if tok.Target != "xml" || at > 0 {
				shape = errShape
			}
		default:
			shape = errShape
		}
	}
	if len(stack) != 1 || len(stack[0].Kids) != 1 {
		return plain{}, errShape
	}
	return stack[0].Kids[0], shape
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > 0x7f || c == ':' })
}

// jsonOracle reads a whole document with encoding/json.
func jsonOracle(body []byte) (plain, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !json.Valid(body) {
		return plain{}, errors.New("json.Valid says no")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	p, err := jsonValue(d, "xml")
	if err == nil && !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		err = errShape
	}
	return p, err
}

func jsonValue(d *json.Decoder, name string) (plain, error) {
	tok, err := d.Token()
	if err != nil {
		return plain{}, err
	}
	p := plain{Name: name}
	switch tok := tok.(type) {
	case json.Delim:
		for d.More() {
			key := "item"
			if tok == '{' {
				k, err := d.Token()
				if err != nil {
					return plain{}, err
				}
				key = fmt.Sprint(k)
			}
			kid, err := jsonValue(d, key)
			if err != nil {
				return plain{}, err
			}
			p.Kids = append(p.Kids, kid)
		}
		_, err = d.Token()
	case nil:
	default:
		p.Text = fmt.Sprint(tok)
	}
	return p, err
}
