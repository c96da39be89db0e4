package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

type kind int

const (
	nothing kind = iota // null, or no value at all
	text
	list
	table
)

// node is a value of the file, with where it stands. Line 0 is not in the file.
type node struct {
	kind  kind
	line  int
	text  string
	items []*node
	keys  []entry
	env   string // the environment variable it comes from
}

type entry struct {
	key   string
	line  int
	value *node
}

// get returns the value of a key of a table, or nil.
func (n *node) get(key string) *node {
	if i := n.position(key); i >= 0 {
		return n.keys[i].value
	}
	return nil
}

func (n *node) position(key string) int {
	return slices.IndexFunc(n.keys, func(e entry) bool { return e.key == key })
}

// Bounds on what aliases may expand to and on nesting.
const (
	maxNodes = 100_000
	maxDepth = 100
)

// parse reads one YAML document. The error is for what is no YAML at all.
func parse(raw []byte, b *book) (*node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return &node{kind: table, line: 1}, nil
	} else if err != nil {
		return nil, syntaxError(raw, err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		b.addAt("", second.Line, "is a second document in the file, which would be ignored: one file holds one configuration")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(raw, err)
	}
	p := planter{book: b}
	root := p.plant("", &doc, 0)
	if p.planted > maxNodes {
		return nil, errors.New("not usable: its aliases stand for too many values")
	}
	return root, nil
}

var (
	yamlError     = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	// missing is said by the parser's second stage, which counts lines from 0.
	missing = regexp.MustCompile(`^did not find expected [^<]`)
)

// syntaxError says where the YAML breaks off, without what stands there: an
// unquoted secret that starts with a star looks like an alias.
func syntaxError(raw []byte, err error) error {
	parts := yamlError.FindStringSubmatch(err.Error())
	if parts == nil {
		return fmt.Errorf("not YAML: %w", err)
	}
	line, _ := strconv.Atoi(parts[1])
	what := parts[2]
	if missing.MatchString(what) {
		line++
	}
	if anchor := unknownAnchor.FindStringSubmatch(what); anchor != nil {
		before, _, _ := strings.Cut(string(raw), "*"+anchor[1])
		line = 1 + strings.Count(before, "\n")
		what = "a value that starts with * is an alias of an anchor that is not there; quote it"
	}
	return fmt.Errorf("not YAML: line %d: %s", max(line, 1), what)
}

// planter turns the parser's nodes into ours: aliases followed, keys checked.
type planter struct {
	book    *book
	planted int
}

func (p *planter) plant(at string, y *yaml.Node, depth int) *node {
	p.planted++
	if depth > maxDepth || p.planted > maxNodes {
		p.planted = maxNodes + 1
		return &node{}
	}
	switch y.Kind {
	case yaml.DocumentNode:
		return p.plant(at, y.Content[0], depth+1)
	case yaml.AliasNode:
		n := p.plant(at, y.Alias, depth+1)
		n.line = y.Line
		return n
	case yaml.SequenceNode:
		n := &node{kind: list, line: y.Line}
		for i, item := range y.Content {
			n.items = append(n.items, p.plant(index(at, i), item, depth+1))
		}
		return n
	case yaml.MappingNode:
		return p.plantTable(at, y, depth)
	}
	if y.ShortTag() == "!!null" {
		return &node{line: y.Line}
	}
	return &node{kind: text, line: y.Line, text: y.Value}
}

func (p *planter) plantTable(at string, y *yaml.Node, depth int) *node {
	n := &node{kind: table, line: y.Line}
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := y.Content[i]
		if k.Kind != yaml.ScalarNode {
			p.book.addAt(at, k.Line, "has a key that is not a word")
			continue
		}
		key := join(at, k.Value)
		if n.get(k.Value) != nil {
			p.book.addAt(key, k.Line, "is given twice: the first one is further up")
			continue
		}
		n.keys = append(n.keys, entry{k.Value, k.Line, p.plant(key, y.Content[i+1], depth+1)})
	}
	return n
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func index(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }
