package web_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/core/web"
)

const signingKey = "key-that-signs-0123456789"

// signature is what a sender with the key puts into its headers.
func signature(key, id string, at time.Time, body string) []string {
	when := fmt.Sprint(at.Unix())
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(id + "." + when + "." + body))
	return []string{
		"Webhook-Id", id, "Webhook-Timestamp", when, "Webhook-Signature", "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil)),
		"Content-Type", "application/json",
	}
}

func processBody(id string) string {
	return `{"id":"` + id + `","type":"order.shipped","orderCode":"1","customerUid":"ines"}`
}

func (r *rig) keys(keys ...web.APIKey) {
	r.settings.APIKeys = append(r.settings.APIKeys, keys...)
	r.server.Set(r.settings)
}

func TestSignedRequests(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		body := processBody("e1")
		good := signature(signingKey, "m1", time.Now(), body)
		r.on(r.internal, "POST", "/v1/events", body, good...).want(401) // nobody signs
		r.keys(web.APIKey{Name: "process", Key: signingKey, Auth: []string{"hmac"}, Scopes: []string{"events"}})
		with := func(name, value string) []string {
			changed := append([]string{}, good...)
			for i := 0; i < len(changed); i += 2 {
				if changed[i] == name {
					changed[i+1] = value
				}
			}
			return changed
		}
		for _, test := range []struct {
			name, body string
			headers    []string
			want       int
		}{
			{"as it should be", body, good, 202},
			{"again", body, good, 202},
			{"of two keys, one known", body, with("Webhook-Signature", "v1,AAAA "+good[5]), 202},
			{"another body", processBody("e2"), good, 401},
			{"another id", body, with("Webhook-Id", "m2"), 401},
			{"no id", body, with("Webhook-Id", ""), 401},
			{"another time", body, with("Webhook-Timestamp", fmt.Sprint(time.Now().Unix()-1)), 401},
			{"a time that is none", body, with("Webhook-Timestamp", "now"), 401},
			{"another version", body, with("Webhook-Signature", "v1a"+good[5][2:]), 401},
			{"a signature that is none", body, with("Webhook-Signature", "v1,%%"), 401},
			{"another key", body, signature("key", "m1", time.Now(), body), 401},
			{"old", body, signature(signingKey, "m1", time.Now().Add(-6*time.Minute), body), 401},
			{"from the future", body, signature(signingKey, "m1", time.Now().Add(6*time.Minute), body), 401},
			{"a slow clock", body, signature(signingKey, "m1", time.Now().Add(-4*time.Minute), body), 202},
			{"with a wrong key beside it", body, append([]string{"Authorization", "Bearer no"}, good...), 401},
			{"too long", strings.Repeat(" ", 1<<20+1), signature(signingKey, "m1", time.Now(), strings.Repeat(" ", 1<<20+1)), 413},
			{"the key as bearer", body, []string{"Authorization", "Bearer " + signingKey, "Content-Type", "application/json"}, 401},
			{"the key as basic", body, []string{"Authorization", basic("process", signingKey), "Content-Type", "application/json"}, 401},
		} {
			if a := r.on(r.internal, "POST", "/v1/events", test.body, test.headers...); a.status != test.want {
				t.Errorf("%s: got %d, want %d: %s", test.name, a.status, test.want, a.body)
			}
		}
		// What is not signed is not the signer's word: what is asked for, and headers.
		r.on(r.internal, "POST", "/v1/explain", body, good...).want(403)
		r.on(r.internal, "GET", "/v1/events/e1", "", signature(signingKey, "m", time.Now(), "")...).want(403)
		r.on(r.internal, "GET", "/v1/events", "", signature(signingKey, "m", time.Now(), "")...).want(204)
		binary := append([]string{"Ce-Specversion", "1.0", "Ce-Id", "e3", "Ce-Source", "process-action", "Ce-Type", "order.cancelled"}, good...)
		r.on(r.internal, "POST", "/v1/events", body, binary...).want(400)
		r.call("GET", "/v1/events/e3", "").want(404)
		r.token(nil, "grant_type", "client_credentials", "client_id", "process", "client_secret", signingKey).want(401)
		r.on(r.internal, "GET", "/v1/messages", "", signature(signingKey, "m", time.Now(), "")...).want(403)
		if strings.Contains(r.log.String(), signingKey) {
			t.Error("a key is told")
		}
	})
}

