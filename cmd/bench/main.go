package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// platformRole is the argument with which this program is the platform.
const platformRole = "platform"

// parts are what can be measured, in this order.
var parts = []string{"bare", "sqlite", "postgres", "backlog", "pace"}

// options are how much is measured, and of what.
type options struct {
	tidings, dir, postgres, pprof string
	only                          []string
	quick, json                   bool
	repeat                        int // of each figure
	messages                      int // in each repetition
	customers                     int
	backlog                       int // parts that pile up
	backlogOn                     string
	paced                         int // parts in the part about pace
	pacedTo                       int // recipients of them
	rate                          int // requests a second that the platform allows
	alone                         int // events of the part about latency
	clients                       int // connections of the bare client
	posters                       int // connections that post events
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(args) > 0 && args[0] == platformRole {
		err = runPlatform(ctx, args[1:])
	} else {
		err = measure(ctx, args)
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 2
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	return 1
}

// usageError is wrong usage.
type usageError struct{ error }

// readOptions reads the flags. What is not said depends on --quick.
func readOptions(args []string) (options, error) {
	var o options
	var only string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.BoolVar(&o.quick, "quick", false, "about a minute and a half in all, with figures that are less sure")
	f.BoolVar(&o.json, "json", false, "write the figures as JSON instead of a table")
	f.StringVar(&only, "only", "", "the parts to measure, such as sqlite,pace (default: all)")
	f.StringVar(&o.tidings, "tidings", "bin/tidings", "the gateway's binary")
	f.StringVar(&o.dir, "dir", "", "the folder for databases, on a real disk (default: a temporary one)")
	f.StringVar(&o.postgres, "postgres", "", "a running server, postgres://USER:PASSWORD@HOST/postgres, in which databases are made and dropped (default: one is started)")
	f.StringVar(&o.pprof, "pprof", "", "a folder for profiles of each throughput run; needs a gateway built with -tags pprof")
	f.IntVar(&o.repeat, "repeat", 0, "repetitions of each figure")
	f.IntVar(&o.messages, "messages", 0, "messages in each repetition")
	f.IntVar(&o.customers, "customers", 1000, "linked customers to whom they go")
	f.IntVar(&o.backlog, "backlog", 0, "parts that pile up while the platform is away (full: 1000000)")
	f.StringVar(&o.backlogOn, "backlog-on", "sqlite", "the database of the backlog: sqlite or postgres")
	f.IntVar(&o.paced, "paced", 0, "parts that are sent at the platform's pace (full: 50000)")
	f.IntVar(&o.pacedTo, "paced-to", 0, "recipients of them (full: 10000)")
	f.IntVar(&o.rate, "rate", 250, "requests that the platform allows in any second")
	f.IntVar(&o.alone, "alone", 0, "events posted at a gentle rate")
	f.IntVar(&o.clients, "clients", 64, "connections of the bare client")
	f.IntVar(&o.posters, "posters", 32, "connections that post events")
	if err := f.Parse(args); err != nil {
		return o, usageOf(err)
	}
	if f.NArg() > 0 {
		return o, usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	o.fill()
	return o, o.choose(only)
}

func usageOf(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError{err}
}

// fill sets what was not said.
func (o *options) fill() {
	for _, x := range []struct {
		n           *int
		quick, full int
	}{
		{&o.repeat, 3, 5}, {&o.messages, 3000, 20_000}, {&o.backlog, 12_000, 1_000_000},
		{&o.paced, 2500, 50_000}, {&o.pacedTo, 500, 10_000}, {&o.alone, 1000, 6000},
	} {
		switch {
		case *x.n > 0:
		case o.quick:
			*x.n = x.quick
		default:
			*x.n = x.full
		}
	}
}

func (o *options) choose(only string) error {
	if only == "" {
		o.only = parts
		return nil
	}
	o.only = strings.Split(only, ",")
	for _, p := range o.only {
		if !slices.Contains(parts, p) {
			return usageError{fmt.Errorf("--only: there is no part %q; there are %s", p, strings.Join(parts, ", "))}
		}
	}
	return nil
}

func (o *options) wants(part string) bool { return slices.Contains(o.only, part) }
