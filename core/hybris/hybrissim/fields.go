package hybrissim

import (
	"net/http"
	"slices"
	"strings"
)

// object is a piece of an answer before it is cut down to the fields asked for.
type object = map[string]any

// selection is what somebody asks for of one kind of object: a whole level,
// single fields, or both.
type selection struct {
	level  int // 0: none
	fields map[string]selection
}

// The levels, each of which contains the one before.
const (
	basic = iota + 1
	standard
	full
)

var levels = map[string]int{"BASIC": basic, "DEFAULT": standard, "FULL": full}

// parseFields reads the fields parameter: levels and names with commas between
// them, each name with what is wanted of it in parentheses.
func parseFields(text string) (selection, *failure) {
	if text == "" {
		return selection{level: standard}, nil
	}
	p := fieldParser{rest: text}
	sel := p.list()
	if p.rest != "" || p.bad {
		return selection{}, incorrectField(text)
	}
	return sel, nil
}

// incorrectField is how one wrong name fails the whole request.
func incorrectField(name string) *failure {
	return fail(http.StatusBadRequest, "ConversionError", "Incorrect field:'"+name+"'")
}

type fieldParser struct {
	rest string
	bad  bool
}

func (p *fieldParser) list() selection {
	sel := selection{fields: map[string]selection{}}
	for {
		name := p.name()
		switch {
		case name == "":
			p.bad = true
		case levels[name] > 0:
			sel.level = max(sel.level, levels[name])
		default:
			sel.fields[name] = p.inner()
		}
		if p.bad || !p.eat(",") {
			return sel
		}
	}
}

func (p *fieldParser) name() string {
	end := strings.IndexAny(p.rest, ",()")
	if end < 0 {
		end = len(p.rest)
	}
	name := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	return name
}

// inner is what is wanted of a field; without a word about it, its basics.
func (p *fieldParser) inner() selection {
	if !p.eat("(") {
		return selection{level: basic}
	}
	sel := p.list()
	p.bad = p.bad || !p.eat(")")
	return sel
}

func (p *fieldParser) eat(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	p.rest = rest
	return ok
}

// shape says which fields of a kind of object belong to which level and of
// which kinds its parts are. Parts without a kind are never cut.
type shape struct {
	always, basic, standard, full string
	parts                         map[string]string
}

// names returns the fields up to a level.
func (s shape) names(level int) []string {
	text := s.always
	for i, more := range []string{s.basic, s.standard, s.full} {
		if i < level {
			text += " " + more
		}
	}
	return strings.Fields(text)
}

// project cuts a tree of a kind (an object or a list of objects) down to what
// was asked for.
func project(kind string, v any, sel selection) (any, *failure) {
	sh, known := shapes[kind]
	if !known {
		return v, nil
	}
	if list, ok := v.([]object); ok {
		return projectList(kind, list, sel)
	}
	tree, ok := v.(object)
	if !ok {
		return v, nil
	}
	out, all := object{}, sh.names(full)
	take := func(name string, of selection) (refusal *failure) {
		if part, there := tree[name]; there {
			out[name], refusal = project(sh.parts[name], part, of)
		}
		return refusal
	}
	for _, name := range sh.names(sel.level) {
		if refusal := take(name, selection{level: max(sel.level, basic)}); refusal != nil {
			return nil, refusal
		}
	}
	for name, of := range sel.fields {
		if !slices.Contains(all, name) {
			return nil, incorrectField(name)
		}
		if refusal := take(name, of); refusal != nil {
			return nil, refusal
		}
	}
	return out, nil
}

func projectList(kind string, list []object, sel selection) (any, *failure) {
	out := make([]any, 0, len(list))
	for _, item := range list {
		cut, refusal := project(kind, item, sel)
		if refusal != nil {
			return nil, refusal
		}
		out = append(out, cut)
	}
	return out, nil
}
