package slack

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/core"
)

const (
	testToken  = "xoxb-1234-test-token"
	testSecret = "8f742231b10e8888abcd99yyyzzz85a5" // of Slack's published example
)

// platform answers requests in memory and keeps what it was asked.
type platform struct {
	answer   func(*http.Request) (*http.Response, error)
	requests []*http.Request
	forms    []url.Values
}

func (p *platform) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	p.requests = append(p.requests, req)
	p.forms = append(p.forms, form)
	return p.answer(req)
}

// says is a platform with one answer.
func says(status int, header http.Header, body string) *platform {
	return &platform{answer: func(req *http.Request) (*http.Response, error) {
		if header == nil {
			header = http.Header{}
		}
		return &http.Response{
			Status: http.StatusText(status), StatusCode: status, Header: header, Request: req,
			Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}}
}

func accepting() *platform {
	return says(200, nil, `{"ok":true,"channel":"D09","ts":"1790000000.000100","message":{"type":"message","text":"x"}}`)
}

func open(t *testing.T, p http.RoundTripper, change func(*Config)) *Channel {
	t.Helper()
	c := Defaults()
	c.BotToken, c.SigningSecret = testToken, testSecret
	if change != nil {
		change(c)
	}
	if faults := c.Validate(); len(faults) > 0 {
		t.Fatalf("Validate: got %v, want none", faults)
	}
	ch, err := c.Open(core.Env{Name: "slack", HTTP: &http.Client{Transport: p}})
	if err != nil {
		t.Fatal(err)
	}
	return ch.(*Channel)
}

// golden runs one test per file of a folder. A file holds what goes in and,
// facing it, what must come out; got returns the second from the first.
func golden(t *testing.T, folder string, got func(t *testing.T, in json.RawMessage) any) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/%s: got %d files (%v), want some", folder, len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			compareGolden(t, file, got)
		})
	}
}

type goldenFile struct {
	Why string          `json:"why"`
	In  json.RawMessage `json:"in"`
	Out json.RawMessage `json:"out"`
}

func compareGolden(t *testing.T, file string, got func(t *testing.T, in json.RawMessage) any) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g goldenFile
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	have := plainJSON(t, got(t, g.In))
	if os.Getenv("UPDATE_GOLDEN") != "" {
		g.Out = json.RawMessage(have)
		if err := os.WriteFile(file, append(plainJSON(t, g), '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := plainJSON(t, g.Out); !bytes.Equal(have, want) {
		t.Errorf("%s\ngot  %s\nwant %s", g.Why, have, want)
	}
}

// plainJSON is v as indented JSON in which < > & stand as they are.
func plainJSON(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}
