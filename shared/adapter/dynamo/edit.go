package dynamo

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// edit makes an update of some attributes of an item. Each is called #name in its expressions, for some names are
// words of the language.
type edit struct {
	attrs  map[string]types.AttributeValue // nil: to be removed
	once   map[string]bool                 // of attrs, what is set only if the item hasn't got it
	cond   string
	names  map[string]string
	values item
}

// editIf begins an edit under a condition, in which each attribute is written as #name.
func editIf(cond string, values item) *edit {
	e := &edit{
		attrs: map[string]types.AttributeValue{}, once: map[string]bool{}, cond: cond, names: map[string]string{}, values: item{},
	}
	maps.Copy(e.values, values)
	for i, c := range cond {
		if c == '#' {
			name := cond[i+1:]
			if end := strings.IndexFunc(name, notName); end >= 0 {
				name = name[:end]
			}
			e.names["#"+name] = name
		}
	}
	return e
}

func notName(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }

// attr sets an attribute.
func (e *edit) attr(name string, v types.AttributeValue) { e.attrs[name] = v }

// first sets an attribute unless the item has it already.
func (e *edit) first(name string, v types.AttributeValue) { e.attrs[name], e.once[name] = v, true }

// replace makes the named attributes what they are in an item, and removes those that it hasn't.
func (e *edit) replace(in item, names ...string) {
	for _, name := range names {
		e.attrs[name] = in[name] // no attribute: nil
	}
}

// change is the finished update.
func (e *edit) change() change {
	var set, drop []string
	for _, name := range slices.Sorted(maps.Keys(e.attrs)) {
		e.names["#"+name] = name
		v := e.attrs[name]
		if v == nil {
			drop = append(drop, "#"+name)
			continue
		}
		e.values[":"+name] = v
		if e.once[name] {
			set = append(set, "#"+name+" = if_not_exists(#"+name+", :"+name+")")
		} else {
			set = append(set, "#"+name+" = :"+name)
		}
	}
	var parts []string
	if len(set) > 0 {
		parts = append(parts, "SET "+strings.Join(set, ", "))
	}
	if len(drop) > 0 {
		parts = append(parts, "REMOVE "+strings.Join(drop, ", "))
	}
	return change{update: strings.Join(parts, " "), condition: condition{expr: e.cond, names: e.names, values: e.values}}
}
