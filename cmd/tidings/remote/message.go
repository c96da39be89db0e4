package remote

import (
	"fmt"
	"strings"
	"time"
)

// message is a message as the gateway reads it back. What is null there is
// empty here.
type message struct {
	ID         string     `json:"id"`
	Event      string     `json:"event"`
	Type       string     `json:"type"`
	Customer   string     `json:"customer"`
	Order      string     `json:"order"`
	Channel    string     `json:"channel"`
	Address    string     `json:"address"`
	Route      string     `json:"route"`
	Reason     string     `json:"reason"`
	Purpose    string     `json:"purpose"`
	State      string     `json:"state"`
	Class      string     `json:"class"`
	Why        string     `json:"why"`
	CreatedAt  *time.Time `json:"createdAt"`
	ChangedAt  *time.Time `json:"changedAt"`
	ExpiresAt  *time.Time `json:"expiresAt"`
	FallbackOf string     `json:"fallbackOf"`
	Receipts   string     `json:"receipts"`
	Parts      []part     `json:"parts"`
}

type part struct {
	N           int        `json:"n"`
	State       string     `json:"state"`
	Text        string     `json:"text"`
	PlatformID  string     `json:"platformId"`
	Attempts    []attempt  `json:"attempts"`
	SentAt      *time.Time `json:"sentAt"`
	DeliveredAt *time.Time `json:"deliveredAt"`
	ReadAt      *time.Time `json:"readAt"`
}

type attempt struct {
	At    *time.Time `json:"at"`
	Class string     `json:"class"` // empty: accepted
	Code  string     `json:"code"`
	Text  string     `json:"text"`
}

// describe tells all of a message.
func (m message) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "message %s: %s\n", line(m.ID), m.condition())
	b.WriteString(fields(
		"event", strings.TrimSpace(m.Event+" ("+m.Type+")"), "customer", m.Customer, "order", m.Order,
		"channel", m.Channel, "address", m.Address, "route", m.Route, "reason", m.Reason, "purpose", m.Purpose,
		"made", local(m.CreatedAt), "changed", local(m.ChangedAt), "expires", local(m.ExpiresAt), "stands in for", m.FallbackOf,
	))
	if m.Receipts == "none" {
		b.WriteString("  the platform gives no receipts: sent is all that can be known\n")
	}
	for _, p := range m.Parts {
		p.describe(&b, len(m.Parts))
	}
	return b.String()
}

// condition is state, class and why.
func (m message) condition() string {
	text := line(m.State)
	if m.Class != "" {
		text += ", " + line(m.Class)
	}
	if m.Why != "" {
		text += ": " + line(m.Why)
	}
	return text
}

func (p part) describe(b *strings.Builder, of int) {
	fmt.Fprintf(b, "  part %d of %d: %s\n", p.N, of, line(p.State))
	for l := range strings.Lines(fields("platform id", p.PlatformID, "sent", local(p.SentAt), "delivered", local(p.DeliveredAt), "read", local(p.ReadAt))) {
		b.WriteString("  " + l)
	}
	for _, a := range p.Attempts {
		answer := "accepted"
		if a.Class != "" {
			answer = strings.TrimSpace(a.Class + " " + a.Code)
		}
		if a.Text != "" {
			answer += ": " + a.Text
		}
		fmt.Fprintf(b, "    attempt of %s: %s\n", local(a.At), line(answer))
	}
	b.WriteString(quoted(p.Text, "    "))
}

// fields shows names with their values, without those that have none.
func fields(pairs ...string) string {
	var rows [][]string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			rows = append(rows, []string{"  " + pairs[i], pairs[i+1]})
		}
	}
	return table(rows...)
}
