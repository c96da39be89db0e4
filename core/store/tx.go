package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// tx is one transaction. The methods of core.Tx are in the files beside this
// one, by theme.
type tx struct {
	ctx    context.Context //nolint:containedctx // a tx lives for one call of Update or View, as its ctx does
	c      session
	totals map[string]int64 // to be added at commit
	slot   int64            // where this process counts
}

var _ lane.StoreTx = (*tx)(nil)

func newTx(ctx context.Context, c session, slot int64) *tx {
	return &tx{ctx: ctx, c: observed(c), totals: map[string]int64{}, slot: slot}
}

// Try runs fn and undoes its writes alone when it fails. Where the database has
// failed, not fn, the whole transaction is lost.
func (t *tx) Try(fn func() error) (err, fatal error) {
	before := maps.Clone(t.totals)
	if err, fatal = t.c.try(t.ctx, fn); err != nil {
		t.totals = before
	}
	return err, fatal
}

// Hold keeps shards from changing hands until the transaction ends, and fetches.
func (t *tx) Hold(shards []int, w core.Wants) (map[int]int64, error) {
	return t.c.hold(t.ctx, shards, w)
}

// Tell sends a notice when the transaction is durable.
func (t *tx) Tell(notice string) error {
	if len(notice) > lane.MaxNotice {
		return fmt.Errorf("store: a notice has %d bytes, more than %d", len(notice), lane.MaxNotice)
	}
	return t.c.tell(notice)
}

// Fetch is a hint of what is going to be read.
func (t *tx) Fetch(w core.Wants) error { return t.c.fetch(t.ctx, w) }

func (t *tx) exec(query string, args ...any) error { return t.c.exec(t.ctx, query, args...) }

func (t *tx) row(query string, args ...any) scanner { return t.c.queryRow(t.ctx, query, args...) }

// execN returns how many rows were changed.
func (t *tx) execN(query string, args ...any) (int64, error) { return t.c.execN(t.ctx, query, args...) }

// insert writes a row with a new id. The query's first argument is the id.
func (t *tx) insert(table, query string, args ...any) (int64, error) {
	id, err := t.c.nextID(t.ctx, table)
	if err != nil {
		return 0, err
	}
	for _, read := range rowsByID[table] {
		t.c.forget(read, id)
	}
	return id, t.exec(query, append([]any{id}, args...)...)
}

// rowsByID are the queries by id that find what an insert has written.
var rowsByID = map[string][]string{
	"customer": {customerByID}, "event": {eventByID}, "address": {addressByID}, "message": {messageByID, partsOf},
}

func (t *tx) count(name string) { t.totals[name]++ }

func (t *tx) flushTotals() error {
	for _, name := range slices.Sorted(maps.Keys(t.totals)) {
		err := t.exec(`INSERT INTO total (name, slot, n) VALUES ($1, $2, $3)
			ON CONFLICT (name, slot) DO UPDATE SET n = total.n + excluded.n`, name, t.slot, t.totals[name])
		if err != nil {
			return fmt.Errorf("store: totals: %w", err)
		}
	}
	return nil
}

// commit ends the transaction, in the way that its database does it.
func (t *tx) commit(end func() error) error {
	if err := t.flushTotals(); err != nil {
		return err
	}
	committing(t.c)
	if err := end(); err != nil {
		return err
	}
	committed(t.c)
	return nil
}

// found turns "no rows" into core.ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return core.ErrNotFound
	}
	return err
}

// known reads the row of a query with one argument, which may be known already.
func known[T any](t *tx, scan func(scanner) (T, error), query string, arg any) (T, error) {
	if v, ok := recalled(t, query, arg, func() (T, error) { return scan(t.row(query, arg)) }); ok {
		return v, nil
	}
	rows, ok := t.c.remembered(query, arg)
	switch {
	case !ok:
		v, err := scan(t.row(query, arg))
		if err == nil {
			t.c.keep(query, arg, v)
		}
		return v, err
	case len(rows) == 0:
		return scan(failed{sql.ErrNoRows})
	}
	return scan(rows[0])
}

// recalled returns what a query was read to be.
func recalled[T any](t *tx, query string, arg any, read func() (T, error)) (T, bool) {
	kept, ok := t.c.recall(query, arg)
	v, ok2 := kept.(T)
	if check := t.c.checker(); check != nil && ok && ok2 {
		now, err := read()
		check(query, arg, v, errorOr(err, now))
	}
	return v, ok && ok2
}

func errorOr(err error, v any) any {
	if err != nil {
		return err
	}
	return v
}

