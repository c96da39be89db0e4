package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"tidings/cmd/torture/history"
)

// outcome is what came of a performance.
type outcome struct {
	chats    map[chatName][]showing
	requests map[chatName][]history.Request
	tickets  []string // customer and entries
	messages map[string]int
	doubts   map[string]int // by address, how often it was not known whether a part had arrived; nil: it is forgotten
	deaths   []history.Cut
	points   map[string]int
	faults   []string
	seconds  float64
}

type showing struct {
	text string
	at   time.Time
}

// perform plays an act, lets it come to rest, and reads back what came of it.
func perform(ctx context.Context, a act, r *replica, store string, points []string) (out outcome, err error) {
	begun := time.Now()
	s, err := newStage(ctx, r, store, points)
	if err != nil {
		s.close()
		return out, err
	}
	if err := within(ctx, func(ctx context.Context) error { return a.play(ctx, s) }); err != nil {
		s.faultf("%v", err)
	}
	for deaths := -1; deaths != s.deaths() || s.end(); { // it may die while it is asked, or stopped
		deaths = s.deaths()
		if err := within(ctx, s.calm); err != nil {
			s.faultf("%v", err)
		}
		_ = within(ctx, func(ctx context.Context) error { out = s.read(ctx); return nil })
	}
	s.close()
	out.points, err = s.met()
	out.deaths, out.faults = s.cuts, s.faults
	out.seconds = time.Since(begun).Seconds()
	return out, err
}

// within bounds how long a part of a performance may take.
func within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, partLife)
	defer cancel()
	return do(ctx)
}

// calm waits until nothing is left to do anywhere.
func (s *stage) calm(ctx context.Context) error {
	return until(ctx, "all is done", func() error {
		for name, sim := range s.platforms.sims {
			if n := sim.Webhooks().Pending(); n > 0 {
				return fmt.Errorf("%s has %d webhooks under way", name, n)
			}
		}
		lanes, err := s.api.figure(ctx, s.replica.internal, "tidings_lanes")
		if err == nil && lanes > 0 && !s.probes {
			err = fmt.Errorf("%v lanes have work", lanes)
		}
		for _, state := range []string{"queued", "sending"} {
			if err != nil {
				return err
			}
			var open bool
			if open, err = s.api.open(ctx, s.replica.internal, state); err == nil && open {
				err = fmt.Errorf("a message is %s", state)
			}
		}
		return err
	})
}

// read reads back what came of it, and what the gateway's own doctor says.
func (s *stage) read(ctx context.Context) outcome {
	out := outcome{chats: map[chatName][]showing{}, requests: map[chatName][]history.Request{}}
	for _, c := range s.chats {
		for _, q := range s.platforms.sims[c.channel].Log().Served(c.address) {
			out.requests[c] = append(out.requests[c], history.Request(q))
		}
		for _, m := range s.platforms.sims[c.channel].Log().Shown(c.address) {
			if !s.maybe[m.Text] {
				out.chats[c] = append(out.chats[c], showing{m.Text, m.At})
			}
		}
	}
	for _, t := range s.shop.Tickets() {
		words := []string{t.CustomerUID}
		for _, e := range s.shop.CustomerEntries(t.ID) {
			words = append(words, e.Text)
		}
		out.tickets = append(out.tickets, strings.Join(words, " | "))
	}
	slices.Sort(out.tickets)
	for _, id := range s.events {
		var e struct{ State string }
		if err := s.insist(ctx, http.MethodGet, "/v1/events/"+id, nil, &e); err != nil || e.State == "waiting" {
			s.faultf("event %s was accepted and is %q: %v", id, e.State, err)
		}
	}
	err := until(ctx, "read the messages", func() error {
		out.messages = map[string]int{}
		if !s.purged {
			out.doubts = map[string]int{}
		}
		return s.api.messages(ctx, s.replica.internal, "", func(m message) {
			if len(m.Parts) == 0 || !s.maybe[m.Parts[0].Text] {
				out.note(m)
			}
		})
	})
	if err != nil {
		s.faultf("%v", err)
	}
	s.consult(ctx)
	return out
}

