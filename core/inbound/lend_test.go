package inbound_test

import (
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
	"tidings/core/inbound"
)

// inLent runs a test with the customers' own tokens.
func inLent(t *testing.T, test func(r *rig, d emulated, shop *hybrissim.Sim)) {
	inRig(t, func(r *rig) {
		desk, at := r.occ(hybris.TicketsCustomer)
		r.in.Desk = desk
		test(r, at, r.lends)
		for _, secret := range r.lends.Secrets() {
			if strings.Contains(r.log.String(), secret) {
				t.Errorf("the log tells a token:\n%s", r.log)
			}
		}
	})
}

// waiting is why the customers' questions wait.
func (r *rig) held() (why []string) {
	r.view(func(tx core.Tx) error {
		calls, err := tx.HeldCalls(time.Now(), 10)
		for _, c := range calls {
			why = append(why, c.Why)
		}
		return err
	})
	return why
}

func TestQuestionWaitsForItsCustomersTokenAndHoldsNobodyElses(t *testing.T) {
	inLent(t, func(r *rig, d emulated, _ *hybrissim.Sim) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.say(ada, "second")
		r.wantShown(ada, "thanks", "confirmation") // all the same
		r.wait(time.Hour)
		if why := r.held(); len(why) != 1 || !strings.Contains(why[0], "no token of the customer") {
			t.Errorf("got %q", why)
		}
		r.link(bob, "bob@shop", "")
		r.lend("bob@shop")
		r.say(bob, "mine")
		r.wantTickets(d, "bob@shop/ : mine")
		r.lend("ada@shop") // the next opt-in
		r.wait(time.Minute)
		r.wantTickets(d, "bob@shop/ : mine", "ada@shop/1001 : first| second")
	})
}

func TestTokenIsRenewedAsLongAsTheShopDoes(t *testing.T) {
	inLent(t, func(r *rig, d emulated, shop *hybrissim.Sim) {
		r.asks("first")
		r.wait(50 * time.Hour) // it lives for 12
		r.say(ada, "second")
		shop.ExpireTokens() // before its time
		r.say(ada, "third")
		r.wait(time.Minute)
		r.wantTickets(d, "ada@shop/1001 : first| second| third")
		shop.ExpireTokens()
		shop.RevokeRefresh()
		r.say(ada, "fourth")
		r.wait(time.Hour)
		r.wantTickets(d, "ada@shop/1001 : first| second| third")
		before := shop.Requests()["POST /oauth/token"]
		r.wait(time.Hour)
		if got := shop.Requests()["POST /oauth/token"]; got != before {
			t.Errorf("a token that is gone was presented %d times more", got-before)
		}
		r.lend("ada@shop")
		r.wait(time.Minute)
		r.wantTickets(d, "ada@shop/1001 : first| second| third| fourth")
	})
}

func TestSomebodyElsesTokenIsOfNoUse(t *testing.T) {
	inLent(t, func(r *rig, d emulated, shop *hybrissim.Sim) {
		r.link(ada, "ada@shop", "1001")
		access, refresh := shop.CustomerTokens("bob@shop", "storefront")
		r.offerAs(inbound.Wish{CustomerUID: "ada@shop", Purpose: core.OrderUpdates, Token: core.CustomerToken{Access: core.Secret(access), Refresh: core.Secret(refresh)}})
		r.say(ada, "first")
		r.wait(time.Minute)
		r.wantTickets(d)
		r.lend("ada@shop")
		r.wait(time.Minute)
		r.wantTickets(d, "ada@shop/1001 : first")
	})
}

func TestTokensAreSealedAndEndWithTheAccount(t *testing.T) {
	inLent(t, func(r *rig, d emulated, shop *hybrissim.Sim) {
		r.asks("first")
		sealed := func() (box []byte) {
			r.view(func(tx core.Tx) error {
				c, err := tx.CustomerByUID("ada@shop")
				if err == nil {
					box, _ = tx.ShopToken(c.ID) // none: nil
				}
				return err
			})
			return box
		}
		box := sealed()
		for _, secret := range shop.Secrets() {
			if strings.Contains(string(box), secret) {
				t.Error("the token is on the disk as it is")
			}
		}
		if len(box) == 0 {
			t.Error("the token is not kept")
		}
		r.eventsIn(core.Event{ID: "closed", Source: "/shop", Type: core.CustomerClosed, Time: time.Now(), Data: core.EventData{CustomerUID: "ada@shop"}})
		if got := sealed(); got != nil {
			t.Errorf("%d bytes of a token are left of a closed account", len(got))
		}
	})
}
