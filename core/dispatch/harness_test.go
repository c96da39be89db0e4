package dispatch_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/lane"
	"tidings/core/store"
)

// platform is a channel whose answers a test decides. It keeps what was shown.
type platform struct {
	mu     sync.Mutex
	limits core.Limits
	answer func(to core.Address, p core.Part) (core.Sent, error) // nil: yes
	delay  time.Duration
	shown  []shown
	asked  []shown // every request, also refused ones
	open   map[string]int
	worst  int // most requests to one recipient at once
}

type shown struct {
	to, text string
	at       time.Time
	part     core.Part
}

func newPlatform() *platform {
	return &platform{open: map[string]int{}, limits: core.Limits{
		Text: core.Limit{Max: 10, Unit: core.Runes}, Buttons: core.Limit{Max: 3},
	}}
}

func (p *platform) Limits() core.Limits { return p.limits }
func (p *platform) Close() error        { return nil }

func (p *platform) Send(ctx context.Context, to core.Address, part core.Part) (core.Sent, error) {
	s := shown{to: to.Value, text: part.Plain(), at: time.Now(), part: part}
	p.mu.Lock()
	p.asked = append(p.asked, s)
	p.open[to.Value]++
	p.worst = max(p.worst, p.open[to.Value])
	answer, delay := p.answer, p.delay
	p.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[to.Value]--
	sent := core.Sent{ID: fmt.Sprint("p", len(p.asked))}
	if answer != nil {
		var err error
		if sent, err = answer(to, part); err != nil {
			return sent, err
		}
	}
	p.shown = append(p.shown, s)
	return sent, nil
}

func (p *platform) texts(to string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, s := range p.shown {
		if s.to == to {
			all = append(all, s.text)
		}
	}
	return all
}

func (p *platform) slow(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = delay
}

func (p *platform) requestsMade() []shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *platform) allShown() []shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.shown)
}

func (p *platform) mostAtOnce() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.worst
}

func (p *platform) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func (p *platform) script(answer func(core.Address, core.Part) (core.Sent, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// rig is a dispatcher on a real database, in virtual time.
type rig struct {
	t      *testing.T
	path   string
	store  *store.Store
	engine *lane.Engine
	out    *dispatch.Dispatcher
	a, b   *platform
}

// inRig runs a test in a bubble of virtual time.
func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	path := t.TempDir() + "/t.db"
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, path: path, a: newPlatform(), b: newPlatform()}
		r.start()
		defer r.stop()
		test(r)
	})
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.store, err = store.Open(context.Background(), "sqlite:"+r.path); err != nil {
		r.t.Fatal(err)
	}
	r.engine = lane.New(r.store, slog.New(slog.DiscardHandler))
	r.out = dispatch.New(r.engine, slog.New(slog.DiscardHandler), func(string, float64, ...string) {})
	r.outlets(nil)
	r.engine.Handle(dispatch.Kind, r.out.Lane())
	if err := r.out.Restore(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	if err := r.engine.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// outlets opens the channels "a" and "b"; change may alter their settings.
func (r *rig) outlets(change func(name string, s *dispatch.Settings)) {
	all := map[string]*dispatch.Outlet{}
	for name, p := range map[string]*platform{"a": r.a, "b": r.b} {
		s := dispatch.Settings{Name: name, Type: "test", Channel: p, Limits: p.limits, MisconfiguredAfter: 15 * time.Minute}
		if change != nil {
			change(name, &s)
		}
		all[name] = dispatch.NewOutlet(s)
	}
	r.out.SetOutlets(all)
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r.engine.Stop(ctx)
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) do(fn func(tx *lane.Tx) error) {
	r.t.Helper()
	if err := r.engine.Do(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) view(fn func(tx core.Tx) error) {
	r.t.Helper()
	if err := r.engine.View(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// link gives a customer an address on a channel, written from just now.
func (r *rig) link(uid, channel, value string) (customer, address int64) {
	r.t.Helper()
	r.do(func(tx *lane.Tx) error {
		now := time.Now()
		c, err := tx.EnsureCustomer(uid, now)
		if err != nil {
			return err
		}
		a, err := tx.EnsureAddress(channel, core.Address{Value: value}, now)
		if err != nil {
			return err
		}
		a.LastInAt = now
		if err := tx.SaveAddress(a); err != nil {
			return err
		}
		customer, address = c.ID, a.ID
		_, err = tx.InsertLink(core.Link{CustomerID: c.ID, AddressID: a.ID, Channel: channel, State: core.LinkActive, CreatedAt: now})
		return err
	})
	return customer, address
}

// send queues a text and returns the message's id.
func (r *rig) send(customer, address int64, text string, change ...func(*core.Message)) int64 {
	r.t.Helper()
	var id int64
	r.do(func(tx *lane.Tx) error {
		m := core.Message{
			Type: core.MessageRequested, CustomerID: customer, Channel: "a", AddressID: address, Uncertain: "repeat",
			Body: core.Body{Blocks: []core.Block{{Text: core.PlainText(text)}}}, CreatedAt: time.Now(),
		}
		for _, c := range change {
			c(&m)
		}
		var err error
		id, err = r.out.Enqueue(tx, m)
		return err
	})
	return id
}

func (r *rig) message(id int64) core.Message {
	r.t.Helper()
	var m core.Message
	r.view(func(tx core.Tx) error {
		var err error
		m, err = tx.Message(id)
		return err
	})
	return m
}

func (r *rig) wantState(id int64, state core.MessageState, class core.Class) {
	r.t.Helper()
	m := r.message(id)
	if m.State != state || m.Class != class {
		r.t.Errorf("message %d: got state %q, class %q (%s); want %q, %q", id, m.State, m.Class, m.Why, state, class)
	}
}

func (r *rig) wantSums() {
	r.t.Helper()
	r.view(func(tx core.Tx) error {
		sums, err := tx.Totals()
		if err == nil && sums.Difference() != 0 {
			r.t.Errorf("got a difference of %d in %+v, want 0", sums.Difference(), sums)
		}
		return err
	})
}

func fail(class core.Class) func(core.Address, core.Part) (core.Sent, error) {
	return func(core.Address, core.Part) (core.Sent, error) {
		return core.Sent{}, &core.SendError{Class: class, Code: "x"}
	}
}

// failFirst refuses the first n requests.
func failFirst(n int, e core.SendError) func(core.Address, core.Part) (core.Sent, error) {
	return func(core.Address, core.Part) (core.Sent, error) {
		if n--; n >= 0 {
			return core.Sent{}, &e
		}
		return core.Sent{ID: fmt.Sprint("ok", n)}, nil
	}
}

// crash abandons the engine as kill -9 does, and starts another on the same data.
func (r *rig) crash() {
	r.t.Helper()
	copied := r.path + ".crashed"
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := db.Exec("VACUUM INTO $1", copied); err != nil {
		r.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		r.t.Fatal(err)
	}
	old, oldStore := r.engine, r.store
	go func() {
		time.Sleep(90 * time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		old.Stop(ctx)
		_ = oldStore.Close()
	}()
	r.path = copied
	r.start()
}
