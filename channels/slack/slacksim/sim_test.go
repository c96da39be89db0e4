package slacksim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/channels/slack/slacksim"
)

// gateway is a webhook that keeps what it is sent.
type gateway struct {
	mu      sync.Mutex
	events  []map[string]any // the events' inner part
	forms   []url.Values
	retries []string
	times   []time.Time
	badSig  int
	answer  func(w http.ResponseWriter)
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte("signing"))
	mac.Write([]byte("v0:" + r.Header.Get("X-Slack-Request-Timestamp") + ":"))
	mac.Write(body)
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("X-Slack-Signature") != "v0="+hex.EncodeToString(mac.Sum(nil)) {
		g.badSig++
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.times = append(g.times, time.Now())
	g.retries = append(g.retries, r.Header.Get("X-Slack-Retry-Num")+r.Header.Get("X-Slack-Retry-Reason"))
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		g.forms = append(g.forms, form)
	} else {
		var e struct {
			Type, Challenge string
			Event           map[string]any
		}
		_ = json.Unmarshal(body, &e)
		if e.Type == "url_verification" {
			_, _ = io.WriteString(w, e.Challenge)
			return
		}
		g.events = append(g.events, e.Event)
	}
	if g.answer != nil {
		g.answer(w)
	}
}

func newTeam(t *testing.T, change func(*slacksim.Options)) (*slacksim.Sim, *gateway) {
	g := &gateway{}
	opt := slacksim.Options{
		BotToken: "xoxb-1", SigningSecret: "signing",
		WebhookURL: "http://gateway/webhooks/slack", Client: &http.Client{Transport: emulator.Transport(g)},
		Users:    []slacksim.User{{ID: "U1", Name: "ines", RealName: "Ines Vidal", Email: "ines@example.com", Locale: "pt-PT"}},
		Channels: []slacksim.Channel{{ID: "C1", Member: true}, {ID: "C2"}, {ID: "C3", Member: true, Archived: true}},
	}
	if change != nil {
		change(&opt)
	}
	s := slacksim.New(opt)
	t.Cleanup(s.Close)
	return s, g
}

// request posts to a method and returns the answer.
func request(t *testing.T, s *slacksim.Sim, path, kind, token, body string) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://slack/api/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Transport: emulator.Transport(s)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(res.Body)
	var out map[string]any
	_ = json.Unmarshal(raw, &out) // a response URL answers in plain text
	return res, out
}

const asJSON = "application/json; charset=utf-8"

func call(t *testing.T, s *slacksim.Sim, method, body string) map[string]any {
	t.Helper()
	_, out := request(t, s, method, asJSON, "xoxb-1", body)
	return out
}

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

func blocks(list string) string { return `{"channel":"U1","text":"fallback","blocks":[` + list + `]}` }

func times(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }

func TestPostMessageStrictness(t *testing.T) {
	section := func(s string) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":` + quoted(s) + `}}`
	}
	actions := func(b string) string { return `{"type":"actions","elements":[` + b + `]}` }
	button := `{"type":"button","text":{"type":"plain_text","text":"Yes"},"value":"y"}`
	for _, tt := range []struct{ name, body, want string }{
		{"text", `{"channel":"U1","text":"Order 17 is packed"}`, ""},
		{"direct message channel", `{"channel":"D1","text":"a"}`, ""},
		{"channel", `{"channel":"C1","text":"a"}`, ""},
		{"unknown channel", `{"channel":"C9","text":"a"}`, "channel_not_found"},
		{"unknown user", `{"channel":"U9","text":"a"}`, "channel_not_found"},
		{"no channel", `{"text":"a"}`, "channel_not_found"},
		{"not a member", `{"channel":"C2","text":"a"}`, "not_in_channel"},
		{"archived", `{"channel":"C3","text":"a"}`, "is_archived"},
		{"no text", `{"channel":"U1"}`, "no_text"},
		{"no text in no blocks", `{"channel":"U1","text":"","blocks":[]}`, "no_text"},
		{"markdown beside text", `{"channel":"U1","text":"a","markdown_text":"b"}`, "markdown_text_conflict"},
		{"blocks are no array", `{"channel":"U1","text":"a","blocks":{"type":"divider"}}`, "invalid_blocks_format"},
		{"blocks as text", `{"channel":"U1","text":"a","blocks":` + quoted("["+section("a")+"]") + `}`, ""},
		{"section of 3000", blocks(section(strings.Repeat("a", 3000))), ""},
		{"section of 3001", blocks(section(strings.Repeat("a", 3001))), "invalid_blocks"},
		{"empty section", blocks(section("")), "invalid_blocks"},
		{"section without text", blocks(`{"type":"section"}`), "invalid_blocks"},
		{"header of 151", blocks(`{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("a", 151) + `"}}`), "invalid_blocks"},
		{"header of mrkdwn", blocks(`{"type":"header","text":{"type":"mrkdwn","text":"a"}}`), "invalid_blocks"},
		{"eleven fields", blocks(`{"type":"section","fields":[` + times(11, `{"type":"mrkdwn","text":"a"}`) + `]}`), "invalid_blocks"},
		{"field of 2001", blocks(`{"type":"section","fields":[{"type":"mrkdwn","text":"` + strings.Repeat("a", 2001) + `"}]}`), "invalid_blocks"},
		{"50 blocks", blocks(times(50, `{"type":"divider"}`)), ""},
		{"51 blocks", blocks(times(51, `{"type":"divider"}`)), "invalid_blocks"},
		{"too much in all", blocks(times(5, section(strings.Repeat("a", 2700)))), "msg_blocks_too_long"},
		{"button", blocks(actions(button)), ""},
		{"26 buttons", blocks(actions(times(26, button))), "invalid_blocks"},
		{"button of 76", blocks(actions(strings.Replace(button, "Yes", strings.Repeat("a", 76), 1))), "invalid_blocks"},
		{"value of 2001", blocks(actions(strings.Replace(button, `"y"`, quoted(strings.Repeat("a", 2001)), 1))), "invalid_blocks"},
		{"button of mrkdwn", blocks(actions(strings.Replace(button, "plain_text", "mrkdwn", 1))), "invalid_blocks"},
		{"button to nowhere", blocks(actions(strings.Replace(button, `"value":"y"`, `"url":"shop"`, 1))), "invalid_blocks"},
		{"action_id twice", blocks(actions(times(2, strings.Replace(button, `"value"`, `"action_id":"a","value"`, 1)))), "invalid_blocks"},
		{"block_id twice", blocks(times(2, `{"type":"divider","block_id":"b"}`)), "invalid_blocks"},
		{"image without alt", blocks(`{"type":"image","image_url":"https://x.example/a.png"}`), "invalid_blocks"},
		{"unknown block", blocks(`{"type":"hologram"}`), "invalid_blocks"},
		{"rich text", blocks(`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"*a* <b>"}]}]}`), ""},
		{"101 attachments", `{"channel":"U1","text":"a","attachments":[` + times(101, `{}`) + `]}`, "too_many_attachments"},
		{"metadata without type", `{"channel":"U1","text":"a","metadata":{"event_payload":{}}}`, "invalid_metadata_schema"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newTeam(t, nil)
			out := call(t, s, "chat.postMessage", tt.body)
			got, _ := out["error"].(string)
			if got != tt.want || out["ok"] != (tt.want == "") {
				t.Errorf("got %v, want %q", out, tt.want)
			}
			if shown := len(s.Log().All()); (shown == 1) != (tt.want == "") {
				t.Errorf("shown: got %d", shown)
			}
			if rejected := len(s.Log().Rejected()); (rejected == 1) != (tt.want != "") {
				t.Errorf("rejected: got %d", rejected)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct{ name, method, kind, token, body, want string }{
		{"JSON", "chat.postMessage", asJSON, "xoxb-1", `{"channel":"U1","text":"a"}`, ""},
		{"form", "chat.postMessage", form, "xoxb-1", "channel=U1&text=a", ""},
		{"token in the form", "chat.postMessage", form, "", "channel=U1&text=a&token=xoxb-1", ""},
		{"token in JSON", "chat.postMessage", asJSON, "", `{"channel":"U1","text":"a","token":"xoxb-1"}`, "not_authed"},
		{"no token", "auth.test", form, "", "", "not_authed"},
		{"wrong token", "auth.test", form, "xoxb-2", "", "invalid_auth"},
		{"no type", "chat.postMessage", "", "xoxb-1", `{}`, "missing_post_type"},
		{"wrong type", "chat.postMessage", "application/xml", "xoxb-1", `<a/>`, "invalid_post_type"},
		{"charset", "chat.postMessage", "application/json; charset=klingon", "xoxb-1", `{}`, "invalid_charset"},
		{"not JSON", "chat.postMessage", asJSON, "xoxb-1", `channel=U1`, "invalid_json"},
		{"unknown method", "chat.whisper", asJSON, "xoxb-1", `{}`, "unknown_method"},
		{"open", "conversations.open", asJSON, "xoxb-1", `{"users":"U1"}`, ""},
		{"open nobody", "conversations.open", asJSON, "xoxb-1", `{}`, "users_list_not_supplied"},
		{"open a stranger", "conversations.open", asJSON, "xoxb-1", `{"users":"U9"}`, "user_not_found"},
		{"open a bot", "conversations.open", asJSON, "xoxb-1", `{"users":"UBOT"}`, "is_bot"},
		{"lookup", "users.lookupByEmail", form, "xoxb-1", "email=INES%40example.com", ""},
		{"lookup nobody", "users.lookupByEmail", form, "xoxb-1", "email=a%40b", "users_not_found"},
		{"info", "users.info", form, "xoxb-1", "user=U1", ""},
		{"info of a stranger", "users.info", form, "xoxb-1", "user=U9", "user_not_found"},
		{"update nothing", "chat.update", asJSON, "xoxb-1", `{"channel":"D1","ts":"1.2","text":"a"}`, "message_not_found"},
		{"delete nothing", "chat.delete", asJSON, "xoxb-1", `{"channel":"D1","ts":"1.2"}`, "message_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newTeam(t, nil)
			res, out := request(t, s, tt.method, tt.kind, tt.token, tt.body)
			got, _ := out["error"].(string)
			if got != tt.want || res.StatusCode != http.StatusOK {
				t.Errorf("got %d %v, want %q", res.StatusCode, out, tt.want)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	s, _ := newTeam(t, func(o *slacksim.Options) { o.Scopes = []string{"chat:write", "commands"} })
	got := call(t, s, "conversations.open", `{"users":"U1"}`)
	want := map[string]any{"ok": false, "error": "missing_scope", "needed": "im:write", "provided": "chat:write,commands"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongTexts(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want []int // lengths of what is shown
	}{
		{"4040", strings.Repeat("a", 4040), []int{4040}},
		{"4041", strings.Repeat("a", 4041), []int{4000, 41}},
		{"40001", strings.Repeat("a", 40001), []int{4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newTeam(t, nil)
			call(t, s, "chat.postMessage", `{"channel":"U1","text":`+quoted(tt.text)+`}`)
			var got []int
			for _, m := range s.Log().Shown("U1") {
				got = append(got, len(m.Text))
			}
			if !cmp.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBlocksWinOverText(t *testing.T) {
	s, _ := newTeam(t, nil)
	call(t, s, "chat.postMessage", blocks(`{"type":"header","text":{"type":"plain_text","text":"*Order* &amp; more"}},
		{"type":"section","text":{"type":"mrkdwn","text":"*Lamp* &amp; more"},"fields":[{"type":"plain_text","text":"2 × 41.90"}]},
		{"type":"rich_text","elements":[{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a_b_"},{"type":"link","url":"https://x.example","text":"x"}]}]}]},
		{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Track"},"url":"https://x.example/t"}]}`))
	got := s.Log().Shown("U1")[0]
	if want := "*Order* &amp; more\nLamp & more\n2 × 41.90\n• a_b_x"; got.Text != want {
		t.Errorf("text: got %q, want %q", got.Text, want)
	}
	if want := []emulator.Button{{Title: "Track", URL: "https://x.example/t"}}; !cmp.Equal(got.Buttons, want) {
		t.Errorf("buttons: got %v, want %v", got.Buttons, want)
	}
	if got.Fields["text"] != "fallback" {
		t.Errorf("fallback: got %v", got.Fields["text"])
	}
}

func TestUpdateAndDelete(t *testing.T) {
	s, _ := newTeam(t, nil)
	ts := call(t, s, "chat.postMessage", `{"channel":"U1","text":"one"}`)["ts"].(string)
	mine, _ := s.Say(t.Context(), "U1", "mine")
	for _, tt := range []struct{ method, body, want string }{
		{"chat.update", `{"channel":"D1","ts":"` + ts + `","text":"two"}`, ""},
		{"chat.update", `{"channel":"D1","ts":"` + ts + `","text":"` + strings.Repeat("a", 4001) + `"}`, "msg_too_long"},
		{"chat.update", `{"channel":"D1","ts":"` + mine + `","text":"two"}`, "cant_update_message"},
		{"chat.update", `{"channel":"U1","ts":"` + ts + `","text":"two"}`, "channel_not_found"},
		{"chat.delete", `{"channel":"D1","ts":"` + mine + `"}`, "cant_delete_message"},
	} {
		if got, _ := call(t, s, tt.method, tt.body)["error"].(string); got != tt.want {
			t.Errorf("%s %.60s: got %q, want %q", tt.method, tt.body, got, tt.want)
		}
	}
	if got := s.Log().Shown("U1"); len(got) != 1 || got[0].Text != "two" {
		t.Errorf("after the update: got %+v", got)
	}
	call(t, s, "chat.delete", `{"channel":"D1","ts":"`+ts+`"}`)
	if got := s.Log().Shown("U1"); len(got) != 0 {
		t.Errorf("after the deletion: got %+v", got)
	}
}

func TestThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTeam(t, nil)
		refused := 0
		var last *http.Response
		for range 7 {
			res, out := request(t, s, "chat.postMessage", asJSON, "xoxb-1", `{"channel":"U1","text":"a"}`)
			if res.StatusCode == http.StatusTooManyRequests && out["error"] == "ratelimited" {
				refused, last = refused+1, res
			}
		}
		if refused != 2 || last.Header.Get("Retry-After") != "1" {
			t.Errorf("refused %d with Retry-After %q, want 2 with 1", refused, last.Header.Get("Retry-After"))
		}
		time.Sleep(time.Second)
		if res, _ := request(t, s, "chat.postMessage", asJSON, "xoxb-1", `{"channel":"U1","text":"a"}`); res.StatusCode != http.StatusOK {
			t.Errorf("a second later: got %d, want 200", res.StatusCode)
		}
	})
}

func TestFaultsHaveThePlatformsWords(t *testing.T) {
	for _, tt := range []struct {
		fault  emulator.Fault
		status int
		want   string
	}{
		{emulator.Fault{Kind: emulator.Throttle, RetryAfter: 9 * time.Second}, 429, "ratelimited"},
		{emulator.Fault{Kind: emulator.ErrorCode, Code: "restricted_action"}, 200, "restricted_action"},
		{emulator.Fault{Kind: emulator.ServerError}, 500, "internal_error"},
		{emulator.Fault{Kind: emulator.ExpireToken}, 200, "invalid_auth"},
		{emulator.Fault{Kind: emulator.Block}, 200, "channel_not_found"},
	} {
		s, _ := newTeam(t, nil)
		s.Faults().Add(tt.fault)
		res, out := request(t, s, "chat.postMessage", asJSON, "xoxb-1", `{"channel":"U1","text":"a"}`)
		if res.StatusCode != tt.status || out["error"] != tt.want {
			t.Errorf("%s: got %d %v, want %d %s", tt.fault.Kind, res.StatusCode, out, tt.status, tt.want)
		}
	}
}
