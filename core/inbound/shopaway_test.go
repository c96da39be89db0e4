package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
	"tidings/core/intake"
)

// wire carries requests to a handler in this process. A handler that gives up
// is a connection that broke.
type wire struct{ handler http.Handler }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	done := make(chan bool, 1)
	go func() {
		defer func() { done <- recover() == nil }()
		w.handler.ServeHTTP(answer, r)
	}()
	select {
	case whole := <-done:
		if !whole {
			return nil, errors.New("connection reset")
		}
		return answer.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// inShop runs a test against the emulated shop, by the client of the product.
func inShop(t *testing.T, test func(r *rig, sim *hybrissim.Sim)) {
	t.Helper()
	var sim *hybrissim.Sim
	inRigWith(t, func(r *rig) {
		sim = hybrissim.New(hybrissim.Options{
			BaseSites: []string{"site"}, ClientID: "tidings", ClientSecret: "s3cret", AllowTrustedTickets: true,
			TokenTTL: 300 * time.Second,
		})
		client := hybris.New(hybris.Options{
			BaseURL: "http://shop.test/occ/v2", TokenURL: "http://shop.test/authorizationserver/oauth/token",
			ClientID: "tidings", ClientSecret: "s3cret", Sites: []hybris.Site{{ID: "site"}}, HTTP: &http.Client{Transport: wire{sim}},
		})
		r.commerce, r.at = intake.Guard(client), client
	}, func(r *rig) { test(r, sim) })
}

// sell puts an order into the shop.
func sell(sim *hybrissim.Sim, code, uid, product string) {
	sim.AddOrder(hybrissim.Order{
		Code: code, Site: "site", UserUID: uid, UserName: "Name of " + uid, Status: "READY", Currency: "EUR",
		Lines:        []hybrissim.Line{{Code: "P-" + code, Name: product, Quantity: 1, Unit: 1250}},
		Consignments: []hybrissim.Consignment{{Code: "cons" + code + "_0", Status: "SHIPPED", TrackingID: "TRACK-" + code}},
	})
}

// tickets are what an agent sees: customer, order, and what the customer wrote.
func tickets(sim *hybrissim.Sim) []string {
	var all []string
	for _, ticket := range sim.Tickets() {
		line := ticket.CustomerUID + "/"
		if ticket.Associated != nil {
			line += ticket.Associated.Code
		}
		for _, e := range sim.CustomerEntries(ticket.ID) {
			line += " | " + e.Text
		}
		all = append(all, line)
	}
	return all
}

// TestTheShopIsAwayForTenMinutes: in the middle of a conversation nothing is
// lost, there is one ticket, and what was written and reported keeps its order.
func TestTheShopIsAwayForTenMinutes(t *testing.T) {
	for name, away := range map[string]func(sim *hybrissim.Sim, on bool){
		"connections break":         (*hybrissim.Sim).Down,
		"a proxy answers 503":       (*hybrissim.Sim).Unavailable,
		"answers come too late":     func(sim *hybrissim.Sim, on bool) { sim.Delay(map[bool]time.Duration{true: time.Minute}[on]) },
		"before the first question": (*hybrissim.Sim).Down,
		"and drops what it did": func(sim *hybrissim.Sim, on bool) {
			sim.Unavailable(on)
			if !on {
				sim.UnknownOutcome(1)
			}
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			inShop(t, func(r *rig, sim *hybrissim.Sim) {
				defer r.poll()()
				sell(sim, "1001", "ada@shop", "Mug")
				r.press(ada, r.offer("ada@shop", "1001")["a"].Token)
				want := []string{}
				say := func(text string) {
					want = append(want, text)
					r.say(ada, text)
				}
				if name != "before the first question" {
					say("question 0")
					r.wait(time.Minute)
				}
				away(sim, true)
				for i := 1; i <= 8; i++ {
					say(fmt.Sprint("question ", i))
					r.wait(time.Minute)
				}
				r.shopSays("order.shipped", "1001", "ada@shop")
				say("question 9")
				r.wait(2 * time.Minute)
				away(sim, false)
				say("question 10")
				r.wait(3 * time.Minute)
				if diff := cmp.Diff([]string{"ada@shop/1001 | " + strings.Join(want, " | ")}, tickets(sim)); diff != "" {
					t.Fatalf("tickets (-want +got):\n%s", diff)
				}
				if _, err := sim.AddNote(t.Context(), sim.Tickets()[0].ID, "It is on its way.", true, "kim"); err != nil {
					t.Fatal(err)
				}
				r.shopSays("order.delivered", "1001", "ada@shop")
				r.wait(3 * time.Minute)
				var news []string
				for _, text := range r.texts(ada) {
					for _, one := range []string{"is on its way", "It is on its way.", "delivered"} {
						if strings.Contains(text, one) {
							news = append(news, one)
						}
					}
				}
				if got := strings.Join(news, ", "); got != "is on its way, delivered, is on its way, It is on its way." && got != "is on its way, is on its way, It is on its way., delivered" {
					t.Errorf("got %q, want the parcel's news in order and the agent's note, each once", r.texts(ada))
				}
				r.conserved()
			})
		})
	}
}

