package telegram_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tidings/core"
)

// files answers getFile, and keeps one file.
func files(status int, answer string, asked *[]string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		*asked = append(*asked, strings.Replace(r.URL.RequestURI(), testToken, "TOKEN", 1))
		code, body := status, answer
		if strings.HasPrefix(r.URL.Path, "/file/") {
			code, body = 200, "\x89PNG picture"
		}
		return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"image/png"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}, nil
	}
}

func TestFilesAreFetchedByTheirID(t *testing.T) {
	var asked []string
	f := open(t, files(200, `{"ok":true,"result":{"file_path":"photos/cup 1.png"}}`, &asked)).(core.Fetcher)
	got, err := f.Fetch(t.Context(), core.Media{Kind: "image", ID: "F/1", Name: "cup.png"}, 100)
	if err != nil || string(got.Data) != "\x89PNG picture" || got.Name != "cup.png" {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := "[/botTOKEN/getFile?file_id=F%2F1 /file/botTOKEN/photos/cup%201.png]"; fmt.Sprint(asked) != want {
		t.Errorf("got requests %v, want %s", asked, want)
	}
}

func TestFilesThatCannotBeFetchedHaveAClass(t *testing.T) {
	for _, x := range []struct {
		status int
		answer string
		want   core.Class
	}{
		{400, `{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}`, core.Rejected},
		{401, `{"ok":false}`, core.Misconfigured},
		{429, `{"ok":false,"parameters":{"retry_after":3}}`, core.Throttled},
		{502, `<html>`, core.Temporary},
		{200, `no JSON`, core.Rejected},
		{200, `{"ok":true,"result":{"file_path":"/var/lib/bot/secret"}}`, core.Rejected},
		{200, `{"ok":true,"result":{"file_path":"../../other/file"}}`, core.Rejected},
		{200, `{"ok":true,"result":{"file_path":"photos//x"}}`, core.Rejected},
		{200, `{"ok":true,"result":{}}`, core.Rejected},
	} {
		var asked []string
		_, err := open(t, files(x.status, x.answer, &asked)).(core.Fetcher).Fetch(t.Context(), core.Media{ID: "F1"}, 100)
		if core.ClassOf(err) != x.want || len(asked) != 1 {
			t.Errorf("%d %s: got %v after %v, want %s", x.status, x.answer, err, asked, x.want)
		}
		if strings.Contains(err.Error(), testToken) {
			t.Errorf("%v tells the token", err)
		}
	}
	broken := roundTrip(func(r *http.Request) (*http.Response, error) { return nil, errors.New("no way to " + r.URL.String()) })
	_, err := open(t, broken).(core.Fetcher).Fetch(t.Context(), core.Media{ID: "F1"}, 100)
	if core.ClassOf(err) != core.Temporary || strings.Contains(err.Error(), testToken) {
		t.Errorf("got %v", err)
	}
}
