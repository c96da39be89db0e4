package hybrissim

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// Style is how a shop reports events.
type Style string

// The styles.
const (
	// Native is a listener of the shop's own that speaks the gateway's
	// CloudEvents, structured, with a bearer key.
	Native Style = "cloudevents"
	// Kyma and KymaStructured are Commerce events through Kyma: codes only.
	Kyma           Style = "kyma"
	KymaStructured Style = "kyma-structured"
	// Webhook is the webhookservices extension: an integration object when its
	// root is saved, Basic authentication, two tries and only on 5xx.
	Webhook Style = "webhook"
	// Legacy is the older export of Commerce events over HTTP.
	Legacy Style = "legacy"
	// Process is an action of the order process that posts a small flat body for
	// each state that is reached, and is run again when it fails.
	Process Style = "process"
)

// everySave reports whether a style reports a change whatever it means.
func (s Style) everySave() bool { return s == Webhook || s == Process }

// Event is what the shop reports. What is empty is left out or, where the
// style needs it, taken from the shop's data.
type Event struct {
	ID   string    // default: a new one
	Time time.Time // default: now
	Type string    // canonical, such as order.shipped; webhooks fire without one too
	// Name is a Commerce event's own name, for those the table of this package
	// does not have ("consigment.consignmentprocessing").
	Name string

	OrderCode, ConsignmentCode, ReturnCode string
	CustomerUID, PreviousUID               string
	TicketID                               string
	Note                                   *Note
	Status                                 string         // of a ticket: OPEN, INPROCESS, CLOSED
	Data                                   map[string]any // more data, as it stands

	Style Style // default: Options.Style

	consent string // its code
}

// Note is a ticket's entry in an event.
type Note struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Author    string    `json:"author,omitempty"`
	Public    bool      `json:"public"`
	CreatedAt time.Time `json:"createdAt"`

	entry Entry
}

// ErrNoEvent says that a shop has no such event in this style.
var ErrNoEvent = errors.New("a shop has no event for this")

// Delivery is what became of a reported event.
type Delivery struct {
	ID, Type      string
	Style         Style
	Order, Ticket string
	Statuses      []int // of each try; 0: no answer
	Err           string
}

// pushes is what the shop has reported. It is guarded by Sim.mu.
type pushes struct {
	done []Delivery
	held []post
}

// post is one event, ready to leave.
type post struct {
	about  Delivery
	header http.Header
	body   []byte
	basic  bool
	tries  int
}

// Push reports an event and returns when the gateway has it, or the error of
// the last try. While pushes are held it returns at once.
func (s *Sim) Push(ctx context.Context, ev Event) error {
	s.mu.Lock()
	p, err := s.compose(ev)
	copies := 1 + s.faults.duplicates
	held := s.faults.holdPushes
	if err == nil && held {
		s.pushes.held = append(s.pushes.held, p)
	}
	s.mu.Unlock()
	if err != nil || held {
		return err
	}
	for range copies {
		err = errors.Join(err, s.deliver(ctx, p))
	}
	return err
}

// HoldPushes keeps events back until ReleasePushes.
func (s *Sim) HoldPushes() { s.set(func(f *faults) { f.holdPushes = true }) }

// ReleasePushes delivers the events held back, the newest first: parallel
// processes of a shop keep no order.
func (s *Sim) ReleasePushes(ctx context.Context) error {
	s.mu.Lock()
	held := s.pushes.held
	s.pushes.held, s.faults.holdPushes = nil, false
	s.mu.Unlock()
	var errs []error
	for _, p := range slices.Backward(held) {
		errs = append(errs, s.deliver(ctx, p))
	}
	return errors.Join(errs...)
}

// Pushes returns what became of the events, in the order of their last tries.
func (s *Sim) Pushes() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pushes.done)
}

// Settle waits for the events that are reported in the background.
func (s *Sim) Settle() { s.pushing.Wait() }

// auto reports what the shop reports by itself. Failures are in Pushes; the
// shop's work goes on without the gateway.
func (s *Sim) auto(ctx context.Context, ev Event) {
	if !s.opt.AutoPush || ev.Type == "" && ev.Name == "" && !s.opt.Style.everySave() {
		return
	}
	_ = s.Push(ctx, ev)
}

func (s *Sim) pushLater(ctx context.Context, ev Event) {
	ctx = context.WithoutCancel(ctx)
	s.pushing.Go(func() { s.auto(ctx, ev) })
}

// reportEntry reports an agent's entry where the shop does so. A stock shop
// has no ticket event; one of its own, or a webhook, carries internal notes as
// well, and says so.
func (s *Sim) reportEntry(ctx context.Context, ticketID string, e Entry) {
	if t, ok := s.Ticket(ticketID); ok && s.opt.TicketPushes {
		s.auto(ctx, noteEvent(&t, e))
	}
}

func (s *Sim) reportStatus(ctx context.Context, ticketID string) {
	t, ok := s.Ticket(ticketID)
	if !ok || !s.opt.TicketPushes || s.opt.Style != Native && s.opt.Style != Webhook {
		return
	}
	ev := ticketEvent(&t)
	ev.Type, ev.Status = "ticket.status_changed", t.Status
	s.auto(ctx, ev)
}

func noteEvent(t *Ticket, e Entry) Event {
	ev := ticketEvent(t)
	ev.Type = "ticket.note_added"
	ev.Note = &Note{ID: e.Code, Text: e.Text, Author: e.Author, Public: e.Public(), CreatedAt: e.Created.UTC(), entry: e}
	return ev
}

func ticketEvent(t *Ticket) Event {
	ev := Event{TicketID: t.ID, CustomerUID: t.CustomerUID}
	if t.Associated != nil && t.Associated.Type == "Order" {
		ev.OrderCode = t.Associated.Code
	}
	return ev
}
