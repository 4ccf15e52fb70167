package media_test

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/flow/media"
)

var (
	start = time.Date(2026, 10, 1, 4, 0, 0, 0, time.UTC)
	shop  = account.Account{ID: "shop", Tenant: "t1", AppID: "wx1"}
	twin  = account.Account{ID: "twin", Tenant: "t1", AppID: "wx1"}
	other = account.Account{ID: "other", Tenant: "t1", AppID: "wx2"}
	alien = account.Account{ID: "alien", Tenant: "t2", AppID: "wx1"}

	png  = []byte("\x89PNG\r\n\x1a\nxxxxxxxxxxxxxxxx")
	jpeg = []byte("\xff\xd8\xff\xe0\x00\x10JFIFxxxxxxxxxx")
	gif  = []byte("GIF89axxxxxxxxxx")
	amr  = []byte("#!AMR\n\x3c\x00")
	mp3  = []byte("\xff\xfb\x90\x00xxxx")
	mp4  = []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
)

// world is store, platform, accounts and clock in one.
type world struct {
	mu       sync.Mutex
	now      time.Time
	records  map[string]message.Media
	blobs    map[string][]byte
	steps    []string // writes, in order
	failOn   string   // the step that fails
	platform map[string][]byte
	uploads  []upload
	asked    int // downloads
	down     error
}

type upload struct {
	account        account.ID
	kind, name, ct string
	size           int
}

func newWorld() (*world, *media.Keeper) {
	w := &world{now: start, records: map[string]message.Media{}, blobs: map[string][]byte{}, platform: map[string][]byte{}}
	ids := 0
	return w, &media.Keeper{Store: w, Platform: w, Accounts: w, Now: w.clock, NewID: func() string {
		ids++
		return fmt.Sprint("mu", ids)
	}}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// step records a write, or fails it.
func (w *world) step(format string, args ...any) error {
	s := fmt.Sprintf(format, args...)
	if w.failOn != "" && strings.HasPrefix(s, w.failOn) {
		return fault.New(fault.Unavailable, "", s)
	}
	w.steps = append(w.steps, s)
	return nil
}

func (w *world) PutMedia(_ context.Context, m message.Media) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.step("record %s kept=%v", m.ID, m.Kept); err != nil {
		return err
	}
	w.records[m.ID] = m
	return nil
}

func (w *world) Media(_ context.Context, id string) (message.Media, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.records[id]
	if !ok {
		return m, fault.New(fault.NotFound, "", "")
	}
	return m, nil
}

func (w *world) DueMedia(_ context.Context, before time.Time, limit int) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for id, m := range w.records {
		if m.ExpiresAt.Before(before) {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return w.records[ids[i]].ExpiresAt.Before(w.records[ids[j]].ExpiresAt) })
	return ids[:min(limit, len(ids))], nil
}

func (w *world) DeleteMedia(_ context.Context, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.step("delete %s", id); err != nil {
		return err
	}
	delete(w.records, id)
	delete(w.blobs, id)
	return nil
}

func (w *world) PutBlob(_ context.Context, id string, b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.step("blob %s", id); err != nil {
		return err
	}
	w.blobs[id] = slices.Clone(b)
	return nil
}

func (w *world) Blob(_ context.Context, id string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.blobs[id]
	if !ok {
		return nil, fault.New(fault.NotFound, "", "")
	}
	return slices.Clone(b), nil
}

func (w *world) Upload(_ context.Context, a account.Account, kind, name, ct string, b []byte) (string, time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down != nil {
		return "", time.Time{}, w.down
	}
	w.uploads = append(w.uploads, upload{a.ID, kind, name, ct, len(b)})
	id := fmt.Sprint("P", len(w.uploads))
	w.platform[id] = b
	return id, w.now.Add(72 * time.Hour), nil
}

func (w *world) Download(_ context.Context, _ account.Account, platformID string) ([]byte, string, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.down != nil {
		return nil, "", "", w.down
	}
	b, ok := w.platform[platformID]
	if !ok {
		return nil, "", "", fault.New(fault.NotFound, "media-gone", "")
	}
	return b, "image/png", "x.png", nil
}

func (w *world) Account(_ context.Context, id account.ID) (account.Account, error) {
	for _, a := range []account.Account{shop, twin, other, alien} {
		if a.ID == id {
			return a, nil
		}
	}
	return account.Account{}, fault.New(fault.NotFound, "", "")
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s %s", err, kind, code)
	}
}

func mustAdd(t *testing.T, k *media.Keeper, a account.Account, kind string, b []byte) message.Media {
	t.Helper()
	m, err := k.Add(t.Context(), a, kind, "a.bin", "", b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustExpect(t *testing.T, k *media.Keeper, a account.Account, typ message.Type, id, platformID string) {
	t.Helper()
	if err := k.Expect(t.Context(), a, []message.PlatformMedia{{ID: id, PlatformID: platformID, Type: typ}}, start); err != nil {
		t.Fatal(err)
	}
}
