package hybrissim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core/hybris/hybrissim"
)

const (
	tickets  = "/occ/v2/teashop/users/current/tickets"
	complain = `{"subject":"Cup missing","message":"One cup is missing.","ticketCategory":{"id":"PROBLEM"},"associatedTo":{"type":"Order","code":"1"}}`
)

// desk returns a shop with an order of Ines, as she sees it.
func desk(t *testing.T, opt hybrissim.Options) *shop {
	t.Helper()
	s := newShop(t, opt)
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	s.AddOrder(hybrissim.SampleOrder("2", boris, site))
	return s.as(s.CustomerToken(ines))
}

func (s *shop) open(t *testing.T) string {
	t.Helper()
	got := s.post(tickets, complain)
	id, _ := got.tree["id"].(string)
	if got.status != 201 || id == "" {
		t.Fatalf("create: got %d %s, want 201", got.status, got.body)
	}
	return id
}

func TestTicketConversation(t *testing.T) {
	ctx := context.Background()
	s := desk(t, hybrissim.Options{})
	id := s.open(t)
	s.clock.Advance(time.Minute)
	if _, err := s.AddNote(ctx, id, "Ask the warehouse first", false, "agent.lou"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetTicketStatus(ctx, id, "INPROCESS", "How many arrived?", "agent.lou"); err != nil {
		t.Fatal(err)
	}
	if got := s.post(tickets+"/"+id+"/events", `{"message":"Three.","toStatus":{"id":"INPROCESS"}}`); got.status != 201 || got.tree["code"] == nil || got.tree["toStatus"] != nil {
		t.Errorf("event: got %d %s, want 201 with a code and no change of state", got.status, got.body)
	}
	if err := s.SetTicketStatus(ctx, id, "CLOSED", "", "agent.lou"); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "00000F21", "customerId": ines, "subject": "Cup missing",
		"createdAt": "2026-11-22T10:00:00+0000", "modifiedAt": "2026-11-22T10:01:00+0000",
		"status":                     map[string]any{"id": "CLOSED", "name": "Closed"},
		"ticketCategory":             map[string]any{"id": "PROBLEM", "name": "Problem"},
		"associatedTo":               map[string]any{"type": "Order", "code": "1", "modifiedAt": "2026-11-22T10:00:00+0000"},
		"availableStatusTransitions": []any{map[string]any{"id": "INPROCESS", "name": "In Process"}},
		"ticketEvents": []any{
			map[string]any{"code": "0000A133", "author": "Ines Vidal", "message": "Three.", "createdAt": "2026-11-22T10:01:00+0000"},
			map[string]any{"code": "0000A132", "addedByAgent": true, "message": "How many arrived?", "createdAt": "2026-11-22T10:01:00+0000",
				"toStatus": map[string]any{"id": "INPROCESS", "name": "In Process"}},
			map[string]any{"code": "0000A130", "author": "Ines Vidal", "message": "One cup is missing.", "createdAt": "2026-11-22T10:00:00+0000"},
		},
	}
	got := s.get(tickets + "/" + id + "?fields=FULL")
	if diff := cmp.Diff(any(want), any(got.tree)); diff != "" {
		t.Errorf("ticket (-want +got):\n%s", diff)
	}
	if n := len(s.CustomerEntries(id)); n != 2 {
		t.Errorf("customer's entries: got %d, want 2", n)
	}
}

func TestTicketListHasSixFields(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	s.open(t)
	s.clock.Advance(time.Minute)
	second := s.open(t)
	got := s.get(tickets + "?fields=FULL&pageSize=1")
	row, _ := at(got.tree, "tickets", 0).(map[string]any)
	if row["id"] != second || len(row) != 6 {
		t.Errorf("got %v, want the newest with six fields", row)
	}
	if at(got.tree, "pagination", "totalResults") != 2.0 || at(got.tree, "sorts", 1, "code") != "byTicketId" {
		t.Errorf("got %s", got.body)
	}
	elsewhere := s.get("/occ/v2/coffeeshop/users/current/tickets")
	if n := length(elsewhere.tree["tickets"]); n != 0 {
		t.Errorf("another site: got %d tickets, want none", n)
	}
}