// shopSays has the shop report something of an order.
func (r *rig) shopSays(typ core.EventType, order, uid string) {
	r.t.Helper()
	r.events++
	_, err := r.intake.Accept(context.Background(), []intake.Received{{Event: core.Event{
		ID: fmt.Sprint("s", r.events), Source: "/shop", Type: typ, Time: time.Now(), Site: "site",
		Data: core.EventData{OrderCode: order, CustomerUID: uid},
	}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.wait(100 * time.Millisecond)
}

func (r *rig) conserved() {
	r.t.Helper()
	r.view(func(tx core.Tx) error {
		sums, err := tx.Totals()
		if err == nil && (sums.Difference() != 0 || sums.Events[core.EventWaiting] != 0) {
			r.t.Errorf("got %+v, difference %d; want none waiting, difference 0", sums, sums.Difference())
		}
		return err
	})
}

// TestAnOrderFromTheShopsCache: the shop serves an order as it was ten seconds
// ago; what its event says of the parcel is newer, and its tracking is waited for.
func TestAnOrderFromTheShopsCache(t *testing.T) {
	inShop(t, func(r *rig, sim *hybrissim.Sim) {
		sim.AddOrder(hybrissim.Order{
			Code: "1001", Site: "site", UserUID: "ada@shop", Status: "READY", Currency: "EUR",
			Lines:        []hybrissim.Line{{Code: "P", Name: "Mug", Quantity: 1, Unit: 1250}},
			Consignments: []hybrissim.Consignment{{Code: "c0", Status: "PICKPACK", Packed: []hybrissim.Packed{{Line: 0, Quantity: 1}}}},
		})
		r.press(ada, r.offer("ada@shop", "1001")["a"].Token)
		r.wait(time.Minute)
		sim.StaleReads(10 * time.Second)
		if err := sim.Ship(t.Context(), "1001", "c0", "JD-1", "DHL", "https://track.example.com/JD-1"); err != nil {
			t.Fatal(err)
		}
		_, err := r.intake.Accept(context.Background(), []intake.Received{{Event: core.Event{
			ID: "k1", Source: "/shop", Type: core.OrderShipped, Time: time.Now(), Site: "site",
			Data: core.EventData{OrderCode: "1001", ConsignmentCode: "c0", State: "SHIPPED"},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		r.wait(6 * time.Second)
		r.wantShown(ada, "thanks")
		r.wait(20 * time.Second)
		if got := r.texts(ada); len(got) != 2 || !strings.Contains(got[1], "JD-1") || !strings.Contains(got[1], "DHL") {
			t.Errorf("got %q, want the parcel's tracking, once", got)
		}
	})
}
