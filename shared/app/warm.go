package app

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// warmTime bounds the warming: a service that doesn't answer is for the first event to find out.
const warmTime = 2 * time.Second

// warm opens a connection to each service that a function calls on its hot path, while Lambda still gives it a whole
// processor: a TLS handshake on a fourteenth of one takes longer than all the rest of a first event. Any answer will
// do, so the request needs neither a permission nor a signature.
func warm(ctx context.Context, web *http.Client, endpoints []string) {
	ctx, cancel := context.WithTimeout(ctx, warmTime)
	defer cancel()
	var all sync.WaitGroup
	for _, url := range endpoints {
		all.Go(func() { touch(ctx, web, url) })
	}
	all.Wait()
}

// touch makes a request whose answer doesn't matter, and leaves its connection open.
func touch(ctx context.Context, web *http.Client, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return
	}
	resp, err := web.Do(req)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	_ = resp.Body.Close()
}
