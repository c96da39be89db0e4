package store

import (
	"time"

	"tidings/core"
)

const updateColumns = `id, channel, address_id, body, received_at, state, why`

func scanUpdate(r scanner) (core.StoredUpdate, error) {
	var u core.StoredUpdate
	var body []byte
	var received int64
	if err := r.Scan(&u.ID, &u.Channel, &u.AddressID, &body, &received, &u.State, &u.Why); err != nil {
		return u, found(err)
	}
	u.ReceivedAt = at(received)
	return u, unpack(body, &u.Update)
}

// InsertUpdate writes an update once.
func (t *tx) InsertUpdate(u core.StoredUpdate) (int64, bool, error) {
	body, err := pack(u.Update)
	if err != nil {
		return 0, false, err
	}
	id, err := t.c.nextID(t.ctx, "inbox")
	if err != nil {
		return 0, false, err
	}
	n, err := t.execN(`INSERT INTO inbox (id, channel, update_id, address_id, body, received_at, state, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, update_id) DO NOTHING`,
		id, u.Channel, u.Update.ID, u.AddressID, body, ms(u.ReceivedAt), u.State, u.Why)
	if err != nil || n == 0 {
		return 0, false, err
	}
	return id, true, nil
}

// Update returns the update with an id.
func (t *tx) Update(id int64) (core.StoredUpdate, error) {
	return scanUpdate(t.row(`SELECT `+updateColumns+` FROM inbox WHERE id = $1`, id))
}

// SaveUpdate writes what became of an update.
func (t *tx) SaveUpdate(id int64, state, why string) error {
	return t.exec(`UPDATE inbox SET state = $2, why = $3 WHERE id = $1`, id, state, why)
}

// HeldUpdates returns what an unlinked sender wrote since a time.
func (t *tx) HeldUpdates(addressID int64, since time.Time) ([]core.StoredUpdate, error) {
	return list(t, scanUpdate, `SELECT `+updateColumns+` FROM inbox
		WHERE address_id = $1 AND state = 'held' AND received_at >= $2 ORDER BY id`, addressID, ms(since))
}
