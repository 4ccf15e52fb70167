package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"kefu/shared/core/fault"
)

var errCursor = fault.New(fault.Invalid, "bad-cursor", "The cursor is not one that a list returned.")

// Without a part that a function was not given it can't do what needs it.
var (
	errNoVault  = fault.Wrap(fault.Unavailable, "store-setting", errors.New("secrets can't be sealed or opened: KEFU_KMS_KEY is not set"))
	errNoBucket = fault.Wrap(fault.Unavailable, "store-setting", errors.New("files can't be kept: KEFU_BUCKET is not set"))
)

// missing says that there is no such thing. The id is for logs.
func missing(what, id string) error {
	return fault.Wrap(fault.NotFound, "", fmt.Errorf("no %s %q", what, id))
}

// broken says that a stored value can't be read, which is never the caller's doing.
func broken(what string, err error) error {
	return fault.Wrap(fault.Internal, "store-corrupt", fmt.Errorf("stored %s: %w", what, err))
}

// unfit says that a value can't be stored.
func unfit(err error) error { return fault.Wrap(fault.Invalid, "not-storable", err) }

// settings tells what to look at when DynamoDB refuses a deployment rather than a request. All of these are
// Unavailable: a message of a queue goes back and waits until the setting is mended.
var settings = map[string]string{ //nolint:gosec // the names of settings, not what they are set to
	"ResourceNotFoundException":            "KEFU_TABLE names no table (or one without the indexes of this version) in this AWS_REGION",
	"AccessDeniedException":                "the role of this function lacks a permission on the table of KEFU_TABLE",
	"UnrecognizedClientException":          "AWS doesn't know the credentials (AWS_ACCESS_KEY_ID)",
	"InvalidSignatureException":            "AWS refuses the credentials (AWS_SECRET_ACCESS_KEY, or the clock)",
	"MissingAuthenticationTokenException":  "there are no credentials (AWS_ACCESS_KEY_ID)",
	"ExpiredTokenException":                "the credentials have run out (AWS_SESSION_TOKEN)",
	"IncompleteSignatureException":         "AWS refuses the credentials (AWS_ACCESS_KEY_ID)",
	"KMSAccessDeniedException":             "the table's KMS key refuses this role",
	"KMSDisabledException":                 "the table's KMS key is disabled",
	"InaccessibleEncryptionDateException":  "the table's KMS key can't be used",
	"ReplicatedWriteConflictException":     "the table is replicated; Kefu needs one home Region",
	"IdempotentParameterMismatchException": "a transaction token was used for two things",
}

// translate gives a vendor's error its kind; a refused condition is none of its business. It is called once, at the
// edge: op names the call, never the data.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	wrap := func(kind fault.Kind, code, why string) error {
		if why != "" {
			return fault.Wrap(kind, code, fmt.Errorf("%s: %s: %w", op, why, err))
		}
		return fault.Wrap(kind, code, fmt.Errorf("%s: %w", op, err))
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return wrap(fault.Unavailable, "cancelled", "")
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code := api.ErrorCode()
		if why, ok := settings[code]; ok {
			return wrap(fault.Unavailable, "store-setting", why)
		}
		switch code {
		case "ValidationException":
			if strings.Contains(api.ErrorMessage(), "Item size") || strings.Contains(api.ErrorMessage(), "item size") {
				return wrap(fault.Invalid, "too-large", "")
			}
			if strings.Contains(api.ErrorMessage(), "does not have the specified index") {
				return wrap(fault.Unavailable, "store-setting", "the table of KEFU_TABLE lacks an index of this version")
			}
			return wrap(fault.Internal, "store-request", "")
		case "TransactionConflictException", "TransactionCanceledException", "TransactionInProgressException":
			return wrap(fault.Unavailable, "store-contention", "")
		}
		return wrap(fault.Unavailable, "store-unavailable", "")
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return wrap(fault.Unavailable, "store-setting", "AWS_REGION (or AWS_ENDPOINT_URL_DYNAMODB) names no address of DynamoDB")
	}
	return wrap(fault.Unavailable, "store-unavailable", "")
}

// refused reports that a condition didn't hold, and the item that stood in the way: of a single write, if it asked for
// it, or of the first part of a transaction that was refused.
func refused(err error) (old item, ok bool) {
	var single *types.ConditionalCheckFailedException
	if errors.As(err, &single) {
		return single.Item, true
	}
	var several *types.TransactionCanceledException
	if errors.As(err, &several) {
		for _, r := range several.CancellationReasons {
			if r.Code != nil && *r.Code == "ConditionalCheckFailed" {
				return r.Item, true
			}
		}
	}
	return nil, false
}
