package hybris_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
)

const ticketPath = "/occ/v2/homeware/users/noor.haddad%40example.org/tickets"

func TestCreateTicket(t *testing.T) {
	linked := `{"id":"0000B7Q2","associatedTo":{"type":"Order","code":"77120345"}}`
	for _, test := range []struct {
		name   string
		ticket core.NewTicket
		answer string
		want   core.TicketRef
		sent   string
	}{
		{"with an order", question, linked, core.TicketRef{ID: "0000B7Q2", Linked: true},
			`{"subject":"Order 77120345","message":"Where is it?","ticketCategory":{"id":"ENQUIRY"},"associatedTo":{"type":"Order","code":"77120345"}}`},
		{"the shop ignored the order", question, `{"id":"0000B7Q2"}`, core.TicketRef{ID: "0000B7Q2"},
			`{"subject":"Order 77120345","message":"Where is it?","ticketCategory":{"id":"ENQUIRY"},"associatedTo":{"type":"Order","code":"77120345"}}`},
		{"without an order", core.NewTicket{CustomerUID: noor, Subject: "Question", Text: "Are you open?"}, `{"id":12}`, core.TicketRef{ID: "12"},
			`{"subject":"Question","message":"Are you open?","ticketCategory":{"id":"ENQUIRY"}}`},
		{"without a subject", core.NewTicket{CustomerUID: noor, Subject: " ", Text: "Are you open?"}, `{"id":"1"}`, core.TicketRef{ID: "1"},
			`{"subject":"Are you open?","message":"Are you open?","ticketCategory":{"id":"ENQUIRY"}}`},
	} {
		s, c := newShop(t, script(with(201, test.answer)))
		got, err := c.CreateTicket(t.Context(), test.ticket)
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v, want %+v", test.name, got, err, test.want)
		}
		want := []string{"POST " + ticketPath + "?fields=FULL " + test.sent}
		if diff := cmp.Diff(want, s.seen()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestSubjectIsShortenedToWhatTheShopCounts(t *testing.T) {
	for in, want := range map[string]int{ // characters that are left
		strings.Repeat("x", 300):            255,
		strings.Repeat("x", 255):            255,
		strings.Repeat("é", 300):            255,
		strings.Repeat("\U0001F600", 200):   127, // two units each
		strings.Repeat(" ", 300) + "padded": 6,
	} {
		s, c := newShop(t, script(with(201, `{"id":"1"}`)))
		if _, err := c.CreateTicket(t.Context(), core.NewTicket{CustomerUID: noor, Subject: in, Text: "t"}); err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(s.seen()[0], " {")
		var sent struct{ Subject string }
		if err := json.Unmarshal([]byte("{"+body), &sent); err != nil {
			t.Fatal(err)
		}
		if got := len([]rune(sent.Subject)); got != want {
			t.Errorf("%.12q…: got %d characters, want %d", in, got, want)
		}
	}
}

func TestTicketWithoutAnIDIsUncertain(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"id":null}`, `<html>`} {
		_, c := newShop(t, script(with(201, body)))
		if e := shopError(t, second(c.CreateTicket(t.Context(), question))); e.Class != core.Uncertain {
			t.Errorf("%q: got %v, want Uncertain", body, e.Class)
		}
	}
}

func TestBlankTextsAreNotSent(t *testing.T) {
	s, c := newShop(t, script(with(201, `{"id":"1"}`)))
	for _, text := range []string{"", " \n\t"} {
		if e := shopError(t, second(c.CreateTicket(t.Context(), core.NewTicket{CustomerUID: noor, Subject: "s", Text: text}))); e.Class != core.Rejected {
			t.Errorf("ticket: got %v, want Rejected", e.Class)
		}
		if e := shopError(t, second(c.AddEntry(t.Context(), at("1"), core.NewEntry{Text: text}))); e.Class != core.Rejected {
			t.Errorf("entry: got %v, want Rejected", e.Class)
		}
	}
	if got := s.seen(); len(got) != 0 {
		t.Errorf("got requests %q, want none", got)
	}
}

func TestTicketsOff(t *testing.T) {
	s := &shop{t: t}
	o := s.options()
	o.Tickets = hybris.TicketsOff
	c := hybris.New(o)
	for _, err := range []error{
		second(c.CreateTicket(t.Context(), question)),
		second(c.AddEntry(t.Context(), at("1"), core.NewEntry{Text: "text"})),
		second(c.Ticket(t.Context(), at("1"))),
		second(c.Tickets(t.Context(), "", noor)),
	} {
		if e := shopError(t, err); e.Class != core.Rejected || e.Type != "TicketsOff" {
			t.Errorf("got %v %q, want Rejected TicketsOff", e.Class, e.Type)
		}
	}
	if s.tokens != 0 {
		t.Errorf("got %d token requests, want none", s.tokens)
	}
}

func TestAddEntry(t *testing.T) {
	const (
		read   = "GET " + ticketPath + "/0000B7Q2?fields=FULL"
		post   = "POST " + ticketPath + "/0000B7Q2/events "
		plain  = post + `{"message":"And now?"}`
		reopen = post + `{"message":"And now?","toStatus":{"id":"INPROCESS"}}`
	)
	ticket := func(status string) func(http.ResponseWriter) {
		return with(200, `{"id":"0000B7Q2","status":{"id":"`+status+`"}}`)
	}
	for _, test := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		want    []string
		class   core.Class // "": done
	}{
		{"open", []func(http.ResponseWriter){ticket("OPEN"), with(201, ``)}, []string{read, plain}, ""},
		{"in process", []func(http.ResponseWriter){ticket("INPROCESS"), with(201, `{"code":"1"}`)}, []string{read, plain}, ""},
		{"a project's own state", []func(http.ResponseWriter){ticket("WAITING"), with(201, ``)}, []string{read, plain}, ""},
		{"closed", []func(http.ResponseWriter){ticket("CLOSED"), with(201, ``)}, []string{read, reopen}, ""},
		{"completed", []func(http.ResponseWriter){ticket("COMPLETED"), with(201, ``)}, []string{read, reopen}, ""},
		{"closed for good", []func(http.ResponseWriter){with(200, `{"status":{"id":"CLOSED"},"availableStatusTransitions":[{"id":"ARCHIVED"}]}`), with(201, ``)}, []string{read, plain}, ""},
		{"reopening is offered", []func(http.ResponseWriter){with(200, `{"status":{"id":"CLOSED"},"availableStatusTransitions":[{"id":"INPROCESS"}]}`), with(201, ``)}, []string{read, reopen}, ""},
		{"reopening is refused", []func(http.ResponseWriter){ticket("CLOSED"), with(400, failure("TicketEventCreateError")), with(201, ``)}, []string{read, reopen, plain}, ""},
		{"refused altogether", []func(http.ResponseWriter){ticket("CLOSED"), with(400, failure("TicketEventCreateError"))}, []string{read, reopen, plain}, core.Rejected},
		{"reading is not allowed", []func(http.ResponseWriter){with(401, failure("AccessDeniedError")), with(201, ``)}, []string{read, plain}, ""},
		{"not allowed at all", []func(http.ResponseWriter){with(401, failure("AccessDeniedError"))}, []string{read, plain}, core.Misconfigured},
		{"no such ticket", []func(http.ResponseWriter){with(404, failure("NotFoundError"))}, []string{read}, core.Rejected},
		{"away before", []func(http.ResponseWriter){with(503, ``)}, []string{read}, core.Temporary},
		{"away meanwhile", []func(http.ResponseWriter){ticket("CLOSED"), with(503, ``)}, []string{read, reopen}, core.Uncertain},
	} {
		s, c := newShop(t, script(test.answers...))
		err := second(c.AddEntry(t.Context(), at("0000B7Q2"), core.NewEntry{Text: "And now?"}))
		if test.class == "" && err != nil || test.class != "" && core.ClassOf(err) != test.class {
			t.Errorf("%s: got %v, want class %q", test.name, err, test.class)
		}
		if diff := cmp.Diff(test.want, s.seen()); diff != "" {
			t.Errorf("%s: requests (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestTicketIsReadAsTheCustomerMaySeeIt(t *testing.T) {
	_, c := newShop(t, script(with(200, sample(t, "ticket.json"))))
	got, err := c.Ticket(t.Context(), at("0000B7Q2"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "ticket.golden.json", got)
}

func TestTicketStatuses(t *testing.T) {
	for id, want := range map[string]string{"OPEN": "open", "INPROCESS": "in_process", "CLOSED": "closed", "COMPLETED": "closed", "WAITING": "", "": ""} {
		_, c := newShop(t, script(with(200, `{"status":{"id":"`+id+`"}}`)))
		got, err := c.Ticket(t.Context(), at("7"))
		if err != nil || got.Status != want || got.ID != "7" {
			t.Errorf("%q: got %q of ticket %q, %v, want %q of 7", id, got.Status, got.ID, err, want)
		}
	}
}

// Release 2105 sends no event codes: ids are made up, and stay over reads.
func TestNotesWithoutCodesKeepTheirIDs(t *testing.T) {
	event := func(at, message string, agent bool) string {
		return fmt.Sprintf(`{"createdAt":%q,"message":%q,"addedByAgent":%t}`, at, message, agent)
	}
	ids := func(events ...string) map[string]bool {
		_, c := newShop(t, script(with(200, `{"id":"1","ticketEvents":[`+strings.Join(events, ",")+`]}`)))
		got, err := c.Ticket(t.Context(), at("1"))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]bool{}
		for _, n := range got.Notes {
			all[n.ID] = true
		}
		return all
	}
	ok := event("2026-02-20T10:00:00+0000", "OK.", true)
	before := ids(ok, ok, event("2026-02-20T09:00:00+0000", "OK.", true))
	if len(before) != 3 {
		t.Fatalf("got ids %v, want three", before)
	}
	sameMoment := event("2026-02-20T11:00:00+0100", "OK.", true)
	after := ids(event("2026-02-20T12:00:00+0000", "Bye.", true), event("2026-02-20T11:00:00+0000", "OK.", false), sameMoment, ok, event("2026-02-20T09:00:00+0000", "OK.", true))
	for id := range before {
		if !after[id] {
			t.Errorf("id %s is gone: %v", id, after)
		}
	}
	if len(after) != 4 {
		t.Errorf("got %d notes, want 4", len(after))
	}
}

func TestNotesAreOldestFirstHoweverTheShopSorts(t *testing.T) {
	for name, events := range map[string]string{
		"newest first":         `{"code":"c","createdAt":"2026-02-20T10:00:01+0000","message":"3","addedByAgent":true},{"code":"b","createdAt":"2026-02-20T10:00:00+0000","message":"2","addedByAgent":true},{"code":"a","createdAt":"2026-02-20T10:00:00+0000","message":"1","addedByAgent":true}`,
		"newest first, no day": `{"code":"c","createdAt":"?","message":"3","addedByAgent":true},{"code":"b","message":"2","addedByAgent":true},{"code":"a","createdAt":"2026-02-20T10:00:00+0000","message":"1","addedByAgent":true}`,
		"oldest first":         `{"code":"a","createdAt":"2026-02-20T10:00:00+0000","message":"1","addedByAgent":true},{"code":"b","createdAt":"2026-02-20T10:00:01+0000","message":"2","addedByAgent":true},{"code":"c","createdAt":"2026-02-20T10:00:02+0000","message":"3","addedByAgent":true}`,
	} {
		_, c := newShop(t, script(with(200, `{"id":"1","ticketEvents":[`+events+`]}`)))
		ticket, err := c.Ticket(t.Context(), at("1"))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, n := range ticket.Notes {
			got += n.Text
		}
		if got != "123" {
			t.Errorf("%s: got %q, want 123", name, got)
		}
	}
}

// An event is an agent's only when the shop says so literally.
func TestOnlyAgentsWriteNotes(t *testing.T) {
	for said, want := range map[string]int{`true`: 1, `false`: 0, `"true"`: 0, `1`: 0, `null`: 0, `{}`: 0} {
		_, c := newShop(t, script(with(200, `{"id":"1","ticketEvents":[{"code":"a","message":"x","addedByAgent":`+said+`}, null, 7]}`)))
		ticket, err := c.Ticket(t.Context(), at("1"))
		if err != nil || len(ticket.Notes) != want || len(ticket.Entries) != 1-want {
			t.Errorf("addedByAgent %s: got %d notes, %d entries, %v, want %d notes", said, len(ticket.Notes), len(ticket.Entries), err, want)
		}
	}
}

func TestTicketsAreListedNewestFirst(t *testing.T) {
	rows := `"tickets":[{"id":"1","subject":"old","status":{"id":"CLOSED"},"createdAt":"2026-02-01T00:00:00+0000"},{"id":"2","subject":"new","status":{"id":"OPEN"},"createdAt":"2026-02-02T00:00:00+0000"},{"subject":"no id"}]`
	want := []core.Ticket{{ID: "2", Subject: "new", Status: "open"}, {ID: "1", Subject: "old", Status: "closed"}}
	for _, test := range []struct {
		name, sorts string
		sort        []string // of each request
	}{
		{"sorted by date", `"sorts":[{"code":"byDate","selected":true},{"code":"byTicketId","selected":false}]`, []string{""}},
		{"sorted otherwise", `"sorts":[{"code":"byChangedDate","selected":false},{"code":"byId","selected":true}]`, []string{"", "byChangedDate"}},
		{"not said", `"sorts":null`, []string{""}},
	} {
		s, c := newShop(t, script(with(200, `{`+rows+`,`+test.sorts+`}`)))
		got, err := c.Tickets(t.Context(), "", noor)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		var sorts []string
		for _, r := range s.seen() {
			u, err := url.Parse(strings.TrimPrefix(r, "GET "))
			if err != nil || u.EscapedPath() != ticketPath {
				t.Errorf("got %q, want GET %s", r, ticketPath)
			}
			sorts = append(sorts, u.Query().Get("sort"))
		}
		if diff := cmp.Diff(test.sort, sorts); diff != "" {
			t.Errorf("%s, sorts asked for (-want +got):\n%s", test.name, diff)
		}
	}
}
