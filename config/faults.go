package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tidings/core"
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	Key     string // as in routes[0].deliver; empty for the file as a whole
	Line    int    // 0 where it is not about the file (an environment variable)
	Problem string // what is wrong and what would be right, never the value
}

// String is the fault in one line.
func (f Fault) String() string {
	var parts []string
	if f.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", f.Line))
	}
	if f.Key != "" {
		parts = append(parts, f.Key)
	}
	return strings.Join(append(parts, f.Problem), ": ")
}

// book collects faults and knows where each key comes from.
type book struct {
	faults []Fault
	lines  map[string]int
	env    map[string]string // the environment variables of overridden keys
}

func newBook() *book { return &book{lines: map[string]int{}, env: map[string]string{}} }

// add adds a fault of a key.
func (b *book) add(key, problem string) {
	if env := b.env[key]; env != "" {
		b.addAt(key, 0, problem+"; the value is that of the environment variable "+env)
		return
	}
	b.addAt(key, b.line(key), problem)
}

func (b *book) addAt(key string, line int, problem string) {
	b.faults = append(b.faults, Fault{key, line, problem})
}

// check adds a fault of a value that was read. It is left out where reading the
// key, or what it stands in, was already faulty: one mistake, one fault.
func (b *book) check(key, problem string) {
	if problem == "" || b.faulty(key) {
		return
	}
	b.add(key, problem)
}

// found adds faults that were found outside, of keys without one so far.
func (b *book) found(faults []core.Fault) {
	known := book{faults: b.faults}
	for _, f := range faults {
		if !known.faulty(f.Key) {
			b.add(f.Key, f.Problem)
		}
	}
}

// faulty reports whether the key, its _file twin or anything around it has a fault.
func (b *book) faulty(key string) bool {
	return slices.ContainsFunc(b.faults, func(f Fault) bool {
		return f.Key == key || f.Key == key+fileSuffix || f.Key != "" && inside(key, f.Key)
	})
}

// faultyInside reports whether the key or anything in it has a fault.
func (b *book) faultyInside(key string) bool {
	return slices.ContainsFunc(b.faults, func(f Fault) bool {
		return f.Key == key || inside(f.Key, key)
	})
}

func inside(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// given reports whether the key is in the file.
func (b *book) given(key string) bool {
	_, ok := b.lines[key]
	return ok
}

// line returns where the key stands, else its _file twin, else what it belongs in.
func (b *book) line(key string) int {
	for key != "" {
		for _, k := range []string{key, key + fileSuffix} {
			if line, ok := b.lines[k]; ok {
				return line
			}
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

// sorted returns the faults in the order of the file.
func (b *book) sorted() []Fault {
	slices.SortStableFunc(b.faults, func(x, y Fault) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), strings.Compare(x.Key, y.Key))
	})
	return b.faults
}
