package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

// TestShopStyles: a shop reports in its own words, without the customer; the
// news arrive all the same, in order.
func TestShopStyles(t *testing.T) {
	t.Parallel()
	for _, style := range []hybrissim.Style{hybrissim.Native, hybrissim.Kyma, hybrissim.KymaStructured, hybrissim.Webhook, hybrissim.Legacy, hybrissim.Process} {
		t.Run(string(style), func(t *testing.T) {
			t.Parallel()
			w := start(t, atFullSpeed, func(c *conf) {
				c.shop = hybrissim.Options{Style: style}
				c.Objects = "objects: [{name: OutboundOrder, is: order}, {name: OutboundConsignment, is: consignment}, {name: OutboundReturnRequest, is: return}, {name: OutboundTicketMessage, is: ticket_message}]"
				if style == hybrissim.Webhook {
					c.shop.Objects = hybrissim.Objects{Order: "OutboundOrder", Consignment: "OutboundConsignment", Return: "OutboundReturnRequest", TicketMessage: "OutboundTicketMessage"}
				}
			})
			p := w.customer(1)
			w.vouch(telegramName, p) // the order is not known yet: whose it is, the shop has to tell
			if err := w.shop.Ship(t.Context(), p.order, "", "JD0146", "DHL", ""); err != nil {
				t.Fatal(err)
			}
			if err := w.shop.Cancel(t.Context(), p.order); err != nil {
				t.Fatal(err)
			}
			w.settle()
			w.awaitText(telegramName, p, "has been cancelled")
			w.quiet()
			var news []string
			for _, text := range w.texts(telegramName, p) {
				first, _, _ := strings.Cut(text, "\n")
				news = append(news, first)
			}
			want := []string{"Your order " + p.order + " is on its way.", "Your order " + p.order + " has been cancelled."}
			if !slices.Equal(slices.DeleteFunc(slices.Clone(news), func(s string) bool { return !slices.Contains(want, s) }), want) {
				t.Errorf("got %q, want %q in this order, once each", news, want)
			}
			for _, push := range w.shop.Pushes() {
				if push.Err != "" || len(push.Statuses) != 1 {
					t.Errorf("got push %+v, want it taken at once", push)
				}
			}
		})
	}
}

// TestSlowReadKeepsOrder: an event that needs the shop is not overtaken by
// later ones of the same customer.
func TestSlowReadKeepsOrder(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(slackName, p)
	w.shop.Delay(300 * time.Millisecond)
	w.report("order.approved", obj{"orderCode": p.order}) // whose it is, the shop tells
	w.report("order.shipped", obj{"orderCode": p.order, "customerUid": p.uid})
	w.report("order.delivered", obj{"orderCode": p.order})
	all := w.awaitMore(slackName, p, 3)
	for i, want := range []string{"has been approved", "is on its way", "has been delivered"} {
		if !strings.Contains(all[i].Text, want) {
			t.Errorf("got %q at place %d, want %q", all[i].Text, i, want)
		}
	}
}

// TestBatchKeepsOrder: a batch is taken in its own order.
func TestBatchKeepsOrder(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p, q := w.customer(1), w.customer(2)
	w.vouch(telegramName, p)
	w.vouch(slackName, q)
	var events []obj
	for k := range 200 {
		for _, x := range []person{p, q} {
			events = append(events, cloudEvent(fmt.Sprintf("%s-%d", x.uid, k), "message.requested", obj{"customerUid": x.uid, "text": words(k)}))
		}
	}
	w.want(http.StatusAccepted, http.MethodPost, "/v1/events", events, nil, header{"Content-Type", batch})
	for channel, x := range map[string]person{telegramName: p, slackName: q} {
		for k, m := range w.awaitMore(channel, x, 200) {
			if m.Text != words(k) {
				t.Fatalf("%s: got %q at place %d, want %q", channel, m.Text, k, words(k))
			}
		}
	}
}

// TestRepeats: the same news by two ways, or a state that is behind, is told once.
func TestRepeats(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	parcel := obj{"orderCode": p.order, "customerUid": p.uid, "consignmentCode": "cons" + p.order + "_0"}
	w.report("order.shipped", parcel)
	again := w.report("order.shipped", parcel)
	w.report("order.delivered", parcel)
	behind := w.report("order.out_for_delivery", parcel)
	w.quiet()
	if got := w.texts(telegramName, p); len(got) != 2 {
		t.Errorf("got %q, want shipped and delivered only", got)
	}
	for _, id := range []string{again, behind} {
		var e struct{ State, Reason string }
		w.want(http.StatusOK, http.MethodGet, "/v1/events/"+id, nil, &e)
		if e.State != "suppressed" || e.Reason == "" {
			t.Errorf("got %+v, want it suppressed, with the reason", e)
		}
	}
}

// TestRenamed: a customer who has another uid now is the same customer.
func TestRenamed(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.report("customer.renamed", obj{"customerUid": "renamed@example.com", "previousUid": p.uid})
	w.report("message.requested", obj{"customerUid": "renamed@example.com", "text": "By your new name"})
	w.awaitText(telegramName, p, "By your new name")
	w.want(http.StatusNotFound, http.MethodGet, "/v1/customers/"+url.PathEscape(p.uid), nil, nil)
	w.report("customer.closed", obj{"customerUid": "renamed@example.com"})
	w.quiet()
	before := len(w.shown(telegramName, p))
	w.report("message.requested", obj{"customerUid": "renamed@example.com", "text": "Too late"})
	w.quiet()
	if got := w.texts(telegramName, p)[before:]; len(got) > 0 {
		t.Errorf("got %q after the account was closed, want nothing", got)
	}
}

// TestClosedTicket: a question after the ticket is closed opens another one.
func TestClosedTicket(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.link(telegramName, p)
	w.say(telegramName, p, "First?")
	ticket := w.ticket(p, 1)
	if err := w.shop.SetTicketStatus(t.Context(), ticket.ID, "CLOSED", "Done, closing.", "smith"); err != nil {
		t.Fatal(err)
	}
	w.awaitText(telegramName, p, "Done, closing.")
	w.quiet()
	w.say(telegramName, p, "Another thing?")
	eventually(t, "there are two tickets", func() error {
		if got := len(w.tickets(p)); got != 2 {
			return fmt.Errorf("got %d", got)
		}
		return nil
	})
	w.wantEntries(w.tickets(p)[0].ID, "Another thing?")
}

// TestForeignOrder: nobody is told of another customer's order, whatever an
// event claims.
func TestForeignOrder(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, q := w.customer(1), w.customer(2)
	w.vouch(telegramName, p)
	w.report("order.shipped", obj{"orderCode": q.order, "customerUid": p.uid})
	w.optIn(slackName, p.chats[slackName], w.offer(p, obj{"orderCode": q.order}).ref(slackName), "")
	w.quiet()
	for _, channel := range []string{telegramName, slackName} {
		if told(w.shown(channel, p), "lamp") {
			t.Errorf("%s: got %q, want nothing of another's order", channel, w.texts(channel, p))
		}
	}
}
