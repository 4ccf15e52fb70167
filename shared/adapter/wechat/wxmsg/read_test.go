package wxmsg_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kefu/shared/adapter/wechat/wxmsg"
)

var goodXML = []string{
	"<xml></xml>", "<xml/>", "<xml />", "\ufeff<xml/>", " \r\n\t<xml></xml >\n",
	`<?xml version="1.0"?><xml/>`, `<?xml version='1.0' encoding='utf-8' standalone="yes" ?>` + "\n<xml/>",
	"<xml><A>1</A><A>2</A></xml>", "<xml><A><B><item>1</item><item/></B></A></xml>",
	"<xml><ToUserName><![CDATA[gh_1]]></ToUserName>\n<Encrypt><![CDATA[abc=]]></Encrypt></xml>",
	"<xml><C>a&lt;b&gt;c&amp;d&apos;e&quot;f&#65;&#x42;&#x1F600;&#xD83D;</C></xml>",
	"<xml><C><![CDATA[<a href=\"x\">]]</a>&amp;]]></C></xml>", "<xml><C>a<![CDATA[b]]>c<![CDATA[]]>d</C></xml>",
	"<xml><C>1\r2\r\n3\n4\r\r\n</C><D><![CDATA[\r\n]]>\n</D></xml>", "<xml><C>&#13;\n</C></xml>",
	"<xml><C>你好😀 ]] ></C></xml>", "<xml>\n<![CDATA[ ]]><A/>\n</xml>", "<xml>text</xml>",
	"<xml><A><![CDATA[x]]></A ><B ><![CDATA[y]]></B></xml>", "<xml><A><![CDATA[]]></A><B><![CDATA[]]]></B></xml>",
	"<xml><A><![CDATA[1]2]]></A><B><![CDATA[a]]>b</B><C><![CDATA[a\tb\r\n\n]]></C></xml>",
	"<xml><A>1</A ><B>-.</B><C>1 </C><D>1&#50;</D><E>1<![CDATA[2]]></E><F></F></xml>",
	"<xml><C><![CDATA[你好，我的订单（１）？\ue000\uf8ff\ufeff\ufffd]]></C><D>，。！</D></xml>",
}

var badXML = []string{
	"<", "<xml", "<xml>", "<xml></xml", "<xml></xm>", "<a/>", "<xml/><xml/>", "<xml/>x", "x<xml/>", "</xml>", "<xml></xml>>",
	`<!DOCTYPE xml><xml/>`, `<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>`,
	`<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>`, "<xml><!DOCTYPE a></xml>", "<xml><!ENTITY a 'b'></xml>",
	`<?php x?><xml/>`, "<xml><?a b?></xml>", `<?xml version="1.0"?><?xml version="1.0"?><xml/>`, "<?xml?><xml/>", "<xml/><?a?>",
	`<?xml version="1.1"?><xml/>`, `<?xml version="1.0" encoding="gbk"?><xml/>`, `<?xml encoding="utf-8"?><xml/>`, `<?xml version="1.0"`,
	`<?xml version="1.0" standalone="maybe"?><xml/>`, `<?xmlversion="1.0"?><xml/>`,
	"<!-- c --><xml/>", "<xml><!-- c --></xml>", "<xml a='b'/>", "<xml><A b='c'>d</A></xml>", "<x:xml/>",
	"<xml>&foo;</xml>", "<xml>&amp</xml>", "<xml>&</xml>", "<xml>&#0;</xml>", "<xml>&#xFFFE;</xml>", "<xml>&#x110000;</xml>", "<xml>&#X41;</xml>",
	"<xml>&#-1;</xml>", "<xml>&#+65;</xml>", "<xml>&#6_5;</xml>", "<xml>&#;</xml>", "<xml>&#x;</xml>", "<xml>&;</xml>", "<xml>&#99999999999999999999;</xml>",
	"<xml>]]></xml>", "<xml><![CDATA[a</xml>", "<xml><![CDATA[a]]</xml>", "<xml><![cdata[a]]></xml>", "<xml><![IGNORE[a]]></xml>",
	"<xml>\x00</xml>", "<xml>\x08</xml>", "<xml>\xff</xml>", "<xml>\xed\xa0\x80</xml>", "<xml><![CDATA[\x01]]></xml>", "<xml>\uffff</xml>",
	"<xml><A></B></xml>", "<xml><A></xml></A>", "<xml><A>1<B/></A></xml>", "<xml><A/>1</xml>", "<xml>1<A/></xml>", "<xml><1/></xml>", "<xml>< A/></xml>",
	"<xml><A><![CDATA[x]]></B></xml>", "<xml><A><![CDATA[x]]></AB></xml>", "<xml><A><![CDATA[x]]></A", "<xml><A><![CDATA[x]></A></xml>",
	"<xml><A><![CDATA[x</A></xml>", "<xml><A>1</AB></xml>", "<xml><A>1</", "<xml><A>1</A", "<xml><A>1]]></A></xml>", "<xml><A><![CDATA[\ufffe]]></A></xml>", "<xml><A><![CDATA[\xef\xbc]]></A></xml>", "<xml><A><![CDATA[\xef\xbc\xc0]]></A></xml>",
	" <?xml version=\"1.0\"?><xml/>", "\ufeff\n<?xml version=\"1.0\"?><xml/>",
	"<xml><A / ></xml>", "<xml><你/></xml>", "<xml\x00/>",
}

