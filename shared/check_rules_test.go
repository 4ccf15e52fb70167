package shared_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// base is a small module that keeps the law; each case below adds or replaces one file and breaks one rule.
func base() fstest.MapFS {
	main := "// Callback is a function.\npackage main\n\nimport (\n\t\"kefu/shared/app\"\n\t\"kefu/shared/faas\"\n)\n\n" +
		"func main() {\n\tfaas.Main(app.Callback)\n}\n"
	return tree2fs(map[string]string{
		"go.mod":                              "module kefu\n",
		"Makefile":                            "",
		".ci/run":                             "",
		"bin/callback/bootstrap":              "",
		"infra/tools/go.mod":                  "module kefu/infra/tools\n",
		"infra/tools/any.go":                  "package any\n\nimport \"log\"\n",
		"shared/doc.go":                       "// Package shared is a guide.\npackage shared\n",
		"shared/core/session/session.go":      "// Package session steps.\npackage session\n\nimport (\n\t\"time\"\n\n\t\"kefu/shared/core/quota\"\n)\n\nvar _ time.Time\n",
		"shared/core/session/testdata/bad.go": "no Go at all",
		"shared/core/quota/quota.go":          "// Package quota counts.\npackage quota\n",
		"shared/flow/send/send.go":            "// Package send sends.\npackage send\n\nimport \"kefu/shared/core/session\"\n",
		"shared/flow/send/send_test.go":       "package send_test\n\nimport (\n\t\"kefu/shared/adapter/bolt\"\n\t\"kefu/shared/flow/send\"\n\t\"kefu/shared/porttest\"\n)\n",
		"shared/adapter/bolt/bolt.go":         "// Package bolt stores.\npackage bolt\n\nimport (\n\t\"go.etcd.io/bbolt\"\n\n\t\"kefu/shared/core/session\"\n)\n",
		"shared/adapter/wechat/wechat.go":     "// Package wechat calls.\npackage wechat\n\nimport \"kefu/shared/adapter/wechat/wxcrypt\"\n",
		"shared/porttest/store.go":            "// Package porttest tests.\npackage porttest\n\nimport (\n\t\"testing\"\n\n\t\"pgregory.net/rapid\"\n\n\t\"kefu/shared/flow/send\"\n)\n",
		"shared/faas/faas.go":                 "// Package faas hosts.\npackage faas\n\nimport (\n\t\"github.com/aws/aws-lambda-go/lambda\"\n\n\t\"kefu/shared/core/fault\"\n)\n",
		"shared/app/app.go":                   "// Package app wires.\npackage app\n\nimport (\n\t\"kefu/shared/adapter/bolt\"\n\t\"kefu/shared/flow/send\"\n)\n",
		"functions/callback/main.go":          main,
		"infra/local/main.go":                 "// Local runs it all.\npackage main\n\nimport \"kefu/shared/adapter/wechat/wxfake\"\n",
	})
}

