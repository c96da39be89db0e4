package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tidings/core/hybris/hybrissim"
)

const guestGUID = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11"

// guest makes a guest with a mail address, an order of their own and the n-th customer's chats.
func (w *world) guest(n int, mail string) person {
	w.Helper()
	p := w.customer(n)
	p.uid = guestGUID + "|" + mail
	o := hybrissim.SampleOrder(fmt.Sprintf("0049%04d", n), p.uid, site)
	o.Guest, o.GUID = true, guestGUID
	p.order = w.shop.AddOrder(o).Code
	w.private = append(w.private, guestGUID)
	return p
}

// eventState is what has become of an event.
func (w *world) eventState(id string) (state, reason string) {
	w.Helper()
	var got struct{ State, Reason string }
	w.want(http.StatusOK, http.MethodGet, "/v1/events/"+url.PathEscape(id), nil, &got)
	return got.State, got.Reason
}

// TestGuest: a guest from the opt-in to the news of the order, the ticket and the
// agent's answer.
func TestGuest(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.guest(1, "ines1.vidal@example.com") // which is a customer's, too
	w.link(telegramName, p)
	w.report("order.shipped", obj{"orderCode": p.order, "consignmentCode": "cons" + p.order + "_0"})
	w.awaitText(telegramName, p, "on its way")
	w.say(telegramName, p, "Can I change the address?")
	w.quiet()
	ticket := w.ticket(p, 1)
	if ticket.Associated == nil || ticket.Associated.Code != p.order {
		t.Errorf("got the ticket %+v, want it about the order %s", ticket, p.order)
	}
	if _, err := w.shop.AddNote(t.Context(), ticket.ID, "Yes, until tomorrow.", true, "smith"); err != nil {
		t.Fatal(err)
	}
	w.awaitText(telegramName, p, "Yes, until tomorrow.")
}

// TestGuestRegisters: the shop gives a guest who registers another uid, and tells
// nobody. Their chat goes on: news of the order, questions, answers; and nobody
// says that what they asked is closed.
func TestGuestRegisters(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.guest(1, "walk.in@example.com")
	w.link(telegramName, p)
	w.say(telegramName, p, "Can I change the address?")
	w.quiet()
	w.ticket(p, 1)
	w.shop.LosePushes(1)
	_, account, _ := strings.Cut(p.uid, "|")
	if err := w.shop.Rename(t.Context(), p.uid, account); err != nil {
		t.Fatal(err)
	}
	w.say(telegramName, p, "And as a customer?")
	w.quiet()
	registered := p
	registered.uid = account
	ticket := w.ticket(registered, 2)
	if _, err := w.shop.AddNote(t.Context(), ticket.ID, "Yes, until tomorrow.", true, "smith"); err != nil {
		t.Fatal(err)
	}
	w.awaitText(telegramName, p, "Yes, until tomorrow.")
	w.report("order.shipped", obj{"orderCode": p.order, "customerUid": account, "consignmentCode": "cons" + p.order + "_0"})
	w.awaitText(telegramName, p, "on its way")
	for _, said := range w.texts(telegramName, p) {
		if strings.Contains(said, "is closed") {
			t.Errorf("the customer is told %q", said)
		}
	}
}

// TestAccount: what happens to an account is told, links follow and end, and no
// token of the shop is kept.
func TestAccount(t *testing.T) {
	t.Parallel()
	const token = "one-time-token-of-the-shop"
	w := start(t, atFullSpeed)
	w.private = append(w.private, token)
	p := w.customer(1)
	w.link(telegramName, p)
	for typ, text := range map[string]string{
		"customer.address_changed": "An address in your account", "customer.email_changed": "The e-mail address", "customer.password_changed": "The password",
	} {
		w.report(typ, obj{"customerUid": p.uid, "token": token, "text": token, "note": obj{"id": "1", "text": token}})
		w.awaitText(telegramName, p, text)
	}
	status, _, raw := w.ask(http.MethodPost, w.api("/v1/events"), cloudEvent("forgotten", "sap.kyma.custom.shop.password.forgotten.v1", obj{"customerUid": p.uid, "token": token}))
	if status != http.StatusAccepted || !strings.Contains(string(raw), "ignored") {
		t.Errorf("password.forgotten: got %d %s, want it ignored", status, raw)
	}
	before := p.uid
	p.uid = "renamed@example.com"
	w.report("customer.renamed", obj{"customerUid": p.uid, "previousUid": before})
	w.awaitText(telegramName, p, "The login of your account")
	w.tell(p, "Still here")
	w.awaitText(telegramName, p, "Still here")
	unused := w.offer(p)
	w.report("customer.closed", obj{"customerUid": p.uid})
	w.awaitText(telegramName, p, "has been closed")
	w.quiet()
	if got := w.linked(p); len(got) > 0 {
		t.Errorf("got links %q, want none", got)
	}
	if state, reason := w.eventState(w.tell(p, "Not any more")); state == "routed" {
		t.Errorf("after the closing: got %s (%s), want it suppressed", state, reason)
	}
	w.optIn(slackName, p.chats[slackName], unused.ref(slackName), "")
	w.quiet()
	if got := w.linked(p); len(got) > 0 {
		t.Errorf("an offer from before the closing links %q", got)
	}
	for _, where := range []string{readDatabase(t, w), strings.Join(w.texts(telegramName, p), "\n")} {
		if strings.Contains(where, token) {
			t.Error("the shop's token is kept")
		}
	}
}
