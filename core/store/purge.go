package store

import (
	"time"

	"tidings/core"
)

// Purge removes up to limit rows of each kind that have ended before the given
// times, and adds what the two sums lose by it to the totals. It returns how
// many rows went; 0 means that nothing is left to do.
func (t *tx) Purge(messages, updates, claims time.Time, limit int) (int64, error) {
	var gone int64
	t.c.forgetAll()
	for _, purge := range []func() (int64, error){
		func() (int64, error) { return t.purgeMessages(messages, limit) },
		func() (int64, error) { return t.purgeEvents(messages, limit) },
		func() (int64, error) { return t.purgeReadings(messages, limit) },
		func() (int64, error) {
			return t.execN(`DELETE FROM inbox WHERE id IN
				(SELECT id FROM inbox WHERE received_at < $1 AND state <> 'waiting' ORDER BY received_at LIMIT $2)`, ms(updates), limit)
		},
		func() (int64, error) { // receipts for what others sent
			return t.execN(`DELETE FROM early_receipt WHERE (channel, platform_id) IN (SELECT channel, platform_id FROM early_receipt
				WHERE delivered_at < $1 AND read_at < $1 ORDER BY delivered_at LIMIT $2)`, ms(updates), limit)
		},
		func() (int64, error) {
			return t.execN(`DELETE FROM claim WHERE key IN (SELECT key FROM claim WHERE at < $1 ORDER BY at LIMIT $2)`, ms(claims), limit)
		},
	} {
		n, err := purge()
		if err != nil {
			return gone, err
		}
		gone += n
	}
	return gone, nil
}

type ended struct {
	id    int64
	state string
}

func scanEnded(r scanner) (ended, error) {
	var e ended
	return e, r.Scan(&e.id, &e.state)
}

func (t *tx) purgeMessages(before time.Time, limit int) (int64, error) {
	var all []ended
	for _, state := range core.MessageStates {
		if state.Open() || state == core.MessageParked {
			continue
		}
		rows, err := list(t, scanEnded, `SELECT id, state FROM message
			WHERE state = $1 AND state NOT IN ('queued', 'sending') AND changed_at < $2 LIMIT $3`,
			state, ms(before), limit-len(all))
		if err != nil {
			return 0, err
		}
		all = append(all, rows...)
	}
	for _, m := range all {
		for _, query := range []string{
			`DELETE FROM attempt WHERE message_id = $1`, `DELETE FROM part WHERE message_id = $1`, `DELETE FROM message WHERE id = $1`,
		} {
			if err := t.exec(query, m.id); err != nil {
				return 0, err
			}
		}
		t.count("message:" + m.state)
	}
	return int64(len(all)), nil
}

func (t *tx) purgeEvents(before time.Time, limit int) (int64, error) {
	all, err := list(t, scanEnded, `SELECT id, state FROM event e WHERE accepted_at < $1 AND state <> 'waiting'
		AND NOT EXISTS (SELECT 1 FROM message m WHERE m.event_row = e.id) ORDER BY accepted_at LIMIT $2`, ms(before), limit)
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		if err := t.exec(`DELETE FROM event WHERE id = $1`, e.id); err != nil {
			return 0, err
		}
		t.count("event:" + e.state)
	}
	return int64(len(all)), nil
}
