package aws

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGrantsAreEnough compares what the functions were heard asking of AWS, when shared/app played its scenarios on the
// local engines, with what their roles allow. Those engines check no permissions: without this, a missing one would show
// after the deployment.
func TestGrantsAreEnough(t *testing.T) {
	t.Parallel()
	heard, err := os.ReadFile(filepath.Join("testdata", "uses.txt"))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(heard)), "\n") {
		words := strings.Fields(line)
		if len(words) != 3 {
			t.Fatalf("a line is %q; want function, action and thing", line)
		}
		function, action, what := strings.ToUpper(words[0][:1])+words[0][1:], words[1], grantedThing(words[2])
		asked[function] = true
		if !slices.Contains(grants[function][what], action) {
			t.Errorf("%s asks %s on %s, and its role doesn't allow it", function, action, what)
		}
	}
	for function := range grants {
		if !asked[function] {
			t.Errorf("nothing was heard of %s", function)
		}
	}
}

// grantedThing is the name that grants has for a thing of that list.
func grantedThing(name string) string {
	switch name {
	case "table":
		return "Table"
	case "index":
		return "Table/index/*"
	case "inbound", "route", "outbound", "hooks":
		return strings.ToUpper(name[:1]) + name[1:] + "Queue"
	}
	return "Bucket/" + name + "*"
}
