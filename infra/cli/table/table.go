// Package table lays out what a person reads in a terminal: call [Write] for a list, [Fields] for one object and [Clean]
// for a text of unknown origin. Chinese and other wide characters count as two columns.
package table

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// gap is between two columns.
const gap = "  "

// measure doesn't ask the environment, so that the same text has the same layout everywhere. Characters that are wide in
// some old fonts only ("ambiguous") count as one.
var measure = &runewidth.Condition{StrictEmojiNeutral: true}

// Width is how many columns of a terminal a text takes.
func Width(s string) int { return measure.StringWidth(s) }

// Write lays out rows under a head, each column as wide as its widest cell; the last is not padded. Cells are cleaned.
// Without a head there is no head.
func Write(w io.Writer, head []string, rows [][]string) error {
	if len(head) > 0 {
		rows = slices.Insert(slices.Clone(rows), 0, head)
	}
	var widths []int
	clean := make([][]string, len(rows))
	for i, row := range rows {
		clean[i] = make([]string, len(row))
		for j, cell := range row {
			clean[i][j] = Clean(cell)
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], Width(clean[i][j]))
		}
	}
	var b strings.Builder
	for _, row := range clean {
		var line strings.Builder
		for j, cell := range row {
			line.WriteString(cell)
			if j < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[j]-Width(cell)) + gap)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Clean makes a text one line that can't play with the terminal: line ends and tabs become spaces; control, direction
// and other invisible characters are shown as their codes. What joins emoji stays.
func Clean(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n") {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case unicode.Is(unicode.Zs, r) || r == joiner || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
	}
	return b.String()
}

// joiner makes one picture of several emoji.
const joiner = '\u200d'