// note notes what became of a message.
func (out *outcome) note(m message) {
	out.messages[strings.Join([]string{m.Customer, m.Channel, m.State}, " ")]++
	for _, p := range m.Parts {
		for _, a := range p.Attempts {
			if a.Class == "Uncertain" && out.doubts != nil {
				out.doubts[m.Address]++
			}
		}
	}
}

// diagnosis is what is of interest here of what the doctor says.
type diagnosis struct {
	Ready struct {
		OK bool `json:"ok"`
	} `json:"ready"`
	Conservation struct {
		Difference *int64 `json:"difference"`
	} `json:"conservation"`
	Waiting struct {
		Messages int64 `json:"messages"`
	} `json:"waiting"`
	Findings []struct {
		Says string `json:"says"`
	} `json:"findings"`
}

// consult asks the doctor, as an operator does.
func (s *stage) consult(ctx context.Context) {
	var said diagnosis
	err := until(ctx, "the doctor", func() error {
		cmd := exec.CommandContext(ctx, s.replica.binary, "doctor", "--json", "--server", "http://"+s.replica.internal) //nolint:gosec // what we have built
		cmd.Env = append(cmd.Environ(), "TIDINGS_KEY="+apiKey)
		raw, _ := cmd.Output() // its exit code also tells of what is wanted here
		return json.Unmarshal(raw, &said)
	})
	whole := said.Conservation.Difference != nil && *said.Conservation.Difference == 0
	if err != nil || !said.Ready.OK || !whole || said.Waiting.Messages != 0 {
		s.faultf("doctor: %v %+v", err, said)
	}
}

// compare judges an outcome by that of the same act without a death: the same in
// the same order, and at most one part again per recipient and death.
func (out outcome) compare(want outcome) (faults []string) {
	faults = slices.Clone(out.faults)
	for chat, expected := range want.chats {
		found := out.recipient(chat, expected).Check(out.deaths, history.Rules{Settle: 2 * time.Second, Reach: time.Second})
		faults = append(faults, found.Faults...)
		if doubts, asked := out.doubts[chat.address], out.doubts != nil; asked && found.Repeated > doubts {
			faults = append(faults, fmt.Sprintf("%s %s: %d parts were shown again, and the gateway noted only %d doubts", chat.channel, chat.address, found.Repeated, doubts))
		}
	}
	for chat, shown := range out.chats {
		if _, ok := want.chats[chat]; !ok && len(shown) > 0 {
			faults = append(faults, fmt.Sprintf("%s %s: shown %q, want nothing", chat.channel, chat.address, shown[0].text))
		}
	}
	if !slices.Equal(out.tickets, want.tickets) {
		faults = append(faults, fmt.Sprintf("got tickets %q, want %q", out.tickets, want.tickets))
	}
	for what := range out.messages {
		if out.messages[what] != want.messages[what] {
			faults = append(faults, fmt.Sprintf("got %d messages %s, want %d", out.messages[what], what, want.messages[what]))
		}
	}
	for what := range want.messages {
		if out.messages[what] == 0 {
			faults = append(faults, fmt.Sprintf("got no message %s, want %d", what, want.messages[what]))
		}
	}
	return faults
}

// recipient is a chat's history, in which each text is a word of its own.
func (out outcome) recipient(chat chatName, want []showing) history.Recipient {
	r := history.Recipient{Name: chat.channel + " " + chat.address, Requests: out.requests[chat]}
	words := map[string]string{}
	for i, m := range want {
		word := fmt.Sprintf("w%d", i)
		words[m.text] = word
		r.Posted = append(r.Posted, history.Message{ID: fmt.Sprintf("%.40q", m.text), Text: word, Accepted: true})
	}
	for _, m := range out.chats[chat] {
		word, known := words[m.text]
		if !known {
			word = m.text
		}
		r.Shown = append(r.Shown, history.Showing{Text: word, At: m.at})
	}
	return r
}
