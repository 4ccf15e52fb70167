package aws

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// template is a CloudFormation template as JSON gives it.
type template map[string]any

// clone copies all of the template, so that a fault in the copy is none in the original.
func (t template) clone() template { return clone(object(t)).(object) }

func clone(v any) any {
	switch v := v.(type) {
	case object:
		copied := make(object, len(v))
		for name, e := range v {
			copied[name] = clone(e)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, e := range v {
			copied[i] = clone(e)
		}
		return copied
	}
	return v
}

// at gives what stands at a path of names and positions, such as "Resources.Table.Properties.KeySchema.0"; nil if
// nothing does.
func (t template) at(path string) any {
	var v any = object(t)
	for name := range strings.SplitSeq(path, ".") {
		v = child(v, name)
	}
	return v
}

func child(v any, name string) any {
	switch v := v.(type) {
	case object:
		return v[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// number gives the number at a path, 0 if there is none.
func (t template) number(path string) int {
	n, _ := t.at(path).(float64)
	return int(n)
}

// list gives the elements at a path. One that stands alone is a list too, as CloudFormation reads policies.
func (t template) list(path string) []any {
	return list(t.at(path))
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// set puts a value at a path whose parent must exist; nil takes away what is there.
func (t template) set(tb testing.TB, path string, value any) {
	tb.Helper()
	dir, name := "", path
	if i := strings.LastIndex(path, "."); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	var parent any = object(t)
	if dir != "" {
		parent = t.at(dir)
	}
	switch parent := parent.(type) {
	case object:
		if value == nil {
			delete(parent, name)
			return
		}
		parent[name] = normal(value)
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i >= len(parent) {
			tb.Fatalf("there is no %s to set", path)
		}
		parent[i] = normal(value)
	default:
		tb.Fatalf("there is no %s to set %s in", dir, name)
	}
}

// ofType gives the ids of all resources of a type, in order.
func (t template) ofType(kind string) []string {
	var ids []string
	resources, _ := t["Resources"].(object)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		if child(resources[id], "Type") == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// walk calls visit with every string in v, and with the path to it, in no order.
func walk(path string, v any, visit func(path, text string)) {
	switch v := v.(type) {
	case string:
		visit(path, v)
	case []any:
		for i, e := range v {
			walk(path+"."+strconv.Itoa(i), e, visit)
		}
	case object:
		for name, e := range v {
			visit(path, name)
			walk(path+"."+name, e, visit)
		}
	}
}

// normal gives a value the types that JSON would give it.
func normal(v any) any {
	var out any
	if err := json.Unmarshal([]byte(text(v)), &out); err != nil {
		panic(err)
	}
	return out
}

// text is how a value is compared and shown: JSON, with sorted names.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// object is a JSON object.
type object = map[string]any

// CloudFormation's functions, for writing down what is wanted.
func ref(id string) object      { return object{"Ref": id} }
func arn(id string) object      { return attribute(id, "Arn") }
func sub(pattern string) object { return object{"Fn::Sub": pattern} }
func attribute(id, name string) object {
	return object{"Fn::GetAtt": []string{id, name}}
}