func TestTicketRefusals(t *testing.T) {
	long := func(n int, r rune) string { return strings.Repeat(string(r), n) }
	const orderGone = "Order with guid %s not found for current user in current BaseStore"
	tests := []struct {
		name, body                 string
		errorType, reason, subject string
		message                    string
	}{
		{"no subject", `{"message":"m","ticketCategory":{"id":"PROBLEM"}}`, "ValidationError", "missing", "subject", "This field is required."},
		{"null message", `{"subject":"s","message":null,"ticketCategory":{"id":"PROBLEM"}}`, "ValidationError", "missing", "message", ""},
		{"blank message", `{"subject":"s","message":" \n","ticketCategory":{"id":"PROBLEM"}}`, "ValidationError", "invalid", "message", ""},
		{"no category", `{"subject":"s","message":"m"}`, "ValidationError", "missing", "ticketCategory", ""},
		{"category without id", `{"subject":"s","message":"m","ticketCategory":{}}`, "ValidationError", "missing", "ticketCategory.id", ""},
		{"unknown category", `{"subject":"s","message":"m","ticketCategory":{"id":"FRAUD"}}`, "ValidationError", "invalid", "ticketCategory.id", ""},
		{"association without code", `{"subject":"s","message":"m","ticketCategory":{"id":"PROBLEM"},"associatedTo":{"type":"Order"}}`, "ValidationError", "missing", "associatedTo.code", ""},
		{"long subject", compact("subject", long(256, 'x')), "TicketCreateError", "", "", `The number of characters in the attribute "Subject" must between 1 and 255 (inclusive).`},
		{"long message", compact("message", long(5001, 'x')), "TicketCreateError", "", "", `The number of characters in the attribute "Message" must between 1 and 5000 (inclusive).`},
		{"long in UTF-16", compact("message", long(2501, '🫖')), "TicketCreateError", "", "", `The number of characters in the attribute "Message" must between 1 and 5000 (inclusive).`},
		{"somebody else's order", strings.Replace(complain, `"1"`, `"2"`, 1), "TicketCreateError", "", "", fmt.Sprintf(orderGone, "2")},
		{"unknown order", strings.Replace(complain, `"1"`, `"9"`, 1), "TicketCreateError", "", "", fmt.Sprintf(orderGone, "9")},
		{"no JSON", `{"subject"`, "HttpMessageNotReadableError", "", "", ""},
	}
	s := desk(t, hybrissim.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.post(tickets, tt.body)
			e := got.firstError()
			if got.status != 400 || e["type"] != tt.errorType {
				t.Fatalf("got %d %s, want 400 %s", got.status, got.body, tt.errorType)
			}
			if tt.reason != "" && (e["reason"] != tt.reason || e["subject"] != tt.subject || e["subjectType"] != "parameter") {
				t.Errorf("got %v, want %s %s", e, tt.subject, tt.reason)
			}
			if tt.message != "" && e["message"] != tt.message {
				t.Errorf("got %v, want %q", e["message"], tt.message)
			}
		})
	}
	if n := len(s.Tickets()); n != 0 {
		t.Errorf("tickets: got %d, want none", n)
	}
	for _, n := range []int{2500, 1} {
		if got := s.post(tickets, compact("message", long(n, '🫖'))); got.status != 201 {
			t.Errorf("%d teapots: got %d %s, want 201", n, got.status, got.body)
		}
	}
	if got := s.do("POST", tickets, "text/plain", complain); got.status != 415 {
		t.Errorf("text/plain: got %d, want 415", got.status)
	}
}

// compact returns a good request with one field replaced.
func compact(field, value string) string {
	in := map[string]any{"subject": "s", "message": "m", "ticketCategory": map[string]any{"id": "ENQUIRY"}}
	in[field] = value
	b, _ := json.Marshal(in) // strings only
	return string(b)
}

func TestUnknownAssociationIsIgnoredInSilence(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	got := s.post(tickets, strings.Replace(complain, `"Order"`, `"Parcel"`, 1))
	if got.status != 201 || got.tree["associatedTo"] != nil {
		t.Errorf("got %d %s, want 201 without associatedTo", got.status, got.body)
	}
}

func TestTransitions(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		from, to string
		allowed  bool
		after    string
	}{
		{"OPEN", "CLOSED", true, "CLOSED"},
		{"OPEN", "INPROCESS", false, "OPEN"},
		{"OPEN", "OPEN", true, "OPEN"},
		{"INPROCESS", "CLOSED", true, "CLOSED"},
		{"INPROCESS", "OPEN", false, "INPROCESS"},
		{"CLOSED", "INPROCESS", true, "INPROCESS"},
		{"CLOSED", "OPEN", false, "CLOSED"},
		{"CLOSED", "", true, "CLOSED"},
	}
	for _, tt := range tests {
		t.Run(tt.from+" to "+tt.to, func(t *testing.T) {
			s := desk(t, hybrissim.Options{})
			id := s.open(t)
			if tt.from != "OPEN" {
				if err := s.SetTicketStatus(ctx, id, tt.from, "", "agent.lou"); err != nil {
					t.Fatal(err)
				}
			}
			body := `{"message":"Hello"}`
			if tt.to != "" {
				body = `{"message":"Hello","toStatus":{"id":"` + tt.to + `"}}`
			}
			got := s.post(tickets+"/"+id+"/events", body)
			if (got.status == 201) != tt.allowed {
				t.Errorf("got %d %s, want allowed %v", got.status, got.body, tt.allowed)
			}
			want := "Unable to change ticket status to " + tt.to + " for the ticket " + id
			if !tt.allowed && (got.errorType() != "TicketEventCreateError" || got.firstError()["message"] != want) {
				t.Errorf("got %s, want %q", got.body, want)
			}
			if ticket, _ := s.Ticket(id); ticket.Status != tt.after {
				t.Errorf("status: got %s, want %s", ticket.Status, tt.after)
			}
		})
	}
	s := desk(t, hybrissim.Options{})
	id := s.open(t)
	if got := s.post(tickets+"/"+id+"/events", `{"message":"m","toStatus":{"id":"SOLVED"}}`); got.firstError()["subject"] != "toStatus.id" {
		t.Errorf("unknown status: got %s", got.body)
	}
	if err := s.SetTicketStatus(ctx, id, "OPEN", "", "a"); !errors.Is(err, hybrissim.ErrTransition) {
		t.Errorf("agent to OPEN: got %v, want ErrTransition", err)
	}
}

