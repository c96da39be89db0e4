package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/core"
)

// Endpoint is a desk behind a small HTTP interface of the shop's own:
//
//	POST {url}/tickets                {"reference","site","customerUid","orderCode"?,"subject","text","category"?,"channel"}
//	                                  2xx {"id","entryId"?,"linked"?}; 404: the order is not this customer's
//	POST {url}/tickets/{id}/entries   {"text"}   2xx {"id"?}; 404: there is no such ticket (any more). A closed ticket is reopened
//	POST {url}/tickets/{id}/files     {"entryId"?,"name","type","data": base64}   2xx; 4xx: not taken
//	GET  {url}/tickets/{id}/notes?since=TIME   2xx {"status": open|in_process|closed, "notes":[{"id","text","author"?,"createdAt","public":true}…]}
//
// Every POST bears Idempotency-Key, the same for each try; the answer to a key
// that was seen is the first one's. Notes come in any order where all have
// createdAt, else newest first; without "public": true they go nowhere.
type Endpoint struct{ caller }

var (
	_ core.Desk         = (*Endpoint)(nil)
	_ core.TicketReader = (*Endpoint)(nil)
	_ core.Attacher     = (*Endpoint)(nil)
)

// NewEndpoint returns the desk. It makes no request.
func NewEndpoint(o HTTP) *Endpoint { return &Endpoint{newCaller(o)} }

const jsonType = "application/json"

// question is a ticket, or a text for one, as a desk is told of it.
type question struct {
	TicketID    string `json:"ticketId,omitempty"`
	Reference   string `json:"reference,omitempty"`
	Site        string `json:"site,omitempty"`
	CustomerUID string `json:"customerUid,omitempty"`
	OrderCode   string `json:"orderCode,omitempty"`
	Subject     string `json:"subject,omitempty"`
	Text        string `json:"text"`
	Category    string `json:"category,omitempty"`
	Channel     string `json:"channel,omitempty"`
}

func questionOf(t core.NewTicket) question {
	return question{
		Reference: t.Reference, Site: t.Site, CustomerUID: t.CustomerUID, OrderCode: t.OrderCode,
		Subject: t.Subject, Text: t.Text, Category: t.Category, Channel: t.Channel,
	}
}

// file is a file as a desk is given it.
type file struct {
	TicketID  string `json:"ticketId,omitempty"`
	Reference string `json:"reference,omitempty"`
	EntryID   string `json:"entryId,omitempty"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Data      []byte `json:"data"` // base64
}

// CreateTicket implements core.Desk.
func (d *Endpoint) CreateTicket(ctx context.Context, t core.NewTicket) (core.TicketRef, error) {
	const op = "create ticket"
	if err := said(op, t.Text); err != nil {
		return core.TicketRef{}, err
	}
	var made struct {
		ID, EntryID name
		Linked      *bool
	}
	q := request{op: op, method: http.MethodPost, path: "/tickets", kind: jsonType, key: t.Key, body: questionOf(t)}
	if err := d.do(ctx, q, &made); err != nil {
		return core.TicketRef{}, missing(err, t.OrderCode != "")
	}
	if made.ID == "" {
		return core.TicketRef{}, &core.ShopError{Class: core.Misconfigured, Err: errors.New(op + ": the answer has no id of the ticket")}
	}
	ref := core.TicketRef{ID: string(made.ID), EntryID: string(made.EntryID), Linked: t.OrderCode != ""}
	if made.Linked != nil {
		ref.Linked = ref.Linked && *made.Linked
	}
	return ref, nil
}

// AddEntry implements core.Desk.
func (d *Endpoint) AddEntry(ctx context.Context, at core.TicketAt, e core.NewEntry) (string, error) {
	const op = "add ticket entry"
	if err := said(op, e.Text); err != nil {
		return "", err
	}
	var made struct{ ID name }
	q := request{op: op, method: http.MethodPost, path: ticketPath(at, "entries"), kind: jsonType, key: e.Key, body: question{Text: e.Text}}
	err := missing(d.do(ctx, q, &made), true)
	return string(made.ID), err
}

// Attach implements core.Attacher.
func (d *Endpoint) Attach(ctx context.Context, at core.TicketAt, a core.Attachment) error {
	return d.do(ctx, request{
		op: "attach a file", method: http.MethodPost, path: ticketPath(at, "files"), kind: jsonType, key: a.Key,
		body: file{EntryID: a.EntryID, Name: a.File.Name, Type: a.File.Type, Data: a.File.Data},
	}, nil)
}

// clocks is by how much the desk's clock may be behind ours.
const clocks = time.Hour

// Ticket implements core.TicketReader.
func (d *Endpoint) Ticket(ctx context.Context, at core.TicketAt) (core.Ticket, error) {
	path := ticketPath(at, "notes")
	if !at.Since.IsZero() {
		path += "?" + url.Values{"since": {at.Since.Add(-clocks).UTC().Format(time.RFC3339)}}.Encode()
	}
	var read struct {
		Status string
		Notes  []note
	}
	q := request{op: "read ticket", method: http.MethodGet, path: path, key: "read-" + at.Reference}
	if err := d.do(ctx, q, &read); err != nil {
		return core.Ticket{}, missing(err, true)
	}
	return core.Ticket{ID: at.TicketID, Status: status(read.Status), Notes: publicNotes(read.Notes)}, nil
}

func ticketPath(at core.TicketAt, below string) string {
	return "/tickets/" + strings.ReplaceAll(url.QueryEscape(at.TicketID), "+", "%20") + "/" + below
}

// said refuses a blank text without asking.
func said(op, text string) error {
	if strings.TrimSpace(text) == "" {
		return &core.ShopError{Class: core.Rejected, Err: errors.New(op + ": blank text")}
	}
	return nil
}

// missing reads a 404 where it has a meaning: the thing that was named is not there.
func missing(err error, named bool) error {
	if e, ok := errors.AsType[*core.ShopError](err); ok && e.Status == http.StatusNotFound && named {
		e.Class, e.NotFound = core.Rejected, true
	}
	return err
}

// status is "" for a state that we have no word for.
func status(s string) string {
	if s = strings.ToLower(s); slices.Contains([]string{"open", "in_process", "closed"}, s) {
		return s
	}
	return ""
}

// name is what a desk calls something: a text, or a number in JSON.
type name string

// UnmarshalJSON implements json.Unmarshaler.
func (n *name) UnmarshalJSON(raw []byte) error {
	var number json.Number
	if json.Unmarshal(raw, &number) == nil && len(raw) > 0 && raw[0] != '"' {
		*n = name(number)
		return nil
	}
	return json.Unmarshal(raw, (*string)(n))
}

// note is a core.EventNote with whatever a desk calls it.
type note struct {
	core.EventNote
	ID name `json:"id"`
}

// publicNotes are those that say so, oldest first.
func publicNotes(all []note) []core.PublicNote {
	slices.Reverse(all)
	if !slices.ContainsFunc(all, func(n note) bool { return n.CreatedAt.IsZero() }) {
		slices.SortStableFunc(all, func(a, b note) int { return cmp.Compare(a.CreatedAt.UnixNano(), b.CreatedAt.UnixNano()) })
	}
	var notes []core.PublicNote
	for _, n := range all {
		n.EventNote.ID = string(n.ID)
		if public, _ := n.Split(); public != nil && public.ID != "" && strings.TrimSpace(n.Text) != "" {
			notes = append(notes, *public)
		}
	}
	return notes
}
