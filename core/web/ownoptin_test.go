package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

const (
	storefront = "https://shop.example.com"
	ownToken   = "the-customers-own-token"
	ownGUID    = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11"
)

// prover is a shop with one customer's order and one guest's.
type prover struct {
	asked int
	fails error
}

func (p *prover) OwnOrder(_ context.Context, q core.Proof) (core.Order, error) {
	p.asked++
	switch {
	case p.fails != nil:
		return core.Order{}, p.fails
	case q.Token.Reveal() != ownToken:
		return core.Order{}, &core.ShopError{Class: core.Misconfigured, Type: "InvalidTokenError", Status: 401}
	case q.Code == "00417003":
		return core.Order{Code: "00417003", CustomerUID: "ines"}, nil
	case q.GUID == ownGUID:
		return core.Order{Code: "00417004", GUID: ownGUID, CustomerUID: ownGUID + "|mail"}, nil
	case q.Code == "00417999":
		return core.Order{}, &core.ShopError{Class: core.Rejected, NotFound: true, Type: "ForbiddenError", Status: 403}
	}
	return core.Order{}, &core.ShopError{Class: core.Rejected, NotFound: true, Type: "UnknownIdentifierError", Status: 400}
}

// storefrontRig is a gateway that customers may ask from a storefront.
func storefrontRig(t *testing.T, test func(*testing.T, *rig, *prover)) {
	t.Helper()
	gateway(t, func(t *testing.T, r *rig) {
		p := &prover{}
		r.server.Prover = p
		r.settings.CORSOrigins = []string{storefront}
		r.server.Set(r.settings)
		test(t, r, p)
	})
}

// own asks as a customer does, from the storefront's page.
func (r *rig) own(h http.Handler, body string, headers ...string) answer {
	r.t.Helper()
	return r.on(h, "POST", "/v1/opt-ins", body, append([]string{"Authorization", "Bearer " + ownToken, "Origin", storefront}, headers...)...)
}

func TestOwnOptIn(t *testing.T) {
	storefrontRig(t, func(t *testing.T, r *rig, _ *prover) {
		const mine = `{"orderCode":"00417003","locale":"de","consent":{"text":"yes, please","version":"3"}}`
		for name, h := range map[string]http.Handler{"public": r.public, "internal": r.internal, "both": r.both} {
			a := r.own(h, mine).want(201)
			if got := a.header.Get("Access-Control-Allow-Origin"); got != storefront || a.header.Get("Vary") != "Origin" {
				t.Errorf("%s: allowed origin: got %q, want the storefront", name, got)
			}
		}
		token := r.own(r.public, mine).want(201).at("links", 0, "token").(string)
		r.on(r.public, "POST", "/webhooks/chat", `{"id":"u1","kind":"opt_in","from":{"value":"42"},"ref":"`+token+`"}`, "X-Secret", "s3cret").want(202)
		r.call("GET", "/v1/customers/ines", "").want(200).is("42", "links", 0, "address").
			is("opt-in 1, the order shown with the customer's own access token, update u1", "links", 0, "evidence").
			is("yes, please", "links", 0, "consent", "text").is("3", "links", 0, "consent", "version").is("2000-01-01T00:00:00Z", "links", 0, "consent", "at")
		// A guest shows the GUID; whose it is the order tells.
		token = r.own(r.public, `{"orderGuid":"`+ownGUID+`"}`).want(201).at("links", 0, "token").(string)
		r.on(r.public, "POST", "/webhooks/chat", `{"id":"u2","kind":"opt_in","from":{"value":"43"},"ref":"`+token+`"}`, "X-Secret", "s3cret").want(202)
		r.call("GET", "/v1/customers/"+ownGUID+"%7Cmail", "").want(200).is("43", "links", 0, "address").
			is("opt-in 2, the order shown by its GUID, update u2", "links", 0, "evidence")
		if strings.Contains(r.log.String(), ownToken) || strings.Contains(r.log.String(), ownGUID) {
			t.Error("the log holds what a customer has shown")
		}
	})
}

