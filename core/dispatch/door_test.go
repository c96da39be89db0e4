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

// A complaint is obeyed, and what it asks for is all: the next one, soon after, says
// that the platform takes less than it is documented to.
func TestASecondComplaintSlowsTheChannel(t *testing.T) {
	inRig(t, func(r *rig) {
		const rate, people, each = 20, 100, 10
		r.a.limits.Pace = core.Pace{PerSecond: rate, Burst: 1}
		n := 0
		r.a.script(func(core.Address, core.Part) (core.Sent, error) {
			if n++; n == 100 || n == 300 {
				return core.Sent{}, &core.SendError{Class: core.Throttled, Scope: core.ScopeChannel, RetryAfter: 2 * time.Second}
			}
			return core.Sent{}, nil
		})
		r.outlets(nil)
		for i := range people {
			c, a := r.link(fmt.Sprint("u", i), "a", fmt.Sprint(i))
			for n := range each {
				r.send(c, a, fmt.Sprint(n))
			}
		}
		time.Sleep(2 * time.Minute)
		var times []time.Time
		for _, s := range r.a.requestsMade() {
			times = append(times, s.at)
		}
		if len(times) != people*each+2 {
			t.Fatalf("%d requests, want %d", len(times), people*each+2)
		}
		slices.SortFunc(times, time.Time.Compare)
		after := func(n int) (pause time.Duration, perSecond float64) {
			return times[n].Sub(times[n-1]), 100 / times[n+100].Sub(times[n]).Seconds()
		}
		if pause, got := after(100); pause < 2*time.Second || got < 0.95*rate {
			t.Errorf("after the first complaint: %v, then %.1f/s, want what was asked for, then %d/s", pause, got, rate)
		}
		if pause, got := after(300); pause < 2*time.Second || got > 0.7*rate || got < 0.4*rate {
			t.Errorf("after the second: %v, then %.1f/s, want what was asked for, then about half", pause, got)
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
