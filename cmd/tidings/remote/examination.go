package remote

import (
	"fmt"
	"strings"
	"time"
)

// describe tells how a gateway is: first what to do, then the figures behind it.
func (e examination) describe(server string) string {
	var b strings.Builder
	well := "is well"
	if !e.Healthy {
		well = "is NOT well"
	}
	fmt.Fprintf(&b, "the gateway at %s %s (version %s, %s)\n", line(server), well, line(e.Version), local(&e.At))
	for _, f := range e.Findings {
		fmt.Fprintf(&b, "\n%s: %s\n  do: %s\n", strings.ToUpper(line(f.Level)), line(f.Says), line(f.Do))
	}
	b.WriteString("\n" + e.sums())
	b.WriteString("\n" + e.channels())
	if dead := e.deadLetters(); dead != "" {
		b.WriteString("\n" + dead)
	}
	if len(e.Replicas) > 1 {
		b.WriteString("\n" + e.replicas())
	}
	return b.String()
}

// sums are the two sums, readiness and the queue.
func (e examination) sums() string {
	ready := "yes"
	if !e.Ready.OK {
		ready = "no: " + e.Ready.Why
	}
	rows := [][]string{{"ready", ready}}
	if c := e.Conservation; c != nil {
		v, m := c.Events, c.Messages
		rows = append(rows,
			[]string{"difference", number(c.Difference)},
			[]string{"events", sum(v.Difference, "accepted", v.Accepted, "routed", v.Routed, "suppressed", v.Suppressed, "ignored", v.Ignored, "waiting", v.Waiting)},
			[]string{"messages", sum(m.Difference, "accepted", m.Accepted, "sent", m.Sent, "failed", m.Failed, "expired", m.Expired,
				"suppressed", m.Suppressed, "cancelled", m.Cancelled, "parked", m.Parked, "waiting", m.Waiting)})
	}
	rows = append(rows, []string{"waiting", e.queue()}, []string{"lanes", e.lanes()})
	return table(rows...)
}

// sum writes "12 accepted = 10 routed + …", with what is missing from it.
func sum(difference int64, pairs ...any) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		switch {
		case i == 2:
			b.WriteString(" = ")
		case i > 2:
			b.WriteString(" + ")
		}
		fmt.Fprintf(&b, "%d %s", pairs[i+1], pairs[i])
	}
	if difference != 0 {
		fmt.Fprintf(&b, " %+d NOBODY KNOWS WHERE", difference)
	}
	return b.String()
}

func (e examination) queue() string {
	switch {
	case e.Waiting == nil:
		return "unknown"
	case e.Waiting.Oldest == nil:
		return plural(e.Waiting.Messages, "message")
	}
	age := time.Duration(e.Waiting.Oldest.AgeSeconds) * time.Second
	text := fmt.Sprintf("%s, the oldest (%s, on %s) for %s", plural(e.Waiting.Messages, "message"), e.Waiting.Oldest.ID, e.Waiting.Oldest.Channel, age)
	if !e.Waiting.Complete {
		text += " or longer: only the newest were looked at"
	}
	return text
}

// lanes are those with work, and who works.
func (e examination) lanes() string {
	text := number(e.Lanes.Loaded) + " with work"
	var busy []string
	for _, p := range e.Lanes.Pools {
		if p.Busy > 0 {
			busy = append(busy, fmt.Sprintf("%s %d", p.Name, p.Busy))
		}
	}
	if len(busy) > 0 {
		text += "; at work: " + strings.Join(busy, ", ")
	}
	return text
}

func (e examination) channels() string {
	rows := [][]string{{"CHANNEL", "TYPE", "WORKS", "WAITING", "OLDEST", "PAUSED UNTIL", "WHY"}}
	for _, h := range e.Channels {
		works := "yes"
		if !h.Works {
			works = "NO"
		}
		waits := number(h.Waiting)
		if e.Waiting != nil && !e.Waiting.Complete {
			waits += "+"
		}
		rows = append(rows, []string{h.Name, h.Type, works, waits, local(h.OldestWaitingAt), local(h.PausedUntil), h.Why})
	}
	return table(rows...)
}

func (e examination) deadLetters() string {
	if e.DeadLetters == nil || len(e.DeadLetters.Items) == 0 {
		return ""
	}
	more := ""
	if !e.DeadLetters.Complete {
		more = "+"
	}
	rows := [][]string{{"DEAD LETTERS", "CLASS", "COUNT"}}
	for _, d := range e.DeadLetters.Items {
		rows = append(rows, []string{d.State, d.Class, number(d.Count) + more})
	}
	return table(rows...)
}

func (e examination) replicas() string {
	rows := [][]string{{"REPLICA", "VERSION", "SHARDS", "HEARD"}}
	for _, r := range e.Replicas {
		heard := local(r.HeardAt)
		if r.Self {
			heard = "it answers"
		}
		rows = append(rows, []string{r.ID, r.Version, fmt.Sprintf("%d of %d", r.Shards.Owned, r.Shards.All), heard})
	}
	return table(rows...)
}
