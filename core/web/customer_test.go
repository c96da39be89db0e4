package web_test

import (
	"strings"
	"testing"
	"time"
)

func TestPutAddress(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		const target = "/v1/customers/ines%2Fx+y%7C1%40example.com/addresses/code"
		r.call("PUT", target, `{"address":"7","locale":"de-AT","name":"Ines","lastWroteAt":"1999-12-31T23:00:00Z"}`).want(201).
			is("7", "address").is("code", "channel").is("active", "state").is(true, "windowOpen").is("1999-12-31T23:00:00Z", "lastWroteAt").
			is(false, "blocked").is("order_updates", "purpose")
		r.call("PUT", target, `{"address":"7"}`).want(200)
		r.call("GET", "/v1/customers/ines%2Fx+y%7C1%40example.com", "").want(200).
			is("ines/x+y|1@example.com", "uid").is("Ines", "name").is("de-AT", "locale").is("7", "links", 0, "address")
		r.call("GET", "/v1/customers/ines%2Fx%2By%7C1@example.com", "").want(200)
		r.call("GET", "/v1/customers/ines%2Fx%20y%7C1@example.com", "").want(404)

		other := r.call("PUT", "/v1/customers/bob/addresses/code", `{"address":"7"}`).want(409)
		if strings.Contains(string(other.body), "ines") {
			t.Errorf("the answer names the other customer: %s", other.body)
		}
		r.call("PUT", "/v1/customers/bob/addresses/code", `{"address":"7","move":true}`).want(201)
		r.call("GET", "/v1/customers/ines%2Fx+y%7C1%40example.com", "").want(200).is("[]", "links")
		r.call("DELETE", "/v1/customers/bob/addresses/code", "").want(204)
		r.call("DELETE", "/v1/customers/bob/addresses/code", "").want(404)
		r.call("DELETE", "/v1/customers/nobody/addresses/code", "").want(404)
	})
}

func TestPutAddressWrong(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for body, want := range map[string]string{
			`{}`:                                "/address",
			`{"address":{"asid":"5"}}`:          "/address/asid",
			`{"address":{}}`:                    "/address/asid",
			`{"address":{"asid":"5","x":1}}`:    "/address/asid /address/x",
			`{"address":7}`:                     "/address",
			`{"address":"nobody","move":1}`:     "/move /address",
			`{"address":"7","lastWroteAt":"x"}`: "/lastWroteAt",
			`{"address":"7","lastWroteAt":"2000-01-01T00:02:00Z","move":1,"nick":"x"}`: "/move /lastWroteAt /nick",
		} {
			a := r.call("PUT", "/v1/customers/ines/addresses/chat", body).want(422)
			if got := a.pointers(); got != want {
				t.Errorf("%s: pointers: got %q, want %q", body, got, want)
			}
		}
		r.call("PUT", "/v1/customers/ines/addresses/code", `{"address":"everybody"}`).want(422).
			is("/address", "errors", 0, "pointer").is("must be one person's", "errors", 0, "detail")
		r.call("PUT", "/v1/customers/ines/addresses/nope", `{"address":"7"}`).want(404)
		r.call("PUT", "/v1/customers/ines/addresses/chat", `{"address":{"asid":"5"}}`).want(422)
		r.call("GET", "/v1/customers/ines", "").want(404)
		r.call("GET", "/v1/customers/%00", "").want(404)
		r.call("GET", "/v1/customers/%ff", "").want(404)
	})
}

// The window closes by itself, and is closed where the customer never wrote.
func TestWindow(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.call("PUT", "/v1/customers/ines/addresses/code", `{"address":"7"}`).want(201).is(false, "windowOpen").is(nil, "lastWroteAt")
		r.call("PUT", "/v1/customers/ines/addresses/code", `{"address":"7","lastWroteAt":"2000-01-01T00:00:00Z"}`).want(200).is(true, "windowOpen")
		<-time.After(24 * time.Hour) // in virtual time
		r.call("GET", "/v1/customers/ines", "").want(200).is(false, "links", 0, "windowOpen")
		r.call("PUT", "/v1/customers/ines/addresses/chat", `{"address":"7"}`).want(201).is(true, "windowOpen")
	})
}

func TestPreferences(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("GET", "/v1/customers/ines", "").want(200).is(nil, "preferences", "channels")
		r.call("PUT", "/v1/customers/ines/preferences", `{"channels":["code","chat"]}`).want(200).is("[code chat]", "preferences", "channels")
		r.call("PUT", "/v1/customers/ines/preferences", `{"channels":[]}`).want(200).is("[]", "preferences", "channels")
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		r.call("GET", "/v1/events/e-1", "").want(200).is("suppressed", "state").is("[]", "messages")
		r.call("PUT", "/v1/customers/ines/preferences", `{"channels":null}`).want(200).is(nil, "preferences", "channels")
		a := r.call("PUT", "/v1/customers/ines/preferences", `{"channels":["chat","pigeon"],"quiet":1}`).want(422)
		if got, want := a.pointers(), "/channels/1 /quiet"; got != want {
			t.Errorf("pointers: got %s, want %s", got, want)
		}
		r.call("PUT", "/v1/customers/ines/preferences", `{}`).want(422)
	})
}

func TestExport(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		r.call("GET", "/v1/customers/ines/export", "").want(200).
			is("ines", "customer", "uid").is("Hello", "messages", 0, "parts", 0, "text").is("42", "consents", 0, "address").is(nil, "conversation")
		r.call("GET", "/v1/customers/bob/export", "").want(404)
	})
}

// Erasing is not in this version: refused, never ignored.
func TestErase(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("DELETE", "/v1/customers/ines", "").want(501).is("not in this version", "detail")
		r.call("GET", "/v1/customers/ines", "").want(200)
	})
}
