package telegram_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/channels/telegram"
	"tidings/core"
)

const (
	testToken  = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	testSecret = "s3cret_Token-of-the-webhook"
)

// roundTrip is a platform in memory.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is a platform that gives every request the same answer.
func answer(status int, body string, headers ...string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		for i := 0; i+1 < len(headers); i += 2 {
			resp.Header.Set(headers[i], headers[i+1])
		}
		return resp, nil
	}
}

// yes is a platform that takes everything.
var yes = answer(200, `{"ok":true,"result":{"message_id":9,"chat":{"id":42,"type":"private"},"date":1790000000,"text":"x"}}`)

func config() *telegram.Config {
	c := telegram.Defaults()
	c.Token, c.SecretToken, c.BotUsername = testToken, testSecret, "my_shop_bot"
	return c
}

func open(t testing.TB, platform http.RoundTripper) core.Channel {
	t.Helper()
	return openWith(t, config(), platform)
}

func openWith(t testing.TB, c *telegram.Config, platform http.RoundTripper) core.Channel {
	t.Helper()
	if faults := c.Validate(); len(faults) > 0 {
		t.Fatalf("Validate() = %v", faults)
	}
	channel, err := c.Open(core.Env{Name: "telegram", HTTP: &http.Client{Transport: platform}})
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	return channel
}

var (
	ines  = core.Address{Value: "42"}
	hello = core.Part{Key: "k-1", N: 1, Of: 1, Text: core.PlainText("Hello")}
)

// failed sends a part that must fail, and returns why.
func failed(t *testing.T, platform http.RoundTripper) *core.SendError {
	t.Helper()
	sent, err := open(t, platform).Send(t.Context(), ines, hello)
	var e *core.SendError
	if !errors.As(err, &e) {
		t.Fatalf("Send() = %v, %v, want a *core.SendError", sent, err)
	}
	return e
}

// cases reads the golden files of a folder into values of type T, by name.
func cases[T any](t *testing.T, dir string) map[string]T {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files in testdata/%s (%v)", dir, err)
	}
	all := make(map[string]T, len(paths))
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var one T
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.DisallowUnknownFields()
		if err := d.Decode(&one); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = one
	}
	return all
}
