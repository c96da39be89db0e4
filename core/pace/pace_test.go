package pace_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/core"
	"tidings/core/pace"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

// drain takes at now until nothing is left.
func drain(b *pace.Bucket, now time.Time) int {
	for n := 0; ; n++ {
		if ok, _ := b.Take(now); !ok || n == 1e6 {
			return n
		}
	}
}

func TestBucketBurstsThenKeepsItsRate(t *testing.T) {
	b := pace.New(5, 3)
	if got := drain(&b, noon); got != 3 {
		t.Errorf("took %d at once, want the burst of 3", got)
	}
	for i := 1; i <= 10; i++ {
		want := after(time.Duration(i) * 200 * time.Millisecond)
		ok, at := b.Take(want.Add(-1))
		if ok || !at.Equal(want) {
			t.Fatalf("take %d a nanosecond early = %v, %v; want false, %v", i, ok, at, want)
		}
		if ok, _ := b.Take(want); !ok {
			t.Fatalf("take %d refused at the time it was told", i)
		}
	}
	if got := drain(&b, after(time.Hour)); got != 3 {
		t.Errorf("took %d after an hour of rest, want the burst of 3", got)
	}
}

func TestColdBucketHoldsOneToken(t *testing.T) {
	b := pace.NewCold(10, 50)
	if got := drain(&b, noon); got != 1 {
		t.Errorf("took %d at start, want 1", got)
	}
	if got := drain(&b, after(time.Minute)); got != 50 {
		t.Errorf("took %d a minute later, want the burst of 50", got)
	}
}

func TestNoRateIsNoLimit(t *testing.T) {
	for _, rate := range []float64{0, -1} {
		b := pace.New(rate, 0)
		for range 1000 {
			if ok, _ := b.Take(noon); !ok {
				t.Fatalf("rate %v refused", rate)
			}
		}
		b.Pause(after(time.Second))
		if ok, at := b.Take(noon); ok || !at.Equal(after(time.Second)) {
			t.Errorf("rate %v, paused: Take = %v, %v; want false, %v", rate, ok, at, after(time.Second))
		}
	}
}

func TestPauseIsObeyedToTheNanosecondAndEndsWithoutABurst(t *testing.T) {
	b := pace.New(100, 100)
	b.Pause(after(30 * time.Second))
	b.Pause(after(10 * time.Second)) // shortens nothing
	if got := b.Next(noon); !got.Equal(after(30 * time.Second)) {
		t.Errorf("Next = %v, want %v", got, after(30*time.Second))
	}
	if ok, _ := b.Take(after(30*time.Second - 1)); ok {
		t.Error("took a nanosecond before the end")
	}
	if got := drain(&b, after(30*time.Second)); got != 1 {
		t.Errorf("took %d at the end, want 1", got)
	}
	if got := b.Next(after(30 * time.Second)); !got.Equal(after(30*time.Second + 10*time.Millisecond)) {
		t.Errorf("Next after the end = %v", got)
	}
}

// A pause must not be a way to a token that the rate would not have given.
func TestPauseGivesNothing(t *testing.T) {
	b := pace.New(1, 1)
	b.Take(noon)
	b.Pause(after(100 * time.Millisecond))
	if got := b.Next(noon); !got.Equal(after(time.Second)) {
		t.Errorf("Next = %v, want %v", got, after(time.Second))
	}
}

func TestGiveReturnsATokenWithinTheBurst(t *testing.T) {
	b := pace.New(1, 2)
	b.Take(noon)
	for range 5 {
		b.Give()
	}
	if got := drain(&b, noon); got != 2 {
		t.Errorf("took %d, want the burst of 2", got)
	}
}

