package channeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// variant is a body that differs from a recorded one.
type variant struct {
	how  string
	body []byte
	// more says that the body only has more in it than the recorded one.
	more bool
	// none says that there may be nothing left to tell of.
	none bool
}

// others take the place of each value in turn.
var others = []any{
	nil, true, false, json.Number("0"), json.Number("-1"), json.Number("3.7"), json.Number("9223372036854775807"), json.Number("1e300"),
	json.Number("123456789012345678901234567890"), "", "x", "12", " ", "\u0000", strings.Repeat("y", 5000), []any{}, []any{nil}, []any{"x", 1},
	map[string]any{}, map[string]any{"id": []any{}}, deep(30),
}

func deep(n int) any {
	var v any = "x"
	for range n {
		v = []any{v}
	}
	return v
}

// variants are all bodies that a recorded one can turn into, by a new version
// of the platform or by an accident.
func variants(body []byte) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
			ofJSON(body, yield)
			return
		}
		ofForm(body, yield)
	}
}

func ofJSON(body []byte, yield func(variant) bool) bool {
	var root any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&root) != nil {
		return true
	}
	m := mutator{root: root, yield: yield}
	return m.walk("", root, func(v any) { m.root = v })
}

// ofForm mutates each field of a form, and what is JSON in it.
func ofForm(body []byte, yield func(variant) bool) bool {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return true
	}
	with := func(how, key, value string, more bool) bool {
		changed := maps.Clone(form)
		changed.Set(key, value)
		return yield(variant{how: how, body: []byte(changed.Encode()), more: more})
	}
	if !with("more", "unknown_field", "x", true) {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(form)) {
		for _, value := range []string{"", " ", "{", "[]", "null", "\xff\xfe", "\x00", strings.Repeat("y", 5000)} {
			if !with(key, key, value, false) {
				return false
			}
		}
		inner := func(v variant) bool { return with(key+": "+v.how, key, string(v.body), v.more) }
		if strings.HasPrefix(form.Get(key), "{") && !ofJSON([]byte(form.Get(key)), inner) {
			return false
		}
	}
	return true
}

// shape tells bodies of one structure, whatever their values, from others.
func shape(body []byte) string {
	var root any
	if json.Unmarshal(body, &root) == nil {
		return outline(root)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return string(body)
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(form)) {
		var inner map[string]any
		_ = json.Unmarshal([]byte(form.Get(key)), &inner) // else it is one value
		b.WriteString(key + "=" + outline(inner) + "&")
	}
	return b.String()
}

func outline(node any) string {
	var b strings.Builder
	switch n := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(n)) {
			b.WriteString(key + "(" + outline(n[key]) + ")")
		}
	case []any:
		for _, child := range n {
			b.WriteString("[" + outline(child) + "]")
		}
	default:
		fmt.Fprintf(&b, "%T", n)
	}
	return b.String()
}

// mutator walks a document and yields it with one value changed at a time.
type mutator struct {
	root  any
	yield func(variant) bool
}

func (m *mutator) walk(path string, node any, set func(any)) bool {
	for _, other := range others {
		set(other)
		_, wasList := node.([]any)
		empty, _ := other.([]any)
		if !m.emit(variant{how: path, none: wasList && empty != nil && len(empty) == 0}) {
			return false
		}
	}
	set(node)
	switch n := node.(type) {
	case map[string]any:
		return m.walkObject(path, n)
	case []any:
		for i, child := range n {
			if !m.walk(path+"/0", child, func(v any) { n[i] = v }) {
				return false
			}
		}
	}
	return true
}

func (m *mutator) walkObject(path string, object map[string]any) bool {
	object["unknown_field"] = map[string]any{"since": []any{json.Number("2030")}}
	if !m.emit(variant{how: path + " with an unknown field", more: true}) {
		return false
	}
	delete(object, "unknown_field")
	for _, key := range slices.Sorted(maps.Keys(object)) {
		child := object[key]
		delete(object, key)
		if !m.emit(variant{how: path + " without " + key}) {
			return false
		}
		object[key] = child
		if !m.walk(path+"/"+key, child, func(v any) { object[key] = v }) {
			return false
		}
	}
	return true
}

func (m *mutator) emit(v variant) bool {
	body, err := json.Marshal(m.root)
	if err != nil {
		panic("channeltest: a document that cannot be written: " + err.Error())
	}
	v.body = body
	return m.yield(v)
}
