package main

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const makefile = `SHELL := bash
.PHONY: run test
help: ## list targets
run test: ## two at once
	go run ./infra/local
bin/%: FORCE
`

func repository(en, zh string) fstest.MapFS {
	return fstest.MapFS{
		"Makefile":            {Data: []byte(makefile)},
		"README.md":           {Data: []byte(en)},
		"README.zh-CN.md":     {Data: []byte(zh)},
		"infra/local/main.go": {},
		".ci/run":             {},
	}
}

func block(kind string, lines ...string) string {
	return "Text.\n\n```" + kind + "\n" + strings.Join(lines, "\n") + "\n```\n"
}

func TestCheckOneReadme(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string // without the file's name; none means all is well
	}{
		"targets":              {block("sh", "make run", "KEFU_ADDR=:1 make -s test F=x E=y && make help | head"), nil},
		"missing target":       {block("sh", "make run", "make fly"), []string{":5: make fly: the Makefile has no such target"}},
		"second target":        {block("bash", "make run fly"), []string{":4: make fly: the Makefile has no such target"}},
		"assignment is none":   {block("sh", "make SHELL"), []string{":4: make SHELL: the Makefile has no such target"}},
		"after a separator":    {block("sh", "cd kefu && make fly"), []string{":4: make fly: the Makefile has no such target"}},
		"comment":              {block("sh", "make run # make fly"), nil},
		"redirection":          {block("sh", "make run > out"), nil},
		"go run":               {block("sh", "go run ./infra/local bench -n 1"), nil},
		"missing path":         {block("sh", "go run ./infra/remote run"), []string{":4: ./infra/remote: no such file or folder"}},
		"missing path, flags":  {block("sh", "go test -race ./shared/... -run X"), []string{":4: ./shared/...: no such file or folder"}},
		"all packages":         {block("sh", "go test ./..."), nil},
		"script":               {block("sh", ".ci/run"), nil},
		"missing script":       {block("sh", "./install"), []string{":4: ./install: no such file or folder"}},
		"built binary":         {block("sh", "./bin/callback/bootstrap"), nil},
		"console":              {block("console", "$ make run", "make fly is output"), nil},
		"console's command":    {block("console", "$ make fly"), []string{":4: make fly: the Makefile has no such target"}},
		"joined lines":         {block("sh", "make \\", "  fly"), []string{":4: make fly: the Makefile has no such target"}},
		"joined console lines": {block("console", "$ make \\", "> fly"), []string{":4: make fly: the Makefile has no such target"}},
		"other language":       {block("sh", "make run") + block("go", "make fly"), nil},
		"span":                 {block("sh", "make run") + "Or `make fly`.\n", []string{":6: make fly: the Makefile has no such target"}},
		"good span":            {block("sh", "make run") + "Or `make test`, or `go run ./infra/local`.\n", nil},
		"no command":           {"Text.\n", []string{": shows no command: a reader learns nothing to type"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			for _, file := range []string{english, chinese} {
				for _, w := range tc.want {
					want = append(want, file+w)
				}
			}
			if got := check(repository(tc.text, tc.text)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCompareReadmes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		en, zh string
		want   []string
	}{
		"translated comment": {block("sh", "make run  # start"), block("sh", "# 启动", "make run  # 启动"), nil},
		"hash in a word":     {block("sh", "echo a#b 'c # d'"), block("sh", "echo a#b 'c # e'"), []string{`README.md:4: "echo a#b 'c # d'" differs from README.zh-CN.md:4: "echo a#b 'c # e'"`}},
		"translated output":  {block("console", "$ make run", "ready"), block("console", "$ make run", "就绪"), nil},
		"other command":      {block("sh", "make run"), block("sh", "make test"), []string{`README.md:4: "make run" differs from README.zh-CN.md:4: "make test"`}},
		"left out":           {block("sh", "make run", "make test"), block("sh", "make run"), []string{`README.md:5: "make test" is not in README.zh-CN.md`}},
		"one more":           {block("sh", "make run"), block("sh", "make run", "make test"), []string{`README.zh-CN.md:5: "make test" is not in README.md`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := check(repository(tc.en, tc.zh)); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestMissingFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"README.md", "README.zh-CN.md", "Makefile"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := repository(block("sh", "true"), block("sh", "true"))
			delete(fsys, name)
			got := check(fsys)
			if !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, name+": file does not exist") }) {
				t.Errorf("got %q, want a finding that %s is missing", got, name)
			}
		})
	}
}
