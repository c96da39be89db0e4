package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/store/storetest"
)

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openNew(t *testing.T) *sqliteStore {
	t.Helper()
	s, ok := openAt(t, filepath.Join(t.TempDir(), "tidings.db")).backend.(*sqliteStore)
	if !ok {
		t.Fatal("a file is not opened as SQLite")
	}
	return s
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	for _, url := range []string{"", "sqlite:", "tidings.db", "mysql://localhost/tidings"} {
		if s, err := Open(t.Context(), url); err == nil {
			_ = s.Close()
			t.Errorf("Open(%q): got no error", url)
		}
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	for _, name := range []string{"a b?c=d&e#f%41.db", ":memory:", "ünï.db", filepath.Join("new", "folder", "t.db")} {
		path := filepath.Join(t.TempDir(), name)
		if err := openAt(t, path).Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatalf("the file of %q: %v", name, err)
		}
		if got, want := info.Mode().Perm(), fs.FileMode(0o600); got != want {
			t.Errorf("permissions of %q: got %v, want %v", name, got, want)
		}
	}
}

func TestOpenRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	openAt(t, ":memory:")
	if _, err := os.Stat(":memory:"); err != nil {
		t.Errorf("a database with an odd name is not on disk: %v", err)
	}
}

// A commit is on disk when it returns: WAL, synced after each commit and before
// the log begins anew. Once a sync has failed nothing is taken any more.
func TestCommitsAreSynced(t *testing.T) {
	s := openNew(t)
	var syncs int
	var failing error
	s.wal.sync = func(f *os.File) error {
		syncs++
		return errors.Join(failing, datasync(f))
	}
	if err := fill(s, 10); err != nil || syncs != 1 {
		t.Errorf("after a commit: got %d syncs and %v, want one", syncs, err)
	}
	if err := s.Update(t.Context(), func(lane.StoreTx) error { return nil }); err != nil || syncs != 1 {
		t.Errorf("after an empty one: got %d syncs and %v, want no more", syncs, err)
	}
	failing = errors.New("the disk is broken")
	for range 2 {
		if err := fill(s, 10); !errors.Is(err, failing) || syncs != 2 {
			t.Errorf("with a broken disk: got %v after %d syncs, want %v after 2", err, syncs, failing)
		}
		if err := s.Ping(t.Context()); !errors.Is(err, failing) {
			t.Errorf("Ping: got %v, want %v", err, failing)
		}
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "1", "secure_delete": "1", "query_only": "0"} {
		if got := pragmaOf(t, s.writer, pragma); got != want {
			t.Errorf("%s of the writer: got %s, want %s", pragma, got, want)
		}
	}
	err := s.read(t.Context(), func(c *conn) error {
		if got := pragmaOf(t, c, "query_only"); got != "1" {
			t.Errorf("query_only of a reader: got %s, want 1", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func pragmaOf(t *testing.T, c *conn, name string) string {
	t.Helper()
	var got string
	if err := c.queryRow(t.Context(), "PRAGMA "+name).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	up := schema(t, db)
	if len(up) < 20 {
		t.Fatalf("schema: got %d objects, want the tables and their indexes", len(up))
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := schema(t, db); len(left) > 0 {
		t.Errorf("left after going down: %v", left)
	}
	if err := migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(up, schema(t, db)); diff != "" {
		t.Errorf("schema after up, down, up (-first +second):\n%s", diff)
	}
}

func schema(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name, coalesce(sql, '') FROM sqlite_master
		WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		all[name] = text
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// fill writes an event of a size.
func fill(s lane.Store, size int) error {
	return s.Update(context.Background(), func(tx lane.StoreTx) error {
		_, err := tx.InsertEvent(core.StoredEvent{
			Event: core.Event{Data: core.EventData{Text: strings.Repeat("x", size)}}, State: core.EventRouted, AcceptedAt: time.Unix(1, 0),
		})
		return err
	})
}

func countEvents(t *testing.T, s lane.Store) int64 {
	t.Helper()
	var sums core.Totals
	err := s.View(t.Context(), func(tx lane.StoreTx) (err error) {
		sums, err = tx.Totals()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := sums.Difference(); got != 0 {
		t.Errorf("difference: got %d, want 0", got)
	}
	return sums.EventsAccepted
}

// A full disk fails the whole transaction, whatever the one who met it makes of
// it, and what comes later works again.
func TestFullDisk(t *testing.T) {
	s := openNew(t)
	if err := fill(s, 10); err != nil {
		t.Fatal(err)
	}
	limit := func(pages string) {
		t.Helper()
		var got int
		if err := s.writer.queryRow(t.Context(), "PRAGMA max_page_count = "+pages).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	limit(pragmaOf(t, s.writer, "page_count"))
	for name, after := range map[string]error{"told": errors.New("told"), "swallowed": nil} {
		err := s.Update(t.Context(), func(tx lane.StoreTx) error {
			small := core.StoredEvent{State: core.EventRouted, AcceptedAt: time.Unix(1, 0)}
			if _, err := tx.InsertEvent(small); err != nil {
				return err
			}
			err, fatal := tx.Try(func() error {
				big := small
				big.Event.Data.Text = strings.Repeat("x", 100_000)
				if _, err := tx.InsertEvent(big); err == nil {
					t.Error("a big row on a full disk: got no error")
				}
				return after
			})
			if fatal == nil {
				t.Errorf("%s: got error %v and no fatal one, want one", name, err)
			}
			return nil // Update must know by itself
		})
		if err == nil {
			t.Errorf("Update on a full disk, error %s: got no error", name)
		}
		if got, want := countEvents(t, s), int64(1); got != want {
			t.Errorf("events after a failed Update: got %d, want %d", got, want)
		}
	}
	limit("1000000")
	if err := fill(s, 100_000); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if got, want := countEvents(t, s), int64(2); got != want {
		t.Errorf("events in the end: got %d, want %d", got, want)
	}
}

// A row that breaks a rule is its writer's own fault.
func TestOwnFault(t *testing.T) {
	s := openNew(t)
	err := s.Update(t.Context(), func(tx lane.StoreTx) error {
		err, fatal := tx.Try(func() error {
			return tx.(interface {
				exec(query string, args ...any) error
			}).exec(`INSERT INTO claim (key) VALUES (NULL)`)
		})
		if errors.Is(fatal, lane.ErrAgain) {
			return fatal
		}
		if err == nil || fatal != nil {
			t.Errorf("a refused row: got %v, fatal %v, want an error that is not fatal", err, fatal)
		}
		_, err = tx.EnsureCustomer("c", time.Now())
		return err
	})
	if err != nil {
		t.Errorf("Update: %v", err)
	}
}

// A transaction that was left open, by a panic say, does not stop the next one.
func TestTransactionLeftOpen(t *testing.T) {
	s := openNew(t)
	func() {
		defer func() { _ = recover() }()
		_ = s.Update(t.Context(), func(tx lane.StoreTx) error {
			_, _ = tx.InsertItem(lane.Item{Lane: "a"})
			panic("oh")
		})
	}()
	if err := fill(s, 10); err != nil {
		t.Fatal(err)
	}
	if names, err := s.Lanes(t.Context(), 0, "", 1); err != nil || len(names) > 0 {
		t.Errorf("lanes: got %v, %v, want none", names, err)
	}
}

func TestCloseWaits(t *testing.T) {
	s := openNew(t)
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan error)
	for _, run := range []func(context.Context, func(lane.StoreTx) error) error{s.Update, s.View} {
		go func() {
			left <- run(context.Background(), func(tx lane.StoreTx) error {
				inside <- struct{}{}
				<-leave
				_, err := tx.Totals()
				return err
			})
		}()
		<-inside
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	close(leave)
	for range 2 {
		if err := <-left; err != nil {
			t.Errorf("a transaction under way at Close: %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// checked is a store that reads again whatever it remembers.
type checked struct {
	*sqliteStore
	recalls *atomic.Int64
}

func newChecked(t *testing.T, path string, recalls *atomic.Int64) checked {
	t.Helper()
	s, ok := openAt(t, path).backend.(*sqliteStore)
	if !ok {
		t.Fatal("a file is not opened as SQLite")
	}
	s.writer.check = func(query string, arg, known, read any) {
		recalls.Add(1)
		a, err := json.Marshal(known)
		b, err2 := json.Marshal(read)
		if err != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s of %v: remembered %s, on disk is %s", query, arg, a, b)
		}
	}
	return checked{s, recalls}
}

func (c checked) Reopen(t *testing.T) storetest.Store {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return newChecked(t, c.path, c.recalls)
}

func (c checked) RenameChannel(ctx context.Context, from, to string) error {
	return (&Store{c.sqliteStore}).RenameChannel(ctx, from, to)
}

// What the writing connection remembers is what is on disk, whatever the suite does.
func TestMemoIsRight(t *testing.T) {
	var recalls atomic.Int64
	t.Cleanup(func() { // the suite's tests run side by side, after this one
		if n := recalls.Load(); n < 20 {
			t.Errorf("remembered: got %d rows, want a good many", n)
		}
	})
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return newChecked(t, filepath.Join(t.TempDir(), "tidings.db"), &recalls)
	})
}

// A writer that never rests does not make the log long for ever.
func TestLogBeginsAnew(t *testing.T) {
	s := openNew(t)
	written := 0
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		err := s.Update(t.Context(), func(tx lane.StoreTx) error {
			for range 4 {
				if _, err := tx.InsertEvent(core.StoredEvent{
					Event: core.Event{Data: core.EventData{Text: strings.Repeat("x", 1<<20)}}, State: core.EventRouted, AcceptedAt: time.Unix(1, 0),
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if written += 4 << 20; written >= 400<<20 {
			break
		}
	}
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(longLog) * 4096 * 3; info.Size() > most && written > int(most) {
		t.Errorf("the log after %d MB: got %d MB, want at most %d", written>>20, info.Size()>>20, most>>20)
	}
}

// A log that cannot be opened to be synced is as bad as one that cannot be synced.
func TestLogThatCannotBeOpened(t *testing.T) {
	s := openNew(t)
	s.wal.path += "-is-not-there"
	for range 2 {
		if err := fill(s, 10); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Update: got %v, want %v", err, fs.ErrNotExist)
		}
		s.wal.path = s.path + "-wal" // is no cure
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping: got no error")
	}
}
