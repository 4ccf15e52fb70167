package main

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/infra/local/stack"
)

// TestDeployment: what is played here is what serverless.yml and infra/aws deploy.
func TestDeployment(t *testing.T) {
	t.Parallel()
	functions := sections(t, "../../serverless.yml", "functions:", "resources:")
	provider := sections(t, "../../serverless.yml", "provider:", "custom:")
	wantSettings(t, "all functions", provider["environment"], `(?m)^    (KEFU_\w+):`, sharedSettings)
	for _, d := range deployment {
		text := functions[d.name]
		wantNumber(t, d.name, text, "timeout", int(d.limit/time.Second))
		wantNumber(t, d.name, text, "batchSize", d.batch)
		wantSettings(t, d.name, text, `(?m)^      (KEFU_\w+):`, d.settings)
		queue := ""
		if found := regexp.MustCompile(`arn: { Fn::GetAtt: \[(\w+)Queue, Arn\] }`).FindStringSubmatch(text); found != nil {
			queue = strings.ToLower(found[1])
		}
		if queue != d.queue {
			t.Errorf("%s: got queue %q, want %q as in serverless.yml", d.name, d.queue, queue)
		}
		delete(functions, d.name)
	}
	if len(functions) > 0 {
		t.Errorf("serverless.yml has more functions: %v", functions)
	}
	queues := sections(t, "../aws/queues.yml", "Resources:", "  QueuePolicy:")
	for name, rules := range stack.Rules() {
		text := queues[strings.ToUpper(name[:1])+name[1:]+"Queue"]
		wantNumber(t, name, text, "VisibilityTimeout", int(rules.Visibility/time.Second))
		wantNumber(t, name, text, "maxReceiveCount", rules.MaxReceives)
		if got := strings.Contains(text, "FifoQueue: true"); got != rules.Ordered {
			t.Errorf("%s: infra/aws says ordered %v, want %v", name, got, rules.Ordered)
		}
	}
}

// sections are the parts of a file between two lines, by the name that each begins with.
func sections(t *testing.T, path, from, to string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n"+from+"\n")
	text, _, _ = strings.Cut(text, "\n"+to+"\n")
	parts := map[string]string{}
	heads := regexp.MustCompile(`(?m)^  (\w+):$`).FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		parts[text[h[2]:h[3]]] = text[h[1]:end]
	}
	if len(parts) == 0 {
		t.Fatalf("%s: found nothing between %s and %s", path, from, to)
	}
	return parts
}

// wantSettings: the file sets these variables, and no others.
func wantSettings(t *testing.T, what, text, line string, played []string) {
	t.Helper()
	var deployed []string
	for _, found := range regexp.MustCompile(line).FindAllStringSubmatch(text, -1) {
		deployed = append(deployed, found[1])
	}
	slices.Sort(deployed)
	if !slices.Equal(deployed, slices.Sorted(slices.Values(played))) {
		t.Errorf("%s: the settings are %v here, and %v where it is deployed", what, played, deployed)
	}
}

// wantNumber: the file's setting is the one that is played; 0 stands for none.
func wantNumber(t *testing.T, what, text, name string, played int) {
	t.Helper()
	deployed := 0
	if found := regexp.MustCompile(`(?m)^ +` + name + `: (\d+)$`).FindStringSubmatch(text); found != nil {
		deployed, _ = strconv.Atoi(found[1]) // digits
	}
	if deployed != played {
		t.Errorf("%s: %s is %d here, and %d where it is deployed", what, name, played, deployed)
	}
}
