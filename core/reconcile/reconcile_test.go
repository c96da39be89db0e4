package reconcile_test

import (
	"context"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/hybris/hybrissim"
	"tidings/core/reconcile"
)

// A shop that reports nothing at all is heard all the same.
func TestLostPushesAreFound(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.wait(time.Minute)
		r.order("1001", odile)
		r.wait(25 * time.Hour) // an idle customer's list is read once a day
		r.wantTold("order.placed 1001")
		r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
		r.wait(2 * time.Hour) // after a day without news, once an hour
		r.wantTold("order.placed 1001", "order.shipped 1001")
		r.ok(r.sim.Deliver(ctx, "1001", parcel("1001")))
		r.ok(r.sim.SetStatus(ctx, "1001", "COMPLETED"))
		r.wait(20 * time.Minute)
		r.wantTold("order.placed 1001", "order.shipped 1001", "order.delivered 1001", "order.completed 1001")
		e := r.event("1001/" + parcel("1001") + "//SHIPPED")
		if e.Event.Source != poll(site) || e.Event.Data.State != "SHIPPED" || e.State != core.EventRouted {
			t.Errorf("got %+v, want an event that says that it was found by reading", e)
		}
		read := r.requests("/orders/{code}")
		r.wait(2 * 24 * time.Hour)
		if got := r.requests("/orders/{code}"); got != read {
			t.Errorf("an order that is done was read %d times more", got-read)
		}
		r.wantTold("order.placed 1001", "order.shipped 1001", "order.delivered 1001", "order.completed 1001")
	})
}

// What came by push and is read afterwards, or the other way round, is told once.
func TestPushedAndReadIsToldOnce(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.wait(time.Minute)
		r.order("1001", odile)
		r.push("order.placed", core.EventData{OrderCode: "1001"})
		r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
		shipped := core.EventData{OrderCode: "1001", ConsignmentCode: parcel("1001")}
		r.push("order.shipped", shipped)
		r.wait(25 * time.Hour)
		r.wantTold("order.placed 1001", "order.shipped 1001")
		if e := r.event("1001/" + parcel("1001") + "//SHIPPED"); e.State != core.EventSuppressed || e.Reason != "the same has been told before" {
			t.Errorf("got %s (%s), want what was read suppressed", e.State, e.Reason)
		}
		r.ok(r.sim.Deliver(ctx, "1001", parcel("1001")))
		r.wait(2 * time.Hour)
		r.push("order.shipped", shipped) // very late
		r.push("order.delivered", shipped)
		r.wantTold("order.placed 1001", "order.shipped 1001", "order.delivered 1001")
	})
}

// Whoever links a chat hears of what comes, not of what has been.
func TestWhatWasBeforeTheLinkIsNoNews(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		ctx := context.Background()
		r.order("1001", odile)
		r.order("1002", odile)
		r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
		r.ok(r.sim.SetStatus(ctx, "1002", "ON_HOLD"))
		r.wait(48 * time.Hour)
		r.link(odile)
		r.wait(time.Hour)
		r.wantTold()
		r.ok(r.sim.Deliver(ctx, "1001", parcel("1001")))
		r.ok(r.sim.SetStatus(ctx, "1002", "CANCELLED"))
		r.wait(4 * time.Hour)
		r.wantTold("order.cancelled 1002", "order.delivered 1001")
	})
}

// What happens while the gateway is down is found, and nothing is told again.
func TestReadingGoesOnAfterARestart(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.order("1001", odile)
		r.wait(2 * time.Minute)
		r.wantTold("order.placed 1001")
		r.down(30*time.Minute, func() { r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", "")) })
		r.wait(2 * time.Minute)
		r.wantTold("order.placed 1001", "order.shipped 1001")
		for range 3 {
			r.down(time.Minute, func() {})
			r.wait(2 * time.Hour)
		}
		r.wantTold("order.placed 1001", "order.shipped 1001")
	})
}

// A shop that is away, slow to come back, or broken for one customer costs time only.
func TestReadingGoesOnAfterTheShopWasAway(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		ctx := context.Background()
		const bent = "bent.holm@example.com"
		r.link(odile)
		r.link(bent)
		r.order("1001", odile)
		r.order("1002", bent)
		r.wait(2 * time.Minute)
		r.wantTold("order.placed 1001", "order.placed 1002")
		r.sim.Down(true)
		r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
		r.wait(10 * time.Minute)
		r.sim.Down(false)
		r.sim.Fail(hybrissim.Failure{Status: 500, Path: "/orders/1001"})
		r.ok(r.sim.Ship(ctx, "1002", "", "TRACK-2", "DHL", ""))
		r.wait(40 * time.Minute)
		r.wantTold("order.placed 1001", "order.placed 1002", "order.shipped 1002")
		r.sim.ClearFaults()
		r.wait(40 * time.Minute)
		r.wantTold("order.placed 1001", "order.placed 1002", "order.shipped 1002", "order.shipped 1001")
	})
}

func TestReturnsAreFound(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.order("1001", odile)
		r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
		r.ok(r.sim.Deliver(ctx, "1001", parcel("1001")))
		r.ok(r.sim.SetStatus(ctx, "1001", "COMPLETED"))
		r.wait(30 * time.Hour)
		before := len(r.told())
		ret, err := r.sim.AddReturn(ctx, "1001")
		r.ok(err)
		r.wait(25 * time.Hour) // the order is done: its customer's lists are read once a day
		r.ok(r.sim.SetReturnStatus(ctx, ret.Code, "RECEIVED"))
		r.wait(2 * time.Hour)
		r.ok(r.sim.SetReturnStatus(ctx, ret.Code, "PAYMENT_REVERSED"))
		r.wait(2 * time.Hour)
		if got := r.told()[before:]; len(got) != 3 || got[0] != "order.return_created 1001" || got[1] != "order.return_received 1001" || got[2] != "order.refunded 1001" {
			t.Errorf("got %q", got)
		}
	})
}