func TestForeignTickets(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	id := s.open(t)
	other := s.as(s.CustomerToken(boris))
	for _, ticket := range []string{id, "00000ZZZ"} {
		want := "Ticket not found for the given ID " + ticket
		if got := other.get(tickets + "/" + ticket); got.status != 404 || got.errorType() != "NotFoundError" || got.firstError()["message"] != want {
			t.Errorf("GET: got %d %s, want 404 %q", got.status, got.body, want)
		}
		if got := other.post(tickets+"/"+ticket+"/events", `{"message":"m"}`); got.status != 400 || got.errorType() != "TicketEventCreateError" || got.firstError()["message"] != want {
			t.Errorf("POST: got %d %s, want 400 %q", got.status, got.body, want)
		}
	}
}

func TestEntriesIn2105(t *testing.T) {
	s := desk(t, hybrissim.Options{Mode2105: true})
	id := s.open(t)
	if got := s.post(tickets+"/"+id+"/events", `{"message":"More"}`); got.status != 201 || got.body != "" {
		t.Errorf("got %d %q, want 201 and nothing", got.status, got.body)
	}
	got := s.get(tickets + "/" + id)
	if at(got.tree, "ticketEvents", 0, "message") != "More" || at(got.tree, "ticketEvents", 0, "code") != nil {
		t.Errorf("got %s, want the newest first and no codes", got.body)
	}
}

func TestAttachments(t *testing.T) {
	s := desk(t, hybrissim.Options{MaxAttachments: 1})
	id := s.open(t)
	entry, _ := at(s.get(tickets+"/"+id).tree, "ticketEvents", 0, "code").(string)
	path := tickets + "/" + id + "/events/" + entry + "/attachments"
	contentType, body := form(t, "ticketEventAttachment", "cup.jpg", "\xff\xd8pixels")
	got := s.do("POST", path, contentType, body)
	if got.status != 201 || got.tree["filename"] != "cup.jpg" {
		t.Fatalf("got %d %s, want 201", got.status, got.body)
	}
	file := s.get(path + "/" + got.tree["id"].(string))
	if file.body != "\xff\xd8pixels" || file.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("got %q as %s", file.body, file.header.Get("Content-Type"))
	}
	if got := s.do("POST", path, contentType, body); got.status != 400 {
		t.Errorf("one too many: got %d %s, want 400", got.status, got.body)
	}
	contentType, body = form(t, "file", "cup.jpg", "x")
	if got := s.do("POST", path, contentType, body); got.status != 400 {
		t.Errorf("wrong part: got %d %s, want 400", got.status, got.body)
	}
	desk := press(t, s, "GET", "/tickets/"+id, "")
	fileID, _ := at(desk.tree, "entries", 0, "files", 0, "id").(string)
	onDesk := press(t, s, "GET", "/tickets/"+id+"/files/"+fileID, "")
	if onDesk.body != "\xff\xd8pixels" || onDesk.header.Get("Content-Disposition") != "attachment; filename=cup.jpg" {
		t.Errorf("on the desk: got %q as %s", onDesk.body, onDesk.header.Get("Content-Disposition"))
	}
	if got := press(t, s, "GET", "/tickets/"+id+"/files/404", ""); got.status != 404 {
		t.Errorf("unknown file: got %d, want 404", got.status)
	}
	if name := at(s.get(tickets+"/"+id).tree, "ticketEvents", 0, "ticketEventAttachments", 0, "filename"); name != "cup.jpg" {
		t.Errorf("in the ticket: got %v, want cup.jpg", name)
	}
}

func form(t *testing.T, part, name, data string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, err := w.CreateFormFile(part, name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte(data))
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}
