package store

import (
	"context"
	"fmt"
	"time"
)

const (
	// checkpointGap is how long what has been committed may wait to be moved from
	// the write-ahead log into the database.
	checkpointGap = 400 * time.Millisecond
	// longLog is of how many pages the log is so long that the writer has to wait
	// until all of it is moved, so that it begins anew: 32 MiB.
	longLog = 8192
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
		pages, err := s.checkpoint(c)
		s.failing.Store(nil)
		if err != nil {
			s.failing.Store(&err)
		}
		if err == nil && pages > longLog/2 {
			continue
		}
		select {
		case <-time.After(checkpointGap):
		case <-s.closed:
		}
	}
}

// checkpoint moves what it can without making anybody wait. Where the writer
// keeps writing meanwhile, the log never ends and gets long: then it waits.
func (s *sqliteStore) checkpoint(c *conn) (pages int, err error) {
	pages, err = move(c)
	if err != nil || pages <= longLog {
		return pages, err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-s.closed:
		return 0, nil
	}
	return move(c)
}

// move moves what is committed and what no reader needs as it was, and returns
// how many pages the log has.
func move(c *conn) (pages int, err error) {
	var busy, moved int
	err = c.queryRow(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &moved)
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
