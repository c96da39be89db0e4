package intake_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// at gives an event a time.
func at(e fields, t time.Time) fields {
	e["time"] = t.UTC().Format(time.RFC3339)
	return e
}

// linksOf are the channels a uid is linked on.
func (r *rig) linksOf(uid string) []string {
	r.t.Helper()
	all := []string{}
	err := r.engine.View(context.Background(), func(tx core.Tx) error {
		c, err := tx.CustomerByUID(uid)
		if err != nil {
			return nil //nolint:nilerr // nobody has none
		}
		links, err := tx.LinksOf(c.ID)
		for _, l := range links {
			all = append(all, l.Address.Value)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) last() string {
	all := r.texts()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func hello(uid string) fields { return fields{"customerUid": uid, "text": "hello"} }

// The new uid is known already, because something came in under it first: what
// both have becomes one, and what waited for the one goes on in the other's lane.
func TestARenamedCustomerTakesOverWhatIsNewer(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("old", "a", "opt-in 1")
		time.Sleep(time.Hour)
		since := time.Now()
		time.Sleep(5 * time.Minute)
		r.order("1", "new")
		r.shop.delay["1"] = 2 * time.Second
		waits := r.event("order.shipped", fields{"orderCode": "1", "customerUid": "new", "consignmentCode": "1_0"})
		r.link("new", "b", "opt-in 2")
		r.post(waits)
		r.post(at(r.event("customer.renamed", fields{"customerUid": "NEW", "previousUid": "old"}), since))
		after := r.event("message.requested", hello("new"))
		r.post(after)
		time.Sleep(time.Minute)
		if got := r.linksOf("new"); len(got) != 2 {
			t.Errorf("got links %q, want both", got)
		}
		if got := r.linksOf("old"); len(got) != 0 {
			t.Errorf("the old uid has %q, want nothing", got)
		}
		r.want(after, core.EventRouted, "")
		r.want(waits, core.EventRouted, "")
	})
}

// Whoever had the new uid before is somebody else: nothing of the one is told to the other.
func TestARenamedCustomerIsNotWhoeverHadTheUIDBefore(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("old", "a", "opt-in 1")
		r.link("new", "b", "opt-in 2")
		time.Sleep(24 * time.Hour)
		r.post(r.event("customer.renamed", fields{"customerUid": "new", "previousUid": "old"}))
		r.post(r.event("message.requested", hello("new")))
		synctest.Wait()
		if got := r.linksOf("new"); !slices.Equal(got, []string{"old@a"}) {
			t.Errorf("got links %q, want those of the renamed customer only", got)
		}
		for _, said := range r.texts() {
			if strings.HasPrefix(said, "b:") {
				t.Errorf("somebody else was told %q", said)
			}
		}
		if r.last() != "a: hello" {
			t.Errorf("got %q, want the renamed customer told", r.texts())
		}
	})
}

// A rename in letters only, one that is told twice, and one of nobody do no harm.
func TestRenamesThatChangeNothing(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "opt-in 1")
		r.post(r.event("customer.renamed", fields{"customerUid": "ADA", "previousUid": "ada"}))
		for range 2 {
			r.post(r.event("customer.renamed", fields{"customerUid": "eve", "previousUid": "Ada"}))
		}
		r.post(r.event("customer.renamed", fields{"customerUid": "eve", "previousUid": "nobody"}))
		synctest.Wait()
		if got := r.linksOf("eve"); !slices.Equal(got, []string{"ada@a"}) {
			t.Errorf("got links %q, want them followed", got)
		}
	})
}

func TestAClosedAccountIsToldOnceAndMakesRoom(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "opt-in 1")
		time.Sleep(time.Hour)
		closed := r.event("customer.closed", fields{"customerUid": "ada"})
		r.post(closed, r.event("customer.closed", fields{"customerUid": "ada"}))
		synctest.Wait()
		if got := r.texts(); len(got) != 1 || len(r.linksOf("ada")) != 0 {
			t.Errorf("got %q and the links %q, want it told once and no link", got, r.linksOf("ada"))
		}
		time.Sleep(time.Hour)
		// Somebody registers with the same uid: they have nothing of the closed account.
		r.post(r.event("customer.registered", fields{"customerUid": "ada"}))
		r.link("ada", "b", "opt-in 2")
		again := r.event("message.requested", hello("ada"))
		r.post(again)
		synctest.Wait()
		r.want(again, core.EventRouted, "")
		if r.last() != "b: hello" || !slices.Equal(r.linksOf("ada"), []string{"ada@b"}) {
			t.Errorf("got %q by %q, want the new chat told", r.texts(), r.linksOf("ada"))
		}
		// What comes late is about the account before.
		r.post(at(r.event("customer.closed", fields{"customerUid": "ada"}), time.Now().Add(-90*time.Minute)))
		synctest.Wait()
		if got := r.linksOf("ada"); len(got) != 1 {
			t.Errorf("got links %q, want the newer one kept", got)
		}
	})
}