func tree2fs(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// importing returns a file with a package comment that imports the given packages.
func importing(pkg string, imports ...string) string {
	return "// Package " + pkg + " is a case.\npackage " + pkg + "\n\nimport (\n\t\"" + strings.Join(imports, "\"\n\t\"") + "\"\n)\n"
}

// saying returns a file that imports one package and has one function with the given body.
func saying(pkg, imported, body string) string {
	return importing(pkg, imported) + "\nfunc f() {\n\t" + body + "\n}\n"
}

func TestLawfulTreePasses(t *testing.T) {
	t.Parallel()
	if got := run(t, base(), nil); len(got) != 0 {
		t.Errorf("got findings in a tree that keeps every rule:\n%s", strings.Join(got, "\n"))
	}
}

func TestEveryRuleCanFail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file, text string
		want       string // place and a part of the reason
	}{
		// core
		"core imports flow":        {"shared/core/quota/x.go", importing("quota", "kefu/shared/flow/send"), "shared/core/quota/x.go:5: imports kefu/shared/flow/send: core decides"},
		"core imports vendor":      {"shared/core/quota/x.go", importing("quota", "go.etcd.io/bbolt"), "x.go:5: imports go.etcd.io/bbolt: one adapter wraps one vendor"},
		"core imports context":     {"shared/core/quota/x.go", importing("quota", "context"), "x.go:5: imports context: a pure function never waits"},
		"core imports os":          {"shared/core/quota/x.go", importing("quota", "os"), "x.go:5: imports os: no I/O here"},
		"core imports http":        {"shared/core/quota/x.go", importing("quota", "net/http"), "x.go:5: imports net/http: no I/O here"},
		"core imports dice":        {"shared/core/quota/x.go", importing("quota", "math/rand/v2"), "x.go:5: imports math/rand/v2: no randomness here"},
		"core imports crypto dice": {"shared/core/quota/x.go", importing("quota", "crypto/rand"), "x.go:5: imports crypto/rand: no randomness here"},
		"core reads the clock":     {"shared/core/quota/x.go", saying("quota", "time", "_ = time.Now()"), "x.go:9: time.Now in a pure package"},
		"core keeps the clock":     {"shared/core/quota/x.go", saying("quota", "time", "now := time.Now; _ = now"), "x.go:9: time.Now in a pure package"},
		"core measures":            {"shared/core/quota/x.go", saying("quota", "time", "_ = time.Since(time.Time{})"), "x.go:9: time.Since in a pure package"},
		"core starts a timer":      {"shared/core/quota/x.go", saying("quota", "time", "time.NewTimer(1)"), "x.go:9: time.NewTimer in a pure package"},
		"core hides the clock":     {"shared/core/quota/x.go", "package quota\n\nimport t \"time\"\n\nvar now = t.Now\n", "x.go:5: time.Now in a pure package"},
		"core prints":              {"shared/core/quota/x.go", saying("quota", "fmt", "fmt.Println()"), "x.go:9: prints from a pure package"},
		"core logs":                {"shared/core/quota/x.go", saying("quota", "log/slog", "slog.Info(\"\")"), "x.go:9: prints from a pure package"},
		"core test imports flow":   {"shared/core/quota/x_test.go", importing("quota", "kefu/shared/flow/send"), "x_test.go:5: imports kefu/shared/flow/send: core decides"},

		// flow
		"flow imports adapter":        {"shared/flow/send/x.go", importing("send", "kefu/shared/adapter/bolt"), "x.go:5: imports kefu/shared/adapter/bolt: a flow owns its ports"},
		"flow imports faas":           {"shared/flow/send/x.go", importing("send", "kefu/shared/faas"), "x.go:5: imports kefu/shared/faas: a flow owns its ports"},
		"flow imports another flow":   {"shared/flow/send/x.go", importing("send", "kefu/shared/flow/route"), "x.go:5: imports kefu/shared/flow/route: a flow owns its ports"},
		"flow imports app":            {"shared/flow/send/x.go", importing("send", "kefu/shared/app"), "x.go:5: imports kefu/shared/app: a flow owns its ports"},
		"flow imports porttest":       {"shared/flow/send/x.go", importing("send", "kefu/shared/porttest"), "x.go:5: imports kefu/shared/porttest: conformance suites are for _test.go files"},
		"flow test uses another flow": {"shared/flow/send/x_test.go", importing("send_test", "kefu/shared/flow/route"), "x_test.go:5: imports kefu/shared/flow/route: a flow owns its ports"},

		// adapters
		"adapter imports flow":         {"shared/adapter/bolt/x.go", importing("bolt", "kefu/shared/flow/send"), "x.go:5: imports kefu/shared/flow/send: an adapter wraps one foreign thing"},
		"adapter imports adapter":      {"shared/adapter/bolt/x.go", importing("bolt", "kefu/shared/adapter/wechat"), "x.go:5: imports kefu/shared/adapter/wechat: an adapter wraps one foreign thing"},
		"adapter imports app":          {"shared/adapter/bolt/x.go", importing("bolt", "kefu/shared/app"), "x.go:5: imports kefu/shared/app: an adapter wraps one foreign thing"},
		"adapter imports porttest":     {"shared/adapter/bolt/x.go", importing("bolt", "kefu/shared/porttest"), "x.go:5: imports kefu/shared/porttest: conformance suites"},
		"adapter takes other's vendor": {"shared/adapter/wechat/x.go", importing("wechat", "go.etcd.io/bbolt"), "x.go:5: imports go.etcd.io/bbolt: one adapter wraps one vendor"},
		"wechat imports simulator":     {"shared/adapter/wechat/x.go", importing("wechat", "kefu/shared/adapter/wechat/wxfake"), "x.go:5: imports kefu/shared/adapter/wechat/wxfake: the simulator is for"},
		"simulator imports product":    {"shared/adapter/wechat/wxfake/x.go", importing("wxfake", "kefu/shared/adapter/wechat/wxcrypt"), "x.go:5: imports kefu/shared/adapter/wechat/wxcrypt: the simulator judges"},
		"simulator imports core":       {"shared/adapter/wechat/wxfake/x.go", importing("wxfake", "kefu/shared/core/quota"), "x.go:5: imports kefu/shared/core/quota: the simulator judges"},
		"wxcrypt does I/O":             {"shared/adapter/wechat/wxcrypt/x.go", importing("wxcrypt", "net/http"), "x.go:5: imports net/http: no I/O here"},
		"wxmsg reads the clock":        {"shared/adapter/wechat/wxmsg/x.go", saying("wxmsg", "time", "_ = time.Now()"), "x.go:9: time.Now in a pure package"},

		// what tests may import, and what ships may not
		"porttest imports adapter": {"shared/porttest/x.go", importing("porttest", "kefu/shared/adapter/bolt"), "x.go:5: imports kefu/shared/adapter/bolt: a conformance suite knows the ports"},
		"faas imports flow":        {"shared/faas/x.go", importing("faas", "kefu/shared/flow/send"), "x.go:5: imports kefu/shared/flow/send: a host runs any handler"},
		"faas imports core":        {"shared/faas/x.go", importing("faas", "kefu/shared/core/session"), "x.go:5: imports kefu/shared/core/session: a host runs any handler"},
		"faas imports faastest":    {"shared/faas/x.go", importing("faas", "kefu/shared/faas/faastest"), "x.go:5: imports kefu/shared/faas/faastest: the clouds' stand-ins"},
		"faastest imports app":     {"shared/faas/faastest/x.go", importing("faastest", "kefu/shared/app"), "x.go:5: imports kefu/shared/app: it plays the clouds"},
		"app imports simulator":    {"shared/app/x.go", importing("app", "kefu/shared/adapter/wechat/wxfake"), "x.go:5: imports kefu/shared/adapter/wechat/wxfake: the simulator is for"},
		"app imports porttest":     {"shared/app/x.go", importing("app", "kefu/shared/porttest"), "x.go:5: imports kefu/shared/porttest: conformance suites"},
		"app imports a main":       {"shared/app/x.go", importing("app", "kefu/infra/local"), "x.go:5: imports kefu/infra/local: app wires what ships"},
		"app imports bbolt":        {"shared/app/x.go", importing("app", "go.etcd.io/bbolt"), "x.go:5: imports go.etcd.io/bbolt: one adapter"},
		"function imports adapter": {"functions/callback/main.go", longMain("kefu/shared/adapter/bolt"), "main.go:5: imports kefu/shared/adapter/bolt: a main picks"},
		"function imports core":    {"functions/callback/main.go", longMain("kefu/shared/core/session"), "main.go:5: imports kefu/shared/core/session: a main picks"},
		"local imports flow":       {"infra/local/x.go", importing("main", "kefu/shared/flow/send"), "x.go:5: imports kefu/shared/flow/send: the local runner is app"},
		"tool imports simulator":   {"infra/pack/x.go", importing("main", "kefu/shared/adapter/wechat/wxfake"), "x.go:5: imports kefu/shared/adapter/wechat/wxfake: the simulator is for"},

		// vendors and the standard library
		"lambda outside faas":     {"shared/app/x.go", importing("app", "github.com/aws/aws-lambda-go/events"), "x.go:5: imports github.com/aws/aws-lambda-go/events: only a host knows"},
		"scf outside faas":        {"shared/app/x.go", importing("app", "github.com/tencentyun/scf-go-lib/cloudfunction"), "x.go:5: imports github.com/tencentyun/scf-go-lib/cloudfunction: only a host knows"},
		"test tool ships":         {"shared/app/x.go", importing("app", "github.com/google/go-cmp/cmp"), "x.go:5: imports github.com/google/go-cmp/cmp: comparing is for tests"},
		"unknown vendor":          {"shared/app/x.go", importing("app", "example.org/left/pad"), "x.go:5: imports example.org/left/pad: no owner is named"},
		"unknown vendor in tests": {"shared/app/x_test.go", importing("app", "example.org/left/pad"), "x_test.go:5: imports example.org/left/pad: no owner is named"},
		"log":                     {"shared/app/x.go", importing("app", "log"), "x.go:5: imports log: logs are JSON"},
		"old dice":                {"shared/app/x.go", importing("app", "math/rand"), "x.go:5: imports math/rand: use math/rand/v2"},
		"old dice in tests":       {"shared/app/x_test.go", importing("app", "math/rand"), "x_test.go:5: imports math/rand: use math/rand/v2"},
		"ioutil":                  {"shared/app/x.go", importing("app", "io/ioutil"), "x.go:5: imports io/ioutil: deprecated"},
		"dot import":              {"shared/app/x.go", "package app\n\nimport . \"time\"\n", "x.go:3: dot import"},

		// sleep
		"test sleeps":            {"shared/app/x_test.go", saying("app", "time", "time.Sleep(1)"), "x_test.go:9: a sleep in a test"},
		"test sleeps on channel": {"shared/app/x_test.go", saying("app", "time", "<-time.After(1)"), "x_test.go:9: a sleep in a test"},
		"suite sleeps":           {"shared/porttest/x.go", saying("porttest", "time", "time.Sleep(1)"), "x.go:9: a sleep in a test"},
		"function's test sleeps": {"functions/callback/x_test.go", saying("main", "time", "time.Sleep(1)"), "x_test.go:9: a sleep in a test"},

		// shape
		"no package comment":      {"shared/core/route/route.go", "package route\n", "shared/core/route: has no package comment"},
		"empty package comment":   {"shared/core/route/route.go", "//\npackage route\n", "shared/core/route: has no package comment"},
		"comment in a test only":  {"shared/porttest/store.go", "package porttest\n", "shared/porttest: has no package comment"},
		"tests without comment":   {"infra/system/x_test.go", "package system_test\n", "infra/system: has no package comment"},
		"no layer":                {"shared/util/util.go", "// Package util is a drawer.\npackage util\n", "shared/util/util.go: belongs to no layer"},
		"below a layer":           {"shared/flow/send/deep/x.go", "// Package deep hides.\npackage deep\n", "shared/flow/send/deep/x.go: belongs to no layer"},
		"main too short":          {"functions/callback/main.go", "// Callback is short.\npackage main\n", "functions/callback/main.go: has 2 lines, want 10 to 30"},
		"main too long":           {"functions/callback/main.go", "// Callback is long.\npackage main\n" + strings.Repeat("\n", 29), "functions/callback/main.go: has 31 lines, want 10 to 30"},
		"function with more code": {"functions/callback/more.go", "package main\n", "functions/callback/more.go: a function is one main.go"},
		"function without a main": {"functions/api/api_test.go", "// Package api is nothing.\npackage api\n", "functions/api: has no main.go"},
		"huge file":               {"shared/app/x.go", "package app\n" + strings.Repeat("\n", 500), "shared/app/x.go: has 501 lines"},
		"stranger at the top":     {"docs/x.md", "", "docs: has no place at the top level"},
		"Go file at the top":      {"main.go", "// Package main is astray.\npackage main\n", "main.go: has no place at the top level"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := base()
			fsys[tc.file] = &fstest.MapFile{Data: []byte(tc.text)}
			got := run(t, fsys, nil)
			if !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, tc.want) }) {
				t.Errorf("got findings %q, want one with %q", got, tc.want)
			}
		})
	}
}

