package desk_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/desk"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

type trip func(*http.Request) (int, http.Header, string)

func (t trip) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header, body := t(r)
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func at(t trip) desk.HTTP {
	return desk.HTTP{URL: "https://desk.test/tidings", Secret: secret, Client: &http.Client{Transport: t}, Now: func() time.Time { return time.Unix(1764000000, 0) }}
}

var (
	ticket   = core.NewTicket{CustomerUID: "ines@example.com", OrderCode: "1001", Subject: "s", Text: "my words", Reference: "T1-ABCD", Key: "T1-ABCD-7"}
	existing = core.TicketAt{CustomerUID: "ines@example.com", TicketID: "4/2 ü", Reference: "T1-ABCD"}
	entry    = core.NewEntry{Text: "my words", Key: "T1-ABCD-8"}
)

func TestAnswersOfAnEndpointHaveAClass(t *testing.T) {
	for _, x := range []struct {
		status            int
		create, add, read core.Class
	}{
		{200, core.Misconfigured, "", ""}, // an answer without an id
		{400, core.Rejected, core.Rejected, core.Rejected},
		{401, core.Misconfigured, core.Misconfigured, core.Misconfigured},
		{302, core.Misconfigured, core.Misconfigured, core.Misconfigured},
		{404, core.Rejected, core.Rejected, core.Rejected},
		{409, core.Uncertain, core.Uncertain, core.Temporary},
		{422, core.Rejected, core.Rejected, core.Rejected},
		{429, core.Throttled, core.Throttled, core.Throttled},
		{503, core.Uncertain, core.Uncertain, core.Temporary},
		{0, core.Uncertain, core.Uncertain, core.Temporary},
	} {
		d := desk.NewEndpoint(at(func(*http.Request) (int, http.Header, string) {
			return x.status, http.Header{"Retry-After": {"9"}, "Location": {"https://elsewhere.test/"}}, `{"detail":"ines@example.com said my words"}`
		}))
		_, created := d.CreateTicket(t.Context(), ticket)
		_, added := d.AddEntry(t.Context(), existing, entry)
		_, read := d.Ticket(t.Context(), existing)
		for what, c := range map[string]struct {
			err  error
			want core.Class
		}{"create": {created, x.create}, "add": {added, x.add}, "read": {read, x.read}} {
			if c.want == "" && c.err == nil {
				continue
			}
			if c.err == nil || core.ClassOf(c.err) != c.want {
				t.Errorf("%d %s: got %v, want %s", x.status, what, c.err, c.want)
				continue
			}
			for _, private := range []string{"ines", "my words", "4/2", "desk.test", "MDEy"} {
				if strings.Contains(c.err.Error(), private) {
					t.Errorf("%d %s: %v tells %q", x.status, what, c.err, private)
				}
			}
			var failed *core.ShopError
			if errors.As(c.err, &failed) && (failed.NotFound != (x.status == 404) || x.status == 429 && failed.RetryAfter != 9*time.Second) {
				t.Errorf("%d %s: got %+v", x.status, what, failed)
			}
		}
	}
}

// A wrong address must not look like a ticket that is gone.
func TestWithoutAnOrderAMissingEndpointIsOneThatIsNotThere(t *testing.T) {
	d := desk.NewEndpoint(at(func(*http.Request) (int, http.Header, string) { return 404, nil, "" }))
	plain := ticket
	plain.OrderCode = ""
	if _, err := d.CreateTicket(t.Context(), plain); core.ClassOf(err) != core.Misconfigured {
		t.Errorf("got %v", err)
	}
}

func TestBlankTextsAreNotSent(t *testing.T) {
	nobody := at(func(*http.Request) (int, http.Header, string) { t.Error("a request was made"); return 200, nil, "" })
	for _, d := range []core.Desk{desk.NewEndpoint(nobody), desk.NewCallback(nobody), box(t)} {
		_, created := d.CreateTicket(t.Context(), core.NewTicket{Text: " \n"})
		_, added := d.AddEntry(t.Context(), existing, core.NewEntry{Text: "\t"})
		if core.ClassOf(created) != core.Rejected || core.ClassOf(added) != core.Rejected {
			t.Errorf("%T: got %v, %v", d, created, added)
		}
	}
}

// The signature of the specification's own example, made by its own libraries:
// msg_p5jXN8AQM9LWM0D4loKWxJek, 1614265330, whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.
// https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries, read 2026-11-22.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	got := desk.Signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPathsCannotBeLeft(t *testing.T) {
	var path string
	d := desk.NewEndpoint(at(func(r *http.Request) (int, http.Header, string) {
		path = r.URL.EscapedPath()
		return 200, nil, `{"id":"1"}`
	}))
	for id, want := range map[string]string{"4/2 ü": "4%2F2%20%C3%BC", "../../x?y#z": "..%2F..%2Fx%3Fy%23z", "a+b": "a%2Bb"} {
		if _, err := d.AddEntry(context.Background(), core.TicketAt{TicketID: id}, entry); err != nil || path != "/tidings/tickets/"+want+"/entries" {
			t.Errorf("%q: got %s, %v", id, path, err)
		}
	}
}

func TestNotesOfAnEndpointAreOldestFirstAndPublic(t *testing.T) {
	d := desk.NewEndpoint(at(func(*http.Request) (int, http.Header, string) {
		return 200, nil, `{"status":"archived","notes":[
			{"id":"3","text":"third","public":true,"createdAt":"2026-11-22T10:00:02Z"},{"id":"9","text":"secret","createdAt":"2026-11-22T10:00:01Z"},
			{"id":"8","text":"secret","public":false,"createdAt":"2026-11-22T10:00:01Z"},{"id":"","text":"no id","public":true,"createdAt":"2026-11-22T10:00:01Z"},
			{"id":"1","text":"first","public":true,"createdAt":"2026-11-22T10:00:00Z"},{"id":"2","text":"second","public":true,"createdAt":"2026-11-22T10:00:01Z"}]}`
	}))
	got, err := d.Ticket(t.Context(), existing)
	var texts []string
	for _, n := range got.Notes {
		texts = append(texts, n.Text)
	}
	if err != nil || strings.Join(texts, " ") != "first second third" || got.Status != "" {
		t.Errorf("got %q, status %q, %v", texts, got.Status, err)
	}
}

// Desks count their tickets and notes, and write their states in capitals.
func TestNumbersAreNames(t *testing.T) {
	for _, x := range []struct{ id, want string }{{`42`, "42"}, {`"42"`, "42"}, {`10000000000000000001`, "10000000000000000001"}, {`"a b"`, "a b"}} {
		d := desk.NewEndpoint(at(func(r *http.Request) (int, http.Header, string) {
			if r.Method == http.MethodGet {
				return 200, nil, `{"status":"CLOSED","notes":[{"id":` + x.id + `,"text":"Here.","public":true},{"id":null,"text":"of nobody","public":true}]}`
			}
			return 201, nil, `{"id":` + x.id + `,"entryId":` + x.id + `}`
		}))
		made, err := d.CreateTicket(t.Context(), ticket)
		if err != nil || made.ID != x.want || made.EntryID != x.want {
			t.Errorf("%s: got %+v, %v", x.id, made, err)
		}
		if entryID, err := d.AddEntry(t.Context(), existing, entry); err != nil || entryID != x.want {
			t.Errorf("%s: got entry %q, %v", x.id, entryID, err)
		}
		read, err := d.Ticket(t.Context(), existing)
		if err != nil || read.Status != "closed" || len(read.Notes) != 1 || read.Notes[0].ID != x.want {
			t.Errorf("%s: got %+v, %v", x.id, read, err)
		}
	}
}
