package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

// begun reports whether a message has begun to leave. The mark that lets a part
// leave is written in its item alone, where it rides along with what is written
// there anyway; the states "sending" and "marked" are read from it. Only the first
// item of a lane can be marked, so that no other is looked at, however many there are.
const begun = `coalesce(m.id = (SELECT CASE WHEN i.mark <> 0 OR i.step > 1 THEN i.ref END FROM item i
	WHERE i.lane = 'out/' || m.channel || '/' || m.address_id ORDER BY i.id LIMIT 1), FALSE)`

const messageState = `CASE WHEN m.state = 'queued' AND ` + begun + ` THEN 'sending' ELSE m.state END`

const messageColumns = `m.id, m.event_row, coalesce(e.event_id, ''), coalesce(e.source, ''), m.type, m.customer_id,
	coalesce(c.uid, ''), m.site, m.order_code, m.channel, m.address_id, m.route, m.reason, m.purpose, ` + messageState + `, m.class,
	m.why, m.uncertain, m.human, m.reply, m.body, m.template, m.rest, m.fallback_of, m.expires_at, m.created_at, m.changed_at, m.parts`

const messageTables = ` FROM message m LEFT JOIN event e ON e.id = m.event_row LEFT JOIN customer c ON c.id = m.customer_id `

const messageByID = `SELECT ` + messageColumns + messageTables + `WHERE m.id = $1`

func scanMessage(r scanner) (core.Message, error) {
	var m core.Message
	var body, template, rest []byte
	var human, reply int
	var expires, created, changed int64
	err := r.Scan(&m.ID, &m.EventRow, &m.EventID, &m.EventSource, &m.Type, &m.CustomerID, &m.CustomerUID, &m.Site,
		&m.OrderCode, &m.Channel, &m.AddressID, &m.Route, &m.Reason, &m.Purpose, &m.State, &m.Class, &m.Why, &m.Uncertain,
		&human, &reply, &body, &template, &rest, &m.FallbackOf, &expires, &created, &changed, &m.Parts)
	if err != nil {
		return m, found(err)
	}
	m.Human, m.Reply = human == 1, reply == 1
	m.ExpiresAt, m.CreatedAt, m.ChangedAt = at(expires), at(created), at(changed)
	for _, f := range []struct {
		from []byte
		to   any
	}{{body, &m.Body}, {template, &m.Template}, {rest, &m.Rest}} {
		if err := unpack(f.from, f.to); err != nil {
			return m, err
		}
	}
	return m, nil
}

// InsertMessage writes a message with its parts.
func (t *tx) InsertMessage(m core.Message, parts []core.Part) (int64, error) {
	body, err := pack(m.Body)
	if err != nil {
		return 0, err
	}
	template, err := pack(m.Template)
	if err != nil {
		return 0, err
	}
	rest, err := pack(m.Rest)
	if err != nil {
		return 0, err
	}
	id, err := t.insert("message", `
		INSERT INTO message (id, event_row, type, customer_id, site, order_code, channel, address_id, route, reason, purpose, state,
			class, why, uncertain, human, reply, body, template, rest, fallback_of, expires_at, created_at, changed_at, parts)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $23, $24)`,
		m.EventRow, m.Type, m.CustomerID, m.Site, m.OrderCode, m.Channel, m.AddressID, m.Route, m.Reason, m.Purpose, m.State,
		m.Class, m.Why, m.Uncertain, flag(m.Human), flag(m.Reply), body, template, rest, m.FallbackOf, ms(m.ExpiresAt),
		ms(m.CreatedAt), len(parts))
	if err != nil {
		return 0, fmt.Errorf("store: message: %w", err)
	}
	t.count("messages")
	m.ID, m.Parts = id, len(parts)
	m.ExpiresAt, m.CreatedAt = at(ms(m.ExpiresAt)), at(ms(m.CreatedAt))
	m.ChangedAt = m.CreatedAt
	if (m.CustomerUID != "" || m.CustomerID == 0) && (m.EventID != "" || m.EventRow == 0) {
		t.c.keep(messageByID, id, m) // else it lacks what a read joins
	}
	return id, t.insertParts(m, parts)
}

