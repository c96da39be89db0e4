package hybrissim_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

// TestDoubts: every doubt can be seen from outside, and each of its answers is
// another one.
func TestDoubts(t *testing.T) {
	for _, d := range hybrissim.Doubts() {
		look, ok := doubtful[d.Name]
		if !ok {
			t.Errorf("%s: nobody looks at it", d.Name)
			continue
		}
		seen := map[string]string{}
		for _, answer := range d.Answers {
			o := look.opt
			o.Answers = map[string]string{d.Name: answer}
			s, g, waits := reporting(t, o)
			c := &examined{shop: s, gateway: g, waits: waits}
			c.mine = s.as(s.CustomerToken(ines))
			got := look.see(c)
			if other, known := seen[got]; known {
				t.Errorf("%s: %s and %s both look like %q", d.Name, other, answer, got)
			}
			seen[got] = answer
		}
	}
	if len(doubtful) != len(hybrissim.Doubts()) {
		t.Errorf("got %d observers of %d doubts", len(doubtful), len(hybrissim.Doubts()))
	}
}

// whether shows an answer's status and type of error.
func whether(r reply) string { return fmt.Sprint(r.status, " ", r.errorType()) }

// tried makes a webhook fail in two ways and shows how often each was sent.
func tried(c *examined) string {
	var out []string
	for _, status := range []int{503, 429} {
		c.gateway.statuses = []int{status}
		_ = c.Push(context.Background(), hybrissim.Event{OrderCode: "1"})
		out = append(out, fmt.Sprint(c.tries()))
	}
	return strings.Join(out, " ")
}

var webhook = hybrissim.Options{Style: hybrissim.Webhook}

var doubtful = map[string]struct {
	opt hybrissim.Options
	see func(*examined) string
}{
	"grant-not-allowed": {see: func(c *examined) string {
		return fmt.Sprint(c.askToken(strings.Replace(askClient, "client_credentials", "password", 1)).tree["error"])
	}},
	"token-type":          {see: func(c *examined) string { return text(c.askToken(askClient), "token_type") }},
	"invalid-token-words": {see: func(c *examined) string { return fmt.Sprint(c.as("x").get(orders + "1").firstError()["message"]) }},
	"wrong-path":          {see: func(c *examined) string { return c.get("/occ/v2/teashop/nothing").header.Get("Content-Type") }},
	"order-key": {see: func(c *examined) string {
		return whether(c.get(orders+"1")) + whether(c.get(orders+hybrissim.SampleOrder("1", ines, site).GUID))
	}},
	"dates": {see: func(c *examined) string { return text(c.get(orders+"1"), "created") }},
	"parcel-display": {see: func(c *examined) string {
		ship(c.t, c.shop)
		return fmt.Sprint(at(c.get(orders+"1").tree, "consignments", 0, "statusDisplay"))
	}},
	"parcel-unknown": {see: func(c *examined) string {
		return whether(c.get(inesPath + "/orders/1/consignments/cons9/tracking"))
	}},
	"tracking-roles": {see: func(c *examined) string {
		return whether(c.get(inesPath + "/orders/1/consignments/cons1_0/tracking"))
	}},
	"return-roles":  {see: func(c *examined) string { return whether(c.get(inesPath + "/orderReturns")) }},
	"consent-roles": {see: func(c *examined) string { return whether(c.get(inesPath + "/consenttemplates")) }},
	"consent-given": {see: func(c *examined) string {
		return whether(c.mine.post(base+"/users/current/consents?consentTemplateId=MESSENGER_NOTIFICATIONS&consentTemplateVersion=1", ""))
	}},
	"ticket-sorts": {see: func(c *examined) string { return fmt.Sprint(c.mine.get(tickets).tree["sorts"]) }},
	"new-ticket":   {see: func(c *examined) string { return fmt.Sprint(c.mine.post(tickets, complain).tree["status"]) }},
	"closed-ticket": {see: func(c *examined) string {
		id := c.mine.open(c.t)
		c.must(c.SetTicketStatus(context.Background(), id, "CLOSED", "", "agent.lou"))
		return whether(c.mine.post(tickets+"/"+id+"/events", `{"message":"m"}`))
	}},
	"kyma-form": {opt: hybrissim.Options{Style: hybrissim.Kyma}, see: func(c *examined) string {
		ship(c.t, c.shop)
		return c.last().header.Get("ce-type") + " " + c.last().header.Get("ce-source")
	}},
	"webhook-dates": {opt: webhook, see: func(c *examined) string {
		c.must(c.Cancel(context.Background(), "1"))
		return fmt.Sprint(c.last().body["date"])
	}},
	"webhook-ids": {opt: webhook, see: func(c *examined) string {
		c.gateway.statuses = []int{503}
		ship(c.t, c.shop)
		return fmt.Sprint(c.gateway.requests[0].header.Get("ce-id") == c.gateway.requests[1].header.Get("ce-id"))
	}},
	"webhook-tries": {opt: webhook, see: tried},
}

