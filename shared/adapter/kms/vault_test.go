package kms

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"kefu/shared/core/fault"
)

// vaults are the kinds of vault, each with a second one that stands for another process of the same deployment.
func vaults() map[string][2]*Vault {
	fake := newFake()
	return map[string][2]*Vault{
		"kms":    {newVault(fake, nil), newVault(fake, nil)},
		"static": {Static([32]byte{1}), Static([32]byte{1})},
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, pair := range vaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				owner := rapid.String().Draw(r, "owner")
				plain := rapid.SliceOf(rapid.Byte()).Draw(r, "plain")
				before := bytes.Clone(plain)
				sealed, err := pair[0].Seal(t.Context(), owner, plain)
				if err != nil {
					r.Fatal(err)
				}
				if !bytes.Equal(plain, before) {
					r.Fatalf("got the caller's bytes changed to %x, want %x", plain, before)
				}
				for _, v := range pair {
					got, err := v.Open(t.Context(), owner, sealed)
					if err != nil || !bytes.Equal(got, plain) {
						r.Fatalf("got %x, %v; want %x", got, err, plain)
					}
				}
				if len(plain) >= 8 && bytes.Contains(sealed, plain) {
					r.Fatalf("got %x, want nothing of %x in it", sealed, plain)
				}
				other := rapid.String().Filter(func(s string) bool { return s != owner }).Draw(r, "other owner")
				got, err := pair[1].Open(t.Context(), other, sealed)
				wantUnsealable(t, err)
				if got != nil {
					r.Fatalf("got %x for another owner, want nothing", got)
				}
			})
		})
	}
}

func TestSealingTwiceDiffers(t *testing.T) {
	t.Parallel()
	for name, pair := range vaults() {
		if a, b := seal(t, pair[0], "o", "hunter2"), seal(t, pair[0], "o", "hunter2"); bytes.Equal(a, b) {
			t.Errorf("%s: got %x twice, want another nonce each time", name, a)
		}
	}
}

// Whatever byte is changed, and wherever it ends, nothing opens.
func TestTampering(t *testing.T) {
	t.Parallel()
	for name, pair := range vaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sealed := seal(t, pair[0], "account:shop", "hunter2")
			e, err := parse(sealed)
			if err != nil {
				t.Fatal(err)
			}
			refuses := func(changed []byte, what string) {
				t.Helper()
				for _, v := range pair {
					if got, err := v.Open(t.Context(), "account:shop", changed); err == nil || got != nil {
						t.Errorf("%s: got %q and %v, want no secret and an error", what, got, err)
					}
				}
			}
			for i := range sealed {
				for _, flip := range []byte{0x01, 0x80, 0xff} {
					changed := bytes.Clone(sealed)
					changed[i] ^= flip
					refuses(changed, fmt.Sprintf("byte %d ^ %#x", i, flip))
					if inKey := i >= 1 && i < len(e.header); !inKey {
						_, err := pair[1].Open(t.Context(), "account:shop", changed)
						wantUnsealable(t, err)
					}
				}
				refuses(sealed[:i], fmt.Sprintf("cut to %d bytes", i))
			}
			refuses(append(bytes.Clone(sealed), 0), "one byte more")
			wantOpen(t, pair[1], "account:shop", sealed, "hunter2")
		})
	}
}

