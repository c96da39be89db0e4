package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/lane"
)

func openPG(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pair are two processes on one database.
func pair(t *testing.T) (a, b *postgres) {
	t.Helper()
	url := PostgresURL(t)
	one, ok := openPG(t, url).backend.(*postgres)
	two, ok2 := openPG(t, url).backend.(*postgres)
	if !ok || !ok2 {
		t.Fatal("not PostgreSQL")
	}
	return one, two
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func epochOf(t *testing.T, s *postgres, shard int) (epoch int64) {
	t.Helper()
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		epochs, err := tx.Hold([]int{shard}, core.Wants{})
		epoch = epochs[shard]
		return err
	}))
	return epoch
}

func TestSharedStore(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	ctx := t.Context()
	got, err := a.Take(ctx, "a", map[int]int64{1: 0, 2: 0, 3: 7})
	must(t, err)
	same(t, "taken", got, map[int]int64{1: 1, 2: 1})
	got, err = b.Take(ctx, "b", map[int]int64{1: 0, 2: 1, 4: 0})
	must(t, err)
	same(t, "taken by the other: not what has changed", got, map[int]int64{2: 2, 4: 1})
	must(t, b.Give(ctx, "b", []int{1, 4})) // 1 is not its own

	for range 2 {
		_, err = a.Beat(ctx, "a")
		must(t, err)
	}
	seen, err := b.Beat(ctx, "b")
	must(t, err)
	same(t, "replicas", seen.Replicas, map[string]int64{"a": 2, "b": 1})
	same(t, "sessions", seen.Sessions, map[string]bool{"a": false, "b": false})
	same(t, "shards", len(seen.Owners), a.Shards())
	same(t, "owners", seen.Owners[:6], []lane.ShardRow{
		{}, {ID: 1, Owner: "a", Epoch: 1}, {ID: 2, Owner: "b", Epoch: 2}, {ID: 3}, {ID: 4, Epoch: 1}, {ID: 5},
	})
	must(t, a.Forget(ctx, "b", 1)) // it owns a shard
	must(t, b.Give(ctx, "b", []int{2}))
	must(t, a.Forget(ctx, "b", 0)) // it has moved since
	must(t, a.Forget(ctx, "b", 1))
	must(t, a.Forget(ctx, "a", 2)) // it owns a shard
	seen, err = a.Beat(ctx, "a")
	must(t, err)
	same(t, "replicas in the end", seen.Replicas, map[string]int64{"a": 3})
}

// A process that has lost a shard without knowing it finds out in the first
// statement of its transaction.
func TestHoldTellsTheTruth(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	_, err := a.Take(t.Context(), "a", map[int]int64{1: 0})
	must(t, err)
	same(t, "epoch", epochOf(t, a, 1), int64(1))
	_, err = b.Take(t.Context(), "b", map[int]int64{1: 1})
	must(t, err)
	same(t, "epoch after a takeover", epochOf(t, a, 1), int64(2))
}

// A takeover waits for the transactions that hold the shard, and only for them.
func TestTakeWaitsForHold(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	taken := make(chan error, 1)
	must(t, a.Update(t.Context(), func(tx lane.StoreTx) error {
		if _, err := tx.Hold([]int{1, 2}, core.Wants{}); err != nil {
			return err
		}
		if _, err := b.Take(context.Background(), "b", map[int]int64{3: 0}); err != nil {
			t.Errorf("a takeover of another shard: %v", err)
		}
		go func() {
			_, err := b.Take(context.Background(), "b", map[int]int64{2: 0})
			taken <- err
		}()
		select {
		case err := <-taken:
			t.Errorf("a takeover amid a transaction that holds the shard: got %v, want it to wait", err)
		case <-time.After(200 * time.Millisecond):
		}
		_, err := tx.InsertItem(lane.Item{Lane: "a", Shard: 2})
		return err
	}))
	must(t, <-taken)
	names, err := b.Lanes(t.Context(), 2, "", 10)
	must(t, err)
	same(t, "lanes that the new owner sees", names, []string{"a"})
	names, err = b.Lanes(t.Context(), 1, "", 10)
	must(t, err)
	same(t, "lanes of another shard", len(names), 0)
}

