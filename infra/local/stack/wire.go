package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// operation is one call of a service that speaks AWS's JSON 1.0.
type operation struct {
	web             *http.Client
	address, target string // http://127.0.0.1:PORT, AmazonSQS.SendMessage
}

// signature says who asks, for which Region; local engines read that and verify nothing.
const signature = "AWS4-HMAC-SHA256 Credential=local/20200101/" + Region + "/local/aws4_request, SignedHeaders=host, Signature=0"

// call makes the call; out may be nil.
func (o operation) call(ctx context.Context, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.address+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", o.target)
	answer, err := send(o.web, req)
	if err != nil {
		return fmt.Errorf("%s: %w", o.target, err)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// send makes a request and reads its answer; a refusal is an error.
func send(web *http.Client, req *http.Request) ([]byte, error) {
	req.Header.Set("Authorization", signature)
	resp, err := web.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(answer)))
	}
	return answer, nil
}

// Put stores an object in the bucket; without a key it makes the bucket.
func (s *Stack) Put(ctx context.Context, key string, body []byte) error {
	path := "/" + s.o.Name
	if key != "" {
		path += "/" + key
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.o.S3+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, err = send(s.web, req)
	return err
}
