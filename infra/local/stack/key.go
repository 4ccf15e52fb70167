package stack

import (
	"context"
	"net"
	"net/http"
	"time"

	"kefu/shared/adapter/kms/kmsfake"
)

// key is the key that seals secrets, in a KMS of our own: no engine brings one.
type key struct {
	arn, address string
	server       *http.Server
}

func newKey(ctx context.Context) (*key, error) {
	const id = "local"
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fake := kmsfake.New(kmsfake.Options{Keys: []string{id}})
	k := &key{
		arn: fake.ARN(id), address: "http://" + ln.Addr().String(),
		server: &http.Server{Handler: fake, ReadHeaderTimeout: 10 * time.Second},
	}
	go func() { _ = k.server.Serve(ln) }() // ends with close
	return k, nil
}

func (k *key) close() error { return k.server.Close() }
