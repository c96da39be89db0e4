package clients

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"tidings/channels/slack/slacksim"
)

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// callback is a webhook whose signature slack-go has verified.
type callback struct {
	header http.Header
	body   []byte
}

// slackHook is a webhook that verifies as slack-go's documentation shows.
func slackHook(t *testing.T, got chan<- callback) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		verifier, err := slack.NewSecretsVerifier(r.Header, signingSecret)
		if err != nil {
			t.Errorf("headers: %v", err)
			return
		}
		_, _ = verifier.Write(body)
		if err := verifier.Ensure(); err != nil {
			t.Errorf("signature: %v", err)
		}
		got <- callback{r.Header, body}
		w.WriteHeader(http.StatusOK)
	})
}

func TestSlackGoReadsWebhooks(t *testing.T) {
	hooks := make(chan callback, 10)
	s := slacksim.New(slacksim.Options{
		BotToken: "xoxb-1", SigningSecret: signingSecret, WebhookURL: serve(t, slackHook(t, hooks)), NoEchoes: true,
		Users: []slacksim.User{{ID: "U1", Name: "ines"}},
	})
	t.Cleanup(s.Close)

	if _, err := s.Say(t.Context(), "U1", "where is <it> & co?"); err != nil {
		t.Fatal(err)
	}
	event, err := slackevents.ParseEvent(json.RawMessage(receive(t, hooks).body), slackevents.OptionNoVerifyToken())
	if err != nil {
		t.Fatal(err)
	}
	message, ok := event.InnerEvent.Data.(*slackevents.MessageEvent)
	if !ok || message.User != "U1" || message.ChannelType != "im" || message.Text != "where is &lt;it&gt; &amp; co?" {
		t.Errorf("message: got %+v", event.InnerEvent.Data)
	}

	api := slack.New("xoxb-1", slack.OptionAPIURL(serve(t, s)+"/api/"))
	button := slack.NewButtonBlockElement("a1", "help", slack.NewTextBlockObject(slack.PlainTextType, "Help", false, false))
	_, ts, err := api.PostMessageContext(t.Context(), "U1", slack.MsgOptionText("Order 17", false), slack.MsgOptionBlocks(slack.NewActionBlock("b1", button)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Press(t.Context(), "U1", ts, "help"); err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(string(receive(t, hooks).body))
	if err != nil {
		t.Fatal(err)
	}
	var press slack.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &press); err != nil {
		t.Fatal(err)
	}
	if press.Type != slack.InteractionTypeBlockActions || press.User.ID != "U1" || press.Container.MessageTs != ts ||
		len(press.ActionCallback.BlockActions) != 1 || press.ActionCallback.BlockActions[0].Value != "help" {
		t.Errorf("press: got %+v", press)
	}
}

func TestSlackGoReadsCommands(t *testing.T) {
	hooks := make(chan callback, 10)
	s := slacksim.New(slacksim.Options{BotToken: "xoxb-1", SigningSecret: signingSecret, WebhookURL: serve(t, slackHook(t, hooks)), NoEchoes: true})
	t.Cleanup(s.Close)
	if err := s.Slash(t.Context(), "U1", "/link", "CODE 1"); err != nil {
		t.Fatal(err)
	}
	got := receive(t, hooks)
	form, err := url.ParseQuery(string(got.body))
	if err != nil {
		t.Fatal(err)
	}
	command, err := slack.SlashCommandParse(&http.Request{Method: http.MethodPost, Header: got.header, Form: form, PostForm: form})
	if err != nil || command.Command != "/link" || command.Text != "CODE 1" || command.UserID != "U1" || command.TriggerID == "" {
		t.Errorf("command: got %+v, %v", command, err)
	}
}
