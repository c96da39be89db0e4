package inbound

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
)

// maxEntry is how long one entry of a ticket may be, in UTF-16 units.
// Source: SAP Commerce OCC v2, attribute "Message" 1 to 5000 characters, read 2026-11-22.
const maxEntry = 5000

// question makes what a customer wrote an entry of the right conversation's
// ticket, and confirms it unless one confirmation has just been given.
func (in *Inbound) question(tx *lane.Tx, c chat) error {
	q, err := in.ask(tx, c)
	if err != nil || !q.taken || q.burst {
		return err
	}
	return in.say(tx, c, render.Confirmation, q.about, nil)
}

// asked is what became of a question.
type asked struct {
	taken bool // it is on its way to the shop
	about core.OrderQuery
	burst bool // the customer wrote within the quiet minute before
}

// ask puts what a customer wrote in line for the shop.
func (in *Inbound) ask(tx *lane.Tx, c chat) (asked, error) {
	text := withMedia(c.text(), c.update.Update.Media)
	if strings.TrimSpace(text) == "" {
		return asked{}, nil
	}
	if in.Desk == nil {
		in.Log.Warn("a customer asked something, and tickets are off: it stays in the store", "channel", c.addr.Channel)
		return asked{}, nil
	}
	order, err := orderMeant(tx, c)
	if err != nil {
		return asked{}, err
	}
	v, burst, err := in.conversationAbout(tx, c, order)
	if err != nil {
		return asked{}, err
	}
	calls := make([]core.TicketCall, 0, 1)
	for _, entry := range entries(text) {
		calls = append(calls, core.TicketCall{Text: entry})
	}
	for _, m := range in.attachable(c.update) {
		calls = append(calls, core.TicketCall{Media: &m})
	}
	for _, call := range calls {
		call.ConversationID, call.UpdateID, call.State, call.CreatedAt = v.ID, c.update.ID, waiting, c.now
		id, err := tx.InsertTicketCall(call)
		if err != nil {
			return asked{}, err
		}
		if err := tx.Append(conversationLane(v.ID), id, c.now, lane.Normal); err != nil {
			return asked{}, err
		}
	}
	tx.After(func() { in.Count("questions", 1, "channel", c.addr.Channel) })
	return asked{taken: true, about: core.OrderQuery{Site: v.Site, Code: v.OrderCode}, burst: burst}, nil
}

// conversationAbout returns the conversation a question belongs to, and whether
// the customer wrote within the last quiet minute. A question that is about no
// order goes on with what the customer last wrote about, in whichever chat.
func (in *Inbound) conversationAbout(tx *lane.Tx, c chat, order core.OrderQuery) (core.Conversation, bool, error) {
	when := c.update.ReceivedAt
	last, err := tx.LastConversation(c.who.ID)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return last, false, err
	}
	burst := err == nil && last.AddressID == c.addr.ID && when.Sub(last.LastInAt) < quietMinute
	goesOn := err == nil && order.Code == "" && (!last.Closed || in.Reopen) && !last.LastInAt.Before(when.Add(-conversation))
	v, err := tx.OpenConversation(c.who.ID, order.Code, when.Add(-conversation), in.Reopen)
	if goesOn && errors.Is(err, core.ErrNotFound) {
		v, err = last, nil
	}
	if err == nil {
		v.AddressID, v.LastInAt = c.addr.ID, later(v.LastInAt, when)
		return v, burst, tx.SaveConversation(v)
	}
	if !errors.Is(err, core.ErrNotFound) {
		return v, false, err
	}
	v = core.Conversation{
		CustomerID: c.who.ID, CustomerUID: c.who.UID, Site: cmp.Or(order.Site, c.link.Site, in.Site), OrderCode: order.Code,
		AddressID: c.addr.ID, LastInAt: when, CreatedAt: c.now,
	}
	if v.ID, err = tx.InsertConversation(v); err != nil {
		return v, false, err
	}
	v.Reference = fmt.Sprintf("T%d-%s", v.ID, strings.ToUpper(rand.Text()[:4]))
	return v, burst, tx.SaveConversation(v)
}

// orderMeant is the order a question is about: that of the message it answers,
// else an own order's code in the text, else the one last told of in the chat.
// It is zero when none of them tells; it is never another customer's.
func orderMeant(tx *lane.Tx, c chat) (core.OrderQuery, error) {
	for _, guess := range []func(*lane.Tx, chat) (core.OrderQuery, error){orderAnswered, orderNamed, orderLastTold} {
		order, err := guess(tx, c)
		if err == nil && order.Code != "" {
			return order, nil
		}
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return core.OrderQuery{}, err
		}
	}
	return core.OrderQuery{}, nil
}

// orderAnswered is the order of the message that was answered.
func orderAnswered(tx *lane.Tx, c chat) (core.OrderQuery, error) {
	part, err := tx.PartByPlatformID(c.addr.Channel, c.update.Update.ReplyTo)
	if err != nil {
		return core.OrderQuery{}, err
	}
	m, err := tx.Message(part.MessageID)
	if err != nil || m.CustomerID != c.who.ID {
		return core.OrderQuery{}, err
	}
	return core.OrderQuery{Site: m.Site, Code: m.OrderCode}, nil
}

// orderLastTold is the order last told of in the chat. Before anything has been
// told there it is the one with which the chat was linked.
func orderLastTold(tx *lane.Tx, c chat) (core.OrderQuery, error) {
	site, code, err := tx.LastOrder(c.who.ID, c.addr.ID)
	if errors.Is(err, core.ErrNotFound) {
		return orderOfLink(tx, c.link)
	}
	if err != nil {
		return core.OrderQuery{}, err
	}
	told, err := tx.ListMessages(core.MessageFilter{Customer: c.who.UID, Order: code, Channel: c.addr.Channel, Limit: 1})
	if err != nil {
		return core.OrderQuery{}, err
	}
	if len(told) == 0 {
		return orderOfLink(tx, c.link) // told to an earlier customer of this chat
	}
	return core.OrderQuery{Site: site, Code: code}, nil
}

func orderOfLink(tx *lane.Tx, l core.Link) (core.OrderQuery, error) {
	owner, err := tx.OrderOwner(l.Site, l.OrderCode)
	if err != nil || owner != l.CustomerID {
		return core.OrderQuery{}, err
	}
	return core.OrderQuery{Site: l.Site, Code: l.OrderCode}, nil
}

// entries cuts a text into entries the shop takes. Only white space at a cut goes.
func entries(text string) []string {
	var all []string
	for fits(text) < len(text) {
		cut := fits(text)
		if entry := strings.TrimRightFunc(text[:cut], unicode.IsSpace); entry != "" {
			all = append(all, entry)
		}
		text = strings.TrimLeftFunc(text[cut:], unicode.IsSpace)
	}
	if text == "" {
		return all
	}
	return append(all, text)
}

// fits returns how many bytes of a text go into one entry: all, or up to the
// last white space unless that would leave more than half of the entry empty.
func fits(text string) int {
	space, end := 0, 0
	for room := maxEntry; end < len(text); {
		r, size := utf8.DecodeRuneInString(text[end:])
		if room -= utf16.RuneLen(r); room < 0 {
			if space > end/2 {
				return space
			}
			return end
		}
		if end += size; unicode.IsSpace(r) {
			space = end
		}
	}
	return end
}

// withMedia adds a line for everything that is not text.
func withMedia(text string, media []core.Media) string {
	var lines []string
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
