package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kefu/shared/core/fault"
	"kefu/shared/porttest"
)

// engine is the configuration that leads to the local engine.
func engine(t *testing.T, address string) aws.Config {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &address, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}
}

// open makes a bucket of its own in the local engine.
func open(t *testing.T) *Bucket {
	t.Helper()
	address := porttest.Emulator(t, "s3")
	var name [8]byte
	_, _ = rand.Read(name[:])
	cfg := engine(t, address)
	b := New(cfg, Options{Bucket: "kefu-" + hex.EncodeToString(name[:])})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address+"/"+b.name, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := cfg.HTTPClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("making a bucket: got %s, want 200", resp.Status)
	}
	return b
}

func put(t *testing.T, b *Bucket, key string, body []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, body); err != nil {
		t.Errorf("put %q: got %v, want no error", key, err)
	}
}

func wantObject(t *testing.T, b *Bucket, key string, want []byte) {
	t.Helper()
	got, err := b.Get(t.Context(), key)
	if err != nil {
		t.Errorf("get %q: got %v, want no error", key, err)
	}
	wantBytes(t, got, want)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	b := open(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for name, body := range map[string][]byte{
		"empty": {}, "text": []byte("你好"), "every byte": all, "looks like an error": []byte(document("NoSuchKey", "")),
		"as large as may be": bytes.Repeat(all, MaxBytes/256), "above the threshold of Expect": bytes.Repeat(all, askFirst/256),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := "media/" + strings.ReplaceAll(name, " ", "-")
			put(t, b, key, body)
			wantObject(t, b, key, body)
			wantObject(t, b, key, body)
		})
	}
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	b := open(t)
	_, err := b.Get(t.Context(), "media/none")
	wantFault(t, err, fault.NotFound, "not-found", "media/none")
	for range 2 {
		if err := b.Delete(t.Context(), "media/none"); err != nil {
			t.Errorf("delete of what is not there: got %v, want no error", err)
		}
	}
}

func TestReplaceAndDelete(t *testing.T) {
	t.Parallel()
	b := open(t)
	put(t, b, "a/b", []byte("a longer first"))
	put(t, b, "a", []byte("neighbour"))
	put(t, b, "a/b", []byte("second"))
	wantObject(t, b, "a/b", []byte("second"))
	if err := b.Delete(t.Context(), "a/b"); err != nil {
		t.Error(err)
	}
	_, err := b.Get(t.Context(), "a/b")
	wantFault(t, err, fault.NotFound, "not-found", "a/b")
	wantObject(t, b, "a", []byte("neighbour"))
	put(t, b, "a/b", []byte("third"))
	wantObject(t, b, "a/b", []byte("third"))
}

func TestKeysKeepApart(t *testing.T) {
	t.Parallel()
	b := open(t)
	keys := []string{"a b", "a+b", "a%20b", "a%2Bb", "A b", "媒体/图.jpg", "a?x=y", "a#b", "a&b=c", "!*'();:@,$", "~-._", "a/b c/d"}
	for _, k := range keys {
		put(t, b, k, []byte("under "+k))
	}
	for _, k := range keys {
		wantObject(t, b, k, []byte("under "+k))
	}
}

// The caller's slice may change after Put, and the result of Get is the caller's own.
func TestBytesAreCopied(t *testing.T) {
	t.Parallel()
	b := open(t)
	body := []byte("hello")
	put(t, b, "k", body)
	body[0] = 'X'
	got, err := b.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	got[1] = 'X'
	wantObject(t, b, "k", []byte("hello"))
}

// Whoever reads while others write sees one of the versions, whole.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	b := open(t)
	version := func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%02d", i), 20_000+i) }
	put(t, b, "k", version(0))
	var wg sync.WaitGroup
	for i := 1; i <= 8; i++ {
		wg.Go(func() { put(t, b, "k", version(i)) })
		wg.Go(func() {
			got, err := b.Get(t.Context(), "k")
			if err != nil {
				t.Errorf("got %v, want a version", err)
				return
			}
			if n := int(got[0]-'0')*10 + int(got[1]-'0'); !bytes.Equal(got, version(n)) {
				t.Errorf("got %d bytes that are not all of version %d", len(got), n)
			}
		})
	}
	wg.Wait()
}

func TestNoBucket(t *testing.T) {
	t.Parallel()
	b := open(t)
	address := porttest.Emulator(t, "s3")
	b = New(engine(t, address), Options{Bucket: b.name + "-none", PathStyle: true})
	_, got := b.Get(t.Context(), "k")
	for _, err := range []error{got, b.Put(t.Context(), "k", nil)} {
		wantFault(t, err, fault.Unavailable, "storage-no-bucket", "KEFU_BUCKET")
	}
}

func TestCancelledCall(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantFault(t, b.Put(ctx, "k", nil), fault.Unavailable, "cancelled", "")
	_, err := b.Get(t.Context(), "k")
	wantFault(t, err, fault.NotFound, "not-found", "")
}
