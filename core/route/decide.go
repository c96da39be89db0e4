package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/core"
)

// Decide finds the rule and chooses among the customer's addresses.
func Decide(rules []Rule, f Facts, cands []Candidate) Decision {
	rule, found := Find(rules, f)
	if !found {
		rule.Uncertain = Repeat
	}
	d := Decision{Route: rule.Name, Deliver: rule.Deliver, Uncertain: rule.Uncertain, Expires: rule.Expires}
	if !found && f.Only.Channel == "" {
		d.Reason = "no route matches"
		return d
	}
	switch {
	case bound(f):
		d.Deliver = First
	case f.Lead.Channel != "" && d.Deliver == All:
		d.Deliver = First
	}
	offers := survey(rule, f, cands)
	d.choose(offers)
	d.explain(offers)
	return d
}

// Find returns the first rule that matches.
func Find(rules []Rule, f Facts) (Rule, bool) {
	for _, r := range rules {
		if r.Match.Matches(f) {
			return r, true
		}
	}
	return Rule{}, false
}

// bound reports whether one chat is the only place for this: because the caller
// names it, or because the event is an answer, which belongs to a chat by nature.
func bound(f Facts) bool { return f.Only.Channel != "" || asked(f) }

// asked reports whether the customer has just asked for this in the chat.
func asked(f Facts) bool { return f.Event == core.Answer || f.Event == core.ThankYou }

// fate is what can be done with an address now, best first.
type fate int

const (
	usable   fate = iota
	broken        // nothing is in the way but the channel itself, which is out of order
	closed        // the platform does not let us write now
	unusable      // not linked, not wanted, not allowed
)

// offer is one channel with its best address, or with why there is none.
type offer struct {
	Target
	fate fate
}

// survey looks at every channel that the rule or the customer could bring in,
// in the order in which they are to be used.
func survey(rule Rule, f Facts, cands []Candidate) []offer {
	var offers []offer
	for _, name := range channels(rule, f, cands) {
		if why := excluded(name, rule, f); why != "" {
			offers = append(offers, offer{Target{Channel: name, Reason: why}, unusable})
			continue
		}
		offers = append(offers, best(name, f, cands))
	}
	return offers
}

