package bot

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kefu/shared/core/account"
)

// corpus is a file testdata/questions*.txt; what stands in one is said at the top of questions.txt.
type corpus struct {
	questions []account.Question
	sentences []sentence
}

// sentence is what a customer wrote: it means the question of that number, or none.
type sentence struct {
	text     string
	means    int
	mistaken bool // likeness is known to get it wrong
}

const noQuestion = -1

func readCorpus(t testing.TB, file string) corpus {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c corpus
	s := sentence{means: noQuestion}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		ask, isQuestion := strings.CutPrefix(line, "ask ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case isQuestion:
			s = sentence{means: len(c.questions)}
			c.questions = append(c.questions, account.Question{Ask: strings.Split(ask, " | ")})
		case line == "none" || line == "missed" || line == "mistaken":
			s = sentence{means: noQuestion, mistaken: line == "mistaken"}
		default:
			s.text = line
			c.sentences = append(c.sentences, s)
		}
	}
	return c
}

func corpora(t testing.TB) map[string]corpus {
	t.Helper()
	files, err := filepath.Glob("testdata/questions*.txt")
	if err != nil || len(files) < 2 {
		t.Fatalf("corpora: got %v, %v", files, err)
	}
	all := map[string]corpus{}
	for _, file := range files {
		all[filepath.Base(file)] = readCorpus(t, file)
	}
	return all
}

// TestCorpus asks every sentence with the default likeness, and on failure shows the whole confusion.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if len(c.questions) < 15 || len(c.sentences) < 45 {
				t.Fatalf("got %d questions and %d sentences: the file is not read", len(c.questions), len(c.sentences))
			}
			l := newLikeness(c.questions)
			lowest, highest := 1.0, 0.0
			for _, s := range c.sentences {
				got, score := l.best(s.text)
				if s.means == noQuestion && !s.mistaken {
					highest = max(highest, score)
				} else if s.means != noQuestion {
					lowest = min(lowest, score)
				}
				if score < (account.Bot{}).Alike() {
					got = noQuestion
				}
				if right := got == s.means; right == s.mistaken {
					t.Errorf("%s (%.2f): got %s, want %s; mistaken %v", s.text, score, c.title(got), c.title(s.means), s.mistaken)
				}
			}
			t.Logf("lowest score of a sentence with a question: %.2f; highest of one without: %.2f", lowest, highest)
		})
	}
}

func (c corpus) title(i int) string {
	if i == noQuestion {
		return "nothing"
	}
	return fmt.Sprintf("%q", c.questions[i].Ask[0])
}

// TestCorpusAlone asks the same of each question as if it were an account's only one: then no word is
// rarer than another, and what only builds the sentence must not carry it.
func TestCorpusAlone(t *testing.T) {
	t.Parallel()
	for name, c := range corpora(t) {
		for i := range c.questions {
			l := newLikeness(c.questions[i : i+1])
			for _, s := range c.sentences {
				_, score := l.best(s.text)
				if likes := score >= account.DefaultLikeness; s.means == i && !likes || s.means == noQuestion && !s.mistaken && likes {
					t.Errorf("%s: %s has %.2f with %s", name, s.text, score, c.title(i))
				}
			}
		}
	}
}
