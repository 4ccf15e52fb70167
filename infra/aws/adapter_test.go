package aws

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTableIsTheAdapters compares what the rules say of the table with the source of the adapter that works on it.
func TestTableIsTheAdapters(t *testing.T) {
	t.Parallel()
	names, got := map[string]string{}, map[string][3]string{}
	dir := filepath.Join(root, "shared", "adapter", "dynamo")
	for _, name := range []string{"key.go", "table.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec: // attrPK = "pk"
				for i, value := range n.Values {
					if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING {
						names[n.Names[i].Name], _ = strconv.Unquote(text.Value)
					}
				}
			case *ast.CompositeLit: // index{indexTime, attrTimeOf, attrTime}
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "index" && len(n.Elts) == 3 {
					var x [3]string
					for i, e := range n.Elts {
						x[i] = names[e.(*ast.Ident).Name]
					}
					got[x[0]] = x
				}
			}
			return true
		})
	}
	want := map[string][3]string{}
	for _, x := range indexes {
		want[x[0]] = x
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("indexes (-infra/aws/table.yml +shared/adapter/dynamo):\n%s", diff)
	}
	for name, want := range map[string]string{"attrPK": "pk", "attrSK": "sk", "attrTTL": "ttl"} {
		if names[name] != want {
			t.Errorf("%s: got %q in shared/adapter/dynamo, want %q", name, names[name], want)
		}
	}
}
