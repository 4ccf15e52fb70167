package dynamo

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/tenant"
)

// passing are refusals that say nothing of the request.
var passing = []mishap{
	refusal(400, "ProvisionedThroughputExceededException"),
	refusal(400, "TransactionConflictException"),
	refusal(500, "InternalServerError"),
	refusal(400, "ThrottlingException"),
	{
		status: 400, code: "TransactionCanceledException",
		body: `,"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]`,
	},
	refusal(503, "ServiceUnavailable"),
	refusal(400, "RequestLimitExceeded"),
	refusal(400, "TransactionInProgressException"),
}

// TestFaultsChangeNothing makes the journey while every other request comes to grief, and wants the same answers.
func TestFaultsChangeNothing(t *testing.T) {
	t.Parallel()
	want := journey(t, newStore(t))
	for name, mishaps := range map[string][]mishap{
		"refused, for one reason after the other": passing,
		"cut off":     {{cut: true}},
		"answer lost": {{lost: true}},
		"answer torn": {{torn: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := 0
			f := &flaky{spoil: func(_ string, n int) mishap {
				if n%2 == 0 {
					return mishap{}
				}
				spoilt++
				return mishaps[spoilt%len(mishaps)]
			}}
			got := journey(t, newStore(t, through(f)))
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("step %d:\ngot  %s\nwant %s", i, got[i:], want[i:])
				}
			}
			if n := f.requests(); n < 2*len(want) {
				t.Errorf("got %d requests for %d steps; want each twice at least", n, len(want))
			}
		})
	}
}

// TestRetriesAreBounded wants a few requests, then the error that says to come again.
func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	for i, m := range append([]mishap{{cut: true}, {lost: true}}, passing[:3]...) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			f := &flaky{spoil: func(string, int) mishap { return m }}
			s := newStore(t, through(f))
			wantKind(t, "PutTenant", func() error { _, err := s.PutTenant(t.Context(), tenant.Tenant{ID: "t"}); return err }(), fault.Unavailable, "")
			if n := f.requests(); n != maxAttempts {
				t.Errorf("got %d requests; want %d", n, maxAttempts)
			}
		})
	}
}

// TestContextBoundsRetries ends the context at the second request: there is no third.
func TestContextBoundsRetries(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &flaky{spoil: func(_ string, n int) mishap {
		if n == 2 {
			cancel()
		}
		return passing[0]
	}}
	_, err := newStore(t, through(f)).Tenant(ctx, "t")
	wantKind(t, "Tenant", err, fault.Unavailable, "cancelled")
	if n := f.requests(); n != 2 {
		t.Errorf("got %d requests; want 2", n)
	}
}

// TestRefusedDeployment wants an error that names the setting to look at, and that a queue repeats.
func TestRefusedDeployment(t *testing.T) {
	t.Parallel()
	for code, names := range map[string]string{
		"ResourceNotFoundException":           "KEFU_TABLE",
		"AccessDeniedException":               "KEFU_TABLE",
		"UnrecognizedClientException":         "AWS_ACCESS_KEY_ID",
		"MissingAuthenticationTokenException": "AWS_ACCESS_KEY_ID",
		"InvalidSignatureException":           "AWS_SECRET_ACCESS_KEY",
		"ExpiredTokenException":               "AWS_SESSION_TOKEN",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			f := &flaky{spoil: func(string, int) mishap { return refusal(400, code) }}
			s := newStore(t, through(f))
			err := s.MarkSeen(t.Context(), "shop", message.Seen{Key: "k"})
			wantKind(t, "MarkSeen", err, fault.Unavailable, "store-setting")
			if !strings.Contains(err.Error(), names) {
				t.Errorf("got %q; want it to name %s", err, names)
			}
			if n := f.requests(); n != 1 {
				t.Errorf("got %d requests; want 1: trying again doesn't mend a setting", n)
			}
		})
	}
}

func TestNoSuchTable(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(_ *aws.Config, o *Options) { o.Table = "kefu-nowhere" })
	_, err := s.Tenant(t.Context(), "t")
	wantKind(t, "Tenant", err, fault.Unavailable, "store-setting")
}
