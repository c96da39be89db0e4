package store

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// merge makes one statement of those that do the same to different rows. Those
// for one row stay in their order; ids are made before, so nothing else ties
// statements to each other.
func merge(queue []statement) []statement {
	if len(queue) < 2 {
		return queue
	}
	var groups []*group
	tables := map[string]*table{}
	for _, s := range queue {
		f := formOf(s.query)
		types, ok := typesOf(s.args)
		if f.table == "" {
			clear(tables) // nobody knows what it touches
		}
		t := tables[f.table]
		if t == nil || f.verb == "" || !ok || t.key != f.key {
			t = &table{key: f.key, last: map[any]int{}}
			tables[f.table] = t
		}
		n := -1
		if f.verb != "" && ok {
			n = t.find(s, f, types)
		}
		if n < 0 {
			n = len(groups)
			groups = append(groups, &group{form: f, types: types, seen: map[any]bool{}, n: n})
			t.open = append(t.open, groups[n])
		}
		groups[n].add(s)
		if f.verb == "" || !ok {
			delete(tables, f.table)
		} else {
			t.last[keyOf(s)] = n
		}
	}
	merged := make([]statement, len(groups))
	for i, g := range groups {
		merged[i] = g.statement()
	}
	return merged
}

// table is what the statements of a table have done so far.
type table struct {
	key  string // the column that their first argument is for
	open []*group
	last map[any]int // by the key of a row, the number of the last group that touches it
}

// find returns the group that a statement can join: nothing after it touches its row.
func (t *table) find(s statement, f *form, types string) int {
	for _, g := range t.open {
		if last, touched := t.last[keyOf(s)]; g.takes(s, f, types) && (!touched || last <= g.n) {
			return g.n
		}
	}
	return -1
}

func keyOf(s statement) any {
	if b, ok := s.args[0].([]byte); ok {
		return string(b)
	}
	return s.args[0]
}

// group is statements of one text. An UPDATE or a DELETE has no two for rows
// whose first argument is the same.
type group struct {
	form  *form
	types string
	all   []statement
	seen  map[any]bool
	n     int
}

func (g *group) takes(s statement, f *form, types string) bool {
	return g.form == f && g.types == types && (f.verb == "INSERT" || !g.seen[keyOf(s)])
}

func (g *group) add(s statement) {
	g.all = append(g.all, s)
	if g.form.verb == "UPDATE" || g.form.verb == "DELETE" {
		g.seen[keyOf(s)] = true
	}
}

func (g *group) statement() statement {
	if len(g.all) == 1 {
		return g.all[0]
	}
	var columns []any
	for i, typ := range g.types {
		switch typ {
		case 'i':
			columns = append(columns, column(g.all, i, integer))
		case 's':
			columns = append(columns, column(g.all, i, func(v any) string { s, _ := v.(string); return s }))
		default:
			columns = append(columns, column(g.all, i, func(v any) []byte { b, _ := v.([]byte); return b }))
		}
	}
	if g.form.sure {
		columns = append(columns, len(g.all))
	}
	return statement{g.form.merged(g.types), columns}
}

func column[T any](all []statement, i int, value func(any) T) []T {
	of := make([]T, len(all))
	for n, s := range all {
		of[n] = value(s.args[i])
	}
	return of
}

func integer(v any) int64 {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

// typesOf names the types of arguments, a letter each; ok is false where one has
// none that is known.
func typesOf(args []any) (types string, ok bool) {
	letters := make([]byte, len(args))
	for i, a := range args {
		switch a.(type) {
		case int, int64:
			letters[i] = 'i'
		case string:
			letters[i] = 's'
		case []byte:
			letters[i] = 'b'
		default:
			return "", false
		}
	}
	return string(letters), len(letters) > 0
}

// form is what is known of a statement's text.
type form struct {
	table string // "": nothing is known
	key   string // the column that the first argument is for
	verb  string // "": it is not to be merged
	sure  bool   // each must change one row, or the statement fails
	query string

	mu   sync.Mutex
	text map[string]string // merged, by types
}

var (
	forms  sync.Map // of *form, by query
	verbs  = regexp.MustCompile(`^\s*([A-Z]+)(?: INTO| FROM)? (\w+)`)
	number = regexp.MustCompile(`\$(\d+)`)
	values = regexp.MustCompile(`VALUES \(([^()]*)\)`)
	keys   = regexp.MustCompile(`^\s*[A-Z]+ INTO \w+ \((\w+)|WHERE (\w+) = \$1\b`)
)

func formOf(query string) *form {
	if f, ok := forms.Load(query); ok {
		return f.(*form) //nolint:forcetypeassert // nothing else is in there
	}
	f := &form{text: map[string]string{}}
	f.query, f.sure = strings.CutPrefix(query, onlyIf)
	f.query = strings.TrimSuffix(f.query, onlyIfEnd)
	if m := verbs.FindStringSubmatch(f.query); m != nil {
		can := false
		switch m[1] {
		case "INSERT":
			f.table, can = m[2], values.MatchString(f.query) && !strings.Contains(f.query, "DO UPDATE")
		case "UPDATE", "DELETE":
			f.table, can = m[2], strings.Count(f.query, "WHERE") == 1
		}
		if k := keys.FindStringSubmatch(f.query); k != nil {
			f.key = k[1] + k[2]
		}
		if can && f.key != "" && !strings.Contains(f.query, "SELECT") {
			f.verb = m[1]
		}
	}
	known, _ := forms.LoadOrStore(query, f)
	return known.(*form) //nolint:forcetypeassert // nothing else is in there
}

// merged is the text for many rows, whose columns are its arguments.
func (f *form) merged(types string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := f.text[types]; text != "" {
		return text
	}
	var arrays, names []string
	for i, typ := range types {
		arrays = append(arrays, fmt.Sprintf("CAST($%d AS %s[])", i+1, map[rune]string{'i': "BIGINT", 's': "TEXT", 'b': "BYTEA"}[typ]))
		names = append(names, "a"+strconv.Itoa(i+1))
	}
	rows := "unnest(" + strings.Join(arrays, ", ") + ") AS v(" + strings.Join(names, ", ") + ")"
	text := number.ReplaceAllString(f.query, "v.a$1")
	switch f.verb {
	case "INSERT":
		text = values.ReplaceAllString(text, "SELECT $1 FROM "+strings.ReplaceAll(rows, "$", "$$"))
	case "UPDATE":
		text = strings.Replace(text, "WHERE", "FROM "+rows+" WHERE", 1)
	case "DELETE":
		text = strings.Replace(text, "WHERE", "USING "+rows+" WHERE", 1)
	}
	if f.sure {
		text = onlyIf + text + strings.Replace(onlyIfEnd, "1 / count(*)", fmt.Sprintf("1 / CAST(count(*) = $%d AS INTEGER)", len(types)+1), 1)
	}
	f.text[types] = text
	return text
}
