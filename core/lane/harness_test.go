package lane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tidings/core"
)

var errAway = errors.New("the disk is full")

// memory is a Store of this test: items and claims in maps, with transactions,
// and switches for what a database can do to us.
type memory struct {
	core.Tx // what the engine does not use

	mu     sync.Mutex
	nextID int64
	items  map[int64]Item
	log    []string // what transactions of the tests write, in the order of their commits

	away       atomic.Bool  // every call fails
	refuse     atomic.Int64 // so many Updates fail after their work is done
	calls      atomic.Int64
	slow       time.Duration // how long a commit takes, before and after it is durable
	beforeList hook          // called before Lanes reads
	beforeHead hook          // called before Head reads
	afterHead  hook          // called when Head has read
	committed  hook          // called when a commit is durable and nobody knows yet
}

// hook is a function that can be exchanged while it is in use.
type hook struct{ fn atomic.Pointer[func()] }

func (h *hook) set(fn func()) { h.fn.Store(&fn) }

func (h *hook) unset() { h.fn.Store(nil) }

func (h *hook) run() {
	if fn := h.fn.Load(); fn != nil {
		(*fn)()
	}
}

func newMemory() *memory { return &memory{items: map[int64]Item{}} }

func (m *memory) copyItems() map[int64]Item {
	all := make(map[int64]Item, len(m.items))
	maps.Copy(all, m.items)
	return all
}

// copy is the store as another process would find it.
func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemory()
	c.nextID, c.items, c.log = m.nextID, m.copyItems(), slices.Clone(m.log)
	return c
}

// written returns what transactions have written so far.
func (m *memory) written() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.log)
}

// lane returns the items of a lane as they are on disk.
func (m *memory) lane(name string) []Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sorted(name)
}

func (m *memory) sorted(name string) []Item {
	var items []Item
	for _, it := range m.items {
		if it.Lane == name {
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return int(a.ID - b.ID) })
	return items
}

func (m *memory) Update(_ context.Context, fn func(StoreTx) error) error {
	m.calls.Add(1)
	if m.away.Load() {
		return errAway
	}
	tx := &memoryTx{m: m, items: map[int64]*Item{}}
	err := fn(tx)
	pass(m.slow)
	if err == nil && m.refuse.Load() > 0 {
		m.refuse.Add(-1)
		err = errAway
	}
	if err != nil {
		return err
	}
	m.apply(tx)
	pass(m.slow)
	m.committed.run()
	return nil
}

func (m *memory) apply(tx *memoryTx) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, it := range tx.items {
		if it == nil {
			delete(m.items, id)
			continue
		}
		it.Found = false
		m.items[id] = *it
	}
	m.log = append(m.log, tx.log...)
}

