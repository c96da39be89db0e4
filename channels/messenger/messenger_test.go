package messenger

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	testToken  = "EAAtoken+/=x|y"
	testSecret = "app-secret"
)

func testConfig() *Config {
	c := Defaults()
	c.PageID = "1234567890"
	c.PageToken = testToken
	c.AppID = "99"
	c.AppSecret = testSecret
	c.VerifyToken = "verify-me"
	return c
}

// roundTripper is a platform in memory.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func open(t testing.TB, platform http.RoundTripper) *channel {
	t.Helper()
	ch, err := testConfig().Open(core.Env{Name: "messenger", HTTP: &http.Client{Transport: platform}})
	if err != nil {
		t.Fatal(err)
	}
	return ch.(*channel)
}

// respond is a platform that always answers the same.
func respond(status int, body string, header ...string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func post(body []byte, signature string) core.Callback {
	h := http.Header{}
	if signature != "" {
		h.Set("X-Hub-Signature-256", signature)
	}
	return core.Callback{Method: http.MethodPost, Header: h, Body: body}
}

func decodeSigned(t testing.TB, c *channel, body []byte) []core.Update {
	t.Helper()
	_, updates, err := c.Decode(context.Background(), post(body, sign(testSecret, body)))
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return updates
}

// golden compares got, indented, with the file and rewrites it under -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", "  "); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, got)
	}
	indented.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// inputs returns the input files of a folder of testdata by name.
func inputs(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.in.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs in %s: %v", folder, err)
	}
	found := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(file), ".in.json")] = body
	}
	return found
}
