package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tidings/core/store/pgtest"
)

// querier is a server, a pair or a bouncer.
type querier interface {
	Query(ctx context.Context, sql string) (string, error)
}

func want(t *testing.T, q querier, sql, want string) {
	t.Helper()
	if got, err := q.Query(t.Context(), sql); err != nil || got != want {
		t.Errorf("%s: got %q, %v, want %q", sql, got, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCommitsOutliveTheServer: whatever is done to the server, what was committed is there.
func TestCommitsOutliveTheServer(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	url := s.URL()
	want(t, s, "SHOW fsync", "on")
	want(t, s, "SHOW synchronous_commit", "on")
	want(t, s, "CREATE TABLE kept (n int)", "")
	for n, end := range []func() error{
		s.Kill9,
		func() error { return s.Stop(pgtest.Immediate) },
		func() error { return s.Stop(pgtest.Fast) },
		func() error { return nil },
	} {
		want(t, s, fmt.Sprintf("INSERT INTO kept VALUES (%d)", n), "")
		must(t, end())
		must(t, s.Restart(t.Context()))
		want(t, s, "SELECT count(*) FROM kept", fmt.Sprint(n+1))
	}
	if s.URL() != url {
		t.Errorf("got %s after a restart, want %s", s.URL(), url)
	}
	must(t, s.Stop(pgtest.Fast))
	if _, err := s.Query(t.Context(), "SELECT 1"); err == nil {
		t.Error("a stopped server answers")
	}
}

// TestDatabasesOfTheirOwn: tests that share a server do not share a database.
func TestDatabasesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := pgtest.Shared(t)
	if s != pgtest.Shared(t) {
		t.Error("got two servers, want one for all")
	}
	a, b := s.NewDatabase(t), s.NewDatabase(t)
	if a == b {
		t.Errorf("got %s twice, want two databases", a)
	}
}

// TestPairFailsOverAgainAndAgain: what is committed is on both disks, and either
// server can be lost in turn.
func TestPairFailsOverAgainAndAgain(t *testing.T) {
	t.Parallel()
	p := pgtest.StartPair(t)
	url := p.URL()
	want(t, p, "CREATE TABLE kept (n int)", "")
	for n := range 2 {
		before := p.Primary()
		want(t, p, fmt.Sprintf("INSERT INTO kept VALUES (%d)", n), "")
		must(t, p.Failover(t.Context()))
		if p.Primary() == before {
			t.Error("the primary is who it was")
		}
		want(t, p, "SELECT count(*) FROM kept", fmt.Sprint(n+1))
		want(t, p, "INSERT INTO kept VALUES (-1)", "") // without a standby, too
		want(t, p, "DELETE FROM kept WHERE n < 0", "")
		if err := p.Failover(t.Context()); err == nil {
			t.Error("it failed over to nobody")
		}
		must(t, p.Rejoin(t.Context()))
	}
	if p.URL() != url {
		t.Errorf("got %s after failovers, want %s", p.URL(), url)
	}
}

// TestPairIsSynchronous: nothing is committed that the standby has not.
func TestPairIsSynchronous(t *testing.T) {
	t.Parallel()
	p := pgtest.StartPair(t)
	want(t, p, "CREATE TABLE kept (n int)", "")
	must(t, p.Standby().Stop(pgtest.Fast))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := p.Query(ctx, "INSERT INTO kept VALUES (1)"); err == nil || ctx.Err() == nil {
		t.Errorf("got %v, want a commit that waits for the standby", err)
	}
}

func TestBouncer(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	b := pgtest.StartBouncer(t, s)
	if b.URL() == s.URL() {
		t.Error("the bouncer is the server")
	}
	want(t, b, "CREATE TABLE kept (n int)", "")
	want(t, s, "SELECT count(*) FROM kept", "0")
	// Nothing of a session is another's, but connections are.
	want(t, b, "SELECT count(DISTINCT pid) FROM (SELECT pg_backend_pid() AS pid) AS s", "1")
	must(t, s.Kill9())
	must(t, s.Restart(t.Context()))
	eventually(t, "the bouncer finds the server again", func() error {
		_, err := b.Query(t.Context(), "INSERT INTO kept VALUES (1)")
		return err
	})
}

const orphaned = "TIDINGS_PGTEST_ORPHAN"

// TestNothingIsLeftBehind: a program that is killed leaves neither a server nor files.
func TestNothingIsLeftBehind(t *testing.T) {
	if os.Getenv(orphaned) != "" {
		s := pgtest.Start(t)
		dir, err := s.Query(t.Context(), "SHOW data_directory")
		must(t, err)
		pid, err := os.ReadFile(dir + "/postmaster.pid")
		must(t, err)
		first, _, _ := strings.Cut(string(pid), "\n")
		fmt.Printf("orphan %s %s\n", first, dir)
		select {} // until it is killed
	}
	t.Parallel()
	pgtest.Shared(t) // or there is nothing to see
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), orphaned+"=1")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var pid, dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		if after, ok := strings.CutPrefix(lines.Text(), "orphan "); ok {
			pid, dir, _ = strings.Cut(after, " ")
		}
	}
	if dir == "" {
		t.Fatalf("the other process has started no server: %v", cmd.Wait())
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	eventually(t, "server and files are gone", func() error {
		_, err1 := os.Stat("/proc/" + pid)
		_, err2 := os.Stat(dir)
		if !errors.Is(err1, os.ErrNotExist) || !errors.Is(err2, os.ErrNotExist) {
			return fmt.Errorf("process %s: %w; folder %s: %w", pid, err1, dir, err2)
		}
		return nil
	})
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); ; <-tick.C {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
