package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// bars are what the throughput with batches of 100 is to reach, as a share of
// the bare client's in the same repetition.
var bars = map[string]*bar{"sqlite": atLeast(0.35), "postgres": atLeast(0.15)}

// outcome is what one repetition has shown.
type outcome struct {
	perSecond          float64
	cpu, server        time.Duration // per message
	around             time.Duration // of the load and the platform, per message
	anonymous, highest int64
	size               int64 // of the database, per message
}

// measureThroughput measures from the first post until the last delivery is
// written down, beside the bare client.
func (b *bench) measureThroughput(ctx context.Context, open func(context.Context) (*database, error)) error {
	sizes := []int{1, 100}
	all := map[int][]outcome{}
	ratios := map[int][]float64{}
	var bares []float64
	var name string
	for range b.repeat {
		bare, err := b.bare(ctx, b.messages)
		if err != nil {
			return err
		}
		bares = append(bares, bare)
		for _, size := range sizes {
			out, kind, err := b.throughput(ctx, open, size)
			if err != nil {
				return fmt.Errorf("batches of %d: %w", size, err)
			}
			name = kind
			all[size], ratios[size] = append(all[size], out), append(ratios[size], out.perSecond/bare)
		}
	}
	b.add(figure{Part: name, Name: "bare client in between", Unit: "requests/s", Values: bares})
	for _, size := range sizes {
		b.addOutcomes(name, size, all[size], ratios[size])
	}
	return nil
}

func (b *bench) addOutcomes(part string, size int, all []outcome, ratios []float64) {
	each := func(what, unit string, value func(outcome) float64) {
		f := figure{Part: part, Name: fmt.Sprintf("batches of %d: %s", size, what), Unit: unit}
		for _, o := range all {
			f.Values = append(f.Values, value(o))
		}
		b.add(f)
	}
	each("events to recorded deliveries", "messages/s", func(o outcome) float64 { return o.perSecond })
	ratio := figure{Part: part, Name: fmt.Sprintf("batches of %d: share of the bare client", size), Values: ratios}
	if size == 100 {
		ratio.Bar = bars[part]
	}
	b.add(ratio)
	each("gateway's processor time", "µs/message", func(o outcome) float64 { return micros(o.cpu) })
	if all[0].server > 0 {
		each("database's processor time", "µs/message", func(o outcome) float64 { return micros(o.server) })
	}
	each("processor time of load and platform", "µs/message", func(o outcome) float64 { return micros(o.around) })
	each("own memory at its peak", "MB", func(o outcome) float64 { return mega(o.anonymous) })
	each("resident memory at its peak", "MB", func(o outcome) float64 { return mega(o.highest) })
	each("database", "bytes/message", func(o outcome) float64 { return float64(o.size) })
}

// throughput is one repetition on a database of its own.
func (b *bench) throughput(ctx context.Context, open func(context.Context) (*database, error), size int) (out outcome, kind string, err error) {
	db, err := open(ctx)
	if err != nil {
		return out, "", err
	}
	defer func() { _ = db.drop() }()
	g, err := b.startGateway(ctx, db, "off: true")
	if err != nil {
		return out, "", err
	}
	defer g.stop()
	if err := g.link(ctx, b.customers, b.posters); err != nil {
		return out, "", err
	}
	if err := b.behave(ctx, behaviour{}); err != nil {
		return out, "", err
	}
	before, err := db.size(ctx)
	if err != nil {
		return out, "", err
	}
	requests, err := bodiesOf(0, b.messages, b.customers, size)
	if err != nil {
		return out, "", err
	}
	profile := b.profile(ctx, g, fmt.Sprintf("%s-%d", db.name, size))
	most := watchAnonymous(ctx, g.pid())
	took, err := b.costs(g, db, &out, func() error {
		if err := b.postAll(ctx, g, requests); err != nil {
			return err
		}
		return b.await(ctx, g, b.messages, b.messages, patience(b.messages))
	})
	out.anonymous = most()
	if err != nil {
		return out, "", err
	}
	if err := profile(); err != nil {
		return out, "", err
	}
	out.perSecond = float64(b.messages) / took.Seconds()
	m, err := memoryOf(g.pid())
	if err != nil {
		return out, "", err
	}
	out.highest = m.highest
	after, err := db.size(ctx)
	out.size = (after - before) / int64(b.messages)
	return out, db.name, err
}

