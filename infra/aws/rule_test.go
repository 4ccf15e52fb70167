package aws

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
)

// rule is something that must hold of every template.
type rule struct {
	name string
	// check gives what is wrong, one line each.
	check func(t template) []string
	// faults are mistakes, each of which must break this rule and no other.
	faults []fault
}

// fault is a mistake that somebody could make in the template.
type fault struct {
	name string
	make func(tb testing.TB, t template)
	// also are the rules that break with it, besides its own.
	also []string
}

// with is the fault that something else stands at a path; nil: nothing does.
func with(path string, value any, also ...string) fault {
	return fault{
		name: fmt.Sprintf("%s = %s", path, text(value)),
		make: func(tb testing.TB, t template) { t.set(tb, path, value) },
		also: also,
	}
}

// facts are the rule that certain values stand at certain paths; nil: that nothing does. Its faults are that a value is
// missing, and that it is another one.
func facts(name string, want object) rule {
	wanted := object{} // made normal once: the rules are asked after every fault
	for path, v := range want {
		wanted[path] = normal(v)
	}
	r := rule{name: name, check: func(t template) []string {
		var found []string
		for path, want := range wanted {
			if got := t.at(path); !reflect.DeepEqual(got, want) {
				found = append(found, fmt.Sprintf("%s: got %s, want %s", path, text(got), text(want)))
			}
		}
		slices.Sort(found)
		return found
	}}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if want[path] != nil {
			r.faults = append(r.faults, with(path, nil))
		}
		r.faults = append(r.faults, with(path, other(want[path])))
	}
	return r
}

// other gives another value, where it can one of the same kind; of numbers a smaller one, because limits fail upwards.
func other(v any) any {
	switch v := normal(v).(type) {
	case bool:
		return !v
	case float64:
		return v - 1
	}
	return "something else"
}

// and joins rules under the name of the first.
func and(rules ...rule) rule {
	joined := rule{name: rules[0].name}
	joined.check = func(t template) []string {
		var found []string
		for _, r := range rules {
			found = append(found, r.check(t)...)
		}
		return found
	}
	for _, r := range rules {
		joined.faults = append(joined.faults, r.faults...)
	}
	return joined
}

// only is the rule that there are these resources of a type and no others.
func only(name, kind string, ids ...string) rule {
	slices.Sort(ids)
	return rule{
		name: name,
		check: func(t template) []string {
			if got := t.ofType(kind); !slices.Equal(got, ids) {
				return []string{fmt.Sprintf("got %s %v, want %v", kind, got, ids)}
			}
			return nil
		},
		faults: []fault{with("Resources.Another", object{"Type": kind})},
	}
}
