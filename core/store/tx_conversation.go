package store

import (
	"time"

	"tidings/core"
)

const conversationColumns = `v.id, v.customer_id, coalesce(c.uid, ''), v.site, v.order_code, v.reference, v.ticket_id, v.closed,
	v.address_id, v.last_in_at, v.polled_at, v.created_at, v.status, v.last_entry`

const conversationTables = ` FROM conversation v LEFT JOIN customer c ON c.id = v.customer_id `

func scanConversation(r scanner) (core.Conversation, error) {
	var v core.Conversation
	var closed int
	var last, polled, created int64
	err := r.Scan(&v.ID, &v.CustomerID, &v.CustomerUID, &v.Site, &v.OrderCode, &v.Reference, &v.TicketID, &closed,
		&v.AddressID, &last, &polled, &created, &v.Status, &v.LastEntry)
	if err != nil {
		return v, found(err)
	}
	v.Closed, v.LastInAt, v.PolledAt, v.CreatedAt = closed == 1, at(last), at(polled), at(created)
	return v, nil
}

// OpenConversation returns the newest conversation about an order that takes questions.
func (t *tx) OpenConversation(customerID int64, orderCode string, since time.Time, closedToo bool) (core.Conversation, error) {
	return scanConversation(t.row(`SELECT `+conversationColumns+conversationTables+`
		WHERE v.customer_id = $1 AND v.order_code = $2 AND v.closed <= $4 AND v.last_in_at >= $3 ORDER BY v.id DESC LIMIT 1`,
		customerID, orderCode, ms(since), flag(closedToo)))
}

// ConversationByTicket returns the conversation a ticket belongs to.
func (t *tx) ConversationByTicket(ticketID string) (core.Conversation, error) {
	if ticketID == "" {
		return core.Conversation{}, core.ErrNotFound
	}
	return scanConversation(t.row(`SELECT `+conversationColumns+conversationTables+`
		WHERE v.ticket_id = $1 AND v.ticket_id <> '' ORDER BY v.id DESC LIMIT 1`, ticketID))
}

// Conversation returns the conversation with an id.
func (t *tx) Conversation(id int64) (core.Conversation, error) {
	return scanConversation(t.row(`SELECT `+conversationColumns+conversationTables+`WHERE v.id = $1`, id))
}

// LastConversation returns the conversation in which a customer last wrote.
func (t *tx) LastConversation(customerID int64) (core.Conversation, error) {
	return scanConversation(t.row(`SELECT `+conversationColumns+conversationTables+`
		WHERE v.customer_id = $1 ORDER BY v.last_in_at DESC, v.id DESC LIMIT 1`, customerID))
}

// InsertConversation writes a new conversation.
func (t *tx) InsertConversation(v core.Conversation) (int64, error) {
	return t.insert("conversation", `INSERT INTO conversation (id, customer_id, site, order_code, reference, ticket_id, closed, address_id,
		last_in_at, polled_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		v.CustomerID, v.Site, v.OrderCode, v.Reference, v.TicketID, flag(v.Closed), v.AddressID,
		ms(v.LastInAt), ms(v.PolledAt), ms(v.CreatedAt))
}

// SaveConversation writes what can change of a conversation.
func (t *tx) SaveConversation(v core.Conversation) error {
	return t.exec(`UPDATE conversation SET ticket_id = $2, closed = $3, address_id = $4, last_in_at = $5, polled_at = $6, reference = $7,
		status = $8, last_entry = $9 WHERE id = $1`,
		v.ID, v.TicketID, flag(v.Closed), v.AddressID, ms(v.LastInAt), ms(v.PolledAt), v.Reference, v.Status, v.LastEntry)
}

// ConversationsToPoll returns open conversations whose ticket is to be read again.
func (t *tx) ConversationsToPoll(before time.Time, limit int) ([]core.Conversation, error) {
	return list(t, scanConversation, `SELECT `+conversationColumns+conversationTables+`
		WHERE v.closed = 0 AND v.ticket_id <> '' AND v.polled_at < $1 ORDER BY v.polled_at LIMIT $2`, ms(before), limit)
}

// ClosedToPoll returns closed conversations that may go on.
func (t *tx) ClosedToPoll(since, before time.Time, limit int) ([]core.Conversation, error) {
	return list(t, scanConversation, `SELECT `+conversationColumns+conversationTables+`
		WHERE v.closed = 1 AND v.ticket_id <> '' AND v.last_in_at >= $1 AND v.polled_at < $2 ORDER BY v.last_in_at LIMIT $3`,
		ms(since), ms(before), limit)
}

const callColumns = `id, conversation_id, update_id, text, state, uncertain, why, created_at, tried_at, media`

// InsertTicketCall writes a text, or a file, on its way into a ticket.
func (t *tx) InsertTicketCall(c core.TicketCall) (int64, error) {
	media, err := pack(c.Media)
	if err != nil {
		return 0, err
	}
	return t.insert("ticket_call", `INSERT INTO ticket_call (id, conversation_id, update_id, text, state, created_at, media)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, c.ConversationID, c.UpdateID, blob(c.Text), c.State, ms(c.CreatedAt), media)
}

func scanTicketCall(r scanner) (core.TicketCall, error) {
	var c core.TicketCall
	var text, media []byte
	var uncertain int
	var created, tried int64
	if err := r.Scan(&c.ID, &c.ConversationID, &c.UpdateID, &text, &c.State, &uncertain, &c.Why, &created, &tried, &media); err != nil {
		return c, found(err)
	}
	c.Text, c.Uncertain, c.CreatedAt, c.TriedAt = string(text), uncertain == 1, at(created), at(tried)
	return c, unpack(media, &c.Media)
}

// TicketCall returns the call with an id.
func (t *tx) TicketCall(id int64) (core.TicketCall, error) {
	return scanTicketCall(t.row(`SELECT `+callColumns+` FROM ticket_call WHERE id = $1`, id))
}

// HeldCalls returns calls that have been tried for a while and not got through.
func (t *tx) HeldCalls(before time.Time, limit int) ([]core.TicketCall, error) {
	return list(t, scanTicketCall, `SELECT `+callColumns+` FROM ticket_call
		WHERE state = 'waiting' AND tried_at > 0 AND tried_at < $1 ORDER BY tried_at LIMIT $2`, ms(before), limit)
}

// SaveTicketCall writes what became of a call.
func (t *tx) SaveTicketCall(c core.TicketCall) error {
	return t.exec(`UPDATE ticket_call SET state = $2, uncertain = $3, why = $4, tried_at = $5 WHERE id = $1`,
		c.ID, c.State, flag(c.Uncertain), c.Why, ms(c.TriedAt))
}
