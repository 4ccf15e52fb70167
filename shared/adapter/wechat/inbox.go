package wechat

import (
	"errors"
	"io"
	"net/url"
	"time"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// MaxBody is the largest body of a push that is looked at, in bytes.
const MaxBody = wxmsg.MaxSize

// Codes of refusals. They say in the log, and to the doctor, which check failed; whoever
// called is told the same for all of them.
const (
	CodeUnsigned   = string(doctor.Unsigned)        // neither signature nor msg_signature
	CodeSignature  = string(doctor.WrongToken)      // signature does not hold, or msg_signature where it is alone
	CodeBody       = string(doctor.WrongBody)       // signature holds, msg_signature is missing or does not
	CodeEcho       = string(doctor.NoEcho)          // the address check has no echostr
	CodeMode       = string(doctor.Unencrypted)     // signature holds; not encrypted, against the account's mode
	CodeEnvelope   = string(doctor.BadEnvelope)     // signature holds, and the outer body can't be read
	CodeKey        = string(doctor.NoKey)           // the account has no usable AES key
	CodeBase64     = string(doctor.NotBase64)       // Encrypt is not base64
	CodeLength     = string(doctor.WrongLength)     // the ciphertext has an impossible length
	CodePadding    = string(doctor.WrongKey)        // decrypted to nonsense: mostly another key
	CodeAppID      = string(doctor.WrongAppID)      // encrypted for another app id, which is in a doctor.Mismatch
	CodeOriginalID = string(doctor.WrongOriginalID) // addressed to another account, likewise
	CodeOversized  = string(doctor.Oversized)       // more than MaxBody; the only one with a status of its own, 413
	CodeUnreadable = string(doctor.Unreadable)      // of Read: neither XML nor JSON of a push
)

// Inbox takes in what the platform sends to a callback address. The zero value is
// ready; it must not be copied after its first use. Several goroutines may use it
// at once.
type Inbox struct {
	// Random salts sealed answers. Default: the system's cryptographic source.
	Random io.Reader

	keys keyring
}

// errBare is the cause of refusals that have no other.
var errBare = errors.New("wechat: callback refused")

// refuse is the one shape of refusals: Denied, with the code for the log.
func refuse(code string, cause error) error { return fault.Wrap(fault.Denied, code, cause) }

// Echo answers the platform's check of the callback address (GET): the text that
// must be sent back, to the byte. In every mode the check has the signature of
// three parts and a plain echostr. A check that isn't the platform's is Denied.
//
// Page "Message push" (消息推送), URL verification.
func (*Inbox) Echo(acc account.Account, query url.Values) (string, error) {
	sign := proofOf(query)
	if !sign.request(acc.Token) {
		return "", sign.refuse(acc.Token, CodeSignature, wxcrypt.ErrSignature)
	}
	echo := query.Get("echostr")
	if echo == "" {
		return "", refuse(CodeEcho, errBare)
	}
	return echo, nil
}

// Open verifies and decrypts a push (POST) and reads just enough of it to queue
// it: whose it is and which. The push's Body may refer to body. What comes with the
// push is for [Inbox.HandOver].
//
// A push that doesn't prove to be the platform's is Denied with one of the codes
// above; one of more than [MaxBody] bytes is Invalid with status 413. A push that
// is the platform's and can't be read is no error: it is kept with an empty
// Customer, under the hash of its body.
//
// How a push proves itself depends on the account's mode, see [Inbox.plaintext],
// and whatever the mode it must not be addressed to another OriginalID, if the account's
// own is known. Its age is no reason to refuse it: retries and redeliveries are old.
func (in *Inbox) Open(acc account.Account, query url.Values, body []byte, receivedAt time.Time) (message.Opened, error) {
	if len(body) > MaxBody {
		return message.Opened{}, fault.WithStatus(fault.New(fault.Invalid, CodeOversized, "The body is larger than 1 MiB."), 413)
	}
	inner, err := in.plaintext(&acc, query, body)
	if err != nil {
		return message.Opened{}, err
	}
	id, err := identify(inner.text)
	if err != nil { // Read mends such a body, and must find the same customer and key
		id, err = identify(mend(inner.text))
	}
	if err != nil {
		id = identity{key: rawKey(inner.text)}
	} else if acc.OriginalID != "" && len(id.to) > 0 && string(id.to) != acc.OriginalID {
		return message.Opened{}, refuse(CodeOriginalID, &doctor.Mismatch{Found: doctor.ID(id.to)})
	}
	push := message.Push{
		Account: acc.ID, Customer: id.customer, Key: id.key, Body: inner.text, ReceivedAt: receivedAt,
		Mode: inner.mode, Format: formatOf(body), SentAt: sentAt(query.Get("timestamp")),
	}
	return message.Opened{Push: push, AESKey: inner.key, Nonce: query.Get("nonce")}, nil
}
