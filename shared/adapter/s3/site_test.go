package s3

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kefu/shared/core/fault"
)

// What the S3 client of the SDK makes of the same settings and keys, service/s3 v1.114.8.
func TestAddress(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"media/a":                               "media/a",
		"a b+c$d&e=f:g,h;i@j!k*l'm(n)o?p#q%r~s": "a%20b%2Bc%24d%26e%3Df%3Ag%2Ch%3Bi%40j%21k%2Al%27m%28n%29o%3Fp%23q%25r~s",
		"媒体/图.jpg":                              "%E5%AA%92%E4%BD%93/%E5%9B%BE.jpg",
		"%2e%2F":                                "%252e%252F",
	}
	for _, tc := range []struct {
		region, bucket, endpoint string
		pathStyle                bool
		want                     string
	}{
		{"eu-west-1", "kefu-media", "", false, "https://kefu-media.s3.eu-west-1.amazonaws.com/"},
		{"eu-west-1", "kefu-media", "", true, "https://s3.eu-west-1.amazonaws.com/kefu-media/"},
		{"eu-west-1", "kefu.media", "", false, "https://s3.eu-west-1.amazonaws.com/kefu.media/"},
		{"us-east-1", "kefu-media", "", false, "https://kefu-media.s3.us-east-1.amazonaws.com/"},
		{"cn-north-1", "kefu-media", "", false, "https://kefu-media.s3.cn-north-1.amazonaws.com.cn/"},
		{"us-gov-west-1", "kefu-media", "", false, "https://kefu-media.s3.us-gov-west-1.amazonaws.com/"},
		{"eu-west-1", "kefu-media", "http://127.0.0.1:4566", true, "http://127.0.0.1:4566/kefu-media/"},
		{"eu-west-1", "kefu-media", "http://127.0.0.1:4566", false, "http://127.0.0.1:4566/kefu-media/"},
		{"eu-west-1", "kefu-media", "http://[::1]:4566", false, "http://[::1]:4566/kefu-media/"},
		{"eu-west-1", "kefu-media", "https://s3.example.test", false, "https://kefu-media.s3.example.test/"},
		{"eu-west-1", "kefu-media", "https://s3.example.test/", true, "https://s3.example.test/kefu-media/"},
		{"eu-west-1", "kefu-media", "https://example.test/s3/", true, "https://example.test/s3/kefu-media/"},
		{"eu-west-1", "kefu-media", "https://example.test/s3", false, "https://kefu-media.example.test/s3/"},
	} {
		b := New(aws.Config{Region: tc.region, BaseEndpoint: &tc.endpoint}, Options{Bucket: tc.bucket, PathStyle: tc.pathStyle})
		if b.wrong != nil {
			t.Errorf("%+v: got %v, want an address", tc, b.wrong)
			continue
		}
		for key, escaped := range keys {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.site.address(key).String(), http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := req.URL.Scheme+"://"+req.URL.Host+req.URL.RequestURI(), tc.want+escaped; got != want {
				t.Errorf("%+v, key %q:\ngot  %s\nwant %s", tc, key, got, want)
			}
		}
	}
}

// The worked examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
func TestSignaturesOfTheManual(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, key, sum string
		header           http.Header
		signed, want     string
	}{
		"GET object": {
			http.MethodGet, "test.txt", emptySum,
			http.Header{"Range": {"bytes=0-9"}},
			"host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		},
		"PUT object": { // with a key that is escaped, once
			http.MethodPut, "test$file.text", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			http.Header{"Date": {"Fri, 24 May 2013 00:00:00 GMT"}, "X-Amz-Storage-Class": {"REDUCED_REDUNDANCY"}},
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		},
	} {
		b := New(aws.Config{
			Region:       "us-east-1",
			BaseEndpoint: aws.String("https://s3.amazonaws.com"),
			Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
		}, Options{Bucket: "examplebucket"})
		req, err := http.NewRequestWithContext(t.Context(), tc.method, b.site.address(tc.key).String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = tc.header
		req.Header.Set("X-Amz-Content-Sha256", tc.sum)
		if err := b.caller.Sign(req, tc.sum, time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		want := "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=" + tc.signed + ", Signature=" + tc.want
		if got := req.Header.Get("Authorization"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	const region = "eu-west-1"
	for name, tc := range map[string]struct {
		region, bucket, endpoint string
		names                    string
	}{
		"no bucket":          {region, "", "", "KEFU_BUCKET"},
		"capitals":           {region, "Kefu", "", "KEFU_BUCKET"},
		"too short":          {region, "ab", "", "KEFU_BUCKET"},
		"too long":           {region, strings.Repeat("a", 64), "", "KEFU_BUCKET"},
		"a path":             {region, "kefu/media", "", "KEFU_BUCKET"},
		"a way out":          {region, "kefu..media", "", "KEFU_BUCKET"},
		"a query":            {region, "kefu?x", "", "KEFU_BUCKET"},
		"hyphen at the end":  {region, "kefu-", "", "KEFU_BUCKET"},
		"no region":          {"", "kefu", "", "AWS_REGION"},
		"a host as region":   {"eu.evil.test/", "kefu", "", "AWS_REGION"},
		"no scheme":          {region, "kefu", "127.0.0.1:4566", "AWS_ENDPOINT_URL_S3"},
		"no host":            {region, "kefu", "http:///x", "AWS_ENDPOINT_URL_S3"},
		"another scheme":     {region, "kefu", "ftp://x", "AWS_ENDPOINT_URL_S3"},
		"a query in address": {region, "kefu", "http://x?y", "AWS_ENDPOINT_URL_S3"},
		"a password":         {region, "kefu", "http://u:p@x", "AWS_ENDPOINT_URL_S3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{t: t}
			cfg := config(w)
			cfg.Region, cfg.BaseEndpoint = tc.region, &tc.endpoint
			err := New(cfg, Options{Bucket: tc.bucket}).Put(t.Context(), "media/a", nil)
			wantFault(t, err, fault.Unavailable, "storage-settings", tc.names)
			if n := w.calls(); n != 0 {
				t.Errorf("got %d calls, want none", n)
			}
		})
	}
}

// A DELETE of "" would be one of the bucket, and no proxy may fold one key into another.
func TestKeysThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\nb", "a\x00", "a\x7f", "\xff", strings.Repeat("k", maxKey+1),
	} {
		w := &wire{t: t}
		b := New(config(w), Options{Bucket: "kefu-test"})
		_, got := b.Get(t.Context(), key)
		for _, err := range []error{b.Put(t.Context(), key, nil), got, b.Delete(t.Context(), key)} {
			wantFault(t, err, fault.Internal, "bad-object-key", "")
		}
		if n := w.calls(); n != 0 {
			t.Errorf("%q: got %d calls, want none", key, n)
		}
	}
	for _, key := range []string{"a", "a/b.c", "…", ".a", "a..b", strings.Repeat("k", maxKey)} {
		if err := checkKey(key); err != nil {
			t.Errorf("%q: got %v, want a key", key, err)
		}
	}
}
