package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/dispatch"
)

// messageAnswer is a message as it is read back.
type messageAnswer struct {
	ID         string            `json:"id"`
	Event      *string           `json:"event"`
	Type       core.EventType    `json:"type"`
	Customer   *string           `json:"customer"`
	Order      *string           `json:"order"`
	Channel    string            `json:"channel"`
	Address    *string           `json:"address"`
	Route      *string           `json:"route"`
	Reason     *string           `json:"reason"`
	Purpose    core.Purpose      `json:"purpose"`
	State      core.MessageState `json:"state"`
	Class      *core.Class       `json:"class"`
	Why        *string           `json:"why"`
	CreatedAt  *time.Time        `json:"createdAt"`
	ChangedAt  *time.Time        `json:"changedAt"`
	ExpiresAt  *time.Time        `json:"expiresAt"`
	FallbackOf *string           `json:"fallbackOf"`
	Receipts   string            `json:"receipts,omitempty"`
	Parts      []partAnswer      `json:"parts"`
}

type partAnswer struct {
	N           int             `json:"n"`
	State       core.PartState  `json:"state"`
	Text        string          `json:"text"`
	PlatformID  *string         `json:"platformId"`
	Attempts    []attemptAnswer `json:"attempts"`
	SentAt      *time.Time      `json:"sentAt"`
	DeliveredAt *time.Time      `json:"deliveredAt"`
	ReadAt      *time.Time      `json:"readAt"`
	Receipts    string          `json:"receipts,omitempty"`
}

type attemptAnswer struct {
	At    time.Time   `json:"at"`
	Class *core.Class `json:"class"` // null: accepted
	Code  *string     `json:"code"`
	Text  *string     `json:"text"`
}

// noReceipts is said of what a platform cannot confirm: null then does not mean "not yet".
const noReceipts = "none"

// page is a list, newest first.
type page struct {
	Items []messageAnswer `json:"items"`
	Next  *string         `json:"next"`
}

// listMessages lists messages by what they are about and what became of them.
func (s *Server) listMessages(c *gin.Context) {
	f, err := messageFilter(c)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	p := page{Items: []messageAnswer{}}
	size := f.Limit
	f.Limit++ // one more tells whether there is a next page
	err = s.view(c.Request.Context(), func(tx core.Tx) error {
		all, err := tx.ListMessages(f)
		if err != nil {
			return err
		}
		if len(all) > size {
			all = all[:size]
			p.Next = orNull(newCursor(all[size-1].ID))
		}
		p.Items, err = s.messages(tx, all)
		return err
	})
	if err != nil {
		s.failRead(c, err)
		return
	}
	c.JSON(http.StatusOK, p)
}

func messageFilter(c *gin.Context) (core.MessageFilter, error) {
	q, err := readQuery(c)
	if err != nil {
		return core.MessageFilter{}, err
	}
	f := core.MessageFilter{
		Customer: q.text("customer"), Order: q.text("order"), EventID: q.text("event"), Channel: q.text("channel"),
		State: core.MessageState(q.oneOf("state", words(core.MessageStates))), Class: core.Class(q.oneOf("class", words(core.Classes))),
		Since: q.time("since"), Until: q.time("until"), Limit: q.limit(), Before: q.cursor(),
	}
	return f, q.done()
}

func words[T ~string](all []T) []string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = string(v)
	}
	return texts
}

// getMessage shows one message.
func (s *Server) getMessage(c *gin.Context) {
	id, err := messageID(c)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	s.showMessage(c, id)
}

func (s *Server) showMessage(c *gin.Context, id int64) {
	var one []messageAnswer
	err := s.view(c.Request.Context(), func(tx core.Tx) error {
		m, err := tx.Message(id)
		if err != nil {
			return err
		}
		one, err = s.messages(tx, []core.Message{m})
		return err
	})
	if err != nil {
		s.failRead(c, err)
		return
	}
	c.JSON(http.StatusOK, one[0])
}

// operate does what an operator asks of one message, and shows it.
func (s *Server) operate(do func(ctx context.Context, id int64) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		id, err := messageID(c)
		if err == nil {
			ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
			defer cancel()
			err = do(ctx, id)
		}
		var wrong *dispatch.StateError
		switch {
		case errors.As(err, &wrong):
			fail(c, problem{Status: http.StatusConflict, Detail: wrong.Error(), More: map[string]any{"state": wrong.State}})
		case err != nil:
			s.failWith(c, err, acceptTimeout)
		default:
			s.showMessage(c, id)
		}
	}
}

// messages reads what belongs to messages. The answer is never nil.
func (s *Server) messages(tx core.Tx, all []core.Message) ([]messageAnswer, error) {
	answers := make([]messageAnswer, 0, len(all))
	for _, m := range all {
		a, err := s.message(tx, m)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

func (s *Server) message(tx core.Tx, m core.Message) (messageAnswer, error) {
	address, err := tx.Address(m.AddressID)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return messageAnswer{}, err
	}
	parts, err := tx.Parts(m.ID)
	if err != nil {
		return messageAnswer{}, err
	}
	attempts, err := tx.Attempts(m.ID)
	if err != nil {
		return messageAnswer{}, err
	}
	a := messageAnswer{
		ID: strconv.FormatInt(m.ID, 10), Event: orNull(m.EventID), Type: m.Type, Customer: orNull(m.CustomerUID),
		Order: orNull(m.OrderCode), Channel: m.Channel, Address: orNull(address.Value), Route: orNull(m.Route), Reason: orNull(m.Reason),
		Purpose: m.Purpose, State: m.State, Class: orNull(m.Class), Why: orNull(m.Why), CreatedAt: orNull(m.CreatedAt),
		ChangedAt: orNull(m.ChangedAt), ExpiresAt: orNull(m.ExpiresAt), Receipts: s.receiptsOf(m.Channel), Parts: []partAnswer{},
	}
	if m.FallbackOf != 0 {
		a.FallbackOf = orNull(strconv.FormatInt(m.FallbackOf, 10))
	}
	for _, p := range parts {
		a.Parts = append(a.Parts, partOf(p, attempts, a.Receipts))
	}
	return a, nil
}

// receiptsOf is noReceipts for a channel whose platform gives none, else empty.
func (s *Server) receiptsOf(channel string) string {
	o, ok := s.Dispatcher.Outlet(channel)
	if ok && !o.Limits.Delivered && !o.Limits.Read {
		return noReceipts
	}
	return ""
}

func partOf(p core.StoredPart, attempts []core.Attempt, receipts string) partAnswer {
	a := partAnswer{
		N: p.N, State: p.State, Text: p.Part.Plain(), PlatformID: orNull(p.PlatformID), Attempts: []attemptAnswer{},
		SentAt: orNull(p.SentAt), DeliveredAt: orNull(p.DeliveredAt), ReadAt: orNull(p.ReadAt), Receipts: receipts,
	}
	for _, t := range attempts {
		if t.N == p.N {
			a.Attempts = append(a.Attempts, attemptAnswer{At: t.At, Class: orNull(t.Class), Code: orNull(t.Code), Text: orNull(t.Text)})
		}
	}
	return a
}