// An order that somebody says is theirs is read only as far as the shop agrees.
func TestAnotherCustomersOrderIsNotTold(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.link(odile)
		r.order("1001", "bent.holm@example.com")
		r.push("order.shipped", core.EventData{OrderCode: "1001", CustomerUID: odile})
		r.wait(26 * time.Hour)
		r.wantTold()
	})
}

// A guest has no list; their order is known from the opt-in or an event.
func TestGuestsOrderIsRead(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		const guest = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11|gil@example.com"
		o := r.order("1001", guest)
		r.link(guest)
		r.push("order.placed", core.EventData{OrderCode: o.Code, CustomerUID: guest})
		r.wait(time.Minute)
		r.ok(r.sim.Ship(context.Background(), "1001", "", "TRACK-1", "DHL", ""))
		r.wait(2 * time.Hour)
		r.wantTold("order.placed 1001", "order.shipped 1001")
		if n := r.requests("/users/{userId}/orders"); n != 0 {
			t.Errorf("a guest's list was asked for %d times", n)
		}
	})
}

// The shop gets no more requests than it was promised, and an order to which nothing
// happens gets less and less of them.
func TestReadingIsPaced(t *testing.T) {
	inRig(t, func(o *reconcile.Options) { o.PerSecond, o.OrdersFor = 0.5, 30*time.Hour }, func(r *rig) {
		for _, uid := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
			r.link(uid)
			r.order("of-"+uid, uid)
		}
		last := 0
		for range 12 {
			r.wait(10 * time.Second)
			now := len(r.sim.Calls())
			if now-last > 6+4 { // five, one that was due before, and those that tell of what was found
				t.Errorf("got %d requests in 10 s", now-last)
			}
			last = now
		}
		r.wait(6 * time.Hour)
		read := r.requests("/orders/{code}")
		r.wait(12 * time.Hour)
		if got := r.requests("/orders/{code}") - read; got < 4*12 || got > 4*30 {
			t.Errorf("got %d readings of 4 orders in the half day after the first hours without news", got)
		}
		r.wait(14 * time.Hour)
		read = r.requests("/orders/{code}")
		r.wait(6 * time.Hour)
		if got := r.requests("/orders/{code}"); got != read {
			t.Errorf("orders that are too old were read %d times", got-read)
		}
	})
}

func TestNothingIsReadWithoutAChat(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.order("1001", odile)
		r.push("order.placed", core.EventData{OrderCode: "1001", CustomerUID: odile})
		r.wait(20 * time.Hour)
		if n := r.requests("/users/{userId}/orders"); n != 0 {
			t.Errorf("got %d requests", n)
		}
	})
	inRig(t, func(o *reconcile.Options) { o.Every = 0 }, func(r *rig) {
		r.link(odile)
		r.wait(20 * time.Hour)
		if n := len(r.sim.Calls()); n != 0 {
			t.Errorf("every: 0: got %d requests", n)
		}
	})
}

// What a reload changes is in force with the next round: off, on, and another pace.
func TestSettingsChangeWhileReading(t *testing.T) {
	inRig(t, func(o *reconcile.Options) { o.Every = 0 }, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.order("1001", odile)
		r.wait(time.Hour)
		r.wantTold()
		on := reconcile.Settings{Every: 15 * time.Minute, OrdersFor: 30 * 24 * time.Hour, StatusFeed: time.Minute, PerSecond: 4}
		r.again.Set(reconcile.Settings{})
		r.again.Set(on) // the newer one counts
		r.wait(4 * time.Minute)
		r.wantTold("order.placed 1001")
		r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
		r.wait(16 * time.Minute)
		r.wantTold("order.placed 1001", "order.shipped 1001")
		r.again.Set(reconcile.Settings{})
		r.wait(time.Minute)
		before := len(r.sim.Calls())
		r.ok(r.sim.Deliver(ctx, "1001", parcel("1001")))
		r.wait(3 * time.Hour)
		if n := len(r.sim.Calls()); n != before {
			t.Errorf("off: got %d requests", n-before)
		}
		r.again.Set(on)
		r.wait(4 * time.Minute)
		r.wantTold("order.placed 1001", "order.shipped 1001", "order.delivered 1001")
	})
}

// A shop that answers, but not as one does (its client is refused for a while, a page
// of the place where it is being installed), has not said that an order is gone.
func TestRefusedForAWhileIsNotGone(t *testing.T) {
	for name, failing := range map[string]hybrissim.Failure{
		"the role is missing":  {Status: 401, Type: "AccessDeniedError", Message: "Access is denied"},
		"the client is locked": {Status: 401, Type: "invalid_client", Path: "/oauth/token"},
		"another page":         {Status: 404, Type: "-"},
		"moved":                {Status: 302, Type: "-"},
	} {
		inRig(t, func(o *reconcile.Options) { o.StatusFeed = 0 }, func(r *rig) {
			ctx := context.Background()
			r.link(odile)
			r.order("1001", odile)
			r.wait(time.Hour)
			r.sim.Fail(failing)
			r.sim.ExpireTokens()
			r.ok(r.sim.Ship(ctx, "1001", "", "TRACK-1", "DHL", ""))
			r.wait(time.Hour)
			r.sim.ClearFaults()
			r.wait(20 * time.Minute)
			if got := r.told(); len(got) != 2 || got[1] != "order.shipped 1001" {
				t.Errorf("%s: got %q within 20 min of the end of it, want the parcel", name, got)
			}
		})
	}
}
