package slacksim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/channels/slack/slacksim"
)

func TestWhatMembersDoReachesTheApp(t *testing.T) {
	s, g := newTeam(t, nil)
	ctx := t.Context()
	id, err := s.Say(ctx, "U1", "a < b")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.ReplyTo(ctx, "U1", id, "and")
	_, _ = s.SendPhoto(ctx, "U1", "https://x.example/a.png", "look")
	if err := s.Edit(ctx, "U1", id, "c"); err != nil {
		t.Error(err)
	}
	if err := s.React(ctx, "U1", id, "thumbsup"); err != nil {
		t.Error(err)
	}
	_ = s.Settle(ctx)
	var got []string
	for _, e := range g.events {
		sub, _ := e["subtype"].(string)
		text, _ := e["text"].(string)
		got = append(got, e["type"].(string)+"/"+sub+"/"+text)
	}
	want := []string{"message//a &lt; b", "message//and", "message/file_share/look", "message/message_changed/", "reaction_added//"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if g.events[1]["thread_ts"] != id {
		t.Errorf("thread: got %v, want %s", g.events[1]["thread_ts"], id)
	}
}

func TestOwnMessagesAreEchoed(t *testing.T) {
	s, g := newTeam(t, nil)
	call(t, s, "chat.postMessage", `{"channel":"U1","text":"hello"}`)
	_ = s.Settle(t.Context())
	if len(g.events) != 1 || g.events[0]["bot_id"] != "B1" || g.events[0]["channel"] != "D1" {
		t.Errorf("got %v, want one echo", g.events)
	}
}

func TestEventsAreRetriedThreeTimes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   []string
		took   time.Duration
	}{
		{"failing", func(w http.ResponseWriter) { w.WriteHeader(500) }, []string{"", "1http_error", "2http_error", "3http_error"}, 6 * time.Minute},
		{"told to stop", func(w http.ResponseWriter) { w.Header().Set("X-Slack-No-Retry", "1"); w.WriteHeader(500) }, []string{""}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := newTeam(t, nil)
				g.answer = tt.answer
				began := time.Now()
				_, _ = s.Say(t.Context(), "U1", "hi")
				_ = s.Settle(t.Context())
				if !cmp.Equal(g.retries, tt.want) {
					t.Errorf("retries: got %q, want %q", g.retries, tt.want)
				}
				if got := time.Since(began); got != tt.took {
					t.Errorf("took %v, want %v", got, tt.took)
				}
			})
		})
	}
}

func TestHandshakeAndForgery(t *testing.T) {
	s, g := newTeam(t, nil)
	if err := s.Handshake(t.Context()); err != nil {
		t.Errorf("handshake: %v", err)
	}
	s.Webhooks().Twist(1, emulator.Twist{Forge: true})
	_, _ = s.Say(t.Context(), "U1", "hi")
	_ = s.Settle(t.Context())
	if g.badSig != 1 || len(g.events) != 0 {
		t.Errorf("got %d refused and %d accepted, want 1 and 0", g.badSig, len(g.events))
	}
}

func TestSlashCommands(t *testing.T) {
	s, g := newTeam(t, nil)
	g.answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"response_type":"ephemeral","text":"Linked &amp; done"}`)
	}
	if err := s.OptIn(t.Context(), "U1", "CODE-1", ""); err != nil {
		t.Fatal(err)
	}
	_ = s.Settle(t.Context())
	form := g.forms[0]
	if form.Get("command") != "/link" || form.Get("text") != "CODE-1" || form.Get("user_id") != "U1" || form.Get("channel_id") != "D1" {
		t.Errorf("form: got %v", form)
	}
	if got := s.Log().Shown("U1"); len(got) != 1 || got[0].Text != "Linked & done" || got[0].Kind != "ephemeral" {
		t.Errorf("shown: got %+v", got)
	}
	post := func() int {
		res, _ := request(t, s, form.Get("response_url")[len("https://hooks.slack.com/"):], asJSON, "", `{"text":"later"}`)
		return res.StatusCode
	}
	var got []int
	for range 6 {
		got = append(got, post())
	}
	if want := []int{200, 200, 200, 200, 200, 404}; !cmp.Equal(got, want) {
		t.Errorf("response_url: got %v, want %v", got, want)
	}
}

func TestCommandsAreTriedOnce(t *testing.T) {
	s, g := newTeam(t, nil)
	g.answer = func(w http.ResponseWriter) { w.WriteHeader(500) }
	_ = s.Slash(t.Context(), "U1", "/link", "x")
	_ = s.Settle(t.Context())
	if got := len(g.forms); got != 1 {
		t.Errorf("attempts: got %d, want 1", got)
	}
}

func TestBlockActions(t *testing.T) {
	s, g := newTeam(t, func(o *slacksim.Options) { o.NoEchoes = true })
	ts := call(t, s, "chat.postMessage", blocks(`{"type":"actions","block_id":"b1","elements":[
		{"type":"button","action_id":"a1","text":{"type":"plain_text","text":"Yes"},"value":"y"}]}`))["ts"]
	if err := s.Press(t.Context(), "U1", "", "Yes"); err != nil {
		t.Fatal(err)
	}
	if err := s.Press(t.Context(), "U1", "", "No"); err == nil {
		t.Error("a button that is not there was pressed")
	}
	_ = s.Settle(t.Context())
	var p struct {
		Type      string
		User      struct{ ID string }
		Container struct {
			TS string `json:"message_ts"`
		}
		Actions []map[string]any
	}
	if err := json.Unmarshal([]byte(g.forms[0].Get("payload")), &p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "block_actions" || p.User.ID != "U1" || p.Container.TS != ts || len(p.Actions) != 1 || p.Actions[0]["value"] != "y" || p.Actions[0]["action_id"] != "a1" {
		t.Errorf("payload: got %+v", p)
	}
}
