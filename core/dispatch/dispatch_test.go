package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/lane"
)

func rest(address int64) func(*core.Message) {
	return func(m *core.Message) { m.Rest = []core.Alternative{{Channel: "b", AddressID: address}} }
}

func TestTemporaryIsTriedAgainUntilItWorks(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		r.a.script(failFirst(3, core.SendError{Class: core.Temporary}))
		id := r.send(c, a, "one")
		second := r.send(c, a, "two")
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"one", "two"}, r.a.texts("1")); diff != "" {
			t.Error(diff)
		}
		r.wantState(id, core.MessageSent, "")
		r.wantState(second, core.MessageSent, "")
		r.wantSums()
	})
}

func TestTemporaryFailsOnlyWhileTheChannelWorksForOthers(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		other, oa := r.link("v", "a", "2")
		_, fallback := r.link("u", "b", "1")
		r.a.script(fail(core.Temporary))
		id := r.send(c, a, "one", rest(fallback))
		time.Sleep(3 * time.Hour)
		r.wantState(id, core.MessageSending, core.Temporary) // the channel as a whole is down: nothing counts

		r.a.script(func(to core.Address, _ core.Part) (core.Sent, error) {
			if to.Value == "1" {
				return core.Sent{}, &core.SendError{Class: core.Temporary}
			}
			return core.Sent{}, nil
		})
		for range 60 {
			r.send(other, oa, "x")
			time.Sleep(time.Minute)
		}
		r.wantState(id, core.MessageFailed, core.Temporary)
		if diff := cmp.Diff([]string{"one"}, r.b.texts("1")); diff != "" {
			t.Errorf("on the next channel: %s", diff)
		}
		r.wantSums()
	})
}

func TestThrottledWaitsExactlyAndCountsNoTry(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		other, oa := r.link("v", "a", "2")
		r.a.script(func() func(core.Address, core.Part) (core.Sent, error) {
			n := 12
			return func(to core.Address, _ core.Part) (core.Sent, error) {
				if to.Value == "1" && n > 0 {
					n--
					return core.Sent{}, &core.SendError{Class: core.Throttled, Scope: core.ScopeRecipient, RetryAfter: 7 * time.Second}
				}
				return core.Sent{}, nil
			}
		}())
		start := time.Now()
		id := r.send(c, a, "one")
		r.send(other, oa, "other")
		synctest.Wait()
		if got := r.a.texts("2"); len(got) != 1 {
			t.Errorf("another recipient was held up: got %v", got)
		}
		time.Sleep(12*7*time.Second + time.Millisecond)
		synctest.Wait()
		r.wantState(id, core.MessageSent, "")
		for i, s := range r.a.requestsMade() {
			if s.to != "1" || i < 2 {
				continue
			}
			want := time.Duration(i-1) * 7 * time.Second
			if got := s.at.Sub(start); got < want || got > want+100*time.Millisecond {
				t.Errorf("request %d: got after %s, want after %s", i, got, want)
			}
		}
	})
}

func TestThreeThrottledRecipientsAreTheChannelAlsoAfterARestart(t *testing.T) {
	inRig(t, func(r *rig) {
		start := time.Now()
		r.a.script(func(core.Address, core.Part) (core.Sent, error) {
			if time.Since(start) < 30*time.Second {
				return core.Sent{}, &core.SendError{Class: core.Throttled, RetryAfter: 30 * time.Second}
			}
			return core.Sent{}, nil
		})
		for i := range 20 {
			c, a := r.link(fmt.Sprint("u", i), "a", fmt.Sprint(i))
			r.send(c, a, "x")
			synctest.Wait()
		}
		if got := r.a.requests(); got != 3 {
			t.Errorf("got %d requests, want 3 and then a pause", got)
		}
		r.stop()
		r.start()
		c, a := r.link("late", "a", "99")
		r.send(c, a, "x")
		time.Sleep(29 * time.Second)
		if got := r.a.requests(); got != 3 {
			t.Errorf("after a restart: got %d requests before the time told, want 3", got)
		}
		time.Sleep(time.Minute)
		if got := len(r.a.allShown()); got != 21 {
			t.Errorf("got %d shown, want 21", got)
		}
	})
}

func TestRejectedGoesWholeToTheNextChannelAndTheLaneGoesOn(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		_, b := r.link("u", "b", "1")
		r.b.limits.Text.Max = 100
		r.outlets(nil)
		r.a.script(func(_ core.Address, p core.Part) (core.Sent, error) {
			if strings.Contains(p.Plain(), "bad") {
				return core.Sent{}, &core.SendError{Class: core.Rejected, Code: "400"}
			}
			return core.Sent{}, nil
		})
		id := r.send(c, a, "the first is bad here", rest(b))
		next := r.send(c, a, "two")
		synctest.Wait()
		r.wantState(id, core.MessageFailed, core.Rejected)
		r.wantState(next, core.MessageSent, "")
		if diff := cmp.Diff([]string{"the first is bad here"}, r.b.texts("1")); diff != "" {
			t.Error(diff)
		}
		r.wantSums()
	})
}

