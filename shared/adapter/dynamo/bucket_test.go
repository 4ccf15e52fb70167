package dynamo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"kefu/shared/core/fault"
	"kefu/shared/porttest"
)

// testBucket is a test's own corner of one bucket in the local engine, which asks for no signature.
type testBucket struct{ corner string }

func newTestBucket(t testing.TB) testBucket {
	t.Helper()
	bucket := porttest.Emulator(t, "s3") + "/kefu-test-dynamo/"
	if _, err := (testBucket{bucket}).call(t.Context(), http.MethodPut, "", nil); err != nil {
		t.Fatalf("make the bucket: got error %v; want none", err)
	}
	return testBucket{bucket + rand.Text() + "-"}
}

func (b testBucket) Put(ctx context.Context, key string, body []byte) error {
	_, err := b.call(ctx, http.MethodPut, hex.EncodeToString([]byte(key)), body)
	return err
}

func (b testBucket) Get(ctx context.Context, key string) ([]byte, error) {
	return b.call(ctx, http.MethodGet, hex.EncodeToString([]byte(key)), nil)
}

func (b testBucket) Delete(ctx context.Context, key string) error {
	_, err := b.call(ctx, http.MethodDelete, hex.EncodeToString([]byte(key)), nil)
	return err
}

func (b testBucket) call(ctx context.Context, method, name string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.corner+name, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := transport().RoundTrip(req)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "", err)
	}
	answer, err := io.ReadAll(resp.Body)
	switch err = errors.Join(err, resp.Body.Close()); {
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, "", err)
	case resp.StatusCode == http.StatusNotFound:
		return nil, missing("object", name)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return nil, fault.Wrap(fault.Unavailable, "", fmt.Errorf("%s %s: %s", method, name, resp.Status))
	}
	return answer, nil
}
