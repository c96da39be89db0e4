package config

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

// fileSuffix makes the key that names the file in which a secret is.
const fileSuffix = "_file"

// notYet is said of what is known and does not work in this version.
const notYet = "is not in this version"

// field is a key that a struct knows.
type field struct {
	name  string
	index int
	typ   reflect.Type
}

func (f field) isTable() bool  { return f.typ.Kind() == reflect.Struct && f.typ != laterType }
func (f field) isSecret() bool { return f.typ == secretType || f.typ == secretsType }

func (f field) isScalar() bool {
	switch f.typ.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	}
	return false
}

var (
	secretType   = reflect.TypeFor[core.Secret]()
	secretsType  = reflect.TypeFor[[]core.Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	laterType    = reflect.TypeFor[later]()
	nodeType     = reflect.TypeFor[*node]()
)

// fieldsOf lists the fields of a struct that have a yaml name.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && name != "" && name != "-" {
			fields = append(fields, field{name, i, f.Type})
		}
	}
	return fields
}

// decoder reads nodes into structs and notes every fault on the way.
type decoder struct {
	*book
	getenv   func(string) (string, bool)
	readFile func(string) ([]byte, error)
	// effective holds key=value of everything read, secrets masked.
	effective []string
}

// value reads a node into out, whatever its type.
func (d *decoder) value(at string, n *node, out reflect.Value) {
	switch t := out.Type(); {
	case t == nodeType:
		out.Set(reflect.ValueOf(n))
	case t == laterType:
		d.later(at, n)
	case t.Kind() == reflect.Pointer:
		out.Set(reflect.New(t.Elem()))
		d.value(at, n, out.Elem())
	case t.Kind() == reflect.Struct:
		d.table(at, n, out)
	case t.Kind() == reflect.Slice:
		d.list(at, n, out)
	default:
		d.scalar(at, n, out)
	}
}

// later accepts a key that does not work yet as long as it asks for nothing.
func (d *decoder) later(at string, n *node) {
	if n.kind == text || len(n.items)+len(n.keys) > 0 {
		d.add(at, notYet+"; leave it empty")
	}
}

func (d *decoder) list(at string, n *node, out reflect.Value) {
	if n.kind != list {
		d.add(at, "must be a list")
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.at(index(at, i), item.line, item)
		d.value(index(at, i), item, out.Index(i))
	}
}

// vocabulary is what the keys of a table stand for.
type vocabulary struct {
	values map[string]reflect.Value
	files  map[string]reflect.Value // the secrets that _file keys fill
	names  []string
}

func vocabularyOf(outs []reflect.Value) vocabulary {
	v := vocabulary{values: map[string]reflect.Value{}, files: map[string]reflect.Value{}}
	for _, out := range outs {
		for _, f := range fieldsOf(out.Type()) {
			v.values[f.name] = out.Field(f.index)
			v.names = append(v.names, f.name)
			if f.isSecret() {
				v.files[f.name+fileSuffix] = out.Field(f.index)
				v.names = append(v.names, f.name+fileSuffix)
			}
		}
	}
	return v
}

// table reads a table whose keys are shared out among several structs.
func (d *decoder) table(at string, n *node, outs ...reflect.Value) {
	if n.kind != table {
		d.add(at, "must be a table of keys and values")
		return
	}
	words := vocabularyOf(outs)
	for _, e := range n.keys {
		key := join(at, e.key)
		d.at(key, e.line, e.value)
		out, isValue := words.values[e.key]
		file, isFile := words.files[e.key]
		switch {
		case !isValue && !isFile:
			d.unknownKey(key, e, words.names)
		case e.value.kind == nothing: // as if it were not there
		case isFile && n.has(twin(e.key)):
			d.add(key, "and "+twin(e.key)+" are both given; one of them is enough")
		case isFile:
			d.file(key, e.value, file)
		default:
			d.value(key, e.value, out)
		}
	}
}

