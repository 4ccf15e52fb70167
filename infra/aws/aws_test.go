// Package aws holds the deployment on AWS to its rules: the tests turn serverless.yml and the files here into
// CloudFormation, as `make package` does, and read what came out. Begin with [rules]; each rule brings the mistakes that
// it must notice.
package aws

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rules are what must hold of a deployment's template.
func rules(d deployment) []rule {
	return slices.Concat(
		functionRules(d), roleRules(d), queueRules(d), storeRules(d), httpRules(d), alarmRules(d), placeRules(d),
	)
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for _, d := range deployments {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tmpl := d.load(t)
			for _, r := range rules(d) {
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					for _, finding := range r.check(tmpl) {
						t.Error(finding)
					}
				})
			}
		})
	}
}

// TestRulesCanFail makes every mistake that the rules say they notice, and looks which of them do.
func TestRulesCanFail(t *testing.T) {
	t.Parallel()
	d := deployments[1]
	right, all := d.load(t), rules(d)
	for _, r := range all {
		if len(r.faults) == 0 {
			t.Errorf("the rule %q has no fault that shows that it can fail", r.name)
		}
		for _, f := range r.faults {
			t.Run(r.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				wrong := right.clone()
				f.make(t, wrong)
				want := append([]string{r.name}, f.also...)
				slices.Sort(want)
				if got := broken(all, wrong); !slices.Equal(got, want) {
					t.Errorf("got the rules %q broken, want %q", got, want)
				}
			})
		}
	}
}

// broken gives the names of the rules that the template breaks, sorted.
func broken(all []rule, t template) []string {
	var names []string
	for _, r := range all {
		if len(r.check(t)) > 0 {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return names
}

// TestValidator asks Amazon's own validator, which knows every property of every resource.
func TestValidator(t *testing.T) {
	t.Parallel()
	node(t, "@aws/cloudformation-validate/index.js")
	args := []string{"validate.js"}
	for _, d := range deployments {
		args = append(args, filepath.Join(d.folder(t), "cloudformation-template-update-stack.json"), d.region())
	}
	if out, err := exec.Command("node", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRemove plays `osls remove` up to where the stack goes: what it deletes of the bucket, and when it keeps off.
func TestRemove(t *testing.T) {
	t.Parallel()
	node(t, "@aws-sdk/client-s3")
	if out, err := exec.Command("node", "--test", "plugin.test.js").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestParameters gives parameters that make no sense, each of which must be refused with a word on why.
func TestParameters(t *testing.T) {
	t.Parallel()
	for param, want := range map[string]string{
		"alarmtopic=" + topic:     "there is no parameter alarmtopic",
		"domain=kefu.example.com": "domain and certificate belong together",
		"apiRate=many":            `"many" is no number`,
		"logDays=31":              "must be equal to one of the allowed values",
	} {
		t.Run(param, func(t *testing.T) {
			t.Parallel()
			out, err := pack(node(t, ".bin/osls"), t.TempDir(), "dev", []string{param})
			if err == nil || !strings.Contains(out, want) {
				t.Errorf("got error %v and\n%s\nwant a refusal with %q", err, out, want)
			}
		})
	}
}

// complain adds what a program said to why it failed.
func complain(err error, out string) error {
	if err == nil {
		return nil
	}
	return errors.Join(err, fmt.Errorf("it said: %s", out))
}
