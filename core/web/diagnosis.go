package web

import (
	"fmt"
	"strings"
	"time"

	"tidings/core"
)

// finding is one thing to know of the gateway, in words, and what to do about it.
type finding struct {
	Level   string  `json:"level"` // levelFault or levelNotice
	About   string  `json:"about"`
	Channel *string `json:"channel"`
	Says    string  `json:"says"`
	Do      string  `json:"do"`
}

// A fault is for somebody to mend, a notice to know of.
const (
	levelFault  = "fault"
	levelNotice = "notice"
)

// From when on waiting is worth a word.
const (
	longWait   = 15 * time.Minute
	manyEvents = 100
)

func (a *doctorAnswer) fault(about, says, do string) {
	a.Findings = append(a.Findings, finding{Level: levelFault, About: about, Says: says, Do: do})
}

func (a *doctorAnswer) notice(about, says, do string) {
	a.Findings = append(a.Findings, finding{Level: levelNotice, About: about, Says: says, Do: do})
}

// diagnose says in words what the figures mean, the worst first.
func (a *doctorAnswer) diagnose() {
	a.diagnoseReadiness()
	a.diagnoseConservation()
	a.diagnoseReplicas()
	for _, h := range a.Channels {
		a.diagnoseChannel(h)
	}
	a.diagnoseWaiting()
	a.diagnoseDead()
	a.Healthy = true
	for _, f := range a.Findings {
		a.Healthy = a.Healthy && f.Level != levelFault
	}
}

func (a *doctorAnswer) diagnoseReadiness() {
	if !a.Ready.OK {
		a.fault("readiness", "the gateway is not ready: "+*a.Ready.Why,
			"a gateway that starts is ready in a moment; if it stays so, see its log, and whether the disk of the database is full or gone")
	}
	if a.Conservation == nil {
		a.fault("database", "the database cannot be read, so nothing can be said of events and messages",
			"see the gateway's log and the disk of the database; nothing that was accepted is lost, and shops and platforms send again")
	}
}

func (a *doctorAnswer) diagnoseConservation() {
	if a.Conservation == nil {
		return
	}
	for _, sum := range []struct {
		what       string
		difference int64
	}{{"events", a.Conservation.Events.Difference}, {"messages", a.Conservation.Messages.Difference}} {
		if sum.difference != 0 {
			a.fault("conservation", fmt.Sprintf("the sum of %s over their states is %+d off what was accepted; this must not happen", sum.what, -sum.difference),
				"keep a copy of the database as it is, note the version and keep the log, and report it; sending goes on and may go on")
		}
	}
}

func (a *doctorAnswer) diagnoseReplicas() {
	owned, all := 0, 0
	for _, r := range a.Replicas {
		owned, all = owned+r.Shards.Owned, max(all, r.Shards.All)
	}
	if owned < all {
		a.fault("replicas", fmt.Sprintf("%d of %d shards are nobody's: their messages wait", all-owned, all),
			"a replica that ended is followed by another within seconds; if it stays so, start one more, and see the log of those that run")
	}
}

func (a *doctorAnswer) diagnoseChannel(h channelHealth) {
	before := len(a.Findings)
	switch {
	case h.Type == nil:
		a.fault("channel", fmt.Sprintf("messages wait for the channel %s, which is not in the configuration", h.Name),
			"put it back, write its name as was: with the channel that took its place, or cancel its messages (tidings messages list --channel "+h.Name+")")
	case !h.Works:
		a.fault("channel", fmt.Sprintf("the channel %s does not work: %s", h.Name, *h.Why),
			"put a valid token, or the missing permission, in place: a changed configuration is taken up at once; the channel's page in docs/channels says what the code means")
	case h.PausedUntil != nil:
		a.notice("channel", fmt.Sprintf("the channel %s is left alone until %s, as its platform asked", h.Name, h.PausedUntil.UTC().Format(time.RFC3339)),
			"nothing: it goes on by itself, and a restart changes nothing")
	case h.OldestWaitingAt != nil && a.At.Sub(*h.OldestWaitingAt) >= longWait:
		a.notice("channel", fmt.Sprintf("on the channel %s a message has waited for %s", h.Name, a.At.Sub(*h.OldestWaitingAt).Round(time.Second)),
			"see what holds it (tidings messages list --channel "+h.Name+" --state queued): the recipient may be throttled, or more comes in than the platform takes")
	}
	for i := before; i < len(a.Findings); i++ {
		a.Findings[i].Channel = &h.Name
	}
}

func (a *doctorAnswer) diagnoseWaiting() {
	if a.Conservation == nil {
		return
	}
	if n := a.Conservation.Events.Waiting; n > manyEvents {
		a.notice("events", fmt.Sprintf("%d events wait for their turn or for the shop's answer", n),
			"see whether the shop answers: events that name no customer wait for it, the others are told without the order's details after commerce.wait")
	}
}

// diagnoseDead speaks of what waits for a person. That a customer has blocked us
// is theirs to do, and nothing to retry.
func (a *doctorAnswer) diagnoseDead() {
	if a.DeadLetters == nil {
		return
	}
	var parts []string
	for _, d := range a.DeadLetters.Items {
		if d.State == core.MessageParked {
			a.notice("dead letters", fmt.Sprintf("%d messages are parked: a part of them may or may not have arrived", d.Count),
				"look at the chat or ask the customer, then retry or discard each (tidings messages list --state parked)")
			continue
		}
		name := string(d.State)
		if d.Class != nil {
			name += ", " + className(d.Class)
		}
		parts = append(parts, fmt.Sprintf("%d (%s)", d.Count, name))
	}
	if len(parts) > 0 {
		a.notice("dead letters", "messages that did not arrive: "+strings.Join(parts, ", "),
			"see why (tidings messages list --state failed); retry them by class and channel once the cause is gone, or discard them")
	}
}
