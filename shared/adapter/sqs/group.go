package sqs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// SQS takes groups of 1 to 128 characters of printable ASCII without spaces
// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagegroupid-property.html). Most of ours
// are that and stay as they are; the others get names that begin with groupEscape, as none of the former does.
const (
	maxGroup    = 128
	groupEscape = "%"
	soleGroup   = groupEscape + "0." // and something random: a message without a group
	codedGroup  = groupEscape + "b." // and the group in base64
	hashedGroup = groupEscape + "h." // and the group's SHA-256, where base64 is too long
)

// groupName is what SQS calls a group: always the same for a group, a new name each time for the group "".
func groupName(group string) string {
	if group == "" {
		return soleGroup + rand.Text()
	}
	if isGroup(group) && !strings.HasPrefix(group, groupEscape) {
		return group
	}
	if coded := codedGroup + base64.RawURLEncoding.EncodeToString([]byte(group)); len(coded) <= maxGroup {
		return coded
	}
	sum := sha256.Sum256([]byte(group))
	return hashedGroup + hex.EncodeToString(sum[:])
}

// groupOf is the group that a name stands for. A hashed one stays as it is: still one name for one group.
func groupOf(name string) string {
	if strings.HasPrefix(name, soleGroup) {
		return ""
	}
	if coded, ok := strings.CutPrefix(name, codedGroup); ok {
		if group, err := base64.RawURLEncoding.DecodeString(coded); err == nil {
			return string(group)
		}
	}
	return name
}

func isGroup(s string) bool {
	return len(s) <= maxGroup && isGraphic(s)
}

// isGraphic reports whether s is printable ASCII without spaces.
func isGraphic(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
