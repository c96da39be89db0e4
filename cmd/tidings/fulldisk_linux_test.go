package main_test

import (
	"path/filepath"
	"testing"

	"tidings/core/store/pgtest"
)

// TestFullDisk: promises 1, 2 and 4 over a disk that is full for a while: SQLite's,
// then PostgreSQL's. What is accepted is on it, and what cannot be written down
// is not sent.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := smallDisk(t, 32) // SQLite's log alone may have 8 MiB and what is written in a tenth of a second
		w := start(t, atFullSpeed, func(c *conf) { c.Store = filepath.Join(d.dir, "tidings.db") })
		outage{begin: d.fill, during: func() { w.wantUnready("database") }, end: d.empty}.live(w)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		d := smallDisk(t, 160)
		pg := pgtest.StartIn(t, d.dir)
		w := start(t, atFullSpeed, func(c *conf) { c.StoreURL = pg.URL() })
		outage{begin: d.fill, during: func() {}, end: func() {
			d.empty()
			if _, err := pg.Query(t.Context(), "SELECT 1"); err != nil { // it may have given up
				t.Logf("starting it again: %v", err)
				if err := pg.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}}.live(w)
	})
}