var goodJSON = []string{
	"{}", " {} ", "\ufeff{}", "\r\n\t{ }", `{"A":1,"A":2}`, `{"a":{"b":[1,"2",{"c":null}]}}`, `{"":""}`, `{"a":[]}`, `{"a":[[],[[]]]}`,
	`{"ToUserName":"gh_1","Encrypt":"a\/b="}`, `{"a":"\"\\\/\b\f\n\r\t\u4f60\ud83d\ude00"}`, `{"a":"\ud83d","b":"\ude00\ud83d\u0041"}`,
	`{"a":-0.5e+10,"b":0,"c":-0,"d":1E-2,"e":23637352235060881,"f":1e999}`, `{"a":true , "b" :false,"c": null}`, `{"你好":"😀` + "\uffff" + `"}`,
	`{"\u0041":"\u0000"}`, "{\"a\":\"\x7f\"}",
}

var badJSON = []string{
	"", "  ", "\ufeff", "[]", "1", `"a"`, "null", "{", "}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{"a":1}x`, `{}{}`, `{"a":[1,]}`,
	`{"a":[1`, `{"a":[,1]}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":1e+}`, `{"a":-}`, `{"a":0x10}`, `{"a":NaN}`, `{"a":tru}`, `{"a":truex}`, `{"a":nul}`,
	`{"a":"`, `{"a":"\`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, "{\"a\":\"\n\"}", "{\"a\":\"\t\\n\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\\n\xff\"}",
	"{\"a\xff\":1}", `{/*c*/}`, "\xff\xfe{}", `{"a":1}` + "\x00", "\u00a0{}",
}

func TestReadAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, s := range goodXML {
		want, err := xmlOracle([]byte(s))
		if err != nil {
			t.Errorf("encoding/xml refuses %q: %v", s, err)
		}
		got, err := wxmsg.Read([]byte(s))
		if err != nil || plainOf(got).String() != want.String() {
			t.Errorf("%q:\ngot  %v, %v\nwant %v", s, plainOf(got), err, want)
		}
	}
	for _, s := range goodJSON {
		want, err := jsonOracle([]byte(s))
		if err != nil {
			t.Errorf("encoding/json refuses %q: %v", s, err)
		}
		got, err := wxmsg.Read([]byte(s))
		if err != nil || plainOf(got).String() != want.String() {
			t.Errorf("%q:\ngot  %v, %v\nwant %v", s, plainOf(got), err, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range append(badXML, badJSON...) {
		if n, err := wxmsg.Read([]byte(s)); !errors.Is(err, wxmsg.ErrSyntax) {
			t.Errorf("%q: got %v, %v; want ErrSyntax", s, plainOf(n), err)
		}
		if _, err := wxmsg.ReadEnvelope([]byte(s)); !errors.Is(err, wxmsg.ErrSyntax) {
			t.Errorf("%q: ReadEnvelope: got %v, want ErrSyntax", s, err)
		}
	}
}

// TestEveryPrefixIsRefused: a body that was cut anywhere is no body.
func TestEveryPrefixIsRefused(t *testing.T) {
	t.Parallel()
	for _, whole := range []string{
		`<?xml version="1.0"?><xml><A><![CDATA[1]]></A><B>&lt;&#65;</B><C><item/></C></xml>`,
		`{"A":"1\n\u0041","B":[1.5e3,true,null],"C":{"D":"你"}}`,
	} {
		for n := range len(whole) {
			if _, err := wxmsg.Read([]byte(whole[:n])); !errors.Is(err, wxmsg.ErrSyntax) {
				t.Errorf("%q: got %v, want ErrSyntax", whole[:n], err)
			}
		}
		if _, err := wxmsg.Read([]byte(whole)); err != nil {
			t.Errorf("the whole: got %v", err)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	nested := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	fill := func(n int) string { return strings.Repeat("a", n) }
	tests := []struct {
		name, body string
		want       error
	}{
		{"XML as deep as can be", "<xml>" + nested("<a>", "", "</a>", wxmsg.MaxDepth-1) + "</xml>", nil},
		{"XML deeper", "<xml>" + nested("<a>", "", "</a>", wxmsg.MaxDepth) + "</xml>", wxmsg.ErrTooDeep},
		{"XML very deep", "<xml>" + strings.Repeat("<a>", 100000), wxmsg.ErrTooDeep},
		{"JSON as deep as can be", `{"a":` + nested("[", "1", "]", wxmsg.MaxDepth-2) + "}", nil},
		{"JSON deeper", `{"a":` + nested("[", "1", "]", wxmsg.MaxDepth-1) + "}", wxmsg.ErrTooDeep},
		{"JSON very deep", strings.Repeat(`{"a":`, 100000), wxmsg.ErrTooDeep},
		{"XML with many", "<xml>" + strings.Repeat("<a/>", wxmsg.MaxNodes-1) + "</xml>", nil},
		{"XML with too many", "<xml>" + strings.Repeat("<a/>", wxmsg.MaxNodes) + "</xml>", wxmsg.ErrTooMany},
		{"JSON with many", `{"a":[1` + strings.Repeat(",1", wxmsg.MaxNodes-3) + `]}`, nil},
		{"JSON with too many", `{"a":[1` + strings.Repeat(",1", wxmsg.MaxNodes-2) + `]}`, wxmsg.ErrTooMany},
		{"XML as large as can be", "<xml>" + fill(wxmsg.MaxSize-len("<xml></xml>")) + "</xml>", nil},
		{"XML larger", "<xml>" + fill(wxmsg.MaxSize-len("<xml></xml>")+1) + "</xml>", wxmsg.ErrTooLarge},
		{"JSON larger", `{"a":"` + fill(wxmsg.MaxSize) + `"}`, wxmsg.ErrTooLarge},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := wxmsg.Read([]byte(tc.body)); !errors.Is(err, tc.want) {
				t.Errorf("Read: got %v, want %v", err, tc.want)
			}
			if _, err := wxmsg.ReadEnvelope([]byte(tc.body)); !errors.Is(err, tc.want) {
				t.Errorf("ReadEnvelope: got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestErrorsDoNotQuote(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	for _, s := range []string{
		"<xml>&" + secret + ";</xml>", "<" + secret + "/>", "<xml><a>" + secret + "<b/></a></xml>", "<xml><" + secret + "></xml>",
		`{"a":` + secret + `}`, `{"` + secret + `"}`,
	} {
		if _, err := wxmsg.Read([]byte(s)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v; want an error without the text", s, err)
		}
	}
}

func TestNode(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"<xml><MsgId>23637352235060881</MsgId><Dup>1</Dup><Dup>2</Dup><P><Count>2</Count><L><item><M>x</M></item><item><M>y</M></item></L></P></xml>",
		`{"MsgId":23637352235060881,"Dup":"1","Dup":"2","P":{"Count":2,"L":[{"M":"x"},{"M":"y"}]}}`,
	} {
		n, err := wxmsg.Read([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{
			"MsgId": "23637352235060881", "Dup": "1", "P": "", "P/Count": "2", "P/L/item/M": "x", "P/L/none": "", "none/x": "", "msgid": "",
		} {
			if got := n.Get(strings.Split(path, "/")...); got != want {
				t.Errorf("Get %s: got %q, want %q", path, got, want)
			}
		}
		var seen []string
		for kid := range n.Child("P").Child("L").Children() {
			seen = append(seen, kid.Get("M"))
		}
		if got := fmt.Sprint(seen); got != "[x y]" {
			t.Errorf("Children: got %s, want [x y]", got)
		}
		for range n.Children() {
			break // must not go on
		}
		if n.Name() != "xml" || n.Leaf() || !n.Child("MsgId").Leaf() {
			t.Errorf("got name %q, leaf %v, leaf %v", n.Name(), n.Leaf(), n.Child("MsgId").Leaf())
		}
	}
	var none wxmsg.Node
	if none.Name() != "" || none.Get() != "" || none.Get("a", "b") != "" || !none.Leaf() {
		t.Error("the zero Node is not empty")
	}
	for range none.Children() {
		t.Error("the zero Node has children")
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		to, app    string
		encrypt    string
		err        error
	}{
		{"secure XML", "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[ab+/=]]></Encrypt></xml>", "gh_1", "", "ab+/=", nil},
		{"secure JSON", `{"ToUserName":"gh_1","Encrypt":"ab+\/="}`, "gh_1", "", "ab+/=", nil},
		{"component", "<xml><AppId>wx1</AppId><Encrypt>ab</Encrypt></xml>", "", "wx1", "ab", nil},
		{"plain", "<xml><ToUserName>gh_1</ToUserName><Content>x</Content></xml>", "gh_1", "", "", nil},
		{"only the outermost level counts", "<xml><A><Encrypt>ab</Encrypt></A></xml>", "", "", "", nil},
		{"Encrypt twice", "<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>", "", "", "", wxmsg.ErrDuplicate},
		{"Encrypt twice, first empty", `{"Encrypt":"","Encrypt":"b"}`, "", "", "", wxmsg.ErrDuplicate},
		{"ToUserName twice", `{"ToUserName":"a","Encrypt":"x","ToUserName":"b"}`, "", "", "", wxmsg.ErrDuplicate},
		{"AppId twice", "<xml><AppId/><AppId/></xml>", "", "", "", wxmsg.ErrDuplicate},
		{"MsgType twice", "<xml><MsgType/><MsgType/></xml>", "", "", "", wxmsg.ErrDuplicate},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, err := wxmsg.ReadEnvelope([]byte(tc.body))
			if !errors.Is(err, tc.err) || string(e.ToUserName) != tc.to || string(e.AppID) != tc.app || string(e.Encrypt) != tc.encrypt {
				t.Errorf("got %q, %v; want %q %q %q, %v", e, err, tc.to, tc.app, tc.encrypt, tc.err)
			}
		})
	}
}

// TestManySections: a text of very many sections is put together in one go. Were it
// copied for each of them, this would take gigabytes.
func TestManySections(t *testing.T) {
	t.Parallel()
	const section = "<![CDATA[a]]>&lt;\r"
	n := (wxmsg.MaxSize - len("<xml></xml>")) / len(section)
	node, err := wxmsg.Read([]byte("<xml>" + strings.Repeat(section, n) + "</xml>"))
	if want := strings.Repeat("a<\n", n); err != nil || node.Text() != want {
		t.Errorf("got %d bytes, %v; want %d", len(node.Text()), err, len(want))
	}
}

func TestEnvelopeAllocatesNothing(t *testing.T) { //nolint:paralleltest // counts allocations of the whole process
	for _, body := range [][]byte{
		[]byte("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[ab+/=]]></Encrypt></xml>"), []byte(`{"ToUserName":"gh_1","Encrypt":"ab+/="}`),
	} {
		if got := testing.AllocsPerRun(100, func() {
			if _, err := wxmsg.ReadEnvelope(body); err != nil {
				t.Error(err)
			}
		}); got > 0 {
			t.Errorf("%s: got %v allocations, want 0", body, got)
		}
	}
}
