package kms

import (
	"strings"
	"testing"

	"kefu/shared/core/fault"
)

// What the KMS client of the SDK makes of the same settings, service/kms v1.62.4.
func TestAddress(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ region, endpoint, want string }{
		{"eu-west-1", "", "https://kms.eu-west-1.amazonaws.com/"},
		{"cn-north-1", "", "https://kms.cn-north-1.amazonaws.com.cn/"},
		{"cn-northwest-1", "", "https://kms.cn-northwest-1.amazonaws.com.cn/"},
		{"us-gov-west-1", "", "https://kms.us-gov-west-1.amazonaws.com/"},
		{"eu-west-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566/"},
		{"eu-west-1", "http://[::1]:4566/", "http://[::1]:4566/"},
		{"eu-west-1", "https://example.test/a%20b/", "https://example.test/a%20b/"},
	} {
		if got, err := locate(tc.endpoint, tc.region); err != nil || got != tc.want {
			t.Errorf("%+v: got %s, %v", tc, got, err)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	const region = "eu-west-1"
	for name, tc := range map[string]struct{ region, endpoint, names string }{
		"no region":          {"", "", "AWS_REGION"},
		"a host as region":   {"eu.evil.test/", "", "AWS_REGION"},
		"no region to sign":  {"", "http://127.0.0.1:4566", "AWS_REGION"},
		"no scheme":          {region, "127.0.0.1:4566", "AWS_ENDPOINT_URL_KMS"},
		"no host":            {region, "http:///x", "AWS_ENDPOINT_URL_KMS"},
		"another scheme":     {region, "ftp://x", "AWS_ENDPOINT_URL_KMS"},
		"a query":            {region, "http://x?y", "AWS_ENDPOINT_URL_KMS"},
		"a fragment":         {region, "http://x#y", "AWS_ENDPOINT_URL_KMS"},
		"a password":         {region, "http://u:hunter2@x", "AWS_ENDPOINT_URL_KMS"},
		"what can't be read": {region, "http://\x7f", "AWS_ENDPOINT_URL_KMS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := newFake()
			sealed := seal(t, newVault(newFake(), nil), "o", "hunter2")
			cfg := config(direct{handler: fake})
			cfg.Region, cfg.BaseEndpoint = tc.region, &tc.endpoint
			for _, err := range both(t.Context(), t, sealed, func() *Vault { return New(cfg, Options{KeyID: keyID}) }) {
				wantFault(t, err, fault.Unavailable, "secrets-settings", tc.names)
				if err != nil && tc.endpoint != "" && strings.Contains(err.Error(), tc.endpoint) {
					t.Errorf("got %q, want the address kept out of it", err)
				}
			}
			wantCalls(t, fake, 0, 0)
		})
	}
}
