package wxmsg_test

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
)

// bounded tells our limits, which no oracle has, from other errors.
func bounded(err error) bool {
	return errors.Is(err, wxmsg.ErrTooLarge) || errors.Is(err, wxmsg.ErrTooDeep) || errors.Is(err, wxmsg.ErrTooMany)
}

// FuzzXML: what we accept, encoding/xml accepts with the same values.
func FuzzXML(f *testing.F) {
	for _, s := range append(goodXML, badXML...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(body), "\ufeff"), " \t\r\n"), "<") {
			t.Skip()
		}
		got, err := wxmsg.Read(body)
		if err != nil {
			known(t, err)
			return
		}
		want, err := xmlOracle(body)
		if err != nil {
			t.Fatalf("we accept what encoding/xml does not: %v\n%q", err, body)
		}
		if g := plainOf(got); g.String() != want.String() {
			t.Errorf("got  %v\nwant %v", g, want)
		}
		envelopeAgrees(t, body, got)
	})
}

// FuzzXMLAccepts: the other way round. A document of a push's shape, however it
// spells its values, is accepted whenever encoding/xml accepts it.
func FuzzXMLAccepts(f *testing.F) {
	f.Add("ToUserName", "gh_1", "Content", "a]]b &amp; <c> \r\n", "\n", true)
	f.Add("a", "", "b", "&#x1F600;&#13;", " ", false)
	f.Add("PicList", "<item>1</item>", "b", "&#65", "\t", false)
	f.Fuzz(func(t *testing.T, name1, text1, name2, text2, gap string, cdata bool) {
		if cdata {
			text1, text2 = "<![CDATA["+text1+"]]>", "<![CDATA["+text2+"]]>"
		}
		body := "<xml>" + gap + "<" + name1 + ">" + text1 + "</" + name1 + ">" + gap +
			"<" + name2 + ">" + text2 + "</" + name2 + ">" + gap + "</xml>"
		want, oracleErr := xmlOracle([]byte(body))
		got, err := wxmsg.Read([]byte(body))
		switch {
		case oracleErr == nil && err != nil && !bounded(err) && !longReference(body):
			t.Fatalf("got %v for what encoding/xml accepts: %q", err, body)
		case oracleErr != nil && err == nil:
			t.Fatalf("we accept what encoding/xml does not (%v): %q", oracleErr, body)
		case err == nil && plainOf(got).String() != want.String():
			t.Errorf("got  %v\nwant %v", plainOf(got), want)
		}
	})
}

// longReference finds &#0000000000000065; which nobody writes and we don't read.
func longReference(body string) bool {
	for _, part := range strings.Split(body, "&#")[1:] {
		if n := strings.IndexByte(part, ';'); n > 14 {
			return true
		}
	}
	return false
}

// FuzzJSON: we accept exactly what encoding/json accepts, with the same values,
// but for invalid UTF-8, which it replaces and we refuse.
func FuzzJSON(f *testing.F) {
	for _, s := range append(goodJSON, badJSON...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, oracleErr := jsonOracle(body)
		got, err := wxmsg.Read(body)
		switch {
		case err != nil:
			known(t, err)
			if oracleErr == nil && utf8.Valid(body) && !bounded(err) {
				t.Fatalf("got %v for what encoding/json accepts: %q", err, body)
			}
			return
		case strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(body), "\ufeff"), " \t\r\n"), "<"):
			return // XML, which has its own target
		case oracleErr != nil:
			t.Fatalf("we accept what encoding/json does not: %v\n%q", oracleErr, body)
		}
		if g := plainOf(got); g.String() != want.String() {
			t.Errorf("got  %v\nwant %v", g, want)
		}
		envelopeAgrees(t, body, got)
	})
}

// envelopeAgrees: the fast path sees what the tree has.
func envelopeAgrees(t *testing.T, body []byte, n wxmsg.Node) {
	t.Helper()
	count := map[string]int{}
	for kid := range n.Children() {
		count[kid.Name()]++
	}
	e, err := wxmsg.ReadEnvelope(body)
	if count["ToUserName"] > 1 || count["AppId"] > 1 || count["Encrypt"] > 1 || count["MsgType"] > 1 {
		if !errors.Is(err, wxmsg.ErrDuplicate) {
			t.Errorf("ReadEnvelope: got %v, want ErrDuplicate", err)
		}
		return
	}
	if err != nil || string(e.ToUserName) != n.Get("ToUserName") || string(e.AppID) != n.Get("AppId") || string(e.Encrypt) != n.Get("Encrypt") ||
		string(e.MsgType) != n.Get("MsgType") {
		t.Errorf("ReadEnvelope: got %q, %v; want what Read gives", e, err)
	}
}

func known(t *testing.T, err error) {
	t.Helper()
	if !bounded(err) && !errors.Is(err, wxmsg.ErrSyntax) {
		t.Errorf("got an error of no known class: %v", err)
	}
}

// FuzzReply: whatever a reply holds, both of its formats read back the same.
func FuzzReply(f *testing.F) {
	f.Add("oUser", "gh_1", int64(1700000000), "test1@test")
	f.Add("]]>", "<a&b>", int64(-1), "]]]]>>\x00\xff\u2028\"\\")
	f.Fuzz(func(t *testing.T, to, from string, at int64, kf string) {
		tr := wxmsg.Transfer{To: to, From: from, Time: at, KfAccount: kf}
		x, err := wxmsg.Read(wxmsg.TransferReply(account.XML, tr))
		if err != nil {
			t.Fatalf("XML: %v", err)
		}
		if err := xml.Unmarshal(wxmsg.TransferReply(account.XML, tr), new(struct{})); err != nil {
			t.Fatalf("encoding/xml: %v", err)
		}
		j, err := wxmsg.Read(wxmsg.TransferReply(account.JSON, tr))
		if err != nil {
			t.Fatalf("JSON: %v", err)
		}
		for _, path := range [][]string{{"ToUserName"}, {"FromUserName"}, {"CreateTime"}, {"MsgType"}, {"TransInfo", "KfAccount"}} {
			want := lineEnds(j.Get(path...))
			if got := x.Get(path...); got != want {
				t.Errorf("%v: got %q in XML, %q in JSON", path, got, want)
			}
		}
	})
}

// lineEnds is what a text becomes in XML: some characters can't be in it, and
// lines end with a line feed.
func lineEnds(s string) string {
	s = strings.Map(func(c rune) rune {
		if (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0xFFFE || c == 0xFFFF {
			return '\uFFFD'
		}
		return c
	}, s)
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
