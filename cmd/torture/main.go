// Command torture runs the built gateway, kills it again and again under load,
// and judges what came of it: nothing accepted may be lost, nothing may arrive
// out of order, and a part may only arrive twice when it was in flight at a kill.
//
//	make torture ARGS="--kills 200"
//	make torture ARGS="--store postgres --replicas 3 --kills 200 --failovers 5"
//	make torture ARGS="--faultpoints"
//
// The platforms are emulated in this process, so they live through it all; the
// shop posts as a shop does, and posts again under the same id what was not
// answered with a yes. What was shown is judged by the package history.
//
// With --faultpoints nothing is left to chance: a gateway built for it dies at
// every statement that writes, before and after its COMMIT, and before and after
// every request, as far as the source has such places (core/faultpoint); what its
// customers see must be what they see when nobody dies, but for the part in flight.
//
// It prints one table and what is wrong in words, and exits with 1 if anything
// is. The seed decides what is done in which order; when exactly it happens, the
// machine has a say in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(args, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "torture:", err)
		return exitUsage
	}
	if o.Points {
		return runPoints(ctx, o)
	}
	v, err := torture(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return exitFailed
	}
	v.print(os.Stdout)
	if v.bad() {
		return exitFailed
	}
	return 0
}

func runPoints(ctx context.Context, o options) int {
	d, err := dieEverywhere(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return exitFailed
	}
	d.print(os.Stdout)
	if len(d.faults) > 0 {
		return exitFailed
	}
	return 0
}
