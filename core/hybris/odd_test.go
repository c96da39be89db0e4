package hybris_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tidings/core"
	"tidings/core/hybris"
)

// oddities are what a field is replaced by.
var oddities = []any{nil, true, "", "odd", json.Number("-1e400"), json.Number("7"), []any{}, []any{nil, "x"}, map[string]any{}, map[string]any{"value": []any{}, "code": 1}}

// Whatever is wrong with one field of an answer, the call ends in a value or in
// an error with a class, and costs no more than that field.
func TestAnyAnswerMayBeOdd(t *testing.T) {
	q := core.OrderQuery{Code: "77120345", CustomerUID: noor, Locale: "sv"}
	for _, test := range []struct {
		name, body string
		ask        func(c *hybris.Client) (whole bool, err error)
		costs      []string // fields without which it is not whole
	}{
		{"tracking", sample(t, "tracking.json"), func(c *hybris.Client) (bool, error) {
			got, err := c.Tracking(t.Context(), q, core.Consignment{Code: "cons77120345_0", TrackingID: "old"})
			return got.Code == "cons77120345_0" && got.TrackingID == "PN-000-77" && got.TrackingURL != "" && got.Carrier == "Nordpost", err
		}, []string{"/trackingID", "/trackingUrl", "/carrierDetails"}},
		{"return", aReturn("R1", `{"code":"77120345"}`), func(c *hybris.Client) (bool, error) {
			got, err := c.Return(t.Context(), q, "R1")
			return got.Code == "R1" && got.Status == "RECEIVED" && got.Refund.Amount == "99.50", err
		}, []string{"/code", "/rma", "/status", "/totalPrice", "/order"}},
		{"ticket", sample(t, "ticket.json"), func(c *hybris.Client) (bool, error) {
			got, err := c.Ticket(t.Context(), at("0000B7Q2"))
			return got.Subject != "" && len(got.Entries)+len(got.Notes) > 0, err
		}, []string{"/subject", "/ticketEvents", "/id"}},
		{"tickets", `{"tickets":[{"id":"0000B7Q2","subject":"Order 77120345 [T1-ABCD]","status":{"id":"OPEN","name":"Open"}}],"pagination":{"currentPage":0,"totalPages":1},"sorts":[]}`,
			func(c *hybris.Client) (bool, error) {
				got, err := c.Tickets(t.Context(), "", noor)
				return len(got) == 1 && got[0].ID == "0000B7Q2" && strings.Contains(got[0].Subject, "[T1-ABCD]"), err
			}, []string{"/tickets", "/pagination"}},
		{"a new ticket", `{"id":"0000B7Q2","subject":"s","associatedTo":{"type":"Order","code":"77120345"},"status":{"id":"OPEN"}}`,
			func(c *hybris.Client) (bool, error) {
				got, err := c.CreateTicket(t.Context(), question)
				return got.ID == "0000B7Q2" && got.Linked, err
			}, []string{"/id", "/associatedTo"}},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			var whole any
			if err := json.Unmarshal([]byte(test.body), &whole); err != nil {
				t.Fatal(err)
			}
			tried := 0
			vary(whole, "", oddities, func(path string) {
				tried++
				raw, err := json.Marshal(whole)
				if err != nil {
					t.Fatal(err)
				}
				_, c := newShop(t, script(with(200, string(raw))))
				complete, err := test.ask(c)
				var failed *core.ShopError
				if err != nil && (!errors.As(err, &failed) || failed.Class == "") {
					t.Errorf("%s: got %v, want an error with a class", path, err)
				}
				if !complete && !startsWithAny(path, test.costs) {
					t.Errorf("%s: costs more than itself (%v): %s", path, err, raw)
				}
			})
			if tried < 50 {
				t.Errorf("got %d variants, want all fields tried", tried)
			}
		})
	}
}

func startsWithAny(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// A refusal has a class whatever its body says, and a token's answer never panics.
func TestAnyRefusalMayBeOdd(t *testing.T) {
	for _, body := range []string{
		`{"errors":[{"type":"UnknownIdentifierError","reason":"notFound","message":"Order with guid 1 not found","subject":"1","subjectType":"order"}]}`,
		`{"error":"invalid_client","error_description":"Bad client credentials"}`,
		`{"access_token":"0a4f","token_type":"bearer","expires_in":42921,"scope":"extended"}`,
	} {
		var whole any
		if err := json.Unmarshal([]byte(body), &whole); err != nil {
			t.Fatal(err)
		}
		vary(whole, "", oddities, func(path string) {
			raw, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			for _, status := range []int{200, 400, 401, 403, 404, 500} {
				s, c := newShop(t, script(with(status, string(raw))))
				_, err := c.Order(t.Context(), core.OrderQuery{Code: "1", CustomerUID: noor})
				if status != 200 && (err == nil || shopError(t, err).Class == "") {
					t.Errorf("%s as %d: got %v, want an error with a class", path, status, err)
				}
				s.token = script(with(status, string(raw)))
				if _, err := hybris.New(s.options()).Order(t.Context(), byCode("1")); err != nil && shopError(t, err).Class == "" {
					t.Errorf("%s as %d, for a token: got no class", path, status)
				}
			}
		})
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(sample(f, "tracking.json")))
	f.Add([]byte(sample(f, "ticket.json")))
	f.Add([]byte(aReturn("R1", `{"code":"1"}`)))
	f.Add([]byte(`{"returnRequests":[` + aReturn("R1", `{"code":"1"}`) + `],"tickets":[{"id":1}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, c := newShop(t, script(with(200, string(raw))))
		q := core.OrderQuery{Code: "1", CustomerUID: noor}
		parcel, err := c.Tracking(t.Context(), q, core.Consignment{Code: "c"})
		if u := parcel.TrackingURL; err == nil && u != "" && !strings.HasPrefix(strings.ToLower(u), "http") {
			t.Fatalf("got the address %q", u)
		}
		for _, code := range []string{"", "R1"} {
			back, err := c.Return(t.Context(), q, code)
			if err == nil && back.OrderCode != "" && back.OrderCode != "1" {
				t.Fatalf("got a return of order %q", back.OrderCode)
			}
		}
		_, _ = c.Ticket(t.Context(), at("1"))
		_, _ = c.Tickets(t.Context(), "", noor)
		if _, err := json.Marshal(parcel); err != nil {
			t.Fatal(err)
		}
	})
}
