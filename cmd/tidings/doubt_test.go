package main_test

import (
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

// TestShopDoubts: whatever a shop does where the documents are silent, its news
// arrive, a question becomes a ticket and its answer comes back. Every doubt is
// settled by its last answer, with bodies that have more in them than is known.
func TestShopDoubts(t *testing.T) {
	t.Parallel()
	answers := map[string]string{}
	for _, d := range hybrissim.Doubts() {
		answers[d.Name] = d.Answers[len(d.Answers)-1]
	}
	answers["order-key"] = "code" // nobody could find an order by a GUID that no event holds
	for _, style := range []hybrissim.Style{hybrissim.Webhook, hybrissim.Kyma} {
		t.Run(string(style), func(t *testing.T) {
			t.Parallel()
			w := start(t, atFullSpeed, func(c *conf) {
				c.shop = hybrissim.Options{Style: style, Answers: answers, TokenTTL: 300 * time.Second}
				c.Objects = "objects: [{name: OutboundOrder, is: order}, {name: OutboundConsignment, is: consignment}]"
			})
			p := w.customer(1)
			w.shop.Extra(true)
			w.link(telegramName, p)
			if err := w.shop.Ship(t.Context(), p.order, "", "JD0146", "DHL", ""); err != nil {
				t.Fatal(err)
			}
			w.awaitText(telegramName, p, "is on its way")
			w.say(telegramName, p, "Where is the lid?")
			ticket := w.ticket(p, 1)
			if _, err := w.shop.AddNote(t.Context(), ticket.ID, "In the second parcel.", true, "agent.lou"); err != nil {
				t.Fatal(err)
			}
			w.awaitText(telegramName, p, "In the second parcel.")
			for _, push := range w.shop.Pushes() {
				if push.Err != "" {
					t.Errorf("got push %+v, want it taken", push)
				}
			}
			if all := strings.Join(w.texts(telegramName, p), "\n"); strings.Contains(all, "LATER_RELEASE") || strings.Contains(all, "xAdded") {
				t.Errorf("the customer was told what nobody knows: %s", all)
			}
		})
	}
}
