package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// client speaks the HTTP interface with one key.
type client struct {
	base string // http://127.0.0.1:8080/v1
	key  string
}

// problem is a refusal of the interface.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// do makes one call; in and out may be nil.
func (c client) do(ctx context.Context, method, path string, in, out any) error {
	return c.idempotent(ctx, "", method, path, in, out)
}

// idempotent makes a call that may be repeated with the same key.
func (c client) idempotent(ctx context.Context, key, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		p := &problem{Status: resp.StatusCode, Detail: strings.TrimSpace(string(answer))}
		_ = json.Unmarshal(answer, p) // what is no problem document is shown as it came
		return p
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// The parts of the interface's answers that are looked at here.
type (
	sessionView struct {
		ID       string `json:"id"`
		Account  string `json:"account"`
		Customer string `json:"customer"`
		State    string `json:"state"`
		Agent    string `json:"agent"`
		Window   struct {
			Limit     int `json:"limit"`
			Used      int `json:"used"`
			Remaining int `json:"remaining"`
		} `json:"window"`
	}
	messageView struct {
		ID        string `json:"id"`
		Direction string `json:"direction"`
		Type      string `json:"type"`
		State     string `json:"state"`
		Reason    string `json:"reason"`
		Text      struct {
			Content string `json:"content"`
		} `json:"text"`
		Event struct {
			Name string `json:"name"`
		} `json:"event"`
		Duplicates struct {
			Count int `json:"count"`
		} `json:"duplicates"`
	}
	page[T any] struct {
		Items []T    `json:"items"`
		Next  string `json:"next"`
	}
)
