package hybrissim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Ticket is a CsTicket.
type Ticket struct {
	ID, Site                  string
	CustomerUID, CustomerName string
	Subject, Category         string
	Status                    string // OPEN, INPROCESS, CLOSED, COMPLETED
	Agent                     string // the first who did something with it; empty: nobody yet
	Associated                *Association
	Created, Modified         time.Time
	Entries                   []Entry // oldest first
}

// Association is what a ticket is about.
type Association struct {
	Type, Code string
	Modified   time.Time
}

// Entry is a comment of a ticket: what somebody wrote, or a change of state.
type Entry struct {
	Code, Text         string
	Author, AuthorName string
	Agent              bool
	// Intervention is the CsInterventionType; Private and none at all are not
	// for the customer.
	Intervention string
	Kind         string // the comment type: customerNote, agentNote, ticketChangeEvent
	Status       string // the state this entry led to, if it did
	Created      time.Time
	Attachments  []Attachment
}

// Attachment is a file of an entry.
type Attachment struct {
	ID, Name string
	Data     []byte
}

// Private is the intervention of an internal note.
const Private = "Private"

// Public reports whether the customer may see the entry.
func (e Entry) Public() bool { return e.Intervention != "" && e.Intervention != Private }

// The states of a ticket, with what a customer and an agent may make of them.
// The customer's column is the platform's transition map, the agent's the
// Backoffice's New→Open|Closed, Open→Closed, Closed→Open.
var (
	ticketStatuses = map[string]string{"OPEN": "Open", "INPROCESS": "In Process", "CLOSED": "Closed", "COMPLETED": "Completed"}
	customerMoves  = map[string][]string{
		"OPEN": {"CLOSED"}, "INPROCESS": {"CLOSED"}, "CLOSED": {"INPROCESS"}, "COMPLETED": {"INPROCESS"},
	}
	agentMoves = map[string][]string{
		"OPEN": {"INPROCESS", "CLOSED"}, "INPROCESS": {"CLOSED"}, "CLOSED": {"INPROCESS"}, "COMPLETED": {"INPROCESS"},
	}
)

// ErrTransition is a change of state that the ticket system does not know.
var ErrTransition = errors.New("no such transition")

// Tickets returns all tickets, newest first.
func (s *Sim) Tickets() []Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Ticket, 0, len(s.tickets))
	for _, t := range slices.Backward(s.tickets) {
		out = append(out, t.clone())
	}
	return out
}

// Ticket returns a ticket with everything in it.
func (s *Sim) Ticket(id string) (Ticket, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.findTicket(id); t != nil {
		return t.clone(), true
	}
	return Ticket{}, false
}

// CustomerEntries returns what the customer wrote in a ticket, oldest first.
func (s *Sim) CustomerEntries(id string) []Entry {
	t, _ := s.Ticket(id)
	return slices.DeleteFunc(t.Entries, func(e Entry) bool { return e.Agent })
}

