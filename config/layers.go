package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// envPrefix starts the variables that override scalar keys: TIDINGS_LOG_LEVEL
// is log.level.
const envPrefix = "TIDINGS_"

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// layer puts the value that counts at every scalar key outside of lists: the
// environment's over the file's over the default. viper ranks them; lists stay
// with the tree, because viper has no lines and lowers the case of keys.
//
// A secret of the environment displaces its _file twin in the file, and the
// other way round, so that the two are never at odds.
func layer(root *node, getenv func(string) (string, bool)) {
	v := viper.New()
	for key, value := range defaults() {
		v.SetDefault(key, value)
	}
	for short, long := range shorts() {
		lengthen(root, short, long, getenv)
	}
	keys := scalarKeys(reflect.TypeFor[document](), "")
	overridden := map[string]bool{}
	for _, key := range keys {
		// As for viper itself, an empty variable is one that is not set.
		if value, ok := getenv(envName(key)); ok && value != "" {
			v.Set(key, value)
			overridden[key] = true
			root.drop(twin(key))
		}
	}
	for _, key := range keys {
		if n := root.find(key); n != nil && n.kind == text {
			_ = v.MergeConfigMap(nested(key, n.text)) // a map of texts: it cannot fail
		}
	}
	for _, key := range keys {
		n := root.find(key)
		switch {
		case overridden[key]:
			root.put(key, &node{kind: text, text: v.GetString(key), env: envName(key)})
		case (n == nil || n.kind == nothing) && v.IsSet(key):
			root.put(key, &node{kind: text, text: v.GetString(key)})
		}
	}
}

// shorts are the tables for which the value of one of their keys may stand.
func shorts() map[string]string { return map[string]string{"commerce.tickets": "desk"} }

// lengthen makes the table of what stands for it. The short form can come from
// the environment as well.
func lengthen(root *node, short, long string, getenv func(string) (string, bool)) {
	if n := root.find(short); n != nil && n.kind == text {
		value := *n
		root.put(short, &node{kind: table, line: n.line, keys: []entry{{key: long, line: n.line, value: &value}}})
	}
	if value, ok := getenv(envName(short)); ok && value != "" {
		root.put(short+"."+long, &node{kind: text, text: value, env: envName(short)})
	}
}

// nested is the map in which viper finds the value under the key.
func nested(key, value string) map[string]any {
	parts := strings.Split(key, ".")
	last := len(parts) - 1
	m := map[string]any{parts[last]: value}
	for _, part := range slices.Backward(parts[:last]) {
		m = map[string]any{part: m}
	}
	return m
}

// twin is the other key of a secret: its _file key, or the key of a _file key.
func twin(key string) string {
	if plain, ok := strings.CutSuffix(key, fileSuffix); ok {
		return plain
	}
	return key + fileSuffix
}

// scalarKeys lists the keys outside of lists that hold one value.
func scalarKeys(t reflect.Type, at string) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		key := join(at, f.name)
		switch {
		case f.isTable():
			keys = append(keys, scalarKeys(f.typ, key)...)
		case f.isScalar() && f.isSecret():
			keys = append(keys, key, key+fileSuffix)
		case f.isScalar():
			keys = append(keys, key)
		}
	}
	return keys
}

// find returns the value under the key, or nil.
func (n *node) find(key string) *node {
	for part := range strings.SplitSeq(key, ".") {
		if n = n.get(part); n == nil {
			return nil
		}
	}
	return n
}

// put places the value under the key. Where something else than a table is in
// the way it does nothing: reading will find that out.
func (n *node) put(key string, value *node) {
	first, rest, deeper := strings.Cut(key, ".")
	i := n.position(first)
	if i < 0 {
		n.keys = append(n.keys, entry{key: first, value: &node{kind: table}})
		i = len(n.keys) - 1
	}
	if !deeper {
		n.keys[i] = entry{key: first, value: value}
		return
	}
	below := n.keys[i].value
	if below.kind == nothing {
		below.kind = table
	}
	if below.kind == table {
		below.put(rest, value)
	}
}

// drop takes the key out.
func (n *node) drop(key string) {
	outer, last := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		outer, last = key[:i], key[i+1:]
	}
	if outer != "" {
		n = n.find(outer)
	}
	if n == nil {
		return
	}
	if i := n.position(last); i >= 0 {
		n.keys = append(n.keys[:i], n.keys[i+1:]...)
	}
}
