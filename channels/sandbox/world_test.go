package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/sandbox"
)

const base = "http://127.0.0.1:8080"

// request is one that reached the gateway.
type request struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// stub stands for the gateway: it records what comes and answers as told.
type stub struct {
	mu     sync.Mutex
	seen   []request
	answer func(w http.ResponseWriter, r request)
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	req := request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body}
	s.mu.Lock()
	s.seen = append(s.seen, req)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		answer(w, req)
	}
}

// got returns the requests to a path, oldest first.
func (s *stub) got(path string) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.seen), func(r request) bool { return r.Path != path })
}

// world is a sandbox beside a stub of the gateway, on one listener.
type world struct {
	*testing.T
	box     *sandbox.Sandbox
	gateway *stub
	secrets sandbox.Secrets
	client  *http.Client
}

// inWorld runs a test in virtual time.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var all http.Handler
		w := &world{T: t, gateway: &stub{}, secrets: sandbox.NewSecrets()}
		w.client = &http.Client{Transport: emulator.Transport(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { all.ServeHTTP(rw, r) }))}
		w.box = sandbox.New(sandbox.Options{Gateway: base + "/", Secrets: w.secrets, Client: w.client})
		all = w.box.Beside(w.gateway)
		defer w.box.Close()
		test(w)
	})
}

// ask makes a request with a JSON body, none when in is nil.
func (w *world) ask(method, path string, in any, change ...func(*http.Request)) (int, http.Header, []byte) {
	w.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			w.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(w.Context(), method, base+path, body)
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(req)
	}
	res, err := w.client.Do(req)
	if err != nil {
		w.Fatalf("%s %s: %v", method, path, err)
	}
	out, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return res.StatusCode, res.Header, out
}

// get and post expect success and decode the answer.
func (w *world) get(path string, out any) {
	w.Helper()
	w.expect(http.MethodGet, path, nil, out)
}

func (w *world) post(path string, in, out any) {
	w.Helper()
	w.expect(http.MethodPost, path, in, out)
}

func (w *world) expect(method, path string, in, out any) {
	w.Helper()
	status, _, body := w.ask(method, path, in)
	if status/100 != 2 {
		w.Fatalf("%s %s: got status %d: %s, want success", method, path, status, body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(body, out); err != nil {
		w.Fatalf("%s %s: %v in %s", method, path, err, body)
	}
}

// settle waits until the gateway has every webhook.
func (w *world) settle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	if err := w.box.Settle(ctx); err != nil {
		w.Fatal(err)
	}
	w.box.Shop().Settle()
}

// sendMessenger lets the Page write to somebody, as the gateway would.
func (w *world) sendMessenger(psid, text string) {
	w.Helper()
	w.post("/messenger/v25.0/me/messages?access_token="+w.secrets.PageToken, map[string]any{
		"recipient": map[string]string{"id": psid}, "messaging_type": "RESPONSE", "message": map[string]string{"text": text},
	}, nil)
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.Copy(w, strings.NewReader(body))
}