func (t *tx) insertParts(m core.Message, parts []core.Part) error {
	var all []core.StoredPart
	for i, p := range parts {
		p.Key = core.PartKey(m.ID, p.N)
		state := core.PartWaiting
		if i == 0 && m.State == core.MessageSending {
			state = core.PartMarked
		}
		body, err := pack(p)
		if err != nil {
			return err
		}
		err = t.exec(`INSERT INTO part (message_id, n, state, body, channel, address_id, watched) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			m.ID, p.N, state, body, m.Channel, m.AddressID)
		if err != nil {
			return fmt.Errorf("store: part: %w", err)
		}
		all = append(all, core.StoredPart{MessageID: m.ID, N: p.N, State: state, Part: p})
	}
	t.c.keep(partsOf, m.ID, all)
	return nil
}

// Message returns a message.
func (t *tx) Message(id int64) (core.Message, error) {
	return known(t, scanMessage, messageByID, id)
}

// SaveMessage writes what can change of a message. Its parts follow it to
// another address, where their receipts will come from.
func (t *tx) SaveMessage(m core.Message) error {
	rest, err := pack(m.Rest)
	if err != nil {
		return err
	}
	t.c.forget(messageByID, m.ID)
	err = t.exec(`UPDATE message SET channel = $2, address_id = $3, state = $4, class = $5, why = $6, reply = $7, rest = $8,
		expires_at = $9, changed_at = $10 WHERE id = $1`,
		m.ID, m.Channel, m.AddressID, m.State, m.Class, m.Why, flag(m.Reply), rest, ms(m.ExpiresAt), ms(m.ChangedAt))
	if err != nil || !m.State.Open() {
		return err // only what has something to send can move
	}
	return t.exec(`UPDATE part SET channel = $2, address_id = $3 WHERE message_id = $1 AND (address_id <> $3 OR channel <> $2)`,
		m.ID, m.Channel, m.AddressID)
}

// ReplaceParts writes new parts for a message of which nothing has been sent.
func (t *tx) ReplaceParts(messageID int64, parts []core.Part) error {
	m := core.Message{ID: messageID}
	if err := t.row(`SELECT channel, address_id FROM message WHERE id = $1`, messageID).Scan(&m.Channel, &m.AddressID); err != nil {
		return found(err)
	}
	t.c.forget(messageByID, messageID)
	t.c.forget(partsOf, messageID)
	if err := t.exec(`DELETE FROM part WHERE message_id = $1`, messageID); err != nil {
		return err
	}
	if err := t.exec(`UPDATE message SET parts = $2 WHERE id = $1`, messageID, len(parts)); err != nil {
		return err
	}
	return t.insertParts(m, parts)
}

const partState = `CASE WHEN p.state = 'waiting' AND p.message_id = (SELECT CASE WHEN i.mark = p.n THEN i.ref END FROM item i
	WHERE i.lane = 'out/' || p.channel || '/' || p.address_id ORDER BY i.id LIMIT 1) THEN 'marked' ELSE p.state END`

const partColumns = `p.message_id, p.n, ` + partState + `, p.body, p.platform_id, p.sent_at, p.delivered_at, p.read_at, p.watched`

const partsOf = `SELECT ` + partColumns + ` FROM part p WHERE p.message_id = $1 ORDER BY p.n`

func scanPart(r scanner) (core.StoredPart, error) {
	var p core.StoredPart
	var body []byte
	var sent, delivered, read int64
	var watched int
	if err := r.Scan(&p.MessageID, &p.N, &p.State, &body, &p.PlatformID, &sent, &delivered, &read, &watched); err != nil {
		return p, found(err)
	}
	p.Watched = watched == 1
	p.SentAt, p.DeliveredAt, p.ReadAt = at(sent), at(delivered), at(read)
	return p, unpack(body, &p.Part)
}

// Parts returns the parts of a message in order.
func (t *tx) Parts(messageID int64) ([]core.StoredPart, error) {
	all, err := t.partsOf(messageID)
	return slices.Clone(all), err
}

func (t *tx) partsOf(messageID int64) ([]core.StoredPart, error) {
	read := func() ([]core.StoredPart, error) { return list(t, scanPart, partsOf, messageID) }
	if all, ok := recalled(t, partsOf, messageID, read); ok {
		return all, nil
	}
	if rows, ok := t.c.remembered(partsOf, messageID); ok {
		return scanAll(rows, scanPart)
	}
	all, err := read()
	if err == nil {
		t.c.keep(partsOf, messageID, all)
	}
	return all, err
}

// Part returns one part of a message.
func (t *tx) Part(messageID int64, n int) (core.StoredPart, error) {
	all, err := t.partsOf(messageID)
	for _, p := range all {
		if p.N == n {
			return p, err
		}
	}
	return core.StoredPart{}, errors.Join(err, core.ErrNotFound)
}

// SavePart writes what can change of a part.
func (t *tx) SavePart(p core.StoredPart) error {
	t.c.forget(partsOf, p.MessageID)
	return t.exec(`UPDATE part SET state = $3, platform_id = $4, sent_at = $5, delivered_at = $6, read_at = $7, watched = $8
		WHERE message_id = $1 AND n = $2`,
		p.MessageID, p.N, p.State, p.PlatformID, ms(p.SentAt), ms(p.DeliveredAt), ms(p.ReadAt), flag(p.Watched))
}

// SettlePart is SavePart for a part that is as its mark left it.
func (t *tx) SettlePart(p core.StoredPart) (bool, error) {
	t.c.forget(partsOf, p.MessageID)
	return t.c.execIf(t.ctx, `UPDATE part SET state = $3, platform_id = $4, sent_at = $5, delivered_at = $6, read_at = $7, watched = $8
		WHERE message_id = $1 AND n = $2 AND state IN ('waiting', 'marked')`,
		p.MessageID, p.N, p.State, p.PlatformID, ms(p.SentAt), ms(p.DeliveredAt), ms(p.ReadAt), flag(p.Watched))
}

// SettleMessage writes the state of a message that is open still.
func (t *tx) SettleMessage(m core.Message) (bool, error) {
	t.c.forget(messageByID, m.ID)
	return t.c.execIf(t.ctx, `UPDATE message SET state = $2, class = $3, why = $4, changed_at = $5 WHERE id = $1 AND state IN ('queued', 'sending')`,
		m.ID, m.State, m.Class, m.Why, ms(m.ChangedAt))
}

// PartByPlatformID returns the part the platform knows by an id.
func (t *tx) PartByPlatformID(channel, platformID string) (core.StoredPart, error) {
	if platformID == "" {
		return core.StoredPart{}, core.ErrNotFound
	}
	return scanPart(t.row(`SELECT `+partColumns+` FROM part p
		WHERE p.channel = $1 AND p.platform_id = $2 AND p.platform_id <> ''
		ORDER BY p.message_id DESC, p.n DESC LIMIT 1`, channel, platformID))
}

// SentParts returns the watched parts sent to an address up to a time and not yet read.
func (t *tx) SentParts(addressID int64, until time.Time, limit int) ([]core.StoredPart, error) {
	return list(t, scanPart, `SELECT `+partColumns+` FROM part p
		WHERE p.address_id = $1 AND p.sent_at <= $2 AND p.watched = 1 AND p.state IN ('sent', 'delivered')
		ORDER BY p.sent_at LIMIT $3`, addressID, ms(until), limit)
}

// AddAttempt keeps an answer by which a part was not sent.
func (t *tx) AddAttempt(a core.Attempt) error {
	_, err := t.insert("attempt", `INSERT INTO attempt (id, message_id, n, at, class, code, text) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.MessageID, a.N, ms(a.At), a.Class, a.Code, a.Text)
	return err
}

// Attempts returns what the requests of a message were answered, by part and
// time. That a part was sent stands in the part (and, in databases of before,
// in an attempt without a class).
func (t *tx) Attempts(messageID int64) ([]core.Attempt, error) {
	return list(t, func(r scanner) (core.Attempt, error) {
		var a core.Attempt
		var when int64
		var sent, id int64 // for the order alone
		err := r.Scan(&a.MessageID, &a.N, &when, &a.Class, &a.Code, &a.Text, &sent, &id)
		a.At = at(when)
		return a, err
	}, `SELECT message_id, n, at, class, code, text, 0 AS sent, id FROM attempt WHERE message_id = $1 AND class <> ''
		UNION ALL
		SELECT message_id, n, sent_at, '', '', '', 1, 0 FROM part WHERE message_id = $1 AND sent_at > 0
		ORDER BY 2, 3, 7, 8`, messageID)
}

// OpenMessages returns the messages to an address that still have something to
// send. They are those of its lane: its index is small, whatever has been sent.
func (t *tx) OpenMessages(addressID int64) ([]core.Message, error) {
	a, err := t.Address(addressID)
	if errors.Is(err, core.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return list(t, scanMessage, `SELECT `+messageColumns+messageTables+`
		WHERE m.id IN (SELECT ref FROM item WHERE lane = $1) AND m.address_id = $2 AND m.state IN ('queued', 'sending') ORDER BY m.id`,
		outLane(a.Channel, a.ID), a.ID)
}

// outLane is the lane of what goes to an address.
func outLane(channel string, addressID int64) string {
	return "out/" + channel + "/" + strconv.FormatInt(addressID, 10)
}

const (
	open = `m.state IN ('queued', 'sending')`
	// beingSent finds what is in state "sending" by its item: there are more of
	// those that wait.
	beingSent = `m.id IN (SELECT id FROM message WHERE state = 'sending' AND state IN ('queued', 'sending') UNION ALL
		SELECT ref FROM item WHERE lane > 'out/' AND lane < 'out0' AND (mark <> 0 OR step > 1))`
)

// ListMessages returns messages, newest first.
func (t *tx) ListMessages(f core.MessageFilter) ([]core.Message, error) {
	var where []string
	var args []any
	add := func(cond string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	text := func(cond, value string) {
		if value != "" {
			add(cond, value)
		}
	}
	text("m.customer_id = (SELECT id FROM customer WHERE lower(uid) = $%d)", lower(f.Customer))
	text("m.order_code = $%d AND m.order_code <> ''", f.Order) // as the index has it
	text("e.event_id = $%d", f.EventID)
	text("m.channel = $%d", f.Channel)
	if f.Open {
		where = append(where, open)
	}
	switch f.State { // says which index
	case "":
	case core.MessageQueued:
		where = append(where, open, "m.state = 'queued' AND NOT "+begun)
	case core.MessageSending:
		where = append(where, open, beingSent)
	default:
		where = append(where, "NOT "+open)
		text("m.state = $%d", string(f.State))
	}
	text("m.class = $%d", string(f.Class))
	if !f.Since.IsZero() {
		add("m.created_at >= $%d", ms(f.Since))
	}
	if !f.Until.IsZero() {
		add("m.created_at < $%d", ms(f.Until))
	}
	if f.Before > 0 {
		add("m.id < $%d", f.Before)
	}
	query := `SELECT ` + messageColumns + messageTables
	if len(where) > 0 {
		query += `WHERE ` + strings.Join(where, " AND ")
	}
	query += ` ORDER BY m.id DESC`
	if f.Limit > 0 {
		args = append(args, f.Limit)
		query += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	return list(t, scanMessage, query, args...)
}

// LastOrder returns the order that a customer was last told of in a chat.
func (t *tx) LastOrder(customerID, addressID int64) (site, code string, err error) {
	err = t.row(`SELECT m.site, m.order_code FROM message m
		WHERE m.customer_id = $1 AND m.address_id = $2 AND m.order_code <> ''
			AND (m.state IN ('sending', 'sent', 'delivered', 'read') OR m.state = 'queued' AND `+begun+`)
		ORDER BY m.id DESC LIMIT 1`, customerID, addressID).Scan(&site, &code)
	return site, code, found(err)
}

// KeepReceipt keeps a receipt that came before its part was settled.
func (t *tx) KeepReceipt(channel, platformID string, kind core.UpdateKind, when time.Time) error {
	var delivered, read int64
	switch kind {
	case core.UpdateRead:
		read = ms(when)
	default:
		delivered = ms(when)
	}
	return t.exec(`INSERT INTO early_receipt (channel, platform_id, delivered_at, read_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (channel, platform_id) DO UPDATE
		SET delivered_at = CASE WHEN excluded.delivered_at > early_receipt.delivered_at THEN excluded.delivered_at ELSE early_receipt.delivered_at END,
			read_at = CASE WHEN excluded.read_at > early_receipt.read_at THEN excluded.read_at ELSE early_receipt.read_at END`,
		channel, platformID, delivered, read)
}

// TakeReceipts returns, and forgets, what came before its part was settled.
func (t *tx) TakeReceipts(channel, platformID string) (delivered, read time.Time, err error) {
	var d, r int64
	err = t.c.writeRow(t.ctx, `DELETE FROM early_receipt WHERE channel = $1 AND platform_id = $2 RETURNING delivered_at, read_at`,
		channel, platformID).Scan(&d, &r)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return at(d), at(r), err
}

// Totals counts the two sums.
func (t *tx) Totals() (core.Totals, error) {
	sums := core.Totals{Events: map[core.EventState]int64{}, Messages: map[core.MessageState]int64{}}
	type row struct {
		name string
		n    int64
	}
	scan := func(r scanner) (row, error) {
		var x row
		return x, r.Scan(&x.name, &x.n)
	}
	events, err := list(t, scan, `SELECT state, count(*) FROM event GROUP BY state`)
	if err != nil {
		return sums, err
	}
	messages, err := list(t, scan, `SELECT state, count(*) FROM message WHERE state NOT IN ('queued', 'sending') GROUP BY state
		UNION ALL SELECT state, count(*) FROM message WHERE state IN ('queued', 'sending') GROUP BY state`)
	if err != nil {
		return sums, err
	}
	totals, err := list(t, scan, `SELECT name, CAST(sum(n) AS BIGINT) FROM total GROUP BY name`)
	if err != nil {
		return sums, err
	}
	for _, x := range events {
		sums.Events[core.EventState(x.name)] += x.n
	}
	for _, x := range messages {
		sums.Messages[core.MessageState(x.name)] += x.n
	}
	for _, x := range totals {
		sums.Add(x.name, x.n)
	}
	return sums, nil
}
