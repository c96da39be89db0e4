package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tidings/cmd/torture/history"
)

// verdict is what came of a torture.
type verdict struct {
	o         options
	blows     map[string]int
	failovers int
	restarts  int
	resent    int64
	requests  int
	early     int // requests before a Retry-After had passed
	uncertain int // attempts of which the gateway says that it does not know
	missing   float64
	states    map[string]int
	seconds   float64
	found     history.Findings
	faults    []string // what is wrong besides
}

func (v *verdict) bad() bool { return v.found.Bad() || len(v.faults) > 0 }

// judge reads everything back and judges it.
func (w *world) judge(ctx context.Context) (verdict, error) {
	m := w.mischief
	v := verdict{
		o: w.o, blows: m.blows, failovers: m.failovers, restarts: m.restarts, resent: w.shop.resent.Load(),
		states: map[string]int{}, seconds: time.Since(w.begun).Seconds(), faults: slices.Concat(m.faults, w.shop.faults),
	}
	doubts := map[string][]int{}
	err := w.shop.api.messages(ctx, w.replicas[0].internal, "", func(got message) {
		v.states[got.State]++
		for n, p := range got.Parts {
			doubts[got.Event] = append(doubts[got.Event], 0)
			for _, a := range p.Attempts {
				if a.Class == "Uncertain" {
					doubts[got.Event][n]++
					v.uncertain++
				}
			}
		}
	})
	if err != nil {
		return v, fmt.Errorf("read the messages back: %w", err)
	}
	for _, r := range w.replicas {
		missing, err := w.shop.api.figure(ctx, r.internal, "tidings_conservation_difference")
		if err != nil {
			return v, fmt.Errorf("read the figures: %w", err)
		}
		stumbles, err := r.stumbles()
		if err != nil {
			return v, err
		}
		v.missing = max(v.missing, missing, -missing)
		v.faults = append(v.faults, stumbles...)
	}
	if v.missing != 0 {
		v.faults = append(v.faults, fmt.Sprintf("the sums differ by %v", v.missing))
	}
	for _, c := range w.shop.all {
		v.found.Add(w.historyOf(c, doubts).Check(m.cuts, history.Rules{Settle: w.o.Settle, Reach: time.Second}))
	}
	for _, name := range slices.Sorted(maps.Keys(w.platforms.sims)) {
		log := w.platforms.sims[name].Log()
		v.requests += log.Requests()
		v.early += log.Early()
		for _, r := range log.Rejected() {
			v.faults = append(v.faults, fmt.Sprintf("%s refused a request to %s: %s %s", name, r.To, r.Code, r.Text))
		}
	}
	return v, nil
}

// historyOf puts together what is known of a customer.
func (w *world) historyOf(c *customer, doubts map[string][]int) history.Recipient {
	log := w.platforms.sims[c.channel].Log()
	r := history.Recipient{Name: c.channel + " " + c.address}
	for _, p := range c.posted {
		said := doubts[p.id]
		if said == nil {
			said = []int{} // the gateway knows nothing of it
		}
		r.Posted = append(r.Posted, history.Message{ID: p.id, Text: p.text, Accepted: p.accepted, Doubts: said})
	}
	for _, s := range log.Shown(c.address) {
		r.Shown = append(r.Shown, history.Showing{Text: s.Text, At: s.At})
	}
	for _, q := range log.Served(c.address) {
		r.Requests = append(r.Requests, history.Request(q))
	}
	return r
}

// print writes the table, and then what is wrong.
func (v *verdict) print(out io.Writer) {
	signals := []string{}
	kills := 0
	for _, name := range slices.Sorted(maps.Keys(v.blows)) {
		signals = append(signals, fmt.Sprintf("%d SIG%s", v.blows[name], name))
		kills += v.blows[name]
	}
	states := []string{}
	for _, name := range slices.Sorted(maps.Keys(v.states)) {
		states = append(states, fmt.Sprintf("%d %s", v.states[name], name))
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range []struct {
		what   string
		figure any
		more   string
	}{
		{"store", v.o.Store, fmt.Sprintf("%d gateway(s), seed %d", v.o.Replicas, v.o.Seed)},
		{"kills", kills, strings.Join(signals, ", ")},
		{"failovers", v.failovers, ""},
		{"restarts", v.restarts, ""},
		{"accepted", v.found.Accepted, fmt.Sprintf("messages; %d requests of the shop had no yes and were made again", v.resent)},
		{"sent", v.found.Shown, fmt.Sprintf("parts, in %d requests; messages: %s", v.requests, strings.Join(states, ", "))},
		{"lost", v.found.Lost, ""},
		{"out of order", v.found.OutOfOrder, ""},
		{"repeated", v.found.Repeated, ""},
		{"repeated without excuse", v.found.Unexcused, ""},
		{"foreign", v.found.Foreign, ""},
		{"overlapping requests", v.found.Overlaps, ""},
		{"before a Retry-After", v.early, ""},
		{"uncertain", v.uncertain, "attempts"},
		{"conservation difference", v.missing, ""},
		{"seconds", fmt.Sprintf("%.1f", v.seconds), ""},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%v\t%s\n", row.what, row.figure, row.more)
	}
	_ = table.Flush()
	const most = 40
	faults := slices.Concat(v.faults, v.found.Faults)
	for _, f := range faults[:min(len(faults), most)] {
		_, _ = fmt.Fprintln(out, "FAULT", f)
	}
	if len(faults) > most {
		_, _ = fmt.Fprintf(out, "and %d more\n", len(faults)-most)
	}
}
