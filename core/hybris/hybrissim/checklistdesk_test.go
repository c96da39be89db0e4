package hybrissim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/core/hybris/hybrissim"
)

var checklistOfTickets = []item{
	{"tickets are closed to a trusted client", hybrissim.Options{}, func(c *examined) {
		c.refused("list", c.get(inesPath+"/tickets"), 401, "AccessDeniedError")
		c.refused("new", c.post(inesPath+"/tickets", complain), 401, "AccessDeniedError")
	}},
	{"tickets by a trusted client where the shop has opened them", hybrissim.Options{AllowTrustedTickets: true}, func(c *examined) {
		c.is("status", c.post(inesPath+"/tickets", complain).status, 201)
		c.is("whose", c.Tickets()[0].CustomerUID, ines)
	}},
	{"tickets by the customer's own token", hybrissim.Options{}, func(c *examined) {
		token := text(c.passwordLogin(ines), "access_token")
		c.is("new", c.as(token).post(tickets, complain).status, 201)
	}},
	{"an agent reads tickets and writes none", hybrissim.Options{}, func(c *examined) {
		agent := c.as(c.ManagerToken("agent.lou"))
		c.is("list", agent.get(inesPath+"/tickets").status, 200)
		c.refused("new", agent.post(inesPath+"/tickets", complain), 401, "AccessDeniedError")
	}},
	{"an entry answers with its code", hybrissim.Options{}, func(c *examined) {
		got := c.mine.post(tickets+"/"+c.mine.open(c.t)+"/events", `{"message":"More"}`)
		c.is("code", got.tree["code"], "0000A131")
	}},
	{"an entry answers with nothing in 2105", hybrissim.Options{Mode2105: true}, func(c *examined) {
		id := c.mine.open(c.t)
		got := c.mine.post(tickets+"/"+id+"/events", `{"message":"More"}`)
		c.is("status", got.status, 201)
		c.is("body", got.body, "")
		c.is("code in the ticket", at(c.mine.get(tickets+"/"+id).tree, "ticketEvents", 0, "code"), nil)
	}},
	{"private notes are hidden, public ones name no agent", hybrissim.Options{}, func(c *examined) {
		id := c.mine.open(c.t)
		for _, public := range []bool{false, true} {
			_, err := c.AddNote(context.Background(), id, "Note", public, "agent.lou")
			c.must(err)
		}
		got := c.mine.get(tickets + "/" + id + "?fields=FULL")
		c.is("entries", length(got.tree["ticketEvents"]), 2)
		newest, _ := at(got.tree, "ticketEvents", 0).(map[string]any)
		c.is("fields", names(newest), "addedByAgent code createdAt message")
	}},
	{"the newest entry comes first", hybrissim.Options{}, func(c *examined) {
		id := c.mine.open(c.t)
		c.mine.post(tickets+"/"+id+"/events", `{"message":"More"}`)
		c.is("first", at(c.mine.get(tickets+"/"+id).tree, "ticketEvents", 0, "message"), "More")
	}},
	{"changes of state both ways", hybrissim.Options{}, func(c *examined) {
		id := c.mine.open(c.t)
		entry := func(to string) reply {
			return c.mine.post(tickets+"/"+id+"/events", `{"message":"m","toStatus":{"id":"`+to+`"}}`)
		}
		c.refused("open to in process", entry("INPROCESS"), 400, "TicketEventCreateError")
		c.is("closed by the customer", entry("CLOSED").status, 201)
		c.is("reopened by the customer", entry("INPROCESS").status, 201)
		c.must(c.SetTicketStatus(context.Background(), id, "CLOSED", "", "agent.lou"))
		c.must(c.SetTicketStatus(context.Background(), id, "INPROCESS", "", "agent.lou"))
		c.is("reopened by the agent", at(c.mine.get(tickets+"/"+id).tree, "status", "name"), "In Process")
	}},
	{"lengths are counted and refused", hybrissim.Options{}, func(c *examined) {
		c.refused("subject", c.mine.post(tickets, compact("subject", strings.Repeat("x", 256))), 400, "TicketCreateError")
		c.refused("message", c.mine.post(tickets, compact("message", strings.Repeat("x", 5001))), 400, "TicketCreateError")
		c.refused("entry", c.mine.post(tickets+"/"+c.mine.open(c.t)+"/events", `{"message":"`+strings.Repeat("x", 5001)+`"}`), 400, "TicketEventCreateError")
	}},
	{"blank and missing fields are refused one by one", hybrissim.Options{}, func(c *examined) {
		got := c.mine.post(tickets, `{"subject":" "}`)
		c.refused("subject", got, 400, "ValidationError")
		c.is("errors", length(got.tree["errors"]), 3)
	}},
	{"an unknown association is ignored in silence", hybrissim.Options{}, func(c *examined) {
		got := c.mine.post(tickets, strings.Replace(complain, `"Order"`, `"Parcel"`, 1))
		c.is("status", got.status, 201)
		c.is("association", got.tree["associatedTo"], nil)
	}},
	{"somebody else's order is refused", hybrissim.Options{}, func(c *examined) {
		c.AddOrder(hybrissim.SampleOrder("2", boris, site))
		c.refused("order", c.mine.post(tickets, strings.Replace(complain, `"1"`, `"2"`, 1)), 400, "TicketCreateError")
	}},
	{"an unknown ticket is a 404 to read and a 400 to write", hybrissim.Options{}, func(c *examined) {
		c.refused("read", c.mine.get(tickets+"/00000ZZZ"), 404, "NotFoundError")
		c.refused("write", c.mine.post(tickets+"/00000ZZZ/events", `{"message":"m"}`), 400, "TicketEventCreateError")
	}},
	{"attachments by an entry's code", hybrissim.Options{MaxAttachments: 1}, func(c *examined) {
		id := c.mine.open(c.t)
		path := tickets + "/" + id + "/events/0000A130/attachments"
		contentType, body := form(c.t, "ticketEventAttachment", "cup.jpg", "pixels")
		got := c.mine.do("POST", path, contentType, body)
		c.is("status", got.status, 201)
		c.is("again", c.mine.get(path+"/"+text(got, "id")).body, "pixels")
		c.is("one too many", c.mine.do("POST", path, contentType, body).status, 400)
	}},
	{"categories without a token", hybrissim.Options{}, func(c *examined) {
		got := c.as("").get(base + "/ticketCategories")
		var ids []any
		for i := range length(got.tree["ticketCategories"]) {
			ids = append(ids, at(got.tree, "ticketCategories", i, "id"))
		}
		c.is("ids", ids, []any{"ENQUIRY", "COMPLAINT", "PROBLEM"})
	}},
	{"what a ticket can be about", hybrissim.Options{}, func(c *examined) {
		c.is("order", at(c.mine.get(base+"/users/current/ticketAssociatedObjects").tree, "ticketAssociatedObjects", 0, "code"), 1)
	}},
}

