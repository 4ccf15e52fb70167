package engine

import (
	"bytes"
	"context"
	"crypto/sha512"
	_ "embed" // the lock file of fauxqs
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// DynamoDB Local 1.25.1 of Amazon, inside a package that brings it along unchanged.
const (
	dynamoPackage   = "amplify-dynamodb-simulator"
	dynamoVersion   = "2.9.30"
	dynamoIntegrity = "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
	dynamoFolder    = "package/emulator"
	dynamoName      = "dynamodb-" + dynamoVersion // in the cache
)

// fauxqs with all that it depends on, each with its checksum.
var (
	//go:embed fauxqs/package.json
	fauxqsPackage []byte
	//go:embed fauxqs/package-lock.json
	fauxqsLock []byte
	//go:embed fauxqs/launch.mjs
	fauxqsLaunch []byte
)

// Fetch fills the cache, so that Start needs no network. It does nothing if all is there.
func Fetch(ctx context.Context, o Options) error {
	_, err := o.withDefaults().programs(ctx)
	return err
}

// programs makes sure that the engines are in the cache, and gives DynamoDB and SQS. What runs them is looked for first: it
// would be a pity to fetch in vain.
func (o Options) programs(ctx context.Context) ([2]program, error) {
	java, err := o.tool("java")
	if err != nil {
		return [2]program{}, err
	}
	node, err := o.tool("node")
	if err != nil {
		return [2]program{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, fetchWithin, fmt.Errorf("not fetched within %v", fetchWithin))
	defer cancel()
	dynamo, err := o.cached(ctx, dynamoName, "DynamoDB Local (56 MB)", func(npm, dir string) error {
		return fetchDynamoDB(ctx, npm, dir)
	})
	if err != nil {
		return [2]program{}, err
	}
	faux, err := o.cached(ctx, fauxqsName(), "fauxqs (20 MB)", func(npm, dir string) error {
		return fetchFauxqs(ctx, npm, dir)
	})
	if err != nil {
		return [2]program{}, err
	}
	return [2]program{dynamoDB(java, dynamo), sqs(node, faux)}, nil
}

// fauxqsName is its folder in the cache: another one as soon as anything in it changes.
func fauxqsName() string {
	sum := sha512.Sum512(bytes.Join([][]byte{fauxqsPackage, fauxqsLock, fauxqsLaunch}, nil))
	return "fauxqs-" + hex.EncodeToString(sum[:6])
}

// cached gives the path of a folder in the cache, and lets fill make it if it isn't there. It appears whole or not at
// all, and one process at a time fetches.
func (o Options) cached(ctx context.Context, name, title string, fill func(npm, dir string) error) (string, error) {
	dir := filepath.Join(o.Cache, name)
	if exists(dir) {
		return dir, nil
	}
	npm, err := o.tool("npm")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(o.Cache, 0o750); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(o.Cache, "fetch.lock"))
	if err != nil {
		return "", fmt.Errorf("wait for another fetch: %w", err)
	}
	defer unlock()
	if exists(dir) { // somebody was quicker
		return dir, nil
	}
	part := dir + ".part" // perhaps left by a fetch that was killed
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	defer os.RemoveAll(part) //nolint:errcheck // the next fetch tries again
	if err := os.Mkdir(part, 0o750); err != nil {
		return "", err
	}
	fmt.Fprintf(o.Log, "fetching %s into %s, once\n", title, dir) //nolint:errcheck // a courtesy
	if err := fill(npm, part); err != nil {
		return "", fmt.Errorf("fetch %s: %w", name, err)
	}
	return dir, os.Rename(part, dir)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func fetchDynamoDB(ctx context.Context, npm, dir string) error {
	if err := run(ctx, dir, npm, "pack", dynamoPackage+"@"+dynamoVersion, "--ignore-scripts"); err != nil {
		return err
	}
	archive := filepath.Join(dir, dynamoPackage+"-"+dynamoVersion+".tgz")
	if err := verify(archive, dynamoIntegrity); err != nil {
		return err
	}
	if err := unpack(archive, dynamoFolder, dir); err != nil {
		return err
	}
	return os.Remove(archive)
}

func fetchFauxqs(ctx context.Context, npm, dir string) error {
	for name, content := range map[string][]byte{
		"package.json": fauxqsPackage, "package-lock.json": fauxqsLock, "launch.mjs": fauxqsLaunch,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return run(ctx, dir, npm, "ci", "--ignore-scripts", "--omit=dev")
}

// run calls npm. That it can't fetch is ErrUnavailable, that it fetched something else than it should is not.
func run(ctx context.Context, dir, npm string, args ...string) error {
	args = append(args, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
	cmd := exec.CommandContext(ctx, npm, args...) //nolint:gosec // npm of this machine
	cmd.Dir = dir
	leash(cmd)
	said, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if bytes.Contains(said, []byte("EINTEGRITY")) {
		return fmt.Errorf("npm %s: a package isn't what the lock file says (EINTEGRITY)", args[0])
	}
	return fmt.Errorf("%w: npm %s: %w: %s", ErrUnavailable, args[0], err, npmReason(said))
}

// npmReason is the first line of npm's report that says something, in most cases its error code.
func npmReason(said []byte) string {
	for line := range strings.Lines(string(said)) {
		if line = strings.TrimSpace(line); strings.Contains(line, "error") || strings.Contains(line, "ERR!") {
			return line
		}
	}
	return "it gives no reason"
}

// verify compares a file with a checksum as npm writes it.
func verify(path, integrity string) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil)); got != integrity {
		return fmt.Errorf("%s is not what was published: its checksum is %s, not %s", filepath.Base(path), got, integrity)
	}
	return nil
}
