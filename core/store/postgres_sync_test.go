package store

import (
	"context"
	"testing"
	"time"

	"tidings/core/lane"
)

func claims(keys ...string) func(lane.StoreTx) error {
	return func(tx lane.StoreTx) error {
		for _, k := range keys {
			if _, _, err := tx.Claim(k, "", time.Unix(1, 0)); err != nil {
				return err
			}
		}
		return nil
	}
}

func claimed(t *testing.T, s *postgres, key string) (yes bool) {
	t.Helper()
	must(t, s.View(t.Context(), func(tx lane.StoreTx) (err error) {
		yes, err = tx.Claimed(key)
		return err
	}))
	return yes
}

// A commit is durable only if the connection that says so has stood since before it.
func TestSyncerThatIsGone(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	must(t, a.Update(t.Context(), claims("first")))
	syncer, err := a.UpdateSoon(t.Context(), claims("second"))
	must(t, err)
	must(t, b.terminate(t.Context(), a.syncer.c.PgConn().PID()))
	if err := syncer.Durable(); err == nil {
		t.Error("Durable on a connection that has ended: got no error")
	}
	must(t, a.Update(t.Context(), claims("third")))
	if err := syncer.Durable(); err == nil {
		t.Error("Durable after another connection was made: got no error")
	}
	same(t, "committed, though nobody could say so", claimed(t, b, "second"), true)
	same(t, "committed with another syncer", claimed(t, b, "third"), true)
}

func (s *postgres) terminate(ctx context.Context, pid uint32) error {
	_, err := s.pool.Exec(ctx, "SELECT pg_terminate_backend($1, 5000)", int64(pid))
	return err
}

// A connection to another server says nothing of this one's commits.
func TestSyncerOnAnotherServer(t *testing.T) {
	t.Parallel()
	s, _ := pair(t)
	before, err := s.UpdateSoon(t.Context(), claims("first"))
	must(t, err)
	other := s.syncer
	other.server = other.server.Add(time.Second)
	s.hangUp()
	after, err := s.UpdateSoon(t.Context(), claims("second"))
	must(t, err)
	if s.syncer == other || after == before {
		t.Error("the writer has kept a syncer of another server")
	}
	must(t, after.Durable())
}

// Also what has only been read may be acknowledged only when it is durable:
// another process may have committed it without having waited yet.
func TestWhatIsReadIsMadeDurable(t *testing.T) {
	t.Parallel()
	s, _ := pair(t)
	syncer, err := s.UpdateSoon(t.Context(), func(tx lane.StoreTx) error {
		_, err := tx.Claimed("k")
		return err
	})
	must(t, err)
	if syncer == nil {
		t.Fatal("nothing to wait for")
	}
	must(t, syncer.Durable())
}

// A standby that is waited for is waited for; and where somebody cuts the wait
// short, which the server only warns of, nothing is known to be durable.
func TestDurableWaitsForTheStandby(t *testing.T) {
	t.Parallel()
	server, err := newServer("on")
	if err != nil {
		t.Fatal(err)
	}
	if server == nil {
		skipPostgres(t)
	}
	defer server.remove()
	s, ok := openPG(t, server.url("postgres")).backend.(*postgres)
	if !ok {
		t.Fatal("not PostgreSQL")
	}
	must(t, s.Update(t.Context(), claims("first")))
	must(t, server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'"))
	must(t, server.sql("SELECT pg_reload_conf()"))
	eventually(t, func() bool {
		var names string
		must(t, s.pool.QueryRow(t.Context(), "SHOW synchronous_standby_names").Scan(&names))
		return names == "nobody"
	})
	syncer, err := s.UpdateSoon(t.Context(), claims("second"))
	must(t, err)
	for name, durable := range map[string]func() error{
		"Durable": syncer.Durable,
		"Update":  func() error { return s.Update(t.Context(), claims("third")) },
		"Update that reads": func() error {
			return s.Update(t.Context(), func(tx lane.StoreTx) error { _, err := tx.Claimed("second"); return err })
		},
	} {
		told := make(chan error, 1)
		go func() { told <- durable() }()
		select {
		case err := <-told:
			t.Fatalf("%s without the standby: got %v, want it to wait", name, err)
		case <-time.After(300 * time.Millisecond):
		}
		must(t, server.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
		if err := <-told; err == nil {
			t.Errorf("%s, when the wait was cut short: got no error", name)
		}
	}
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for range 200 {
		if is() {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatal("it does not become so")
}

// On SQLite, only as long as something is not on the disk yet.
func TestWhatIsReadIsMadeDurableOnSQLite(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	read := func() lane.Syncer {
		syncer, err := s.UpdateSoon(t.Context(), func(tx lane.StoreTx) error { _, err := tx.Claimed("k"); return err })
		must(t, err)
		return syncer
	}
	same(t, "to wait for at first", read(), nil)
	written, err := s.UpdateSoon(t.Context(), claims("k"))
	must(t, err)
	if read() != written {
		t.Error("what was read is told before it is on the disk")
	}
	must(t, written.Durable())
	same(t, "to wait for in the end", read(), nil)
}

// The next transaction is run while somebody waits for the one before.
func TestWriterDoesNotWaitForTheSyncer(t *testing.T) {
	t.Parallel()
	s, _ := pair(t)
	must(t, s.Update(t.Context(), claims("first")))
	s.syncer.mu.Lock() // as one who waits
	defer s.syncer.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	run := make(chan error, 1)
	go func() {
		_, err := s.UpdateSoon(ctx, claims("second"))
		run <- err
	}()
	select {
	case err := <-run:
		must(t, err)
	case <-ctx.Done():
		t.Error("the next transaction waits until the one before is durable")
	}
}
