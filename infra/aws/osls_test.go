package aws

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The repository's root, and the folder where the tests and the tools keep what they make.
var (
	root  = filepath.Join("..", "..")
	cache = filepath.Join(root, ".cache")
)

// node gives the path of a file that `make` installs with npm. Without it the test is skipped, and where CI is "true" it
// fails: there a test that can't run is no test.
func node(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(cache, "node", "node_modules", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err == nil {
		_, err = exec.LookPath("node")
	}
	if err == nil {
		return path
	}
	const why = "osls is not there: `make package` installs it (it needs Node): %v"
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, err)
	}
	t.Skipf(why, err)
	return ""
}

// deployment is one way of deploying, and what must differ by it.
type deployment struct {
	name    string
	stage   string
	params  []string // NAME=VALUE
	retain  string   // what happens to the data when the stack is deleted
	protect bool     // whether it can be deleted at all
	logDays int
	domain  string
	topic   string
	most    any // batches of a queue at once, nil for no bound
}

const (
	certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
	topic       = "arn:aws:sns:eu-west-1:123456789012:alarms"
	adminHash   = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

// deployments are the ones that are tested: the stages as they come, China, and everything that may be set.
var deployments = []deployment{
	{name: "dev", stage: "dev", retain: "Delete", logDays: 14},
	{name: "prod", stage: "prod", retain: "Retain", protect: true, logDays: 180},
	{name: "china", stage: "prod", params: []string{"region=cn-north-1"}, retain: "Retain", protect: true, logDays: 180},
	{
		name: "full", stage: "prod", retain: "Retain", protect: true, logDays: 180,
		domain: "kefu.example.com", topic: topic, most: 20,
		params: []string{
			"region=eu-west-1", "domain=kefu.example.com", "certificate=" + certificate, "alarmTopic=" + topic,
			"ingestConcurrency=20", "senderConcurrency=20", "webhookConcurrency=20",
		},
	},
}

// region is where the deployment goes.
func (d deployment) region() string {
	for _, p := range d.params {
		if r, ok := strings.CutPrefix(p, "region="); ok {
			return r
		}
	}
	return "ap-southeast-1"
}

// packages keeps what was packaged, because each test wants it and it takes a second or two.
var packages sync.Map // name of a deployment → func() (string, error): the folder

// folder packages the deployment, once, and gives the folder with what came out.
func (d deployment) folder(t testing.TB) string {
	t.Helper()
	osls := node(t, ".bin/osls")
	once, _ := packages.LoadOrStore(d.name, sync.OnceValues(func() (string, error) {
		service, err := filepath.Abs(filepath.Join(cache, "aws-test", d.name))
		if err != nil {
			return "", err
		}
		out, err := pack(osls, service, d.stage, append([]string{"adminKeySHA256=" + adminHash}, d.params...))
		return filepath.Join(service, ".serverless"), complain(err, out)
	}))
	dir, err := once.(func() (string, error))()
	if err != nil {
		t.Fatalf("osls package, %s: %v", d.name, err)
	}
	return dir
}

// load gives the deployment's template. To what osls makes of serverless.yml it adds, under "Protected", whether it is
// to protect the stack from deletion: that is no part of a template.
func (d deployment) load(t testing.TB) template {
	t.Helper()
	dir := d.folder(t)
	var out template
	var state struct {
		Service struct {
			Provider struct {
				DeletionProtection bool `json:"deletionProtection"`
			} `json:"provider"`
		} `json:"service"`
	}
	readJSON(t, filepath.Join(dir, "cloudformation-template-update-stack.json"), &out)
	readJSON(t, filepath.Join(dir, "serverless-state.json"), &state)
	out["Protected"] = state.Service.Provider.DeletionProtection
	return out
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// pack runs `osls package` in a folder, on a copy of what it reads, because two runs in one folder disturb each other.
// The functions' zips hold no program. It gives what osls said.
func pack(osls, service, stage string, params []string) (string, error) {
	if err := copyService(service); err != nil {
		return "", err
	}
	args := []string{"package", "--stage", stage}
	for _, p := range params {
		args = append(args, "--param", p)
	}
	cmd := exec.Command(osls, args...)
	cmd.Dir = service
	// Nobody's credentials or settings, and none of their home.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + service}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// copyService makes a folder of serverless.yml, what it includes, and zips.
func copyService(to string) error {
	here, bin := filepath.Join(to, "infra", "aws"), filepath.Join(to, "bin")
	for _, dir := range []string{here, bin} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := copyFile(filepath.Join(root, "serverless.yml"), to); err != nil {
		return err
	}
	names, err := filepath.Glob("*.*")
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := copyFile(name, here); err != nil {
			return err
		}
	}
	for _, f := range functions {
		if err := emptyZip(filepath.Join(bin, f.name+".zip")); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(path, dir string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o600)
}

func emptyZip(path string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("bootstrap"); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
