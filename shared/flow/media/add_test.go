package media_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

func TestAddTakesWhatThePlatformTakes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind string
		b    []byte
		want string
	}{
		"PNG": {"image", png, "image/png"}, "JPEG": {"image", jpeg, "image/jpeg"}, "GIF": {"image", gif, "image/gif"},
		"AMR": {"voice", amr, "audio/amr"}, "wide AMR": {"voice", []byte("#!AMR-WB\nx"), "audio/amr"},
		"MP3": {"voice", mp3, "audio/mpeg"}, "MP3 with a tag": {"voice", []byte("ID3\x03xxxx"), "audio/mpeg"},
		"MP4": {"video", mp4, "video/mp4"}, "cover": {"thumb", jpeg, "image/jpeg"},
		"the largest picture": {"image", pad(png, 2<<20), "image/png"},
		"the largest voice":   {"voice", pad(amr, 2<<20), "audio/amr"},
		"the largest video":   {"video", pad(mp4, 10<<20), "video/mp4"},
		"the largest cover":   {"thumb", pad(jpeg, 64<<10), "image/jpeg"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, k := newWorld()
			got, err := k.Add(t.Context(), shop, tc.kind, "../a\r\nb.x", "text/html", tc.b)
			want := message.Media{
				ID: "mu1", Account: "shop", Owner: shop.Owner(), Type: tc.kind, ContentType: tc.want, Name: "ab.x", Size: int64(len(tc.b)), Kept: true,
				CreatedAt: start, ExpiresAt: start.Add(account.DefaultKeepMediaFor),
			}
			if err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
			if w.records["mu1"] != want || !bytes.Equal(w.blobs["mu1"], tc.b) {
				t.Errorf("got %+v and %d bytes kept, want what was returned", w.records["mu1"], len(w.blobs["mu1"]))
			}
		})
	}
}

// pad makes a file n bytes long.
func pad(b []byte, n int) []byte { return append(slices.Clone(b), make([]byte, n-len(b))...) }

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind   string
		b      []byte
		code   string
		status int
	}{
		"an unknown kind":      {"file", png, "media-invalid", 400},
		"no kind":              {"", png, "media-invalid", 400},
		"nothing":              {"image", nil, "media-invalid", 400},
		"a page":               {"image", []byte("<html><script>"), "media-invalid", 400},
		"a drawing":            {"image", []byte(`<svg xmlns="http://www.w3.org/2000/svg">`), "media-invalid", 400},
		"another format":       {"image", []byte("RIFFxxxxWEBPVP8 xxxx"), "media-invalid", 400},
		"a voice as a picture": {"image", amr, "media-invalid", 400},
		"AAC as a voice":       {"voice", []byte("\xff\xf1\x50\x80xxxx"), "media-invalid", 400},
		"QuickTime as a video": {"video", []byte("\x00\x00\x00\x14ftypqt  \x00\x00"), "media-invalid", 400},
		"a photo as a video":   {"video", []byte("\x00\x00\x00\x18ftypheic\x00\x00"), "media-invalid", 400},
		"PNG as a cover":       {"thumb", png, "media-invalid", 400},
		"too large a picture":  {"image", pad(png, 2<<20+1), "too-large", 413},
		"too large a voice":    {"voice", pad(amr, 2<<20+1), "too-large", 413},
		"too large a video":    {"video", pad(mp4, 10<<20+1), "too-large", 413},
		"too large a cover":    {"thumb", pad(jpeg, 64<<10+1), "too-large", 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, k := newWorld()
			_, err := k.Add(t.Context(), shop, tc.kind, "a.png", "image/png", tc.b)
			wantFault(t, err, fault.Invalid, tc.code)
			if got := fault.Status(err); got != tc.status {
				t.Errorf("got status %d, want %d", got, tc.status)
			}
			if len(w.steps) != 0 {
				t.Errorf("got %v, want nothing written", w.steps)
			}
		})
	}
}

func TestAddLeavesNothingThatSweepCannotFind(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"record mu1 kept=false", "blob", "record mu1 kept=true"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w, k := newWorld()
			w.failOn = step
			_, err := k.Add(t.Context(), shop, "image", "a.png", "", png)
			wantFault(t, err, fault.Unavailable, "unavailable")
			if len(w.blobs) > len(w.records) {
				t.Errorf("got steps %v, want no bytes without a record", w.steps)
			}
		})
	}
}

func TestAddNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "file.png", "..": "file.png", "a/": "file.png", `C:\x\y.png`: "y.png", "你好.png": "你好.png", "a\u202egnp.exe": "agnp.exe",
		strings.Repeat("长", 100) + ".png": strings.Repeat("长", 38) + ".png",
	} {
		_, k := newWorld()
		m, err := k.Add(t.Context(), shop, "image", in, "", png)
		if err != nil || m.Name != want {
			t.Errorf("%q: got %q, %v; want %q", in, m.Name, err, want)
		}
	}
}

func TestDefaultIDsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	_, k := newWorld()
	k.NewID = nil
	a, b := mustAdd(t, k, shop, "image", png), mustAdd(t, k, shop, "image", png)
	shape := regexp.MustCompile(`^mu[a-z2-7]{26}$`)
	if !shape.MatchString(a.ID) || !shape.MatchString(b.ID) || a.ID == b.ID {
		t.Errorf("got %q and %q, want two of shape %v", a.ID, b.ID, shape)
	}
}