// longMain is a main of the right length that imports one more package.
func longMain(imported string) string {
	return importing("main", imported) + "\nfunc main() {\n\tprintln()\n}\n"
}

func TestWhatTheLawAllows(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][2]string{
		"tests of core read the clock":      {"shared/core/quota/x_test.go", saying("quota", "time", "_ = time.Now()")},
		"core test opens files":             {"shared/core/quota/x_test.go", importing("quota", "context", "os", "math/rand/v2")},
		"core masks a value in logs":        {"shared/core/quota/x.go", saying("quota", "log/slog", "_ = slog.StringValue(\"*\")")},
		"a local name is no clock":          {"shared/core/quota/x.go", "package quota\n\nvar time struct{ Now int }\n\nvar _ = time.Now\n"},
		"flow test on engine and simulator": {"shared/flow/send/x_test.go", importing("send", "kefu/shared/adapter/bolt", "kefu/shared/adapter/wechat", "kefu/shared/adapter/wechat/wxfake")},
		"simulator is tested by product":    {"shared/adapter/wechat/wxfake/x_test.go", "// Package wxfake plays.\n" + importing("wxfake", "kefu/shared/adapter/wechat/wxcrypt")},
		"simulator sleeps":                  {"shared/adapter/wechat/wxfake/x.go", saying("wxfake", "time", "time.Sleep(1)")},
		"flow takes the clock":              {"shared/flow/send/x.go", saying("send", "time", "_ = time.Now")},
		"deadline in a select":              {"shared/app/x_test.go", saying("app", "time", "select {\n\tcase <-time.After(1):\n\t}")},
		"sleep in a bubble":                 {"shared/app/x_test.go", "package app\n\nimport (\n\t\"testing/synctest\"\n\t\"time\"\n)\n\nvar _ = func() { synctest.Test(nil, func() { time.Sleep(1) }) }\n"},
		"vendor in its adapter":             {"shared/adapter/dynamo/x.go", importing("dynamo", "github.com/aws/aws-sdk-go-v2/service/dynamodb")},
		"test tool in a test":               {"shared/app/x_test.go", importing("app", "github.com/google/go-cmp/cmp")},
		"app test uses everything":          {"shared/app/x_test.go", importing("app", "kefu/shared/porttest", "kefu/shared/faas/faastest", "kefu/shared/adapter/wechat/wxfake")},
		"long file of tests":                {"shared/app/x_test.go", "package app\n" + strings.Repeat("\n", 900)},
		"hidden file":                       {"shared/app/_x.go", "no Go at all"},
		"new program of infra":              {"infra/pack/main.go", importing("main", "kefu/shared/app", "kefu/shared/faas")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := base()
			fsys[file[0]] = &fstest.MapFile{Data: []byte(file[1])}
			if got := run(t, fsys, nil); len(got) != 0 {
				t.Errorf("got findings %q, want none", got)
			}
		})
	}
}

