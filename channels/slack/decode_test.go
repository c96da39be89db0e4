package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

var now = time.Unix(1790000010, 0).UTC()

// signed is a callback as Slack would send it at a time.
func signed(body string, at time.Time) core.Callback {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	header := http.Header{}
	header.Set("X-Slack-Request-Timestamp", stamp)
	header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return core.Callback{Method: http.MethodPost, Header: header, Body: []byte(body), Now: now}
}

// goldenCallback is a callback as the golden files show it.
type goldenCallback struct {
	Body json.RawMessage   `json:"body"`
	Form map[string]string `json:"form"`
	Raw  string            `json:"raw"`
}

func (g goldenCallback) bytes(t *testing.T) string {
	switch {
	case g.Body != nil:
		return string(plainJSON(t, g.Body))
	case g.Form != nil:
		form := url.Values{}
		for k, v := range g.Form {
			form.Set(k, v)
		}
		return form.Encode()
	}
	return g.Raw
}

func TestDecodeGolden(t *testing.T) {
	ch := open(t, accepting(), func(c *Config) { c.TeamID = "T1" })
	golden(t, "decode", func(t *testing.T, in json.RawMessage) any {
		var g goldenCallback
		if err := json.Unmarshal(in, &g); err != nil {
			t.Fatal(err)
		}
		body := g.bytes(t)
		reply, updates, err := ch.Decode(context.Background(), signed(body, now))
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range updates {
			if (u.Kind == core.UpdateUnreadable) != (string(u.Raw) == body && u.Problem != "" && u.Raw != nil) {
				t.Errorf("update %d: got kind %s with %d bytes of Raw and problem %q; the unreadable, and they only, keep the callback", i, u.Kind, len(u.Raw), u.Problem)
			}
			updates[i].Raw = nil
		}
		return struct {
			Reply   string        `json:"reply,omitempty"`
			Updates []core.Update `json:"updates"`
		}{string(reply.Body), updates}
	})
}

func TestSignature(t *testing.T) {
	// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack (read 2026-11-22).
	const example = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	const signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	at := time.Unix(1531420618, 0)
	tests := []struct {
		name                   string
		body, stamp, signature string
		now                    time.Time
		want                   error
	}{
		{"Slack's example", example, "1531420618", signature, at, nil},
		{"five minutes old", example, "1531420618", signature, at.Add(5 * time.Minute), nil},
		{"a moment older", example, "1531420618", signature, at.Add(5*time.Minute + time.Nanosecond), core.ErrUnauthorized},
		{"five minutes ahead", example, "1531420618", signature, at.Add(-5 * time.Minute), nil},
		{"a moment further ahead", example, "1531420618", signature, at.Add(-5*time.Minute - time.Nanosecond), core.ErrUnauthorized},
		{"another body", example + "&x=1", "1531420618", signature, at, core.ErrUnauthorized},
		{"another time", example, "1531420619", signature, at, core.ErrUnauthorized},
		{"no signature", example, "1531420618", "", at, core.ErrUnauthorized},
		{"no time", example, "", signature, at, core.ErrUnauthorized},
		{"a time that is none", example, "now", signature, at, core.ErrUnauthorized},
		{"a time beyond reckoning", example, "9223372036854775807", signature, at, core.ErrUnauthorized},
		{"upper case", example, "1531420618", strings.ToUpper(signature), at, core.ErrUnauthorized},
		{"without version", example, "1531420618", strings.TrimPrefix(signature, "v0="), at, core.ErrUnauthorized},
		{"cut short", example, "1531420618", signature[:len(signature)-1], at, core.ErrUnauthorized},
	}
	ch := open(t, accepting(), nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			header.Set("X-Slack-Request-Timestamp", tt.stamp)
			header.Set("X-Slack-Signature", tt.signature)
			cb := core.Callback{Method: http.MethodPost, Header: header, Body: []byte(tt.body), Now: tt.now}
			reply, updates, err := ch.Decode(context.Background(), cb)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil && (len(updates) > 0 || len(reply.Body) > 0) {
				t.Errorf("got %d updates and reply %q with the error, want nothing", len(updates), reply.Body)
			}
		})
	}
}

func TestAHandshakeIsSignedLikeAnyOther(t *testing.T) {
	cb := signed(`{"type":"url_verification","challenge":"abc"}`, now)
	cb.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64))
	reply, _, err := open(t, accepting(), nil).Decode(context.Background(), cb)
	if !errors.Is(err, core.ErrUnauthorized) || len(reply.Body) > 0 {
		t.Errorf("got %v and %q, want ErrUnauthorized and nothing", err, reply.Body)
	}
}

