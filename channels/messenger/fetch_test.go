package messenger

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"tidings/core"
)

type cdn func(*http.Request) int

func (f cdn) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f(r), Header: http.Header{}, Body: io.NopCloser(strings.NewReader("data")), ContentLength: -1}, nil
}

func TestAttachmentsAreFetchedFromMetaOnlyAndWithoutToken(t *testing.T) {
	for place, want := range map[string]bool{
		"https://scontent-fra5-1.xx.fbcdn.net/v/t1.15752-9/cup.jpg?oh=1&oe=2": true,
		"https://cdn.fbsbx.com/v/t59/file.pdf":                                true,
		"https://fbcdn.net.evil.example/cup.jpg":                              false,
		"https://evilfbcdn.net/cup.jpg":                                       false,
		"http://scontent.xx.fbcdn.net/cup.jpg":                                false,
		"http://10.0.0.1/latest/meta-data":                                    false,
		"":                                                                    false,
	} {
		conf := Config{PageToken: "page-token", APIURL: "https://graph.facebook.com/v25.0"}
		ch, err := conf.Open(core.Env{HTTP: &http.Client{Transport: cdn(func(r *http.Request) int {
			if strings.Contains(r.URL.String(), "page-token") || r.Header.Get("Authorization") != "" {
				t.Errorf("%s: a token went along", place)
			}
			return 200
		})}})
		if err != nil {
			t.Fatal(err)
		}
		f, err := ch.(core.Fetcher).Fetch(t.Context(), core.Media{Kind: "image", URL: place}, 100)
		if (err == nil) != want || want && string(f.Data) != "data" {
			t.Errorf("%q: got %q, %v", place, f.Data, err)
		}
		if !want && core.ClassOf(err) != core.Rejected {
			t.Errorf("%q: got %v", place, err)
		}
	}
}
