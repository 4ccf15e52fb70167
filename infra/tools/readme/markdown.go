package main

import (
	"regexp"
	"strings"
)

// command is one line of shell that a README shows. Lines joined by a backslash are one.
type command struct {
	line int // where it starts, from 1
	text string
}

// document is what check needs of a README.
type document struct {
	commands []command // of fenced blocks
	spans    []command // `make …` and `go run …` within a sentence
}

var (
	fence = regexp.MustCompile("^\\s*(```+|~~~+)\\s*([A-Za-z]*)")
	span  = regexp.MustCompile("`((?:make|go run) [^`]+)`")
)

// read takes the commands out of a README: the blocks marked sh, bash or shell whole, of console and shell-session
// blocks what follows a `$`. Comments go, because they are written in the README's language.
func read(text string) document {
	var doc document
	var closing, kind string
	join := false
	for i, line := range strings.Split(text, "\n") {
		marks, language := fenced(line)
		switch {
		case closing != "" && strings.HasPrefix(marks, closing) && language == "":
			closing, join = "", false
		case closing != "":
			doc.shell(i+1, kind, line, &join)
		case marks != "":
			closing, kind = marks, language
		default:
			for _, s := range span.FindAllStringSubmatch(line, -1) {
				doc.spans = append(doc.spans, command{i + 1, s[1]})
			}
		}
	}
	return doc
}

// fenced returns the marks that open or close a block, empty if the line is no fence, and the language behind them.
func fenced(line string) (marks, language string) {
	m := fence.FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	return m[1], strings.ToLower(m[2])
}

// shell takes one line of a fenced block. Join tells whether the line before ended in a backslash.
func (d *document) shell(number int, kind, line string, join *bool) {
	line = strings.TrimSpace(line)
	switch kind {
	case "sh", "bash", "shell":
	case "console":
		rest, prompt := strings.CutPrefix(line, "$ ")
		if !prompt && !*join {
			return // output
		}
		line = strings.TrimPrefix(rest, "> ")
	default:
		return
	}
	line = strings.TrimSpace(dropComment(line))
	line, more := strings.CutSuffix(line, "\\")
	line = strings.TrimSpace(line)
	switch {
	case *join:
		last := &d.commands[len(d.commands)-1]
		last.text = strings.TrimSpace(last.text + " " + line)
	case line != "":
		d.commands = append(d.commands, command{number, line})
	default:
		more = false
	}
	*join = more
}

// dropComment cuts a shell comment: an unquoted # at the start of a word.
func dropComment(line string) string {
	var quote rune
	before := ' '
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == '#' && (before == ' ' || before == '\t'):
			return line[:i]
		}
		before = r
	}
	return line
}
