package hybrissim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// bends are the ways in which bodies differ from the documents: later releases
// add to them, thin configurations leave out, and some senders mistake a type.
type bends struct {
	extra             bool
	missing, mistyped []string // names of fields, wherever they are
}

// addedLater is a field that no document knows.
const addedLater = "xAddedLater"

// unheard is a value that no document lists.
const unheard = "FROM_A_LATER_RELEASE"

// enumerations are fields whose values are names from a list and of no
// importance: a state is changed with SetStatus instead.
var enumerations = []string{"priceType", "imageType", "stockLevelStatus", "statusDisplay", "commentType"}

// bend returns a body as the faults and the answers to doubts want it.
func (s *Sim) bend(v any) any {
	b := s.faults.bends
	plain := !b.extra && len(b.missing) == 0 && len(b.mistyped) == 0
	if plain && s.answer("dates") == "offset" && s.answer("webhook-dates") == "odata" {
		return v
	}
	return s.bent(v)
}

func (s *Sim) bent(v any) any {
	switch v := v.(type) {
	case object:
		return s.bentObject(v)
	case []object:
		out := make([]any, 0, len(v))
		for _, item := range v {
			out = append(out, s.bent(item))
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			out = append(out, s.bent(item))
		}
		return out
	case string:
		return s.dated(v)
	}
	return v
}

func (s *Sim) bentObject(in object) object {
	b, out := s.faults.bends, object{}
	for name, v := range in {
		switch {
		case slices.Contains(b.missing, name):
		case slices.Contains(b.mistyped, name):
			out[name] = mistaken(v)
		case b.extra && slices.Contains(enumerations, name):
			out[name] = otherName(v)
		default:
			out[name] = s.bent(v)
		}
	}
	if b.extra {
		out[addedLater] = object{"since": unheard, "list": []any{1, nil, "x", object{}}}
	}
	return out
}

// mistaken is a value of another type.
func mistaken(v any) any {
	switch v.(type) {
	case string, nil:
		return []any{object{"value": v}}
	case object:
		return "[object]"
	case []object, []any:
		return object{}
	}
	return object{"is": "not what it was"}
}

func otherName(v any) any {
	if o, ok := v.(object); ok { // an item that is no more than its code
		return object{"integrationKey": unheard, "code": unheard, addedLater: o["code"]}
	}
	return unheard
}

// dated writes a date in the form that this shop has.
func (s *Sim) dated(text string) any {
	if t, err := time.Parse(dateLayout, text); err == nil && s.answer("dates") == "rfc3339" {
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	digits, ok := strings.CutPrefix(text, "/Date(")
	ms, err := strconv.ParseInt(strings.TrimSuffix(digits, ")/"), 10, 64)
	if !ok || err != nil {
		return text
	}
	switch s.answer("webhook-dates") {
	case "rfc3339":
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	case "millis":
		return ms
	}
	return text
}

// Extra adds fields and values that no document knows to every body.
func (s *Sim) Extra(on bool) { s.set(func(f *faults) { f.bends.extra = on }) }

// Missing leaves fields out of every body, by their names.
func (s *Sim) Missing(fields ...string) { s.set(func(f *faults) { f.bends.missing = fields }) }

// Mistyped gives fields a value of another type in every body, by their names.
func (s *Sim) Mistyped(fields ...string) { s.set(func(f *faults) { f.bends.mistyped = fields }) }
