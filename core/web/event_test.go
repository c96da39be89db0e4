package web_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func TestEvents(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		a := r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		want := `{"accepted":1,"duplicates":0,"ignored":0,"events":[{"id":"e-1","status":"accepted","warnings":[],"differs":false}]}`
		if got := string(a.body); got != want {
			t.Errorf("answer:\n got %s\nwant %s", got, want)
		}
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202).is("duplicate", "events", 0, "status").is(false, "events", 0, "differs")
		r.call("POST", "/v1/events", event("e-1", "Other")).want(202).is(1, "duplicates").is(true, "events", 0, "differs")
		r.call("POST", "/v1/events", strings.Replace(event("e-2", "Hello"), "message.requested", "message.request", 1)).want(202).
			is(1, "ignored").is("unknown type message.request; did you mean message.requested", "events", 0, "warnings", 0)
		if got := fmt.Sprint(r.chat.sent); got != "[Hello]" {
			t.Errorf("sent: got %s, want [Hello]", got)
		}
	})
}

func TestEventsBinaryAndBatch(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.call("POST", "/v1/events", `{"customerUid":"ines","text":"Hi"}`,
			"Ce-Specversion", "1.0", "Ce-Id", "b-1", "Ce-Source", "/shop", "Ce-Type", "message.requested").want(202).is(1, "accepted")
		batch := "[" + event("b-2", "One") + "," + event("b-3", "Two") + "," + event("b-2", "One") + "]"
		r.call("POST", "/v1/events", batch, "Content-Type", "application/cloudevents-batch+json").want(202).is(2, "accepted").is(1, "duplicates")
	})
}

// One bad event refuses the batch; all its faults are told, without the values.
func TestEventsWrong(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		bad := strings.Replace(event("b-2", "Two"), `"customerUid":"ines",`, `"purpose":"sp4m",`, 1)
		batch := "[" + event("b-1", "One") + "," + bad + "," + strings.Replace(event("", "x"), "1.0", "0.3", 1) + "]"
		a := r.call("POST", "/v1/events", batch, "Content-Type", "application/cloudevents-batch+json").want(422)
		if got, want := a.pointers(), "/1/data/customerUid /1/data/purpose /2/specversion /2/id"; got != want {
			t.Errorf("pointers: got %s, want %s", got, want)
		}
		if strings.Contains(string(a.body), "sp4m") {
			t.Errorf("the answer holds the value: %s", a.body)
		}
		r.call("GET", "/v1/events/b-1", "").want(404)
	})
}

func TestEventsUnreadable(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		long := event("long", strings.Repeat("x", 1<<20))
		tests := []struct {
			name, body string
			headers    []string
			want       int
		}{
			{"no JSON", `{"specversion"`, nil, 400},
			{"NUL", `{"specversion":"1.0","id":"\u0000"}`, nil, 400},
			{"no event", `{"code":"1"}`, nil, 400},
			{"media type", event("x", "y"), []string{"Content-Type", "text/plain"}, 415},
			{"gzip", event("x", "y"), []string{"Content-Encoding", "gzip"}, 415},
			{"over 1 MiB", long, nil, 413},
			{"over 1 MiB, structured", long, []string{"Content-Type", "application/cloudevents+json"}, 413},
			{"over 1 MiB in a batch", "[" + long + "]", []string{"Content-Type", "application/cloudevents-batch+json"}, 202},
			{"over 8 MiB in a batch", "[" + strings.Repeat(long+",", 7) + long + "]", []string{"Content-Type", "application/cloudevents-batch+json"}, 413},
			{"too many", "[" + strings.Repeat(event("x", "y")+",", 1000) + event("x", "y") + "]", []string{"Content-Type", "application/cloudevents-batch+json"}, 422},
		}
		for _, test := range tests {
			if a := r.call("POST", "/v1/events", test.body, test.headers...); a.status != test.want {
				t.Errorf("%s: got %d, want %d: %.200s", test.name, a.status, test.want, a.body)
			}
		}
	})
}

// Senders of events seldom look at an answer: what is refused is in the log too, with
// whose it is and what is wrong, and without what was sent.
func TestEventsRefusedAreInTheLog(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		headers := []string{"Authorization", "Bearer " + eventsKey}
		r.on(r.internal, "POST", "/v1/events", `{"specversion":"1.0","id":"x","source":"/shop","type":"order.shipped","time":"h1dden","data":{}}`, headers...).want(422)
		r.on(r.internal, "POST", "/v1/events", `{"secret":"h1dden"}`, headers...).want(400)
		log := r.log.String()
		for _, want := range []string{"events are refused", "key=feed", "/time must be a time", "/data/orderCode is required", "this is no event"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log has no %q: %s", want, log)
			}
		}
		if strings.Contains(log, "h1dden") {
			t.Errorf("the log holds what was sent: %s", log)
		}
	})
}

