package shared_test

import (
	"os"
	"testing"
)

// This file is the law; check_test.go enforces it, and check_rules_test.go shows that every rule can fail.

// module is the path in go.mod.
const module = "kefu"

// layers says who may import whom. The first entry whose path matches a package rules it. Paths are relative to the
// module: "*" stands for one element, a trailing "/..." for the folder and everything below.
var layers = []layer{
	{
		path: "shared",
		why:  "package shared is documentation",
	},
	{
		path:    "shared/core/...",
		imports: []string{"shared/core/..."},
		tests:   []string{"shared/scripttest"},
		bans:    [][]ban{noIO, noDice},
		pure:    true,
		why:     "core decides by values alone and knows nobody outside",
	},
	{
		path:    "shared/shell",
		imports: []string{"shared/core/..."},
		tests:   []string{"shared/adapter/bolt"},
		why:     "the shell carries out what core decides, on ports: it knows neither flows nor adapters",
	},
	{
		path:    "shared/flow/*",
		imports: []string{"shared/core/...", "shared/shell"},
		tests:   []string{"shared/adapter/bolt", "shared/adapter/wechat/...", "shared/porttest"},
		why:     "a flow owns its ports and stands on core and shell: two flows meet in the store or in a queue, adapters in app",
	},
	{
		path: "shared/scripttest",
		why:  "it plays scripts for any package, and knows none",
	},
	{
		path:    "shared/porttest",
		imports: []string{"shared/core/...", "shared/flow/..."},
		why:     "a conformance suite knows the ports, and nobody who implements them",
	},
	{
		path:  "shared/adapter/wechat/wxfake",
		tests: []string{"shared/core/...", "shared/adapter/wechat/..."},
		why:   "the simulator judges the product, so it shares no code with it: one mistake could hide in both",
	},
	{
		path:    "shared/adapter/wechat/wxcrypt",
		imports: []string{"shared/core/..."},
		tests:   []string{"shared/adapter/wechat/..."},
		bans:    [][]ban{noIO},
		pure:    true,
		why:     "signatures and AES are pure functions",
	},
	{
		path:    "shared/adapter/wechat/wxmsg",
		imports: []string{"shared/core/..."},
		tests:   []string{"shared/adapter/wechat/..."},
		bans:    [][]ban{noIO, noDice},
		pure:    true,
		why:     "reading and writing the platform's formats is a pure function",
	},
	{
		path:    "shared/adapter/wechat",
		imports: []string{"shared/core/...", "shared/adapter/wechat/wxcrypt", "shared/adapter/wechat/wxmsg"},
		tests:   []string{"shared/adapter/wechat/wxfake", "shared/porttest"},
		why:     "an adapter wraps one foreign thing in words of core: no flow, no host, no other adapter",
	},
	{
		path: "shared/adapter/kms/kmsfake",
		why:  "the simulator judges the product, so it shares no code with it: one mistake could hide in both",
	},
	{
		path: "shared/adapter/awscall",
		why:  "it is what calling any service of AWS takes, and knows none of them, nor the product",
	},
	{
		path:    "shared/adapter/s3",
		imports: []string{"shared/core/...", "shared/adapter/awscall"},
		tests:   []string{"shared/porttest"},
		why:     "an adapter wraps one foreign thing in words of core: no flow, no host, no other adapter",
	},
	{
		path:    "shared/adapter/kms",
		imports: []string{"shared/core/...", "shared/adapter/awscall"},
		tests:   []string{"shared/adapter/kms/kmsfake"},
		why:     "an adapter wraps one foreign thing in words of core: no flow, no host, no other adapter",
	},
	{
		path:    "shared/adapter/*",
		imports: []string{"shared/core/..."},
		tests:   []string{"shared/porttest"},
		why:     "an adapter wraps one foreign thing in words of core: no flow, no host, no other adapter",
	},
	{
		path:    "shared/faas/faastest",
		imports: []string{"shared/core/fault", "shared/faas"},
		why:     "it plays the clouds for any handler, so it knows no use case",
	},
	{
		path:    "shared/faas",
		imports: []string{"shared/core/fault"},
		tests:   []string{"shared/faas/faastest"},
		why:     "a host runs any handler, so it knows no use case",
	},
	{
		path: "shared/app",
		imports: []string{
			"shared/core/...", "shared/shell", "shared/flow/...", "shared/adapter/bolt", "shared/adapter/dynamo",
			"shared/adapter/hook", "shared/adapter/kms", "shared/adapter/s3", "shared/adapter/sqs", "shared/adapter/wechat",
			"shared/adapter/wechat/wxcrypt", "shared/adapter/wechat/wxmsg", "shared/faas",
		},
		tests: []string{"shared/adapter/kms/kmsfake", "shared/adapter/wechat/wxfake", "shared/faas/faastest", "shared/porttest"},
		why:   "app wires what ships",
	},
	{
		path:    "functions/*",
		imports: []string{"shared/app", "shared/faas"},
		tests:   []string{"shared/faas/faastest"},
		why:     "a main picks a constructor of app and a host of faas; wiring belongs in app",
	},
	{
		path: "infra/local/...",
		imports: []string{
			"infra/local/...", "infra/emulator/engine", "shared/core/...", "shared/app", "shared/faas", "shared/faas/faastest",
			"shared/adapter/kms/kmsfake", "shared/adapter/wechat/wxfake",
		},
		tests: []string{"shared/..."},
		why:   "the local runner is app, or the functions' binaries, beside what stands in for the cloud; wiring belongs in app",
	},
	{
		path:    "infra/emulator/...",
		imports: []string{"infra/emulator/..."},
		why:     "it starts foreign engines and knows nothing of the product",
	},
	{
		path:    "infra/*",
		imports: []string{"shared/app", "shared/faas"},
		tests:   []string{"shared/...", "infra/local/..."},
		why:     "a program of infra is one more main: it stands on app and faas",
	},
}

