package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sources is the folder with all SQL. Migrations are no Go; each of them is a
// transaction of the library that runs them, and is run again when it was not
// committed.
const sources = "core/store"

// writing is how a statement that writes looks. A text that is put together may
// end where its table begins.
var writing = regexp.MustCompile(`\b(INSERT (OR \w+ )?INTO|REPLACE INTO|DELETE FROM)\b|\bUPDATE( \w+ (AS \w+ )?SET\b|$)`)

// written is a statement of the source that writes.
type written struct {
	text string // its words, up to where something is put in
	at   string // file and line
}

// statements are all statements of the source that write, wherever they stand.
func statements(module string) ([]written, error) {
	tree := os.DirFS(module)
	files, err := fs.Glob(tree, path.Join(sources, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []written
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		raw, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, raw, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text := statement(lit.Value); text != "" {
					all = append(all, written{text, fmt.Sprintf("%s:%d", name, set.Position(lit.Pos()).Line)})
				}
			}
			return true
		})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no statement that writes in %s", path.Join(module, sources))
	}
	return all, nil
}

// statement is the text of a literal that writes; empty for any other.
func statement(literal string) string {
	text, err := strconv.Unquote(literal)
	if err != nil {
		return ""
	}
	text = oneLine(text)
	if verb := regexp.MustCompile(`%[a-z]`).FindStringIndex(text); verb != nil {
		text = strings.TrimSpace(text[:verb[0]])
	}
	if !writing.MatchString(strings.ReplaceAll(text, "FOR UPDATE", "")) {
		return ""
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// unmet are the statements that no point belongs to.
func unmet(all []written, points []string) []written {
	return slices.DeleteFunc(slices.Clone(all), func(w written) bool {
		return slices.ContainsFunc(points, func(p string) bool { return strings.Contains(p, w.text) })
	})
}