// A registration right behind the closing is somebody new, too.
func TestClosedAndRegisteredAtOnce(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "opt-in 1")
		time.Sleep(time.Hour)
		now := time.Now()
		again := at(r.event("customer.registered", fields{"customerUid": "ada"}), now.Add(2*time.Second))
		r.post(at(r.event("customer.closed", fields{"customerUid": "ada"}), now), again)
		synctest.Wait()
		err := r.engine.View(context.Background(), func(tx core.Tx) error {
			c, err := tx.CustomerByUID("ada")
			if err == nil && !c.ClosedAt.IsZero() {
				t.Error("the new account is closed")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAWithdrawnConsentEndsItsLinksOnly(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "opt-in 1") // for order updates
		time.Sleep(time.Hour)
		r.post(r.event("customer.consent_withdrawn", fields{"customerUid": "ada", "purpose": "marketing"}))
		synctest.Wait()
		if got := r.linksOf("ada"); len(got) != 1 || len(r.texts()) != 0 {
			t.Errorf("marketing: got links %q and %q, want the link kept and nothing said", got, r.texts())
		}
		late := at(r.event("customer.consent_withdrawn", fields{"customerUid": "ada"}), time.Now().Add(-2*time.Hour))
		r.post(late)
		synctest.Wait()
		if got := r.linksOf("ada"); len(got) != 1 {
			t.Errorf("before the link: got links %q, want it kept", got)
		}
		r.post(r.event("customer.consent_withdrawn", fields{"customerUid": "ada", "purpose": "order_updates"}))
		synctest.Wait()
		if got := r.linksOf("ada"); len(got) != 0 || len(r.texts()) != 1 || !strings.Contains(r.last(), "withdrawn your consent") {
			t.Errorf("order updates: got links %q and %q, want none, and it told once", got, r.texts())
		}
	})
}

// What the shop tells itself is recorded, and nothing lower is news after it.
func TestNobodyIsToldTwice(t *testing.T) {
	inRig(t, func(r *rig) {
		rules := r.in.Rules()
		rules.ToldByShop = func(site string, t core.EventType) bool {
			return site == "shop" && (t == "order.completed" || t == "message.requested" || t == "customer.closed")
		}
		r.in.SetRules(rules)
		r.link("ada", "a", "api")
		r.order("1", "ada")
		completed := r.event("order.completed", fields{"orderCode": "1", "customerUid": "ada"})
		elsewhere := r.event("order.completed", fields{"orderCode": "1", "customerUid": "ada", "site": "outlet"})
		placed := r.event("order.placed", fields{"orderCode": "1", "customerUid": "ada"})
		asked := r.event("message.requested", hello("ada"))
		r.post(completed, placed)
		synctest.Wait()
		const why = "the shop tells of this itself (commerce told_by_shop)"
		r.want(completed, core.EventSuppressed, why)
		r.want(placed, core.EventSuppressed, "a later state of the same order has been told")
		r.post(asked, elsewhere)
		synctest.Wait()
		r.want(asked, core.EventRouted, "")
		r.want(elsewhere, core.EventSuppressed, "the same has been told before")
		closed := r.event("customer.closed", fields{"customerUid": "ada"})
		r.post(closed)
		synctest.Wait()
		r.want(closed, core.EventSuppressed, why)
		if got := r.linksOf("ada"); len(got) != 0 {
			t.Errorf("got links %q, want them ended all the same", got)
		}
	})
}

const guest = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11|ada"

// A guest who registers goes on hearing of the order, and of no other.
func TestAGuestWhoRegistersHearsOfTheirOrderOnly(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(guest, "a", "api")
		r.order("1", guest)
		r.order("2", "ada")
		placed := r.event("order.placed", fields{"orderCode": "1"})
		r.post(placed)
		synctest.Wait()
		r.want(placed, core.EventRouted, "")
		r.order("1", "ada") // registered: the shop has given the guest another uid
		shipped := r.event("order.shipped", fields{"orderCode": "1", "consignmentCode": "1_0"})
		named := r.event("order.delivered", fields{"orderCode": "1", "consignmentCode": "1_0", "customerUid": "ada"})
		other := r.event("order.shipped", fields{"orderCode": "2", "consignmentCode": "2_0", "customerUid": "ada"})
		claimed := r.event("order.shipped", fields{"orderCode": "2", "consignmentCode": "2_0", "customerUid": guest})
		r.post(shipped, named, other, claimed)
		synctest.Wait()
		r.want(shipped, core.EventRouted, "")
		r.want(named, core.EventRouted, "")
		r.want(other, core.EventSuppressed, "")
		r.want(claimed, core.EventSuppressed, "the order belongs to another customer")
		// The shop says who they have become: everything follows.
		r.post(r.event("customer.registered", fields{"customerUid": "ada", "previousUid": guest}))
		next := r.event("message.requested", hello("ada"))
		r.post(next)
		synctest.Wait()
		r.want(next, core.EventRouted, "")
		if got := r.linksOf("ada"); !slices.Equal(got, []string{guest + "@a"}) {
			t.Errorf("got links %q, want the guest's", got)
		}
	})
}

// An offer that a guest was given for an order that is not theirs shows nothing of it.
func TestAGuestWithSomebodysMailAddressHearsNothing(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(guest, "a", "api")
		r.order("2", "ada")
		err := r.engine.Do(context.Background(), func(tx *lane.Tx) error {
			c, err := tx.CustomerByUID(guest)
			if err != nil {
				return err
			}
			return tx.RememberOrder("shop", "2", c.ID) // as a wrong offer would
		})
		if err != nil {
			t.Fatal(err)
		}
		r.post(r.event("order.shipped", fields{"orderCode": "2", "consignmentCode": "2_0"}),
			r.event("order.delivered", fields{"orderCode": "2", "consignmentCode": "2_0", "customerUid": "ada"}))
		synctest.Wait()
		if got := r.texts(); len(got) > 0 {
			t.Errorf("got %q, want nothing", got)
		}
	})
}