func TestExcusesForSize(t *testing.T) {
	t.Parallel()
	long := "package app\n" + strings.Repeat("\n", 500)
	for name, tc := range map[string]struct {
		text string
		huge map[string]string
		want []string
	}{
		"needed":         {long, map[string]string{"shared/app/x.go": "one table"}, nil},
		"without reason": {long, map[string]string{"shared/app/x.go": " "}, []string{"shared/app/x.go: is excused for its size without a reason"}},
		"not needed":     {"package app\n", map[string]string{"shared/app/x.go": "one table"}, []string{"shared/app/x.go: is excused for its size and needs no excuse: take it off the list"}},
		"file gone":      {"package app\n", map[string]string{"shared/app/y.go": "one table"}, []string{"shared/app/y.go: is excused for its size and needs no excuse: take it off the list"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := base()
			fsys["shared/app/x.go"] = &fstest.MapFile{Data: []byte(tc.text)}
			if got := run(t, fsys, tc.huge); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestLongFileIsMild(t *testing.T) {
	t.Parallel()
	fsys := base()
	fsys["shared/app/x.go"] = &fstest.MapFile{Data: []byte("package app\n" + strings.Repeat("\n", 400))}
	m, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	got := m.check(nil)
	if len(got) != 1 || !got[0].mild || !strings.HasPrefix(got[0].String(), "shared/app/x.go: has 401 lines") {
		t.Errorf("got %v, want one mild finding about 401 lines", got)
	}
}

func TestBrokenFileIsAnError(t *testing.T) {
	t.Parallel()
	fsys := base()
	fsys["shared/app/x.go"] = &fstest.MapFile{Data: []byte("package")}
	if _, err := load(fsys); err == nil || !strings.Contains(err.Error(), "shared/app/x.go:1") {
		t.Errorf("got error %v, want one that names shared/app/x.go", err)
	}
}

// run returns what the checks find in a module made of the given files.
func run(t *testing.T, fsys fstest.MapFS, huge map[string]string) []string {
	t.Helper()
	m, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, f := range m.check(huge) {
		texts = append(texts, f.String())
	}
	return texts
}