func TestDoubtsAreSettledWhileItRuns(t *testing.T) {
	s := newShop(t, hybrissim.Options{TokenTTL: time.Minute})
	got := press(t, s, "POST", "/doubts", `{"token-type":"Bearer"}`)
	if got.status != 200 || text(s.askToken(askClient), "token_type") != "Bearer" {
		t.Errorf("got %d %s, want Bearer from now on", got.status, got.body)
	}
	for _, wrong := range []string{`{"token-type":"Mac"}`, `{"weather":"fine"}`} {
		if got := press(t, s, "POST", "/doubts", wrong); got.status != 400 {
			t.Errorf("%s: got %d %s, want 400", wrong, got.status, got.body)
		}
	}
}

// TestOpenControl: what the control surface has beside orders, desk and faults.
func TestOpenControl(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{})
	guest := press(t, s, "POST", "/orders", `{"guest":"walk.in@example.com","name":"Walk In","lines":[{"code":"KETTLE-17","quantity":2}]}`)
	if guest.status != 201 || guest.tree["guest"] != true || guest.tree["total"] != 104.7 || at(guest.tree, "lines", 0, "quantity") != 2.0 {
		t.Errorf("guest: got %d %s, want two kettles for 104.70", guest.status, guest.body)
	}
	for _, wrong := range []string{
		`{"uid":"a@example.com","guest":"b@example.com"}`, `{"uid":"a@example.com","lines":[{"code":"X","quantity":1}]}`,
		`{"uid":"a@example.com","lines":[{"code":"TIMER-3","quantity":0}]}`,
	} {
		if got := press(t, s, "POST", "/orders", wrong); got.status != 400 {
			t.Errorf("%s: got %d %s, want 400", wrong, got.status, got.body)
		}
	}
	token := press(t, s, "POST", "/tokens", `{"uid":"`+ines+`"}`)
	if got := s.as(text(token, "access_token")).get("/occ/v2/teashop/users/current/orders/1"); got.status != 200 {
		t.Errorf("token: got %d %s, want 200", got.status, got.body)
	}
	agent := press(t, s, "POST", "/tokens", `{"agent":"agent.lou"}`)
	if got := s.as(text(agent, "access_token")).get("/occ/v2/teashop/users/" + ines + "/tickets"); got.status != 200 {
		t.Errorf("agent: got %d %s, want 200", got.status, got.body)
	}
	if got := press(t, s, "POST", "/customers", `{"uid":"ada@example.com","name":"Ada","register":true}`); got.status != 201 {
		t.Errorf("register: got %d %s, want 201", got.status, got.body)
	}
	press(t, s, "POST", "/customers/ada@example.com/rename", `{"to":"ada.l@example.com"}`)
	press(t, s, "POST", "/customers/ada.l@example.com/closed", "")
	if last := g.requests[len(g.requests)-1]; last.body["type"] != "customer.closed" {
		t.Errorf("got %v, want customer.closed", last.body["type"])
	}
	for path, want := range map[string]int{"/customers/ada.l@example.com/shrink": 400, "/customers/404/rename": 404, "/customers/404/closed": 404, "/tokens": 400} {
		if got := press(t, s, "POST", path, ""); got.status != want {
			t.Errorf("%s: got %d %s, want %d", path, got.status, got.body, want)
		}
	}
	if got := press(t, s, "GET", "/customers", ""); length(got.tree["items"]) != 4 {
		t.Errorf("customers: got %s, want 4", got.body)
	}
	if got := press(t, s, "GET", "/products", ""); at(got.tree, "items", 3, "price") != 49.9 {
		t.Errorf("products: got %s", got.body)
	}
	split := press(t, s, "POST", "/orders/1/split", "")
	press(t, s, "POST", "/orders/1/ship", "")
	if got := press(t, s, "POST", "/orders/1/split", ""); length(split.tree["consignments"]) != 3 || got.status != 400 {
		t.Errorf("split: got %s and then %d, want 3 parcels and a refusal once one has left", split.body, got.status)
	}
	if got := press(t, s, "POST", "/restart", ""); got.status != 200 {
		t.Errorf("restart: got %d %s", got.status, got.body)
	}
}
