package engine

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxUnpacked bounds what an archive may grow to: DynamoDB Local takes 64 MB.
const maxUnpacked = 256 << 20

// unpack puts the files below one folder of a .tgz into dir. Nothing lands outside of dir; links are left out.
func unpack(archive, folder, dir string) error {
	f, err := os.Open(filepath.Clean(archive))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // a handle on a folder
	t := tar.NewReader(io.LimitReader(z, maxUnpacked))
	files := 0
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name, below := strings.CutPrefix(h.Name, folder+"/")
		if !below || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := write(root, filepath.FromSlash(name), t); err != nil {
			return err
		}
		files++
	}
	if files == 0 {
		return fmt.Errorf("%s holds no %s", filepath.Base(archive), folder)
	}
	return nil
}

func write(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