// channels lists each channel once: the chat of the conversation, the rule's,
// then the customer's others.
func channels(rule Rule, f Facts, cands []Candidate) []string {
	all := []string{f.Only.Channel, f.Lead.Channel}
	all = append(all, rule.Channels...)
	for _, c := range cands {
		all = append(all, c.Channel)
	}
	var once []string
	for _, name := range all {
		if name != "" && !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// excluded says why a channel does not come into question at all.
func excluded(name string, rule Rule, f Facts) string {
	switch {
	case bound(f) && name != f.Only.Channel:
		return "this belongs to the chat in which the customer wrote"
	case bound(f), name == f.Lead.Channel:
		return ""
	case !slices.Contains(rule.Channels, name):
		return "not on the route"
	case f.Preferred != nil && len(f.Preferred) == 0:
		return "the customer chose no channel"
	case f.Preferred != nil && !slices.Contains(f.Preferred, name):
		return "the customer chose other channels"
	}
	return ""
}

// best judges the customer's addresses on one channel and keeps the best.
func best(name string, f Facts, cands []Candidate) offer {
	chosen := offer{Target{Channel: name, Reason: "not linked"}, unusable}
	first := true
	for _, c := range leadFirst(f, cands) {
		if c.Channel != name || f.Only.AddressID != 0 && f.Only.AddressID != c.AddressID {
			continue
		}
		o := judge(f, c)
		if first || o.fate < chosen.fate {
			chosen, first = o, false
		}
	}
	return chosen
}

// leadFirst puts the chat that is to be tried first before the others.
func leadFirst(f Facts, cands []Candidate) []Candidate {
	isLead := func(c Candidate) bool { return Chat{c.Channel, c.AddressID} == f.Lead }
	if i := slices.IndexFunc(cands, isLead); i > 0 {
		return slices.Concat(cands[i:i+1], cands[:i], cands[i+1:])
	}
	return cands
}

// judge decides on one address.
func judge(f Facts, c Candidate) offer {
	o := offer{Target{Channel: c.Channel, AddressID: c.AddressID}, unusable}
	if o.Reason = unlinked(f, c); o.Reason != "" {
		return o
	}
	if !consented(f, c) {
		o.Reason = "no consent for " + string(f.Purpose)
		return o
	}
	standing, ok := Standing(c, f.Human, f.Now)
	if !ok {
		o.fate, o.Reason = closed, outside(f, c)
		return o
	}
	o.Standing = standing
	if !c.Works {
		o.fate, o.Reason = broken, "channel paused"
		if c.Why != "" {
			o.Reason += ": " + c.Why
		}
		return o
	}
	o.fate, o.Reason = usable, granted(standing, f)
	return o
}

// unlinked says why the state of the link forbids writing; "" where it does not.
// An answer in a chat needs no link, and must reach those who just opted out.
func unlinked(f Facts, c Candidate) string {
	since := ""
	if !c.Since.IsZero() {
		since = " since " + c.Since.UTC().Format(time.DateOnly)
	}
	switch {
	case c.State == Blocked:
		return "blocked" + since
	case c.State == Active, f.Event == core.Answer:
		return ""
	case c.State == OptedOut:
		return "opted out" + since
	case c.State == Offered:
		return "link offered, not taken up"
	case c.State == Ended:
		return "link ended" + since
	}
	return "not linked"
}

// consented reports whether the customer agreed to be told this. Who asks has
// agreed to the answer.
func consented(f Facts, c Candidate) bool {
	return f.Human || asked(f) || slices.Contains(c.Purposes, f.Purpose)
}

// Standing returns the right under which the address may be written to at the
// time now; false where the platform's window is closed and nothing opens it.
// A time exactly at the end of a window is outside.
func Standing(c Candidate, human bool, now time.Time) (core.Standing, bool) {
	switch {
	case c.Window.Reply == 0, within(c, c.Window.Reply, now):
		return core.Open, true
	case human && within(c, c.Window.Human, now):
		return core.Human, true
	case c.Template:
		return core.Approved, true
	}
	return "", false
}

func within(c Candidate, window time.Duration, now time.Time) bool {
	return !c.WindowFrom.IsZero() && now.Before(c.WindowFrom.Add(window))
}

func outside(f Facts, c Candidate) string {
	window := c.Window.Reply
	if f.Human {
		window = max(window, c.Window.Human)
	}
	why := fmt.Sprintf("outside the %s window and no template for %s", span(window), f.Event)
	if !c.Works {
		why += "; the channel is paused too"
	}
	return why
}

func granted(s core.Standing, f Facts) string {
	switch s {
	case core.Human:
		return "linked, within the window for a person's answer"
	case core.Approved:
		return "linked, window closed, template for " + string(f.Event)
	}
	return "linked"
}

// span writes a window in words: "24 h", "7 days".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d > day && d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return d.String()
}

// choose fills Targets, Rest and Closed. A channel that is out of order comes
// after all that work: it is better to wait there than to give up.
func (d *Decision) choose(offers []offer) {
	working, ranked := of(offers, usable), of(offers, usable, broken)
	switch {
	case len(ranked) == 0:
		d.Closed = of(offers, closed)
	case d.Deliver == All && len(working) > 0:
		d.Targets = working
	default:
		d.Targets = ranked[:1:1]
	}
	if d.Deliver == Fallback && len(ranked) > 1 {
		d.Rest = ranked[1:]
	}
}

// of returns the targets of the given fates, fate by fate.
func of(offers []offer, fates ...fate) []Target {
	var targets []Target
	for _, want := range fates {
		for _, o := range offers {
			if o.fate == want {
				targets = append(targets, o.Target)
			}
		}
	}
	return targets
}

// explain gives every channel that was not chosen its reason, and sums up.
func (d *Decision) explain(offers []offer) {
	used := names(append(slices.Clone(d.Targets), d.Rest...))
	for _, o := range offers {
		if slices.Contains(used, o.Channel) {
			continue
		}
		why := o.Reason
		if o.fate == usable {
			why = "not needed: " + d.Targets[0].Channel + " comes first"
		}
		d.Reasons = append(d.Reasons, Reason{o.Channel, why})
	}
	d.Reason = d.line()
}

// line is the decision in one line, e.g.
// "route everyone (fallback): telegram, then slack; messenger: not linked".
func (d *Decision) line() string {
	head := "no route"
	if d.Route != "" {
		head = fmt.Sprintf("route %s (%s)", d.Route, d.Deliver)
	}
	var said []string
	switch {
	case len(d.Targets) > 0:
		said = append(said, strings.Join(names(d.Targets), ", "))
	case len(d.Closed) > 0:
		said = append(said, "window closed")
	default:
		said = append(said, "no way to the customer")
	}
	if len(d.Rest) > 0 {
		said[0] += ", then " + strings.Join(names(d.Rest), ", ")
	}
	for _, t := range d.Targets {
		if t.Reason != granted(core.Open, Facts{}) {
			said = append(said, t.Channel+": "+t.Reason)
		}
	}
	for _, r := range d.Reasons {
		said = append(said, r.Channel+": "+r.Why)
	}
	return head + ": " + strings.Join(said, "; ")
}

func names(targets []Target) []string {
	list := make([]string, len(targets))
	for i, t := range targets {
		list[i] = t.Channel
	}
	return list
}
