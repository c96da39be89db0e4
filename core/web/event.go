package web

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/intake"
)

// explainTimeout bounds a question to the shop for an explanation.
const explainTimeout = 15 * time.Second

// accepted is the answer to events.
type accepted struct {
	Accepted   int             `json:"accepted"`
	Duplicates int             `json:"duplicates"`
	Ignored    int             `json:"ignored"`
	Events     []acceptedEvent `json:"events"`
}

type acceptedEvent struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Warnings []string `json:"warnings"`
	Differs  bool     `json:"differs"`
}

// postEvents takes events, all or none, and answers once they are on disk.
func (s *Server) postEvents(c *gin.Context) {
	events, err := s.readEvents(c)
	if err != nil {
		s.tellRefused(keyOf(c), err)
		s.failWith(c, err, 0)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout+time.Duration(max(0, len(events)-1))*perEvent)
	defer cancel()
	all, err := s.Intake.Accept(ctx, events)
	if err != nil {
		s.failWith(c, err, 2*time.Second)
		return
	}
	c.JSON(http.StatusAccepted, summary(all))
}

// tellRefused says in the log whose events are not taken, and why: senders that
// do not look at an answer lose them, and nobody else hears of it.
func (s *Server) tellRefused(k ringKey, err error) {
	faults := []string{}
	if known, ok := errors.AsType[*refusal](err); ok {
		for _, f := range known.Errors {
			faults = append(faults, *f.Pointer+" "+f.Detail)
		}
	}
	s.Log.Warn("events are refused", "key", k.name, "why", err.Error(), "faults", faults)
}

func summary(all []intake.Status) accepted {
	a := accepted{Events: make([]acceptedEvent, 0, len(all))}
	for _, st := range all {
		switch st.Status {
		case "accepted":
			a.Accepted++
		case "duplicate":
			a.Duplicates++
		default:
			a.Ignored++
		}
		a.Events = append(a.Events, acceptedEvent{st.ID, st.Status, append([]string{}, st.Warnings...), st.Differs})
	}
	return a
}

// readEvents reads a request's events; any fault refuses all of them.
func (s *Server) readEvents(c *gin.Context) ([]intake.Received, error) {
	body, err := readBody(c.Request, limitOf(c.Request))
	if err != nil {
		return nil, err
	}
	events, faults, err := s.settings.Load().Reader.Read(c.Request.Header, body, s.now())
	if err != nil {
		return nil, err
	}
	if len(faults) == 0 {
		return events, attribute(events, keyOf(c))
	}
	told := make([]fault, 0, len(faults))
	for _, f := range faults {
		told = append(told, inBody(f.Pointer, f.Detail))
	}
	return nil, refuseFaults(told...)
}

// limitOf is how long the body of a request may be.
func limitOf(r *http.Request) int64 {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/cloudevents-batch+json" {
		return maxBatch
	}
	return maxEvent
}

// attribute gives events the site of the key they came with, where they name
// none, and refuses those for whose source the key may not speak.
func attribute(events []intake.Received, k ringKey) error {
	for i := range events {
		e := &events[i].Event
		if !k.speaksFor(e.Source) {
			return refuse(http.StatusForbidden, "the key may not report events of the source of event "+strconv.Itoa(i+1)+"; see sources of the key in the configuration")
		}
		if k.site != "" && e.Data.Site == "" {
			e.Site = k.site
		}
	}
	return nil
}

// probeEvents answers senders that ask for a token against cross-site requests
// before they send (webhookservices, where the destination has a csrfURL). There
// is no such danger here, as no cookie lets anybody in: any token will do.
func (*Server) probeEvents(c *gin.Context) {
	c.Header("X-CSRF-Token", "none")
	c.Header("Set-Cookie", "tidings=none; Path=/v1/events; HttpOnly; SameSite=Strict")
	c.Status(http.StatusNoContent)
}

// eventAnswer is an event as it is read back.
type eventAnswer struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	Type       core.EventType  `json:"type"`
	Time       *time.Time      `json:"time"`
	State      core.EventState `json:"state"`
	Customer   *string         `json:"customer"`
	Order      *string         `json:"order"`
	Site       *string         `json:"site"`
	Route      *string         `json:"route"`
	Reason     *string         `json:"reason"`
	Reasons    []core.Reason   `json:"reasons"`
	AcceptedAt *time.Time      `json:"acceptedAt"`
	Messages   []messageAnswer `json:"messages"`
}

// itsTurn is why an event waits that nothing else holds.
const itsTurn = "its turn comes after that of earlier events of the same order or customer"

// getEvent tells what has become of an event.
func (s *Server) getEvent(c *gin.Context) {
	id, err := param(c, "id")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	q, err := readQuery(c)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	source := q.text("source")
	if err := q.done(); err != nil {
		s.failWith(c, err, 0)
		return
	}
	var answer eventAnswer
	var sources []string
	err = s.view(c.Request.Context(), func(tx core.Tx) error {
		found, err := tx.EventsByID(id, source)
		if err != nil {
			return err
		}
		if sources = sourcesOf(found); len(sources) != 1 {
			return core.ErrNotFound
		}
		answer, err = s.event(tx, found[len(found)-1])
		return err
	})
	switch {
	case len(sources) > 1:
		fail(c, problem{
			Status: http.StatusConflict, Detail: "several sources have an event of this id: name one with ?source=",
			More: map[string]any{"sources": sources},
		})
	case err != nil:
		s.failRead(c, err)
	default:
		c.JSON(http.StatusOK, answer)
	}
}

func sourcesOf(events []core.StoredEvent) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Event.Source)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *Server) event(tx core.Tx, e core.StoredEvent) (eventAnswer, error) {
	uid := e.Event.Data.CustomerUID
	if e.CustomerID != 0 {
		who, err := tx.Customer(e.CustomerID)
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return eventAnswer{}, err
		}
		if err == nil {
			uid = who.UID
		}
	}
	a := eventAnswer{
		ID: e.Event.ID, Source: e.Event.Source, Type: e.Event.Type, Time: orNull(e.Event.Time), State: e.State,
		Customer: orNull(uid), Order: orNull(e.Event.Data.OrderCode), Site: orNull(e.Event.Site),
		Route: orNull(e.Route), Reason: orNull(e.Reason), Reasons: append([]core.Reason{}, e.Reasons...),
		AcceptedAt: orNull(e.AcceptedAt), Messages: []messageAnswer{},
	}
	if e.State == core.EventWaiting && e.Reason == "" {
		a.Reason = new(itsTurn)
	}
	told, err := tx.ListMessages(core.MessageFilter{EventID: e.Event.ID, Limit: pageMax})
	if err != nil {
		return a, err
	}
	told = slices.DeleteFunc(told, func(m core.Message) bool { return m.EventRow != e.RowID })
	slices.Reverse(told)
	a.Messages, err = s.messages(tx, told)
	return a, err
}

// explain tells what would become of an event, without sending or writing.
func (s *Server) explain(c *gin.Context) {
	q, err := readQuery(c)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	customer := q.text("customer")
	if err := q.done(); err != nil {
		s.failWith(c, err, 0)
		return
	}
	events, err := s.readEvents(c)
	if err == nil && len(events) != 1 {
		err = refuseFaults(inBody("", "must be one event, not "+strconv.Itoa(len(events))))
	}
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), explainTimeout)
	defer cancel()
	x, err := s.Intake.Explain(ctx, events[0], customer, nil)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	c.JSON(http.StatusOK, x)
}

// orNull is a value for JSON; null where there is none.
func orNull[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}