// pass lets time go by; tests that use it run in a bubble.
func pass(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

func (m *memory) View(_ context.Context, fn func(StoreTx) error) error {
	m.calls.Add(1)
	return fn(&memoryTx{m: m})
}

func (m *memory) Lanes(_ context.Context, _ int, after string, limit int) ([]string, error) {
	m.calls.Add(1)
	m.beforeList.run()
	if m.away.Load() {
		return nil, errAway
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := map[string]bool{}
	for _, it := range m.items {
		known[it.Lane] = it.Lane > after
	}
	var names []string
	for name, yes := range known {
		if yes {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(limit, len(names))], nil
}

func (m *memory) Head(_ context.Context, lane string, limit int) ([]Item, error) {
	m.calls.Add(1)
	if m.away.Load() {
		return nil, errAway
	}
	m.beforeHead.run()
	items := m.lane(lane)
	m.afterHead.run()
	return items[:min(limit, len(items))], nil
}

func (m *memory) Close() error { return nil }

type memoryTx struct {
	core.Tx
	m     *memory
	items map[int64]*Item // nil: removed
	log   []string
}

func (t *memoryTx) Try(fn func() error) (err, fatal error) {
	items, log := map[int64]*Item{}, slices.Clone(t.log)
	maps.Copy(items, t.items)
	if err := fn(); err != nil {
		t.items, t.log = items, log
		return err, nil
	}
	return nil, nil
}

func (t *memoryTx) InsertItem(it Item) (int64, error) {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	t.m.nextID++
	it.ID = t.m.nextID
	t.items[it.ID] = &it
	return it.ID, nil
}

func (t *memoryTx) SaveItem(it Item) error { t.items[it.ID] = &it; return nil }

func (t *memoryTx) RemoveItem(id int64) error { t.items[id] = nil; return nil }

func (t *memoryTx) Pending(string) (bool, error) { return false, nil }

func (t *memoryTx) Hold([]int, core.Wants) (map[int]int64, error) { return nil, nil }

func (t *memoryTx) Tell(string) error { return nil }

func (t *memoryTx) Item(id int64) (Item, error) {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	if it, ok := t.m.items[id]; ok {
		return it, nil
	}
	return Item{}, core.ErrNotFound
}

func (t *memoryTx) Fetch(core.Wants) error { return nil }

// write leaves a line that becomes durable with the transaction.
func write(tx *Tx, format string, args ...any) {
	if m, ok := tx.st.(*memoryTx); ok {
		m.log = append(m.log, fmt.Sprintf(format, args...))
	}
}

// worker is a Worker made of functions; unset ones let everything pass.
type worker struct {
	gate func(it Item, now time.Time) time.Time
	work func(ctx context.Context, it Item) Result
}

func (w worker) Gate(it Item, now time.Time) Turn {
	if w.gate == nil {
		return Turn{}
	}
	return Turn{At: w.gate(it, now)}
}

func (w worker) Work(ctx context.Context, it Item) Result {
	if w.work == nil {
		return Result{Done: true}
	}
	return w.work(ctx, it)
}

// marking is a worker that is a Marker.
type marking struct {
	worker
	mark func(tx *Tx, it Item) (bool, error)
}

func (w marking) Mark(tx *Tx, it Item) (bool, error) {
	if w.mark == nil {
		return true, nil
	}
	return w.mark(tx, it)
}

func kind(w Worker, limit int) Kind {
	return Kind{Worker: w, Pool: func(name string) (string, int) { return KindOf(name), limit }}
}

var quiet = slog.New(slog.DiscardHandler)

// start runs an engine with one kind of lanes, "w", until the test ends.
func start(t testing.TB, s Store, w Worker, limit int) *Engine {
	t.Helper()
	e := New(s, quiet)
	e.Handle("w", kind(w, limit))
	run(t, e)
	return e
}

func run(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Start(context.Background()); err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		e.Stop(ctx)
	})
}

// put appends items with refs 1 to n to a lane, in one transaction.
func put(t testing.TB, e *Engine, name string, refs ...int64) {
	t.Helper()
	do(t, e, func(tx *Tx) error {
		for _, ref := range refs {
			if err := enqueue(tx, name, ref); err != nil {
				return err
			}
		}
		return nil
	})
}

// enqueue appends an item, marked where it may start at once.
func enqueue(tx *Tx, name string, ref int64) error {
	now, err := tx.Reserve(name, time.Time{}, Normal)
	switch {
	case err != nil:
		return err
	case now:
		return tx.AppendMarked(name, ref, time.Time{}, Normal)
	}
	return tx.Append(name, ref, time.Time{}, Normal)
}

func do(t testing.TB, e *Engine, fn func(tx *Tx) error) {
	t.Helper()
	if err := e.Do(context.Background(), fn); err != nil {
		t.Errorf("Do: %v", err)
	}
}

func upTo(n int64) []int64 {
	refs := make([]int64, n)
	for i := range refs {
		refs[i] = int64(i + 1)
	}
	return refs
}

// journal records what was worked on, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

func (j *journal) len() int { return len(j.all()) }

func refsOf(items []Item) []int64 {
	var refs []int64
	for _, it := range items {
		refs = append(refs, it.Ref)
	}
	return refs
}
