package wxmsg_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"kefu/shared/adapter/wechat/wxmsg"
)

// A text message of 600 bytes, and its envelope.
var (
	benchText = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n<FromUserName><![CDATA[oExampleOpenId_-0123456789AB]]></FromUserName>\n" +
		"<CreateTime>1700000000</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[" + strings.Repeat("你好, when will it come? ", 12) +
		"]]></Content>\n<MsgId>23637352235060881</MsgId>\n</xml>"
	benchOuter = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><Encrypt><![CDATA[" + strings.Repeat("aB3+", 230) + "]]></Encrypt></xml>"
)

func BenchmarkRead(b *testing.B) {
	body := []byte(benchText)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := wxmsg.Read(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	body := []byte(benchText)
	index := func(name []byte) int {
		switch string(name) {
		case "FromUserName":
			return 0
		case "CreateTime":
			return 1
		case "MsgId":
			return 2
		}
		return -1
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		var texts [3][]byte
		if err := wxmsg.Pick(body, texts[:], index); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadEnvelope(b *testing.B) {
	body := []byte(benchOuter)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := wxmsg.ReadEnvelope(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodingXML is the same text with the standard library.
func BenchmarkEncodingXML(b *testing.B) {
	body := []byte(benchText)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		var m struct {
			ToUserName, FromUserName, MsgType, Content, MsgID string
			CreateTime                                        int64
		}
		if err := xml.Unmarshal(body, &m); err != nil {
			b.Fatal(err)
		}
	}
}