// tries are the statuses of the last event's tries.
func (c *examined) tries() []int {
	all := c.Pushes()
	return all[len(all)-1].Statuses
}

var checklistOfPushes = []item{
	{"CloudEvents of the gateway's own", hybrissim.Options{}, func(c *examined) {
		ship(c.t, c.shop)
		c.is("type", c.last().body["type"], "order.shipped")
	}},
	{"webhooks with ce headers", webhooks(hybrissim.Options{}), func(c *examined) {
		ship(c.t, c.shop)
		h := c.last().header
		c.is("type", h.Get("ce-type"), "sap.cx.commerce.OutboundConsignment.Updated.v1")
		c.is("subject", h.Get("ce-subject"), "cons1_0")
		c.is("user", c.last().user, "shop")
	}},
	{"webhooks try twice on 5xx, 10 s apart, with new ids", webhooks(hybrissim.Options{}), func(c *examined) {
		c.gateway.statuses = []int{503, 500}
		ship(c.t, c.shop)
		c.is("tries", c.tries(), []int{503, 500})
		c.is("waits", *c.waits, []time.Duration{10 * time.Second})
		c.is("ids differ", c.gateway.requests[0].header.Get("ce-id") != c.gateway.requests[1].header.Get("ce-id"), true)
	}},
	{"webhooks are dropped on 4xx", webhooks(hybrissim.Options{}), func(c *examined) {
		c.gateway.statuses = []int{429}
		ship(c.t, c.shop)
		c.is("tries", c.tries(), []int{429})
	}},
	{"webhooks with an OAuth token", webhooks(hybrissim.Options{EventsTokenURL: "http://gateway.example/oauth/token"}), func(c *examined) {
		ship(c.t, c.shop)
		c.is("credential", c.last().header.Get("Authorization"), "Bearer given")
	}},
	{"events signed with the key", hybrissim.Options{Style: hybrissim.Process, EventsSigned: true}, func(c *examined) {
		ship(c.t, c.shop)
		h := c.last().header
		c.is("signature", strings.HasPrefix(h.Get("Webhook-Signature"), "v1,"), true)
		c.is("time", h.Get("Webhook-Timestamp"), "1795341600")
		c.is("no key", h.Get("Authorization"), "")
	}},
	{"webhooks for every saved entry, private ones too", webhooks(hybrissim.Options{}), func(c *examined) {
		_, err := c.AddNote(context.Background(), c.mine.open(c.t), "Keep it", false, "agent.lou")
		c.must(err)
		var kinds []string
		c.Settle()
		for _, r := range c.gateway.requests {
			kinds = append(kinds, at(r.body, "interventionType", "code").(string))
		}
		slices.Sort(kinds)
		c.is("interventions", kinds, []string{"Private", "TicketMessage"})
	}},
	{"webhooks of tickets and consents where they have a name", webhooks(hybrissim.Options{Objects: hybrissim.Objects{Ticket: "OutboundTicket", Consent: "OutboundConsent"}}), func(c *examined) {
		id := c.mine.open(c.t)
		c.Settle()
		c.must(c.SetTicketStatus(context.Background(), id, "CLOSED", "", "agent.lou"))
		c.is("ticket", at(c.last().body, "state", "code"), "Closed")
		c.mine.post(base+"/users/current/consents?consentTemplateId=MARKETING_NEWSLETTER&consentTemplateVersion=0", "")
		c.is("consent", c.last().header.Get("ce-type"), "sap.cx.commerce.OutboundConsent.Created.v1")
	}},
	{"no ticket event in a stock shop", hybrissim.Options{Style: hybrissim.Kyma}, func(c *examined) {
		_, err := c.AddNote(context.Background(), c.mine.open(c.t), "Hello", true, "agent.lou")
		c.must(err)
		c.is("requests", len(c.gateway.requests), 0)
	}},
	{"Kyma in binary mode: codes only", hybrissim.Options{Style: hybrissim.Kyma}, func(c *examined) {
		ship(c.t, c.shop)
		c.is("type", c.last().header.Get("ce-type"), "sap.kyma.custom.shop.order.deliverysent.v1")
		c.is("data", names(c.last().body), "consignmentCode consignmentStatus orderCode")
	}},
	{"Kyma in structured mode", hybrissim.Options{Style: hybrissim.KymaStructured}, func(c *examined) {
		ship(c.t, c.shop)
		c.is("type", c.last().body["type"], "sap.kyma.custom.shop.order.deliverysent.v1")
	}},
	{"the misspelt event of the catalogue", hybrissim.Options{Style: hybrissim.Kyma}, func(c *examined) {
		press(c.t, c.shop, "POST", "/orders/1/report", `{"name":"consigment.consignmentprocessing","consignment":"cons1_0"}`)
		c.is("type", c.last().header.Get("ce-type"), "sap.kyma.custom.shop.consigment.consignmentprocessing.v1")
	}},
	{"the whole catalogue of Commerce events", hybrissim.Options{Style: hybrissim.Kyma}, func(c *examined) {
		press(c.t, c.shop, "POST", "/customers/"+ines+"/report", `{"name":"password.forgotten"}`)
		c.is("data", names(c.last().body), "customerId customerUid storeUid token")
		press(c.t, c.shop, "POST", "/orders/1/report", `{"name":"order.cancelpending"}`)
		c.is("data", names(c.last().body), "cancelRequestCode orderCode")
		press(c.t, c.shop, "POST", "/orders/1/report", `{"name":"order.created"}`)
		c.is("type", c.last().header.Get("ce-type"), "sap.kyma.custom.shop.order.created.v1")
	}},
	{"the legacy export", hybrissim.Options{Style: hybrissim.Legacy}, func(c *examined) {
		ship(c.t, c.shop)
		c.is("fields", names(c.last().body), "data destinationTargetId event-id event-time event-type event-type-version")
	}},
	{"an action of the order process, until it is taken", hybrissim.Options{Style: hybrissim.Process}, func(c *examined) {
		c.gateway.statuses = []int{401, 503}
		ship(c.t, c.shop)
		c.is("tries", c.tries(), []int{401, 503, 202})
		c.is("same id", c.gateway.requests[0].body["id"], c.gateway.requests[2].body["id"])
		c.is("status", fmt.Sprint(c.last().body["type"], c.last().body["consignmentCode"], c.last().body["status"]), "order.statuscons1_0SHIPPED")
		_, err := c.AddReturn(context.Background(), "1")
		c.must(err)
		c.is("return", fmt.Sprint(c.last().body["type"], c.last().body["status"]), "return.statusAPPROVAL_PENDING")
	}},
	{"customers come, change their name and go", hybrissim.Options{}, func(c *examined) {
		ctx := context.Background()
		_, err := c.Register(ctx, "ada@example.com", "Ada")
		c.must(err)
		c.must(c.Rename(ctx, "ada@example.com", "ada.l@example.com"))
		c.is("previous", at(c.last().body, "data", "previousUid"), "ada@example.com")
		for _, what := range []string{"address", "email", "password", "closed"} {
			c.must(c.ChangeCustomer(ctx, "ada.l@example.com", what))
		}
		c.is("last", c.last().body["type"], "customer.closed")
		c.is("login", c.passwordLogin("ada.l@example.com").status, 400)
	}},
	{"events twice with the same id", hybrissim.Options{}, func(c *examined) {
		c.DuplicatePushes(1)
		ship(c.t, c.shop)
		c.is("ids", c.gateway.requests[0].body["id"], c.gateway.requests[1].body["id"])
	}},
	{"events out of order", hybrissim.Options{}, func(c *examined) {
		press(c.t, c.shop, "POST", "/faults", `{"holdPushes":true}`)
		ship(c.t, c.shop)
		c.must(c.Deliver(context.Background(), "1", ""))
		c.is("held", len(c.gateway.requests), 0)
		press(c.t, c.shop, "POST", "/faults", `{"holdPushes":false}`)
		c.is("first", c.gateway.requests[0].body["type"], "order.delivered")
	}},
	{"events lost in the shop's memory", hybrissim.Options{}, func(c *examined) {
		c.LosePushes(1)
		ship(c.t, c.shop)
		c.is("requests", len(c.gateway.requests), 0)
		c.HoldPushes()
		c.must(c.Deliver(context.Background(), "1", ""))
		c.Restart()
		c.must(c.ReleasePushes(context.Background()))
		c.is("requests after a restart", len(c.gateway.requests), 0)
	}},
}