func TestThrottledHalvesAndRecoversWithinAMinute(t *testing.T) {
	b := pace.New(100, 1)
	drain(&b, noon)
	b.Throttled(noon)
	// Just after: 50/s, so the next token takes 20 ms instead of 10.
	if got := b.Next(noon).Sub(noon); got < 19*time.Millisecond || got > 20*time.Millisecond {
		t.Errorf("first token after %v, want just under 20ms", got)
	}
	for range 10 {
		b.Throttled(noon)
	}
	// Never under a tenth: 10/s.
	if got := b.Next(noon).Sub(noon); got < 90*time.Millisecond || got > 100*time.Millisecond {
		t.Errorf("first token after %v, want just under 100ms", got)
	}
	taken := takeAll(&b, noon, after(time.Minute))
	if want := 55.0 * 60; math.Abs(float64(taken)-want) > 2 {
		t.Errorf("took %d in the minute of recovery, want %v", taken, want)
	}
	taken = takeAll(&b, after(time.Minute), after(2*time.Minute))
	if want := 6000; taken < want-1 || taken > want+1 {
		t.Errorf("took %d in the minute after, want %d", taken, want)
	}
}

// takeAll takes whatever Next offers between two times.
func takeAll(b *pace.Bucket, from, to time.Time) int {
	n := 0
	for now := b.Next(from); now.Before(to); now = b.Next(now) {
		if ok, _ := b.Take(now); ok {
			n++
		}
	}
	return n
}

func TestSetRateCountsFromNow(t *testing.T) {
	b := pace.New(1, 10)
	drain(&b, noon)
	b.SetRate(10, after(500*time.Millisecond)) // half a token until here
	if got, want := b.Next(noon), after(550*time.Millisecond); !got.Equal(want) {
		t.Errorf("Next = %v, want %v", got, want)
	}
	unlimited := pace.New(0, 10)
	unlimited.SetRate(1, noon)
	if got := drain(&unlimited, noon); got != 1 {
		t.Errorf("took %d after a limit came, want 1", got)
	}
}

// Promise 1 and 2, for any mixture of calls: in no stretch of time more than
// burst + rate*t, and what Next says is true.
func TestNoWindowHoldsMoreThanBurstAndRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.01, 1000).Draw(t, "rate")
		burst := rapid.IntRange(1, 50).Draw(t, "burst")
		b := pace.New(rate, burst)
		now := noon
		var taken []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 12).Draw(t, "what") {
			case 0:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "rest")))
			case 1:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "wait")))
			case 2:
				b.Throttled(now)
			case 3:
				b.Pause(now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause"))))
			case 4:
				if len(taken) > 0 {
					b.Give()
					taken = taken[:len(taken)-1]
				}
			case 5, 6, 7:
				next := b.Next(now)
				if next.After(now) {
					early := b
					if ok, _ := early.Take(next.Add(-time.Microsecond)); ok {
						t.Fatalf("took before the time told, %v", next)
					}
				}
				if ok, at := b.Take(next); !ok {
					t.Fatalf("refused at the time told (%v), told now: %v", next, at)
				}
				now = next
				taken = append(taken, now)
			default:
				if ok, _ := b.Take(now); ok {
					taken = append(taken, now)
				}
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				most := float64(burst) + rate*taken[j].Sub(taken[i]).Seconds() + 1e-6
				if got := j - i + 1; float64(got) > most {
					t.Fatalf("took %d in %v, want at most %v", got, taken[j].Sub(taken[i]), most)
				}
			}
		}
	})
}

func TestNextHasNoEffect(t *testing.T) {
	b := pace.New(3, 2)
	b.Take(noon)
	b.Throttled(noon)
	before := b
	b.Next(after(time.Second))
	if b != before {
		t.Errorf("bucket after Next = %+v, want %+v", b, before)
	}
}

func TestOneRecipientDelaysNoOther(t *testing.T) {
	l := pace.NewLimiter(core.Pace{PerRecipient: 1, RecipientBurst: 1})
	l.Take("a", noon)
	l.PauseKey("b", after(time.Minute))
	for key, want := range map[string]time.Time{"a": after(time.Second), "b": after(time.Minute), "c": noon} {
		if got := l.Next(key, noon); !got.Equal(want) {
			t.Errorf("Next(%s) = %v, want %v", key, got, want)
		}
	}
}

