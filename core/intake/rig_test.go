package intake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/intake"
	"tidings/core/lane"
	"tidings/core/render"
	"tidings/core/route"
	"tidings/core/store"
)

// outbox keeps what it is given.
type outbox struct {
	mu     sync.Mutex
	sent   []core.Message
	broken map[string]string
	window core.Window
	tpl    string
}

func (o *outbox) Enqueue(tx *lane.Tx, m core.Message) (int64, error) {
	m.State = core.MessageQueued
	id, err := tx.InsertMessage(m, o.Preview(m.Channel, m.Body))
	m.ID = id
	tx.After(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sent = append(o.sent, m)
	})
	return id, err
}

func (o *outbox) Describe(channel string, _ core.EventType, _ string, _ time.Time) (core.ChannelInfo, bool) {
	return core.ChannelInfo{Window: o.window, Works: o.broken[channel] == "", Why: o.broken[channel], Template: o.tpl, Params: []string{"order.code"}}, true
}

func (*outbox) EnqueueWants(core.Message) core.Wants { return core.Wants{} }

func (o *outbox) Preview(_ string, b core.Body) []core.Part {
	return []core.Part{{N: 1, Of: 1, Text: core.PlainText(plain(b))}}
}

func plain(b core.Body) string {
	s := ""
	for _, block := range b.Blocks {
		s += block.Text.Plain()
		if block.Order != nil {
			s += block.Order.Text.Plain()
		}
	}
	return s
}

func (o *outbox) messages() []core.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]core.Message(nil), o.sent...)
}

// shop answers what a test tells it to.
type shop struct {
	core.Shop
	mu     sync.Mutex
	orders map[string]core.Order
	err    error
	delay  map[string]time.Duration
	asked  int
	// stale orders are shown until so many have been read.
	stale      map[string]core.Order
	staleN     int
	returns    map[string]core.Return
	queries    []core.OrderQuery
	tracked    []core.OrderQuery
	onlyReturn func(order string) core.Return // of each order; nil: none
	every      func(code string) core.Order   // orders that are not listed; nil: none
	owners     map[string]string              // of orders whose answer names none
	own        map[string]core.Order          // found in their customer's name only
}

func (s *shop) Order(ctx context.Context, q core.OrderQuery) (core.Order, error) {
	s.mu.Lock()
	s.asked++
	s.queries = append(s.queries, q)
	o, ok := s.orders[q.Code]
	if !ok && s.every != nil {
		o, ok = s.every(q.Code), true
	}
	if mine, is := s.own[q.Code]; is && mine.CustomerUID == q.CustomerUID {
		o, ok = mine, true
	}
	if old, is := s.stale[q.Code]; is && s.staleN > 0 {
		s.staleN--
		o = old
	}
	err, delay := s.err, s.delay[q.Code]
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return o, ctx.Err()
	}
	if err != nil {
		return core.Order{}, err
	}
	if ok && o.CustomerUID == "" && q.CustomerUID != "" {
		ok = s.owners[q.Code] == q.CustomerUID // the shop compares
		o.CustomerUID = q.CustomerUID
	}
	if !ok {
		return core.Order{}, &core.ShopError{Class: core.Rejected, NotFound: true, Type: "UnknownIdentifierError"}
	}
	return o, nil
}

func (s *shop) Return(_ context.Context, q core.OrderQuery, code string) (core.Return, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onlyReturn != nil {
		return s.onlyReturn(q.Code), nil
	}
	if r, ok := s.returns[code]; ok {
		return r, nil
	}
	return core.Return{}, &core.ShopError{Class: core.Rejected, NotFound: true, Type: "UnknownIdentifierError"}
}

func (s *shop) Tracking(_ context.Context, q core.OrderQuery, c core.Consignment) (core.Consignment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracked = append(s.tracked, q)
	return c, nil
}

func (s *shop) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

type rig struct {
	t      *testing.T
	engine *lane.Engine
	in     *intake.Intake
	out    *outbox
	shop   *shop
	reader intake.Reader
	n      int
}

// What all rigs begin with is made once: the texts, which never change, and the
// bytes of an empty database.
var (
	builtInTexts = sync.OnceValue(func() *render.Texts {
		texts, faults := render.New(nil, "en")
		if len(faults) > 0 {
			panic(fmt.Sprint(faults))
		}
		return texts
	})
	emptyDatabase = sync.OnceValue(func() []byte {
		dir, err := os.MkdirTemp("", "intake")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		st, err := store.Open(context.Background(), "sqlite:"+dir+"/t.db")
		if err == nil {
			err = st.Close()
		}
		if err != nil {
			panic(err)
		}
		empty, err := os.ReadFile(dir + "/t.db")
		if err != nil {
			panic(err)
		}
		return empty
	})
)

