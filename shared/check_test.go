package shared_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// layer is one row of the import table.
type layer struct {
	path    string   // which packages it rules
	imports []string // our packages that they may import; their own folder is always open to them
	tests   []string // more of them, for _test.go files
	bans    [][]ban  // standard packages that they may not import outside tests
	pure    bool     // whether they must do without clock and printing, outside tests
	why     string   // the reason, for who trips over the row
}

// ban is a package that must not be imported.
type ban struct{ path, why string }

// vendor is a foreign module and the packages that may import it.
type vendor struct {
	module string
	owners []string
	why    string
}

// finding is one breach of the law.
type finding struct {
	at   string // file:line, or a path
	text string // what is wrong, and why that is a rule
	mild bool   // worth a word, no failure
}

func (f finding) String() string { return f.at + ": " + f.text }

// source is one parsed Go file of the module.
type source struct {
	name  string // from the module's root, with slashes
	dir   string
	test  bool // a _test.go file
	lines int
	file  *ast.File
}

// tree is the module as the checks see it.
type tree struct {
	fset  *token.FileSet
	files []source
	top   []string // names of the root's entries
}

// load parses every Go file of the module whose root is fsys, build constraints or not. Nested modules, dot folders and
// testdata are none of its business, as for the go command.
func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet()}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		t.top = append(t.top, e.Name())
	}
	return t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if foreign(fsys, name) {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".go" || strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		return t.add(fsys, name)
	})
}

// foreign tells whether a folder below the root is no part of the module.
func foreign(fsys fs.FS, dir string) bool {
	base := path.Base(dir)
	if dir == "." {
		return false
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

// add parses one file.
func (t *tree) add(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.files = append(t.files, source{
		name:  name,
		dir:   path.Dir(name),
		test:  strings.HasSuffix(name, "_test.go"),
		lines: bytes.Count(text, []byte("\n")),
		file:  file,
	})
	return nil
}

// check holds the tree to the law. Huge are the files that may be longer than the rest, with reasons.
func (t *tree) check(huge map[string]string) []finding {
	found := t.checkTop()
	for _, s := range t.files {
		l := ruling(s.dir)
		if l == nil {
			found = append(found, finding{at: s.name, text: "belongs to no layer: put it where the table of layers has a row"})
			continue
		}
		for _, spec := range s.file.Imports {
			if why := l.refuses(s, importPath(spec)); why != "" {
				found = append(found, t.at(spec, "imports %s: %s", importPath(spec), why))
			}
			if spec.Name != nil && spec.Name.Name == "." {
				found = append(found, t.at(spec, "dot import: it hides where a name comes from, from readers and from this test"))
			}
		}
		found = append(found, t.checkCalls(s, l)...)
	}
	return slices.Concat(found, t.checkComments(), t.checkMains(), t.checkSizes(huge))
}

// at makes a finding about a place in a file.
func (t *tree) at(n ast.Node, format string, args ...any) finding {
	p := t.fset.Position(n.Pos())
	return finding{at: p.Filename + ":" + strconv.Itoa(p.Line), text: fmt.Sprintf(format, args...)}
}

func (t *tree) checkTop() []finding {
	var found []finding
	for _, name := range t.top {
		if strings.HasPrefix(name, ".") || slices.Contains(top, name) {
			continue
		}
		found = append(found, finding{at: name, text: "has no place at the top level: the first page stays short"})
	}
	return found
}

// ruling returns the layer of a package, nil if none claims it.
func ruling(dir string) *layer {
	for i := range layers {
		if match(layers[i].path, dir) {
			return &layers[i]
		}
	}
	return nil
}

// match tells whether a package, relative to the module, falls under a pattern of the table.
func match(pattern, dir string) bool {
	if root, deep := strings.CutSuffix(pattern, "/..."); deep {
		return dir == root || strings.HasPrefix(dir, root+"/")
	}
	ok, err := path.Match(pattern, dir)
	return ok && err == nil
}

func matchAny(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, dir) })
}

// refuses says why a file of the layer may not import a package; empty means that it may.
func (l *layer) refuses(s source, imported string) string {
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		return l.refusesOwn(s, own)
	}
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
		return refusesVendor(s, imported)
	}
	bans := [][]ban{nowhere}
	if !s.test {
		bans = append(bans, l.bans...)
	}
	for _, b := range slices.Concat(bans...) {
		if b.path == imported {
			return b.why
		}
	}
	return ""
}

// refusesOwn judges the import of a package of this module.
func (l *layer) refusesOwn(s source, own string) string {
	if own == s.dir || matchAny(l.imports, own) || s.test && matchAny(l.tests, own) {
		return ""
	}
	if why, ok := testOnly[own]; ok {
		return why
	}
	return l.why
}

// refusesVendor judges the import of a foreign package.
func refusesVendor(s source, imported string) string {
	for _, v := range vendors {
		if !match(v.module+"/...", imported) {
			continue
		}
		_, helper := testOnly[s.dir]
		if matchAny(v.owners, s.dir) || v.owners == nil && (s.test || helper) {
			return ""
		}
		return v.why
	}
	return "no owner is named for this module: add it to the table of vendors, with one"
}

// importPath returns the path of an import without its quotes.
func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, "`\"") }