func TestUnreachableMovesEverythingThatWaits(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		_, b := r.link("u", "b", "1")
		r.a.slow(time.Second)
		r.a.script(fail(core.Unreachable))
		for i := range 5 {
			r.send(c, a, fmt.Sprint("m", i), rest(b))
		}
		alone := r.send(c, a, "alone")
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff([]string{"m0", "m1", "m2", "m3", "m4"}, r.b.texts("1")); diff != "" {
			t.Error(diff)
		}
		if got := r.a.requests(); got != 1 {
			t.Errorf("got %d requests to a blocked address, want 1", got)
		}
		r.wantState(alone, core.MessageFailed, core.Unreachable)
		r.wantSums()
	})
}

func TestMisconfiguredIsProbedOnceAMinuteAndLeftAfterAWhile(t *testing.T) {
	inRig(t, func(r *rig) {
		_, b := r.link("u0", "b", "b")
		r.a.script(fail(core.Misconfigured))
		var ids []int64
		for i := range 30 {
			c, a := r.link(fmt.Sprint("u", i), "a", fmt.Sprint(i))
			ids = append(ids, r.send(c, a, "x", func(m *core.Message) {
				if i == 0 {
					rest(b)(m)
				}
			}))
		}
		time.Sleep(10*time.Minute + time.Second)
		if got := r.a.requests(); got > 64+11 || got < 11 {
			t.Errorf("got %d requests in ten minutes, want those in flight at first and one probe a minute", got)
		}
		time.Sleep(6 * time.Minute)
		if err := r.out.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.wantState(ids[0], core.MessageFailed, core.Misconfigured)
		if got := r.b.texts("b"); len(got) != 1 {
			t.Errorf("on the next channel: got %v, want the message", got)
		}
		r.a.script(nil)
		time.Sleep(2 * time.Minute)
		if got := len(r.a.allShown()); got != 29 {
			t.Errorf("after the mend: got %d shown, want 29", got)
		}
		r.wantSums()
	})
}

// What may be a missing permission stops the channel after some tries, unless the
// channel works for others: then it is this message.
func TestTemporaryThatMayBeAMissingPermission(t *testing.T) {
	for _, works := range []bool{false, true} {
		inRig(t, func(r *rig) {
			refusal := &core.SendError{Class: core.Temporary, Tries: 2, Then: core.Misconfigured, Code: "1/99"}
			r.a.script(func(to core.Address, _ core.Part) (core.Sent, error) {
				if to.Value == "other" {
					return core.Sent{ID: "ok"}, nil
				}
				return core.Sent{}, refusal
			})
			c, a := r.link("ada", "a", "ada")
			other, b := r.link("other", "a", "other")
			id := r.send(c, a, "x")
			for range 30 {
				if works {
					r.send(other, b, "y")
				}
				time.Sleep(2 * time.Second)
			}
			if works {
				r.wantState(id, core.MessageFailed, core.Temporary)
			} else {
				r.wantState(id, core.MessageSending, core.Misconfigured)
			}
		})
	}
}

func TestUncertainIsRepeatedParkedOrSettledByTheEcho(t *testing.T) {
	for _, policy := range []string{"repeat", "park"} {
		t.Run(policy, func(t *testing.T) {
			inRig(t, func(r *rig) {
				c, a := r.link("u", "a", "1")
				r.a.script(failFirst(1, core.SendError{Class: core.Uncertain}))
				id := r.send(c, a, "one", func(m *core.Message) { m.Uncertain = policy })
				next := r.send(c, a, "two")
				time.Sleep(time.Minute)
				r.wantState(next, core.MessageSent, "")
				if policy == "park" {
					r.wantState(id, core.MessageParked, core.Uncertain)
					if err := r.out.Retry(context.Background(), id); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				r.wantState(id, core.MessageSent, "")
				r.wantSums()
			})
		})
	}
	t.Run("echo", func(t *testing.T) {
		inRig(t, func(r *rig) {
			c, a := r.link("u", "a", "1")
			r.a.limits.Echo = 5 * time.Second
			r.outlets(nil)
			r.a.script(failFirst(1, core.SendError{Class: core.Uncertain}))
			id := r.send(c, a, "one")
			time.Sleep(time.Second)
			r.do(func(tx *lane.Tx) error { // what core/inbound does with an echo
				p, err := tx.Part(id, 1)
				if err != nil {
					return err
				}
				p.State, p.PlatformID, p.SentAt = core.PartSent, "mid.1", time.Now()
				return tx.SavePart(p)
			})
			time.Sleep(time.Minute)
			r.wantState(id, core.MessageSent, "")
			if got := r.a.requests(); got != 1 {
				t.Errorf("got %d requests, want 1: the echo shows that it arrived", got)
			}
		})
	})
}

func TestResumesAtThePart(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		failed := false
		r.a.script(func(_ core.Address, p core.Part) (core.Sent, error) {
			if p.N == 3 && !failed {
				failed = true
				return core.Sent{}, &core.SendError{Class: core.Temporary}
			}
			return core.Sent{}, nil
		})
		r.send(c, a, "aaaa bbbb cccc dddd eeee ffff gggg hhhh")
		time.Sleep(time.Minute)
		want := []string{"aaaa bbbb", "cccc dddd", "eeee ffff", "gggg hhhh"}
		if diff := cmp.Diff(want, r.a.texts("1")); diff != "" {
			t.Error(diff)
		}
		if got := r.a.requests(); got != 5 {
			t.Errorf("got %d requests, want 5", got)
		}
	})
}