var checklistOfMisfortune = []item{
	{"unknown fields and names", webhooks(hybrissim.Options{}), func(c *examined) {
		c.Extra(true)
		got := c.get(orders + "1?fields=FULL")
		c.is("order", got.tree["xAddedLater"] != nil, true)
		c.is("priceType", at(got.tree, "totalPrice", "priceType"), "FROM_A_LATER_RELEASE")
		ship(c.t, c.shop)
		c.is("webhook", at(c.last().body, "order", "xAddedLater") != nil, true)
	}},
	{"unknown states", hybrissim.Options{}, func(c *examined) {
		c.must(c.SetStatus(context.Background(), "1", "WAITING_FOR_A_DRONE"))
		c.is("order", c.get(orders + "1").tree["status"], "WAITING_FOR_A_DRONE")
	}},
	{"fields left out and mistyped", hybrissim.Options{}, func(c *examined) {
		press(c.t, c.shop, "POST", "/faults", `{"missing":["user"],"mistyped":["status"]}`)
		got := c.get(orders + "1")
		c.is("user", got.tree["user"], nil)
		c.is("status", length(got.tree["status"]), 1)
	}},
	{"latency", hybrissim.Options{}, func(c *examined) {
		c.Delay(3 * time.Second)
		c.get(orders + "1")
		c.is("waits", *c.waits, []time.Duration{3 * time.Second})
	}},
	{"server errors, every second request", hybrissim.Options{}, func(c *examined) {
		c.Fail(hybrissim.Failure{Status: 500, Every: 2})
		var got []int
		for range 4 {
			got = append(got, c.get(orders+"1").status)
		}
		c.is("statuses", got, []int{200, 500, 200, 500})
	}},
	{"away altogether, and behind a proxy's page", hybrissim.Options{}, func(c *examined) {
		c.Down(true)
		c.is("dropped", c.get(orders+"1").dropped, true)
		c.ClearFaults()
		c.Unavailable(true)
		c.is("page", strings.HasPrefix(c.get(orders+"1").body, "<html>"), true)
	}},
	{"an answer that gets lost after its effect", hybrissim.Options{}, func(c *examined) {
		c.UnknownOutcome(1)
		c.is("dropped", c.mine.post(tickets, complain).dropped, true)
		c.is("tickets", len(c.Tickets()), 1)
	}},
}
