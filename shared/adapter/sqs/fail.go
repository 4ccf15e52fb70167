package sqs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"kefu/shared/core/fault"
)

// class is what a group of SQS's error codes means to us.
type class int

const (
	passing   class = iota // every code that isn't listed: a message must not be lost to an error that we don't know
	throttled              // slow down
	denied                 // credentials, role or key of the queue
	missing                // no such queue here
	refused                // the request is wrong and stays wrong
	noReceipt              // what was given as a receipt is none
)

// classes has SQS's codes without the name space that some have in front (see bareCode).
var classes = map[string]class{
	"KmsThrottled":        throttled,
	"OverLimit":           throttled, // too many messages are being worked on
	"RequestThrottled":    throttled,
	"Throttling":          throttled,
	"ThrottlingException": throttled,

	"AccessDenied":                denied,
	"AccessDeniedException":       denied,
	"DisabledException":           denied, // this and the next three are the key's
	"InvalidKeyUsageException":    denied,
	"InvalidStateException":       denied,
	"NotFoundException":           denied,
	"ExpiredToken":                denied,
	"ExpiredTokenException":       denied,
	"IncompleteSignature":         denied,
	"InvalidClientTokenId":        denied,
	"InvalidSecurity":             denied,
	"InvalidSignatureException":   denied,
	"KmsAccessDenied":             denied,
	"KmsDisabled":                 denied,
	"KmsInvalidKeyUsage":          denied,
	"KmsInvalidState":             denied,
	"KmsNotFound":                 denied,
	"KmsOptInRequired":            denied,
	"MissingAuthenticationToken":  denied,
	"OptInRequired":               denied,
	"SignatureDoesNotMatch":       denied,
	"UnrecognizedClientException": denied,

	"InvalidAddress":            missing,
	"NonExistentQueue":          missing,
	"QueueDeletedRecently":      missing,
	"QueueDoesNotExist":         missing,
	"ResourceNotFoundException": missing,

	"BatchRequestTooLong":    refused,
	"InvalidMessageContents": refused,
	"InvalidParameterValue":  refused,
	"MissingParameter":       refused,
	"UnsupportedOperation":   refused,

	"ReceiptHandleIsInvalid": noReceipt,
}

// failure is a failed call as logs may show it. SQS's own texts quote what was sent, receipts for one, so they stay
// behind in the cause except where nothing of ours can be in them.
type failure struct {
	call, text string
	cause      error
}

func (f *failure) Error() string { return f.call + ": " + f.text }

func (f *failure) Unwrap() error { return f.cause }

// fail gives the error of a call its kind. All that the queue's settings may cause is Unavailable, with the setting's
// name: the message must go back and wait until it is mended.
func (q *Queue) fail(call string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return cancelled(&failure{call: call, text: "time ran out, or the caller left", cause: err})
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fault.Wrap(fault.Unavailable, "queue-unavailable", &failure{call: call, text: err.Error(), cause: err})
	}
	what := bareCode(api)
	f := &failure{call: call, text: what + trace(err), cause: err}
	switch classes[what] {
	case throttled:
		return fault.Wrap(fault.Unavailable, "queue-throttled", f)
	case denied:
		f.text = fmt.Sprintf("%s is not open to this function in Region %s: %s: %s", q.Setting, q.region, f.text, api.ErrorMessage())
		return fault.Wrap(fault.Unavailable, "queue-denied", f)
	case missing:
		f.text = fmt.Sprintf("%s names no queue in Region %s: %s", q.Setting, q.region, f.text)
		return fault.Wrap(fault.Unavailable, "queue-missing", f)
	case refused:
		return fault.Wrap(fault.Invalid, "queue-refused", f)
	case noReceipt:
		return fault.Wrap(fault.Invalid, "bad-receipt", f)
	default:
		return fault.Wrap(fault.Unavailable, "queue-unavailable", f)
	}
}

// cancelled says that the caller left, or his time ran out.
func cancelled(cause error) error {
	return fault.Wrap(fault.Unavailable, "cancelled", cause)
}

// bareCode is the code of SQS's answer. Its older protocol put a name space in front, and the SDK keeps that up.
func bareCode(err smithy.APIError) string {
	code := err.ErrorCode()
	return code[strings.LastIndexByte(code, '.')+1:]
}

// trace is what AWS asks for when one has a question about an answer.
func trace(err error) string {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) {
		return ""
	}
	return fmt.Sprintf(" (status %d, request %s)", answer.HTTPStatusCode(), answer.ServiceRequestID())
}

// refusesText reports that SQS found characters in a text that it doesn't take.
func refusesText(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && bareCode(api) == "InvalidMessageContents"
}

// isStale reports whether SQS says of a receipt that it was one: the message is gone, or was delivered again since. An
// ordered queue refuses such receipts, a standard one mostly passes over them; only the texts tell it from what never
// was a receipt.
func isStale(code, text string) bool {
	if code == "MessageNotInflight" {
		return true
	}
	return (code == "InvalidParameterValue" || code == "ReceiptHandleIsInvalid") &&
		(strings.Contains(text, "has expired") || strings.Contains(text, "not available for visibility timeout change"))
}
