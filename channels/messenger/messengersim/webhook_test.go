package messengersim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
)

// seen is an event without sender, recipient and times.
func seen(e map[string]any) string {
	for _, k := range []string{"message", "postback", "referral", "optin", "delivery", "read", "reaction", "message_edit"} {
		if v, ok := e[k]; ok {
			raw, _ := json.Marshal(v)
			return k + string(raw)
		}
	}
	return "?"
}

func TestWhatCustomersDoReachesTheWebhook(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(p *page) error
		want []string
	}{
		{"say", func(p *page) error { _, err := p.Say(p.t.Context(), "7001", "grüß 😀"); return err },
			[]string{`message{"mid":"m_in00000001","text":"grüß 😀"}`}},
		{"reply", func(p *page) error {
			id, _ := p.Say(p.t.Context(), "7001", "a")
			_, err := p.ReplyTo(p.t.Context(), "7001", id, "b")
			return err
		}, []string{`message{"mid":"m_in00000001","text":"a"}`,
			`message{"mid":"m_in00000002","reply_to":{"is_self_reply":true,"mid":"m_in00000001"},"text":"b"}`}},
		{"photo", func(p *page) error {
			_, err := p.SendPhoto(p.t.Context(), "7001", "https://x.example/a.png", "")
			return err
		}, []string{`message{"attachments":[{"payload":{"url":"https://x.example/a.png"},"type":"image"}],"mid":"m_in00000001"}`}},
		{"get started", func(p *page) error { return p.GetStarted(p.t.Context(), "7001") },
			[]string{`postback{"mid":"m_in00000001","payload":"GET_STARTED","title":"Get Started"}`}},
		{"m.me in a new thread", func(p *page) error { return p.OptIn(p.t.Context(), "7001", "tok-1", "mme") },
			[]string{`postback{"mid":"m_in00000001","payload":"GET_STARTED","referral":{"ref":"tok-1","source":"SHORTLINK","type":"OPEN_THREAD"},"title":"Get Started"}`}},
		{"m.me in an existing thread", func(p *page) error {
			_, _ = p.Say(p.t.Context(), "7001", "a")
			return p.OptIn(p.t.Context(), "7001", "tok-1", "")
		}, []string{`message{"mid":"m_in00000001","text":"a"}`, `referral{"ref":"tok-1","source":"SHORTLINK","type":"OPEN_THREAD"}`}},
		{"plugin", func(p *page) error { return p.OptIn(p.t.Context(), "7001", "tok-1", "plugin") }, []string{`optin{"ref":"tok-1"}`}},
		{"checkbox", func(p *page) error { return p.OptIn(p.t.Context(), "7001", "tok-1", "checkbox") },
			[]string{`optin{"ref":"tok-1","user_ref":"uref-00000001"}`}},
		{"edit", func(p *page) error {
			id, _ := p.Say(p.t.Context(), "7001", "a")
			return p.Edit(p.t.Context(), "7001", id, "b")
		}, []string{`message{"mid":"m_in00000001","text":"a"}`, `message_edit{"mid":"m_in00000001","num_edit":1,"text":"b"}`}},
		{"react", func(p *page) error {
			id, _ := p.Say(p.t.Context(), "7001", "a")
			return p.React(p.t.Context(), "7001", id, "👍")
		}, []string{`message{"mid":"m_in00000001","text":"a"}`, `reaction{"action":"react","emoji":"👍","mid":"m_in00000001","reaction":"other"}`}},
		{"read", func(p *page) error { return p.Read(p.t.Context(), "7001") }, []string{`read{"watermark":1795341600000}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPage(t, nil)
			if err := tt.do(p); err != nil {
				t.Fatal(err)
			}
			p.settle()
			var got []string
			for _, e := range p.gateway.events {
				got = append(got, seen(e))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWebhooksAreEscapedAsMetaDoes(t *testing.T) {
	p := newPage(t, nil)
	_, _ = p.Say(t.Context(), "7001", "ü/😀")
	p.settle()
	if got, want := p.gateway.bodies[0], `"text":"\u00fc\/\ud83d\ude00"`; !strings.Contains(got, want) {
		t.Errorf("body %s does not contain %s", got, want)
	}
}

func TestPress(t *testing.T) {
	p := newPage(t, func(o *messengersim.Options) { o.NoEchoes = true })
	_, _ = p.Say(t.Context(), "7001", "hi")
	p.send(buttons(1, `{"type":"postback","title":"Yes","payload":"Y"}`))
	p.send(message(`{"text":"a","quick_replies":[{"content_type":"text","title":"No","payload":"N"}]}`))
	for _, button := range []string{"Yes", "Y", "N"} {
		if err := p.Press(t.Context(), "7001", "", button); err != nil {
			t.Errorf("press %s: %v", button, err)
		}
	}
	if err := p.Press(t.Context(), "7001", "", "Maybe"); err == nil {
		t.Error("a button that is not there was pressed")
	}
	p.settle()
	if got, want := seen(p.gateway.events[3]), `message{"mid":"m_in00000006","quick_reply":{"payload":"N"},"text":"No"}`; got != want {
		t.Errorf("quick reply: got %s, want %s", got, want)
	}
}

func TestEchoesAndReceipts(t *testing.T) {
	p := newPage(t, func(o *messengersim.Options) { o.Receipts = true })
	_, _ = p.Say(t.Context(), "7001", "hi")
	p.send(message(`{"text":"hello","metadata":"key-1"}`))
	p.settle()
	var got []string
	for _, e := range p.gateway.events[1:] {
		got = append(got, seen(e))
	}
	want := []string{
		`message{"app_id":99,"is_echo":true,"metadata":"key-1","mid":"m_00000002","text":"hello"}`,
		`delivery{"mids":["m_00000002"],"watermark":1795341600000}`,
		`read{"watermark":1795341600000}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if sender := p.gateway.events[1]["sender"].(map[string]any)["id"]; sender != "555" {
		t.Errorf("sender of the echo: got %v, want the Page", sender)
	}
}

func TestCheckboxHidesThePersonUntilTheyWrite(t *testing.T) {
	p := newPage(t, nil)
	ref, err := p.Checkbox(t.Context(), "7001", "tok-1")
	if err != nil {
		t.Fatal(err)
	}
	_, out := p.call(http.MethodPost, "/me/messages", `{"recipient":{"user_ref":"`+ref+`"},"messaging_type":"UPDATE","message":{"text":"hello"}}`)
	if _, told := out["recipient_id"]; told || out["message_id"] == nil {
		t.Errorf("answer: got %v, want a message_id alone", out)
	}
	_, _ = p.Say(t.Context(), "7001", "thanks")
	p.settle()
	if got := len(p.gateway.events); got != 2 { // opt-in and message, no echo
		t.Fatalf("events: got %d, want 2", got)
	}
	if _, told := p.gateway.events[0]["sender"]; told {
		t.Error("the opt-in tells its sender")
	}
	if p.gateway.events[1]["prior_message"] == nil {
		t.Error("the first message does not say whose user_ref it ends")
	}
}

func TestBatchIsOnePost(t *testing.T) {
	p := newPage(t, nil)
	if _, err := p.SayBatch(t.Context(), []messengersim.Inbound{{"1", "a"}, {"2", "b"}, {"1", "c"}}); err != nil {
		t.Fatal(err)
	}
	p.settle()
	if p.gateway.posts != 1 || len(p.gateway.events) != 3 {
		t.Errorf("got %d posts with %d events, want 1 with 3", p.gateway.posts, len(p.gateway.events))
	}
}

func TestForgedWebhooks(t *testing.T) {
	p := newPage(t, nil)
	p.Webhooks().Twist(1, emulator.Twist{Forge: true})
	_, _ = p.Say(t.Context(), "7001", "a")
	p.settle()
	if p.gateway.badSig != 1 || p.gateway.posts != 0 {
		t.Errorf("got %d refused and %d accepted, want 1 and 0", p.gateway.badSig, p.gateway.posts)
	}
}

func TestHandshakeAndSubscriptions(t *testing.T) {
	p := newPage(t, nil)
	if err := p.Handshake(t.Context()); err != nil {
		t.Errorf("handshake: %v", err)
	}
	for _, tt := range []struct {
		verify string
		want   int
	}{{"verify", http.StatusOK}, {"other", http.StatusBadRequest}} {
		status, out := p.call(http.MethodPost, "/99/subscriptions?access_token=99|appsecret",
			`{"object":"page","callback_url":"http://gateway/other","verify_token":"`+tt.verify+`","fields":"messages"}`)
		if status != tt.want {
			t.Errorf("%s: got %d %v, want %d", tt.verify, status, out, tt.want)
		}
	}
	if got, want := p.Webhooks().URL(), "http://gateway/other"; got != want {
		t.Errorf("url: got %s, want %s", got, want)
	}
}

func TestOnlySubscribedFieldsAreSent(t *testing.T) {
	p := newPage(t, nil)
	if status, out := p.call(http.MethodPost, "/555/subscribed_apps?subscribed_fields=messages,messaging_postbacks", ""); status != http.StatusOK {
		t.Fatalf("got %d %v", status, out)
	}
	_, _ = p.Say(t.Context(), "7001", "a")
	p.send(textMessage("echo me"))
	_ = p.Read(t.Context(), "7001")
	p.settle()
	if got := len(p.gateway.events); got != 1 {
		t.Errorf("events: got %d, want 1", got)
	}
}

func TestProfileAndMatching(t *testing.T) {
	p := newPage(t, func(o *messengersim.Options) {
		o.Users = []messengersim.User{{PSID: "7001", ASID: "42", FirstName: "Ines", Locale: "pt_PT"}}
	})
	if _, out := p.call(http.MethodGet, "/7001?fields=first_name,locale", ""); !cmp.Equal(out, map[string]any{"id": "7001", "first_name": "Ines", "locale": "pt_PT"}) {
		t.Errorf("profile: got %v", out)
	}
	if status, _ := p.call(http.MethodGet, "/7002?fields=first_name", ""); status != http.StatusBadRequest {
		t.Errorf("profile of a stranger: got %d, want 400", status)
	}
	if _, out := p.call(http.MethodGet, "/42/ids_for_pages?page=555&access_token=99|appsecret", ""); len(out["data"].([]any)) != 0 {
		t.Errorf("ids_for_pages of somebody who never wrote: got %v, want none", out)
	}
	if _, err := p.Say(t.Context(), "7001", "Hello"); err != nil {
		t.Fatal(err)
	}
	_, out := p.call(http.MethodGet, "/42/ids_for_pages?page=555&access_token=99|appsecret", "")
	if data, _ := out["data"].([]any); len(data) != 1 || data[0].(map[string]any)["id"] != "7001" {
		t.Errorf("ids_for_pages: got %v", out)
	}
}

func TestBlockedPeopleAreUnavailable(t *testing.T) {
	p := newPage(t, nil)
	_, _ = p.Say(t.Context(), "7001", "a")
	p.Block("7001")
	if code, _ := p.send(textMessage("a")); code != "551/1545041" {
		t.Errorf("got %q, want 551/1545041", code)
	}
	p.Unblock("7001")
	if code, _ := p.send(textMessage("a")); code != "" {
		t.Errorf("after unblocking: got %q, want none", code)
	}
}

func TestPageRate(t *testing.T) {
	p := newPage(t, nil)
	_, _ = p.Say(t.Context(), "7001", "a")
	for range 300 {
		if code, text := p.send(textMessage("a")); code != "" {
			t.Fatalf("within the rate: got %s %s", code, text)
		}
	}
	if code, _ := p.send(textMessage("a")); code != "613" {
		t.Errorf("over the rate: got %q, want 613", code)
	}
	p.pass(time.Second)
	if code, _ := p.send(textMessage("a")); code != "" {
		t.Errorf("a second later: got %q, want none", code)
	}
}