// costs measures how long something takes, and what it costs for each message.
func (b *bench) costs(g *gateway, db *database, out *outcome, do func() error) (took time.Duration, err error) {
	own, err := spent(g.pid(), false)
	if err != nil {
		return 0, err
	}
	var theirs time.Duration
	if db.spent != nil {
		if theirs, err = db.spent(); err != nil {
			return 0, err
		}
	}
	around, err := b.spentAround()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	took = time.Since(begun)
	aroundAfter, err := b.spentAround()
	if err != nil {
		return 0, err
	}
	out.around = (aroundAfter - around) / time.Duration(b.messages)
	after, err := spent(g.pid(), false)
	if err != nil {
		return 0, err
	}
	out.cpu = (after - own) / time.Duration(b.messages)
	if db.spent != nil {
		serverAfter, err := db.spent()
		if err != nil {
			return 0, err
		}
		out.server = (serverAfter - theirs) / time.Duration(b.messages)
	}
	return took, nil
}

// spentAround is the processor time of what is around the gateway: this program,
// which posts, and the platform. It has the same processors.
func (b *bench) spentAround() (time.Duration, error) {
	own, err := spent(os.Getpid(), false)
	if err != nil {
		return 0, err
	}
	platform, err := spent(b.platformPID, false)
	return own + platform, err
}

// patience is how long n messages may take at the most: nothing here waits for ever.
func patience(n int) time.Duration { return time.Minute + time.Duration(n)*20*time.Millisecond }

// event is the i-th message as a CloudEvent.
func event(i, customers int) map[string]any {
	return map[string]any{
		"specversion": "1.0", "id": fmt.Sprintf("bench-%d", i), "source": "/shop/bench", "type": "message.requested",
		"time": "2026-11-22T10:00:00Z",
		"data": map[string]any{"customerUid": uid(i % customers), "text": words(i)},
	}
}

// post posts the messages from first to first+n-1 in batches, with several
// connections. A gateway that is too busy is asked again, as a shop would.
func (b *bench) post(ctx context.Context, g *gateway, first, n, customers, size int) error {
	bodies, err := bodiesOf(first, n, customers, size)
	if err != nil {
		return err
	}
	return b.postAll(ctx, g, bodies)
}

// bodies are requests that are ready to be posted, as those of the bare client are.
type bodies struct {
	kind string
	all  [][]byte
}

func bodiesOf(first, n, customers, size int) (bodies, error) {
	of := bodies{kind: "application/cloudevents+json"}
	if size > 1 {
		of.kind = "application/cloudevents-batch+json"
	}
	for from := 0; from < n; from += size {
		var body any
		if size == 1 {
			body = event(first+from, customers)
		} else {
			var batch []map[string]any
			for i := from; i < min(n, from+size); i++ {
				batch = append(batch, event(first+i, customers))
			}
			body = batch
		}
		raw, err := json.Marshal(body)
		if err != nil {
			return of, err
		}
		of.all = append(of.all, raw)
	}
	return of, nil
}

func (b *bench) postAll(ctx context.Context, g *gateway, of bodies) error {
	return inParallel(min(b.posters, len(of.all)), len(of.all), func(i int) error {
		return g.accept(ctx, of.kind, of.all[i])
	})
}

// accept posts until the gateway has taken it.
func (g *gateway) accept(ctx context.Context, kind string, body []byte) error {
	return until(ctx, time.Minute, 100*time.Millisecond, func() (bool, error) {
		_, err := ask(ctx, g.client, http.MethodPost, g.url+"/v1/events", kind, body, http.StatusAccepted)
		if refused, ok := err.(*statusError); ok && refused.status == http.StatusServiceUnavailable { //nolint:errorlint // ask returns it as it is
			return false, nil
		}
		return err == nil, err
	})
}
