package media_test

import (
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

func TestPlatformIDUploadsWhenNeeded(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	m := mustAdd(t, k, shop, "image", png)
	for _, tc := range []struct {
		at    time.Duration
		renew bool
		want  string
	}{
		{0, false, "P1"},
		{0, false, "P1"},
		{71*time.Hour - time.Nanosecond, false, "P1"},
		{71 * time.Hour, false, "P2"},
		{71 * time.Hour, true, "P3"},
		{71 * time.Hour, false, "P3"},
	} {
		w.now = start.Add(tc.at)
		if got, err := k.PlatformID(t.Context(), shop, m.ID, tc.renew); err != nil || got != tc.want {
			t.Errorf("at %v, renew %v: got %q, %v; want %q", tc.at, tc.renew, got, err, tc.want)
		}
	}
	if got, want := w.uploads[0], (upload{"shop", "image", "mu1.png", "image/png", len(png)}); got != want {
		t.Errorf("got upload %+v, want %+v", got, want)
	}
}

func TestPlatformIDOfACustomersFile(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	w.platform["P"] = png
	mustExpect(t, k, shop, message.TypeImage, "md1", "P")
	if got, err := k.PlatformID(t.Context(), shop, "md1", false); err != nil || got != "P" || w.asked != 0 {
		t.Errorf("got %q, %v after %d downloads; want the platform's own id at once", got, err, w.asked)
	}
	w.now = start.Add(71*time.Hour + time.Minute)
	if got, err := k.PlatformID(t.Context(), shop, "md1", false); err != nil || got != "P1" || w.asked != 1 {
		t.Errorf("got %q, %v after %d downloads; want it fetched and uploaded", got, err, w.asked)
	}
}

func TestCoversThatAreNoneGoAsPictures(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	m := mustAdd(t, k, shop, "thumb", jpeg)
	if _, err := k.PlatformID(t.Context(), shop, m.ID, false); err != nil {
		t.Fatal(err)
	}
	w.platform["P"] = png
	mustExpect(t, k, shop, message.TypeMiniProgramPage, "md1", "P")
	if _, err := k.PlatformID(t.Context(), shop, "md1", true); err != nil {
		t.Fatal(err)
	}
	if w.uploads[0].kind != "thumb" || w.uploads[1].kind != "image" {
		t.Errorf("got %+v, want the uploaded cover as thumb and the received one as image", w.uploads)
	}
}

func TestFilesBelongToTheirAccount(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	m := mustAdd(t, k, shop, "image", png)
	if got, err := k.PlatformID(t.Context(), shop, m.ID, false); err != nil || got != "P1" {
		t.Fatalf("got %q, %v; want P1", got, err)
	}
	if got, err := k.PlatformID(t.Context(), twin, m.ID, false); err != nil || got != "P1" {
		t.Errorf("same app id: got %q, %v; want P1 without an upload", got, err)
	}
	for _, a := range []account.Account{other, alien} {
		_, err := k.PlatformID(t.Context(), a, m.ID, false)
		wantFault(t, err, fault.NotFound, "media-unknown")
	}
	orphan := mustAdd(t, k, account.Account{ID: "deleted", Tenant: "t1", AppID: "wx1"}, "image", png)
	_, err := k.PlatformID(t.Context(), shop, orphan.ID, false)
	wantFault(t, err, fault.NotFound, "media-unknown")
	if len(w.uploads) != 1 {
		t.Errorf("got uploads %+v, want one", w.uploads)
	}
}

func TestPlatformIDPassesRefusals(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	m := mustAdd(t, k, shop, "image", png)
	w.down = fault.New(fault.Invalid, "media-invalid", "")
	_, err := k.PlatformID(t.Context(), shop, m.ID, false)
	wantFault(t, err, fault.Invalid, "media-invalid")
	if got := w.records[m.ID].PlatformID; got != "" {
		t.Errorf("got platform id %q kept, want none", got)
	}
}
