package intake

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/render"
	"tidings/core/route"
)

// Plan is what is to become of an event: the whole decision, before anything is
// written. Explain shows it, the customer's lane carries it out.
type Plan struct {
	// Event is the event with what the order told of it (concerned).
	Event    core.Event
	State    core.EventState // routed or suppressed
	Why      string          // for a suppressed one
	Decision route.Decision
	Locale   string
	Degraded bool // the shop did not answer: told from what the event holds
	Order    *core.Order
	Return   *core.Return // the one the event is about, as far as the shop shows it
	// ToldByShop says that the customer hears of it without us.
	ToldByShop bool
	// Unnamed says that the event names none of the order's parcels, of which it
	// has several. Event then names the one that is meant, if that could be guessed.
	Unnamed bool
	// Foreign says that the order is somebody else's: Owner's, where that is known.
	Foreign  bool
	Owner    string
	Messages []core.Message // one per target; a closed one is already failed
}

// subject is an event with what is known of the customer it concerns.
type subject struct {
	event    core.StoredEvent
	customer core.Customer
	links    []core.LinkedAddress
	// lead is the chat in which the customer last wrote about this.
	lead    route.Chat
	askedAt time.Time // when they last wrote about it
	note    *core.PublicNote
	// foreign says that the event's ticket was made for another customer.
	foreign bool
	read    *core.Order // by readChange; nil: not yet
	rereads int         // of an order whose state was older than the one pushed
	// asGuest says that the shop has once told the event's order to be this guest's.
	asGuest bool
}

// waitError says that an event has to wait for the shop.
type waitError struct {
	after  time.Duration
	why    string
	reread bool // the shop has answered, with an old state
}

func (e *waitError) Error() string { return "waiting for the shop: " + e.why }

// plan decides what is to become of an event. The error is a *waitError where
// the shop has to be asked again.
func (in *Intake) plan(ctx context.Context, s subject, now time.Time) (Plan, error) {
	e := s.event.Event
	p := Plan{Event: e, State: core.EventSuppressed, Locale: in.localeOf(s)}
	if why := in.silent(&s); why != "" {
		p.Why = why
		return p, nil
	}
	if e.Type == core.OrderChanged {
		if err := in.readChange(ctx, &s, &p, now); err != nil || p.Why != "" {
			return p, err
		}
		e = p.Event
	}
	if in.toldByShop(e) {
		p.Why, p.ToldByShop = byShop, true
		return p, nil
	}
	p.Decision = route.Decide(in.Rules().Routes, in.facts(s, p.Locale, now), in.candidates(s, p.Locale, now))
	if len(p.Decision.Targets)+len(p.Decision.Closed) == 0 {
		p.Why = "no way to the customer: " + p.Decision.Reason
		return p, nil
	}
	if e.Time.Before(s.oldest(p.Decision).Add(-clockSkew)) {
		p.Why = "older than the link: it is not told again"
		return p, nil
	}
	if err := in.readOrder(ctx, s, &p, now); err != nil {
		return p, err
	}
	if p.Why != "" {
		return p, nil
	}
	return p, in.compose(ctx, s, &p, now)
}

// clockSkew is how far the shop's clock may be behind ours.
const clockSkew = time.Minute

// oldest is when the first of the chosen chats was linked by the customer's own
// opt-in; news from before has been told by the thank-you's summary. A link the
// shop vouches for has no such beginning.
func (s subject) oldest(d route.Decision) time.Time {
	var oldest time.Time
	for i, t := range append(d.Targets, d.Closed...) {
		var since time.Time
		for _, l := range s.links {
			if l.Address.ID == t.AddressID && strings.Contains(l.Link.Evidence, "opt-in") {
				since = l.Link.CreatedAt
			}
		}
		if i == 0 || since.Before(oldest) {
			oldest = since
		}
	}
	if !isNews(s.event.Event.Type) {
		return time.Time{}
	}
	return oldest
}

// isNews reports whether an event tells of something that happened at the shop,
// rather than something the gateway or an agent says now.
func isNews(t core.EventType) bool {
	return strings.HasPrefix(string(t), "order.") || strings.HasPrefix(string(t), "customer.")
}

