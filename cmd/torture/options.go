package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The stores that a gateway can be tortured on.
const (
	onSQLite   = "sqlite"
	onPostgres = "postgres"
)

// lease is how long a replica's hold on its lanes lasts without being renewed:
// one that stands still for longer loses them while it sleeps.
const lease = 15 * time.Second

// blows are the signals by name.
var blows = map[string]syscall.Signal{"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM, "STOP": syscall.SIGSTOP}

// options is what a torture is to be like.
type options struct {
	Binary    string
	Store     string
	URL       string // of a PostgreSQL that is there already; empty: one is started
	Replicas  int
	Kills     int
	Failovers int
	Customers int
	Rate      float64 // messages per second, of all customers
	Seed      uint64
	Signals   []string
	Gap       time.Duration // the longest time between two blows at a replica
	Pause     time.Duration // the longest time between SIGSTOP and SIGCONT
	Settle    time.Duration // as in history.Rules
	Points    bool          // die at every point instead
	Sample    bool          // at each of them once
	AtOnce    int           // so many plays
	Patience  time.Duration // how long nothing may move before the end
	Keep      string        // a folder for configuration, database and logs; empty: a temporary one
	Log       func(format string, args ...any)
}

func parse(args []string, out io.Writer) (options, error) {
	o := options{Log: func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }}
	var signals string
	f := flag.NewFlagSet("torture", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.Binary, "binary", "bin/tidings", "the built gateway")
	f.StringVar(&o.Store, "store", onSQLite, "sqlite or postgres")
	f.StringVar(&o.URL, "url", "", "a PostgreSQL database to use, instead of a server of one's own")
	f.IntVar(&o.Replicas, "replicas", 0, "gateways on one database (default 1; 3 with --store postgres)")
	f.IntVar(&o.Kills, "kills", 200, "blows altogether")
	f.IntVar(&o.Failovers, "failovers", 0, "how often the primary database is killed and its standby takes over")
	f.IntVar(&o.Customers, "customers", 48, "customers, each linked on one platform")
	f.Float64Var(&o.Rate, "rate", 60, "messages per second, of all customers together")
	f.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "decides what is done")
	f.StringVar(&signals, "signals", "KILL,TERM,STOP", "which blows: KILL, TERM, STOP; one named twice comes twice as often")
	f.DurationVar(&o.Gap, "gap", 800*time.Millisecond, "the longest time between two blows at a replica")
	f.DurationVar(&o.Pause, "pause", 0, "the longest SIGSTOP (default 2s; 3s more than a lease with --store postgres)")
	f.DurationVar(&o.Settle, "settle", 0, "how long after an answer a blow may still undo it (default 2s; 5s with --store postgres)")
	f.DurationVar(&o.Patience, "patience", time.Minute, "how long nothing may move at the end before it is given up")
	f.BoolVar(&o.Points, "faultpoints", false, "instead: die at every place that writes or sends, again and again, in acts that come by all of them")
	f.BoolVar(&o.Sample, "sample", false, "with --faultpoints: at each place once only")
	f.IntVar(&o.AtOnce, "at-once", 4, "with --faultpoints: so many gateways side by side")
	f.StringVar(&o.Keep, "keep", "", "a folder in which configuration, database and logs are left behind")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("there is nothing to do with %q", f.Args())
	}
	o.Signals = strings.Split(signals, ",")
	return o.complete()
}

// complete fills in what was left open, and refuses what makes no sense.
func (o options) complete() (options, error) {
	replicas, pause, settle := 1, 2*time.Second, 2*time.Second
	if o.Store == onPostgres {
		replicas, pause, settle = 3, lease+3*time.Second, 5*time.Second
	}
	if o.Replicas == 0 {
		o.Replicas = replicas
	}
	if o.Pause == 0 {
		o.Pause = pause
	}
	if o.AtOnce == 0 {
		o.AtOnce = 4
	}
	if o.Settle == 0 {
		o.Settle = settle
	}
	for _, s := range o.Signals {
		if _, ok := blows[s]; !ok {
			return o, fmt.Errorf("%q is no signal to torture with: KILL, TERM or STOP", s)
		}
	}
	return o, o.sensible()
}

// sensible says what about the options makes no sense.
func (o options) sensible() error {
	switch {
	case !slices.Contains([]string{onSQLite, onPostgres}, o.Store):
		return fmt.Errorf("%q is no store: sqlite or postgres", o.Store)
	case o.Store == onSQLite && (o.Replicas > 1 || o.Failovers > 0 || o.URL != ""):
		return errors.New("one SQLite file has one gateway and no failover; that takes --store postgres")
	case o.URL != "" && o.Failovers > 0:
		return errors.New("a database of one's own cannot be failed over; leave out --url")
	case min(o.Replicas, o.Customers) < 1 || o.Rate <= 0 || min(o.Kills, o.Failovers) < 0:
		return errors.New("--replicas, --customers and --rate are more than 0, --kills and --failovers not less")
	}
	return nil
}
