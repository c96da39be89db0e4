package clients

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"tidings/channels/emulator"
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

func TestSlackGoFetchesFiles(t *testing.T) {
	late := http.NewServeMux()
	base := serve(t, late)
	s := slacksim.New(slacksim.Options{BotToken: "xoxb-1", BaseURL: base, Users: []slacksim.User{{ID: "U1", Name: "ines"}}})
	t.Cleanup(s.Close)
	late.Handle("/", s)
	if _, err := s.SendFile(t.Context(), "U1", emulator.File{Name: "broken mug.png", Type: "image/png", Data: []byte("a picture")}, "look"); err != nil {
		t.Fatal(err)
	}
	client := slack.New("xoxb-1", slack.OptionAPIURL(base+"/api/"))
	file, _, _, err := client.GetFileInfoContext(t.Context(), "F000001", 0, 0)
	if err != nil || file.Name != "broken mug.png" || file.Size != 9 {
		t.Fatalf("files.info: got %+v, %v", file, err)
	}
	var got strings.Builder
	if err := client.GetFileContext(t.Context(), file.URLPrivateDownload, &got); err != nil || got.String() != "a picture" {
		t.Errorf("got %q, %v; want the picture", got.String(), err)
	}
	stranger := &http.Client{CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		if to.URL.Host != "emulated.slack.com" || to.URL.Query().Get("redir") != "/files-pri/T1-F000001/download/broken mug.png" {
			t.Errorf("a wrong token is led to %s", to.URL)
		}
		return http.ErrUseLastResponse
	}}
	wrong := slack.New("xoxb-2", slack.OptionAPIURL(base+"/api/"), slack.OptionHTTPClient(stranger))
	if err := wrong.GetFileContext(t.Context(), file.URLPrivateDownload, &got); err == nil {
		t.Errorf("a wrong token: got %q, want no file", got.String())
	}
	if _, _, _, err := client.GetFileInfoContext(t.Context(), "F9", 0, 0); err == nil || err.Error() != "file_not_found" {
		t.Errorf("an unknown file: got %v", err)
	}
}