func TestWindowClosedTakesTheTemplateElseTheNextChannelElseFails(t *testing.T) {
	window := func(name string, s *dispatch.Settings) {
		if name == "a" {
			s.Limits.Window = core.Window{Reply: 24 * time.Hour, Human: 7 * 24 * time.Hour}
		}
	}
	template := func(m *core.Message) { m.Template = &core.Template{Name: "shipped", Params: []string{"1"}} }
	inRig(t, func(r *rig) {
		r.outlets(window)
		c, a := r.link("u", "a", "1")
		_, b := r.link("u", "b", "1")
		time.Sleep(25 * time.Hour)
		first := r.send(c, a, "one", template)
		second := r.send(c, a, "two", rest(b))
		third := r.send(c, a, "three")
		human := r.send(c, a, "four", func(m *core.Message) { m.Human = true })
		synctest.Wait()
		r.wantState(first, core.MessageSent, "")
		r.wantState(second, core.MessageFailed, core.WindowClosed)
		r.wantState(third, core.MessageFailed, core.WindowClosed)
		r.wantState(human, core.MessageSent, "")
		if diff := cmp.Diff([]string{"shipped(1)", "four"}, r.a.texts("1")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"two"}, r.b.texts("1")); diff != "" {
			t.Error(diff)
		}
		if got := r.a.allShown()[1].part.Standing; got != core.Human {
			t.Errorf("got standing %q, want %q", got, core.Human)
		}
		time.Sleep(7 * 24 * time.Hour)
		late := r.send(c, a, "five", func(m *core.Message) { m.Human = true })
		synctest.Wait()
		r.wantState(late, core.MessageFailed, core.WindowClosed)
		r.wantSums()
	})
	inRig(t, func(r *rig) { // the platform knows better than we do
		r.outlets(window)
		c, a := r.link("u", "a", "1")
		r.a.script(failFirst(1, core.SendError{Class: core.WindowClosed}))
		id := r.send(c, a, "one", template)
		synctest.Wait()
		r.wantState(id, core.MessageSent, "")
		if diff := cmp.Diff([]string{"shipped(1)"}, r.a.texts("1")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOptOutWhilePartsWait(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		r.a.slow(time.Second)
		id := r.send(c, a, "aaaa bbbb cccc dddd eeee ffff")
		queued := r.send(c, a, "two")
		note := r.send(c, a, "an agent's", func(m *core.Message) { m.Human = true })
		reply := r.send(c, a, "stopped", func(m *core.Message) { m.Reply = true })
		time.Sleep(500 * time.Millisecond)
		r.do(func(tx *lane.Tx) error {
			l, err := tx.LinkOf(a)
			if err != nil {
				return err
			}
			l.State, l.ChangedAt = core.LinkOptedOut, time.Now()
			return tx.SaveLink(l)
		})
		time.Sleep(time.Minute)
		answer := r.send(c, a, "later", func(m *core.Message) { m.Human = true })
		time.Sleep(time.Minute)
		r.wantState(note, core.MessageCancelled, "")
		r.wantState(answer, core.MessageSent, "")
		r.wantState(id, core.MessageCancelled, "")
		r.wantState(queued, core.MessageCancelled, "")
		r.wantState(reply, core.MessageSent, "")
		if diff := cmp.Diff([]string{"aaaa bbbb", "stopped", "later"}, r.a.texts("1")); diff != "" {
			t.Error(diff)
		}
		r.wantSums()
	})
}

// What is cancelled while its last part is on its way has arrived, and is told so.
func TestCancelledTooLateIsSent(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		r.a.slow(time.Second)
		id := r.send(c, a, "one")
		time.Sleep(500 * time.Millisecond)
		if err := r.out.Cancel(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		r.wantState(id, core.MessageCancelled, "")
		time.Sleep(time.Minute)
		r.wantState(id, core.MessageSent, "")
		r.wantSums()
	})
}

