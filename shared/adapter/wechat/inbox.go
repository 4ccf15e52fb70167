package wechat

import (
	"errors"
	"net/url"
	"time"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// MaxBody is the largest body of a push that is looked at, in bytes.
const MaxBody = wxmsg.MaxSize

// Codes of refusals. They say in the log which check failed; whoever called is
// told the same for all of them.
const (
	CodeSignature  = "signature"   // signature or msg_signature is missing or does not hold
	CodeEcho       = "echostr"     // the address check has no echostr
	CodeMode       = "mode"        // encrypted or not, against the account's mode
	CodeEnvelope   = "envelope"    // the outer body can't be read
	CodeKey        = "aes-key"     // the account has no usable AES key
	CodeBase64     = "base64"      // Encrypt is not base64
	CodeLength     = "length"      // the ciphertext has an impossible length
	CodePadding    = "padding"     // decrypted to nonsense: mostly another key
	CodeAppID      = "appid"       // encrypted for another app id
	CodeOriginalID = "original-id" // addressed to another account
	CodeOversized  = "oversized"   // more than MaxBody; the only one with a status of its own, 413
	CodeUnreadable = "unreadable"  // of Read: neither XML nor JSON of a push
)

// Inbox takes in what the platform sends to a callback address. The zero value is
// ready; it must not be copied after its first use. Several goroutines may use it
// at once.
type Inbox struct {
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
	if sign := proofOf(query); !sign.request(acc.Token) {
		return "", refuse(CodeSignature, wxcrypt.ErrSignature)
	}
	echo := query.Get("echostr")
	if echo == "" {
		return "", refuse(CodeEcho, errBare)
	}
	return echo, nil
}

// Open verifies and decrypts a push (POST) and reads just enough of it to queue
// it: whose it is and which. The push's Body may refer to body.
//
// A push that doesn't prove to be the platform's is Denied with one of the codes
// above; one of more than [MaxBody] bytes is Invalid with status 413. A push that
// is the platform's and can't be read is no error: it is kept with an empty
// Customer, under the hash of its body.
//
// How a push proves itself depends on the account's mode, see [Inbox.plaintext],
// and whatever the mode it must not be addressed to another OriginalID, if the account's
// own is known. Its age is no reason to refuse it: retries and redeliveries are old.
func (in *Inbox) Open(acc account.Account, query url.Values, body []byte, receivedAt time.Time) (message.Push, error) {
	if len(body) > MaxBody {
		return message.Push{}, fault.WithStatus(fault.New(fault.Invalid, CodeOversized, "The body is larger than 1 MiB."), 413)
	}
	plain, err := in.plaintext(&acc, query, body)
	if err != nil {
		return message.Push{}, err
	}
	id, err := identify(plain)
	if err != nil { // Read mends such a body, and must find the same customer and key
		id, err = identify(mend(plain))
	}
	if err != nil {
		id = identity{key: rawKey(plain)}
	} else if acc.OriginalID != "" && len(id.to) > 0 && string(id.to) != acc.OriginalID {
		return message.Push{}, refuse(CodeOriginalID, errBare)
	}
	return message.Push{Account: acc.ID, Customer: id.customer, Key: id.key, Body: plain, ReceivedAt: receivedAt}, nil
}
