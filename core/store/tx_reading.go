package store

import (
	"time"

	"tidings/core"
)

const readingColumns = `kind, name, at, seen, done`

func scanReading(r scanner) (core.Reading, error) {
	var x core.Reading
	var when int64
	var seen []byte
	var done int
	if err := r.Scan(&x.Kind, &x.Name, &when, &seen, &done); err != nil {
		return x, found(err)
	}
	x.At, x.Done = at(when), done == 1
	return x, unpack(seen, &x.Seen)
}

// Reading returns what was read last of a thing.
func (t *tx) Reading(kind, name string) (core.Reading, error) {
	return scanReading(t.row(`SELECT `+readingColumns+` FROM reading WHERE kind = $1 AND name = $2`, kind, name))
}

// SaveReading keeps what was read of a thing.
func (t *tx) SaveReading(x core.Reading) error {
	seen, err := pack(x.Seen)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO reading (kind, name, at, seen, done) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, name) DO UPDATE SET at = excluded.at, seen = excluded.seen, done = excluded.done`,
		x.Kind, x.Name, ms(x.At), seen, flag(x.Done))
}

// ReadingsDue returns what is to be read again.
func (t *tx) ReadingsDue(kind string, now time.Time, limit int) ([]core.Reading, error) {
	return list(t, scanReading, `SELECT `+readingColumns+` FROM reading
		WHERE kind = $1 AND done = 0 AND at <= $2 ORDER BY at, name LIMIT $3`, kind, ms(now), limit)
}

// LinkedSince returns the customers of links made after one, with their ids.
func (t *tx) LinkedSince(linkID int64, limit int) ([]core.Link, error) {
	return list(t, scanLink, `SELECT `+linkColumns+` FROM link l WHERE l.id > $1 ORDER BY l.id LIMIT $2`, linkID, limit)
}

func (t *tx) purgeReadings(before time.Time, limit int) (int64, error) {
	return t.execN(`DELETE FROM reading WHERE (kind, name) IN (SELECT kind, name FROM reading
		WHERE at < $1 AND (kind = 'order' OR done = 1) ORDER BY at LIMIT $2)`, ms(before), limit)
}
