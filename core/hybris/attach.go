package hybris

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"tidings/core"
)

// attachmentPart is the part of the form in which OCC takes a file.
// github.com/SAP/spartacus, feature-libs/customer-ticketing, read 2026-11-22.
const attachmentPart = "ticketEventAttachment"

// form is a body that is ready to be sent.
type form struct {
	kind string
	data []byte
}

// entryCode is what the shop calls an entry; "" in release 2105, which has no
// codes and takes no attachments.
func entryCode(e core.Entry) string {
	if strings.HasPrefix(e.ID, core.MadeNoteID) {
		return ""
	}
	return e.ID
}

// Attach adds a file to an entry. Its name is how it is found again when an
// earlier try had an unknown outcome. A shop without attachments refuses it.
func (c *Client) Attach(ctx context.Context, at core.TicketAt, a core.Attachment) error {
	const op = "attach a file"
	if c.tickets == TicketsOff {
		return ticketsOff(op)
	}
	entry, done, err := c.entryFor(ctx, at, a)
	if err != nil || done {
		return err
	}
	if entry == "" {
		return &core.ShopError{Class: core.Rejected, Type: "NoEntryCode", Err: errors.New(op + ": the shop tells no code of the entry (release 2105 has none)")}
	}
	body, err := multipartForm(a.File)
	if err != nil {
		return &core.ShopError{Class: core.Rejected, Err: withOp(op, err)}
	}
	_, err = c.do(ctx, call{
		op:     op,
		method: http.MethodPost,
		site:   at.Site,
		path:   []string{"users", at.CustomerUID, "tickets", at.TicketID, "events", entry, "attachments"},
		form:   body,
		as:     c.actingFor(at.CustomerUID),
	})
	return err
}

// entryFor is the entry a file belongs to, and whether the file is there already.
func (c *Client) entryFor(ctx context.Context, at core.TicketAt, a core.Attachment) (entry string, done bool, err error) {
	if a.EntryID != "" && !a.Again {
		return a.EntryID, false, nil
	}
	n, err := c.readTicket(ctx, at)
	if err != nil {
		return "", false, err
	}
	entry = a.EntryID
	if _, entries := ticketEvents(n.get("ticketEvents")); entry == "" && len(entries) > 0 {
		entry = entryCode(entries[len(entries)-1])
	}
	for _, e := range n.get("ticketEvents").list() {
		if entry == "" || e.get("code").code() != entry {
			continue
		}
		for _, f := range e.get("ticketEventAttachments").list() {
			done = done || f.get("filename").text() == a.File.Name
		}
	}
	return entry, done, nil
}

func multipartForm(f core.File) (*form, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "").Replace(f.Name)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"; filename="%s"`, attachmentPart, name)},
		"Content-Type":        {f.Type},
	})
	if err != nil {
		return nil, err
	}
	if _, err := part.Write(f.Data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &form{kind: w.FormDataContentType(), data: b.Bytes()}, nil
}
