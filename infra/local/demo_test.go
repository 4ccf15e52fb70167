package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestDemo plays what `make demo` plays.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), &out, nil); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{"delivered 3 times", "the sixth is held", "the held one arrives", "session expired", "a number in full width", "calls a human", "the session is released", "Everything as promised"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the timeline doesn't tell that %s:\n%s", want, &out)
		}
	}
}
