package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// house is what the rules look at.
type house struct {
	module   string
	packages []pkg
	files    []source
	requires []string          // the modules that go.mod requires directly
	top      []string          // what stands at the top and is not ignored by git
	texts    map[string]string // every text of the project but LICENSE and testdata
	fset     *token.FileSet
}

type pkg struct {
	name    string          // below the module: core/split
	imports map[string]bool // true: only its tests import it
	deps    []string        // all that is linked with it, not with its tests
	doc     string
}

type source struct {
	name string // core/split/cut.go
	test bool
	fset *token.FileSet
	ast  *ast.File
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{texts: map[string]string{}, fset: token.NewFileSet()}
	var mod struct {
		Module  struct{ Path string }
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	decode(t, &mod, "mod", "edit", "-json")
	h.module = mod.Module.Path
	for _, r := range mod.Require {
		if !r.Indirect {
			h.requires = append(h.requires, r.Path)
		}
	}
	h.list(t)
	ignored := h.readTop(t)
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(ignored, name) || name == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || name == "LICENSE" || slices.Contains(ignored, name):
			return nil
		}
		raw, err := os.ReadFile(filepath.Join("../..", name))
		h.add(t, name, string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// list asks the go command for the packages and what they import.
func (h *house) list(t *testing.T) {
	t.Helper()
	type listed struct {
		ImportPath, Doc                          string
		Imports, TestImports, XTestImports, Deps []string
	}
	fields := "-json=ImportPath,Doc,Imports,TestImports,XTestImports,Deps"
	for _, l := range decodeAll[listed](t, "list", "-e", fields, "./...") {
		p := pkg{name: strings.TrimPrefix(l.ImportPath, h.module+"/"), imports: map[string]bool{}, deps: l.Deps, doc: l.Doc}
		for _, imported := range slices.Concat(l.TestImports, l.XTestImports) {
			p.imports[imported] = true
		}
		for _, imported := range l.Imports {
			p.imports[imported] = false
		}
		h.packages = append(h.packages, p)
	}
}

// readTop returns what git ignores at the top, and notes the rest.
func (h *house) readTop(t *testing.T) (ignored []string) {
	t.Helper()
	patterns, err := os.ReadFile("../../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if matches(e.Name(), "", strings.Fields(strings.ReplaceAll(string(patterns), "/", " "))...) {
			ignored = append(ignored, e.Name())
			continue
		}
		h.top = append(h.top, e.Name())
	}
	return ignored
}

func (h *house) add(t *testing.T, name, text string) {
	t.Helper()
	h.texts[name] = text
	if path.Ext(name) != ".go" {
		return
	}
	file, err := parser.ParseFile(h.fset, name, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	h.files = append(h.files, source{name, strings.HasSuffix(name, "_test.go"), h.fset, file})
}

// inspect shows every node of the chosen files and collects what is said of them.
func (h *house) inspect(which func(source) bool, say func(source, ast.Node) string) (faults []string) {
	for _, f := range h.files {
		if !which(f) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if n != nil {
				if said := say(f, n); said != "" {
					faults = append(faults, fmt.Sprintf("%s:%d: %s", f.name, f.line(n.Pos()), said))
				}
			}
			return true
		})
	}
	return faults
}

func all(source) bool { return true }

func (f source) line(p token.Pos) int { return f.fset.Position(p).Line }

// unit is the package that a file belongs to, an external test's its own.
func (f source) unit() string { return path.Join(path.Dir(f.name), f.ast.Name.Name) }

func (f source) variables() (names []*ast.Ident) {
	for _, d := range f.ast.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				names = append(names, s.(*ast.ValueSpec).Names...)
			}
		}
	}
	return names
}

// written returns what a statement assigns to.
func written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return slices.DeleteFunc([]ast.Expr{n.Key, n.Value}, func(e ast.Expr) bool { return e == nil })
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && id.Obj == nil && (id.Name == "delete" || id.Name == "clear") {
			return n.Args[:1]
		}
	}
	return nil
}

// root is the variable at the root of x.y[z], or nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// imports are what a file imports, by the names that it has there.
func (f source) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range f.ast.Imports {
		from := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(from)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = from
	}
	return names
}

// selected returns the name that n takes from a package, whatever the file calls
// that.
func (f source) selected(n ast.Node, from string) (string, bool) {
	if sel, ok := n.(*ast.SelectorExpr); ok {
		if id, ok := sel.X.(*ast.Ident); ok && id.Obj == nil && f.imports()[id.Name] == from {
			return sel.Sel.Name, true
		}
	}
	return "", false
}

// foreign is the variable of another package at the root of x.y[z], or "".
func (f source) foreign(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && id.Obj == nil && f.imports()[id.Name] != "" {
				return id.Name + "." + x.Sel.Name
			}
			e = x.X
		default:
			return ""
		}
	}
}

// matches reports whether one of the patterns fits the name, and none with a "!"
// does. "./" is here.
func matches(name, here string, patterns ...string) bool {
	return !slices.Contains(patterns, "!"+name) && slices.ContainsFunc(patterns, func(p string) bool {
		if below, ok := strings.CutPrefix(p, "./"); ok {
			p = here + "/" + below
		}
		ok, err := path.Match(p, name)
		return p == "..." || ok && err == nil
	})
}

func decode(t *testing.T, v any, args ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(goCommand(t, args...)), v); err != nil {
		t.Fatalf("go %s: %v", args, err)
	}
}

// decodeAll reads one value after the other.
func decodeAll[T any](t *testing.T, args ...string) (all []T) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(goCommand(t, args...)))
	for dec.More() {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("go %s: %v", args, err)
		}
		all = append(all, v)
	}
	return all
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "../.."
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strconv.Quote(strings.Join(args, " ")), err, complaints.String())
	}
	return string(out)
}
