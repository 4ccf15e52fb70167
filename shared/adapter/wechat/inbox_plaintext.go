package wechat

import (
	"errors"
	"net/url"
	"sync"

	"kefu/shared/adapter/wechat/wxcrypt"
	"kefu/shared/adapter/wechat/wxmsg"
	"kefu/shared/core/account"
)

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
func (in *Inbox) plaintext(acc *account.Account, query url.Values, body []byte) ([]byte, error) {
	env, envErr := wxmsg.ReadEnvelope(body)
	encrypted, sign := len(env.Encrypt) > 0, proofOf(query)
	if acc.Mode == account.Plaintext && !encrypted && query.Get("encrypt_type") != "aes" {
		if !sign.request(acc.Token) {
			return nil, refuse(CodeSignature, wxcrypt.ErrSignature)
		}
		return body, nil // which may be unreadable: that is for Open to see
	}
	switch {
	case envErr != nil:
		return nil, refuse(CodeEnvelope, envErr)
	case !encrypted:
		return nil, refuse(CodeMode, errBare)
	case !sign.body(acc.Token, env.Encrypt), sign.hasSignature && !sign.request(acc.Token):
		return nil, refuse(CodeSignature, wxcrypt.ErrSignature)
	case acc.OriginalID != "" && len(env.ToUserName) > 0 && string(env.ToUserName) != acc.OriginalID:
		return nil, refuse(CodeOriginalID, errBare)
	}
	return in.decrypt(acc, env.Encrypt)
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

// request checks the signature of three parts. An account that lost its token must
// not accept what anybody can sign.
func (p *proof) request(token account.Secret) bool {
	return token != "" && wxcrypt.Verify(p.signature, token.Reveal(), p.timestamp, p.nonce)
}

// body checks the signature of four parts.
func (p *proof) body(token account.Secret, encrypt []byte) bool {
	return token != "" && wxcrypt.VerifyPush(p.msgSignature, token.Reveal(), p.timestamp, p.nonce, encrypt)
}

// decrypt tries the account's key and then, during a key change, the one before.
func (in *Inbox) decrypt(acc *account.Account, encrypt []byte) ([]byte, error) {
	plain, err := in.decryptWith(acc.AESKey, acc.AppID, encrypt)
	if err != nil && acc.AESKeyPrevious != "" {
		if old, oldErr := in.decryptWith(acc.AESKeyPrevious, acc.AppID, encrypt); oldErr == nil {
			return old, nil
		}
	}
	return plain, err
}

func (in *Inbox) decryptWith(secret account.Secret, appID string, encrypt []byte) ([]byte, error) {
	key, err := in.keys.get(secret)
	if err != nil {
		return nil, refuse(CodeKey, err)
	}
	plain, err := key.Decrypt(encrypt, appID)
	switch {
	case err == nil:
		return plain, nil
	case errors.Is(err, wxcrypt.ErrBase64):
		return nil, refuse(CodeBase64, err)
	case errors.Is(err, wxcrypt.ErrLength):
		return nil, refuse(CodeLength, err)
	case errors.Is(err, wxcrypt.ErrAppID):
		return nil, refuse(CodeAppID, err)
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
