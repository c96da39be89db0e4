package store

// memoSize is how many rows of a query are kept, twice at most: what has not
// been read for a while goes. Messages and their parts can be long.
var memoSize = map[string]int{
	messageByID: 1024, partsOf: 1024,
	addressByID: 4096, linkOfAddress: 4096, customerByID: 4096, customerByUID: 4096,
}

// memo is what the one connection that writes to a database knows of rows:
// nobody else changes them, and whoever writes one has it forgotten. What it
// returns is not to be changed in place.
type memo struct {
	nothing

	queries map[string]*generations // nil: nothing is kept
	// check has all that is known read again, and is told of what differs. It is
	// for tests.
	check func(query string, arg, known, read any)
}

// generations are two maps: what is used goes to the younger, and when that is
// full, the older is dropped.
type generations struct{ young, old map[any]any }

func newMemo() memo { return memo{queries: map[string]*generations{}} }

func (m *memo) recall(query string, arg any) (any, bool) {
	g := m.queries[query]
	if g == nil {
		return nil, false
	}
	if v, ok := g.young[arg]; ok {
		return v, true
	}
	v, ok := g.old[arg]
	if ok {
		m.keep(query, arg, v)
	}
	return v, ok
}

func (m *memo) keep(query string, arg, value any) {
	most := memoSize[query]
	if m.queries == nil || most == 0 {
		return
	}
	g := m.queries[query]
	if g == nil {
		g = &generations{young: map[any]any{}}
		m.queries[query] = g
	}
	if len(g.young) >= most {
		g.young, g.old = make(map[any]any, most), g.young
	}
	g.young[arg] = value
}

func (m *memo) forget(query string, arg any) {
	switch g := m.queries[query]; {
	case g == nil:
	case arg == nil:
		delete(m.queries, query)
	default:
		delete(g.young, arg)
		delete(g.old, arg)
	}
}

func (m *memo) forgetAll() { clear(m.queries) }

func (m *memo) checker() func(query string, arg, known, read any) { return m.check }
