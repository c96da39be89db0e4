package intake

import (
	"context"
	"errors"
	"time"

	"tidings/core"
	"tidings/core/route"
)

// Explanation is what would become of an event, without anything being sent or written.
type Explanation struct {
	Event    string         `json:"event"`
	Type     core.EventType `json:"type"`
	Customer string         `json:"customer,omitempty"`
	State    string         `json:"state"` // routed, suppressed or ignored
	Why      string         `json:"why,omitempty"`
	Route    string         `json:"route,omitempty"`
	Deliver  string         `json:"deliver,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Locale   string         `json:"locale,omitempty"`
	Degraded bool           `json:"degraded,omitempty"`
	Channels []Explained    `json:"channels"`
	Warnings []string       `json:"warnings,omitempty"`
}

// Explained is one channel of an Explanation.
type Explained struct {
	Channel string `json:"channel"`
	// Chosen is "now" for a channel that would be used, "fallback" for one that
	// comes next, empty for one that would not; Why says why.
	Chosen string          `json:"chosen,omitempty"`
	Why    string          `json:"why"`
	Parts  []ExplainedPart `json:"parts,omitempty"`
}

// ExplainedPart is one request as it would leave.
type ExplainedPart struct {
	N       int           `json:"n"`
	Of      int           `json:"of"`
	Text    string        `json:"text"`
	Buttons []core.Button `json:"buttons,omitempty"`
}

// Explain plans one event for the customer it names (or another one) with the
// links the store knows, or for a customer who is linked everywhere.
func (in *Intake) Explain(ctx context.Context, r Received, uid string, linked []core.LinkedAddress) (Explanation, error) {
	now := time.Now()
	x := Explanation{Event: r.Event.ID, Type: r.Event.Type, Warnings: r.Warnings, Channels: []Explained{}}
	if r.Ignored {
		x.State, x.Why = string(core.EventIgnored), r.Why
		return x, nil
	}
	if r.Held {
		x.State, x.Why = string(core.EventWaiting), r.Why
		return x, nil
	}
	s := subject{event: core.StoredEvent{Event: r.Event, AcceptedAt: now}, links: linked}
	if uid == "" {
		uid = r.Event.Data.CustomerUID
	}
	s.customer = core.Customer{UID: uid}
	if linked == nil {
		if err := in.recall(ctx, &s); err != nil {
			return x, err
		}
	}
	s.event.ShopTriedAt = now.Add(-in.Wait) // one try: nobody wants to wait for an explanation
	s.rereads = len(rereads)
	p, err := in.plan(ctx, s, now)
	if err != nil {
		return x, err
	}
	x.Customer, x.State, x.Why = s.customer.UID, string(p.State), p.Why
	x.Route, x.Deliver, x.Reason, x.Locale, x.Degraded = p.Decision.Route, string(p.Decision.Deliver), p.Decision.Reason, p.Locale, p.Degraded
	in.explainChannels(&x, p)
	return x, nil
}

// recall reads what the store knows of the customer, finding them through the
// order where the event does not name them.
func (in *Intake) recall(ctx context.Context, s *subject) error {
	if s.customer.UID == "" && s.event.Event.Data.OrderCode != "" {
		o, err := in.order(ctx, s.event.Event, "")
		if err == nil && o != nil {
			s.customer.UID = o.CustomerUID
		}
	}
	return in.Engine.View(ctx, func(tx core.Tx) error {
		c, err := tx.CustomerByUID(s.customer.UID)
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		s.customer = c
		s.links, err = tx.LinksOf(c.ID)
		return err
	})
}

func (in *Intake) explainChannels(x *Explanation, p Plan) {
	var body core.Body
	if len(p.Messages) > 0 {
		body = p.Messages[0].Body
	}
	add := func(t route.Target, chosen string) {
		e := Explained{Channel: t.Channel, Chosen: chosen, Why: t.Reason}
		for _, part := range in.Outbox.Preview(t.Channel, body) {
			e.Parts = append(e.Parts, ExplainedPart{N: part.N, Of: part.Of, Text: part.Plain(), Buttons: part.Buttons})
		}
		x.Channels = append(x.Channels, e)
	}
	for _, t := range p.Decision.Targets {
		add(t, "now")
	}
	for _, t := range p.Decision.Rest {
		add(t, "fallback")
	}
	for _, r := range p.Decision.Reasons {
		x.Channels = append(x.Channels, Explained{Channel: r.Channel, Why: r.Why})
	}
}