func (s *Sim) findTicket(id string) *Ticket {
	for _, t := range s.tickets {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (t *Ticket) clone() Ticket {
	out := *t
	out.Entries = slices.Clone(t.Entries)
	for i, e := range out.Entries {
		out.Entries[i].Attachments = slices.Clone(e.Attachments)
	}
	return out
}

// AddNote is an agent's entry. Not public means that the customer never sees it.
func (s *Sim) AddNote(ctx context.Context, ticketID, text string, public bool, agent string) (Entry, error) {
	e := Entry{Text: text, Author: agent, Agent: true, Intervention: Private, Kind: "agentNote"}
	if public {
		e.Intervention, e.Kind = "IM", "customerNote"
	}
	if strings.TrimSpace(text) == "" {
		return Entry{}, errors.New("a note without a word")
	}
	e, err := s.write(ticketID, e)
	if err != nil {
		return Entry{}, err
	}
	s.reportEntry(ctx, ticketID, e)
	return e, nil
}

// SetTicketStatus is an agent's change of state. With a text the customer sees
// it as an entry, without one the change itself is all there is.
func (s *Sim) SetTicketStatus(ctx context.Context, ticketID, status, text, agent string) error {
	if t, ok := s.Ticket(ticketID); ok && !slices.Contains(agentMoves[t.Status], status) {
		return fmt.Errorf("ticket %s from %s to %q: %w", ticketID, t.Status, status, ErrTransition)
	}
	e := Entry{Author: agent, Agent: true, Kind: "ticketChangeEvent", Status: status}
	if text != "" {
		e.Text, e.Intervention, e.Kind = text, "IM", "customerNote"
	}
	e, err := s.write(ticketID, e)
	if err != nil {
		return err
	}
	if e.Public() {
		s.reportEntry(ctx, ticketID, e)
	}
	s.reportStatus(ctx, ticketID)
	return nil
}

// write puts an entry into a ticket.
func (s *Sim) write(ticketID string, e Entry) (Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.findTicket(ticketID)
	if t == nil {
		return Entry{}, fmt.Errorf("ticket %q: %w", ticketID, ErrUnknown)
	}
	return *s.append(t, e), nil
}

// append numbers and dates an entry, and moves the ticket where it leads.
func (s *Sim) append(t *Ticket, e Entry) *Entry {
	e.Code, e.Created = base36(s.number("entry", firstEntry)), s.opt.Now()
	t.Modified = e.Created
	if e.Status != "" {
		t.Status = e.Status
	}
	if e.Agent && t.Agent == "" {
		t.Agent = e.Author
	}
	t.Entries = append(t.Entries, e)
	return &t.Entries[len(t.Entries)-1]
}

// Where the series start: tickets at 00000F21, entries at 0000A130, files at 0000B001.
const (
	firstTicket     = 19513
	firstEntry      = 467964
	firstAttachment = 513217
)

// base36 is a number as the platform's series write it: 00000F21.
func base36(n int64) string {
	s := strings.ToUpper(strconv.FormatInt(n, 36))
	return strings.Repeat("0", max(0, 8-len(s))) + s
}

// ticketTree is a ticket as its customer may see it.
func (s *Sim) ticketTree(t *Ticket) object {
	out := ticketRow(t)
	out["customerId"] = t.CustomerUID
	out["ticketEvents"] = s.entryTrees(t)
	moves := make([]object, 0, 1)
	for _, id := range customerMoves[t.Status] {
		moves = append(moves, statusTree(id))
	}
	out["availableStatusTransitions"] = moves
	if a := t.Associated; a != nil {
		out["associatedTo"] = object{"type": a.Type, "code": a.Code, "modifiedAt": date(a.Modified)}
	}
	return out
}

// ticketRow is a ticket in a list: the same six fields at every level.
func ticketRow(t *Ticket) object {
	return object{
		"id": t.ID, "subject": t.Subject, "createdAt": date(t.Created), "modifiedAt": date(t.Modified),
		"status": statusTree(t.Status), "ticketCategory": object{"id": t.Category, "name": categoryName(t.Category)},
	}
}

func statusTree(id string) object { return object{"id": id, "name": ticketStatuses[id]} }

// entryTrees are the entries that are for the customer, newest first.
func (s *Sim) entryTrees(t *Ticket) []object {
	out := []object{}
	for _, e := range slices.Backward(t.Entries) {
		if e.Public() {
			out = append(out, s.entryTree(e))
		}
	}
	return out
}

// entryTree names the author of a customer's entry, and of an agent's only
// that it is one.
func (s *Sim) entryTree(e Entry) object {
	out := object{"message": e.Text, "createdAt": date(e.Created)}
	if e.Agent {
		out["addedByAgent"] = true
	} else {
		out["author"] = e.AuthorName
	}
	if e.Status != "" {
		out["toStatus"] = statusTree(e.Status)
	}
	if s.opt.Mode2105 {
		return out
	}
	out["code"] = e.Code
	if len(e.Attachments) > 0 {
		files := make([]object, 0, len(e.Attachments))
		for _, a := range e.Attachments {
			files = append(files, object{"id": a.ID, "filename": a.Name})
		}
		out["ticketEventAttachments"] = files
	}
	return out
}
