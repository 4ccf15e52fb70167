package wxfake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// This file is a second implementation of the receiving side, on purpose sharing nothing with the package.

// oracleSign is the signature by the fact sheet.
func oracleSign(parts ...string) string {
	slices.Sort(parts)
	h := sha1.New()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// oracleOpen decrypts an Encrypt text and returns the message and the tail.
func oracleOpen(encodingKey, text string) (msg, tail string, err error) {
	key, err := base64.StdEncoding.DecodeString(encodingKey + "=")
	if err != nil {
		return "", "", err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data)%32 != 0 || len(data) == 0 {
		return "", "", fmt.Errorf("base64 of %d bytes: %w", len(data), err)
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return "", "", err
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(c, key[:16]).CryptBlocks(out, data)
	n := int(out[len(out)-1])
	if n < 1 || n > 32 || strings.Count(string(out[len(out)-n:]), string(rune(n))) != n {
		return "", "", fmt.Errorf("bad padding %d", n)
	}
	out = out[16 : len(out)-n]
	size := int(out[0])<<24 | int(out[1])<<16 | int(out[2])<<8 | int(out[3])
	return string(out[4 : 4+size]), string(out[4+size:]), nil
}

// oracleSeal encrypts a passive reply, with a fixed random part.
func oracleSeal(encodingKey, msg, appID string) string {
	key, err := base64.StdEncoding.DecodeString(encodingKey + "=")
	if err != nil {
		return err.Error()
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return err.Error()
	}
	n := len(msg)
	text := "0123456789abcdef" + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + msg + appID
	pad := 32 - len(text)%32
	data := []byte(text + strings.Repeat(string(rune(pad)), pad))
	cipher.NewCBCEncrypter(c, key[:16]).CryptBlocks(data, data)
	return base64.StdEncoding.EncodeToString(data)
}

// pushed is a push as its receiver reads it, with every name of both formats.
type pushed struct {
	XMLName xml.Name `json:"-" xml:"xml"`
	To      string   `json:"ToUserName" xml:"ToUserName"`
	From    string   `json:"FromUserName" xml:"FromUserName"`
	Created int64    `json:"CreateTime" xml:"CreateTime"`
	Type    string   `json:"MsgType" xml:"MsgType"`
	Event   string   `json:"Event" xml:"Event"`
	Key     string   `json:"EventKey" xml:"EventKey"`
	Content string   `json:"Content" xml:"Content"`
	ID      int64    `json:"MsgId" xml:"MsgId"`
	MenuID  string   `json:"bizmsgmenuid" xml:"bizmsgmenuid"`
	Lat     float64  `json:"Location_X" xml:"Location_X"`
	Encrypt string   `json:"Encrypt" xml:"Encrypt"`
	ScanIn  struct {
		Result string `json:"ScanResult" xml:"ScanResult"`
	} `json:"ScanCodeInfo" xml:"ScanCodeInfo"`
}

func readPush(format Format, body string) (p pushed, err error) {
	read := xml.Unmarshal
	if format == JSON {
		read = json.Unmarshal
	}
	err = read([]byte(body), &p)
	return p, err
}

// oracleReceive does all that a server must do with a push, and returns what is in it and its outer fields.
func oracleReceive(a Account, s seen) (inner, outer pushed, err error) {
	q := func(name string) string { return s.query.Get(name) }
	if want := oracleSign(a.Token, q("timestamp"), q("nonce")); q("signature") != want {
		return inner, outer, fmt.Errorf("signature: got %s, want %s", q("signature"), want)
	}
	if outer, err = readPush(a.Format, string(s.body)); err != nil {
		return inner, outer, fmt.Errorf("outer: %w", err)
	}
	if a.Mode == Plaintext {
		for _, name := range []string{"msg_signature", "encrypt_type", "openid"} {
			if q(name) != "" {
				return inner, outer, fmt.Errorf("%s: got %q in plaintext mode", name, q(name))
			}
		}
		return outer, outer, nil
	}
	if want := oracleSign(a.Token, q("timestamp"), q("nonce"), outer.Encrypt); q("msg_signature") != want || q("encrypt_type") != "aes" {
		return inner, outer, fmt.Errorf("msg_signature: got %s and %q, want %s and aes", q("msg_signature"), q("encrypt_type"), want)
	}
	msg, tail, err := oracleOpen(a.AESKey, outer.Encrypt)
	if err != nil || tail != a.AppID {
		return inner, outer, fmt.Errorf("tail: got %q, want %q: %w", tail, a.AppID, err)
	}
	inner, err = readPush(a.Format, msg)
	if err == nil && q("openid") != inner.From {
		err = fmt.Errorf("openid: got %q, want %q", q("openid"), inner.From)
	}
	return inner, outer, err
}

// oracleReply is an encrypted passive reply to a push.
func oracleReply(a Account, query url.Values, doc string) string {
	secret, nonce, stamp := oracleSeal(a.AESKey, doc, a.AppID), query.Get("nonce"), "1713424427"
	sign := oracleSign(a.Token, stamp, nonce, secret)
	if a.Format == JSON {
		return fmt.Sprintf(`{"Encrypt":"%s","MsgSignature":"%s","TimeStamp":%s,"Nonce":"%s"}`, secret, sign, stamp, nonce)
	}
	return fmt.Sprintf("<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature>"+
		"<TimeStamp>%s</TimeStamp><Nonce><![CDATA[%s]]></Nonce></xml>", secret, sign, stamp, nonce)
}
