package dispatch

import (
	"strings"
	"sync"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/pace"
)

// Settings are what an Outlet is made of.
type Settings struct {
	Name    string
	Type    string
	Channel core.Channel
	Limits  core.Limits // the adapter's, lowered by the configuration
	// Templates are the platform's approved templates, by event type.
	Templates map[core.EventType]Template
	// MisconfiguredAfter is how long a broken channel is waited for before its
	// messages go to the next one.
	MisconfiguredAfter time.Duration
}

// Outlet is an open channel with its settings and what is known of its health.
type Outlet struct {
	Settings

	pace *pace.Limiter

	mu sync.Mutex
	// brokenSince is when the channel was first found misconfigured; zero: it works.
	brokenSince  time.Time
	brokenWhy    string
	nextProbe    time.Time
	pausedUntil  time.Time
	complainedAt time.Time // zero: it never did
	lastSuccess  time.Time
	throttled    []throttle // the latest throttled recipients
}

// Template is an approved template of the platform and where its values come from.
type Template struct {
	Name      string
	Languages []string // in order of preference; the customer's is taken where it is among them
	Params    []string // paths, see core/render
}

type throttle struct {
	lane string
	at   time.Time
}

// Probing and throttling, as docs/states.md has them.
const (
	probeEvery        = time.Minute
	throttleAgreement = 3
	throttleSpan      = 2 * time.Second
	complaintSpan     = time.Minute
)

// NewOutlet returns an outlet that keeps the pace of its limits.
func NewOutlet(s Settings) *Outlet {
	return &Outlet{Settings: s, pace: pace.NewLimiter(s.Limits.Pace)}
}

// gate says when a part for a lane may leave, and takes its turn if that is now.
func (o *Outlet) gate(name string, now time.Time) lane.Turn {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Before(o.pausedUntil) {
		return lane.Turn{At: o.pausedUntil, All: true}
	}
	if !o.brokenSince.IsZero() {
		if now.Before(o.nextProbe) {
			return lane.Turn{At: o.nextProbe, All: true}
		}
		o.nextProbe = now.Add(probeEvery)
		return lane.Turn{}
	}
	ok, at, all := o.pace.Take(name, now)
	if ok {
		return lane.Turn{}
	}
	return lane.Turn{At: at, All: all}
}

// setShare lowers the channel's rate to this process's part of it.
func (o *Outlet) setShare(owned, all int, now time.Time) { o.pace.SetShare(owned, all, now) }

// pause leaves the whole channel alone until a time.
func (o *Outlet) pause(until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if until.After(o.pausedUntil) {
		o.pausedUntil = until
	}
}

// complained pauses the whole channel. One complaint may be about a heap that came
// about on the way; of a second one soon after, the rate is lowered for a while.
// Requests that were under way when it complained first complain of the same.
func (o *Outlet) complained(now, until time.Time) {
	o.mu.Lock()
	if !now.Before(o.pausedUntil) {
		if now.Before(o.complainedAt.Add(complaintSpan)) {
			o.pace.Throttled(now)
		}
		o.complainedAt = now
	}
	o.mu.Unlock()
	o.pause(until)
}

// succeeded notes that the platform took a part, and reports whether the
// channel had been broken.
func (o *Outlet) succeeded(now time.Time) (healed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	healed = !o.brokenSince.IsZero()
	o.lastSuccess, o.brokenSince, o.brokenWhy = now, time.Time{}, ""
	return healed
}

// broke notes that the channel is misconfigured, and reports whether that is news.
func (o *Outlet) broke(now time.Time, why string) (news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	news = o.brokenSince.IsZero()
	if news {
		o.brokenSince = now
	}
	o.brokenWhy = why
	o.nextProbe = now.Add(probeEvery)
	return news
}

// workedSince reports whether the platform took anything from anybody after t.
func (o *Outlet) workedSince(t time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lastSuccess.After(t)
}

// agreed notes a throttled lane and reports whether enough different ones were
// throttled lately that the channel as a whole must be meant.
func (o *Outlet) agreed(name string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.throttled[:0]
	for _, t := range o.throttled {
		if t.lane != name && now.Sub(t.at) < throttleSpan {
			kept = append(kept, t)
		}
	}
	kept = append(kept, throttle{name, now})
	o.throttled = kept
	return len(o.throttled) >= throttleAgreement
}

// Works reports whether the channel can be expected to take a message now, and
// if not, why.
func (o *Outlet) Works(now time.Time) (bool, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.brokenSince.IsZero() && now.Sub(o.brokenSince) >= o.MisconfiguredAfter {
		return false, "the channel has been misconfigured since " + o.brokenSince.UTC().Format(time.RFC3339) + " (" + o.brokenWhy + ")"
	}
	return true, ""
}

// Healthy reports whether the platform accepts our account: unlike Works it says
// so at once, for those who are to mend it.
func (o *Outlet) Healthy() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.brokenSince.IsZero()
}

// overdue reports whether the messages of a broken channel are to go elsewhere.
func (o *Outlet) overdue(now time.Time) bool {
	works, _ := o.Works(now)
	return !works
}

// inherit takes over what an earlier outlet of the same name has learnt.
func (o *Outlet) inherit(old *Outlet) {
	old.mu.Lock()
	defer old.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pausedUntil, o.complainedAt, o.lastSuccess = old.pausedUntil, old.complainedAt, old.lastSuccess
	if old.Limits.Pace == o.Limits.Pace {
		o.pace = old.pace
	}
}

// TemplateFor returns the approved template for an event in a language.
func (o *Outlet) TemplateFor(t core.EventType, locale string) (name, language string, params []string, ok bool) {
	tpl, ok := o.Templates[t]
	if !ok {
		return "", "", nil, false
	}
	language = "en_US"
	if len(tpl.Languages) > 0 {
		language = tpl.Languages[0]
	}
	for _, match := range []func(have, want string) bool{sameLocale, sameLanguage} {
		for _, have := range tpl.Languages {
			if match(have, locale) {
				return tpl.Name, have, tpl.Params, true
			}
		}
	}
	return tpl.Name, language, tpl.Params, true
}

func sameLocale(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, "_", "-"), strings.ReplaceAll(b, "_", "-"))
}

func sameLanguage(a, b string) bool { return b != "" && sameLocale(language(a), language(b)) }

func language(locale string) string {
	l, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	return l
}