// A body of exactly the limit is taken.
func TestEventsAtTheLimit(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		e := event("full", "")
		full := strings.Replace(e, `"text":""`, `"text":"`+strings.Repeat("x", 1<<20-len(e))+`"`, 1)
		if len(full) != 1<<20 {
			t.Fatalf("length: got %d, want %d", len(full), 1<<20)
		}
		r.call("POST", "/v1/events", full).want(202)
	})
}

// While the database cannot commit, nothing is acknowledged.
func TestEventsUnavailable(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		release := make(chan struct{})
		go func() {
			_ = r.store.Update(context.Background(), func(lane.StoreTx) error {
				<-release
				return errors.New("rolled back")
			})
		}()
		synctest.Wait()
		began := time.Now()
		a := r.call("POST", "/v1/events", event("e-1", "Hello")).want(503)
		if got := time.Since(began); got > 2*time.Second {
			t.Errorf("answered after %s, want within 2s", got)
		}
		if got := a.header.Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After: got %q, want 2", got)
		}
		b := r.on(r.public, "POST", "/webhooks/chat", `{"id":"u1","kind":"text","from":{"value":"42"},"text":"hi"}`, "X-Secret", "s3cret").want(503)
		if got := b.header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After of a webhook: got %q, want 1", got)
		}
		r.call("POST", "/v1/opt-ins", `{"customerUid":"ines"}`).want(503)
		close(release)
		synctest.Wait()
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
	})
}

func TestReadEvent(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("POST", "/v1/events", event("e/1 ü", "Hello")).want(202)
		r.call("GET", "/v1/events/e%2F1%20%C3%BC", "").want(200).
			is("e/1 ü", "id").is("/shop", "source").is("message.requested", "type").is("routed", "state").is("ines", "customer").
			is("everyone", "route").is("sent", "messages", 0, "state").is("Hello", "messages", 0, "parts", 0, "text").is(nil, "order")
		r.call("POST", "/v1/events", strings.Replace(event("e/1 ü", "Other"), "/shop", "/shop2", 1)).want(202)
		r.call("GET", "/v1/events/e%2F1%20%C3%BC", "").want(409).is("[/shop /shop2]", "sources")
		r.call("GET", "/v1/events/e%2F1%20%C3%BC?source=%2Fshop2", "").want(200).is("Other", "messages", 0, "parts", 0, "text").is(1, "messages", 0, "parts", 0, "n")
		r.call("GET", "/v1/events/e%2F1%20%C3%BC?source=/none", "").want(404)
		r.call("GET", "/v1/events/e-9?sorce=1", "").want(422)
	})
}

// An event that waits says for what, even if it is for nothing but its turn.
func TestReadWaitingEvent(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		err := r.engine.Do(t.Context(), func(tx *lane.Tx) error {
			for id, why := range map[string]string{"e-1": "waiting for the shop: Temporary", "e-2": ""} {
				e := core.Event{ID: id, Source: "/shop", Type: "order.shipped", Data: core.EventData{OrderCode: "100"}}
				if _, err := tx.InsertEvent(core.StoredEvent{Event: e, State: core.EventWaiting, Reason: why}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r.call("GET", "/v1/events/e-1", "").want(200).is("waiting", "state").is("waiting for the shop: Temporary", "reason")
		r.call("GET", "/v1/events/e-2", "").want(200).is("waiting", "state").is("its turn comes after that of earlier events of the same order or customer", "reason")
	})
}

func TestExplain(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.call("POST", "/v1/explain", event("e-1", "Hello")).want(200).is("suppressed", "state")
		r.link("chat", "42")
		r.call("POST", "/v1/explain", event("e-1", "Hello")).want(200).is("routed", "state").is("everyone", "route").
			is("chat", "channels", 0, "channel").is("now", "channels", 0, "chosen").is("Hello", "channels", 0, "parts", 0, "text")
		other := strings.Replace(event("e-1", "Hello"), "ines", "bob", 1)
		r.call("POST", "/v1/explain", other).want(200).is("suppressed", "state")
		r.call("POST", "/v1/explain?customer=ines", other).want(200).is("routed", "state")
		r.call("POST", "/v1/explain", "["+event("a", "x")+","+event("b", "x")+"]", "Content-Type", "application/cloudevents-batch+json").want(422)
		r.call("GET", "/v1/events/e-1", "").want(404)
		if len(r.chat.sent) > 0 {
			t.Errorf("sent: got %v, want nothing", r.chat.sent)
		}
	})
}

// What a reload changes is in force at once.
func TestSet(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.settings.Reader.Site = func(string) string { return "toys" }
		r.settings.APIKeys = r.settings.APIKeys[:1]
		r.server.Set(r.settings)
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		r.call("GET", "/v1/events/e-1", "").want(200).is("toys", "site")
		r.on(r.internal, "GET", "/v1/events/e-1", "", "Authorization", "Bearer "+eventsKey).want(401)
	})
}

var _ core.Listener = linkChannel{}
