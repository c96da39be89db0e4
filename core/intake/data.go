package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/core"
)

// maxText is how long an id or a name may be, in bytes. Whatever is longer could
// not be asked for again: paths and queries end there too.
const maxText = 1024

const (
	wantTime = "must be a time as in RFC 3339, such as 2026-11-22T10:00:00Z"
	tooLong  = "must be at most 1024 bytes long"
)

// canonical reads the data of one of our own types, and notes all that is wrong
// with it.
func (e *envelope) canonical(t core.EventType) core.EventData {
	var data core.EventData
	if len(bytes.TrimSpace(e.data)) == 0 || string(e.data) == "null" {
		e.data = json.RawMessage("{}")
	}
	if err := json.Unmarshal(e.data, &data); err != nil {
		data = core.EventData{}
		if !e.fields(&data) {
			return data
		}
	}
	if strings.TrimSpace(data.CustomerUID) == "" {
		data.CustomerUID = "" // as if it were not there
	}
	for _, f := range required(t, data) {
		if f.empty {
			e.fault(e.in()+f.name, "is required for "+string(t))
		}
	}
	e.checkValues(t, data)
	e.checkTexts(data)
	return data
}

// in is where the data's fields are in the request.
func (e *envelope) in() string {
	if e.flat {
		return "/"
	}
	return "/data/"
}

// fields reads data that could not be read at once, field by field, so that
// every fault is found and not the first one only.
func (e *envelope) fields(data *core.EventData) bool {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(e.data, &all); err != nil || all == nil {
		e.fault(strings.TrimSuffix(e.in(), "/"), "must be a JSON object")
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var inner map[string]json.RawMessage
		if !strings.EqualFold(name, "note") || json.Unmarshal(all[name], &inner) != nil || inner == nil {
			e.field(data, all[name], name)
			continue
		}
		for _, below := range slices.Sorted(maps.Keys(inner)) {
			e.field(data, inner[below], name, below)
		}
	}
	return true
}

// field reads the one field of data at a path.
func (e *envelope) field(data *core.EventData, raw json.RawMessage, path ...string) {
	var alone any = raw
	for _, name := range slices.Backward(path) {
		alone = map[string]any{name: alone}
	}
	body, err := json.Marshal(alone)
	if err == nil {
		err = json.Unmarshal(body, data)
	}
	if err == nil {
		return
	}
	detail := wantTime // the only values that read themselves
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(bad.Value, " ") // a number's value may follow
		detail = "must not be a JSON " + kind
	}
	e.fault(e.in()+strings.Join(path, "/"), detail)
}

func (e *envelope) checkValues(t core.EventType, data core.EventData) {
	switch data.Purpose {
	case "", core.OrderUpdates, core.Service, core.Marketing:
	default:
		e.fault(e.in()+"purpose", "must be order_updates, service or marketing")
	}
	if o := bytes.TrimSpace(data.Order); len(o) > 0 && o[0] != '{' && string(o) != "null" {
		e.fault(e.in()+"order", "must be a JSON object, the order as the shop's OCC API shows it")
	}
	if t == core.TicketStatus {
		switch data.Status {
		case "open", "in_process", "closed":
		default:
			e.fault(e.in()+"status", "must be open, in_process or closed")
		}
	}
	if t == core.TicketNoteAdded && data.Note != nil {
		if data.Note.ID == "" {
			e.fault(e.in()+"note/id", "is required")
		}
		if public, _ := data.Note.Split(); public != nil && strings.TrimSpace(public.Text) == "" {
			e.fault(e.in()+"note/text", "is required")
		}
	}
}

// checkTexts bounds what is an id or a name.
func (e *envelope) checkTexts(d core.EventData) {
	texts := []struct{ name, value string }{
		{"orderCode", d.OrderCode},
		{"customerUid", d.CustomerUID},
		{"consignmentCode", d.ConsignmentCode},
		{"returnCode", d.ReturnCode},
		{"site", d.Site},
		{"locale", d.Locale},
		{"state", d.State},
		{"ticketId", d.TicketID},
		{"previousUid", d.PreviousUID},
	}
	for _, f := range texts {
		if len(f.value) > maxText {
			e.fault(e.in()+f.name, tooLong)
		}
	}
	if d.Note != nil && len(d.Note.ID) > maxText {
		e.fault(e.in()+"note/id", tooLong)
	}
}

type field struct {
	name  string
	empty bool
}

// required lists what an event of a type cannot do without.
func required(t core.EventType, d core.EventData) []field {
	needs := func(name, value string) field { return field{name, strings.TrimSpace(value) == ""} }
	order, customer := needs("orderCode", d.OrderCode), needs("customerUid", d.CustomerUID)
	group, _, _ := strings.Cut(string(t), ".")
	switch {
	case group == "order":
		return []field{order}
	case t == core.TicketNoteAdded:
		return []field{needs("ticketId", d.TicketID), {"note", d.Note == nil}}
	case group == "ticket":
		return []field{needs("ticketId", d.TicketID)}
	case t == core.CustomerRenamed:
		return []field{customer, needs("previousUid", d.PreviousUID)}
	case group == "customer":
		return []field{customer}
	case t == core.MessageRequested:
		return []field{customer, needs("text", d.Text)}
	}
	return nil
}

func missing(t core.EventType, d core.EventData) string {
	for _, f := range required(t, d) {
		if f.empty {
			return f.name
		}
	}
	return ""
}

// parseTime reads a time as in RFC 3339, which lets its letters be small ones
// too, or with the offset that SAP Commerce writes, "+0000".
func parseTime(s string) (time.Time, error) {
	s = strings.ToUpper(s)
	t, err := time.Parse(time.RFC3339, s)
	if err == nil {
		return t, nil
	}
	return time.Parse("2006-01-02T15:04:05-0700", s)
}
