package wechat

import (
	"bytes"
	"crypto/rand"
	"io"
	"strconv"
	"time"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// CodeNoAddress is the code of a push to which no answer can be addressed.
const CodeNoAddress = "no-address"

// HandOver writes the answer to a push that hands the customer's message to the
// platform's own tool (transfer_customer_service). It is for messages alone: whether the
// push is one, [Inbox.Read] says.
//
// The platform takes the answer if it is made as the push was: in the same format, with
// sender and receiver swapped, and encrypted with the same key if the push was encrypted.
// (In compatible mode it would take a plain one as well.) So the push is asked for all of
// these rather than the account's settings, which may be a minute behind the console. The
// answer is dated at, and an Official Account may name the tool's agent who shall have
// the customer.
//
// Errors: Invalid with code "no-address" if the push has no sender or receiver, Internal
// if there is no randomness or the key isn't usable; neither is a reason to refuse the push.
//
// Pages "Message push" (消息推送), on answers, and "Transfer customer messages" (消息转发).
func (in *Inbox) HandOver(acc account.Account, o message.Opened, at time.Time) ([]byte, error) {
	body := o.Body
	from, to, err := addresses(body)
	if err != nil { // Open and Read mend such a body, so it may be a message
		body = mend(body)
		from, to, err = addresses(body)
	}
	if err != nil || from == "" || to == "" {
		return nil, fault.New(fault.Invalid, CodeNoAddress, "the push has no sender or no receiver")
	}
	t := wxmsg.Transfer{To: from, From: to, Time: at.Unix()}
	if acc.Channel == account.Official {
		t.KfAccount = acc.Settings.Routing.External.KfAccount
	}
	format := formatOf(body)
	answer := wxmsg.TransferReply(format, t)
	if o.AESKey == "" {
		return answer, nil
	}
	return in.seal(acc, o, format, answer, at)
}

// seal encrypts an answer with the key that opened the push.
func (in *Inbox) seal(acc account.Account, o message.Opened, format account.Format, answer []byte, at time.Time) ([]byte, error) {
	key, err := in.keys.get(o.AESKey)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, CodeKey, err)
	}
	source := in.Random
	if source == nil {
		source = rand.Reader
	}
	var salt [16]byte
	if _, err := io.ReadFull(source, salt[:]); err != nil {
		return nil, fault.Wrap(fault.Internal, "random", err)
	}
	e := wxmsg.Encrypted{Encrypt: key.Encrypt(salt, answer, acc.AppID), Time: at.Unix(), Nonce: o.Nonce}
	e.Signature = wxcrypt.Signature(acc.Token.Reveal(), strconv.FormatInt(e.Time, 10), e.Nonce, e.Encrypt)
	return wxmsg.EncryptedReply(format, e), nil
}

// addresses reads who wrote a push, and to whom.
func addresses(body []byte) (from, to string, err error) {
	var f [identityFields][]byte
	if err := wxmsg.Pick(body, f[:], identityField); err != nil {
		return "", "", err
	}
	return string(f[fieldFrom]), string(f[fieldTo]), nil
}

// formatOf tells in which format a push that can be read is written.
func formatOf(body []byte) account.Format {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if body = bytes.TrimLeft(body, " \t\r\n"); len(body) > 0 && body[0] == '{' {
		return account.JSON
	}
	return account.XML
}
