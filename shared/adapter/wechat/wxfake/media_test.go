package wxfake

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	big := func(head []byte, size int) []byte { return append(bytes.Clone(head), make([]byte, size)...) }
	for _, tt := range []struct {
		name, kind, part string
		data             []byte
		want             int
	}{
		{"bad type", "file", "media", pngFile, codeBadMediaType},
		{"wrong part", "image", "file", pngFile, codeNoMedia},
		{"empty part", "image", "media", nil, codeNoMedia},
		{"text as image", "image", "media", []byte("hello"), codeBadFileType},
		{"png as thumb", "thumb", "media", pngFile, codeBadFileType},
		{"image over 2 MiB", "image", "media", big(pngFile, 2<<20), codeBadImageSize},
		{"thumb over 64 KiB", "thumb", "media", big(jpgFile, 64<<10), codeBadMediaSize},
		{"voice over 2 MiB", "voice", "media", big(amrFile, 2<<20), codeBadMediaSize},
		{"video over 10 MiB", "video", "media", big(mp4File, 10<<20), codeBadMediaSize},
		{"anything over 12 MiB", "video", "media", big(mp4File, 12<<20), codeMediaTooBig},
	} {
		wantCode(t, tt.name, w.upload(miniApp, tt.kind, tt.part, tt.data), tt.want)
	}
	wantCode(t, "no form", w.post("/cgi-bin/media/upload?type=image&access_token="+w.token(miniApp), "hello"), codeNoMedia)
}

func TestMediaRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(app, id string) reply {
		return w.get("/cgi-bin/media/get?access_token=" + w.token(app) + "&media_id=" + id)
	}
	up := w.upload(miniApp, "image", "media", pngFile)
	if want := fmt.Sprintf(`{"type":"image","media_id":"%s","created_at":%d}`, up.MediaID, w.clock.now().Unix()); string(up.body) != want {
		t.Errorf("upload: got %s, want %s", up.body, want)
	}
	r := get(miniApp, up.MediaID)
	if !bytes.Equal(r.body, pngFile) || r.header.Get("Content-Disposition") != `attachment; filename="`+up.MediaID+`.png"` {
		t.Errorf("image: got %q with %v", r.body, r.header)
	}
	wantCode(t, "another account's", get(oaApp, up.MediaID), codeBadMediaID)
	wantCode(t, "no media_id", get(miniApp, ""), codeNoMediaID)
	r = get(oaApp, w.media(oaApp, "video", mp4File))
	if !strings.HasPrefix(r.VideoURL, w.api.URL+"/download/") || r.header.Get("Content-Disposition") != "" {
		t.Errorf("video: got %s", r.body)
	}
	if film := w.get(strings.TrimPrefix(r.VideoURL, w.api.URL)); !bytes.Equal(film.body, mp4File) {
		t.Errorf("video_url: got %q, want the film", film.body)
	}
	w.clock.add(mediaLife - 1)
	if r := get(miniApp, up.MediaID); !bytes.Equal(r.body, pngFile) {
		t.Errorf("just before three days: got %q", r.body)
	}
	w.clock.add(1)
	wantCode(t, "after three days", get(miniApp, up.MediaID), codeBadMediaID)
}

func TestVideoURLBelowAPrefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.SetBaseURL("")
	id, token := w.media(oaApp, "video", mp4File), w.token(oaApp)
	mux := http.NewServeMux()
	mux.Handle("/simulator/", http.StripPrefix("/simulator/", w.p.Handler()))
	w.api.Config.Handler = mux
	r := w.get("/simulator/cgi-bin/media/get?access_token=" + token + "&media_id=" + id)
	if !strings.HasPrefix(r.VideoURL, w.api.URL+"/simulator/download/") {
		t.Fatalf("got %s, want a link below the prefix", r.body)
	}
	if film := w.get(strings.TrimPrefix(r.VideoURL, w.api.URL)); !bytes.Equal(film.body, mp4File) {
		t.Errorf("video_url: got %q, want the film", film.body)
	}
}

func TestACustomersPictureCanBeFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	push := w.p.Named(miniApp, "a").SendImage(t.Context(), pngFile)
	id, link := push.Fields.Get("MediaId"), push.Fields.Get("PicUrl")
	if r := w.get("/cgi-bin/media/get?access_token=" + w.token(miniApp) + "&media_id=" + id); !bytes.Equal(r.body, pngFile) {
		t.Errorf("media/get: got %q", r.body)
	}
	r := w.get(strings.TrimPrefix(link, w.api.URL))
	if !bytes.Equal(r.body, pngFile) || r.header.Get("Content-Type") != "image/png" {
		t.Errorf("PicUrl: got %q as %s", r.body, r.header.Get("Content-Type"))
	}
	w.p.DropMedia()
	wantCode(t, "after DropMedia", w.get("/cgi-bin/media/get?access_token="+w.token(miniApp)+"&media_id="+id), codeBadMediaID)
}

func TestMediaMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.MediaBytes = 100 })
	data := append(bytes.Clone(pngFile), make([]byte, 40)...)
	first := w.media(miniApp, "image", data)
	second := w.media(miniApp, "image", data)
	third := w.media(miniApp, "image", data[:20])
	for id, want := range map[string]bool{first: false, second: true, third: true} {
		if _, _, ok := w.p.Media(miniApp, id); ok != want {
			t.Errorf("medium kept: got %v, want %v", ok, want)
		}
	}
}

func TestContentChecksPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Enter(t.Context(), "")
	w.p.Named(oaApp, "a").Say(t.Context(), "hi")
	call := func(app, path, body string) reply { return w.post(path+"?access_token="+w.token(app), body) }
	good := fmt.Sprintf(`{"openid":"%s","scene":2,"version":2,"content":"hello","media_url":"http://a/b.png","media_type":2}`, c.OpenID())
	r := call(miniApp, "/wxa/msg_sec_check", good)
	if r.Code != 0 || !strings.Contains(string(r.body), `"result":{"suggest":"pass","label":100}`) {
		t.Errorf("msg_sec_check: got %s", r.body)
	}
	for _, path := range []string{"/wxa/msg_sec_check", "/wxa/media_check_async"} {
		wantCode(t, path+" of an official account", call(oaApp, path, good), codeNoPermission)
		wantCode(t, path+" bad scene", call(miniApp, path, strings.Replace(good, `"scene":2`, `"scene":9`, 1)), codeBadScene)
		wantCode(t, path+" bad version", call(miniApp, path, strings.Replace(good, `"version":2`, `"version":1`, 1)), codeBadArgs)
		wantCode(t, path+" unknown openid", call(miniApp, path, strings.Replace(good, c.OpenID(), otherID, 1)), codeBadOpenID)
		wantCode(t, path+" no openid", call(miniApp, path, strings.Replace(good, c.OpenID(), "", 1)), codeNoOpenID)
		wantCode(t, path+" empty", call(miniApp, path, ""), codeEmptyBody)
	}
	wantCode(t, "no content", call(miniApp, "/wxa/msg_sec_check", strings.Replace(good, "hello", "", 1)), codeBadArgs)
	wantCode(t, "media type", call(miniApp, "/wxa/media_check_async", strings.Replace(good, `"media_type":2`, `"media_type":3`, 1)), codeBadMediaType)
	wantCode(t, "media_check_async", call(miniApp, "/wxa/media_check_async", good), 0)
	pushes := w.p.FinishMediaChecks(t.Context())
	if len(pushes) != 1 || !pushes[0].Accepted || pushes[0].Fields.Get("Event") != "wxa_media_check" {
		t.Errorf("wxa_media_check: got %+v, want one accepted push", pushes)
	}
	if again := w.p.FinishMediaChecks(t.Context()); len(again) != 0 {
		t.Errorf("wxa_media_check: got %d more, want none", len(again))
	}
}

func TestMediaCheckComesByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.MediaCheckDelay = time.Minute })
	got := make(chan struct{})
	w.shop.answers(func(n int, rw http.ResponseWriter, _ seen) {
		rw.WriteHeader(http.StatusOK)
		if n == 2 {
			close(got)
		}
	})
	c := w.p.Named(miniApp, "a")
	c.Enter(t.Context(), "")
	w.post("/wxa/media_check_async?access_token="+w.token(miniApp),
		fmt.Sprintf(`{"openid":"%s","scene":1,"version":2,"media_url":"http://a","media_type":1}`, c.OpenID()))
	select {
	case <-got:
	case <-t.Context().Done():
		t.Fatal("no push came")
	}
}

func TestCallbackHelpers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func(body string) reply {
		return w.post("/cgi-bin/callback/check?access_token="+w.token(miniApp), body)
	}
	if r := check(`{"action":"all","check_operator":"DEFAULT"}`); r.Code != 0 || !strings.Contains(string(r.body), `"dns":[`) ||
		!strings.Contains(string(r.body), `"ping":[`) {
		t.Errorf("all: got %s", r.body)
	}
	wantCode(t, "bad action", check(`{"action":"x","check_operator":"DEFAULT"}`), codeBadCheckAction)
	wantCode(t, "bad operator", check(`{"action":"dns","check_operator":"x"}`), codeBadCheckOperator)
	w.update(miniApp, func(a *Account) { a.CallbackURL = "" })
	wantCode(t, "no URL", check(`{"action":"ping","check_operator":"CAP"}`), codeNoCallbackURL)
	if r := w.get("/cgi-bin/getcallbackip?access_token=" + w.token(miniApp)); string(r.body) != `{"ip_list":["127.0.0.1"]}` {
		t.Errorf("getcallbackip: got %s", r.body)
	}
}
