package web_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/web"
)

// doctor asks and returns the findings as "level about: …" in one text.
func (r *rig) doctor() (a answer, findings string) {
	r.t.Helper()
	a = r.call("GET", "/v1/doctor", "").want(200)
	var all []string
	for _, f := range a.at("findings").([]any) {
		m := f.(map[string]any)
		all = append(all, fmt.Sprintf("%s %s: %s", m["level"], m["about"], m["says"]))
		if m["do"] == "" {
			r.t.Errorf("a finding does not say what to do: %v", m)
		}
	}
	return a, strings.Join(all, "\n")
}

// reject has the platform refuse a message for good.
func (r *rig) reject() {
	r.chat.answer(&core.SendError{Class: core.Rejected, Code: "400", Err: errors.New("no")})
}

// A gateway in which all is well, and where everything went.
func TestDoctorHealthy(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		r.call("POST", "/v1/events", strings.ReplaceAll(event("e-2", "Hello"), "message.requested", "order.shiped")).want(202)
		r.call("POST", "/v1/events", strings.ReplaceAll(event("e-3", "Hello"), `"ines"`, `"bob"`)).want(202)
		a, findings := r.doctor()
		a.is(true, "healthy").is("1.2.3", "version").is(true, "ready", "ok").is(0, "conservation", "difference").
			is(3, "conservation", "events", "accepted").is(1, "conservation", "events", "routed").
			is(1, "conservation", "events", "suppressed").is(1, "conservation", "events", "ignored").
			is(1, "conservation", "messages", "accepted").is(1, "conservation", "messages", "sent").
			is(0, "waiting", "messages").is(nil, "waiting", "oldest").is("[]", "deadLetters", "items").
			is("chat", "channels", 0, "name").is(true, "channels", 0, "works").is(nil, "channels", 0, "why").
			is("self", "replicas", 0, "id").is(1, "replicas", 0, "shards", "owned")
		if findings != "" {
			t.Errorf("findings: got %s, want none", findings)
		}
	})
}

// What did not arrive is told by class, and is no fault of the gateway's.
func TestDoctorDeadLetters(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.reject()
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		r.call("POST", "/v1/events", event("e-2", "Two")).want(202)
		a, findings := r.doctor()
		a.is(true, "healthy").is(2, "conservation", "messages", "failed").is(true, "deadLetters", "complete").
			is("failed", "deadLetters", "items", 0, "state").is("Rejected", "deadLetters", "items", 0, "class").is(2, "deadLetters", "items", 0, "count")
		if want := "notice dead letters: messages that did not arrive: 2 (failed, Rejected)"; findings != want {
			t.Errorf("findings: got %s, want %s", findings, want)
		}
		r.call("POST", "/v1/messages/1/discard", "").want(200)
		r.call("POST", "/v1/messages/2/discard", "").want(200)
		if a, findings = r.doctor(); findings != "" {
			t.Errorf("after they were discarded: got %s, want nothing", findings)
		}
		a.is(2, "conservation", "messages", "cancelled")
	})
}

// A broken channel is a fault at once, with what waits for it; a paused one is not.
func TestDoctorChannels(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Misconfigured, Code: "401", Err: errors.New("token")})
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		r.call("POST", "/v1/events", event("e-2", "Two")).want(202)
		<-time.After(20 * time.Second) // in virtual time
		a, findings := r.doctor()
		a.is(false, "healthy").is(false, "channels", 0, "works").is(2, "channels", 0, "waiting").is("chat", "findings", 0, "channel").
			is(2, "waiting", "messages").is("1", "waiting", "oldest", "id").is("chat", "waiting", "oldest", "channel").is(20, "waiting", "oldest", "ageSeconds")
		if want := "fault channel: the channel chat does not work: the channel has been misconfigured since 2000-01-01T00:00:00Z (401)"; findings != want {
			t.Errorf("findings: got %s, want %s", findings, want)
		}
	})
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Throttled, Scope: core.ScopeChannel, Code: "429", RetryAfter: time.Hour, Err: errors.New("slow")})
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		a, findings := r.doctor()
		a.is(true, "healthy").is(true, "channels", 0, "works").is(1, "channels", 0, "waiting")
		if !strings.HasPrefix(findings, "notice channel: the channel chat is left alone until 2000-01-01T01:") {
			t.Errorf("findings: got %s, want the pause", findings)
		}
	})
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Throttled, Scope: core.ScopeRecipient, Code: "429", RetryAfter: time.Hour, Err: errors.New("slow")})
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		<-time.After(16 * time.Minute)
		if _, findings := r.doctor(); findings != "notice channel: on the channel chat a message has waited for 16m0s" {
			t.Errorf("findings: got %s, want the wait", findings)
		}
	})
}