func TestWithoutATeamEveryUpdateIsOurs(t *testing.T) {
	ch := open(t, accepting(), nil)
	for _, body := range []string{
		`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"message","channel":"D1","user":"U1","text":"hi","ts":"1.2"}}`,
		`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{}}`,
		`command=%2Fstop&user_id=U1&team_id=T1`,
	} {
		_, updates, err := ch.Decode(context.Background(), signed(body, now))
		if err != nil || len(updates) != 1 {
			t.Fatalf("got %d updates, %v, want 1", len(updates), err)
		}
		if updates[0].Account != "" {
			t.Errorf("%.40s: got account %q, want none", body, updates[0].Account)
		}
	}
}

func TestTheSameCallbackHasTheSameID(t *testing.T) {
	ch := open(t, accepting(), nil)
	for _, body := range []string{
		`{"type":"event_callback","event_id":"Ev1","event":{"type":"message","channel":"D1","user":"U1","text":"hi","ts":"1.2"}}`,
		`{"type":"app_rate_limited"}`, `command=%2Fstop&user_id=U1`, `rubbish`,
	} {
		first, again := signed(body, now), signed(body, now.Add(time.Minute))
		again.Header.Set("X-Slack-Retry-Num", "1")
		again.Header.Set("X-Slack-Retry-Reason", "http_timeout")
		_, a, errA := ch.Decode(context.Background(), first)
		_, b, errB := ch.Decode(context.Background(), again)
		if errA != nil || errB != nil || len(a) != 1 || len(b) != 1 {
			t.Fatalf("%.40s: got %v, %v, want one update each", body, errA, errB)
		}
		if a[0].ID == "" || a[0].ID != b[0].ID {
			t.Errorf("%.40s: got ids %q and %q, want the same", body, a[0].ID, b[0].ID)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"message","channel":"D1","user":"U1","text":"<https://a|b> &lt;","ts":"1.2","files":[{"id":"F1"}]}}`,
		`{"type":"event_callback","event":{"type":"message","subtype":"message_changed","channel":"D1","message":{"user":"U1","ts":"1"}}}`,
		`{"type":"event_callback","event":null,"event_id":7}`, `{"type":"url_verification","challenge":"x"}`, `{"type":"app_rate_limited"}`,
		`payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22U1%22%7D%2C%22actions%22%3A%5B%7B%22value%22%3A%22a%22%7D%5D%7D`,
		`command=%2Flink&text=ABC&user_id=U1`, `ssl_check=1`, ``, `[]`, `{`, `%zz`,
	} {
		f.Add(body)
	}
	c := Defaults()
	c.BotToken, c.SigningSecret, c.TeamID = testToken, testSecret, "T1"
	opened, err := c.Open(core.Env{HTTP: &http.Client{Transport: accepting()}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		_, updates, err := opened.(core.Listener).Decode(context.Background(), signed(body, now))
		if err != nil {
			t.Fatalf("a signed callback: got %v, want no error", err)
		}
		ids := map[string]bool{}
		for _, u := range updates {
			if u.ID == "" || ids[u.ID] {
				t.Errorf("id: got %q, want one for each update", u.ID)
			}
			ids[u.ID] = true
			switch u.Kind {
			case core.UpdateText, core.UpdateEdited, core.UpdateButton, core.UpdateOptIn:
				if u.From.Value == "" {
					t.Errorf("%s: got no sender, want one", u.Kind)
				}
			case core.UpdateUnreadable:
				if string(u.Raw) != body || u.Problem == "" {
					t.Errorf("unreadable: got %d bytes and problem %q, want the body and a reason", len(u.Raw), u.Problem)
				}
			case core.UpdateOther:
			default:
				t.Errorf("got kind %q, which Slack does not have", u.Kind)
			}
		}
	})
}

func FuzzReadable(f *testing.F) {
	for _, s := range []string{"<https://a|b>", "&amp;lt;", "<>", "<|>", "<@U1|x> <!here>", "a < b", "<mailto:a@b|a@b>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		// What a customer types reaches us escaped; we want it as typed.
		if got := readable(escape(typed)); got != typed {
			t.Errorf("got %q, want %q", got, typed)
		}
		_ = readable(typed) // must not panic on what Slack would never send
	})
}
