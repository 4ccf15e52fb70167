package media_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

func TestExpectThenFetch(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	w.platform["P"] = png
	list := []message.PlatformMedia{{ID: "md1", PlatformID: "P", Type: message.TypeImage}, {ID: "md2", PlatformID: "Q", Type: message.TypeShortVideo}}
	for range 2 {
		if err := k.Expect(t.Context(), shop, list, start); err != nil {
			t.Fatal(err)
		}
	}
	want := message.Media{
		ID: "md1", Account: "shop", Owner: shop.Owner(), Type: "image", PlatformID: "P", PlatformUntil: start.Add(72 * time.Hour),
		CreatedAt: start, ExpiresAt: start.Add(account.DefaultKeepMediaFor),
	}
	if got := w.records["md1"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := w.records["md2"].Type; got != "video" {
		t.Errorf("got kind %q of a short video, want video", got)
	}
	for range 2 {
		if err := k.Fetch(t.Context(), "md1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Expect(t.Context(), shop, list, start); err != nil {
		t.Fatal(err)
	}
	want.Kept, want.ContentType, want.Name, want.Size = true, "image/png", "x.png", int64(len(png))
	if got := w.records["md1"]; got != want {
		t.Errorf("got %+v, want %+v: expecting again changes nothing", got, want)
	}
	if w.asked != 1 {
		t.Errorf("got %d downloads, want 1", w.asked)
	}
	m, b, err := k.Open(t.Context(), "md1")
	if err != nil || m != want || !bytes.Equal(b, png) || w.asked != 1 {
		t.Errorf("got %+v, %d bytes, %v after %d downloads; want the kept file", m, len(b), err, w.asked)
	}
}

func TestOpenFetchesWhatIsNotKept(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	w.platform["P"] = png
	mustExpect(t, k, shop, message.TypeImage, "md1", "P")
	m, b, err := k.Open(t.Context(), "md1")
	if err != nil || !m.Kept || !bytes.Equal(b, png) || !bytes.Equal(w.blobs["md1"], png) {
		t.Errorf("got %+v, %d bytes, %v; want the file, kept", m, len(b), err)
	}
}

func TestFetchOfWhatIsGone(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	mustExpect(t, k, shop, message.TypeImage, "md1", "P")
	for range 2 {
		wantFault(t, k.Fetch(t.Context(), "md1"), fault.NotFound, "media-gone")
	}
	if _, ok := w.records["md1"]; !ok || w.asked != 1 {
		t.Errorf("got record %v and %d downloads, want the record kept and the platform asked once", ok, w.asked)
	}
	_, _, err := k.Open(t.Context(), "md1")
	wantFault(t, err, fault.NotFound, "media-gone")
	_, err = k.PlatformID(t.Context(), shop, "md1", true)
	wantFault(t, err, fault.NotFound, "media-gone")
}

func TestFetchAfterThreeDaysAsksNobody(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	mustExpect(t, k, shop, message.TypeImage, "md1", "P")
	w.now = start.Add(72 * time.Hour)
	wantFault(t, k.Fetch(t.Context(), "md1"), fault.NotFound, "media-gone")
	if w.asked != 0 {
		t.Errorf("got %d downloads, want none", w.asked)
	}
}

func TestFetchCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"", "blob", "record md1 kept=true"} {
		t.Run("broken "+step, func(t *testing.T) {
			t.Parallel()
			w, k := newWorld()
			w.platform["P"] = png
			mustExpect(t, k, shop, message.TypeImage, "md1", "P")
			w.failOn = step
			if step == "" {
				w.down = fault.Wrap(fault.Unavailable, "platform-unreachable", errors.New("dial"))
			}
			if err := k.Fetch(t.Context(), "md1"); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("got %v, want unavailable", err)
			}
			w.down, w.failOn = nil, ""
			if err := k.Fetch(t.Context(), "md1"); err != nil || !w.records["md1"].Kept {
				t.Errorf("got %v, kept %v; want it kept", err, w.records["md1"].Kept)
			}
		})
	}
}

