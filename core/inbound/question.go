package inbound

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
)

// maxEntry is how long one entry of a ticket may be, in UTF-16 units.
// Source: SAP Commerce OCC v2, attribute "Message" 1 to 5000 characters, read 2026-11-22.
const maxEntry = 5000

// question makes what a customer wrote an entry of the right conversation's
// ticket, and confirms it unless one confirmation has just been given.
func (in *Inbound) question(tx *lane.Tx, c chat, u core.StoredUpdate, text string) error {
	if text = withMedia(text, u.Update.Media); strings.TrimSpace(text) == "" {
		return nil
	}
	if in.Shop == nil || !in.Tickets {
		in.Log.Warn("a customer asked something, and tickets are off: it stays in the store", "channel", c.addr.Channel)
		return nil
	}
	order, err := in.orderMeant(tx, c, u.Update)
	if err != nil {
		return err
	}
	v, burst, err := in.conversationAbout(tx, c, order, u)
	if err != nil {
		return err
	}
	for _, entry := range entries(text) {
		id, err := tx.InsertTicketCall(core.TicketCall{
			ConversationID: v.ID, UpdateID: u.ID, Text: entry, State: waiting, CreatedAt: c.now,
		})
		if err != nil {
			return err
		}
		if err := tx.Append(conversationLane(v.ID), id, c.now); err != nil {
			return err
		}
	}
	in.Count("questions", 1, "channel", c.addr.Channel)
	if burst {
		return nil
	}
	return in.say(tx, c, render.Confirmation, order, nil)
}

// conversationAbout returns the conversation a question belongs to, and whether
// the customer wrote within the last quiet minute.
func (in *Inbound) conversationAbout(tx *lane.Tx, c chat, order string, u core.StoredUpdate) (core.Conversation, bool, error) {
	burst := false
	last, err := tx.LastConversation(c.who.ID)
	switch {
	case err == nil:
		burst = last.AddressID == c.addr.ID && u.ReceivedAt.Sub(last.LastInAt) < quietMinute
	case !errors.Is(err, core.ErrNotFound):
		return last, false, err
	}
	v, err := tx.OpenConversation(c.who.ID, order, u.ReceivedAt.Add(-conversation))
	if err == nil {
		v.AddressID, v.LastInAt = c.addr.ID, later(v.LastInAt, u.ReceivedAt)
		return v, burst, tx.SaveConversation(v)
	}
	if !errors.Is(err, core.ErrNotFound) {
		return v, false, err
	}
	v = core.Conversation{
		CustomerID: c.who.ID, CustomerUID: c.who.UID, Site: first(c.link.Site, in.Site), OrderCode: order,
		AddressID: c.addr.ID, LastInAt: u.ReceivedAt, CreatedAt: c.now,
	}
	if v.ID, err = tx.InsertConversation(v); err != nil {
		return v, false, err
	}
	v.Reference = fmt.Sprintf("T%d-%s", v.ID, strings.ToUpper(rand.Text()[:4]))
	return v, burst, tx.SaveConversation(v)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// orderMeant is the order a question is about: that of the message it answers,
// else an own order's code in the text, else the one last told of in the chat.
func (in *Inbound) orderMeant(tx *lane.Tx, c chat, u core.Update) (string, error) {
	if u.ReplyTo != "" {
		part, err := tx.PartByPlatformID(c.addr.Channel, u.ReplyTo)
		if err == nil {
			m, err := tx.Message(part.MessageID)
			if err != nil && !errors.Is(err, core.ErrNotFound) {
				return "", err
			}
			if m.OrderCode != "" && m.CustomerID == c.who.ID {
				return m.OrderCode, nil
			}
		} else if !errors.Is(err, core.ErrNotFound) {
			return "", err
		}
	}
	own, err := tx.OrdersOf(c.who.ID, 200)
	if err != nil {
		return "", err
	}
	said := wordsOf(u.Text)
	known := map[string]bool{}
	for _, q := range own {
		known[q.Code] = true
		if said[strings.ToLower(q.Code)] {
			return q.Code, nil
		}
	}
	_, code, err := tx.LastOrder(c.addr.ID)
	if errors.Is(err, core.ErrNotFound) {
		return "", nil
	}
	if !known[code] {
		return "", err // told to an earlier customer of this chat
	}
	return code, err
}

// wordsOf are the words of a text that could be an order's code.
func wordsOf(text string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	}) {
		all[strings.ToLower(strings.Trim(w, "-_"))] = true
	}
	return all
}

// entries cuts a text into entries the shop takes, at white space where there is any.
func entries(text string) []string {
	var all []string
	for units(text) > maxEntry {
		cut, room := 0, maxEntry
		space := 0
		for i, r := range text {
			if room -= units(string(r)); room < 0 {
				break
			}
			cut = i + len(string(r))
			if unicode.IsSpace(r) {
				space = cut
			}
		}
		if space > cut/2 {
			cut = space
		}
		all = append(all, strings.TrimRightFunc(text[:cut], unicode.IsSpace))
		text = strings.TrimLeftFunc(text[cut:], unicode.IsSpace)
	}
	return append(all, text)
}

// units counts UTF-16 units, as the shop's platform does.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// withMedia adds a line for everything that is not text.
func withMedia(text string, media []core.Media) string {
	lines := []string{}
	if strings.TrimSpace(text) != "" {
		lines = append(lines, text)
	}
	for _, m := range media {
		line := "[" + m.Kind
		for _, s := range []string{m.Name, m.Text, m.URL} {
			if s != "" {
				line += ": " + s
			}
		}
		lines = append(lines, line+"]")
	}
	return strings.Join(lines, "\n")
}
