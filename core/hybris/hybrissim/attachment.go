package hybrissim

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
)

const attachmentPart = "ticketEventAttachment"

// attach adds a file to an entry of the customer's own ticket.
func (c *call) attach() (answer, *failure) {
	e, refusal := c.ownEntry()
	if refusal != nil {
		return answer{}, refusal
	}
	name, data, refusal := c.file()
	if refusal != nil {
		return answer{}, refusal
	}
	if len(e.Attachments) >= c.opt.MaxAttachments {
		return answer{}, fail(http.StatusBadRequest, "TicketEventAttachmentCreateError",
			fmt.Sprintf("The maximum number of attachments is %d.", c.opt.MaxAttachments))
	}
	a := Attachment{ID: base36(c.number("attachment", firstAttachment)), Name: name, Data: data}
	e.Attachments = append(e.Attachments, a)
	return answer{status: http.StatusCreated, body: object{"id": a.ID, "filename": a.Name}}, nil
}

// attachment returns a file as it is.
func (c *call) attachment() (answer, *failure) {
	e, refusal := c.ownEntry()
	if refusal != nil {
		return answer{}, refusal
	}
	wanted := c.r.PathValue("attachmentId")
	i := slices.IndexFunc(e.Attachments, func(a Attachment) bool { return a.ID == wanted })
	if i < 0 {
		return answer{}, fail(http.StatusNotFound, "NotFoundError", "Attachment not found for the given ID "+wanted)
	}
	return answer{raw: append([]byte{}, e.Attachments[i].Data...)}, nil
}

func (c *call) ownEntry() (*Entry, *failure) {
	t := c.ownTicket()
	if t == nil {
		return nil, fail(http.StatusNotFound, "NotFoundError", c.noTicket())
	}
	code := c.r.PathValue("eventCode")
	for i := range t.Entries {
		if e := &t.Entries[i]; e.Code == code && e.Public() {
			return e, nil
		}
	}
	return nil, fail(http.StatusNotFound, "NotFoundError", "Ticket event not found for the given code "+code)
}

// file reads the one part that counts.
func (c *call) file() (name string, data []byte, refusal *failure) {
	media, params, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if media != "multipart/form-data" || params["boundary"] == "" {
		return "", nil, fail(http.StatusUnsupportedMediaType, "HttpMediaTypeNotSupportedError", "Content type '"+media+"' not supported")
	}
	parts := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return "", nil, fail(http.StatusBadRequest, "MissingServletRequestPartError", "Required request part '"+attachmentPart+"' is not present")
		}
		if part.FormName() != attachmentPart {
			continue
		}
		if data, err = io.ReadAll(part); err != nil {
			return "", nil, fail(http.StatusBadRequest, "MultipartError", "The request part cannot be read")
		}
		return part.FileName(), data, nil
	}
}
