package slack_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"tidings/channels/slack"
	"tidings/core"
)

type tripFunc func(*http.Request) (int, string, string)

func (f tripFunc) RoundTrip(r *http.Request) (*http.Response, error) {
	status, kind, body := f(r)
	header := http.Header{"Content-Type": {kind}}
	if status == http.StatusFound {
		header = http.Header{"Location": {kind}}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}, nil
}

const fileToken = "xoxb-token-for-files"

func fetch(t *testing.T, trip tripFunc) (core.File, error) {
	t.Helper()
	conf := slack.Config{BotToken: fileToken, SigningSecret: "s", APIURL: "https://slack.com/api"}
	ch, err := conf.Open(core.Env{HTTP: &http.Client{Transport: trip}})
	if err != nil {
		t.Fatal(err)
	}
	return ch.(core.Fetcher).Fetch(t.Context(), core.Media{Kind: "image", ID: "F1", Name: "cup.png", Text: "image/png"}, 100)
}

func TestFilesAreFetchedWithTheTokenFromSlackOnly(t *testing.T) {
	for place, want := range map[string]bool{
		"https://files.slack.com/files-pri/T1-F1/download/cup.png": true,
		"https://files.slack.com.evil.example/cup.png":             false,
		"https://evil.example/cup.png":                             false,
		"http://files.slack.com/cup.png":                           false,
		"http://127.0.0.1/cup.png":                                 false,
	} {
		got, err := fetch(t, func(r *http.Request) (int, string, string) {
			if r.URL.Path == "/api/files.info" {
				return 200, "application/json", `{"ok":true,"file":{"url_private_download":"` + place + `"}}`
			}
			if r.Header.Get("Authorization") != "Bearer "+fileToken || !want {
				t.Errorf("%s: got a request to %s with %q", place, r.URL.Host, r.Header.Get("Authorization"))
			}
			return 200, "image/png", "data"
		})
		if want != (err == nil) || want && string(got.Data) != "data" {
			t.Errorf("%s: got %q, %v", place, got.Data, err)
		}
	}
}

func TestFilesThatCannotBeFetchedHaveAClass(t *testing.T) {
	for answer, want := range map[string]core.Class{
		`{"ok":false,"error":"file_not_found"}`: core.Rejected,
		`{"ok":false,"error":"missing_scope"}`:  core.Misconfigured,
		`{"ok":false,"error":"ratelimited"}`:    core.Throttled,
		`no JSON`:                               core.Rejected,
		`{"ok":true}`:                           core.Rejected,
	} {
		_, err := fetch(t, func(*http.Request) (int, string, string) { return 200, "application/json", answer })
		if core.ClassOf(err) != want {
			t.Errorf("%s: got %v, want %s", answer, err, want)
		}
	}
	_, err := fetch(t, func(r *http.Request) (int, string, string) {
		if r.URL.Path == "/api/files.info" {
			return 200, "application/json", `{"ok":true,"file":{"url_private":"https://files.slack.com/x"}}`
		}
		return 200, "text/html; charset=utf-8", "<html>Sign in"
	})
	if core.ClassOf(err) != core.Misconfigured || !strings.Contains(err.Error(), "files:read") {
		t.Errorf("the login: got %v", err)
	}
	_, err = fetch(t, func(r *http.Request) (int, string, string) {
		if r.URL.Path == "/api/files.info" {
			return 200, "application/json", `{"ok":true,"file":{"url_private":"https://files.slack.com/x"}}`
		}
		return 302, "https://team.slack.com/?redir=%2Fx", ""
	})
	if core.ClassOf(err) != core.Misconfigured || !strings.Contains(err.Error(), "files:read") {
		t.Errorf("led to the login: got %v", err)
	}
}