// testOnly are packages that exist for tests. No entry of layers may open them to what ships.
var testOnly = map[string]string{
	"shared/scripttest":            "scripts are played in _test.go files",
	"shared/porttest":              "conformance suites are for _test.go files",
	"shared/faas/faastest":         "the clouds' stand-ins are for _test.go files and infra/local: they never ship",
	"shared/adapter/kms/kmsfake":   "the stand-in is for _test.go files and infra/local: it never ships",
	"shared/adapter/wechat/wxfake": "the simulator is for _test.go files and infra/local: it never ships",
}

// vendors lists every foreign module with the packages that own it; nobody else may import it. An entry without owners
// is a tool of tests: any _test.go file may use it, and the packages of testOnly.
var vendors = []vendor{
	{"github.com/aws/aws-lambda-go", []string{"shared/faas/..."}, "only a host knows the cloud it runs on"},
	{"github.com/tencentyun/scf-go-lib", []string{"shared/faas/..."}, "only a host knows the cloud it runs on"},
	{"go.etcd.io/bbolt", []string{"shared/adapter/bolt"}, "one adapter wraps one vendor"},
	{
		"github.com/aws/aws-sdk-go-v2",
		[]string{"shared/adapter/awscall", "shared/adapter/dynamo", "shared/adapter/kms/...", "shared/adapter/s3", "shared/adapter/sqs", "shared/app"},
		"one adapter wraps one service; app loads the configuration for all",
	},
	{
		"github.com/aws/smithy-go",
		[]string{"shared/adapter/dynamo", "shared/adapter/kms/...", "shared/adapter/s3", "shared/adapter/sqs"},
		"one adapter wraps one service",
	},
	{"github.com/google/go-cmp", nil, "comparing is for tests"},
	{"github.com/rogpeppe/go-internal", nil, "scripts and archives are for tests"},
	{"go.uber.org/goleak", nil, "counting goroutines is for tests"},
	{"pgregory.net/rapid", nil, "generating cases is for tests"},
}

// Standard packages that some layers, or all, do without.
var (
	nowhere = []ban{
		{"io/ioutil", "deprecated: use io and os"},
		{"log", "logs are JSON: use log/slog"},
		{"math/rand", "use math/rand/v2, or crypto/rand for anything that must not be guessed"},
	}
	noIO = []ban{
		{"context", "a pure function never waits: there is nothing to cancel"},
		{"database/sql", "no I/O here: return an effect and let the shell act"},
		{"io/fs", "no I/O here: return an effect and let the shell act"},
		{"log/syslog", "no I/O here: return an effect and let the shell act"},
		{"net", "no I/O here: return an effect and let the shell act"},
		{"net/http", "no I/O here: return an effect and let the shell act"},
		{"net/rpc", "no I/O here: return an effect and let the shell act"},
		{"net/smtp", "no I/O here: return an effect and let the shell act"},
		{"os", "no I/O here: return an effect and let the shell act"},
		{"os/exec", "no I/O here: return an effect and let the shell act"},
		{"os/signal", "no I/O here: return an effect and let the shell act"},
		{"syscall", "no I/O here: return an effect and let the shell act"},
		{"testing", "test code belongs in _test.go files"},
	}
	noDice = []ban{
		{"crypto/rand", "no randomness here: ids and dice come in as arguments"},
		{"math/rand/v2", "no randomness here: ids and dice come in as arguments"},
	}
)

// top is what the repository's first page may show, besides dot files.
var top = []string{
	"functions", "shared", "infra", "events", "go.mod", "go.sum", "serverless.yml", "Makefile", "README.md",
	"README.zh-CN.md", "LICENSE",
	"bin", // what `make build` leaves; git ignores it
}

const (
	longFile   = 400 // lines of a file that ships, from where the test grumbles …
	hugeFile   = 500 // … and from where it fails
	minMain    = 10  // lines of a main in functions/
	maxMain    = 30
	oneNounWhy = "one noun per file: split it"
)

// huge are the files that may be longer than hugeFile, each with its reason.
var huge = map[string]string{}

// TestRepository holds the whole tree to the law. Each failure gives the place, what is wrong, and why it is a rule.
func TestRepository(t *testing.T) {
	t.Parallel()
	tree, err := load(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.files) == 0 {
		t.Fatal("found no Go file: is the test run in its own folder?")
	}
	for _, f := range tree.check(huge) {
		if f.mild {
			t.Log(f)
			continue
		}
		t.Error(f)
	}
}
