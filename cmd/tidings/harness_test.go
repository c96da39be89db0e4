package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"text/template"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
	"tidings/channels/slack/slacksim"
	"tidings/channels/telegram/telegramsim"
	"tidings/core/hybris/hybrissim"
)

// The whole-program tests run the built binary as a process, with emulated
// platforms and an emulated shop on loopback, and meet it over HTTP alone.

// Secrets begin with hush, so that one in a log is found whatever it is for.
const (
	hush          = "hush-"
	apiKey        = hush + "api-key"
	readerKey     = hush + "reader-key"
	pageToken     = hush + "page-token"
	appSecret     = hush + "app-secret"
	verifyToken   = hush + "verify-token"
	telegramToken = "7000000001:" + hush + "bot-token"
	secretToken   = hush + "secret-token"
	botToken      = "xoxb-" + hush + "bot-token"
	signingSecret = hush + "signing-secret"
	clientSecret  = hush + "client-secret"
	loginSecret   = hush + "login-secret"
	optInKey      = "aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWh1c2gtaHU="

	publicURL = "https://notify.example.com"

	pageID = "104729"
	appID  = "99"
	teamID = "T1"
	site   = "electronics"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

const (
	messengerName = "messenger"
	telegramName  = "telegram"
	slackName     = "slack"
)

// allChannels are the names of the configured channels.
var allChannels = []string{messengerName, telegramName, slackName}

// conf is what tests vary of the configuration.
type conf struct {
	Listen, Internal                 string
	Store, StoreURL                  string // a file, or another database
	MessengerURL, TelegramURL        string
	SlackURL, ShopURL, TextsDir      string
	Messenger, Telegram, Slack, More string // further lines of the stanzas, and further channels
	Routes, Expires, Poll, Level     string
	Wait, OptInKeys, Objects         string
	Tickets                          string // the stanza, or a desk's name
	Login                            string // logins on all platforms; which of Telegram's two
	Origins                          string // of storefronts, in quotes
	Server, Keys                     string // further lines of its stanza, and further API keys
	// Not of the configuration: how the world around is.
	messengersim messengersim.Options
	shop         hybrissim.Options
	rates        bool                            // platforms refuse what comes too fast
	silent       bool                            // platforms do not echo what we send
	stock        bool                            // the shop lets a trusted client write no tickets
	proxy        func(http.Handler) http.Handler // stands in front of the shop
}

const paceOff = "pace: {off: true}"

// everyone is the simplest list of routes.
const everyone = `
  - name: everyone
    channels: [messenger, telegram, slack]
    deliver: fallback`

var configTemplate = template.Must(template.New("").Parse(`
server:
  listen: "{{.Listen}}"
  internal_listen: "{{.Internal}}"
  public_url: "` + publicURL + `"
  cors_origins: [{{.Origins}}]
  {{.Server}}
  api_keys:
    - {name: shop, key: "` + apiKey + `"}
    - {name: reader, key: "` + readerKey + `", scopes: [messages]}
    {{.Keys}}
store:
  url: "{{or .StoreURL (print "sqlite:" .Store)}}"
commerce:
  type: hybris
  base_url: "{{.ShopURL}}/occ/v2"
  token_url: "{{.ShopURL}}/authorizationserver/oauth/token"
  site: ` + site + `
  client_id: tidings
  client_secret: "` + clientSecret + `"
  timeout: 2s
  wait: {{.Wait}}
  poll: {{.Poll}}
  tickets: {{or .Tickets "trusted"}}
  {{.Objects}}
channels:
  - name: messenger
    type: messenger
    page_id: "` + pageID + `"
    page_token: "` + pageToken + `"
    app_id: "` + appID + `"
    app_secret: "` + appSecret + `"
    verify_token: "` + verifyToken + `"
    api_url: "{{.MessengerURL}}/v25.0"
{{- if .Login}}
    login: facebook
    login_url: "{{.MessengerURL}}/v25.0"
{{- end}}
    {{.Messenger}}
  - name: telegram
    type: telegram
    token: "` + telegramToken + `"
    bot_username: my_shop_bot
    secret_token: "` + secretToken + `"
    api_url: "{{.TelegramURL}}"
{{- if .Login}}
    login: {{.Login}}
    login_url: "{{.TelegramURL}}"
{{- end}}
{{- if eq .Login "openid"}}
    login_client_secret: "` + loginSecret + `"
{{- end}}
    {{.Telegram}}
  - name: slack
    type: slack
    bot_token: "` + botToken + `"
    signing_secret: "` + signingSecret + `"
    api_url: "{{.SlackURL}}/api"
{{- if .Login}}
    team_id: "` + teamID + `"
    client_id: "104.729"
    client_secret: "` + loginSecret + `"
    login_url: "{{.SlackURL}}"
{{- end}}
    {{.Slack}}
  {{.More}}
opt_in:
  keys: [{{.OptInKeys}}]
  expires: {{.Expires}}
texts: {dir: "{{.TextsDir}}", default_locale: en}
routes:
{{.Routes}}
log: {level: {{.Level}}, format: json}
`))

// world is a running gateway with everything around it.
type world struct {
	*testing.T
	conf      conf
	dir       string
	messenger *messengersim.Sim
	telegram  *telegramsim.Sim
	slack     *slacksim.Sim
	shop      *hybrissim.Sim
	sims      map[string]emulator.Sim
	gateway   *process
	client    *http.Client
	private   []string // what no log line may hold
	ids       *atomic.Int64
}

// newWorld opens everything around a gateway, which is not started yet.
func newWorld(t *testing.T, change ...func(*conf)) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{T: t, ids: new(atomic.Int64), dir: dir, private: []string{hush, "@example.com", optInKey}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(w.client.CloseIdleConnections)
	w.conf = conf{
		Listen: freeAddress(t), Internal: freeAddress(t), Store: filepath.Join(dir, "tidings.db"),
		Routes: everyone, Expires: "24h", Poll: "200ms", Wait: "10s", Level: "info", OptInKeys: `"` + optInKey + `"`,
	}
	for _, c := range change {
		c(&w.conf)
	}
	w.openPlatforms()
	w.openShop()
	w.writeConfig()
	return w
}

// start opens a world and starts its gateway.
func start(t *testing.T, change ...func(*conf)) *world {
	t.Helper()
	w := newWorld(t, change...)
	w.startGateway()
	return w
}

func (w *world) openPlatforms() {
	hook := func(channel string) string { return "http://" + w.conf.Listen + "/webhooks/" + channel }
	back := func(channel string) []string { return []string{publicURL + "/auth/" + channel + "/callback"} }
	o := w.conf.messengersim
	o.Redirects, o.RequireProof = back(messengerName), true
	o.PageID, o.PageToken, o.AppID, o.AppSecret, o.VerifyToken = pageID, pageToken, appID, appSecret, verifyToken
	o.WebhookURL, o.Client, o.NoRates, o.NoEchoes = hook(messengerName), w.client, !w.conf.rates, w.conf.silent
	lateMessenger, lateTelegram := http.NewServeMux(), http.NewServeMux()
	w.conf.MessengerURL, w.conf.TelegramURL = w.serve(lateMessenger), w.serve(lateTelegram)
	o.FilesURL = w.conf.MessengerURL
	w.messenger = messengersim.New(o)
	lateMessenger.Handle("/", w.messenger)
	w.telegram = telegramsim.New(telegramsim.Options{
		LoginSecret: loginSecret, LoginURL: w.conf.TelegramURL, Redirects: back(telegramName), Domain: "notify.example.com",
		Token: telegramToken, Username: "my_shop_bot", SecretToken: secretToken, Local: true,
		WebhookURL: hook(telegramName), Client: w.client, NoRates: !w.conf.rates, Seed: o.Seed,
	})
	lateTelegram.Handle("/", w.telegram)
	late := http.NewServeMux()
	w.conf.SlackURL = w.serve(late)
	w.slack = slacksim.New(slacksim.Options{
		TeamID: teamID, ClientID: "104.729", ClientSecret: loginSecret, LoginURL: w.conf.SlackURL, Redirects: back(slackName),
		BotToken: botToken, SigningSecret: signingSecret, BaseURL: w.conf.SlackURL,
		WebhookURL: hook(slackName), Client: w.client, NoRates: !w.conf.rates, NoEchoes: w.conf.silent, Seed: o.Seed,
	})
	late.Handle("/", w.slack)
	w.sims = map[string]emulator.Sim{messengerName: w.messenger, telegramName: w.telegram, slackName: w.slack}
	w.Cleanup(func() { w.messenger.Close(); w.telegram.Close(); w.slack.Close() })
}

func (w *world) openShop() {
	o := w.conf.shop
	o.BaseSites, o.ClientID, o.ClientSecret, o.AllowTrustedTickets = []string{site}, "tidings", clientSecret, !w.conf.stock
	o.EventsURL, o.EventsKey, o.AutoPush, o.Client = w.api("/v1/events"), apiKey, true, w.client
	w.shop = hybrissim.New(o)
	var front http.Handler = w.shop
	if w.conf.proxy != nil {
		front = w.conf.proxy(front)
	}
	w.conf.ShopURL = w.serve(front)
}

func (w *world) serve(h http.Handler) string {
	s := httptest.NewServer(h)
	w.Cleanup(s.Close)
	return s.URL
}

func (w *world) configPath() string { return filepath.Join(w.dir, "tidings.yaml") }

func (w *world) writeConfig() {
	w.Helper()
	var b bytes.Buffer
	if err := configTemplate.Execute(&b, w.conf); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(w.configPath(), b.Bytes(), 0o600); err != nil {
		w.Fatal(err)
	}
}

// api and hook are URLs of the internal and of the public side.
func (w *world) api(path string) string  { return "http://" + w.conf.Internal + path }
func (w *world) hook(path string) string { return "http://" + w.conf.Listen + path }

// startGateway starts the gateway and waits until it is ready.
func (w *world) startGateway() {
	w.Helper()
	w.gateway = runProcess(w.T, "serve", "--config", w.configPath())
	w.gateway.ready(w.api("/readyz"))
	g := w.gateway
	w.Cleanup(func() { w.finish(g) })
}

// finish stops a gateway that still runs, and looks at what it leaves behind.
func (w *world) finish(g *process) {
	if !g.ended() {
		if d := w.difference(); d != 0 {
			w.Errorf("got a conservation difference of %v, want 0", d)
		}
		if code := g.stop(); code != 0 {
			w.Errorf("SIGTERM: got exit code %d, want 0", code)
		}
	}
	for line := range strings.Lines(g.log()) {
		for _, secret := range w.private {
			if strings.Contains(line, secret) {
				w.Errorf("the log holds %q: %s", secret, line)
			}
		}
		if strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic") {
			w.Errorf("the gateway stumbled: %s", line)
		}
	}
	if w.Failed() {
		w.Logf("the gateway's log:\n%s", tail(g.log(), 4000))
	}
}