// at remembers where a key stands.
func (d *decoder) at(key string, line int, n *node) {
	switch {
	case n.env != "":
		d.env[key] = n.env
	case line > 0:
		d.lines[key] = line
	}
}

func (n *node) has(key string) bool {
	v := n.get(key)
	return v != nil && v.kind != nothing
}

func (d *decoder) unknownKey(key string, e entry, names []string) {
	if e.key == "quiet_hours" {
		d.addAt(key, e.line, notYet)
		return
	}
	d.addAt(key, e.line, unknown("key", e.key, names))
}

// file reads the secrets that are in files: one, or for a list one per line of
// each file.
func (d *decoder) file(at string, n *node, out reflect.Value) {
	if out.Type() == secretType {
		if s, ok := d.secretFile(at, n); ok {
			out.SetString(s)
		}
		return
	}
	files := []*node{n}
	if n.kind == list {
		files = n.items
	}
	var secrets []core.Secret
	for i, item := range files {
		key := at
		if n.kind == list {
			key = index(at, i)
			d.at(key, item.line, item)
		}
		s, _ := d.secretFile(key, item)
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				secrets = append(secrets, core.Secret(line))
			}
		}
	}
	out.Set(reflect.ValueOf(secrets))
}

// secretFile reads one file; the line break at its end is not part of the secret.
func (d *decoder) secretFile(at string, n *node) (string, bool) {
	path, ok := d.text(at, n)
	if !ok {
		return "", false
	}
	d.note(at, path)
	raw, err := d.readFile(path)
	if err != nil {
		d.add(at, "names a file that cannot be read: "+cause(err))
		return "", false
	}
	secret := strings.TrimRight(string(raw), "\r\n")
	if secret == "" {
		d.add(at, "names a file that is empty")
		return "", false
	}
	return secret, true
}

// cause is what went wrong with a file without the file's name, which is the
// value of a key.
func cause(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// text returns the text of a value with its variables filled in.
func (d *decoder) text(at string, n *node) (string, bool) {
	if n.kind != text {
		d.add(at, "must be a single value")
		return "", false
	}
	if n.env != "" {
		return n.text, true
	}
	s, problem := expand(n.text, d.getenv)
	if problem != "" {
		d.add(at, problem)
		return "", false
	}
	return s, true
}

func (d *decoder) scalar(at string, n *node, out reflect.Value) {
	s, ok := d.text(at, n)
	if !ok {
		return
	}
	if out.Type() == secretType {
		d.note(at, core.Secret(s).String())
		out.SetString(s)
		return
	}
	d.note(at, s)
	if want := set(out, s); want != "" {
		d.add(at, "must be "+want)
	}
}

// set gives out the value that s stands for, or returns what would be right.
func set(out reflect.Value, s string) (want string) {
	switch {
	case out.Type() == durationType:
		v, ok := parseDuration(s)
		out.SetInt(int64(v))
		return unless(ok, "a duration such as 5s, 24h or 180d")
	case out.Kind() == reflect.String:
		out.SetString(s)
		return ""
	case out.Kind() == reflect.Bool:
		v, ok := parseBool(s)
		out.SetBool(v)
		return unless(ok, "true or false")
	case out.CanInt():
		v, err := strconv.ParseInt(s, 10, out.Type().Bits())
		out.SetInt(v)
		return unless(err == nil, "a whole number")
	case out.CanFloat():
		v, ok := parseFloat(s)
		out.SetFloat(v)
		return unless(ok, "a number")
	}
	return fmt.Sprintf("left out: its type %s cannot be configured", out.Type())
}

func unless(ok bool, want string) string {
	if ok {
		return ""
	}
	return want
}

// note keeps what was read for the hash. Values come quoted, so that no two
// configurations look alike.
func (d *decoder) note(at, value string) {
	d.effective = append(d.effective, at+"="+strconv.Quote(value))
}