// localName returns the name under which a file knows a standard package, empty if it does not import it.
func localName(f *ast.File, imported string) string {
	for _, spec := range f.Imports {
		switch {
		case importPath(spec) != imported:
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return path.Base(imported)
		}
	}
	return ""
}

// selected returns the names that a node picks from a standard package: "Now" for time.Now.
func selected(f *ast.File, n ast.Node, imported string) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); ok && x.Name == localName(f, imported) {
		return sel.Sel.Name
	}
	return ""
}

// What a pure package may not touch, and what a test may not wait for.
var (
	clock    = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	printers = []string{"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"}
	loggers  = []string{
		"Debug", "DebugContext", "Default", "Error", "ErrorContext", "Info", "InfoContext", "Log", "LogAttrs", "New",
		"NewJSONHandler", "NewTextHandler", "SetDefault", "Warn", "WarnContext", "With",
	}
)

// checkCalls looks for the clock and for printing in pure packages, and for sleep in tests.
func (t *tree) checkCalls(s source, l *layer) []finding {
	var found []finding
	_, helper := testOnly[s.dir]
	helper = helper && s.dir != "shared/adapter/wechat/wxfake" // the simulator plays a slow platform
	deadlines := map[ast.Node]bool{}                           // receives of a select: they end a wait, they are none
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if selected(s.file, n.Fun, "testing/synctest") == "Test" {
				return false // time stands still in there, so nothing is slow or fragile
			}
		case *ast.CommClause:
			deadlines[n.Comm] = true
		}
		switch {
		case s.test || helper:
			if selected(s.file, n, "time") == "Sleep" || waits(s.file, n) && !deadlines[n] {
				found = append(found, t.at(n, "a sleep in a test is slow or flaky, or both: inject a clock, use a channel or testing/synctest"))
			}
		case !l.pure:
		case slices.Contains(clock, selected(s.file, n, "time")):
			found = append(found, t.at(n, "time.%s in a pure package: time comes in as an argument", selected(s.file, n, "time")))
		case slices.Contains(printers, selected(s.file, n, "fmt")), slices.Contains(loggers, selected(s.file, n, "log/slog")):
			found = append(found, t.at(n, "prints from a pure package: return the value and let the shell log it"))
		}
		return true
	})
	return found
}

// waits recognizes the statement `<-time.After(d)`: a sleep by another name.
func waits(f *ast.File, n ast.Node) bool {
	stmt, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	recv, ok := stmt.X.(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return false
	}
	call, ok := recv.X.(*ast.CallExpr)
	return ok && selected(f, call.Fun, "time") == "After"
}

// checkComments wants one package comment in every package; a package of tests alone may have it there.
func (t *tree) checkComments() []finding {
	type state struct{ ships, said bool }
	dirs := map[string]state{}
	var order []string
	for _, s := range t.files {
		d, seen := dirs[s.dir]
		if !seen {
			order = append(order, s.dir)
		}
		if !s.test && !d.ships {
			d = state{ships: true} // comments in tests don't count for a package that ships
		}
		if s.test != d.ships {
			d.said = d.said || s.file.Doc != nil && strings.TrimSpace(s.file.Doc.Text()) != ""
		}
		dirs[s.dir] = d
	}
	var found []finding
	for _, dir := range order {
		if !dirs[dir].said {
			found = append(found, finding{at: dir, text: "has no package comment: tell a newcomer which function to call first"})
		}
	}
	return found
}

// checkMains holds functions/* to one short main.go each.
func (t *tree) checkMains() []finding {
	var found []finding
	mains := map[string]bool{}
	for _, s := range t.files {
		if !match("functions/*", s.dir) || s.test {
			continue
		}
		switch {
		case path.Base(s.name) != "main.go" || s.file.Name.Name != "main":
			found = append(found, finding{at: s.name, text: "a function is one main.go of package main: code that ships lives in shared"})
			continue
		case s.lines < minMain || s.lines > maxMain:
			text := fmt.Sprintf("has %d lines, want %d to %d: a main wires nothing and explains itself", s.lines, minMain, maxMain)
			found = append(found, finding{at: s.name, text: text})
		}
		mains[s.dir] = true
	}
	for _, s := range t.files {
		if match("functions/*", s.dir) && !mains[s.dir] {
			mains[s.dir] = true
			found = append(found, finding{at: s.dir, text: "has no main.go: a folder of functions is a function"})
		}
	}
	return found
}

// checkSizes grumbles about long files that ship and refuses huge ones, unless excused; an excuse must be needed.
func (t *tree) checkSizes(huge map[string]string) []finding {
	var found []finding
	used := map[string]bool{}
	for _, s := range t.files {
		_, excused := huge[s.name]
		used[s.name] = excused && s.lines > hugeFile
		switch text := fmt.Sprintf("has %d lines: %s", s.lines, oneNounWhy); {
		case s.test || excused:
		case s.lines > hugeFile:
			found = append(found, finding{at: s.name, text: text})
		case s.lines > longFile:
			found = append(found, finding{at: s.name, text: text, mild: true})
		}
	}
	for name, reason := range huge {
		switch {
		case !used[name]:
			found = append(found, finding{at: name, text: "is excused for its size and needs no excuse: take it off the list"})
		case strings.TrimSpace(reason) == "":
			found = append(found, finding{at: name, text: "is excused for its size without a reason"})
		}
	}
	return found
}