func TestLimiterTakesBothTokensOrNone(t *testing.T) {
	l := pace.NewLimiter(core.Pace{PerSecond: 10, Burst: 10, PerRecipient: 1, RecipientBurst: 1})
	if ok, _, _ := l.Take("a", noon); !ok {
		t.Fatal("first take refused")
	}
	// The channel starts cold: its next token comes after 100.8 ms.
	if ok, at, _ := l.Take("b", noon); ok || !at.Equal(after(100_800*time.Microsecond)) {
		t.Errorf("Take(b) = %v, %v; want false, %v", ok, at, after(100_800*time.Microsecond))
	}
	// A refused recipient leaves the channel's token to others.
	now := after(101_200 * time.Microsecond)
	if ok, at, _ := l.Take("a", now); ok || !at.Equal(after(time.Second)) {
		t.Errorf("Take(a) = %v, %v; want false, %v", ok, at, after(time.Second))
	}
	if ok, _, _ := l.Take("b", now); !ok {
		t.Error("Take(b) refused although a token is there")
	}
	l.Give("b")
	if ok, _, _ := l.Take("b", now); !ok {
		t.Error("Take(b) refused after Give")
	}
}

func TestLimiterPausesAndSlowsTheChannel(t *testing.T) {
	l := pace.NewLimiter(core.Pace{PerSecond: 10, Burst: 1})
	l.Pause(after(time.Second))
	if got := l.Next("a", noon); !got.Equal(after(time.Second)) {
		t.Errorf("Next = %v, want %v", got, after(time.Second))
	}
	l.Take("a", after(time.Second))
	l.Throttled(after(time.Second))
	if got := l.Next("b", after(time.Second)).Sub(after(time.Second)); got < 150*time.Millisecond || got > 210*time.Millisecond {
		t.Errorf("token after %v, want well over the usual 101ms", got)
	}
}

func TestMemoryIsBoundedByBusyRecipients(t *testing.T) {
	for name, p := range map[string]core.Pace{
		"paced":     {PerRecipient: 1, RecipientBurst: 2},
		"unlimited": {},
	} {
		l := pace.NewLimiter(p)
		now, most := noon, 0
		for i := range 100_000 {
			now = now.Add(10 * time.Millisecond) // 100 a second, each busy for one
			key := fmt.Sprint(i)
			l.Take(key, now)
			if name == "unlimited" {
				l.PauseKey(key, now.Add(time.Second))
			}
			most = max(most, l.Len())
		}
		if most > 1100 {
			t.Errorf("%s: remembers %d recipients, want about a thousand at most", name, most)
		}
	}
}

func TestBusyRecipientsAreNotForgotten(t *testing.T) {
	l := pace.NewLimiter(core.Pace{PerRecipient: 0.001, RecipientBurst: 1})
	l.Take("slow", noon)
	l.PauseKey("paused", after(time.Hour))
	l.Take("throttled", noon)
	l.ThrottledKey("throttled", noon)
	for i := range 5000 {
		l.Take(fmt.Sprint(i), after(time.Millisecond))
	}
	for key, want := range map[string]time.Time{"slow": after(1000 * time.Second), "paused": after(time.Hour)} {
		if got := l.Next(key, after(time.Second)); !got.Equal(want) {
			t.Errorf("Next(%s) = %v, want %v", key, got, want)
		}
	}
	if got := l.Next("throttled", after(time.Second)); !got.After(after(1000 * time.Second)) {
		t.Errorf("Next(throttled) = %v, want later than without the slow-down", got)
	}
}

func BenchmarkLimiterTake(b *testing.B) {
	l := pace.NewLimiter(core.Pace{PerSecond: 1e9, Burst: 1000, PerRecipient: 1, RecipientBurst: 5})
	keys := make([]string, 4096)
	for i := range keys {
		keys[i] = fmt.Sprint("recipient-", i)
	}
	b.ReportAllocs()
	now := noon
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Microsecond)
		l.Take(keys[i%len(keys)], now)
	}
}
