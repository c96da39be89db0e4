package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
)

// ask makes a request of a control surface and decodes its answer.
func ask(t *testing.T, h http.Handler, method, path, body string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, w.Body)
	}
	return w.Code, out
}

func TestControl(t *testing.T) {
	h := &hook{}
	sim := messengersim.New(messengersim.Options{
		PageID: "555", PageToken: "tok", AppID: "99", AppSecret: "s",
		WebhookURL: "http://gateway/hook", Client: &http.Client{Transport: emulator.Transport(h)},
	})
	t.Cleanup(sim.Close)
	c := emulator.Control(sim)

	for _, tt := range []struct {
		path, body string
		status     int
	}{
		{"/say", `{"user":"7001","text":"hi"}`, 200},
		{"/say", `{"user":"7001","text":"hi","replyTo":"m_unknown"}`, 400},
		{"/say", `{"user":"7001","words":"hi"}`, 400},
		{"/say", `nonsense`, 400},
		{"/photo", `{"user":"7001","url":"https://x.example/a.png"}`, 200},
		{"/file", `{"user":"7001","file":{"name":"a.png","type":"image/png","data":"iVBORw=="},"text":"look"}`, 200},
		{"/file", `{"user":"7001","file":{"data":"no base64"}}`, 400},
		{"/optin", `{"user":"7002","ref":"token","way":"plugin"}`, 200},
		{"/optin", `{"user":"7002","ref":"token","way":"fax"}`, 400},
		{"/press", `{"user":"7001","message":"","value":"none"}`, 400},
		{"/read", `{"user":"7001"}`, 200},
		{"/know", `{"user":"7003"}`, 200},
		{"/know", `{"user":"7003","at":"2026-11-22T10:00:00Z"}`, 200},
		{"/webhooks", `{"times":1,"copies":2}`, 200},
		{"/webhooks", `{"late":"soon"}`, 400},
		{"/faults", `{"kind":"throttle","times":1,"retryAfter":"2s","method":"messages"}`, 200},
		{"/faults", `[{"clear":true},{"kind":"server_error","times":1}]`, 200},
		{"/faults", `{"kind":"earthquake"}`, 400},
		{"/faults", `{"kind":"throttle","retryAfter":"2 weeks"}`, 400},
		{"/settle", ``, 200},
	} {
		if status, out := ask(t, c, http.MethodPost, tt.path, tt.body); status != tt.status {
			t.Errorf("%s %s: got %d %v, want %d", tt.path, tt.body, status, out, tt.status)
		}
	}

	send := func() int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/v25.0/me/messages?access_token=tok",
			strings.NewReader(`{"recipient":{"id":"7001"},"messaging_type":"RESPONSE","message":{"text":"hello"}}`))
		r.Header.Set("Content-Type", "application/json")
		sim.ServeHTTP(w, r)
		return w.Code
	}
	if got, want := []int{send(), send()}, []int{500, 200}; !cmp.Equal(got, want) {
		t.Errorf("sends: got %v, want %v", got, want)
	}
	_, shown := ask(t, c, http.MethodGet, "/shown?to=7001&wait=1", "")
	if got := len(shown["items"].([]any)); got != 1 {
		t.Errorf("shown: got %d items, want 1", got)
	}
	_, both := ask(t, c, http.MethodGet, "/shown?own=1", "")
	if got := len(both["items"].([]any)); got != 5 {
		t.Errorf("shown with the customers' own: got %d items, want 5", got)
	}
	_, stats := ask(t, c, http.MethodGet, "/stats", "")
	if stats["requests"] != 2.0 || stats["injected"] != 1.0 || stats["shown"] != 1.0 {
		t.Errorf("stats: got %v", stats)
	}
	ask(t, c, http.MethodPost, "/reset", "")
	if _, stats = ask(t, c, http.MethodGet, "/stats", ""); stats["requests"] != 0.0 || stats["shown"] != 0.0 {
		t.Errorf("stats after reset: got %v", stats)
	}
}