// scanAll reads rows that are known already.
func scanAll[T any](rows []scanner, scan func(scanner) (T, error)) (all []T, err error) {
	for _, r := range rows {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// list runs a query and reads all its rows.
func list[T any](t *tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.c.query(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	all, err := collect(rows, scan)
	return all, t.c.note(err)
}

// pack is a value as it is kept in a BLOB; nil for an empty one.
func pack(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("store: encode: %w", err)
	}
	if string(b) == "null" {
		return nil, nil
	}
	return b, nil
}

// unpack is the reverse of pack; nothing for NULL.
func unpack(b []byte, v any) error {
	if len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("store: decode: %w", err)
	}
	return nil
}

// blob keeps text as bytes.
func blob(s string) []byte { return []byte(s) }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// InsertItem adds an item to the queue.
func (t *tx) InsertItem(it lane.Item) (int64, error) {
	t.c.noteItem(it.Lane)
	t.forgetMarked(it)
	return t.insert("item", `INSERT INTO item (id, lane, ref, due, step, mark, shard, prio) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		it.Lane, it.Ref, ms(it.Due), it.Step, it.Mark, it.Shard, it.Prio)
}

// SaveItem writes what can change of an item.
func (t *tx) SaveItem(it lane.Item) error {
	t.forgetMarked(it)
	return t.exec(`UPDATE item SET due = $2, step = $3, mark = $4, tries = $5, since = $6, last_try = $7 WHERE id = $1`,
		it.ID, ms(it.Due), it.Step, it.Mark, it.Tries, ms(it.Since), ms(it.LastTry))
}

// forgetMarked forgets what is read of a message from the mark of its item.
func (t *tx) forgetMarked(it lane.Item) {
	if strings.HasPrefix(it.Lane, "out/") {
		t.c.forget(messageByID, it.Ref)
		t.c.forget(partsOf, it.Ref)
	}
}

// RemoveItem takes a settled item out of the queue.
func (t *tx) RemoveItem(id int64) error {
	t.c.noteRemoval()
	return t.exec(`DELETE FROM item WHERE id = $1`, id)
}

// Pending reports whether a lane has unsettled items.
func (t *tx) Pending(name string) (bool, error) {
	yes, known := t.c.pending(name)
	if known {
		return yes, nil
	}
	err := t.row(`SELECT EXISTS (SELECT 1 FROM item WHERE lane = $1)`, name).Scan(&yes)
	return yes, err
}

func claimKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:16]
}

// Claim takes a key once.
func (t *tx) Claim(key, value string, now time.Time) (bool, string, error) {
	const query = `INSERT INTO claim (key, value, at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`
	if old, taken, known := t.c.claimed(claimKey(key)); known && taken {
		return false, old, nil
	} else if known { // it is free; should that change, the transaction is run again
		t.c.noteClaim(claimKey(key), t.c.clean(value))
		return true, "", t.exec(query, claimKey(key), value, ms(now))
	}
	n, err := t.execN(query, claimKey(key), value, ms(now))
	if err != nil || n == 1 {
		return n == 1, "", err
	}
	var old string
	err = t.row(`SELECT value FROM claim WHERE key = $1`, claimKey(key)).Scan(&old)
	return false, old, err
}

// Claimed reports whether a key has been taken.
func (t *tx) Claimed(key string) (bool, error) {
	_, yes, known := t.c.claimed(claimKey(key))
	if known {
		return yes, nil
	}
	err := t.row(`SELECT EXISTS (SELECT 1 FROM claim WHERE key = $1)`, claimKey(key)).Scan(&yes)
	return yes, err
}

// SetPause notes until when a channel is left alone.
func (t *tx) SetPause(channel string, until time.Time, why string) error {
	return t.exec(`INSERT INTO pause (channel, until, why) VALUES ($1, $2, $3)
		ON CONFLICT (channel) DO UPDATE SET until = excluded.until, why = excluded.why`, channel, ms(until), why)
}

// Pauses returns until when channels are to be left alone.
func (t *tx) Pauses() (map[string]time.Time, error) {
	type row struct {
		channel string
		until   int64
	}
	rows, err := list(t, func(r scanner) (row, error) {
		var p row
		return p, r.Scan(&p.channel, &p.until)
	}, `SELECT channel, until FROM pause`)
	all := map[string]time.Time{}
	for _, p := range rows {
		all[p.channel] = at(p.until)
	}
	return all, err
}

// Item returns an item of the queue.
func (t *tx) Item(id int64) (lane.Item, error) {
	it, err := scanItem(t.row(`SELECT id, lane, shard, prio, ref, due, step, mark, tries, since, last_try FROM item WHERE id = $1`, id))
	return it, found(err)
}
