package hybris_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
)

const (
	guestGUID = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11"
	otherGUID = "00000000-77d0-4c58-9a2e-0f6d3a8e4c11"
	lea       = "lea.moor@example.org"
)

// emulated is a shop with an order of noor's, one of lea's and a guest's.
func emulated(t *testing.T) (*hybrissim.Sim, *hybris.Client) {
	t.Helper()
	sim := hybrissim.New(hybrissim.Options{BaseSites: []string{"homeware", "garden"}, ClientID: "tidings", ClientSecret: secret})
	for code, uid := range map[string]string{"77120345": noor, "77120346": lea} {
		sim.AddOrder(hybrissim.SampleOrder(code, uid, "homeware"))
	}
	guest := hybrissim.SampleOrder("77120347", guestGUID+"|"+noor, "homeware")
	guest.GUID, guest.Guest = guestGUID, true
	sim.AddOrder(guest)
	return sim, hybris.New(hybris.Options{
		BaseURL: "http://shop.test/occ/v2", TokenURL: tokenURL, ClientID: "tidings", ClientSecret: secret,
		Sites: []hybris.Site{{ID: "homeware"}}, HTTP: &http.Client{Transport: memory{sim}},
	})
}

// What a customer holds shows their own order, and no input shows another one.
func TestOwnOrderIsShownByItsOwnerOnly(t *testing.T) {
	sim, c := emulated(t)
	noors, application := core.Secret(sim.CustomerToken(noor)), core.Secret(sim.ApplicationToken())
	leasGUID, _ := sim.Order("77120346")
	noorsGUID, _ := sim.Order("77120345")
	for _, test := range []struct {
		name  string
		proof core.Proof
		owner string // empty: refused
	}{
		{"own", core.Proof{Token: noors, Code: "77120345"}, noor},
		{"own, at its site", core.Proof{Token: noors, Code: "77120345", Site: "homeware"}, noor},
		{"guest's", core.Proof{Token: application, GUID: guestGUID}, guestGUID + "|" + noor},
		{"guest's, as a code", core.Proof{Token: application, Code: guestGUID}, guestGUID + "|" + noor},
		{"guest's, logged in meanwhile", core.Proof{Token: noors, GUID: guestGUID}, guestGUID + "|" + noor},

		{"another's", core.Proof{Token: noors, Code: "77120346"}, ""},
		{"unknown", core.Proof{Token: noors, Code: "1"}, ""},
		{"another's by its GUID", core.Proof{Token: noors, Code: leasGUID.GUID}, ""},
		{"another's by its GUID, as a guest", core.Proof{Token: application, GUID: leasGUID.GUID}, ""},
		{"own by its GUID, as a guest", core.Proof{Token: noors, GUID: noorsGUID.GUID}, ""},
		{"guest's by its code", core.Proof{Token: application, Code: "77120347"}, ""},
		{"guest's by its code, as a GUID", core.Proof{Token: application, GUID: "77120347"}, ""},
		{"guest's by its code, by the same mail address", core.Proof{Token: noors, Code: "77120347"}, ""},
		{"guest's by another GUID", core.Proof{Token: application, GUID: otherGUID}, ""},
		{"no token", core.Proof{Code: "77120345"}, ""},
		{"no token, GUID", core.Proof{GUID: guestGUID}, ""},
		{"made up token", core.Proof{Token: "x", Code: "77120345"}, ""},
		{"application's token", core.Proof{Token: application, Code: "77120345"}, ""},
		{"manager's token", core.Proof{Token: core.Secret(sim.ManagerToken("agent")), Code: "77120345"}, ""},
		{"site that is not ours", core.Proof{Token: noors, Code: "77120345", Site: "garden"}, ""},
		{"path", core.Proof{Token: noors, Code: "../../" + lea + "/orders/77120346"}, ""},
		{"path upwards", core.Proof{Token: noors, Code: ".."}, ""},
		{"path of the site", core.Proof{Token: noors, Code: "77120345", Site: "homeware/users/" + lea}, ""},
	} {
		o, err := c.OwnOrder(t.Context(), test.proof)
		if test.owner != "" {
			if err != nil || o.CustomerUID != test.owner {
				t.Errorf("%s: got %q, %v, want the order of %q", test.name, o.CustomerUID, err, test.owner)
			}
			continue
		}
		if err == nil || o.Code != "" {
			t.Errorf("%s: got the order %q of %q, want it refused", test.name, o.Code, o.CustomerUID)
			continue
		}
		for _, private := range []string{noor, lea, guestGUID, string(noors), "7712034"} {
			if strings.Contains(err.Error(), private) {
				t.Errorf("%s: the error holds %q: %v", test.name, private, err)
			}
		}
	}
}

// A shop whose answers say little, or are of another order, does not make a proof.
func TestOwnOrderTakesNoAnswerForAnother(t *testing.T) {
	for _, test := range []struct {
		name, answer, owned, owner string
		guid                       string
	}{
		{"names the owner", `{"code":"1","user":{"uid":"a"}}`, ``, "a", ""},
		{"names nobody, we are told", `{"code":"1"}`, `{"code":"1","user":{"uid":"a"}}`, "a", ""},
		{"names anonymous, we are told", `{"code":"1","guid":"` + guestGUID + `","user":{"uid":"anonymous"}}`, `{"code":"1","user":{"uid":"x|y"}}`, "x|y", guestGUID},
		{"names nobody, nor are we told", `{"code":"1"}`, `{"code":"1"}`, "", ""},
		{"another order", `{"code":"2","user":{"uid":"a"}}`, ``, "", ""},
		{"no code", `{"user":{"uid":"a"}}`, ``, "", ""},
		{"a guest's without a GUID", `{"code":"1","user":{"uid":"x|y"}}`, ``, "", guestGUID},
		{"another guest's", `{"code":"1","guid":"` + otherGUID + `","user":{"uid":"x|y"}}`, ``, "", guestGUID},
		{"no guest's", `{"code":"1","guid":"` + guestGUID + `","user":{"uid":"a"}}`, ``, "", guestGUID},
		{"nothing", `[]`, ``, "", ""},
	} {
		_, c := newShop(t, script(with(200, test.answer), with(200, test.owned)))
		p := core.Proof{Token: "t", Code: "1"}
		if test.guid != "" {
			p = core.Proof{Token: "t", GUID: test.guid}
		}
		o, err := c.OwnOrder(t.Context(), p)
		if got := o.CustomerUID; got != test.owner || (err == nil) != (test.owner != "") {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.owner)
		}
	}
}

// The customer's token is used for one read, and ours for none of theirs.
func TestOwnOrderUsesTheTokenOnce(t *testing.T) {
	var shown []string
	s, c := newShop(t, func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		reply(w, 401, failure("InvalidTokenError"))
	})
	_, err := c.OwnOrder(t.Context(), core.Proof{Token: "customers", Code: "77120345"})
	var e *core.ShopError
	if !errors.As(err, &e) || e.Type != "InvalidTokenError" {
		t.Errorf("got %v, want that the token is invalid", err)
	}
	if diff := cmp.Diff([]string{"GET /occ/v2/homeware/users/current/orders/77120345?fields=FULL"}, s.seen()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Bearer customers"}, shown); diff != "" || s.tokens != 0 {
		t.Errorf("tokens (-want +got), and %d of ours:\n%s", s.tokens, diff)
	}
}