func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	path, texts := t.TempDir()+"/t.db", builtInTexts()
	if err := os.WriteFile(path, emptyDatabase(), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(context.Background(), "sqlite:"+path)
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, engine: lane.New(st, slog.New(slog.DiscardHandler)), out: &outbox{broken: map[string]string{}}}
		r.shop = &shop{orders: map[string]core.Order{}, delay: map[string]time.Duration{}}
		r.in = intake.New(intake.Options{
			Engine: r.engine, Outbox: r.out, Shop: r.shop, Orders: hybris.NewDialect(nil), Wait: time.Minute,
			Log: slog.New(slog.DiscardHandler), Count: func(string, float64, ...string) {},
		}, intake.Rules{Texts: texts, Locale: "en", Routes: []route.Rule{
			{Name: "all", Channels: []string{"a", "b"}, Deliver: route.Fallback, Uncertain: route.Repeat, Expires: time.Hour},
		}})
		r.reader = intake.Reader{Dialect: hybris.NewDialect(nil), Site: func(string) string { return "shop" }}
		r.engine.Handle(intake.CustomerKind, r.in.Customers())
		r.engine.Handle(intake.OrderKind, r.in.OrdersWithoutCustomer())
		if err := r.engine.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		test(r)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r.engine.Stop(ctx)
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (r *rig) link(uid, channel, evidence string) {
	r.t.Helper()
	err := r.engine.Do(context.Background(), func(tx *lane.Tx) error {
		now := time.Now()
		c, err := tx.EnsureCustomer(uid, now)
		if err != nil {
			return err
		}
		a, err := tx.EnsureAddress(channel, core.Address{Value: uid + "@" + channel}, now)
		if err != nil {
			return err
		}
		a.LastInAt = now
		if err := tx.SaveAddress(a); err != nil {
			return err
		}
		_, err = tx.InsertLink(core.Link{
			CustomerID: c.ID, AddressID: a.ID, Channel: channel, State: core.LinkActive, Purpose: core.OrderUpdates,
			Evidence: evidence, CreatedAt: now,
		})
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) order(code, uid string) {
	r.shop.mu.Lock()
	defer r.shop.mu.Unlock()
	r.shop.orders[code] = core.Order{
		Code: code, CustomerUID: uid, CustomerName: "Ada Example", Total: core.Money{Amount: "12.50", Currency: "EUR"},
		Lines:        []core.OrderLine{{Number: 0, Name: "Mug", Quantity: 1, Total: core.Money{Amount: "12.50", Currency: "EUR"}}},
		Consignments: []core.Consignment{{Code: code + "_0", TrackingID: "TRACK-" + code}},
	}
}

type fields = map[string]any

// event is a CloudEvent with an id of its own.
func (r *rig) event(typ string, data fields) fields {
	r.n++
	return fields{"specversion": "1.0", "id": fmt.Sprint("e", r.n), "source": "/shop", "type": typ, "data": data}
}

func (r *rig) read(e any) ([]intake.Received, []intake.Fault, error) {
	r.t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.reader.Read(http.Header{"Content-Type": {"application/json"}}, body, time.Now())
}

func (r *rig) post(events ...fields) []intake.Status {
	r.t.Helper()
	got, faults, err := r.read(events)
	if err != nil || len(faults) > 0 {
		r.t.Fatal(err, faults)
	}
	st, err := r.in.Accept(context.Background(), got)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

func (r *rig) state(e fields) core.StoredEvent {
	r.t.Helper()
	var all []core.StoredEvent
	err := r.engine.View(context.Background(), func(tx core.Tx) error {
		var err error
		all, err = tx.EventsByID(e["id"].(string), "")
		return err
	})
	if err != nil || len(all) != 1 {
		r.t.Fatalf("event %v: got %d rows, %v", e["id"], len(all), err)
	}
	return all[0]
}

func (r *rig) want(e fields, state core.EventState, why string) {
	r.t.Helper()
	if got := r.state(e); got.State != state || (why != "" && got.Reason != why) {
		r.t.Errorf("event %v: got %s (%s), want %s (%s)", e["id"], got.State, got.Reason, state, why)
	}
}

func (r *rig) texts() []string {
	var all []string
	for _, m := range r.out.messages() {
		all = append(all, m.Channel+": "+plain(m.Body))
	}
	return all
}
