package intake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"tidings/core"
)

// Received is an event as it came in, understood.
type Received struct {
	Event    core.Event
	Ignored  bool // known to be nothing that a customer is told of, or not known at all
	Held     bool // known to be something that a customer is told of, but the body lacks what it takes
	Why      string
	Warnings []string
	digest   string // of type and data, to tell whether a duplicate differs
}

// Reader understands requests.
type Reader struct {
	// Dialect knows the shop's own names; nil: only canonical ones.
	Dialect core.Dialect
	// Site maps an event's source to the base site it speaks for.
	Site func(source string) string
}

// Read understands a request's events. Any fault means that nothing of it is to
// be taken. The error is a *BadRequestError.
func (r Reader) Read(h http.Header, body []byte, now time.Time) ([]Received, []Fault, error) {
	all, err := envelopes(h, body, now)
	if err != nil {
		return nil, nil, err
	}
	var faults []Fault
	received := make([]Received, 0, len(all))
	for _, e := range all {
		if !e.unread {
			received = append(received, r.understand(&e)) // finds further faults
		}
		faults = append(faults, e.faults...)
	}
	return received, faults, nil
}

func (r Reader) understand(e *envelope) Received {
	rec := Received{digest: digest(e.typ, e.data), Warnings: e.warnings}
	rec.Event = core.Event{ID: e.id, Source: e.source, Type: core.EventType(e.typ), Time: e.time}
	if _, ok := core.LookupType(rec.Event.Type); ok && (!e.flat || r.Dialect == nil) {
		rec.Event.Data = e.canonical(rec.Event.Type)
	} else {
		r.translate(e, &rec)
		e.checkTexts(rec.Event.Data)
	}
	rec.Event.Data = ofCustomer(rec.Event.Type, rec.Event.Data)
	// What only the gateway itself may say.
	rec.Event.Data.Answer, rec.Event.Data.LinkID = "", 0
	if n := rec.Event.Data.Note; n != nil {
		if public, _ := n.Split(); public == nil {
			n.Text, n.Author = "", "" // an internal note is not even kept
		}
	}
	rec.Event.Site = rec.Event.Data.Site
	if rec.Event.Site == "" && r.Site != nil {
		rec.Event.Site = r.Site(e.source)
	}
	return rec
}

// translate asks the shop's dialect what a type means that is none of ours.
func (r Reader) translate(e *envelope, rec *Received) {
	if r.Dialect == nil {
		rec.ignore(unknown(e.typ))
		return
	}
	typ, data, known, quiet, why := r.Dialect.Translate(e.typ, e.data)
	if !known {
		rec.ignore(cmp.Or(why, unknown(e.typ)))
		return
	}
	rec.Event.Data = data
	if typ == core.OrderChanged {
		rec.Event.Type = typ
		rec.Warnings = append(rec.Warnings, why+": the shop is asked for it")
		rec.hold()
		return
	}
	switch {
	case quiet && typ != "": // it would be told, were it whole
		rec.Event.Type = typ
		rec.ignore(why)
		return
	case quiet: // as it should be: nothing to warn of
		rec.Ignored, rec.Why = true, why
		return
	}
	rec.Event.Type, rec.Why = typ, why
	rec.hold()
}

// hold keeps an event whose body lacks a field, so that it is not lost before
// its sender has sent it whole.
func (rec *Received) hold() {
	name := missing(rec.Event.Type, rec.Event.Data)
	if name == "" {
		return
	}
	rec.Held, rec.Why = true, "the body names no "+name
	rec.Warnings = append(rec.Warnings, rec.Why+": it waits to be sent again under the same id, with it")
}

// ignore gives up an event that may have been meant for a customer, and warns
// its sender.
func (rec *Received) ignore(why string) {
	rec.Ignored, rec.Why = true, why
	rec.Warnings = append(rec.Warnings, why)
}

// unknown says that nobody knows a type, and which one may have been meant.
func unknown(typ string) string {
	why := "unknown type " + clip(typ)
	if near := nearest(typ); near != "" {
		why += "; did you mean " + near
	}
	return why
}

// clip keeps a stranger's type name from filling a log.
func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// digest is the same for two bodies that say the same, in whatever order their
// fields come. data is valid JSON or nothing.
func digest(typ string, data json.RawMessage) string {
	said := make([]byte, 0, len(typ)+1+2*len(data))
	said = append(append(said, typ...), '\n')
	sum := sha256.Sum256(uniform(said, data))
	return hex.EncodeToString(sum[:8])
}

// nearest returns the canonical type that a misspelt one most likely means; ""
// when none is near.
func nearest(typ string) string {
	best, least := "", len(typ)/3+1
	for _, info := range core.EventTypes {
		if d := distance(strings.ToLower(typ), string(info.Type)); d < least {
			best, least = string(info.Type), d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short strings.
func distance(a, b string) int {
	if len(a) > 100 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
