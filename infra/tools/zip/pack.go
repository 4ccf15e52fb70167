package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"time"
)

// packed is the time of every entry: the earliest that a zip file can tell, so that no build differs from another by
// when it was made.
var packed = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// packFile packs the program of one path into the zip file of another, replacing what was there.
func packFile(from, to string) error {
	program, err := os.ReadFile(from) //nolint:gosec // the path is the caller's own argument
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pack(&b, program); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o644) //nolint:gosec // what is shipped may be read by everybody
}

// pack writes a zip file with the program as its only entry.
func pack(w io.Writer, program []byte) error {
	z := zip.NewWriter(w)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: packed}
	h.SetMode(0o755)
	entry, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := entry.Write(program); err != nil {
		return err
	}
	return z.Close()
}
