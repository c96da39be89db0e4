package main_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func sign(h func() hash.Hash, secret, text string) string {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// A callback of each platform, as a stranger who writes.

func messengerSays(psid, mid, text string) string {
	return fmt.Sprintf(`{"object":"page","entry":[{"id":%q,"time":1,"messaging":[{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":%d,"message":{"mid":%q,"text":%q}}]}]}`,
		pageID, psid, pageID, time.Now().UnixMilli(), mid, text)
}

func telegramSays(chat string, update int, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":%d,"from":{"id":%s,"is_bot":false,"first_name":"A"},"chat":{"id":%s,"type":"private"},"text":%q}}`,
		update, update, time.Now().Unix(), chat, chat, text)
}

func slackSays(user, event, text string) string {
	return fmt.Sprintf(`{"type":"event_callback","team_id":"T1","api_app_id":"A1","event_id":%q,"event_time":%d,"event":{"type":"message","channel_type":"im","channel":"D1","user":%q,"text":%q,"ts":"%d.000100","event_ts":"%d.000100"}}`,
		event, time.Now().Unix(), user, text, time.Now().Unix(), time.Now().Unix())
}

func hubSignature(secret, body string) header {
	return header{"X-Hub-Signature-256", "sha256=" + sign(sha256.New, secret, body)}
}

func slackSignature(secret, body string, at time.Time) []header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return []header{
		{"X-Slack-Request-Timestamp", stamp}, {"X-Slack-Signature", "v0=" + sign(sha256.New, secret, "v0:"+stamp+":"+body)},
	}
}

func telegramSecret(secret string) header { return header{"X-Telegram-Bot-Api-Secret-Token", secret} }

// TestForgedWebhooks: promise 8. What does not come from the platform is
// refused, does nothing, and learns nothing.
func TestForgedWebhooks(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	m, tg, sl := messengerSays(p.chats[messengerName], "m1", "Hi"), telegramSays(p.chats[telegramName], 1, "Hi"), slackSays(p.chats[slackName], "Ev1", "Hi")
	now, old, future := time.Now(), time.Now().Add(-6*time.Minute), time.Now().Add(6*time.Minute)
	big := strings.Repeat("x", 1<<20+1)
	tests := map[string]struct {
		method, path, body string
		headers            []header
		status             int
	}{
		"messenger unsigned":      {"POST", "messenger", m, nil, 401},
		"messenger other secret":  {"POST", "messenger", m, []header{hubSignature("x", m)}, 401},
		"messenger no secret":     {"POST", "messenger", m, []header{hubSignature("", m)}, 401},
		"messenger other body":    {"POST", "messenger", m, []header{hubSignature(appSecret, m+" ")}, 401},
		"messenger sha1":          {"POST", "messenger", m, []header{{"X-Hub-Signature", "sha1=" + sign(sha1.New, appSecret, m)}}, 401},
		"messenger bare":          {"POST", "messenger", m, []header{{"X-Hub-Signature-256", sign(sha256.New, appSecret, m)}}, 401},
		"messenger half":          {"POST", "messenger", m, []header{{"X-Hub-Signature-256", "sha256=" + sign(sha256.New, appSecret, m)[:32]}}, 401},
		"messenger empty":         {"POST", "messenger", "", []header{{"X-Hub-Signature-256", "sha256="}}, 401},
		"messenger handshake":     {"GET", "messenger?hub.mode=subscribe&hub.verify_token=x&hub.challenge=echoed-challenge", "", nil, 403},
		"messenger no token":      {"GET", "messenger?hub.mode=subscribe&hub.challenge=echoed-challenge", "", nil, 403},
		"messenger oversized":     {"POST", "messenger", big, []header{hubSignature(appSecret, big)}, 413},
		"messenger sl signature":  {"POST", "messenger", m, slackSignature(signingSecret, m, now), 401},
		"telegram no secret":      {"POST", "telegram", tg, nil, 401},
		"telegram other secret":   {"POST", "telegram", tg, []header{telegramSecret("x")}, 401},
		"telegram half":           {"POST", "telegram", tg, []header{telegramSecret(secretToken[:6])}, 401},
		"telegram bot token":      {"POST", "telegram", tg, []header{telegramSecret(telegramToken)}, 401},
		"telegram oversized":      {"POST", "telegram", big, []header{telegramSecret(secretToken)}, 413},
		"slack unsigned":          {"POST", "slack", sl, nil, 401},
		"slack other secret":      {"POST", "slack", sl, slackSignature("x", sl, now), 401},
		"slack other body":        {"POST", "slack", sl, slackSignature(signingSecret, sl+" ", now), 401},
		"slack replayed":          {"POST", "slack", sl, slackSignature(signingSecret, sl, old), 401},
		"slack from the future":   {"POST", "slack", sl, slackSignature(signingSecret, sl, future), 401},
		"slack other time":        {"POST", "slack", sl, append(slackSignature(signingSecret, sl, old), header{"X-Slack-Request-Timestamp", strconv.FormatInt(now.Unix(), 10)}), 401},
		"slack no time":           {"POST", "slack", sl, append(slackSignature(signingSecret, sl, now), header{"X-Slack-Request-Timestamp", ""}), 401},
		"slack handshake":         {"POST", "slack", `{"type":"url_verification","token":"x","challenge":"echoed-challenge"}`, nil, 401},
		"slack oversized":         {"POST", "slack", big, slackSignature(signingSecret, big, now), 413},
		"no such channel":         {"POST", "fax", m, []header{hubSignature(appSecret, m)}, 404},
		"key instead of a secret": {"POST", "telegram", tg, []header{bearer(apiKey)}, 401},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			headers := append([]header{{"Authorization", ""}}, test.headers...)
			status, _, raw := w.ask(test.method, w.hook("/webhooks/"+test.path), test.body, headers...)
			if status != test.status {
				t.Errorf("got status %d, want %d", status, test.status)
			}
			wantNoHint(t, raw)
		})
	}
	wantNoEffect(w, p)

	// The same callbacks, rightly signed: without them this test would show nothing.
	for path, good := range map[string]struct {
		body    string
		headers []header
	}{
		"messenger": {m, []header{hubSignature(appSecret, m)}}, "telegram": {tg, []header{telegramSecret(secretToken)}}, "slack": {sl, slackSignature(signingSecret, sl, now)},
	} {
		w.telegram.Know(p.chats[telegramName])
		w.slack.Know(p.chats[slackName])
		w.messenger.WroteAt(p.chats[messengerName], now)
		for range 2 {
			if status, _, raw := w.ask(http.MethodPost, w.hook("/webhooks/"+path), good.body, good.headers...); status != http.StatusOK {
				t.Errorf("%s rightly signed: got status %d: %s, want 200", path, status, raw)
			}
		}
		w.awaitMore(path, p, 1)
		w.rest()
		if got := w.texts(path, p); len(got) != 1 {
			t.Errorf("%s: the same callback twice: got %q, want one answer", path, got)
		}
	}
}

