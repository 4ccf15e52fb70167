package kms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"kefu/shared/adapter/awscall"
)

// maxAnswer is how much of an answer is read. The longest, an encrypted data key of 6144 bytes in base64 with all that
// stands around it, is half of that.
const maxAnswer = 16 << 10

// keySize is the size of a data key, AES-256's.
const keySize = 32

var errNotAKey = errors.New("the answer holds no data key of 256 bits")

// answer is what both operations answer: Decrypt has no blob.
type answer struct {
	CiphertextBlob []byte
	Plaintext      []byte
}

// read takes a data key out of an answer, and leaves nothing of it in the memory that it used. What is wrong with an
// answer is never told in its own words: they may be those of a key.
func read(resp *http.Response) (answer, error) {
	buf := bytes.NewBuffer(make([]byte, 0, maxAnswer+1+bytes.MinRead)) // it doesn't grow, which would leave copies
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	body := buf.Bytes()
	defer clear(body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	var a answer
	if len(body) > maxAnswer || json.Unmarshal(body, &a) != nil || len(a.Plaintext) != keySize {
		clear(a.Plaintext)
		return answer{}, fmt.Errorf("%w (request %q)", errNotAKey, requestID(resp))
	}
	return a, nil
}

// refused reads an answer that is no success. The name of an error stands in a header or in the body, there with a
// namespace in front, and in both perhaps with an address behind.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
func refused(resp *http.Response) *awscall.Refusal {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what there is of it may do
	var doc struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: the name's case doesn't count
	}
	_ = json.Unmarshal(raw, &doc) // a page of something in between has none of it
	r := &awscall.Refusal{Status: resp.StatusCode, Message: harmless(doc.Message), Request: requestID(resp)}
	for _, name := range []string{resp.Header.Get("X-Amzn-Errortype"), doc.Type, doc.Code} {
		name, _, _ = strings.Cut(name, ":")
		if r.Code = awscall.Word(name[strings.LastIndexByte(name, '#')+1:]); r.Code != "" {
			break
		}
	}
	return r
}

func requestID(resp *http.Response) string { return awscall.Word(resp.Header.Get("X-Amzn-Requestid")) }

// harmless makes a sentence of KMS fit for one line of a log. The lines after the first, and sentences about headers,
// repeat what was signed: the session's token, and the signature.
func harmless(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	lower := strings.ToLower(s)
	for _, part := range []string{"authorization header", "authorization=", "signature=", "security-token"} {
		if strings.Contains(lower, part) {
			return ""
		}
	}
	return awscall.Sentence(s)
}
