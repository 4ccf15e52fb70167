package s3

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"kefu/shared/adapter/awscall"
)

// maxRefusal is how much of an error document is read. They are some hundred bytes.
const maxRefusal = 16 << 10

var (
	errTooLarge = fmt.Errorf("the object has more than %d bytes", MaxBytes)
	errDamaged  = errors.New("the bytes do not match the checksum that they were stored with")
	errEndless  = errors.New("the answer does not tell where the object ends")
)

// read returns the object in an answer, if it is whole.
func read(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > MaxBytes {
		return nil, errTooLarge
	}
	body, err := readBody(resp)
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBytes {
		return nil, errTooLarge
	}
	switch want := resp.Header.Get("X-Amz-Checksum-Sha256"); {
	case want != "" && !strings.Contains(want, "-"): // with "-n" it is a sum of the sums of n parts
		if sum := sha256.Sum256(body); want != base64.StdEncoding.EncodeToString(sum[:]) {
			return nil, errDamaged
		}
	case resp.ContentLength < 0 && resp.ProtoMajor < 2 && len(resp.TransferEncoding) == 0:
		return nil, errEndless // it ended with its connection, which may have been cut
	}
	return body, nil
}

func readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength < 0 {
		return io.ReadAll(io.LimitReader(resp.Body, MaxBytes+1))
	}
	body := make([]byte, resp.ContentLength)
	if _, err := io.ReadFull(resp.Body, body); err != nil {
		return nil, fmt.Errorf("reading %d bytes: %w", len(body), err)
	}
	return body, nil
}

// refused reads an answer that is no success. Of its document only the harmless parts are kept: others repeat the
// signature, or the session's token.
func refused(resp *http.Response) *awscall.Refusal {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what there is of it may do
	doc := string(raw)
	r := &awscall.Refusal{
		Status:  resp.StatusCode,
		Code:    awscall.Word(element(doc, "Code")),
		Message: awscall.Sentence(element(doc, "Message")),
		Region:  awscall.Word(element(doc, "Region")),
		Request: awscall.Word(resp.Header.Get("X-Amz-Request-Id")),
	}
	if r.Region == "" {
		r.Region = awscall.Word(resp.Header.Get("X-Amz-Bucket-Region"))
	}
	return r
}

// element returns the text of the document's first element of a name. The documents are flat, and their texts that
// count here have no entities; an XML reader would be the one thing that needs encoding/xml in the binary.
func element(doc, name string) string {
	_, rest, _ := strings.Cut(doc, "<"+name+">")
	text, _, closed := strings.Cut(rest, "</"+name+">")
	if !closed {
		return ""
	}
	return text
}