func TestBytesWithoutTheRecordsWordAreFound(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	mustExpect(t, k, shop, message.TypeImage, "md1", "P")
	w.blobs["md1"] = png
	m, b, err := k.Open(t.Context(), "md1")
	if err != nil || !bytes.Equal(b, png) || m.ContentType != "image/png" || !w.records["md1"].Kept {
		t.Errorf("got %+v, %d bytes, %v; want the file, kept", m, len(b), err)
	}
}

func TestUnknownAndExpired(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	m := mustAdd(t, k, shop, "image", png)
	w.now = m.ExpiresAt
	for _, id := range []string{m.ID, "nothing", ""} {
		_, _, err := k.Open(t.Context(), id)
		wantFault(t, err, fault.NotFound, "media-unknown")
		wantFault(t, k.Fetch(t.Context(), id), fault.NotFound, "media-unknown")
		_, err = k.PlatformID(t.Context(), shop, id, false)
		wantFault(t, err, fault.NotFound, "media-unknown")
	}
	w.now = start
	delete(w.blobs, m.ID)
	_, _, err := k.Open(t.Context(), m.ID)
	wantFault(t, err, fault.NotFound, "media-unknown")
}

func TestSweep(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	var ids []string
	for i := range 4 {
		w.now = start.Add(time.Duration(i) * time.Hour)
		ids = append(ids, mustAdd(t, k, shop, "image", png).ID)
	}
	end := start.Add(account.DefaultKeepMediaFor)
	for _, tc := range []struct {
		now   time.Time
		limit int
		fail  string
		want  int
		left  int
	}{
		{end, 10, "", 0, 4},
		{end.Add(time.Nanosecond), 10, "", 1, 3},
		{end.Add(2*time.Hour + 1), 1, "", 1, 2},
		{end.Add(9 * time.Hour), 10, "delete " + ids[2], 1, 1},
		{end.Add(9 * time.Hour), 10, "", 1, 0},
	} {
		w.failOn = tc.fail
		n, err := k.Sweep(t.Context(), tc.now, tc.limit)
		if n != tc.want || len(w.records) != tc.left || len(w.blobs) != tc.left || (err != nil) != (tc.fail != "") {
			t.Errorf("at %v: got %d deleted, %d left, %v; want %d, %d", tc.now, n, len(w.records), err, tc.want, tc.left)
		}
	}
}

func TestConcurrentFetchAndPlatformID(t *testing.T) {
	t.Parallel()
	w, k := newWorld()
	w.platform["P"] = png
	mustExpect(t, k, shop, message.TypeImage, "md1", "P")
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			if err := k.Fetch(t.Context(), "md1"); err != nil {
				t.Error(err)
			}
			if _, err := k.PlatformID(t.Context(), shop, "md1", i%2 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if m, b, err := k.Open(t.Context(), "md1"); err != nil || !m.Kept || !bytes.Equal(b, png) {
		t.Errorf("got %+v, %d bytes, %v; want the file", m, len(b), err)
	}
}

// A file of an account that has gone is nobody's: neither fetched nor sent for whoever has the account's id since.
func TestFilesOfAnAccountThatHasGone(t *testing.T) {
	t.Parallel()
	for name, owner := range map[string]account.Owner{
		"another tenant's":     {Tenant: "another", Incarnation: "1"},
		"made again since":     {Tenant: shop.Tenant, Incarnation: "1"},
		"of an earlier tenant": {Tenant: "another"},
	} {
		w, k := newWorld()
		w.platform["P"] = png
		former := shop
		former.Tenant, former.Incarnation = owner.Tenant, owner.Incarnation
		mine := mustAdd(t, k, former, "image", png)
		mustExpect(t, k, former, message.TypeImage, "md1", "P")
		wantFault(t, k.Fetch(t.Context(), "md1"), fault.NotFound, "not-found")
		for _, id := range []string{mine.ID, "md1"} {
			_, err := k.PlatformID(t.Context(), shop, id, false)
			wantFault(t, err, fault.NotFound, "media-unknown")
		}
		if w.asked != 0 || len(w.uploads) != 0 {
			t.Errorf("%s: got %d downloads and %d uploads, want none", name, w.asked, len(w.uploads))
		}
	}
}
