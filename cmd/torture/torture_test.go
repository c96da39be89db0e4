package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/core/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

// gatewayVariable names, in the environment, the gateway to torture.
const gatewayVariable = "TIDINGS_TORTURE_BINARY"

// runTests builds the gateway as it is built for everybody, once.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tidings-torture-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "tidings")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "tidings/cmd/tidings")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(gatewayVariable, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// short is a torture that a test has the time for.
func short(t *testing.T, change func(*options)) options {
	t.Helper()
	o := options{
		Binary: os.Getenv(gatewayVariable), Store: onSQLite, Kills: 20, Customers: 30, Rate: 60, Seed: 1,
		Signals: []string{"KILL", "KILL", "TERM", "STOP"}, Gap: 400 * time.Millisecond, Patience: time.Minute,
		Log: t.Logf, Keep: t.TempDir(),
	}
	change(&o)
	o, err := o.complete()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// mustHold tortures and insists that nothing is wrong, and that there was something to see.
func mustHold(t *testing.T, o options) {
	t.Helper()
	v, err := torture(t.Context(), o)
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("CI") == "" {
		t.Skipf("SKIPPED, this proves nothing: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	v.print(&table)
	t.Logf("\n%s", table.String())
	kills := 0
	for _, n := range v.blows {
		kills += n
	}
	if v.bad() || kills < o.Kills || v.failovers < o.Failovers || v.found.Accepted < o.Customers {
		t.Errorf("got %d kills, %d failovers, %d messages accepted and faults %q and %q, want %d, %d, at least %d and none",
			kills, v.failovers, v.found.Accepted, v.faults, v.found.Faults, o.Kills, o.Failovers, o.Customers)
	}
}

// TestSQLite: promises 1, 2 and 4 over twenty kills, stops and pauses at random moments.
func TestSQLite(t *testing.T) {
	mustHold(t, short(t, func(o *options) { o.Pause = 500 * time.Millisecond }))
}

// TestPostgres: the same over three gateways on one database, whose primary dies.
func TestPostgres(t *testing.T) {
	needsPostgres(t)
	mustHold(t, short(t, func(o *options) {
		o.Store, o.Gap, o.Pause, o.Failovers = onPostgres, 2*time.Second, 3*time.Second, 1
	}))
}

// needsPostgres skips a test as long as the gateway itself says that its version
// has no PostgreSQL.
func needsPostgres(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tidings.yaml")
	urls := map[string]string{messengerName: "http://127.0.0.1:1", telegramName: "http://127.0.0.1:1", slackName: "http://127.0.0.1:1"}
	s := settings{Listen: "127.0.0.1:1", Internal: "127.0.0.1:2", Store: "postgres://tidings@127.0.0.1/tidings", URLs: urls}
	if err := writeConfig(path, s); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(os.Getenv(gatewayVariable), "check", "--config", path).CombinedOutput()
	if err != nil && strings.Contains(string(out), "store.url") && strings.Contains(string(out), "not in this version") {
		t.Skipf("SKIPPED, this proves nothing: the gateway has no PostgreSQL yet: %s", out)
	}
	if err != nil {
		t.Fatalf("check: %v: %s", err, out)
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", ""},
		{"--kills 3 --signals KILL,KILL,STOP", ""},
		{"--store postgres --failovers 2", ""},
		{"--signals HUP", `"HUP" is no signal to torture with: KILL, TERM or STOP`},
		{"--store oracle", `"oracle" is no store: sqlite or postgres`},
		{"--replicas 2", "one SQLite file has one gateway and no failover; that takes --store postgres"},
		{"--failovers 1", "one SQLite file has one gateway and no failover; that takes --store postgres"},
		{"--store postgres --url postgres://x --failovers 1", "a database of one's own cannot be failed over; leave out --url"},
		{"--customers 0", "--replicas, --customers and --rate are more than 0, --kills and --failovers not less"},
		{"more", `there is nothing to do with ["more"]`},
	} {
		got := ""
		if _, err := parse(strings.Fields(tt.args), new(bytes.Buffer)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.args, got, tt.want)
		}
	}
}

// TestVerdict: the table has a line for each figure, and a fault is a fault.
func TestVerdict(t *testing.T) {
	v := verdict{o: options{Store: onSQLite}, blows: map[string]int{"KILL": 3, "STOP": 1}, states: map[string]int{"sent": 5}}
	if v.bad() {
		t.Error("got bad without a fault")
	}
	v.faults = []string{"replica-1: ended"}
	var out bytes.Buffer
	v.print(&out)
	for _, want := range []string{"3 SIGKILL, 1 SIGSTOP", "5 sent", "lost ", "out of order", "repeated without excuse", "uncertain", "seconds", "FAULT replica-1: ended"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if !v.bad() {
		t.Error("got no bad with a fault")
	}
}