// wantNoHint checks that a refusal says nothing of use to a forger.
func wantNoHint(t *testing.T, raw []byte) {
	t.Helper()
	for _, hint := range []string{hush, "sha256", "v0=", "echoed-challenge", "ignature", "secret", "token", "expected", ".go:"} {
		if strings.Contains(string(raw), hint) {
			t.Errorf("got answer %s, which tells %q", raw, hint)
		}
	}
	var got obj
	decode(t, raw, &got)
	delete(got, "type")
	delete(got, "title")
	delete(got, "status")
	if len(got) > 0 {
		t.Errorf("got answer %s, want nothing but the status", raw)
	}
}

// wantNoEffect checks that nothing has been stored, sent or linked.
func wantNoEffect(w *world, people ...person) {
	w.Helper()
	w.rest()
	for name, sim := range w.sims {
		if n := sim.Log().Requests(); n != 0 {
			w.Errorf("%s: got %d requests, want none", name, n)
		}
	}
	for _, p := range people {
		if got := w.linked(p); len(got) > 0 {
			w.Errorf("got links %q, want none", got)
		}
	}
	var list messageList
	w.want(http.StatusOK, http.MethodGet, "/v1/messages", nil, &list)
	if len(list.Items) > 0 {
		w.Errorf("got messages %+v, want none", list.Items)
	}
	_, _, figures := w.ask(http.MethodGet, w.api("/metrics"), nil)
	for line := range strings.Lines(string(figures)) {
		for _, name := range []string{"tidings_updates_total", "tidings_events_total", "tidings_questions_total"} {
			if strings.HasPrefix(line, name) && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
				w.Errorf("got %s, want nothing taken", line)
			}
		}
	}
}

