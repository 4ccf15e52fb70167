package doctor

import (
	"encoding/base64"

	"kefu/shared/core/account"
)

// settings looks at what was typed in from the console.
func (d *diagnosis) settings() {
	d.check = CheckSettings
	d.token()
	d.aesKey()
	switch d.Account.Mode {
	case account.Plaintext:
		d.say(Warning, "mode-plaintext", "Pushes come unencrypted, and nothing signs what is in them.",
			"Choose the secure mode (安全模式) in the console, then set mode and aes_key here.", nil)
	case account.Compatible:
		d.ok("mode-compatible", "Pushes come encrypted, and in the clear beside that; the secure mode would leave that out.", nil)
	default:
		d.ok("mode-secure", "Pushes come encrypted and signed.", nil)
	}
}

// token: 3 to 32 letters and digits, which the platform's pages are not known to say
// in so many words, so another shape is worth a warning at most.
func (d *diagnosis) token() {
	token := d.Account.Token.Reveal()
	plain := true
	for _, c := range []byte(token) {
		plain = plain && alphanumeric(c)
	}
	if plain && len(token) >= 3 && len(token) <= 32 {
		d.ok("token-fits", "The token has the shape that the console takes.", nil)
		return
	}
	d.say(Warning, "token-odd", "The token is not 3 to 32 letters and digits, which is what the console takes.",
		"Compare it with the console's: spaces at an end are easily copied with it.", facts{"length": len(token)})
}

// aesKey: 43 characters of a-z, A-Z and 0-9 for 32 bytes. They hold two bits more, and
// the platform hands out keys in which these are set.
//
// Page "Message push" (消息推送), EncodingAESKey.
func (d *diagnosis) aesKey() {
	if d.Account.AESKeyPrevious != "" {
		d.ok("previous-key-set", "A previous AES key is still accepted, which only the days of a key change need.",
			facts{"settings_changed_at": moment(d.Account.UpdatedAt)})
	}
	key := d.Account.AESKey.Reveal()
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	switch {
	case key == "" && d.Account.Mode == account.Plaintext:
	case key == "":
		d.say(Error, "aes-key-missing", "The account's mode needs an AES key, and there is none.",
			"Copy the EncodingAESKey from the console to aes_key.", nil)
	case len(key) != 43 || err != nil || len(raw) != 32:
		d.say(Error, "aes-key-malformed", "The AES key is no EncodingAESKey: that has exactly 43 letters and digits.",
			"Copy the EncodingAESKey from the console to aes_key.", facts{"length": len(key)})
	case base64.StdEncoding.EncodeToString(raw)[:43] != key:
		d.ok("aes-key-not-canonical",
			"The AES key's last character has bits that are not used, as the console's keys often have: harmless here, but strict tools refuse it.",
			facts{"canonical": false})
	default:
		d.ok("aes-key-fits", "The AES key has the shape of an EncodingAESKey.", facts{"canonical": true})
	}
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
