package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"kefu/shared/adapter/awscall"
	"kefu/shared/core/fault"
)

// reason is what a refusal means for whoever runs the system: a stable code, and what to look at.
type reason struct{ code, hint string }

var (
	noBucket    = reason{"storage-no-bucket", "there is no such bucket"}
	denied      = reason{"storage-denied", "the role lacks a right to it (for an object that does not exist that is s3:ListBucket on the bucket)"}
	elsewhere   = reason{"storage-wrong-region", "the bucket is in another region"}
	identity    = reason{"storage-credentials", "the credentials of the environment are not accepted"}
	encryption  = reason{"storage-encryption", "the key that encrypts the bucket can't be used"}
	busy        = reason{"storage-busy", "S3 asks to slow down"}
	damaged     = reason{"storage-damaged", "the bytes changed on the way or at rest"}
	unreachable = reason{"storage-unreachable", "no answer; look at AWS_REGION, at AWS_ENDPOINT_URL_S3 if it is set, and at the network"}
	broken      = reason{"storage-unavailable", "S3 does not work at the moment"}
	strange     = reason{"storage-refused", "S3, or something in its place, answered what nobody expects here"}
)

// reasons is the one place where S3's words become ours.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var reasons = map[string]reason{
	"NoSuchBucket": noBucket,

	"AccessDenied":      denied,
	"AllAccessDisabled": denied,
	"AccountProblem":    denied,

	"PermanentRedirect":                  elsewhere,
	"TemporaryRedirect":                  elsewhere,
	"Redirect":                           elsewhere,
	"AuthorizationHeaderMalformed":       elsewhere, // without a region in it, see reasonOf
	"IllegalLocationConstraintException": elsewhere,

	"ExpiredToken":          identity,
	"InvalidAccessKeyId":    identity,
	"InvalidSecurity":       identity,
	"InvalidToken":          identity,
	"RequestTimeTooSkewed":  identity,
	"SignatureDoesNotMatch": identity,
	"TokenRefreshRequired":  identity,

	"SlowDown":           busy,
	"RequestTimeout":     busy,
	"ServiceUnavailable": busy,

	"BadDigest":                   damaged,
	"InvalidDigest":               damaged,
	"XAmzContentChecksumMismatch": damaged,
	"XAmzContentSHA256Mismatch":   damaged,
}

func reasonOf(r *awscall.Refusal) reason {
	switch known, ok := reasons[r.Code]; {
	case r.Code == "AuthorizationHeaderMalformed" && r.Region == "":
		return identity
	case ok:
		return known
	case strings.HasPrefix(r.Code, "KMS."):
		return encryption
	case r.Status >= 300 && r.Status < 400:
		return elsewhere
	case r.Status == http.StatusTooManyRequests, r.Status == http.StatusServiceUnavailable:
		return busy
	case r.Status >= 500:
		return broken
	default:
		return strange
	}
}

// passing tells whether the same call may succeed in a moment.
func passing(err error) bool {
	var r *awscall.Refusal
	if errors.As(err, &r) {
		switch reasonOf(r) {
		case busy, broken, damaged:
			return true
		default:
			return false
		}
	}
	var k awscall.Unsigned
	return !errors.As(err, &k) && !errors.Is(err, errTooLarge)
}

// judge classifies the last error of a call and says which call it was. Except for what is simply not there, and for
// objects that are too large, all is Unavailable: settings get mended, and the queue then gives the message again.
func (b *Bucket) judge(ctx context.Context, r request, err error) error {
	op := fmt.Sprintf("%s %q", strings.ToLower(r.method), r.key)
	var ref *awscall.Refusal
	var k awscall.Unsigned
	var why reason
	switch {
	case errors.As(err, &ref) && ref.Code == "NoSuchKey" && r.method != http.MethodPut:
		return fault.Wrap(fault.NotFound, "", fmt.Errorf("%s: %w", op, err))
	case ref != nil:
		why = reasonOf(ref)
	case errors.Is(err, errTooLarge):
		return fault.Wrap(fault.Internal, "object-too-large", fmt.Errorf("%s: %w", op, err))
	case ctx.Err() != nil:
		return fault.Wrap(fault.Unavailable, "cancelled", fmt.Errorf("%s: %w: %w", op, context.Cause(ctx), err))
	case errors.As(err, &k):
		why = identity
	case errors.Is(err, errDamaged):
		why = damaged
	default:
		why = unreachable
	}
	if ref != nil && ref.Region != "" && why == elsewhere {
		why.hint = "the bucket is in region " + ref.Region
	}
	return fault.Wrap(fault.Unavailable, why.code,
		fmt.Errorf("%s: %s (KEFU_BUCKET %q, AWS_REGION %q): %w", op, why.hint, b.name, b.region, err))
}