// Whatever does not show an order to be the customer's is answered alike.
func TestOwnOptInTellsNothing(t *testing.T) {
	storefrontRig(t, func(t *testing.T, r *rig, p *prover) {
		answers := map[string]bool{}
		for _, body := range []string{
			`{"orderCode":"00417999"}`, // somebody else's
			`{"orderCode":"no-such-order"}`,
			`{"orderGuid":"00000000-0000-0000-0000-000000000000"}`,
			`{"orderCode":"00417003","customerUid":"boris"}`, // theirs, for another customer
		} {
			a := r.own(r.public, body).want(403)
			answers[string(a.body)] = true
		}
		p.fails = &core.ShopError{Class: core.Misconfigured, Type: "AccessDeniedError", Status: 401}
		answers[string(r.own(r.public, `{"orderCode":"1"}`).want(403).body)] = true
		if len(answers) != 1 {
			t.Errorf("got different answers %v, want one", answers)
		}
		p.fails = errors.New("connection refused")
		if a := r.own(r.public, `{"orderCode":"00417003"}`).want(503); a.header.Get("Retry-After") == "" {
			t.Error("a shop that is away: got no Retry-After")
		}
		p.fails = nil
		r.own(r.public, `{"orderCode":"00417003"}`, "Authorization", "Bearer worn-out").want(401)
		r.own(r.public, `{"orderCode":"00417003","customerUid":"INES"}`).want(201)
	})
}

func TestOwnOptInRefused(t *testing.T) {
	storefrontRig(t, func(t *testing.T, r *rig, p *prover) {
		const mine = `{"orderCode":"00417003"}`
		r.own(r.public, mine, "Origin", "https://shop.example.com.evil.example").want(403)
		r.own(r.public, mine, "Authorization", "").want(401)
		r.own(r.public, mine, "Authorization", "Basic eDp5").want(401)
		r.own(r.public, mine, "Authorization", "Bearer "+fullKey).want(401) // a key does not open the public side
		if p.asked > 0 {
			t.Errorf("the shop was asked %d times, want never: a key must not get there", p.asked)
		}
		for body, want := range map[string]string{
			`{}`: "/orderCode", `{"orderCode":"1","orderGuid":"2"}`: "/orderGuid", `{"orderCode":1}`: "/orderCode /orderCode",
			`{"orderCode":"1","colour":"red"}`: "/colour", `{"orderCode":"1","channels":["fax"]}`: "/channels/0",
		} {
			if got := r.own(r.public, body).want(422).pointers(); got != want {
				t.Errorf("%s: got %q, want %q", body, got, want)
			}
		}
		if p.asked > 0 {
			t.Errorf("the shop was asked %d times for what is wrong anyway", p.asked)
		}
		r.settings.CORSOrigins = nil
		r.server.Set(r.settings)
		r.own(r.public, mine).want(404)
		r.own(r.internal, mine).want(401)
		r.on(r.public, "OPTIONS", "/v1/opt-ins", "", "Origin", storefront).want(404)
	})
}

func TestPreflight(t *testing.T) {
	storefrontRig(t, func(t *testing.T, r *rig, _ *prover) {
		a := r.on(r.public, "OPTIONS", "/v1/opt-ins", "", "Origin", storefront, "Access-Control-Request-Method", "POST").want(204)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": storefront, "Access-Control-Allow-Methods": "POST",
			"Access-Control-Allow-Headers": "Authorization, Content-Type", "Access-Control-Max-Age": "600", "Access-Control-Allow-Credentials": "",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		for _, origin := range []string{"null", "https://evil.example", "http://shop.example.com"} {
			a := r.on(r.public, "OPTIONS", "/v1/opt-ins", "", "Origin", origin).want(403)
			if a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s may read the answer", origin)
			}
		}
		r.raw(r.public, "OPTIONS", "/v1/events", "", "Origin", storefront).want(404)
	})
}

// One address cannot have the shop asked again and again, and all together cannot flood it.
func TestOwnOptInIsLimited(t *testing.T) {
	storefrontRig(t, func(t *testing.T, r *rig, p *prover) {
		from := func(address string) answer {
			req := httptest.NewRequest("POST", "/v1/opt-ins", strings.NewReader(`{"orderCode":"00417999"}`))
			req.RemoteAddr = address
			req.Header.Set("Authorization", "Bearer "+ownToken)
			req.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			r.public.ServeHTTP(rec, req)
			return answer{t: t, status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
		}
		refused := 0
		for range 40 {
			if a := from("203.0.113.7:1000"); a.status == http.StatusTooManyRequests {
				refused++
				if a.header.Get("Retry-After") != "5" {
					t.Fatalf("Retry-After: got %q, want 5", a.header.Get("Retry-After"))
				}
			}
		}
		if refused != 30 || p.asked != 10 {
			t.Errorf("got %d refused and the shop asked %d times, want 30 and 10", refused, p.asked)
		}
		from("203.0.113.8:1000").want(403)
		for range 10 {
			from("[2001:db8::1]:1").want(403)
		}
		from("[2001:db8::2]:1").want(429) // the same subscriber's
		from("[2001:db8:0:1::2]:1").want(403)
		<-time.After(5 * time.Second)
		from("203.0.113.7:1000").want(403)
		from("203.0.113.7:1000").want(429)
	})
}
