package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

func hello() core.Part { return core.Part{Key: "k-1", N: 1, Of: 1, Text: core.PlainText("Hello")} }

func TestSendMakesOneRequestAndReturnsChannelAndTimestamp(t *testing.T) {
	p := accepting()
	sent, err := open(t, p, nil).Send(context.Background(), core.Address{Value: "U1"}, hello())
	if err != nil {
		t.Fatal(err)
	}
	if want := (core.Sent{ID: "D09/1790000000.000100"}); !cmp.Equal(sent, want) {
		t.Errorf("Sent: got %+v, want %+v", sent, want)
	}
	if len(p.requests) != 1 {
		t.Fatalf("requests: got %d, want 1", len(p.requests))
	}
	req, form := p.requests[0], p.forms[0]
	if got, want := req.URL.String(), "https://slack.com/api/chat.postMessage"; got != want {
		t.Errorf("URL: got %s, want %s", got, want)
	}
	if got, want := req.Header.Get("Authorization"), "Bearer "+testToken; got != want {
		t.Errorf("Authorization: got %s, want %s", got, want)
	}
	for key, want := range map[string]string{
		"channel": "U1", "text": "Hello", "mrkdwn": "false", "link_names": "false",
		"unfurl_links": "false", "unfurl_media": "false",
	} {
		if got := form.Get(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if form.Has("blocks") {
		t.Errorf("blocks: got %s, want none", form.Get("blocks"))
	}
}

func TestSendFollowsNoRedirect(t *testing.T) {
	p := says(http.StatusTemporaryRedirect, http.Header{"Location": {"https://elsewhere.example/"}}, "")
	_, err := open(t, p, nil).Send(context.Background(), core.Address{Value: "U1"}, hello())
	if got, want := core.ClassOf(err), core.Misconfigured; got != want {
		t.Errorf("class: got %s (%v), want %s", got, err, want)
	}
	if len(p.requests) != 1 {
		t.Errorf("requests: got %d, want 1: the token is for Slack only", len(p.requests))
	}
}

func TestSendAddsTheMethodToTheConfiguredURL(t *testing.T) {
	for _, base := range []string{"http://127.0.0.1:9/api", "http://127.0.0.1:9/api/"} {
		p := accepting()
		ch := open(t, p, func(c *Config) { c.APIURL = base })
		if _, err := ch.Send(context.Background(), core.Address{Value: "U1"}, hello()); err != nil {
			t.Fatal(err)
		}
		if got, want := p.requests[0].URL.String(), "http://127.0.0.1:9/api/chat.postMessage"; got != want {
			t.Errorf("%s: got %s, want %s", base, got, want)
		}
	}
}

func TestAYesIsAYesWhateverTheEchoedMessageLooksLike(t *testing.T) {
	p := says(200, nil, `{"ok":true,"channel":"D09","ts":"1.2","message":{"text":7,"blocks":"none","edited":[]}}`)
	sent, err := open(t, p, nil).Send(context.Background(), core.Address{Value: "U1"}, hello())
	if err != nil || sent.ID != "D09/1.2" {
		t.Errorf("got %+v, %v, want id D09/1.2", sent, err)
	}
}

func TestSendObeysItsContext(t *testing.T) {
	t.Run("ended before the request", func(t *testing.T) {
		p := accepting()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := open(t, p, nil).Send(ctx, core.Address{Value: "U1"}, hello())
		if got := core.ClassOf(err); got != core.Temporary || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Temporary and context.Canceled", err)
		}
		if len(p.requests) != 0 {
			t.Errorf("requests: got %d, want 0", len(p.requests))
		}
	})
	t.Run("ended during the request", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		p := &platform{answer: func(req *http.Request) (*http.Response, error) {
			cancel()
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}
		_, err := open(t, p, nil).Send(ctx, core.Address{Value: "U1"}, hello())
		if got := core.ClassOf(err); got != core.Uncertain || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Uncertain and context.Canceled", err)
		}
	})
}

