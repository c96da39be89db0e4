package desk

import (
	"context"
	"net/http"
	"time"

	"tidings/core"
)

// Callback is a desk that is told of questions and answers by events of its own:
// it is sent CloudEvents, signed as Standard Webhooks, of the types
//
//	question.received       data {"ticketId","reference","customerUid","site","orderCode"?,"subject"?,"text","category"?,"channel"?}
//	question.file_received  data {"ticketId","reference","entryId"?,"name","type","data": base64}
//
// in order for each ticket. ticketId is the gateway's: POST /v1/events with
// ticket.note_added and ticket.status_changed names it. id and webhook-id are the
// same for each try.
type Callback struct{ caller }

var (
	_ core.Desk     = (*Callback)(nil)
	_ core.Attacher = (*Callback)(nil)
)

// NewCallback returns the desk. It makes no request.
func NewCallback(o HTTP) *Callback { return &Callback{newCaller(o)} }

// cloudEvent is the structured form.
type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        any       `json:"data"`
}

// CreateTicket implements core.Desk. The ticket's id is the conversation's
// reference, and its order is taken as given.
func (d *Callback) CreateTicket(ctx context.Context, t core.NewTicket) (core.TicketRef, error) {
	const op = "create ticket"
	if err := said(op, t.Text); err != nil {
		return core.TicketRef{}, err
	}
	data := questionOf(t)
	data.TicketID = t.Reference
	if err := d.tell(ctx, op, "question.received", t.Reference, t.Key, data); err != nil {
		return core.TicketRef{}, err
	}
	return core.TicketRef{ID: t.Reference, EntryID: t.Key, Linked: t.OrderCode != ""}, nil
}

// AddEntry implements core.Desk.
func (d *Callback) AddEntry(ctx context.Context, at core.TicketAt, e core.NewEntry) (string, error) {
	const op = "add ticket entry"
	if err := said(op, e.Text); err != nil {
		return "", err
	}
	data := question{TicketID: at.TicketID, Reference: at.Reference, Site: at.Site, CustomerUID: at.CustomerUID, Text: e.Text}
	return e.Key, d.tell(ctx, op, "question.received", at.Reference, e.Key, data)
}

// Attach implements core.Attacher.
func (d *Callback) Attach(ctx context.Context, at core.TicketAt, a core.Attachment) error {
	data := file{TicketID: at.TicketID, Reference: at.Reference, EntryID: a.EntryID, Name: a.File.Name, Type: a.File.Type, Data: a.File.Data}
	return d.tell(ctx, "attach a file", "question.file_received", at.Reference, a.Key, data)
}

func (d *Callback) tell(ctx context.Context, op, typ, subject, key string, data any) error {
	return d.do(ctx, request{
		op: op, method: http.MethodPost, kind: "application/cloudevents+json", key: key,
		body: cloudEvent{
			SpecVersion: "1.0", ID: key, Source: "/tidings", Type: typ, Subject: subject, Time: d.Now().UTC(),
			ContentType: jsonType, Data: data,
		},
	}, nil)
}
