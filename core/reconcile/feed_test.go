package reconcile_test

import (
	"context"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
	"tidings/core/reconcile"
)

func failure(path string, status int) hybrissim.Failure {
	return hybrissim.Failure{Status: status, Path: path, Type: "AccessDeniedError", Message: "no"}
}

func feedOnly(o *reconcile.Options) { o.Every, o.StatusFeed = 0, time.Minute }

// The feed is asked for what is new, and its cursor outlives the gateway.
func TestFeedGoesOnAfterARestart(t *testing.T) {
	inRig(t, feedOnly, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.order("1000", odile) // before the first reading, which only sets the cursor
		r.wait(2 * time.Minute)
		r.order("1001", odile)
		r.wait(2 * time.Minute)
		r.wantTold("order.placed 1001")
		r.down(3*time.Hour, func() { r.ok(r.sim.SetStatus(ctx, "1001", "ON_HOLD")) })
		r.wait(2 * time.Minute)
		r.wantTold("order.placed 1001", "order.on_hold 1001")
		r.wait(time.Hour)
		r.wantTold("order.placed 1001", "order.on_hold 1001")
		if e := r.event("1001///ON_HOLD"); e.Event.Source != poll(site) {
			t.Errorf("got the source %q", e.Event.Source)
		}
	})
}

// A shop keeps its feed in memory. What it has forgotten is found by reading.
func TestLostFeedIsMadeUpForByReading(t *testing.T) {
	inRig(t, func(o *reconcile.Options) { o.StatusFeed = time.Minute }, func(r *rig) {
		ctx := context.Background()
		r.link(odile)
		r.order("1001", odile)
		r.wait(5 * time.Minute)
		r.sim.Down(true)
		r.ok(r.sim.SetStatus(ctx, "1001", "CANCELLED"))
		r.sim.ForgetFeed()
		r.wait(10 * time.Minute)
		r.sim.Down(false)
		r.wait(30 * time.Minute)
		r.wantTold("order.placed 1001", "order.cancelled 1001")
	})
}

// A shop without a feed is not asked over and over, and everything else is read.
func TestShopWithoutAFeed(t *testing.T) {
	for _, status := range []int{401, 404, 500} {
		inRig(t, func(o *reconcile.Options) { o.StatusFeed = time.Minute }, func(r *rig) {
			r.sim.Fail(failure("/feeds/", status))
			r.link(odile)
			r.order("1001", odile)
			r.wait(3 * time.Hour)
			r.wantTold("order.placed 1001")
			if n := r.requests("/feeds/orders/statusfeed"); n < 2 || status != 500 && n > 4 {
				t.Errorf("%d: the feed was asked for %d times in three hours", status, n)
			}
		})
	}
}

// The feed names orders of everybody. Whose they are, the shop tells.
func TestFeedOfStrangers(t *testing.T) {
	inRig(t, feedOnly, func(r *rig) {
		r.link(odile)
		r.wait(2 * time.Minute)
		r.order("1001", "bent.holm@example.com")
		r.order("1002", odile)
		r.wait(5 * time.Minute)
		r.wantTold("order.placed 1002")
	})
}

// The feed comes after a reading and does not say when a state was reached: what the
// reading has seen is no news of the feed's, be it told or older than the link.
func TestFeedAfterAReading(t *testing.T) {
	inRig(t, func(o *reconcile.Options) { o.StatusFeed = time.Minute }, func(r *rig) {
		r.wait(2 * time.Minute)
		r.sim.Fail(hybrissim.Failure{Status: 503, Path: "/feeds/"})
		r.order("1001", odile)
		r.wait(10 * time.Second)
		r.link(odile)
		r.order("1002", odile)
		r.wait(time.Minute)
		r.wantTold("order.placed 1002")
		r.sim.ClearFaults()
		r.wait(5 * time.Minute)
		r.wantTold("order.placed 1002")
		if r.requests("/feeds/orders/statusfeed") < 3 {
			t.Error("the feed was not asked again")
		}
	})
}
