package route

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/core"
)

var (
	names4  = []string{"messenger", "telegram", "slack", "sms"}
	channel = rapid.SampledFrom(names4)
)

// anyCase draws facts, one rule and candidates that have something to do with
// each other.
func anyCase(t *rapid.T) (Rule, Facts, []Candidate) {
	r := Rule{
		Name:     "r",
		Channels: rapid.SliceOfNDistinct(channel, 1, 4, rapid.ID).Draw(t, "channels"),
		Deliver:  rapid.SampledFrom([]Deliver{All, First, Fallback}).Draw(t, "deliver"),
	}
	f := Facts{
		Event:   rapid.SampledFrom([]core.EventType{core.OrderShipped, core.TicketNoteAdded, core.Answer, core.ThankYou}).Draw(t, "event"),
		Purpose: core.OrderUpdates, Now: now,
		Human: rapid.Bool().Draw(t, "human"),
	}
	if rapid.Bool().Draw(t, "has only") {
		f.Only = Chat{channel.Draw(t, "only"), rapid.Int64Range(0, 3).Draw(t, "only id")}
	}
	if rapid.Bool().Draw(t, "has lead") {
		f.Lead = Chat{channel.Draw(t, "lead"), rapid.Int64Range(0, 3).Draw(t, "lead id")}
	}
	return r, f, rapid.SliceOfN(rapid.Custom(anyCandidate), 0, 6).Draw(t, "candidates")
}

func anyCandidate(t *rapid.T) Candidate {
	c := Candidate{
		Channel:   channel.Draw(t, "channel"),
		AddressID: rapid.Int64Range(1, 9).Draw(t, "address"),
		State:     rapid.SampledFrom([]string{Active, Active, Active, Blocked, OptedOut, Offered, Ended, ""}).Draw(t, "state"),
		Window:    rapid.SampledFrom([]core.Window{day, always}).Draw(t, "window"),
		Template:  rapid.Bool().Draw(t, "template"),
		Works:     rapid.Bool().Draw(t, "works"),
	}
	if rapid.IntRange(0, 3).Draw(t, "consent") > 0 {
		c.Purposes = []core.Purpose{core.OrderUpdates}
	}
	c.WindowFrom = now.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "hours")) * time.Hour)
	return c
}

func chosen(d Decision) []Target { return slices.Concat(d.Targets, d.Rest) }

// Promise 3.
func TestEveryChannelIsChosenOrHasAReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, f, cands := anyCase(t)
		d := Decide([]Rule{r}, f, cands)
		all := slices.Clone(r.Channels)
		for _, c := range cands {
			all = append(all, c.Channel)
		}
		for _, name := range all {
			count := 0
			for _, target := range chosen(d) {
				if target.Channel == name {
					count++
				}
			}
			for _, reason := range d.Reasons {
				if reason.Channel == name && reason.Why != "" {
					count++
				}
			}
			if count != 1 {
				t.Fatalf("channel %s appears %d times in %+v", name, count, d)
			}
		}
	})
}

// Promise 2.
func TestNarrowingNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, f, cands := anyCase(t)
		wide := names(chosen(Decide([]Rule{r}, f, cands)))
		f.Preferred = rapid.SliceOfN(channel, 0, 4).Draw(t, "preferred")
		r2 := r
		r2.Deliver = Fallback // shows everything the rule offers
		offered := names(chosen(Decide([]Rule{r2}, Facts{
			Event: f.Event, Purpose: f.Purpose, Now: f.Now, Human: f.Human, Only: f.Only, Lead: f.Lead}, cands)))
		for _, name := range names(chosen(Decide([]Rule{r}, f, cands))) {
			if !slices.Contains(offered, name) {
				t.Fatalf("%s is chosen with preference %v only; without: %v", name, f.Preferred, wide)
			}
			if f.Only.Channel == "" && f.Lead.Channel != name && !slices.Contains(f.Preferred, name) {
				t.Fatalf("%s is chosen against the preference %v", name, f.Preferred)
			}
		}
	})
}

// Promise 4.
func TestOnlyIsObeyed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, f, cands := anyCase(t)
		if !bound(f) {
			t.Skip()
		}
		for _, target := range chosen(Decide([]Rule{r}, f, cands)) {
			if target.Channel != f.Only.Channel || f.Only.AddressID != 0 && target.AddressID != f.Only.AddressID {
				t.Fatalf("went to %+v, not to %+v", target, f.Only)
			}
		}
	})
}

// Promise 5, and that what is chosen may be written to.
func TestOnlyWhoMayBeWrittenToIsChosen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, f, cands := anyCase(t)
		d := Decide([]Rule{r}, f, cands)
		for _, target := range chosen(d) {
			i := slices.IndexFunc(cands, func(c Candidate) bool {
				standing, ok := Standing(c, f.Human, f.Now)
				return c.Channel == target.Channel && c.AddressID == target.AddressID && ok && standing == target.Standing &&
					(c.State == Active || f.Event == core.Answer && c.State != Blocked) && consented(f, c)
			})
			if i < 0 {
				t.Fatalf("no candidate allows %+v", target)
			}
		}
		if len(d.Targets) > 0 && len(d.Closed) > 0 {
			t.Fatalf("closed %v beside targets %v", d.Closed, d.Targets)
		}
		if d.Deliver != All && len(d.Targets) > 1 || d.Deliver != Fallback && len(d.Rest) > 0 {
			t.Fatalf("%s gave targets %v and rest %v", d.Deliver, d.Targets, d.Rest)
		}
	})
}
