package core

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// trip answers by what a request asks for.
type trip func(*http.Request) (int, http.Header, string)

func (t trip) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header, body := t(r)
	if status == 0 {
		return nil, errors.New("no connection to " + r.URL.String())
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r}, nil
}

func download(d Download, t trip) (File, error) {
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return d.Fetch(context.Background(), client, time.Unix(0, 0))
}

func TestFilesAreFetchedFromThePlatformOnly(t *testing.T) {
	for from, want := range map[string]bool{
		"https://cdn.files.example/a":        true,
		"https://files.example/a":            false, // the suffix has a dot
		"https://one.example/a":              true,
		"https://ONE.example:443/a":          true,
		"http://api.test:81/file":            true, // as configured
		"http://one.example/a":               false,
		"https://one.example:8443/a":         false,
		"https://one.example@10.0.0.1/a":     false,
		"https://user@one.example/a":         false,
		"https://one.example.attacker.net/a": false,
		"https://evil-files.example/a":       false,
		"http://169.254.169.254/latest":      false,
		"https://127.0.0.1/a":                false,
		"http://api.test/file":               false,
		"file:///etc/passwd":                 false,
		"//one.example/a":                    false,
		"":                                   false,
	} {
		asked := false
		f, err := download(Download{URL: from, Hosts: []string{".files.example", "one.example"}, API: "http://api.test:81/v1", MaxBytes: 10}, func(*http.Request) (int, http.Header, string) {
			asked = true
			return 200, http.Header{"Content-Type": {"image/png"}}, "data"
		})
		if asked != want || (err == nil) != want {
			t.Errorf("%s: got asked %t, %v; want %t", from, asked, err, want)
		}
		if want && !bytes.Equal(f.Data, []byte("data")) {
			t.Errorf("%s: got %q", from, f.Data)
		}
		if err != nil && ClassOf(err) != Rejected {
			t.Errorf("%s: got %v", from, err)
		}
	}
}

func TestRedirectsStayOnThePlatformAndTakeNoToken(t *testing.T) {
	d := Download{URL: "https://one.example/a", Hosts: []string{"one.example", "two.example"}, Header: http.Header{"Authorization": {"Bearer secret"}}, MaxBytes: 10}
	to := func(where string) trip {
		return func(r *http.Request) (int, http.Header, string) {
			if r.URL.Host == "one.example" && r.URL.Path == "/a" {
				return 302, http.Header{"Location": {where}}, ""
			}
			if r.Header.Get("Authorization") != "" {
				t.Error("the token went on")
			}
			return 200, nil, "data"
		}
	}
	if f, err := download(d, to("https://two.example/b")); err != nil || string(f.Data) != "data" {
		t.Errorf("got %q, %v", f.Data, err)
	}
	for _, where := range []string{"https://evil.example/b", "http://two.example/b", "http://10.0.0.1/", "/a"} {
		if _, err := download(d, to(where)); ClassOf(err) != Rejected {
			t.Errorf("%s: got %v", where, err)
		}
	}
}

func TestFilesHaveASizeAndEveryAnswerAClass(t *testing.T) {
	for _, x := range []struct {
		status int
		body   string
		want   Class
	}{
		{200, "0123456789", ""}, {200, "0123456789x", Rejected}, {404, "", Rejected}, {403, "", Rejected}, {410, "", Rejected},
		{500, "", Temporary}, {429, "", Throttled}, {0, "", Temporary}, {204, "", Rejected},
	} {
		_, err := download(Download{URL: "https://one.example/secret-path", Hosts: []string{"one.example"}, MaxBytes: 10}, func(*http.Request) (int, http.Header, string) {
			return x.status, http.Header{"Retry-After": {"7"}}, x.body
		})
		if x.want == "" && err != nil || x.want != "" && ClassOf(err) != x.want {
			t.Errorf("%d: got %v, want %q", x.status, err, x.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%v tells the address", err)
		}
		if e, ok := errors.AsType[*SendError](err); ok && x.want == Throttled && e.RetryAfter != 7*time.Second {
			t.Errorf("got %v", e.RetryAfter)
		}
	}
}