// A question that its desk has not taken for a while is a fault, with the reason.
func TestDoctorQuestions(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		hold := func(at time.Time, why string) {
			err := r.engine.Do(t.Context(), func(tx *lane.Tx) error {
				c := core.TicketCall{ConversationID: 1, Text: "Hello?", State: "waiting", CreatedAt: at}
				id, err := tx.InsertTicketCall(c)
				if err != nil {
					return err
				}
				c.ID, c.TriedAt, c.Why = id, at, why
				return tx.SaveTicketCall(c)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		hold(time.Now(), "create ticket: the shop says no")
		hold(time.Now().Add(time.Minute), "another reason")
		for _, x := range []struct {
			wait time.Duration
			want string
		}{
			{4 * time.Minute, ""},
			{90 * time.Second, "fault questions: questions that wait for the desk: 1, the oldest since 2000-01-01T00:00:00Z (create ticket: the shop says no)"},
			{time.Minute, "fault questions: questions that wait for the desk: 2, the oldest since 2000-01-01T00:00:00Z (create ticket: the shop says no)"},
		} {
			<-time.After(x.wait)
			a, findings := r.doctor()
			if a.is(x.want == "", "healthy"); findings != x.want {
				t.Errorf("findings: got %s, want %s", findings, x.want)
			}
		}
	})
}

// What was accepted and cannot be found is a fault, whichever sum it is missing
// from, and even where the two differences cancel out.
func TestDoctorConservation(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		db, err := sql.Open("sqlite", filepath.Join(r.dir, "tidings.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), `UPDATE total SET n = n + 2 WHERE name = 'messages'`); err != nil {
			t.Fatal(err)
		}
		a, findings := r.doctor()
		a.is(false, "healthy").is(2, "conservation", "difference").is(2, "conservation", "messages", "difference").is(0, "conservation", "events", "difference")
		if want := "fault conservation: the sum of messages over their states is -2 off what was accepted; this must not happen"; findings != want {
			t.Errorf("findings: got %s, want %s", findings, want)
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE total SET n = n - 2 WHERE name = 'events'`); err != nil {
			t.Fatal(err)
		}
		a, findings = r.doctor()
		a.is(false, "healthy").is(0, "conservation", "difference")
		if got := strings.Count(findings, "fault conservation"); got != 2 {
			t.Errorf("findings: got %s, want both sums", findings)
		}
	})
}

// The doctor answers while the gateway is not ready and the database is away.
func TestDoctorAway(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.ready = false
		a, findings := r.doctor()
		a.is(false, "healthy").is(false, "ready", "ok").is("the migrations are not done", "ready", "why")
		if want := "fault readiness: the gateway is not ready: the migrations are not done"; findings != want {
			t.Errorf("findings: got %s, want %s", findings, want)
		}
		r.ready, r.ping = true, errors.New("sqlite:/secret/place is away")
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		a, findings = r.doctor()
		a.is(false, "healthy").is(nil, "conservation").is(nil, "waiting").is(nil, "deadLetters").is("the database does not answer", "ready", "why")
		if !strings.Contains(findings, "fault database") || strings.Contains(string(a.body), "secret") {
			t.Errorf("got %s, want that the database is away, and not where it is", a.body)
		}
	})
}

// Messages for a channel that is not configured any more wait for somebody.
func TestDoctorChannelGone(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Temporary, Code: "500", RetryAfter: time.Hour, Err: errors.New("later")})
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		outlets := r.outlets()
		delete(outlets, "chat")
		r.dispatcher.SetOutlets(outlets)
		a, findings := r.doctor()
		a.is(false, "healthy").is(nil, "channels", 0, "type").is(1, "channels", 0, "waiting")
		if want := "fault channel: messages wait for the channel chat, which is not in the configuration"; findings != want {
			t.Errorf("findings: got %s, want %s", findings, want)
		}
	})
}

// Shards that nobody owns are work that nobody does.
func TestDoctorReplicas(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		heard := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		all, err := []web.Replica{
			{ID: "a", Self: true, Version: "1.2.3", Shards: web.Shards{Owned: 30, All: 64}},
			{ID: "b", Version: "1.2.3", Shards: web.Shards{Owned: 33, All: 64}, HeardAt: &heard},
		}, error(nil)
		r.server.Replicas = func(context.Context) ([]web.Replica, error) { return all, err }
		a, findings := r.doctor()
		a.is(false, "healthy").is("b", "replicas", 1, "id").is(33, "replicas", 1, "shards", "owned")
		if want := "fault replicas: 1 of 64 shards are nobody's: their messages wait"; findings != want {
			t.Errorf("findings: got %s, want %s", findings, want)
		}
		all[0].Shards.Owned = 31
		if _, findings = r.doctor(); findings != "" {
			t.Errorf("findings: got %s, want none", findings)
		}
		all, err = nil, lane.ErrUnavailable
		if a, findings = r.doctor(); !strings.HasPrefix(findings, "fault replicas: which replicas run") {
			t.Errorf("findings: got %s, want that it cannot be told", findings)
		}
		a.is("[]", "replicas")
	})
}
