package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// The bodies of this file are no CloudEvents. Those who send them do not try
// again after a refusal, so that only what cannot be told without is needed: an id
// that is missing is made of the body, a time that cannot be read is now.

// The sources of events that name none.
const (
	legacySource  = "legacy-event-export"
	processSource = "process-action"
)

// isLegacy reports whether a body is one of SAP's event export of before
// CloudEvents, whichever of its fields is missing.
func isLegacy(x map[string]json.RawMessage) bool {
	return said(x, "event-type") || said(x, "event-id") || said(x, "event-time") || said(x, "event-type-version")
}

// anyState is the type of an event whose state says what happened. It is taken
// for a type that is missing or no text.
const anyState = "order.status"

// named takes the type from the field that should hold it.
func (e *envelope) named(field string, typ json.RawMessage, version string) {
	if name, _ := text(typ); strings.TrimSpace(name) != "" {
		e.typ = strings.TrimSpace(name) + version
		return
	}
	e.typ = anyState
	e.warn(field + " cannot be read: " + anyState + " is taken for it")
}

// legacy reads the body of SAP's event export of before CloudEvents.
func legacy(body []byte, x map[string]json.RawMessage, now time.Time) envelope {
	e := envelope{source: legacySource, data: x["data"]}
	version := scalar(x["event-type-version"])
	if version != "" {
		version = "." + version
	}
	e.named("event-type", x["event-type"], version)
	if target := scalar(x["destinationTargetId"]); target != "" {
		e.source += "/" + target
	}
	e.identify(body, "event-id", x["event-id"])
	e.happened("event-time", scalar(x["event-time"]), now)
	return e
}

// flat reads the small body of an action of the shop's order process: id, type,
// site, orderCode, status, consignmentCode, occurredAt, customerUid, and whatever
// else the data of an event may hold.
func flat(body []byte, x map[string]json.RawMessage, now time.Time) envelope {
	e := envelope{source: processSource, data: body, flat: true}
	if site := scalar(x["site"]); site != "" {
		e.source += "/" + site
	}
	e.named("type", x["type"], "")
	e.identify(body, "id", x["id"])
	e.happened("occurredAt", scalar(x["occurredAt"]), now)
	return e
}

// identify takes the id; without one, the same body is the same event.
func (e *envelope) identify(body []byte, name string, id json.RawMessage) {
	if e.id = scalar(id); e.id == "" {
		sum := sha256.Sum256(uniform(nil, body))
		e.id = "made-" + hex.EncodeToString(sum[:16])
		e.warn(name + " is missing: an event that says the same again is taken for a repeat of this one")
	}
	e.check("1.0", "", time.Time{})
}

// happened takes the time of an event: as in RFC 3339, as SAP Commerce writes it
// ("+0000"), as OData does ("/Date(ms)/"), or in milliseconds.
func (e *envelope) happened(name, s string, now time.Time) {
	e.time = now
	if s == "" {
		return
	}
	if t, err := parseTime(s); err == nil {
		e.time = t
		return
	}
	if inner, ok := strings.CutPrefix(s, "/Date("); ok {
		s, _, _ = strings.Cut(inner, ")")
		if i := strings.LastIndexAny(s, "+-"); i > 0 {
			s = s[:i] // the offset does not move the instant
		}
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms <= 0 || ms > latest {
		e.warn(name + " cannot be read: now is taken for it")
		return
	}
	e.time = time.UnixMilli(ms).UTC()
}

// latest is the end of the year 9999, after which times cannot be written as JSON.
const latest = 253402300799999

func (e *envelope) warn(what string) { e.warnings = append(e.warnings, what) }

// said reports whether an object has a field with a value.
func said(x map[string]json.RawMessage, name string) bool {
	v, ok := x[name]
	return ok && string(v) != "null"
}

// scalar is a string or a number as it stands; "" for anything else.
func scalar(raw json.RawMessage) string {
	if s, ok := text(raw); ok {
		return strings.TrimSpace(s)
	}
	var n json.Number
	if json.Unmarshal(raw, &n) != nil {
		return ""
	}
	return n.String()
}
