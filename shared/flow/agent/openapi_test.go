package agent_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kefu/shared/flow/agent"
)

// openAPI is what the tests read of the document.
type openAPI struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Responses   map[string]any
		Security    *[]any
		Parameters  []map[string]any
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Enum []string
			}
		}
	}
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	var doc openAPI
	if err := json.Unmarshal(agent.OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func tableOf(t *testing.T) []agent.Line {
	t.Helper()
	table := agent.Table()
	if len(table) < 25 {
		t.Fatalf("the table has %d routes, want all of the interface", len(table))
	}
	return table
}

// TestOpenAPIRoutes holds the document and the table of routes against each other, both ways.
func TestOpenAPIRoutes(t *testing.T) {
	t.Parallel()
	doc := readOpenAPI(t)
	inTable := map[string]bool{}
	for _, line := range tableOf(t) {
		inTable[line.Method+" "+line.Path] = true
		op, ok := doc.Paths[line.Path][strings.ToLower(line.Method)]
		if !ok {
			t.Errorf("%s %s is served and not described", line.Method, line.Path)
			continue
		}
		if op.OperationID != line.Op {
			t.Errorf("%s %s: operation %q in the document, %q in the table", line.Method, line.Path, op.OperationID, line.Op)
		}
		if open := op.Security != nil && len(*op.Security) == 0; open != line.Open {
			t.Errorf("%s %s: open is %t in the document, %t in the table", line.Method, line.Path, open, line.Open)
		}
		for _, p := range strings.Split(line.Path, "/") {
			if name, ok := strings.CutPrefix(p, "{"); ok && !refersTo(op.Parameters, strings.TrimSuffix(name, "}")) {
				t.Errorf("%s %s: parameter %s is not described", line.Method, line.Path, p)
			}
		}
		if writes := line.Method != "GET"; writes != refersTo(op.Parameters, "idempotency") {
			t.Errorf("%s %s: Idempotency-Key is described: %t, want %t", line.Method, line.Path, !writes, writes)
		}
		for status := range op.Responses {
			if n, err := strconv.Atoi(status); err != nil || n < 200 || n > 599 {
				t.Errorf("%s %s: answer %q", line.Method, line.Path, status)
			}
		}
	}
	for path, ops := range doc.Paths {
		for method := range ops {
			if !inTable[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s is described and not served", strings.ToUpper(method), path)
			}
		}
	}
}

func refersTo(parameters []map[string]any, name string) bool {
	return slices.ContainsFunc(parameters, func(p map[string]any) bool { return p["$ref"] == "#/components/parameters/"+name })
}

func TestOpenAPIServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.call("", "GET", "/v1/openapi.json", nil).want(200)
	if string(r.raw) != string(agent.OpenAPI()) {
		t.Error("the document that is served is another")
	}
}

// TestOpenAPICodes finds every code that the interface can answer with, in the
// sources of this package and of those whose verdicts it passes on, and wants it
// in the document; and wants no code there that nobody uses.
func TestOpenAPICodes(t *testing.T) {
	t.Parallel()
	documented := readOpenAPI(t).Components.Schemas["Problem"].Properties["code"].Enum
	used := map[string]bool{}
	// Kinds without a code of their own; and codes that never reach an answer.
	for _, kind := range []string{"invalid", "denied", "not-found", "conflict", "exhausted", "unavailable", "internal"} {
		used[kind] = true
	}
	silent := []string{"unknown-event", "unknown-effect", "no-session", "media-gone", "account-taken", "secret-missing", "no-randomness"}
	for _, dir := range []string{".", "../media", "../../shell", "../../core/session", "../../core/message", "../../core/account", "../../core/agent"} {
		for _, code := range codesIn(t, dir) {
			if slices.Contains(silent, code) {
				continue
			}
			used[code] = true
			if !slices.Contains(documented, code) {
				t.Errorf("code %q of %s is not in the document", code, dir)
			}
		}
	}
	used["bad-cursor"] = true // the store's too
	for _, code := range documented {
		if !used[code] {
			t.Errorf("code %q is in the document and nobody uses it", code)
		}
	}
}

// codesIn lists the literal codes of the faults that a package makes.
func codesIn(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	position := map[string]int{"New": 1, "Wrap": 1, "Later": 0, "wrongField": 0}
	var codes []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fun := ""
			switch f := c.Fun.(type) {
			case *ast.SelectorExpr:
				if x, ok := f.X.(*ast.Ident); ok && x.Name == "fault" {
					fun = f.Sel.Name
				}
			case *ast.Ident:
				fun = f.Name
			}
			at, ok := position[fun]
			if !ok || at >= len(c.Args) {
				return true
			}
			if lit, ok := c.Args[at].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if code, err := strconv.Unquote(lit.Value); err == nil && code != "" {
					codes = append(codes, code)
				}
			}
			return true
		})
	}
	return codes
}
