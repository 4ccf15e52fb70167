package wechat_test

import (
	"testing"
	"unicode/utf8"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// FuzzOpen: no body and no query makes Open panic, and nothing that isn't signed
// gets through. When whole is set the text is sealed and signed well, and gets through.
func FuzzOpen(f *testing.F) {
	good, bad := pushVectors(f)
	for _, v := range append(good, bad...) {
		for mode := range 3 {
			f.Add(uint8(mode), []byte(v.Body), v.Query["signature"], v.Query["msg_signature"], v.Query["encrypt_type"], false)
			f.Add(uint8(mode), []byte(v.Expected.Msg), "", "", "", true)
		}
	}
	modes := []account.Mode{account.Plaintext, account.Compatible, account.Secure}
	f.Fuzz(func(t *testing.T, mode uint8, body []byte, signature, msgSignature, encryptType string, whole bool) {
		acc := secureAccount(account.XML)
		acc.Mode, acc.OriginalID = modes[int(mode)%len(modes)], ""
		query := signedQuery(acc)
		var inbox wechat.Inbox
		if whole {
			query, outer := sealed(t, acc, string(body))
			p, err := inbox.Open(acc, query, outer, arrival)
			if err != nil || string(p.Body) != string(body) || p.Key == "" {
				t.Fatalf("sealed well: got %+v, %v", p, err)
			}
			return
		}
		query.Set("signature", signature)
		query.Set("msg_signature", msgSignature)
		query.Set("encrypt_type", encryptType)
		p, err := inbox.Open(acc, query, body, arrival)
		switch {
		case err == nil && !wxcrypt.Verify(signature, acc.Token.Reveal(), "1700000000", "987654321"):
			t.Errorf("an unsigned push got through: %+v", p)
		case err != nil && fault.KindOf(err) != fault.Denied && fault.CodeOf(err) != wechat.CodeOversized:
			t.Errorf("got %v, want a refusal", err)
		}
	})
}

// FuzzRead: no body makes Read panic, and what it gives is fit to store.
func FuzzRead(f *testing.F) {
	for _, tc := range inboundCases {
		f.Add(tc.push.body(account.XML), tc.channel == official)
		f.Add(tc.push.body(account.JSON), tc.channel == official)
	}
	f.Add([]byte("{}\x11"), false) // mended
	f.Add([]byte("{\"FromUserName\":\"mei\",\"MsgType\":\"text\",\"Content\":\"\x08\",\"MsgId\":1}"), false)
	f.Fuzz(func(t *testing.T, body []byte, isOfficial bool) {
		acc := account.Account{ID: "shop", Channel: mini, Mode: account.Plaintext, Token: "t"}
		if isOfficial {
			acc.Channel = official
		}
		var inbox wechat.Inbox
		p := message.Push{Account: acc.ID, Body: body, ReceivedAt: arrival}
		in, err := inbox.Read(acc, p)
		if err != nil {
			if fault.CodeOf(err) != wechat.CodeUnreadable {
				t.Errorf("got %v, want unreadable", err)
			}
			return
		}
		if in.Key == "" || len(in.Key) > 200 || !utf8.ValidString(in.Key) || len(in.Customer) > 128 {
			t.Errorf("got key %q of customer %q", in.Key, in.Customer)
		}
		if in.Customer == "" && (in.Action != "" || in.FromCustomer) {
			t.Errorf("nobody did %q, from a customer: %v", in.Action, in.FromCustomer)
		}
		if in.Content.Type == message.TypeEvent && in.FromCustomer {
			t.Error("an event counts as a message")
		}
		if ids := in.Content.Media(); len(ids) != len(in.PlatformMedia) {
			t.Errorf("content names %d files, %d are to be kept", len(ids), len(in.PlatformMedia))
		}
		if in.At.IsZero() || in.At.Nanosecond() != 0 {
			t.Errorf("time %v; want whole seconds", in.At)
		}
		// What was signed in plaintext mode is opened under the same key.
		if opened, err := inbox.Open(acc, signedQuery(acc), body, arrival); err == nil && (opened.Key != in.Key || opened.Customer != in.Customer) {
			t.Errorf("Open gave %q of %q, Read %q of %q", opened.Key, opened.Customer, in.Key, in.Customer)
		}
	})
}
