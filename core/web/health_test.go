package web_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/core/web"
)

// Whatever can be read can be asked for by HEAD, as load balancers do, with the
// same key and the same answer.
func TestHead(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.on(r.public, "HEAD", "/healthz", "").want(200)
		r.on(r.internal, "HEAD", "/readyz", "").want(200)
		r.on(r.internal, "HEAD", "/v1/messages", "").want(401)
		r.call("HEAD", "/v1/messages", "").want(200)
		r.call("HEAD", "/v1/messages?limit=0", "").want(422)
		r.call("HEAD", "/v1/events", "").want(204)
		r.call("HEAD", "/v1/opt-ins", "").want(405)
		r.raw(r.public, "HEAD", "/v1/messages", "").want(404)
	})
}

func TestHealth(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.on(r.public, "GET", "/healthz", "").want(200)
		r.on(r.internal, "GET", "/readyz", "").want(200).is("ready", "status").is("1.2.3", "version")
		r.ping = errors.New("postgres://user:pw@host is away")
		r.on(r.internal, "GET", "/healthz", "").want(200).is("alive", "status")
		a := r.on(r.internal, "GET", "/readyz", "").want(503).is("the database does not answer", "detail")
		if strings.Contains(string(a.body), "pw") {
			t.Errorf("the answer holds the database's address: %s", a.body)
		}
		r.ping, r.ready = nil, false
		r.on(r.internal, "GET", "/readyz", "").want(503).is("the migrations are not done", "detail")
	})
}

func TestMetrics(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		r.call("GET", "/nothing/like/ines", "")
		r.raw(r.internal, "BREW", "/coffee", "")
		page := string(r.on(r.internal, "GET", "/metrics", "").want(200).body)
		for _, want := range []string{
			"tidings_conservation_difference 0\n",
			`tidings_events_total{status="accepted",type="message.requested"} 1`,
			`tidings_messages{state="sent"} 1`,
			`tidings_events{state="routed"} 1`,
			`tidings_latency_seconds_count{channel="chat"} 1`,
			`tidings_requests_total{channel="chat",class="ok"} 1`,
			"tidings_lanes 0\n",
			`tidings_workers_busy{pool="out/chat"} 0`,
			`tidings_channel_works{channel="chat"} 1`,
			`tidings_http_requests_total{method="POST",route="/v1/events",status="202"} 1`,
			`tidings_http_requests_total{method="GET",route="none",status="404"} 1`,
			`tidings_http_requests_total{method="other",route="none",status="404"} 1`,
			"go_goroutines ",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("the figures do not hold %q", want)
			}
		}
		if strings.Contains(page, "ines\"") || strings.Contains(page, "coffee") || strings.Contains(page, `"42"`) {
			t.Error("the figures name a person or a stranger's path")
		}
		if t.Failed() {
			t.Log(page)
		}
	})
}

// The sums are counted at most every ten seconds.
func TestMetricsAreCached(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		accepted := func() bool {
			return strings.Contains(string(r.on(r.internal, "GET", "/metrics", "").want(200).body), `tidings_events{state="suppressed"} 1`)
		}
		accepted()
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		if accepted() {
			t.Error("the sums were counted again at once")
		}
		<-time.After(10 * time.Second) // in virtual time
		if !accepted() {
			t.Error("the sums were not counted again after ten seconds")
		}
	})
}

// A figure that is counted with other labels than before does no harm.
func TestCountIsForgiving(t *testing.T) {
	m := web.NewMetrics()
	m.Count("odd", 1, "a", "1")
	m.Count("odd", 1, "b", "1", "c", "2")
	m.Count("odd", 1)
	m.Count("odd", -1, "a", "1")
	m.Count("not a name", 1, "a", "1")
	m.Count("latency_seconds", 1, "channel", "x")
	m.Count("latency_seconds", 1)
	done := make(chan bool)
	for i := range 4 {
		go func() {
			for range 100 {
				m.Count(fmt.Sprint("many", i%2), 1, "a", fmt.Sprint(i))
			}
			done <- true
		}()
	}
	for range 4 {
		<-done
	}
}

func TestNotFound(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for _, target := range []string{"/", "/v1", "/v1/messages/", "/v2/messages", "/v1/messages/1/send", "//v1/messages", "/V1/messages"} {
			a := r.raw(r.internal, "GET", target, "").want(404).is("about:blank", "type").is("Not Found", "title").is(404, "status")
			if got := a.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("%s: Content-Type: got %q", target, got)
			}
		}
		a := r.raw(r.internal, "PATCH", "/v1/messages", "").want(405).is("Method Not Allowed", "title")
		if got := a.header.Get("Allow"); got != "GET, HEAD" {
			t.Errorf("Allow: got %q, want GET, HEAD", got)
		}
	})
}