// A takeover between a transaction's snapshot and its Hold has it run again.
func TestHoldAmidTakeover(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	calls := 0
	var epochs map[int]int64
	must(t, a.Update(t.Context(), func(tx lane.StoreTx) (err error) {
		if _, err := tx.Pending("x"); err != nil { // takes the snapshot
			return err
		}
		if calls++; calls == 1 {
			if _, err := b.Take(context.Background(), "b", map[int]int64{1: 0}); err != nil {
				return err
			}
		}
		epochs, err = tx.Hold([]int{1}, core.Wants{})
		return err
	}))
	same(t, "calls", calls, 2)
	same(t, "epochs", epochs, map[int]int64{1: 1})
}

func TestListen(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	ready, heard, ended := make(chan struct{}), make(chan string, 10), make(chan error, 1)
	go func() { ended <- a.Listen(ctx, "a", func() { close(ready) }, func(n string) { heard <- n }) }()
	<-ready
	gone, err := b.Gone(t.Context(), "a")
	must(t, err)
	same(t, "gone while it listens", gone, false)
	seen, err := a.Beat(t.Context(), "a")
	must(t, err)
	same(t, "has a session", seen.Sessions["a"], true)
	must(t, b.Update(t.Context(), func(tx lane.StoreTx) error {
		_, fatal := tx.Try(func() error {
			return errors.Join(tx.Tell("not this"), errors.New("refused"))
		})
		return errors.Join(fatal, tx.Tell("one"))
	}))
	must(t, b.Give(t.Context(), "b", []int{1}))
	same(t, "heard", []string{<-heard, <-heard}, []string{"one", lane.NoticeGiven})
	if err := b.Update(t.Context(), func(tx lane.StoreTx) error { return tx.Tell(strings.Repeat("x", 8000)) }); err == nil {
		t.Error("a notice that is too long: got no error")
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen: got %v, want %v", err, context.Canceled)
	}
	for range 100 { // the server notices in its own time
		if gone, err = b.Gone(t.Context(), "a"); gone || err != nil {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	same(t, "gone in the end", gone, true)
	must(t, err)
}

// A value that the server refuses is the fault of its transaction, and it says so.
func TestRefusedValue(t *testing.T) {
	t.Parallel()
	s := openPG(t, PostgresURL(t))
	err := s.Update(t.Context(), func(tx lane.StoreTx) error {
		err, fatal := tx.Try(func() error { _, err := tx.EnsureCustomer("c", time.Unix(1, 0)); return err })
		if err != nil || fatal != nil {
			t.Errorf("a good neighbour: got %v, %v", err, fatal)
		}
		err, fatal = tx.Try(func() error { return insertNull(tx) })
		if err != nil || fatal != nil {
			t.Errorf("a bad one, before anybody knows: got %v, %v", err, fatal)
		}
		_, fatal = tx.Try(func() error { return last(tx.Claimed("x")) })
		return fatal
	})
	if !errors.Is(err, lane.ErrRefused) {
		t.Errorf("Update: got %v, want %v", err, lane.ErrRefused)
	}
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		err, fatal := tx.Try(func() error {
			return errors.Join(insertNull(tx), last(tx.Claimed("x")))
		})
		if errors.Is(fatal, lane.ErrAgain) {
			return fatal
		}
		if err == nil || fatal != nil {
			t.Errorf("a bad one that is known at once: got %v, fatal %v, want an error of its own", err, fatal)
		}
		_, err = tx.EnsureCustomer("d", time.Unix(1, 0))
		return err
	}))
}

// insertNull writes what no database takes.
func insertNull(st lane.StoreTx) error {
	t, ok := st.(*tx)
	if !ok {
		return errors.New("not a transaction of this store")
	}
	return t.exec("INSERT INTO claim (key) VALUES (NULL)")
}

// Two processes count on their own, and what they take is taken once.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	const each = 30
	done := make(chan int, 2)
	for _, s := range []*postgres{a, b} {
		go func() {
			firsts := 0
			for i := range each {
				first := false
				must(t, s.Update(context.Background(), func(tx lane.StoreTx) (err error) {
					if first, _, err = tx.Claim(fmt.Sprint(i), "", time.Unix(1, 0)); err != nil || !first {
						return err
					}
					if _, err = tx.EnsureCustomer("the same", time.Unix(1, 0)); err != nil {
						return err
					}
					_, err = tx.InsertEvent(core.StoredEvent{State: core.EventRouted, AcceptedAt: time.Unix(1, 0)})
					return err
				}))
				if first {
					firsts++
				}
			}
			done <- firsts
		}()
	}
	same(t, "claims taken", <-done+<-done, each)
	same(t, "events", countEvents(t, a), int64(each))
}

