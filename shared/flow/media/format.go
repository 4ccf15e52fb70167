package media

import (
	"bytes"
	"net/http"
	"strings"
)

// rule is what the platform takes as one kind of file.
type rule struct {
	limit   int // bytes
	formats map[string]bool
	names   string
}

// rules by kind. The platform's page gives 2 MB for pictures in one list and 10 MB in another: the smaller is safe.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/uploadTempMedia.html
var rules = map[string]rule{
	"image": {2 << 20, map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true}, "PNG, JPEG or GIF"},
	"voice": {2 << 20, map[string]bool{"audio/amr": true, "audio/mpeg": true}, "AMR or MP3"},
	"video": {10 << 20, map[string]bool{"video/mp4": true}, "MP4"},
	"thumb": {64 << 10, map[string]bool{"image/jpeg": true}, "JPEG"},
}

var extensions = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "audio/amr": ".amr", "audio/mpeg": ".mp3", "video/mp4": ".mp4",
}

// notVideo are brands of the MP4 container that are no MP4 video: QuickTime, pictures, sound alone.
var notVideo = map[string]bool{
	"qt  ": true, "heic": true, "heix": true, "hevc": true, "mif1": true, "msf1": true, "avif": true, "avis": true,
	"M4A ": true, "M4B ": true, "M4P ": true,
}

// sniff names the format of a file by its first bytes; empty if it is none that is known.
func sniff(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("#!AMR\n")) || bytes.HasPrefix(b, []byte("#!AMR-WB\n")):
		return "audio/amr"
	case isMP3(b):
		return "audio/mpeg"
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		if notVideo[string(b[8:12])] {
			return ""
		}
		return "video/mp4"
	}
	t, _, _ := strings.Cut(http.DetectContentType(b), ";")
	if t == "application/octet-stream" || t == "text/plain" {
		return ""
	}
	return t
}

// isMP3 finds an ID3 tag or the header of an MPEG audio frame of layer III.
func isMP3(b []byte) bool {
	if bytes.HasPrefix(b, []byte("ID3")) {
		return true
	}
	const layerMask, layerIII, versionMask, versionReserved = 0xe6, 0xe2, 0x18, 0x08
	return len(b) > 2 && b[0] == 0xff && b[1]&layerMask == layerIII && b[1]&versionMask != versionReserved
}
