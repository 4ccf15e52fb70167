package kms

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"kefu/shared/adapter/awscall"
	"kefu/shared/core/fault"
)

// errUnsealable says that the bytes were not sealed for this owner with this vault's key, or were changed since. It is
// one error for all of that, and tells nothing of the bytes.
var errUnsealable = fault.Wrap(fault.Internal, "unsealable",
	errors.New("the secret can't be opened: it belongs to another owner, was sealed with another key, or was changed"))

// reason is what a failure means for whoever runs the system: a stable code, and what to look at.
type reason struct{ code, hint string }

var (
	denied      = reason{"secrets-denied", "the role lacks kms:GenerateDataKey or kms:Decrypt on the key, or the key's policy refuses"}
	noKey       = reason{"secrets-no-key", "there is no such key in this region and account"}
	disabled    = reason{"secrets-key-disabled", "the key is disabled, waits for its deletion, or is out of service"}
	wrongKind   = reason{"secrets-key-kind", "the key is none for symmetric encryption"}
	otherKey    = reason{"secrets-other-key", "the secret was sealed with another key; put it again"}
	unreadable  = reason{"secrets-unreadable", "KMS does not know the secret's data key: it was changed, or made with another key"}
	identity    = reason{"secrets-credentials", "the credentials of the environment are not accepted"}
	wrongTime   = reason{"secrets-credentials", "the time of the signature is not accepted; look at the machine's clock"}
	settings    = reason{"secrets-settings", "look at the settings"}
	busy        = reason{"secrets-busy", "KMS asks to slow down"}
	unreachable = reason{"secrets-unreachable", "no answer; look at AWS_REGION, at AWS_ENDPOINT_URL_KMS if it is set, and at the network"}
	broken      = reason{"secrets-unavailable", "KMS does not work at the moment"}
	strange     = reason{"secrets-refused", "KMS, or something in its place, answered what nobody expects here"}
)

// reasons is the one place where KMS's words become ours. All are Unavailable: keys get enabled and rights granted, and
// the queue then gives the message again.
// https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
var reasons = map[string]reason{
	"AccessDeniedException": denied,

	"NotFoundException":   noKey,
	"InvalidArnException": noKey,

	"DisabledException":        disabled,
	"KMSInvalidStateException": disabled,
	"KeyUnavailableException":  disabled,

	"InvalidKeyUsageException":      wrongKind,
	"UnsupportedOperationException": wrongKind,

	"IncorrectKeyException":      otherKey,
	"InvalidCiphertextException": unreadable,

	"ExpiredTokenException":               identity,
	"IncompleteSignature":                 identity,
	"IncompleteSignatureException":        identity,
	"InvalidClientTokenId":                identity,
	"InvalidSignatureException":           identity,
	"MissingAuthenticationToken":          identity,
	"MissingAuthenticationTokenException": identity,
	"SignatureDoesNotMatch":               identity,
	"UnrecognizedClientException":         identity,

	"RequestExpired":       wrongTime,
	"RequestTimeTooSkewed": wrongTime,

	"ValidationException": settings,

	"LimitExceededException":   busy,
	"RequestLimitExceeded":     busy,
	"RequestTimeout":           busy,
	"RequestTimeoutException":  busy,
	"Throttling":               busy,
	"ThrottlingException":      busy,
	"TooManyRequestsException": busy,

	"DependencyTimeoutException":  broken,
	"InternalFailure":             broken,
	"KMSInternalException":        broken,
	"ServiceUnavailable":          broken,
	"ServiceUnavailableException": broken,
}

// reasonOf finds what a call's last error means.
func reasonOf(err error) reason {
	var answered *awscall.Refusal
	switch {
	case errors.As(err, &answered):
		return meaning(answered)
	case errors.As(err, new(misset)):
		return settings
	case errors.As(err, new(awscall.Unsigned)):
		return identity
	case errors.Is(err, errNotAKey):
		return strange
	default:
		return unreachable
	}
}

func meaning(r *awscall.Refusal) reason {
	switch known, ok := reasons[r.Code]; {
	case known == identity && untimely(r.Message):
		return wrongTime
	case ok:
		return known
	case r.Status == http.StatusTooManyRequests:
		return busy
	case r.Status >= http.StatusInternalServerError:
		return broken
	default:
		return strange
	}
}

// untimely tells whether a signature was refused for its time. KMS has the same name for that as for a wrong one.
func untimely(message string) bool {
	return strings.HasPrefix(message, "Signature expired") || strings.HasPrefix(message, "Signature not yet current")
}

// passing tells whether the same call may succeed in a moment.
func passing(err error) bool {
	var answered *awscall.Refusal
	if errors.As(err, &answered) {
		why := meaning(answered)
		return answered.Status >= http.StatusInternalServerError || why == busy || why == broken
	}
	return reasonOf(err) == unreachable
}

func unavailable(why reason, err error) error { return fault.Wrap(fault.Unavailable, why.code, err) }

// cancelled says that the caller left or ran out of time.
func cancelled(op string, cause error) error {
	return fault.Wrap(fault.Unavailable, "cancelled", fmt.Errorf("%s: %w", op, cause))
}