func TestWhatCannotBeSentMakesNoRequest(t *testing.T) {
	for name, part := range map[string]core.Part{
		"template":            {Template: &core.Template{Name: "x"}},
		"nothing":             {},
		"white space":         {Text: core.PlainText(" \n ")},
		"picture without URL": {Picture: &core.Picture{Alt: "x"}},
	} {
		p := accepting()
		_, err := open(t, p, nil).Send(context.Background(), core.Address{Value: "U1"}, part)
		if got := core.ClassOf(err); err == nil || got != core.Rejected {
			t.Errorf("%s: got %v, want Rejected", name, err)
		}
		if len(p.requests) != 0 {
			t.Errorf("%s: got %d requests, want 0", name, len(p.requests))
		}
	}
}

func TestSendsOfOneChannelDoNotShareState(t *testing.T) {
	ch := open(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(body), "channel=U0") {
			return says(429, http.Header{"Retry-After": {"7"}}, "").answer(req)
		}
		return accepting().answer(req)
	}), nil)
	done := make(chan error, 20)
	for i := range 20 {
		go func() {
			_, err := ch.Send(context.Background(), core.Address{Value: "U" + string(rune('0'+i%2))}, hello())
			if throttled := core.ClassOf(err) == core.Throttled; throttled != (i%2 == 0) {
				done <- errors.New("an answer reached another request")
				return
			}
			done <- nil
		}()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// shownMessage is a message as the golden files show it.
type shownMessage struct {
	Text   string          `json:"text"`
	Mrkdwn bool            `json:"mrkdwn"`
	Blocks json.RawMessage `json:"blocks,omitempty"`
}

func TestEncodeGolden(t *testing.T) {
	golden(t, "encode", func(t *testing.T, in json.RawMessage) any {
		var part core.Part
		if err := json.Unmarshal(in, &part); err != nil {
			t.Fatal(err)
		}
		p := accepting()
		if _, err := open(t, p, nil).Send(context.Background(), core.Address{Value: "U1"}, part); err != nil {
			t.Fatal(err)
		}
		form := p.forms[0]
		return shownMessage{
			Text:   form.Get("text"),
			Mrkdwn: form.Get("mrkdwn") != "false",
			Blocks: json.RawMessage(form.Get("blocks")),
		}
	})
}

func TestInvitationNamesTheCodeTwice(t *testing.T) {
	got := open(t, accepting(), nil).Invite("token")
	want := core.Invitation{
		TakesCode: true, How: "/link %[1]s, or send %[1]s to the app",
		HowIn: map[string]string{"de": "/link %[1]s, oder %[1]s an die App schicken"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheChannelStandsForItsWorkspace(t *testing.T) {
	app, account := open(t, accepting(), func(c *Config) { c.TeamID = "T1" }).Identity()
	if app != "" || account != "T1" {
		t.Errorf("got %q, %q, want no app and T1", app, account)
	}
}

func TestEveryLimitNamesItsSource(t *testing.T) {
	l := open(t, accepting(), nil).Limits()
	for name, limit := range map[string]core.Limit{
		"Text": l.Text, "Raw": l.Raw, "Caption": l.Caption, "Buttons": l.Buttons,
		"ButtonTitle": l.ButtonTitle, "ButtonValue": l.ButtonValue, "ButtonURL": l.ButtonURL,
	} {
		if limit.Max == 0 || !strings.HasPrefix(limit.Source.URL, "https://") || limit.Source.Read == "" {
			t.Errorf("%s: got %+v, want a number with a source", name, limit)
		}
	}
}

func TestOnlyOnePersonsChatIsAnAddress(t *testing.T) {
	c, ok := core.Channel(open(t, accepting(), nil)).(core.Addressed)
	if !ok {
		t.Fatal("the channel is no core.Addressed")
	}
	for _, good := range []string{"U1", "U012AB3CD", "W012AB3CD"} {
		if problem := c.CheckAddress(good); problem != "" {
			t.Errorf("%q: %s", good, problem)
		}
	}
	for _, bad := range []string{"", "U", "C012AB3CD", "D012AB3CD", "ines", "U1 2", "<@U1>"} {
		if c.CheckAddress(bad) == "" {
			t.Errorf("%q passed", bad)
		}
	}
}
