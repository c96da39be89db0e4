package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/dispatch"
)

// Promise 6, where parts really leave: a channel whose burst and rate together are
// more than its platform takes in a second keeps to the second all the same, uses
// it, and does so over a restart.
func TestNoSecondSeesMoreThanTheRate(t *testing.T) {
	inRig(t, func(r *rig) {
		const rate, people, each = 20, 40, 10
		r.a.limits.Pace = core.Pace{PerSecond: rate, Burst: rate}
		r.a.slow(200 * time.Millisecond)
		r.outlets(nil)
		for i := range people {
			c, a := r.link(fmt.Sprint("u", i), "a", fmt.Sprint(i))
			for n := range each {
				r.send(c, a, fmt.Sprint(n))
			}
		}
		time.Sleep(5 * time.Second)
		r.stop()
		r.start()
		time.Sleep(time.Minute)
		var times []time.Time
		for _, s := range r.a.requestsMade() {
			times = append(times, s.at)
		}
		slices.SortFunc(times, time.Time.Compare)
		if len(times) != people*each {
			t.Fatalf("%d requests, want %d", len(times), people*each)
		}
		for i := rate; i < len(times); i++ {
			if got := times[i].Sub(times[i-rate]); got < time.Second {
				t.Fatalf("%d requests within %v", rate+1, got)
			}
		}
		if took := times[len(times)-1].Sub(times[0]); took.Seconds()*rate*0.98 > people*each {
			t.Errorf("took %v, want nearly %d/s", took, rate)
		}
	})
}

// What waits to leave when the process stops, or its lease ends, does not leave.
func TestWhatWaitsToLeaveObeysItsContext(t *testing.T) {
	p := newPlatform()
	o := dispatch.NewOutlet(dispatch.Settings{Name: "a", Channel: p, Limits: core.Limits{Pace: core.Pace{PerSecond: 0.001, Burst: 1}}})
	ctx := t.Context()
	if _, err := o.Send(ctx, core.Address{Value: "1"}, core.Part{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, err := o.Send(ctx, core.Address{Value: "2"}, core.Part{})
	if got := core.ClassOf(err); got != core.Temporary || p.requests() != 1 {
		t.Errorf("got %v after %d requests, want a temporary error and one request", err, p.requests())
	}
}