// silent says why nobody is to be told at all.
func (in *Intake) silent(s *subject) string {
	e := s.event.Event
	switch {
	case !s.customer.ClosedAt.IsZero():
		return "the customer's account is closed"
	case s.foreign:
		return "the ticket belongs to another customer"
	}
	if e.Type == core.TicketNoteAdded {
		if e.Data.Note == nil {
			return "there is no note"
		}
		public, _ := e.Data.Note.Split()
		if public == nil {
			return "the note is internal"
		}
		s.note = public
	}
	return ""
}

func (in *Intake) localeOf(s subject) string {
	want := s.customer.Locale
	for _, l := range []string{s.event.Event.Data.Locale, in.linkLocale(s), in.Rules().Locale} {
		if want == "" {
			want = l
		}
	}
	return in.Rules().Texts.Locale(want)
}

func (in *Intake) linkLocale(s subject) string {
	for _, l := range s.links {
		if l.Address.Locale != "" {
			return l.Address.Locale
		}
	}
	return ""
}

func (in *Intake) facts(s subject, locale string, now time.Time) route.Facts {
	e := s.event.Event
	f := route.Facts{
		Event: e.Type, CustomerUID: s.customer.UID, Site: e.Site, Locale: locale, Purpose: purposeOf(e), Now: now,
		Human: s.note != nil, Preferred: s.customer.Preferred, Lead: s.lead,
	}
	if e.Data.LinkID != 0 { // said by the gateway itself, in one chat
		for _, l := range s.links {
			if l.Link.ID == e.Data.LinkID {
				f.Only = route.Chat{Channel: l.Link.Channel, AddressID: l.Address.ID}
			}
		}
	}
	return f
}

// purposeOf is what the customer must have agreed to.
func purposeOf(e core.Event) core.Purpose {
	switch {
	case (e.Type == core.MessageRequested || e.Type == core.ConsentWithdrawn) && e.Data.Purpose != "":
		return e.Data.Purpose
	case e.Type == core.MessageRequested, e.Type == core.ConsentWithdrawn, strings.HasPrefix(string(e.Type), "order."), e.Type == core.ThankYou:
		return core.OrderUpdates
	}
	return core.Service
}

// purposes is what a consent covers: whoever wants order news also gets what
// concerns their account and their own questions; marketing is asked for apart.
func purposes(p core.Purpose) []core.Purpose {
	if p == core.Marketing {
		return []core.Purpose{core.Marketing, core.Service}
	}
	return []core.Purpose{core.OrderUpdates, core.Service}
}

func (in *Intake) candidates(s subject, locale string, now time.Time) []route.Candidate {
	var all []route.Candidate
	for _, l := range s.links {
		info, ok := in.Outbox.Describe(l.Link.Channel, s.event.Event.Type, locale, now)
		if !ok {
			continue
		}
		c := route.Candidate{
			Channel: l.Link.Channel, AddressID: l.Address.ID, State: string(l.Link.State), Since: l.Link.ChangedAt,
			Purposes: purposes(l.Link.Purpose), Window: info.Window, WindowFrom: l.Address.LastInAt,
			Template: info.Template != "", Works: info.Works, Why: info.Why,
		}
		if s.note != nil && l.Address.ID == s.lead.AddressID && l.Link.ChangedAt.Before(s.askedAt) {
			c.State = route.Active // who asks after opting out of news wants the answer
		}
		if !l.Address.BlockedAt.IsZero() {
			c.State, c.Since = route.Blocked, l.Address.BlockedAt
		}
		all = append(all, c)
	}
	return all
}

// compose writes the plan's messages.
func (in *Intake) compose(ctx context.Context, s subject, p *Plan, now time.Time) error {
	s.event.Event = p.Event
	if p.Foreign {
		s.event.Event.Data.OrderCode = "" // a thank-you for the link alone
	}
	input := in.input(ctx, s, p, now)
	body, err := in.Rules().Texts.Render(input)
	if err != nil {
		return fmt.Errorf("render %s: %w", s.event.Event.Type, err)
	}
	p.State = core.EventRouted
	targets, closed := p.Decision.Targets, false
	if len(targets) == 0 {
		targets, closed = p.Decision.Closed[:1], true
	}
	for _, t := range targets {
		m := in.message(s, p, t, input, now)
		m.Body = body
		if closed {
			m.State, m.Class, m.Why = core.MessageFailed, core.WindowClosed, p.Decision.Reason
		}
		p.Messages = append(p.Messages, m)
	}
	return nil
}

