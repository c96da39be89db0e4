package config

import (
	"fmt"
	"regexp"
	"slices"

	"tidings/core"
	"tidings/core/route"
)

// namePattern is what fits into a URL, a metric and a chat command alike.
var namePattern = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func name(s, what string) string {
	switch {
	case s == "":
		return "is missing: a name for the " + what
	case !namePattern.MatchString(s):
		return "must be 1 to 64 of a-z, 0-9, - and _"
	}
	return ""
}

func (c checker) channels(chs []Channel) {
	if len(chs) == 0 {
		c.check("channels", "is missing: at least one channel")
	}
	var taken []string
	for i, ch := range chs {
		at := index("channels", i)
		if ch.Adapter == nil {
			taken = append(taken, ch.Name)
			continue // its type is at fault, and nothing else was read
		}
		c.check(at+".name", name(ch.Name, "channel"))
		if slices.Contains(taken, ch.Name) && ch.Name != "" {
			c.check(at+".name", "is the name of another channel already")
		}
		taken = append(taken, ch.Name)
		c.was(at+".was", i, chs)
		c.pace(at, ch.Pace)
		c.templates(at+".templates", ch.Templates)
		c.textLimit(at, ch)
	}
}

// was checks that the links of a renamed channel have one heir.
func (c checker) was(key string, i int, chs []Channel) {
	former := chs[i].Was
	if former == "" {
		return
	}
	c.check(key, name(former, "former channel"))
	for j, other := range chs {
		switch {
		case other.Name == former:
			c.check(key, "is the name of a channel that is still there")
		case j < i && other.Was == former:
			c.check(key, "is claimed by another channel already")
		}
	}
}

func (c checker) pace(at string, p *Pace) {
	if p == nil {
		return
	}
	const positive = "must be more than 0; leave it out for the platform's own pace, or write off: true for none"
	rates := []struct {
		key  string
		rate float64
	}{{at + ".pace.per_second", p.PerSecond}, {at + ".pace.per_recipient", p.PerRecipient}}
	for _, r := range rates {
		if c.given(r.key) && r.rate <= 0 {
			c.check(r.key, positive)
		}
	}
}

// paramPattern is a path into the event and its order.
var paramPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$`)

func (c checker) templates(at string, list []Template) {
	taken := map[string]bool{}
	for i, t := range list {
		in := index(at, i)
		c.check(in+".event", event(string(t.Event)))
		c.check(in+".name", required(t.Name, "the template's name on the platform"))
		if len(t.Languages) == 0 {
			c.check(in+".languages", "is missing: the languages in which the platform has approved it, such as [en_US, de]")
		}
		for j, lang := range t.Languages {
			key := index(in+".languages", j)
			c.check(key, locale(lang))
			if use := string(t.Event) + " " + lang; taken[use] {
				c.check(key, "has a template for the event already")
			} else {
				taken[use] = true
			}
		}
		for j, p := range t.Params {
			if !paramPattern.MatchString(p) {
				c.check(index(in+".params", j), "must be a path such as order.code")
			}
		}
	}
}

// event checks the name of one event type.
func event(s string) string {
	known := eventTypes()
	if slices.Contains(known, s) {
		return ""
	}
	if s == "" {
		return "is missing: an event type such as order.shipped"
	}
	return unknown("event type", s, known)
}

// eventTypes lists the canonical types, in the order of their documentation.
func eventTypes() []string {
	types := make([]string, len(core.EventTypes))
	for i, info := range core.EventTypes {
		types[i] = string(info.Type)
	}
	return types
}

func (c checker) routes(rules []route.Rule, chs []Channel) {
	if len(rules) == 0 {
		c.check("routes", "is missing: at least one route")
	}
	var taken []string
	for i, r := range rules {
		at := index("routes", i)
		c.check(at+".name", name(r.Name, "route"))
		if slices.Contains(taken, r.Name) && r.Name != "" {
			c.check(at+".name", "is the name of another route already")
		}
		taken = append(taken, r.Name)
		c.check(at+".deliver", oneOf(string(r.Deliver), string(route.All), string(route.First), string(route.Fallback)))
		c.check(at+".uncertain", oneOf(string(r.Uncertain), string(route.Repeat), string(route.Park)))
		c.match(at, r.Match, i == len(rules)-1)
		c.offered(at+".channels", r.Channels, chs)
	}
}

// match checks that every route can be reached and every event has one.
func (c checker) match(at string, m route.Match, last bool) {
	switch {
	case last && !m.Any():
		c.check(at+".match", "must not be there in the last route, so that every event finds one; add a route without match below")
	case !last && m.Any():
		c.check(at+".match", "lets everything pass, so that the routes below it are never used; give it a match or move it to the end")
	}
	for i, glob := range m.Event {
		fits := func(t string) bool { return route.Glob(glob, t) }
		if known := eventTypes(); !fits(string(core.ThankYou)) && !fits(string(core.Answer)) && !slices.ContainsFunc(known, fits) {
			c.check(index(at+".match.event", i), fmt.Sprintf("matches no event type; the nearest is %s", nearest(glob, known)))
		}
	}
}

// offered checks the channels of a route. Those whose own stanza could not be
// read count as there.
func (c checker) offered(key string, names []string, chs []Channel) {
	if len(names) == 0 {
		c.check(key, "is missing: at least one channel")
	}
	known, complete := channelNames(chs)
	for i, n := range names {
		switch {
		case slices.Contains(names[:i], n):
			c.check(index(key, i), "is in the list already")
		case complete && !slices.Contains(known, n):
			c.check(index(key, i), unknown("channel", n, known))
		}
	}
}

// channelNames lists the names, and whether all could be read.
func channelNames(chs []Channel) (names []string, complete bool) {
	complete = true
	for _, ch := range chs {
		if ch.Name == "" {
			complete = false
			continue
		}
		names = append(names, ch.Name)
	}
	return names, complete
}
