package store

import (
	"fmt"

	"tidings/core"
)

const eventColumns = `id, event_id, source, type, time, site, data, customer_id, state, route, reason, reasons, accepted_at, shop_tried_at`

const eventByID = `SELECT ` + eventColumns + ` FROM event WHERE id = $1`

func scanEvent(r scanner) (core.StoredEvent, error) {
	var e core.StoredEvent
	var data, reasons []byte
	var when, accepted, tried int64
	err := r.Scan(&e.RowID, &e.Event.ID, &e.Event.Source, &e.Event.Type, &when, &e.Event.Site, &data,
		&e.CustomerID, &e.State, &e.Route, &e.Reason, &reasons, &accepted, &tried)
	if err != nil {
		return e, found(err)
	}
	e.Event.Time, e.AcceptedAt, e.ShopTriedAt = at(when), at(accepted), at(tried)
	if err := unpack(data, &e.Event.Data); err != nil {
		return e, err
	}
	return e, unpack(reasons, &e.Reasons)
}

// InsertEvent writes an accepted event.
func (t *tx) InsertEvent(e core.StoredEvent) (int64, error) {
	data, err := pack(e.Event.Data)
	if err != nil {
		return 0, err
	}
	reasons, err := pack(e.Reasons)
	if err != nil {
		return 0, err
	}
	id, err := t.insert("event", `
		INSERT INTO event (id, event_id, source, type, time, site, data, customer_id, state, route, reason, reasons, accepted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		e.Event.ID, e.Event.Source, e.Event.Type, ms(e.Event.Time), e.Event.Site, data, e.CustomerID,
		e.State, e.Route, e.Reason, reasons, ms(e.AcceptedAt))
	if err != nil {
		return 0, fmt.Errorf("store: event: %w", err)
	}
	t.count("events")
	return id, nil
}

// Event returns the event in a row.
func (t *tx) Event(rowID int64) (core.StoredEvent, error) {
	return known(t, scanEvent, eventByID, rowID)
}

// EventsByID returns the events with the sender's id.
func (t *tx) EventsByID(id, source string) ([]core.StoredEvent, error) {
	return list(t, scanEvent, `SELECT `+eventColumns+` FROM event
		WHERE event_id = $1 AND ($2 = '' OR source = $2) ORDER BY id`, id, source)
}

// SaveEvent writes what can change of an event.
func (t *tx) SaveEvent(e core.StoredEvent) error {
	reasons, err := pack(e.Reasons)
	if err != nil {
		return err
	}
	t.c.forget(eventByID, e.RowID)
	return t.exec(`UPDATE event SET customer_id = $2, state = $3, route = $4, reason = $5, reasons = $6, shop_tried_at = $7 WHERE id = $1`,
		e.RowID, e.CustomerID, e.State, e.Route, e.Reason, reasons, ms(e.ShopTriedAt))
}