// difference is what is missing from the two sums.
func (w *world) difference() float64 {
	w.Helper()
	return w.figure("tidings_conservation_difference")
}

// header is one to send with a request.
type header struct{ name, value string }

// bearer is the header that shows a key.
func bearer(key string) header { return header{"Authorization", "Bearer " + key} }

// ask makes a request with the API key unless other headers say something else.
// A body that is no string or bytes is sent as JSON.
func (w *world) ask(method, url string, body any, headers ...header) (int, http.Header, []byte) {
	w.Helper()
	status, h, raw, err := w.tryAsk(method, url, body, headers...)
	if err != nil {
		w.Fatalf("%s %s: %v", method, url, err)
	}
	return status, h, raw
}

func (w *world) tryAsk(method, url string, body any, headers ...header) (int, http.Header, []byte, error) {
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	case []byte:
		raw = b
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			return 0, nil, nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+apiKey)
	for _, h := range headers {
		req.Header.Del(h.name)
		if h.value != "" {
			req.Header.Set(h.name, h.value)
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, out, err
}

// want asks, insists on a status, and decodes the answer unless out is nil.
func (w *world) want(status int, method, path string, body, out any, headers ...header) {
	w.Helper()
	got, _, raw := w.ask(method, w.api(path), body, headers...)
	if got != status {
		w.Fatalf("%s %s: got status %d: %s, want %d", method, path, got, raw, status)
	}
	decode(w.T, raw, out)
}

// decode decodes JSON, unless out is nil.
func decode(t *testing.T, raw []byte, out any) {
	t.Helper()
	if out == nil {
		return
	}
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
}

// obj is a JSON object.
type obj = map[string]any

// cloudEvent is an event of the shop as JSON.
func cloudEvent(id, typ string, data obj) obj {
	return obj{"specversion": "1.0", "id": id, "source": "/shop/electronics", "type": typ, "data": data}
}

// report posts an event that must be accepted, and returns its id.
func (w *world) report(typ string, data obj) string {
	w.Helper()
	id := fmt.Sprintf("e-%d", w.ids.Add(1))
	var got acceptAnswer
	w.want(http.StatusAccepted, http.MethodPost, "/v1/events", cloudEvent(id, typ, data), &got)
	if got.Accepted != 1 {
		w.Fatalf("%s: got %+v, want it accepted", typ, got)
	}
	return id
}

// tell posts a message.requested.
func (w *world) tell(p person, text string) string {
	w.Helper()
	return w.report("message.requested", obj{"customerUid": p.uid, "text": text})
}

// acceptAnswer is the answer to events.
type acceptAnswer struct {
	Accepted, Duplicates, Ignored int
	Events                        []struct {
		ID, Status string
		Warnings   []string
		Differs    bool
	}
}