func TestClientCertificates(t *testing.T) {
	const header, subject = "X-Client-Subject", "CN=commerce,O=Example Shop,C=DE"
	gateway(t, func(t *testing.T, r *rig) {
		r.keys(web.APIKey{Name: "webhooks", Auth: []string{"client_certificate"}, Certificate: subject, Scopes: []string{"events"}})
		status := func(headers ...string) int { return r.on(r.internal, "GET", "/v1/events/none", "", headers...).status }
		expect := func(what string, want int, headers ...string) {
			t.Helper()
			if got := status(headers...); got != want {
				t.Errorf("%s: got %d, want %d", what, got, want)
			}
		}
		r.server.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.1"} // whence the requests of httptest come
		expect("no header is configured", 401, header, subject)
		r.settings.ClientCertificateHeader = header
		r.server.Set(r.settings)
		expect("the subject", 404, header, subject)
		expect("another subject", 401, header, "CN=commerce,O=Example Shop,C=FR")
		expect("no subject", 401, header, "")
		expect("no header", 401)
		expect("another header", 401, "X-Client", subject)
		expect("a wrong key beside it", 401, header, subject, "Authorization", "Bearer no")
		for _, proxies := range [][]string{nil, {"10.0.0.0/8"}, {"192.0.2.2"}} {
			r.server.TrustedProxies = proxies
			expect(fmt.Sprint("only trusting ", proxies), 401, header, subject)
		}
		r.server.TrustedProxies = []string{"192.0.2.0/24"}
		expect("a block of proxies", 404, header, subject)
		if got := r.on(r.internal, "GET", "/v1/messages", "", header, subject).status; got != 403 {
			t.Errorf("out of scope: got %d", got)
		}
	})
}

// A key that is for one way only is good for no other.
func TestWaysOfAKey(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		const key = "key-for-one-way-0123456789"
		for _, way := range []string{"bearer", "basic", "oauth"} {
			r.settings.APIKeys = []web.APIKey{{Name: "one", Key: key, Auth: []string{way}}}
			r.server.Set(r.settings)
			got := map[string]bool{
				"bearer": r.on(r.internal, "GET", "/v1/messages", "", "Authorization", "Bearer "+key).status == 200,
				"basic":  r.on(r.internal, "GET", "/v1/messages", "", "Authorization", basic("one", key)).status == 200,
				"oauth":  r.token(nil, "grant_type", "client_credentials", "client_id", "one", "client_secret", key).status == 200,
			}
			for other, let := range got {
				if let != (other == way) {
					t.Errorf("auth: [%s]: %s lets in: %v", way, other, let)
				}
			}
		}
		token := r.token(nil, "grant_type", "client_credentials", "client_id", "one", "client_secret", key).at("access_token").(string)
		r.settings.APIKeys = []web.APIKey{{Name: "one", Key: key, Auth: []string{"basic"}}}
		r.server.Set(r.settings)
		r.on(r.internal, "GET", "/v1/messages", "", "Authorization", "Bearer "+token).want(401)
	})
}

func TestSourcesAndSiteOfAKey(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		const key = "key-for-lamps-0123456789"
		r.keys(web.APIKey{Name: "lamps", Key: key, Sources: []string{"/shop/lamps", "process-action*"}, Site: "lamps"})
		post := func(body string) answer {
			return r.on(r.internal, "POST", "/v1/events", body, "Authorization", "Bearer "+key, "Content-Type", "application/json")
		}
		event := func(id, source, more string) string {
			return `{"specversion":"1.0","id":"` + id + `","source":"` + source + `","type":"order.shipped","data":{"orderCode":"1","customerUid":"ines"` + more + `}}`
		}
		post(event("s1", "/shop/lamps", "")).want(202)
		post(event("s2", "/shop/lamps", `,"site":"shades"`)).want(202)
		post(processBody("s3")).want(202)
		post(event("s4", "/shop/lamps/x", "")).want(403)
		post("[" + event("s5", "/shop/lamps", "") + "," + event("s6", "/shop/chairs", "") + "]").want(403)
		for id, site := range map[string]string{"s1": "lamps", "s2": "shades", "s3": "lamps"} {
			r.call("GET", "/v1/events/"+id, "").want(200).is(site, "site")
		}
		r.call("GET", "/v1/events/s5", "").want(404)
	})
}

// A sender that wants a token against cross-site requests first gets one, and may
// send it along.
func TestProbe(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.on(r.internal, "GET", "/v1/events", "", "Authorization", basic("feed", eventsKey), "X-CSRF-Token", "Fetch").want(204)
		token, cookie := a.header.Get("X-CSRF-Token"), a.header.Get("Set-Cookie")
		if token == "" || cookie == "" {
			t.Fatalf("got the token %q and the cookie %q, want both", token, cookie)
		}
		r.on(r.internal, "GET", "/v1/events", "", "X-CSRF-Token", "Fetch").want(401)
		r.on(r.internal, "POST", "/v1/events", processBody("p1"), "Authorization", basic("feed", eventsKey), "Content-Type", "application/json",
			"X-CSRF-Token", token, "Cookie", cookie).want(202)
		r.on(r.internal, "POST", "/v1/events", processBody("p2"), "Content-Type", "application/json", "X-CSRF-Token", token, "Cookie", cookie).want(401)
	})
}
