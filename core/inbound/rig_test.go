package inbound_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
	"tidings/core/inbound"
	"tidings/core/intake"
	"tidings/core/lane"
	"tidings/core/render"
	"tidings/core/route"
	"tidings/core/seal"
	"tidings/core/store"
)

// rig is the way in, the way out and a shop on a real database, in virtual time.
type rig struct {
	t         *testing.T
	store     *store.Store
	engine    *lane.Engine
	in        *inbound.Inbound
	intake    *intake.Intake
	shop      *shop
	lends     *hybrissim.Sim // the shop whose customers lend their tokens; nil: none does
	at        core.Desk      // where questions go
	commerce  core.Shop      // what the gateway asks; shop unless a test has another
	platforms map[string]*platform
	log       *lockedBuffer
	updates   int // made by the test
	taken     int // found in the store
	events    int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var keys = []string{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{8}, 32))}

func newKeys(t *testing.T, b64 ...string) *seal.Keys {
	t.Helper()
	k, err := seal.NewKeys(b64)
	if err != nil {
		t.Fatal(err)
	}
	return k
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
		dir, err := os.MkdirTemp("", "inbound")
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

// inRig runs a test in a bubble of virtual time.
func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	inRigWith(t, func(*rig) {}, test)
}

func inRigWith(t *testing.T, prepare, test func(r *rig)) {
	t.Helper()
	path, texts := t.TempDir()+"/t.db", builtInTexts()
	if err := os.WriteFile(path, emptyDatabase(), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, log: &lockedBuffer{}, shop: &shop{orders: map[string]core.Order{}}, platforms: map[string]*platform{}}
		r.commerce, r.at = r.shop, r.shop
		prepare(r)
		r.start(path, texts)
		defer r.stop()
		test(r)
	})
}

