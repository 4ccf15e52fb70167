package wechat

import (
	"errors"
	"math"
	"net/url"
	"strconv"
	"sync"
	"time"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
)

// unwrapped is what was in the body of a push.
type unwrapped struct {
	text []byte
	key  account.Secret // that opened it; empty if it came in the clear
	mode account.Mode   // in which it came, whatever the account's is
}

// plaintext gives the text of a push that has proved to be the platform's.
//
// Secure and compatible: the body must carry Encrypt, and msg_signature, of four
// parts, must hold over it. A signature of three parts covers neither the body nor
// anything else that an eavesdropper couldn't repeat, so it is not enough; it may be
// missing, but not be wrong. In compatible mode the plain copy of the fields, which
// nothing signs, is never used: not when the encrypted one is bad, and not when it is
// missing, for the platform always sends both.
//
// Plaintext: the signature of three parts must hold. A push that comes encrypted all
// the same, as in the minutes after the console's mode was changed, passes if the
// account has an AES key and the push would pass in secure mode.
func (in *Inbox) plaintext(acc *account.Account, query url.Values, body []byte) (unwrapped, error) {
	env, envErr := wxmsg.ReadEnvelope(body)
	encrypted, sign := len(env.Encrypt) > 0, proofOf(query)
	if acc.Mode == account.Plaintext && !encrypted && query.Get("encrypt_type") != "aes" {
		if !sign.request(acc.Token) {
			return unwrapped{}, sign.refuse(acc.Token, CodeSignature, wxcrypt.ErrSignature)
		}
		return unwrapped{text: body, mode: account.Plaintext}, nil // which may be unreadable: that is for Open to see
	}
	switch {
	case envErr != nil:
		return unwrapped{}, sign.refuse(acc.Token, CodeEnvelope, envErr)
	case !encrypted:
		return unwrapped{}, sign.refuse(acc.Token, CodeMode, errBare)
	case !sign.body(acc.Token, env.Encrypt), sign.hasSignature && !sign.request(acc.Token):
		return unwrapped{}, sign.refuse(acc.Token, CodeBody, wxcrypt.ErrSignature)
	case acc.OriginalID != "" && len(env.ToUserName) > 0 && string(env.ToUserName) != acc.OriginalID:
		return unwrapped{}, refuse(CodeOriginalID, &doctor.Mismatch{Found: doctor.ID(env.ToUserName)})
	}
	text, key, err := in.decrypt(acc, env.Encrypt)
	mode := account.Secure
	if len(env.MsgType) > 0 {
		mode = account.Compatible
	}
	return unwrapped{text, key, mode}, err
}

// proof is what a query says to prove where it comes from.
type proof struct {
	signature, msgSignature, timestamp, nonce string
	hasSignature                              bool
}

func proofOf(query url.Values) proof {
	signatures := query["signature"]
	p := proof{msgSignature: query.Get("msg_signature"), timestamp: query.Get("timestamp"), nonce: query.Get("nonce")}
	if p.hasSignature = len(signatures) > 0; p.hasSignature {
		p.signature = signatures[0]
	}
	return p
}

// refuse makes the refusal of a call whose body failed a check, with that check's code if
// the token is known to be right. If not, nothing of the body need be the platform's.
func (p *proof) refuse(token account.Secret, code string, cause error) error {
	switch {
	case !p.hasSignature && p.msgSignature == "":
		return refuse(CodeUnsigned, cause)
	case !p.request(token):
		return refuse(CodeSignature, cause)
	}
	return refuse(code, cause)
}

// sentAt reads the timestamp of a query, in Unix seconds; zero if it is none.
func sentAt(text string) time.Time {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxUint32 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// request checks the signature of three parts. An account that lost its token must
// not accept what anybody can sign.
func (p *proof) request(token account.Secret) bool {
	return token != "" && wxcrypt.Verify(p.signature, token.Reveal(), p.timestamp, p.nonce)
}

// body checks the signature of four parts.
func (p *proof) body(token account.Secret, encrypt []byte) bool {
	return token != "" && wxcrypt.VerifyPush(p.msgSignature, token.Reveal(), p.timestamp, p.nonce, encrypt)
}

// decrypt tries the account's key and then, during a key change, the one before. It also
// tells which it was.
func (in *Inbox) decrypt(acc *account.Account, encrypt []byte) ([]byte, account.Secret, error) {
	plain, err := in.decryptWith(acc.AESKey, acc.AppID, encrypt)
	if err != nil && acc.AESKeyPrevious != "" {
		if old, oldErr := in.decryptWith(acc.AESKeyPrevious, acc.AppID, encrypt); oldErr == nil {
			return old, acc.AESKeyPrevious, nil
		}
	}
	return plain, acc.AESKey, err
}

func (in *Inbox) decryptWith(secret account.Secret, appID string, encrypt []byte) ([]byte, error) {
	key, err := in.keys.get(secret)
	if err != nil {
		return nil, refuse(CodeKey, err)
	}
	plain, err := key.Decrypt(encrypt, appID)
	if err == nil {
		return plain, nil
	}
	var other *wxcrypt.AppIDError // costs an allocation, which a push that is opened is spared
	switch {
	case errors.Is(err, wxcrypt.ErrBase64):
		return nil, refuse(CodeBase64, err)
	case errors.Is(err, wxcrypt.ErrLength):
		return nil, refuse(CodeLength, err)
	case errors.As(err, &other):
		return nil, refuse(CodeAppID, &doctor.Mismatch{Found: doctor.ID([]byte(other.Found))})
	}
	return nil, refuse(CodePadding, err)
}

// keyring keeps keys ready to use: expanding one costs as much as opening a push.
// It is a cache and never the truth, for it is asked with the key's text.
type keyring struct {
	mu   sync.RWMutex
	keys map[account.Secret]*wxcrypt.Key
}

// maxKeys bounds the cache. A deployment with more keys in use expands some again.
const maxKeys = 1024

func (r *keyring) get(secret account.Secret) (*wxcrypt.Key, error) {
	r.mu.RLock()
	key := r.keys[secret]
	r.mu.RUnlock()
	if key != nil {
		return key, nil
	}
	key, err := wxcrypt.ParseKey(secret.Reveal())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil || len(r.keys) >= maxKeys {
		r.keys = make(map[account.Secret]*wxcrypt.Key)
	}
	r.keys[secret] = key
	return key, nil
}
