package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"kefu/shared/core/account"
)

// Sign gives the value of the header webhook-signature: for each secret that signs at the time "v1," and the base64 of
// HMAC-SHA256 over "id.seconds.body", with spaces between. At is the time that goes into the header
// webhook-timestamp, in whole seconds. The error is Invalid: "no-signing-secret" or "bad-signing-secret".
func Sign(s account.Signing, id string, at time.Time, body []byte) (string, error) {
	var all []string
	for _, secret := range signers(s, at) {
		key, err := keyOf(secret)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + Timestamp(at) + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " "), nil
}

// Timestamp is a time as the header webhook-timestamp has it.
func Timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
