package web

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How long texts may be, in bytes.
const (
	maxText   = 1024 // a name or an id
	maxWords  = 20_000
	maxLocale = 35 // what BCP 47 tells programs to have room for
)

// object is a JSON object that is read field by field. What is wrong with it is
// collected, so that all of it can be told at once. Null counts as absent.
type object struct {
	at     string // pointer of the object
	fields map[string]json.RawMessage
	known  []string
	faults *[]fault
}

// fault adds what is wrong with a field.
func (o *object) fault(name, detail string) { o.faultAt(pointerToken(name), detail) }

// faultAt adds what is wrong at a pointer below the object.
func (o *object) faultAt(below, detail string) {
	*o.faults = append(*o.faults, inBody(o.at+"/"+below, detail))
}

// pointerToken escapes a name for a JSON pointer (RFC 6901) and keeps a
// stranger's from filling the answer.
func pointerToken(name string) string {
	if len(name) > 100 {
		name = strings.ToValidUTF8(name[:100], "") + "…"
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// take returns a field that is there and not null.
func (o *object) take(name string) (json.RawMessage, bool) {
	o.known = append(o.known, name)
	raw, ok := o.fields[name]
	return raw, ok && string(raw) != "null"
}

// decode reads a field into v; false where it is absent or wrong.
func (o *object) decode(name string, v any, want string) bool {
	raw, ok := o.take(name)
	if !ok {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		o.fault(name, want)
		return false
	}
	return true
}

// text reads a string of at most a number of bytes.
func (o *object) text(name string, longest int) string {
	var s string
	if !o.decode(name, &s, "must be a string") {
		return ""
	}
	if len(s) > longest {
		o.fault(name, "must be at most "+strconv.Itoa(longest)+" bytes long")
		return ""
	}
	return s
}

// required reads a string that must not be blank.
func (o *object) required(name string) string {
	before := len(*o.faults)
	s := o.text(name, maxText)
	if strings.TrimSpace(s) == "" && len(*o.faults) == before {
		o.fault(name, "is required")
	}
	return s
}

func (o *object) boolean(name string) bool {
	var b bool
	o.decode(name, &b, "must be true or false")
	return b
}

func (o *object) time(name string) time.Time {
	var s string
	if !o.decode(name, &s, "must be a string") {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		o.fault(name, "must be a time as in RFC 3339, such as 2026-11-22T10:00:00Z")
	}
	return t
}

// list reads strings. given is false where the field is absent or wrong.
func (o *object) list(name string) (all []string, given bool) {
	given = o.decode(name, &all, "must be a list of strings")
	return all, given
}

// object reads a nested object; an empty one where it is absent or wrong.
func (o *object) object(name string) *object {
	child := &object{at: o.at + "/" + name, faults: o.faults}
	o.decode(name, &child.fields, "must be a JSON object")
	return child
}

// locale reads a language tag.
func (o *object) locale(name string) string {
	s := o.text(name, maxText)
	if s != "" && (len(s) > maxLocale || !localePattern.MatchString(s)) {
		o.fault(name, "must be a language such as en, de or pt-BR")
		return ""
	}
	return s
}

// localePattern is what BCP 47 tags look like, with either separator.
var localePattern = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$`)

// done reports fields that nobody asked for, and returns all faults as an error.
func (o *object) done() error {
	o.strangers()
	if len(*o.faults) == 0 {
		return nil
	}
	return refuseFaults(*o.faults...)
}

// strangers adds a fault for each field that nobody asked for.
func (o *object) strangers() {
	var unknown []string
	for name := range o.fields {
		if !slices.Contains(o.known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		o.fault(name, "is not known here")
	}
}
