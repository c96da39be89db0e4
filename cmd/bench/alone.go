package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// gentle is how many events a second are posted where each is to be alone.
const gentle = 200

// settleFor is how long a gateway is left in peace before its memory is read.
const settleFor = 1500 * time.Millisecond

// measureAlone measures a gateway with next to nothing to do: its latency, and
// what it takes to start and to be idle.
func (b *bench) measureAlone(ctx context.Context, open func(context.Context) (*database, error)) error {
	db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = db.drop() }()
	g, err := b.startGateway(ctx, db, "off: true")
	if err != nil {
		return err
	}
	defer g.stop()
	if err := g.link(ctx, b.customers, b.posters); err != nil {
		return err
	}
	if err := b.latency(ctx, g, db.name); err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	g.stop()
	return b.starts(ctx, db)
}

// latency posts events one by one at a gentle rate and compares when each was
// posted with when the platform got it.
func (b *bench) latency(ctx context.Context, g *gateway, part string) error {
	if err := b.behave(ctx, behaviour{Watch: true}); err != nil {
		return err
	}
	posted := make([]time.Time, b.alone)
	begun := time.Now()
	err := inParallel(16, b.alone, func(i int) error {
		pause := time.NewTimer(time.Until(begun.Add(time.Duration(i) * time.Second / gentle)))
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		posted[i] = time.Now()
		return b.post(ctx, g, i, 1, b.customers, 1)
	})
	if err != nil {
		return err
	}
	if err := b.await(ctx, g, b.alone, b.alone, patience(b.alone)); err != nil {
		return err
	}
	arrived, err := b.arrived(ctx)
	if err != nil {
		return err
	}
	var all []float64
	for i, at := range posted {
		got, ok := arrived[words(i)]
		if !ok {
			return fmt.Errorf("the platform has not seen message %d", i)
		}
		all = append(all, millis(time.Unix(0, got).Sub(at)))
	}
	slices.Sort(all)
	for _, q := range []struct {
		name  string
		share float64
		bar   *bar
	}{{"median", 0.5, atMost(3)}, {"95 %", 0.95, nil}, {"99 %", 0.99, atMost(15)}} {
		name := fmt.Sprintf("posted at %d/s → request at the platform, %s", gentle, q.name)
		b.add(figure{Part: part, Name: name, Unit: "ms", Values: []float64{quantile(all, q.share)}, Bar: q.bar})
	}
	return nil
}

// starts runs the gateway several times, and reads what it holds when idle.
func (b *bench) starts(ctx context.Context, db *database) error {
	ready := figure{Part: db.name, Name: "start until ready", Unit: "ms", Bar: atMost(150)}
	idle := figure{Part: db.name, Name: "resident when idle", Unit: "MB", Bar: atMost(40)}
	own := figure{Part: db.name, Name: "own memory when idle", Unit: "MB"}
	for range b.repeat {
		g, err := b.startGateway(ctx, db, "off: true")
		if err != nil {
			return err
		}
		pause(ctx, settleFor)
		m, err := memoryOf(g.pid())
		g.stop()
		if err != nil {
			return err
		}
		ready.Values = append(ready.Values, millis(g.readyIn))
		idle.Values, own.Values = append(idle.Values, mega(m.resident)), append(own.Values, mega(m.anonymous))
	}
	b.add(ready)
	b.add(idle)
	b.add(own)
	info, err := os.Stat(b.tidings)
	if err != nil {
		return err
	}
	b.add(figure{Part: db.name, Name: "size of the binary", Unit: "MB", Values: []float64{mega(info.Size())}})
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