// Two secrets of one owner under different data keys can't be put together to a third, and KMS's mark can't be dropped.
func TestPartsDoNotMix(t *testing.T) {
	t.Parallel()
	fake := newFake()
	a, b := newVault(fake, nil), newVault(fake, nil)
	one, _ := parse(seal(t, a, "o", "hunter2"))
	two, _ := parse(seal(t, b, "o", "hunter3"))
	mixed := append(append(bytes.Clone(one.header), two.nonce...), two.text...)
	_, err := a.Open(t.Context(), "o", mixed)
	wantUnsealable(t, err)
	bare := append(append(header(nil), one.nonce...), one.text...)
	_, err = a.Open(t.Context(), "o", bare)
	wantUnsealable(t, err)
	wantCalls(t, fake, 2, 0)
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	ours, theirs := Static([32]byte{1}), Static([32]byte{2})
	fake, unasked := newFake(), newFake()
	for name, tc := range map[string]struct{ seals, opens *Vault }{
		"another key":        {ours, theirs},
		"sealed with KMS":    {newVault(fake, nil), ours},
		"sealed without KMS": {ours, newVault(unasked, nil)},
	} {
		if _, err := tc.opens.Open(t.Context(), "o", seal(t, tc.seals, "o", "hunter2")); !errors.Is(err, errUnsealable) {
			t.Errorf("%s: got %v, want %v", name, err, errUnsealable)
		}
	}
	wantCalls(t, unasked, 0, 0) // what has no data key is no reason to ask KMS
}

// Stored secrets outlive the version of the code that sealed them: these bytes, made by
// another implementation (Node's crypto), must open for ever.
func TestFormat(t *testing.T) {
	t.Parallel()
	const stored = "010000" + "000102030405060708090a0b" + "f1a0baf58015f8100f61c20fe7e2fb13eb193b820c"
	v := Static([32]byte{1, 2, 3})
	v.rand = bytes.NewReader([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	if got := hex.EncodeToString(seal(t, v, "account:shop", "token")); got != stored {
		t.Errorf("got  %s\nwant %s", got, stored)
	}
	raw, err := hex.DecodeString(stored)
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, Static([32]byte{1, 2, 3}), "account:shop", raw, "token")
	if e, err := parse(seal(t, newVault(newFake(), nil), "o", "x")); err != nil || len(e.encrypted) == 0 || len(e.nonce) != 12 {
		t.Errorf("got %d bytes of data key, %d of nonce, %v; want some, and 12", len(e.encrypted), len(e.nonce), err)
	}
}

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	fake := newFake()
	v := New(config(direct{handler: fake}), Options{KeyID: keyID, Rand: iotest.ErrReader(iotest.ErrTimeout)})
	sealed, err := v.Seal(t.Context(), "o", []byte("hunter2"))
	wantFault(t, err, fault.Unavailable, "no-randomness", "")
	if sealed != nil {
		t.Errorf("got %x, want nothing", sealed)
	}
}

// Nothing of a key shows, however a vault is printed.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	raw := []byte("0123456789abcdefghijklmnopqrstuv")
	fake := newFake()
	remote := newVault(fake, nil)
	wantOpen(t, newVault(fake, nil), "o", seal(t, remote, "o", "hunter2"), "hunter2")
	out := &strings.Builder{}
	logger := slog.New(slog.NewJSONHandler(out, nil))
	texter := slog.New(slog.NewTextHandler(out, nil))
	for _, v := range []*Vault{Static([32]byte(raw)), remote} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(out, verb+"\n", v)
		}
		logger.Info("m", "vault", v)
		texter.Info("m", "vault", v)
	}
	for _, bad := range []string{"0123456789abcdef", hex.EncodeToString(raw), "48 49 50 51 52", "aead", "hunter2"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("got %q in %s", bad, out.String())
		}
	}
	if !strings.Contains(out.String(), "KEFU_KMS_KEY "+keyID) {
		t.Errorf("got %s, want the key's id to be seen", out.String())
	}
}

// The bytes that come in are overwritten; the caller of Static keeps its own.
func TestKeyBytesAreOverwritten(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{7}, 32)
	if _, err := newDataKey(raw, nil, newClock().now()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, make([]byte, 32)) {
		t.Errorf("got %x, want zeros", raw)
	}
	own := [32]byte{7}
	Static(own)
	if own != [32]byte{7} {
		t.Errorf("got the caller's key changed to %x", own)
	}
	if _, err := newDataKey(make([]byte, 31), nil, newClock().now()); fault.KindOf(err) != fault.Internal || err == nil {
		t.Errorf("got %v for 31 bytes, want Internal", err)
	}
}
