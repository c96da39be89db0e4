package web_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
)

// Every route is documented, and everything documented is a route.
func TestDocumentAndRoutesAgree(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		served := map[string]bool{}
		for _, h := range []http.Handler{r.public, r.internal, r.both} {
			for _, route := range h.(*gin.Engine).Routes() {
				path := regexp.MustCompile(`:([a-zA-Z]+)`).ReplaceAllString(route.Path, "{$1}")
				served[route.Method+" "+path] = true
			}
		}
		for route := range served {
			if path, ok := strings.CutPrefix(route, "HEAD "); ok && served["GET "+path] {
				delete(served, route) // goes without saying
			}
		}
		// Answers 501: it is not in this version.
		delete(served, "DELETE /v1/customers/{uid}")
		documented := map[string]bool{}
		for _, p := range r.doc.paths {
			for method := range p.methods {
				documented[strings.ToUpper(method)+" "+p.path] = true
			}
		}
		if diff := cmp.Diff(documented, served); diff != "" {
			t.Errorf("documented (-) and served (+) differ:\n%s", diff)
		}
	})
}

// Which listener serves what: the internet sees no API and no figures.
func TestSides(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		got := []string{}
		for _, route := range r.public.(*gin.Engine).Routes() {
			if route.Method == http.MethodHead {
				continue // as GET: TestHead
			}
			got = append(got, route.Method+" "+route.Path)
		}
		slices.Sort(got)
		want := []string{
			"GET /auth/:channel/callback", "GET /auth/:channel/deletion/:code", "GET /auth/:channel/start", "GET /healthz", "GET /link/:token",
			"GET /readyz", "GET /webhooks/:channel", "OPTIONS /v1/opt-ins", // 404 without a storefront
			"POST /auth/:channel/deauthorize", "POST /auth/:channel/deletion", "POST /oauth/token", "POST /v1/opt-ins", "POST /webhooks/:channel",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the public side (-want +got):\n%s", diff)
		}
		r.raw(r.internal, "GET", "/link/x", "").want(404).is("Not Found", "title")
		r.raw(r.internal, "POST", "/webhooks/chat", "{}").want(404).is("Not Found", "title")
		r.raw(r.public, "GET", "/v1/messages", "").want(404)
		r.raw(r.public, "GET", "/metrics", "").want(404)
		r.on(r.both, "GET", "/v1/messages", "").want(401)
		r.on(r.both, "GET", "/link/x", "").want(404)
	})
}

// Every scope that the document names is the one the program asks for.
func TestDocumentedScopes(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for _, p := range r.doc.paths {
			for method, op := range p.methods {
				scope, _ := op.(map[string]any)["x-scope"].(string)
				target := regexp.MustCompile(`\{[a-zA-Z]+\}`).ReplaceAllString(p.path, "1")
				h := r.internal
				if strings.HasPrefix(target, "/webhooks") || strings.HasPrefix(target, "/link") || strings.HasPrefix(target, "/auth") {
					h = r.public
				}
				none := r.on(h, strings.ToUpper(method), target, "")
				if got := none.status == 401 && none.header.Get("WWW-Authenticate") != "" && target != "/oauth/token"; got != (scope != "") {
					t.Errorf("%s %s: needs a key: got %v, want %v", method, p.path, got, scope != "")
				}
				if scope == "" {
					continue
				}
				feed := r.on(h, strings.ToUpper(method), target, "", "Authorization", "Bearer "+eventsKey)
				if got := feed.status == 403; got != (scope != "events") {
					t.Errorf("%s %s with a key for events: got %d", method, p.path, feed.status)
				}
			}
		}
	})
}

// Every schema compiles, and every example is as its schema says.
func TestExamples(t *testing.T) {
	d := readDocument(t)
	for name := range d.raw["components"].(map[string]any)["schemas"].(map[string]any) {
		if _, err := d.schemaAt("components", "schemas", name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	seen := 0
	for _, p := range d.paths {
		for method, op := range p.methods {
			check := func(what string, content any) {
				for media, m := range content.(map[string]any) {
					example, ok := m.(map[string]any)["example"]
					if !ok {
						continue
					}
					seen++
					raw, err := json.Marshal(example)
					if err == nil {
						err = d.validate(m, raw)
					}
					if err != nil {
						t.Errorf("%s %s %s %s: %v", method, p.path, what, media, err)
					}
				}
			}
			if content, ok := d.get(op, "requestBody", "content"); ok {
				check("body", content)
			}
			responses, _ := d.get(op, "responses")
			for status, response := range responses.(map[string]any) {
				if content, ok := d.get(response, "content"); ok {
					check(status, content)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("examples: got %d, want at least 30", seen)
	}
}

// The requests that the document shows are accepted.
func TestExampleRequests(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for _, p := range r.doc.paths {
			for method, op := range p.methods {
				content, ok := r.doc.get(op, "requestBody", "content")
				if !ok {
					continue
				}
				for media, m := range content.(map[string]any) {
					example, ok := m.(map[string]any)["example"]
					if !ok || media == "application/cloudevents-batch+json" && strings.HasSuffix(p.path, "explain") {
						continue
					}
					raw, err := json.Marshal(example)
					if err != nil {
						t.Fatal(err)
					}
					body := strings.ReplaceAll(string(raw), `"telegram"`, `"chat"`)
					body = strings.ReplaceAll(body, "2026-11-22T09:30:00Z", "1999-11-22T09:30:00Z")
					target := strings.NewReplacer("{uid}", "ines", "{channel}", "chat").Replace(p.path)
					if a := r.call(strings.ToUpper(method), target, body, "Content-Type", media); a.status >= 300 {
						t.Errorf("%s %s with the example as %s: got %d: %s", method, p.path, media, a.status, a.body)
					}
				}
			}
		}
	})
}

func TestDocsPage(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.on(r.internal, "GET", "/docs", "").want(200)
		page := string(a.body)
		for _, p := range r.doc.paths {
			for method := range p.methods {
				if want := strings.ToUpper(method) + " " + p.path; !strings.Contains(page, want) {
					t.Errorf("the page does not show %s", want)
				}
			}
		}
		checkStrictPage(t, a)
		got := r.on(r.internal, "GET", "/openapi.json", "").want(200)
		if !json.Valid(got.body) {
			t.Error("openapi.json is not JSON")
		}
	})
}

// checkStrictPage checks that a page runs no script and loads nothing.
func checkStrictPage(t *testing.T, a answer) {
	t.Helper()
	csp := a.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; style-src 'nonce-") || strings.Contains(csp, "script-src") {
		t.Errorf("Content-Security-Policy: got %q", csp)
	}
	nonce := regexp.MustCompile(`nonce-([A-Z0-9]+)'`).FindStringSubmatch(csp)
	if nonce == nil || !strings.Contains(string(a.body), `<style nonce="`+nonce[1]+`">`) {
		t.Errorf("the style has not the nonce of %q", csp)
	}
	for _, foreign := range []string{"<script", "<img", "<link ", "<iframe", `style="`, " on"} {
		if foreign == " on" {
			if m := regexp.MustCompile(`<[^>]* on[a-z]+=`).Find(a.body); m != nil {
				t.Errorf("the page has a handler: %s", m)
			}
			continue
		}
		if strings.Contains(string(a.body), foreign) {
			t.Errorf("the page holds %s", foreign)
		}
	}
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
