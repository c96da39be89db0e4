package hybrissim

import (
	"cmp"
	"errors"
	"mime"
	"net/http"
	"time"
)

const defaultAgent = "agent.lou"

func (c control) tickets(*http.Request) (int, any, error) {
	items := []object{}
	for _, t := range c.sim.Tickets() {
		items = append(items, ticketView(t))
	}
	return http.StatusOK, object{"items": items}, nil
}

func (c control) ticketOf(r *http.Request) (int, any, error) {
	return c.showTicket(http.StatusOK, r.PathValue("id"))
}

func (c control) showTicket(status int, id string) (int, any, error) {
	t, ok := c.sim.Ticket(id)
	if !ok {
		return 0, nil, ErrUnknown
	}
	return status, ticketView(t), nil
}

// file serves an attachment as a download, whatever is in it.
func (c control) file(w http.ResponseWriter, r *http.Request) {
	t, _ := c.sim.Ticket(r.PathValue("id"))
	for _, e := range t.Entries {
		for _, a := range e.Attachments {
			if a.ID != r.PathValue("file") {
				continue
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
			_, _ = w.Write(a.Data) // who has gone does not see it
			return
		}
	}
	writeJSON(w, http.StatusNotFound, object{"error": ErrUnknown.Error()})
}

func (c control) note(r *http.Request) (int, any, error) {
	var in struct {
		Text   string
		Public bool
		Agent  string
	}
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	if _, err := c.sim.AddNote(r.Context(), r.PathValue("id"), in.Text, in.Public, cmp.Or(in.Agent, defaultAgent)); err != nil {
		return 0, nil, err
	}
	return c.showTicket(http.StatusCreated, r.PathValue("id"))
}

func (c control) status(r *http.Request) (int, any, error) {
	var in struct{ Status, Text, Agent string }
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	if err := c.sim.SetTicketStatus(r.Context(), r.PathValue("id"), in.Status, in.Text, cmp.Or(in.Agent, defaultAgent)); err != nil {
		return 0, nil, err
	}
	return c.showTicket(http.StatusOK, r.PathValue("id"))
}

// ticketView is a ticket as the agents' desk shows it: everything.
func ticketView(t Ticket) object {
	entries := make([]object, 0, len(t.Entries))
	for _, e := range t.Entries {
		names, files := []string{}, []object{}
		for _, a := range e.Attachments {
			names = append(names, a.Name)
			files = append(files, object{"id": a.ID, "name": a.Name, "bytes": len(a.Data)})
		}
		entries = append(entries, object{
			"code": e.Code, "text": e.Text, "author": cmp.Or(e.AuthorName, e.Author), "agent": e.Agent, "public": e.Public(),
			"status": e.Status, "createdAt": e.Created.UTC(), "attachments": names, "files": files,
		})
	}
	order := ""
	if t.Associated != nil {
		order = t.Associated.Code
	}
	return object{
		"id": t.ID, "site": t.Site, "customer": object{"uid": t.CustomerUID, "name": t.CustomerName}, "order": order,
		"subject": t.Subject, "status": t.Status, "category": t.Category, "agent": t.Agent,
		"createdAt": t.Created.UTC(), "modifiedAt": t.Modified.UTC(), "entries": entries,
	}
}

func (c control) requests(*http.Request) (int, any, error) {
	counts, total := c.sim.Requests(), 0
	for _, n := range counts {
		total += n
	}
	return http.StatusOK, object{"counts": counts, "total": total}, nil
}

func (c control) pushes(*http.Request) (int, any, error) {
	items := []object{}
	for _, p := range c.sim.Pushes() {
		item := object{"id": p.ID, "type": p.Type, "style": p.Style, "order": p.Order, "ticket": p.Ticket, "statuses": p.Statuses}
		if p.Err != "" {
			item["error"] = p.Err
		}
		items = append(items, item)
	}
	return http.StatusOK, object{"items": items}, nil
}

func (c control) products(*http.Request) (int, any, error) {
	items := []object{}
	for _, p := range catalogue {
		items = append(items, object{"code": p.Code, "name": p.Name, "price": value(p.Unit), "currency": "EUR"})
	}
	return http.StatusOK, object{"items": items}, nil
}

// span is a duration in words, such as "1.5s".
type span time.Duration

func (d *span) UnmarshalText(b []byte) error {
	parsed, err := time.ParseDuration(string(b))
	*d = span(parsed)
	return err
}

// faultWish changes the faults it names and leaves the others.
type faultWish struct {
	Clear           bool  `json:"clear"`
	Down            *bool `json:"down"`
	Unavailable     *bool `json:"unavailable"`
	Delay           *span `json:"delay"`
	StaleReads      *span `json:"staleReads"`
	UnknownOutcome  *int  `json:"unknownOutcome"`
	RejectTickets   *bool `json:"rejectTickets"`
	ExpireTokens    bool  `json:"expireTokens"`
	DuplicatePushes *int  `json:"duplicatePushes"`
	LosePushes      *int  `json:"losePushes"`
	HoldPushes      *bool `json:"holdPushes"` // false lets them go, the newest first
	Extra           *bool `json:"extra"`
	// Missing and Mistyped are names of fields; an empty list ends it.
	Missing  *[]string `json:"missing"`
	Mistyped *[]string `json:"mistyped"`
	Fail     *struct {
		Times      int    `json:"times"`
		Every      int    `json:"every"`
		Status     int    `json:"status"`
		Type       string `json:"type"`
		Message    string `json:"message"`
		Path       string `json:"path"`
		RetryAfter span   `json:"retryAfter"`
	} `json:"fail"`
}

func (c control) faults(r *http.Request) (int, any, error) {
	var in faultWish
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Fail != nil && (in.Fail.Status < 400 || in.Fail.Status > 599) {
		return 0, nil, errors.New("fail.status: 400 to 599")
	}
	if in.Clear {
		c.sim.ClearFaults()
	}
	c.sim.set(in.apply)
	if in.HoldPushes != nil && !*in.HoldPushes {
		if err := c.sim.ReleasePushes(r.Context()); err != nil {
			return 0, nil, err
		}
	}
	if in.ExpireTokens {
		c.sim.ExpireTokens()
	}
	if f := in.Fail; f != nil {
		c.sim.Fail(Failure{
			Times: f.Times, Every: f.Every, Status: f.Status, Type: f.Type, Message: f.Message, Path: f.Path, RetryAfter: time.Duration(f.RetryAfter),
		})
	}
	return http.StatusOK, object{}, nil
}

func (in faultWish) apply(f *faults) {
	assign(&f.down, in.Down)
	assign(&f.unavailable, in.Unavailable)
	assign((*span)(&f.delay), in.Delay)
	assign((*span)(&f.stale), in.StaleReads)
	assign(&f.unknown, in.UnknownOutcome)
	assign(&f.rejectTickets, in.RejectTickets)
	assign(&f.duplicates, in.DuplicatePushes)
	assign(&f.lostPushes, in.LosePushes)
	assign(&f.bends.extra, in.Extra)
	assign(&f.bends.missing, in.Missing)
	assign(&f.bends.mistyped, in.Mistyped)
	if in.HoldPushes != nil && *in.HoldPushes {
		f.holdPushes = true
	}
}

func assign[T any](target, wanted *T) {
	if wanted != nil {
		*target = *wanted
	}
}
