package wechat_test

import (
	"strings"
	"testing"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/core/account"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	secure, compat, plain := secureAccount(account.XML), secureAccount(account.XML), secureAccount(account.XML)
	compat.Mode, plain.Mode = account.Compatible, account.Plaintext
	fields := matrixFields[account.XML]
	const otherKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	tests := []struct {
		name  string
		acc   account.Account
		spoil func(*delivery)
		code  string
	}{
		{"no query", secure, func(d *delivery) { d.query = nil }, wechat.CodeUnsigned},
		{"no msg_signature", secure, func(d *delivery) { d.query.Del("msg_signature") }, wechat.CodeBody},
		{"signature offered as msg_signature", secure, func(d *delivery) { d.query.Set("msg_signature", d.query.Get("signature")) }, wechat.CodeBody},
		{"wrong signature beside a good msg_signature", secure, func(d *delivery) { d.query.Set("signature", strings.Repeat("0", 40)) }, wechat.CodeSignature},
		{"empty signature beside a good msg_signature", secure, func(d *delivery) { d.query.Set("signature", "") }, wechat.CodeSignature},
		{"other timestamp", secure, func(d *delivery) { d.query.Set("timestamp", "1700000001") }, wechat.CodeSignature},
		{"other token", secure, func(d *delivery) { d.acc.Token = "another" }, wechat.CodeSignature},
		{"no token", secure, func(d *delivery) { d.acc.Token = "" }, wechat.CodeSignature},
		{"Encrypt changed", secure, func(d *delivery) { d.body = strings.Replace(d.body, "[CDATA[", "[CDATA[A", 2) }, wechat.CodeBody},
		{"plain push to a secure account", secure, func(d *delivery) { d.body = "<xml>" + fields + "</xml>" }, wechat.CodeMode},
		{"empty Encrypt", secure, func(d *delivery) { d.body = "<xml><Encrypt/></xml>" }, wechat.CodeMode},
		{"msg_signature alone, of another token", secure, func(d *delivery) { d.query.Del("signature"); d.acc.Token = "another" }, wechat.CodeSignature},
		{"plain push with a wrong signature", secure, func(d *delivery) {
			d.body = "<xml>" + fields + "</xml>"
			d.query.Set("signature", strings.Repeat("0", 40))
		}, wechat.CodeSignature},
		{"truncated, with a wrong signature", secure, func(d *delivery) {
			d.body = d.body[:len(d.body)-1]
			d.query.Set("signature", strings.Repeat("0", 40))
		}, wechat.CodeSignature},
		{"truncated, unsigned", secure, func(d *delivery) { d.body, d.query = d.body[:len(d.body)-1], nil }, wechat.CodeUnsigned},
		{"another app id", secure, func(d *delivery) { d.acc.AppID = "wxother" }, wechat.CodeAppID},
		{"another key", secure, func(d *delivery) { d.acc.AESKey = otherKey }, wechat.CodePadding},
		{"two other keys", secure, func(d *delivery) { d.acc.AESKey, d.acc.AESKeyPrevious = otherKey, previousKey }, wechat.CodePadding},
		{"no key", secure, func(d *delivery) { d.acc.AESKey = "" }, wechat.CodeKey},
		{"another account, said outside", secure, func(d *delivery) { d.body = strings.Replace(d.body, "gh_0123456789ab", "gh_other", 1) }, wechat.CodeOriginalID},
		{"another account, said inside", secure, func(d *delivery) {
			*d = deliver(t, d.acc, currentKey, strings.Replace(fields, "gh_0123456789ab", "gh_other", 1))
		}, wechat.CodeOriginalID},
		{"truncated", secure, func(d *delivery) { d.body = d.body[:len(d.body)-1] }, wechat.CodeEnvelope},
		{"empty body", secure, func(d *delivery) { d.body = "" }, wechat.CodeEnvelope},
		{"document type", secure, func(d *delivery) { d.body = `<!DOCTYPE xml [<!ENTITY a "b">]>` + d.body }, wechat.CodeEnvelope},
		{"entity", secure, func(d *delivery) { d.body = strings.Replace(d.body, "<Encrypt>", "<a>&bomb;</a><Encrypt>", 1) }, wechat.CodeEnvelope},
		{"deep", secure, func(d *delivery) {
			d.body = strings.Replace(d.body, "<Encrypt>", strings.Repeat("<a>", 9)+strings.Repeat("</a>", 9)+"<Encrypt>", 1)
		}, wechat.CodeEnvelope},
		{"Encrypt twice", secure, func(d *delivery) { d.body = strings.Replace(d.body, "<Encrypt>", "<Encrypt>A</Encrypt><Encrypt>", 1) }, wechat.CodeEnvelope},
		{"probe of cloud hosting", secure, func(d *delivery) { *d = delivery{acc: d.acc, body: `{"action":"CheckContainerPath"}`} }, wechat.CodeUnsigned},
		{"compatible: bad msg_signature, good signature", compat, func(d *delivery) { d.query.Set("msg_signature", strings.Repeat("0", 40)) }, wechat.CodeBody},
		{"compatible: no msg_signature, good signature", compat, func(d *delivery) { d.query.Del("msg_signature") }, wechat.CodeBody},
		{"compatible: no encrypted copy", compat, func(d *delivery) {
			d.body = "<xml>" + fields + "</xml>"
			d.query.Del("encrypt_type")
			d.query.Del("msg_signature")
		}, wechat.CodeMode},
		{"compatible: encrypted copy of another app id", compat, func(d *delivery) { d.acc.AppID = "wxother" }, wechat.CodeAppID},
		{"plaintext: no signature", plain, func(d *delivery) { d.query.Del("signature") }, wechat.CodeUnsigned},
		{"plaintext: wrong signature", plain, func(d *delivery) { d.query.Set("signature", strings.Repeat("0", 40)) }, wechat.CodeSignature},
		{"plaintext: no token", plain, func(d *delivery) {
			d.acc.Token = ""
			d.query.Set("signature", wxcrypt.Signature("", "1700000000", "987654321"))
		}, wechat.CodeSignature},
		{"plaintext: another account", plain, func(d *delivery) { d.acc.OriginalID = "gh_other" }, wechat.CodeOriginalID},
		{"plaintext: says aes, isn't", plain, func(d *delivery) { d.query.Set("encrypt_type", "aes") }, wechat.CodeMode},
		{"plaintext: says aes, unreadable", plain, func(d *delivery) { d.query.Set("encrypt_type", "aes"); d.body = "<" }, wechat.CodeEnvelope},
		{"plaintext: encrypted, without a key", plain, func(d *delivery) {
			*d = deliver(t, secure, currentKey, fields)
			d.acc.Mode, d.acc.AESKey = account.Plaintext, ""
		}, wechat.CodeKey},
		{"plaintext: encrypted, signature of three parts", plain, func(d *delivery) {
			*d = deliver(t, secure, currentKey, fields)
			d.acc.Mode = account.Plaintext
			d.query.Del("msg_signature")
		}, wechat.CodeBody},
		{"plaintext: probe of cloud hosting", plain, func(d *delivery) {
			*d = delivery{acc: d.acc, body: `<xml><action>CheckContainerPath</action></xml>`}
		}, wechat.CodeUnsigned},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := deliver(t, tc.acc, currentKey, fields)
			var inbox wechat.Inbox
			if _, err := inbox.Open(d.acc, d.query, []byte(d.body), arrival); err != nil {
				t.Fatalf("before it is spoilt: got %v", err)
			}
			tc.spoil(&d)
			p, err := inbox.Open(d.acc, d.query, []byte(d.body), arrival)
			checkRefusal(t, tc.name, err, tc.code)
			if p.Body != nil || p.Key != "" || p.Customer != "" {
				t.Errorf("a refused push came back: %+v", p)
			}
		})
	}
}

// TestManyAtOnce: one Inbox serves every account at the same time, more of them than
// it keeps keys for.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const accounts, workers = 1100, 4
	var inbox wechat.Inbox
	d := deliver(t, secureAccount(account.JSON), previousKey, matrixFields[account.JSON])
	done := make(chan error, workers)
	for range workers {
		go func() {
			for i := range accounts {
				acc := d.acc // each with a current key of its own, and the one that was used
				acc.AESKey = account.Secret(strings.Repeat("A", 40) + string([]byte{'A' + byte(i/26%26), 'a' + byte(i%26), 'A' + byte(i/676)}))
				acc.AESKeyPrevious = previousKey
				if p, err := inbox.Open(acc, d.query, []byte(d.body), arrival); err != nil || p.Customer != "oUser" {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			t.Errorf("got %v", err)
		}
	}
}
