package hybris

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// node is a piece of JSON that is asked for what it holds. A question that does
// not fit it gets the zero answer, so that one odd field costs that field only.
type node struct{ v any }

var errNotJSON = errors.New("not readable as JSON")

// parse reads JSON, keeping numbers as they are written. The error tells nothing
// of the content.
func parse(raw []byte) (node, error) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return node{}, errNotJSON
	}
	return node{v}, nil
}

// get returns the first of the named members that is there and not null.
func (n node) get(names ...string) node {
	members, _ := n.v.(map[string]any)
	for _, name := range names {
		if v := members[name]; v != nil {
			return node{v}
		}
	}
	return node{}
}

// at follows a path of members.
func (n node) at(path ...string) node {
	for _, name := range path {
		n = n.get(name)
	}
	return n
}

func (n node) isObject() bool {
	_, ok := n.v.(map[string]any)
	return ok
}

func (n node) list() []node {
	items, _ := n.v.([]any)
	nodes := make([]node, len(items))
	for i, v := range items {
		nodes[i] = node{v}
	}
	return nodes
}

// text is a string or number as it stands, without NUL, which databases refuse.
func (n node) text() string {
	switch v := n.v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case json.Number:
		return v.String()
	}
	return ""
}

// code is an identifier: plain, or the one inside the object that integration
// objects and OCC write in its place ({"code": …}, {"uid": …}, {"id": …}).
func (n node) code() string {
	if n.isObject() {
		n = n.get("code", "uid", "id", "isocode", "integrationKey")
	}
	return strings.TrimSpace(n.text())
}

// uid is a person's identifier. It is a text: a number names nobody.
func (n node) uid() string {
	if n.isObject() {
		n = n.get("uid", "code", "id", "integrationKey")
	}
	s, _ := n.v.(string)
	return strings.TrimSpace(node{s}.text())
}

// state is a state's code, in capitals as the shop's own are. It is a text: a
// number in its place is no state.
func (n node) state() string {
	if n.isObject() {
		n = n.get("code", "id", "integrationKey")
	}
	s, _ := n.v.(string)
	return strings.ToUpper(strings.TrimSpace(node{s}.text()))
}

// isTrue is true for a literal true only.
func (n node) isTrue() bool { return n.v == true }

// count is a whole number from 0 up; 0 where there is none.
func (n node) count() int {
	f, err := strconv.ParseFloat(n.text(), 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f > math.MaxInt32 {
		return 0
	}
	return int(f)
}

// layouts are the written dates: OCC's own (no colon in the offset), RFC 3339,
// and what is left when the offset is missing. Fractions of seconds fit all.
var layouts = []string{"2006-01-02T15:04:05-0700", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"}

// time reads a date in any form the shop's interfaces use: see layouts, the
// OData form /Date(ms)/, and epoch milliseconds. It is in UTC; zero: unreadable.
func (n node) time() time.Time {
	s := strings.TrimSpace(n.text())
	if t, ok := epoch(s); ok {
		return t
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && t.UTC().Year() > 0 && t.UTC().Year() <= 9999 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// latest is the end of the year 9999, after which dates cannot be written as JSON.
const latest = 253402300799999

func epoch(s string) (time.Time, bool) {
	if inner, ok := strings.CutPrefix(s, "/Date("); ok {
		s, _, _ = strings.Cut(inner, ")")
		// The offset that may follow ("1741076130000+0060") does not move the instant.
		if i := strings.LastIndexAny(s, "+-"); i > 0 {
			s = s[:i]
		}
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms <= 0 || ms > latest {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}