func (in *Intake) input(ctx context.Context, s subject, p *Plan, now time.Time) render.Input {
	e := s.event.Event
	input := render.Input{
		Type: e.Type, Locale: p.Locale, Now: now, Event: e.Data, CustomerName: s.customer.Name,
		Order: p.Order, Return: p.Return, Note: s.note, Degraded: p.Degraded,
	}
	if p.Order == nil {
		return input
	}
	if input.CustomerName == "" {
		input.CustomerName = p.Order.CustomerName
	}
	going := parcels(*p.Order, e.Data.ConsignmentCode)
	for i, c := range going {
		if c.Code != e.Data.ConsignmentCode && !(e.Data.ConsignmentCode == "" && len(going) == 1) {
			continue
		}
		c = in.track(ctx, s, p.Locale, c)
		input.Consignment, input.ConsignmentN, input.ConsignmentOf = &c, i+1, len(going)
	}
	return input
}

// shortly bounds what is worth one try: the carrier's data, what comes back.
const shortly = 2 * time.Second

// track asks the carrier's data of a consignment for.
func (in *Intake) track(ctx context.Context, s subject, locale string, c core.Consignment) core.Consignment {
	e := s.event.Event
	if in.Shop == nil || c.TrackingID == "" || c.TrackingURL != "" || !tracked(e.Type) {
		return c
	}
	ctx, cancel := context.WithTimeout(ctx, shortly)
	defer cancel()
	q := core.OrderQuery{Site: e.Site, Code: e.Data.OrderCode, CustomerUID: s.customer.UID, Locale: locale}
	full, err := in.Shop.Tracking(ctx, q, c)
	if err != nil {
		return c
	}
	return full
}

func tracked(t core.EventType) bool {
	return t == core.OrderShipped || t == "order.out_for_delivery" || t == "order.delivery_failed"
}

func (in *Intake) message(s subject, p *Plan, t route.Target, input render.Input, now time.Time) core.Message {
	e := s.event.Event
	m := core.Message{
		EventRow: s.event.RowID, EventID: e.ID, EventSource: e.Source, Type: e.Type,
		CustomerID: s.customer.ID, CustomerUID: s.customer.UID, Site: e.Site, OrderCode: e.Data.OrderCode,
		Channel: t.Channel, AddressID: t.AddressID, Route: p.Decision.Route, Reason: t.Reason,
		Purpose: purposeOf(e), Uncertain: string(p.Decision.Uncertain), Human: s.note != nil,
		Reply: e.Type == core.Answer, CreatedAt: now, Template: in.template(t, e.Type, p.Locale, input, now),
	}
	if p.Decision.Expires > 0 {
		m.ExpiresAt = now.Add(p.Decision.Expires)
	}
	if e.Data.ExpiresAt != nil && (m.ExpiresAt.IsZero() || e.Data.ExpiresAt.Before(m.ExpiresAt)) {
		m.ExpiresAt = *e.Data.ExpiresAt
	}
	if p.Decision.Deliver == route.Fallback {
		for _, r := range p.Decision.Rest {
			m.Rest = append(m.Rest, core.Alternative{
				Channel: r.Channel, AddressID: r.AddressID, Template: in.template(r, e.Type, p.Locale, input, now),
			})
		}
	}
	if p.Degraded {
		m.Reason += "; degraded: the shop did not give the order"
	}
	return m
}

// template is the approved template that can stand in for the message.
func (in *Intake) template(t route.Target, typ core.EventType, locale string, input render.Input, now time.Time) *core.Template {
	info, ok := in.Outbox.Describe(t.Channel, typ, locale, now)
	if !ok || info.Template == "" {
		return nil
	}
	params, err := in.Rules().Texts.Params(info.Params, input)
	if err != nil {
		in.Log.Warn("a template's values cannot be had; the template is not used", "channel", t.Channel, "template", info.Template, "err", err)
		return nil
	}
	return &core.Template{Name: info.Template, Language: info.Language, Params: params}
}