func (r *rig) start(path string, texts *render.Texts) {
	r.t.Helper()
	var err error
	if r.store, err = store.Open(context.Background(), "sqlite:"+path); err != nil {
		r.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	count := func(string, float64, ...string) {}
	r.engine = lane.New(r.store, log)
	out := dispatch.New(r.engine, log, count)
	outlets := map[string]*dispatch.Outlet{}
	for _, name := range []string{"a", "b", "code"} {
		p := &platform{name: name}
		r.platforms[name] = p
		outlets[name] = dispatch.NewOutlet(dispatch.Settings{Name: name, Type: "test", Channel: p, Limits: p.Limits(), MisconfiguredAfter: time.Minute})
	}
	out.SetOutlets(outlets)
	r.intake = intake.New(intake.Options{Engine: r.engine, Outbox: out, Shop: r.commerce, Orders: hybris.NewDialect(nil), Wait: time.Minute, Log: log, Count: count}, intake.Rules{
		Texts: texts, Locale: "en",
		Routes: []route.Rule{{Name: "all", Channels: []string{"a", "b", "code"}, Deliver: route.Fallback, Uncertain: route.Repeat}},
	})
	r.in = inbound.New(inbound.Options{
		Engine: r.engine, Outbox: out, Events: r.intake, Shop: r.commerce, Desk: r.at, Guard: intake.Calls(r.commerce), Site: "site", Keys: newKeys(r.t, keys[0]),
		Texts: func() (*render.Texts, string) { return texts, "en" },
		Sibling: func(channel, account string) (string, bool) {
			name, ok := map[string]string{"A": "a", "B": "b"}[account]
			return name, ok && channel != "code"
		},
		Log: log, Count: count,
	})
	r.engine.Handle(dispatch.Kind, out.Lane())
	r.engine.Handle(intake.CustomerKind, r.intake.Customers())
	r.engine.Handle(intake.OrderKind, r.intake.OrdersWithoutCustomer())
	r.engine.Handle(inbound.ChatKind, r.in.Chats())
	r.engine.Handle(inbound.ConversationKind, r.in.Conversations())
	if err := r.engine.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r.engine.Stop(ctx)
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// wait lets virtual time pass.
func (r *rig) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// order gives a customer an order.
func (r *rig) order(code, uid string) {
	r.shop.mu.Lock()
	defer r.shop.mu.Unlock()
	r.shop.orders[code] = core.Order{
		Code: code, CustomerUID: uid, Status: "READY", Total: core.Money{Amount: "12.50", Currency: "EUR"},
		Lines: []core.OrderLine{{Name: "Mug", Quantity: 1, Total: core.Money{Amount: "12.50", Currency: "EUR"}}},
	}
}

// offer asks for references for a customer's order.
func (r *rig) offer(uid, order string, channels ...string) map[string]inbound.OfferLink {
	r.t.Helper()
	return r.offerAs(inbound.Wish{CustomerUID: uid, OrderCode: order, Purpose: core.OrderUpdates}, channels...)
}

func (r *rig) offerAs(w inbound.Wish, channels ...string) map[string]inbound.OfferLink {
	r.t.Helper()
	if channels == nil {
		channels = []string{"a", "b", "code"}
	}
	o, err := r.in.Offer(context.Background(), w, r.invites(channels...), 24*time.Hour)
	if err != nil {
		r.t.Fatal(err)
	}
	links := map[string]inbound.OfferLink{}
	for _, l := range o.Links {
		links[l.Channel] = l
	}
	return links
}

func (r *rig) invites(channels ...string) []inbound.Invite {
	var all []inbound.Invite
	for _, name := range channels {
		all = append(all, inbound.Invite{Channel: name, Type: "test", Inviter: r.platforms[name]})
	}
	return all
}

// chat is a chat of a test: its channel and address.
type who struct{ channel, address string }

func (w who) String() string { return w.channel + "/" + w.address }

var (
	ada = who{"a", "ada"}
	bob = who{"a", "bob"}
)

// accept takes an update and lets all that follows from it happen.
func (r *rig) accept(w who, u core.Update) {
	r.t.Helper()
	if u.ID == "" {
		r.updates++
		u.ID = fmt.Sprint("u", r.updates)
	}
	if u.From.Value == "" {
		u.From.Value = w.address
	}
	if err := r.in.Accept(context.Background(), w.channel, []core.Update{u}); err != nil {
		r.t.Fatal(err)
	}
	r.wait(200 * time.Millisecond)
}

// newest is the update that came last.
func (r *rig) newest() core.StoredUpdate {
	r.t.Helper()
	var newest core.StoredUpdate
	r.view(func(tx core.Tx) error {
		for id := int64(max(1, r.taken)); ; id++ {
			u, err := tx.Update(id)
			if errors.Is(err, core.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			r.taken, newest = int(id), u
		}
	})
	return newest
}

func (r *rig) stored(id int64) core.StoredUpdate {
	r.t.Helper()
	var u core.StoredUpdate
	r.view(func(tx core.Tx) error {
		var err error
		u, err = tx.Update(id)
		return err
	})
	return u
}

func (r *rig) say(w who, text string) {
	r.t.Helper()
	r.accept(w, core.Update{Kind: core.UpdateText, Text: text})
}

func (r *rig) press(w who, ref string) {
	r.t.Helper()
	r.accept(w, core.Update{Kind: core.UpdateOptIn, Ref: ref})
}

// link links a chat to a customer by an opt-in for an order.
func (r *rig) link(w who, uid, order string) {
	r.t.Helper()
	if order != "" {
		r.order(order, uid)
	}
	offer := r.offer(uid, order)[w.channel]
	if offer.Token == "" {
		offer.Token = offer.Code
	}
	r.press(w, offer.Token)
	r.wantLink(w, uid, core.LinkActive)
}

// report has the shop report that an order was shipped, and returns the
// platform's id of what was shown of it; "" for nothing.
func (r *rig) report(uid, order string) string {
	r.t.Helper()
	r.order(order, uid)
	r.events++
	_, err := r.intake.Accept(context.Background(), []intake.Received{{Event: core.Event{
		ID: fmt.Sprint("e", r.events), Source: "/shop", Type: core.OrderShipped, Time: time.Now(), Site: "site",
		Data: core.EventData{OrderCode: order, CustomerUID: uid},
	}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.wait(100 * time.Millisecond)
	var parts []core.StoredPart
	r.view(func(tx core.Tx) error {
		all, err := tx.ListMessages(core.MessageFilter{EventID: fmt.Sprint("e", r.events), Limit: 1})
		if err != nil || len(all) == 0 {
			return err
		}
		parts, err = tx.Parts(all[0].ID)
		return err
	})
	if len(parts) == 0 {
		return ""
	}
	return parts[0].PlatformID
}

func (r *rig) view(fn func(tx core.Tx) error) {
	r.t.Helper()
	if err := r.engine.View(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) do(fn func(tx *lane.Tx) error) {
	r.t.Helper()
	if err := r.engine.Do(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// texts are what a chat has been shown, word for word.
func (r *rig) texts(w who) []string {
	var all []string
	for _, s := range r.platforms[w.channel].to(w.address) {
		all = append(all, s.text)
	}
	return all
}

// lastText is the newest thing a chat has been shown.
func (r *rig) lastText(w who) string {
	all := r.texts(w)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// wantShown compares what a chat has been shown, our own texts by their names.
func (r *rig) wantShown(w who, want ...string) {
	r.t.Helper()
	var got []string
	for _, text := range r.texts(w) {
		got = append(got, nameOf(text))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%v was shown (-want +got):\n%s", w, diff)
	}
}

// wantDesk compares what the agents see.
func (r *rig) wantDesk(want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.shop.desk()); diff != "" {
		r.t.Errorf("tickets (-want +got):\n%s", diff)
	}
}

func (r *rig) address(w who) core.ChatAddress {
	r.t.Helper()
	var a core.ChatAddress
	r.view(func(tx core.Tx) error {
		var err error
		a, err = tx.AddressByValue(w.channel, w.address)
		return err
	})
	return a
}

// wantLink checks whose a chat is; an empty uid stands for nobody.
func (r *rig) wantLink(w who, uid string, state core.LinkState) {
	r.t.Helper()
	gotUID, gotState := "", core.LinkState("")
	r.view(func(tx core.Tx) error {
		a, err := tx.AddressByValue(w.channel, w.address)
		if err != nil {
			return err
		}
		l, err := tx.LinkOf(a.ID)
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := tx.Customer(l.CustomerID)
		gotUID, gotState = c.UID, l.State
		return err
	})
	if gotUID != uid || gotState != state {
		r.t.Errorf("%v: got a link of %q, %q; want %q, %q", w, gotUID, gotState, uid, state)
	}
}

// wantUpdate checks what became of an update.
func (r *rig) wantUpdate(got core.StoredUpdate, state string) {
	r.t.Helper()
	if got.State != state {
		r.t.Errorf("update %s (%s): got state %q (%s), want %q", got.Update.ID, got.Update.Kind, got.State, got.Why, state)
	}
}

// wantUnlinked checks that a chat is nobody's.
func (r *rig) wantUnlinked(w who) {
	r.t.Helper()
	r.wantLink(w, "", "")
}