// TestForgedCalls: no endpoint of the API does anything without a key, or with
// one that is not good for it.
func TestForgedCalls(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	var doc struct{ Paths map[string]map[string]any }
	w.want(http.StatusOK, http.MethodGet, "/openapi.json", nil, &doc)
	event := cloudEvent("forged-1", "message.requested", obj{"customerUid": p.uid, "text": "Forged"})
	open := map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true, "/openapi.json": true, "/docs": true, "/oauth/token": true}
	tried := 0
	for path, methods := range doc.Paths {
		if open[path] || strings.HasPrefix(path, "/webhooks/") || strings.HasPrefix(path, "/link/") || strings.HasPrefix(path, "/auth/") {
			continue
		}
		for method := range methods {
			if method == "parameters" {
				continue
			}
			url := w.api(strings.NewReplacer("{uid}", p.uid, "{channel}", slackName, "{id}", "1").Replace(path))
			for name, auth := range map[string]header{
				"no key": {"Authorization", ""}, "wrong key": bearer("x"), "wrong name": basic("nobody", apiKey), "empty": bearer(" "), "other scheme": {"Authorization", "Digest " + apiKey},
			} {
				status, _, raw := w.ask(strings.ToUpper(method), url, event, auth)
				want := http.StatusUnauthorized
				if method == "options" {
					want = http.StatusNotFound // a browser asks without a key whether a page may ask, and here none may
				}
				if status != want {
					t.Errorf("%s %s, %s: got status %d, want %d", method, path, name, status, want)
				}
				wantNoHint(t, raw)
				tried++
			}
		}
	}
	if tried < 50 {
		t.Errorf("got %d requests tried, want those of the whole API", tried)
	}
	big := `{"customerUid":"` + strings.Repeat("x", 1<<20) + `"}`
	for method, path := range map[string]string{"POST": "/v1/opt-ins", "PUT": "/v1/customers/x/addresses/slack"} {
		if status, _, raw := w.ask(method, w.api(path), big); status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s %s oversized: got status %d: %s, want 413", method, path, status, raw)
		}
	}
	if status, _, raw := w.ask(http.MethodPost, w.api("/oauth/token"), "grant_type=client_credentials&client_id=shop&client_secret=x",
		header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Authorization", ""}); status != http.StatusUnauthorized || strings.Contains(string(raw), hush) {
		t.Errorf("token with a wrong key: got status %d: %s, want 401", status, raw)
	}
	wantNoEffect(w, p)
}

// TestSeveralEntries: every entry of a batch is read, and one that nobody
// understands holds up none.
func TestSeveralEntries(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, q := w.customer(1), w.customer(2)
	entry := func(body string) string {
		_, rest, _ := strings.Cut(body, `"entry":[`)
		return strings.TrimSuffix(rest, "]}")
	}
	for _, x := range []person{p, q} {
		w.messenger.WroteAt(x.chats[messengerName], time.Now())
	}
	odd := `{"id":"` + pageID + `","time":1,"messaging":[{"sender":{"id":17},"message":{"mid":{}}}, 42, null]}`
	body := `{"object":"page","entry":[` + strings.Join([]string{
		entry(messengerSays(p.chats[messengerName], "m-1", "Hi")), odd, entry(messengerSays(q.chats[messengerName], "m-2", "Hi")),
	}, ",") + `]}`
	if status, _, raw := w.ask(http.MethodPost, w.hook("/webhooks/messenger"), body, hubSignature(appSecret, body)); status != http.StatusOK {
		t.Fatalf("got status %d: %s, want 200", status, raw)
	}
	w.awaitMore(messengerName, p, 1)
	w.awaitMore(messengerName, q, 1)
	for path, x := range map[string]struct {
		body    string
		headers []header
	}{
		"messenger": {`{"object":"page","entry":"what"}`, []header{hubSignature(appSecret, `{"object":"page","entry":"what"}`)}},
		"telegram":  {`{"update_id":9,"message":{"chat":"what"}}`, []header{telegramSecret(secretToken)}},
		"slack":     {`{"type":"event_callback","event_id":"E","event":[1]}`, slackSignature(signingSecret, `{"type":"event_callback","event_id":"E","event":[1]}`, time.Now())},
	} {
		if status, _, raw := w.ask(http.MethodPost, w.hook("/webhooks/"+path), x.body, x.headers...); status != http.StatusOK {
			t.Errorf("%s: what cannot be understood: got status %d: %s, want 200", path, status, raw)
		}
	}
}
