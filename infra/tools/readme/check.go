package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	english = "README.md"
	chinese = "README.zh-CN.md"
)

// check returns what is wrong with the READMEs of the repository whose root is fsys, one line each.
func check(fsys fs.FS) []string {
	var found []string
	targets, err := makeTargets(fsys)
	if err != nil {
		found = append(found, err.Error())
	}
	shown := map[string][]command{}
	for _, name := range []string{english, chinese} {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			found = append(found, err.Error())
			continue
		}
		doc := read(string(text))
		shown[name] = doc.commands
		if len(doc.commands) == 0 {
			found = append(found, name+": shows no command: a reader learns nothing to type")
		}
		for _, c := range slices.Concat(doc.commands, doc.spans) {
			for _, problem := range c.problems(fsys, targets) {
				found = append(found, fmt.Sprintf("%s:%d: %s", name, c.line, problem))
			}
		}
	}
	return append(found, compare(shown[english], shown[chinese])...)
}

// compare reports the first command in which the two READMEs differ: all later ones would follow from it.
func compare(en, zh []command) []string {
	for i := range max(len(en), len(zh)) {
		switch {
		case i >= len(en):
			return []string{fmt.Sprintf("%s:%d: %q is not in %s", chinese, zh[i].line, zh[i].text, english)}
		case i >= len(zh):
			return []string{fmt.Sprintf("%s:%d: %q is not in %s", english, en[i].line, en[i].text, chinese)}
		case en[i].text != zh[i].text:
			return []string{fmt.Sprintf("%s:%d: %q differs from %s:%d: %q", english, en[i].line, en[i].text, chinese, zh[i].line, zh[i].text)}
		}
	}
	return nil
}

// rule finds the targets of a Makefile's rule; `:=` assigns and is none.
var rule = regexp.MustCompile(`(?m)^([A-Za-z0-9][\w./ -]*?)\s*:(?:[^=:]|$)`)

// makeTargets returns the names one can give to make.
func makeTargets(fsys fs.FS) (map[string]bool, error) {
	text, err := fs.ReadFile(fsys, "Makefile")
	if err != nil {
		return nil, err
	}
	targets := map[string]bool{}
	for _, m := range rule.FindAllStringSubmatch(string(text), -1) {
		for _, name := range strings.Fields(m[1]) {
			targets[name] = true
		}
	}
	return targets, nil
}

// separator splits a line of shell into simple commands. Quoted separators split too: what follows them is no command
// that anybody checks.
var separator = regexp.MustCompile(`&&|\|\||[;|&()]`)

// problems returns what in the command does not exist.
func (c command) problems(fsys fs.FS, targets map[string]bool) []string {
	var found []string
	for _, part := range separator.Split(c.text, -1) {
		words := strings.Fields(part)
		for len(words) > 0 && assigns(words[0]) {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "make":
			found = append(found, makeProblems(words[1:], targets)...)
		case "go":
			found = append(found, pathProblems(fsys, words[1:])...)
		default:
			if strings.HasPrefix(words[0], "./") || strings.HasPrefix(words[0], ".ci/") {
				found = append(found, pathProblems(fsys, words[:1])...)
			}
		}
	}
	return found
}

// assigns recognizes NAME=value, before a command or among make's words.
func assigns(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && !strings.ContainsAny(name, "-./'\"")
}

func makeProblems(words []string, targets map[string]bool) []string {
	var found []string
	for _, w := range words {
		if strings.HasPrefix(w, "-") || assigns(w) {
			continue
		}
		if strings.HasPrefix(w, ">") || strings.HasPrefix(w, "<") {
			break
		}
		if !targets[w] {
			found = append(found, fmt.Sprintf("make %s: the Makefile has no such target", w))
		}
	}
	return found
}

// pathProblems looks at the words that are paths of this repository; what a build makes (bin/) need not exist.
func pathProblems(fsys fs.FS, words []string) []string {
	var found []string
	for _, w := range words {
		w = strings.Trim(w, `"'`)
		if !strings.HasPrefix(w, "./") && !strings.HasPrefix(w, ".ci/") || strings.HasPrefix(w, "./bin/") {
			continue
		}
		name := path.Clean(strings.TrimSuffix(w, "/..."))
		if _, err := fs.Stat(fsys, name); err != nil {
			found = append(found, fmt.Sprintf("%s: no such file or folder", w))
		}
	}
	return found
}