func TestExpiredCancelledAndRetried(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		r.a.script(fail(core.Temporary))
		id := r.send(c, a, "one", func(m *core.Message) { m.ExpiresAt = time.Now().Add(time.Hour) })
		other := r.send(c, a, "two")
		time.Sleep(time.Minute)
		if err := r.out.Cancel(context.Background(), other); err != nil {
			t.Fatal(err)
		}
		var state *dispatch.StateError
		if err := r.out.Cancel(context.Background(), other); !errors.As(err, &state) {
			t.Errorf("cancel twice: got %v, want its state", err)
		}
		time.Sleep(2 * time.Hour)
		r.wantState(id, core.MessageExpired, core.Temporary)
		r.a.script(nil)
		if err := r.out.Retry(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.wantState(id, core.MessageSent, "")
		r.wantState(other, core.MessageCancelled, "")
		if err := r.out.Retry(context.Background(), id); !errors.As(err, &state) {
			t.Errorf("retry of a sent one: got %v, want its state", err)
		}
		r.wantSums()
	})
}

func TestAMarkFoundAfterARestartIsUncertain(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		r.a.slow(time.Hour) // in flight when the process ends
		id := r.send(c, a, "one")
		next := r.send(c, a, "two")
		synctest.Wait()
		r.crash()
		r.a.slow(0)
		time.Sleep(time.Minute)
		r.wantState(id, core.MessageSent, "")
		r.wantState(next, core.MessageSent, "")
		var tries []core.Attempt
		r.view(func(tx core.Tx) error {
			var err error
			tries, err = tx.Attempts(id)
			return err
		})
		if len(tries) != 2 || tries[0].Class != core.Uncertain || tries[1].Class != "" {
			t.Errorf("got attempts %+v, want an uncertain one and a good one", tries)
		}
		time.Sleep(2 * time.Hour) // the abandoned engine's request ends
	})
}

func TestStopPutsBackWhatHasNotLeft(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "1")
		r.a.slow(time.Second)
		first := r.send(c, a, "one")
		second := r.send(c, a, "two")
		synctest.Wait()
		r.stop()
		r.start()
		r.a.slow(0)
		synctest.Wait()
		r.wantState(first, core.MessageSent, "")
		r.wantState(second, core.MessageSent, "")
		if got := r.a.requests(); got != 2 {
			t.Errorf("got %d requests, want 2: what was in flight is finished, the rest not uncertain", got)
		}
	})
}

func TestAMovedAddressKeepsItsLink(t *testing.T) {
	inRig(t, func(r *rig) {
		c, a := r.link("u", "a", "ref")
		r.a.script(func(to core.Address, _ core.Part) (core.Sent, error) {
			if to.Value == "ref" {
				return core.Sent{Moved: &core.Address{Value: "77"}}, nil
			}
			return core.Sent{}, nil
		})
		r.send(c, a, "one")
		r.send(c, a, "two")
		synctest.Wait()
		if diff := cmp.Diff([]string{"two"}, r.a.texts("77")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOrderAndOnceUnderFaults is promises 2, 4 and 5 in small: many recipients,
// random delays and faults; everything once, in order, never two at a time.
func TestOrderAndOnceUnderFaults(t *testing.T) {
	inRig(t, func(r *rig) {
		random := rand.New(rand.NewPCG(1, 2))
		r.a.slow(20 * time.Millisecond)
		r.a.script(func(core.Address, core.Part) (core.Sent, error) {
			switch n := random.IntN(100); {
			case n < 5:
				return core.Sent{}, &core.SendError{Class: core.Throttled, RetryAfter: time.Second}
			case n < 10:
				return core.Sent{}, &core.SendError{Class: core.Temporary}
			}
			return core.Sent{}, nil
		})
		const people, each = 20, 25
		type person struct{ c, a int64 }
		var all []person
		for i := range people {
			c, a := r.link(fmt.Sprint("u", i), "a", fmt.Sprint(i))
			all = append(all, person{c, a})
		}
		for n := range each {
			for _, p := range all {
				r.send(p.c, p.a, fmt.Sprintf("%03d", n))
			}
		}
		time.Sleep(24 * time.Hour)
		var want []string
		for n := range each {
			want = append(want, fmt.Sprintf("%03d", n))
		}
		for i := range people {
			if diff := cmp.Diff(want, r.a.texts(fmt.Sprint(i))); diff != "" {
				t.Errorf("recipient %d: %s", i, diff)
			}
		}
		if got := r.a.mostAtOnce(); got != 1 {
			t.Errorf("got %d requests to one recipient at once, want 1", got)
		}
		r.wantSums()
	})
}
