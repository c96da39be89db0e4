package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/channels/emulator"
	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
	"tidings/core/intake"
	"tidings/core/lane"
	"tidings/core/reconcile"
	"tidings/core/render"
	"tidings/core/route"
	"tidings/core/store"
)

const (
	site   = "electronics"
	secret = "s3cret"
	odile  = "odile.brandt@example.com"
)

// outbox keeps the messages that would leave.
type outbox struct {
	mu   sync.Mutex
	sent []core.Message
}

func (o *outbox) Enqueue(tx *lane.Tx, m core.Message) (int64, error) {
	m.State = core.MessageQueued
	id, err := tx.InsertMessage(m, []core.Part{{N: 1, Of: 1}})
	tx.After(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sent = append(o.sent, m)
	})
	return id, err
}

func (*outbox) EnqueueWants(core.Message) core.Wants { return core.Wants{} }

func (*outbox) Describe(string, core.EventType, string, time.Time) (core.ChannelInfo, bool) {
	return core.ChannelInfo{Works: true}, true
}

func (*outbox) Preview(string, core.Body) []core.Part { return []core.Part{{N: 1, Of: 1}} }

// rig is a gateway that reads an emulated shop, in virtual time, on a database that
// outlives it.
type rig struct {
	t      *testing.T
	path   string
	texts  *render.Texts
	sim    *hybrissim.Sim
	out    *outbox
	opt    reconcile.Options
	store  *store.Store
	engine *lane.Engine
	in     *intake.Intake
	again  *reconcile.Reconciler
	end    func()
	pushed int
}

func inRig(t *testing.T, change func(*reconcile.Options), test func(r *rig)) {
	t.Helper()
	path := t.TempDir() + "/t.db"
	texts, faults := render.New(nil, "en")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, path: path, texts: texts, out: &outbox{}}
		r.sim = hybrissim.New(hybrissim.Options{ClientID: "tidings", ClientSecret: secret, BaseSites: []string{site}})
		r.opt = reconcile.Options{
			Sites: []string{site}, Settings: reconcile.Settings{Every: 15 * time.Minute, OrdersFor: 30 * 24 * time.Hour, PerSecond: 4},
			Log: slog.New(slog.DiscardHandler), Count: func(string, float64, ...string) {},
		}
		if change != nil {
			change(&r.opt)
		}
		r.start()
		test(r)
		r.stop()
	})
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.store, err = store.Open(context.Background(), "sqlite:"+r.path); err != nil {
		r.t.Fatal(err)
	}
	client := hybris.New(hybris.Options{
		BaseURL: "https://shop.example/occ/v2", TokenURL: "https://shop.example/authorizationserver/oauth/token",
		ClientID: "tidings", ClientSecret: secret, Sites: []hybris.Site{{ID: site}},
		HTTP: &http.Client{Transport: emulator.Transport(r.sim)},
	})
	r.engine = lane.New(r.store, slog.New(slog.DiscardHandler))
	shop := intake.Guard(client)
	r.in = intake.New(intake.Options{
		Engine: r.engine, Outbox: r.out, Shop: shop, Orders: client.Dialect(), Wait: time.Minute,
		Log: slog.New(slog.DiscardHandler), Count: func(string, float64, ...string) {},
	}, intake.Rules{Texts: r.texts, Locale: "en", Routes: []route.Rule{
		{Name: "all", Channels: []string{"chat"}, Deliver: route.Fallback, Uncertain: route.Repeat, Expires: time.Hour},
	}})
	r.engine.Handle(intake.CustomerKind, r.in.Customers())
	r.engine.Handle(intake.OrderKind, r.in.OrdersWithoutCustomer())
	if err := r.engine.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	r.opt.Engine, r.opt.Shop, r.opt.Dialect, r.opt.Events = r.engine, shop, client.Dialect(), r.in
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	r.again = reconcile.New(r.opt)
	go func() {
		defer close(ended)
		r.again.Run(ctx)
	}()
	r.end = func() { cancel(); <-ended }
}

func (r *rig) stop() {
	r.t.Helper()
	r.end()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r.engine.Stop(ctx)
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// down is a gateway that does not run for a while.
func (r *rig) down(d time.Duration, meanwhile func()) {
	r.stop()
	meanwhile()
	time.Sleep(d)
	r.start()
}

func (r *rig) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// link has a customer press the button of an opt-in.
func (r *rig) link(uid string) {
	r.t.Helper()
	r.do(func(tx *lane.Tx) error {
		now := time.Now()
		c, err := tx.EnsureCustomer(uid, now)
		if err != nil {
			return err
		}
		a, err := tx.EnsureAddress("chat", core.Address{Value: "of " + uid}, now)
		if err != nil {
			return err
		}
		_, err = tx.InsertLink(core.Link{
			CustomerID: c.ID, AddressID: a.ID, Channel: "chat", State: core.LinkActive, Purpose: core.OrderUpdates,
			Evidence: "opt-in 1", Site: site, CreatedAt: now, ChangedAt: now,
		})
		return err
	})
}

func (r *rig) do(fn func(*lane.Tx) error) {
	r.t.Helper()
	if err := r.engine.Do(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// order is placed, and nobody is told.
func (r *rig) order(code, uid string) hybrissim.Order {
	return r.sim.AddOrder(hybrissim.SampleOrder(code, uid, site))
}

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// push reports an event as the shop would.
func (r *rig) push(t core.EventType, d core.EventData) {
	r.t.Helper()
	r.pushed++
	e := core.Event{ID: fmt.Sprint("push", r.pushed), Source: "/shop", Type: t, Time: time.Now(), Site: site, Data: d}
	if _, err := r.in.Accept(context.Background(), []intake.Received{{Event: e}}); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// told lists what customers were told, in order.
func (r *rig) told() []string {
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	var all []string
	for _, m := range r.out.sent {
		all = append(all, string(m.Type)+" "+m.OrderCode)
	}
	return all
}

func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	if got := r.told(); !slices.Equal(got, want) {
		r.t.Errorf("told: got %q, want %q", got, want)
	}
}

// requests counts those of a resource of the shop.
func (r *rig) requests(resource string) int { return r.sim.Requests()["GET "+resource] }

// source of the only event with an id.
func (r *rig) event(id string) core.StoredEvent {
	r.t.Helper()
	var all []core.StoredEvent
	r.ok(r.engine.View(context.Background(), func(tx core.Tx) (err error) {
		all, err = tx.EventsByID(id, "")
		return err
	}))
	if len(all) != 1 {
		r.t.Fatalf("event %s: got %d, want one", id, len(all))
	}
	return all[0]
}

func parcel(order string) string { return "cons" + order + "_0" }

func poll(what string) string { return strings.TrimSuffix("/tidings/poll/"+what, "/") }