// The server goes and comes back.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	srv, err := newServer("on")
	if err != nil {
		t.Fatal(err)
	}
	if srv == nil {
		skipPostgres(t)
	}
	t.Cleanup(srv.remove)
	s := openPG(t, srv.url("postgres"))
	must(t, fill(s, 10))
	srv.stop()
	if err := fill(s, 10); err == nil || errors.Is(err, lane.ErrRefused) {
		t.Errorf("Update without a server: got %v, want an error that is not the caller's", err)
	}
	if err := srv.start(); err != nil {
		t.Fatal(err)
	}
	must(t, fill(s, 10))
	srv.stop()
	if err := srv.start(); err != nil {
		t.Fatal(err)
	}
	must(t, fill(s, 10)) // on a connection that it does not know to be dead
	same(t, "events", countEvents(t, s), int64(3))
}

func TestOpenPostgresFacts(t *testing.T) {
	t.Parallel()
	s := openPG(t, PostgresURL(t))
	f := s.Facts()
	if f.Server == "" {
		t.Error("version of the server: got none")
	}
	f.Server = ""
	same(t, "facts", f, Facts{})
	if _, ok := s.Shared(); !ok {
		t.Error("PostgreSQL is for several processes: got that it is not")
	}
	off := openPG(t, PostgresURL(t)+"&options=-c%20synchronous_commit%3Doff")
	same(t, "loses commits", off.Facts().LosesCommits, true)
	_, err := Open(t.Context(), "postgres://u:s3cret@127.0.0.1:1/x?connect_timeout=1")
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("no server: got %v, want an error without the password", err)
	}
}

// BenchmarkUpdate is a batch of the committer: so many callers' small writes.
func BenchmarkUpdate(b *testing.B) {
	srv, err := newServer("on")
	if err != nil {
		b.Fatal(err)
	}
	if srv == nil {
		b.Skip("there is no PostgreSQL")
	}
	b.Cleanup(srv.remove)
	s := openPG(b, srv.url("postgres"))
	for _, size := range []int{1, 256} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for range b.N {
				err := s.Update(context.Background(), func(tx lane.StoreTx) error {
					if _, err := tx.Hold([]int{0, 1, 2, 3}, core.Wants{}); err != nil {
						return err
					}
					for i := range size {
						_, fatal := tx.Try(func() error {
							_, err := tx.InsertItem(lane.Item{Lane: fmt.Sprint("out/x/", i), Due: time.Unix(1, 0)})
							return err
						})
						if fatal != nil {
							return fatal
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Behind a pooler nothing is prepared, and the server has to find the types of
// arguments by itself: every statement must do so.
func TestStatementsWithoutPreparing(t *testing.T) {
	t.Parallel()
	s := openPG(t, PostgresURL(t)+"&default_query_exec_mode=exec")
	must(t, s.Update(t.Context(), callAll))
	must(t, s.RenameChannel(t.Context(), "c", "d"))
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		_, err := tx.Hold([]int{1}, core.Wants{})
		return errors.Join(err, tx.Tell("x"), tx.Fetch(core.Wants{
			Claims: []string{"k"}, UIDs: []string{"u"}, Lanes: []string{"a"}, Messages: []int64{1}, Events: []int64{1}, LinksOfAddresses: []int64{1},
		}))
	}))
	_, err := s.Lanes(t.Context(), 0, "", 10)
	must(t, err)
	_, err = s.Head(t.Context(), "a", 10)
	must(t, err)
	shared, _ := s.Shared()
	_, err = shared.Beat(t.Context(), "a")
	must(t, err)
	got, err := shared.Take(t.Context(), "a", map[int]int64{1: 0})
	must(t, err)
	same(t, "taken", got, map[int]int64{1: 1})
	must(t, shared.Give(t.Context(), "a", []int{1}))
	must(t, shared.Forget(t.Context(), "a", 1))
	_, err = shared.Gone(t.Context(), "a")
	must(t, err)
}
