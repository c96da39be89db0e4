package store

import (
	"context"
	"fmt"
	"time"
)

const (
	// checkpointGap is how long what has been committed may wait to be moved from
	// the write-ahead log into the database.
	checkpointGap = 250 * time.Millisecond
	// longLog is of how many pages the log is so long that writers have to wait
	// until it begins anew: 64 MiB.
	longLog = 16384
)

// checkpoints moves what is committed from the log into the database, beside
// the writer: left to SQLite, every thousandth page or so would have a commit
// wait for a sync of the whole file. It ends with the store.
func (s *sqliteStore) checkpoints(c *conn) {
	defer close(s.checkpointed)
	for {
		select {
		case <-s.written:
		case <-s.closed:
			s.failing.Store(nil)
			_ = c.close() // closing the last connection empties the log
			return
		}
		if err := checkpoint(c); err != nil {
			s.failing.Store(&err)
		} else {
			s.failing.Store(nil)
		}
		select {
		case <-time.After(checkpointGap):
		case <-s.closed:
		}
	}
}

// checkpoint moves what it can without making anybody wait; only when the log
// has become long, writers wait.
func checkpoint(c *conn) error {
	pages, err := runCheckpoint(c, "PASSIVE")
	if err == nil && pages > longLog {
		_, err = runCheckpoint(c, "RESTART")
	}
	return err
}

func runCheckpoint(c *conn, mode string) (pages int, err error) {
	var busy, moved int
	err = c.queryRow(context.Background(), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &moved)
	if err != nil {
		return 0, fmt.Errorf("store: the write-ahead log cannot be moved into the database: %w", err)
	}
	return pages, nil
}

// wrote tells that something was committed.
func (s *sqliteStore) wrote() {
	select {
	case s.written <- struct{}{}:
	default:
	}
}
