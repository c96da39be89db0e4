package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"tidings/core"
)

// forest holds the parsed templates by locale and by name.
type forest map[string]map[string]tree

// tree is a parsed template in which every printing action is guarded.
type tree struct {
	*parse.Tree
	own bool
}

// parse parses all sources and returns every fault in them.
func (c catalog) parse() (forest, []core.Fault) {
	trees := make(forest, len(c))
	var faults []core.Fault
	funcs := functions(formatFor(lastResort))
	for _, locale := range c.sorted() {
		trees[locale] = make(map[string]tree, len(c[locale]))
		for name, src := range c[locale] {
			parsed, err := src.parse(funcs)
			if err != nil {
				faults = append(faults, faultOf(err, src.path))
				continue
			}
			trees[locale][name] = tree{Tree: parsed, own: src.own}
		}
	}
	return trees, sortFaults(faults)
}

// parse returns the guarded tree of one template.
func (s source) parse(funcs template.FuncMap) (*parse.Tree, error) {
	t, err := template.New(s.path).Funcs(funcs).Parse(markStandalone(s.text))
	if err != nil {
		return nil, err
	}
	for _, other := range t.Templates() {
		if other.Name() != s.path {
			return nil, faultAt(s.path, "define and block are not available; put the part into a file of its own, "+
				"_"+strings.TrimPrefix(other.Name(), partialPrefix)+extension+" in the same folder")
		}
	}
	guard(t.Root)
	return t.Tree, nil
}

// standaloneLine is a line of nothing but actions that print nothing.
var standaloneLine = regexp.MustCompile(`(?m)^[ \t]*(?:\{\{ *(?:(?:if|else|end|range|with|break|continue|button)\b|\$\w+ *:?=|/\*)[^{}]*\}\}[ \t]*)+$`)

// markStandalone marks the lines that hold actions only, so that their line
// ends do not become blank lines in the text. Lines with trim markers
// ({{- or -}}) are left to them. The line numbers stay as they are.
func markStandalone(text string) string {
	return standaloneLine.ReplaceAllStringFunc(text, func(line string) string {
		if strings.Contains(line, "{{-") || strings.Contains(line, "-}}") {
			return line
		}
		return line + standalone
	})
}

// guard appends the guard function to every pipeline that prints, so that no
// value reaches the output unmarked.
func guard(list *parse.ListNode) {
	walk(list, func(n parse.Node) {
		action, ok := n.(*parse.ActionNode)
		if !ok || len(action.Pipe.Decl) > 0 {
			return
		}
		ident := parse.NewIdentifier(guardName).SetPos(action.Pos)
		action.Pipe.Cmds = append(action.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: action.Pos, Args: []parse.Node{ident}})
	})
}

// walk visits the nodes of a list and of all lists in it.
func walk(list *parse.ListNode, visit func(parse.Node)) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		visit(n)
		if b := branches(n); b != nil {
			walk(b.List, visit)
			walk(b.ElseList, visit)
		}
	}
}

// branches returns the lists of a node that has some.
func branches(n parse.Node) *parse.BranchNode {
	switch n := n.(type) {
	case *parse.IfNode:
		return &n.BranchNode
	case *parse.RangeNode:
		return &n.BranchNode
	case *parse.WithNode:
		return &n.BranchNode
	}
	return nil
}

// set holds the templates of a locale and of what it descends from, ready to
// run, once for each way of writing numbers in its language.
type set struct {
	locale string
	names  map[string]bool
	byForm map[*format]*template.Template
}

// executable is a set with one way of writing numbers.
type executable struct {
	*set
	templates *template.Template
}

func newSet(locale string, trees forest) *set {
	own := trees.lineage(locale)
	s := &set{locale: locale, names: make(map[string]bool, len(own)), byForm: make(map[*format]*template.Template)}
	for name := range own {
		s.names[name] = true
	}
	for _, f := range formatsOf(language(locale)) {
		root := template.New("").Option("missingkey=error").Funcs(functions(f))
		for name, t := range own {
			// It fails only for a template that has already run; this one has not.
			template.Must(root.AddParseTree(name, t.Tree))
		}
		s.byForm[f] = root
	}
	return s
}

// lineage returns the templates of a locale over those of what it descends from.
func (f forest) lineage(locale string) map[string]tree {
	all := make(map[string]tree)
	line := lineage(locale)
	for _, l := range slices.Backward(line) {
		maps.Copy(all, f[l])
	}
	return all
}

func (s *set) has(name string) bool { return s != nil && s.names[name] }

func (s *set) in(f *format) executable { return executable{set: s, templates: s.byForm[f]} }

// dropStandalone takes out the marks of standalone lines, with their line ends.
var dropStandalone = strings.NewReplacer(standalone+"\n", "", standalone, "")

// execute runs a template and returns what it wrote, with its marks.
func (e executable) execute(name string, v *view) (string, error) {
	var out strings.Builder
	if err := e.templates.ExecuteTemplate(&out, name, v); err != nil {
		return "", fmt.Errorf("render: %w", err)
	}
	return dropStandalone.Replace(out.String()), nil
}
