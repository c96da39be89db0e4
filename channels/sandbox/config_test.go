package sandbox_test

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tidings/channels"
	"tidings/channels/sandbox"
	"tidings/config"
	"tidings/core"
	"tidings/core/hybris"
)

// load reads the configuration of a sandbox's gateway as the gateway would.
func load(t *testing.T, url, store string, s sandbox.Secrets) *config.Config {
	t.Helper()
	raw, err := sandbox.Config(url, store, s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	noEnvironment := func(string) (string, bool) { return "", false }
	cfg, faults, err := config.Load(path, channels.Types, noEnvironment)
	if err != nil || len(faults) > 0 {
		t.Fatalf("got error %v and faults %v in:\n%s", err, faults, raw)
	}
	return cfg
}

func TestConfigIsTheGatewaysOwn(t *testing.T) {
	s := sandbox.NewSecrets()
	const store = `/tmp/a "quoted" ${HOME} \ ä: [x]/tidings.db`
	cfg := load(t, "http://localhost:8080/", store, s)
	for what, pair := range map[string][2]any{
		"listen":     {cfg.Server.Listen, "localhost:8080"},
		"internal":   {cfg.Server.InternalListen, config.Same},
		"public URL": {cfg.Server.PublicURL, "http://localhost:8080"},
		"store":      {cfg.Store.Path, store},
		"shop":       {cfg.Commerce.BaseURL, "http://localhost:8080/hybris/occ/v2"},
		"token":      {cfg.Commerce.TokenURL, "http://localhost:8080/hybris/authorizationserver/oauth/token"},
		"tickets":    {cfg.Commerce.Tickets.Desk, "trusted"},
		"poll":       {cfg.Commerce.Poll, time.Second},
		"API key":    {cfg.Server.APIKeys[0].Key.Reveal(), s.APIKey},
		"keys":       {len(cfg.OptIn.Keys), 1},
		"channels":   {len(cfg.Channels), 3},
		"routes":     {len(cfg.Routes), 1},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestConfigNeedsAnAbsoluteURL(t *testing.T) {
	for _, bad := range []string{"", "localhost:8080", "/here", "http://%zz"} {
		if raw, err := sandbox.Config(bad, "x.db", sandbox.NewSecrets()); err == nil {
			t.Errorf("%q: got a configuration, want an error:\n%s", bad, raw)
		}
	}
}

// What the configuration opens reaches the emulators, and what they call back
// with is accepted as theirs.
func TestConfigFitsTheEmulators(t *testing.T) {
	inWorld(t, func(w *world) {
		cfg := load(w.T, base, "x.db", w.secrets)
		who := w.box.People()[0]
		for _, c := range cfg.Channels {
			ch, err := c.Adapter.Open(core.Env{Name: c.Name, HTTP: w.client, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				w.Fatal(err)
			}
			w.post("/_sandbox/"+c.Name+"/say", map[string]string{"user": who.Chats[c.Name], "text": "Hello"}, nil)
			w.settle()
			part := core.Part{Key: "k-1", N: 1, Of: 1, Text: core.PlainText("1 < 2 & <b>"), Standing: core.Open}
			if _, err := ch.Send(w.Context(), core.Address{Value: who.Chats[c.Name]}, part); err != nil {
				w.Errorf("%s: send: %v", c.Name, err)
			}
			w.decode(ch, c.Name, "Hello")
			if err := ch.Close(); err != nil {
				w.Error(err)
			}
		}
		var f feed
		w.get(feedOf(who.UID, ""), &f)
		for _, got := range f.Items {
			if !got.Own && got.Text != "1 < 2 & <b>" {
				w.Errorf("%s shows %q, want what was sent", got.Channel, got.Text)
			}
		}
		if len(f.Items) != 6 {
			w.Errorf("got %d messages, want one in each direction on three platforms", len(f.Items))
		}
	})
}

// decode lets a channel read the newest text the platform called back with.
func (w *world) decode(ch core.Channel, name, want string) {
	w.Helper()
	for _, r := range w.gateway.got("/webhooks/" + name) {
		_, updates, err := ch.(core.Listener).Decode(w.Context(), core.Callback{Method: r.Method, Header: r.Header, Body: r.Body, Now: time.Now()})
		if err != nil {
			w.Errorf("%s: callback refused: %v", name, err)
		}
		for _, u := range updates {
			if u.Kind == core.UpdateText && u.Text == want {
				return
			}
		}
	}
	w.Errorf("%s: got no callback with %q", name, want)
}

// shopClient is the gateway's way to the shop.
func (w *world) shopClient() *hybris.Client {
	w.Helper()
	c := load(w.T, base, "x.db", w.secrets).Commerce
	return hybris.New(hybris.Options{
		BaseURL: c.BaseURL, TokenURL: c.TokenURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		DefaultSite: c.Site, Timeout: c.Timeout, Tickets: c.Tickets.Desk, HTTP: w.client, Now: time.Now,
	})
}

// ticket makes a ticket as the gateway does, and returns its id.
func (w *world) ticket(uid, order, text string) string {
	w.Helper()
	ref, err := w.shopClient().CreateTicket(w.Context(), core.NewTicket{
		Site: "electronics", CustomerUID: uid, OrderCode: order, Subject: "Question", Text: text,
	})
	if err != nil || !ref.Linked {
		w.Fatalf("got %+v, %v, want a ticket linked to its order", ref, err)
	}
	return ref.ID
}

func TestSecretsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	first, err := sandbox.OpenSecrets(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := sandbox.OpenSecrets(path)
	if err != nil || first != second {
		t.Errorf("got other secrets the second time (%v), want the same", err)
	}
	if first == sandbox.NewSecrets() || first.APIKey == "" {
		t.Error("got secrets that are not random")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v (%v), want that only the owner can read them", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte(`{"api_key":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.OpenSecrets(path); err == nil {
		t.Error("got secrets of a broken file, want an error")
	}
}

func TestOnlyTheRightSecretsOpenTheShop(t *testing.T) {
	inWorld(t, func(w *world) {
		if status, _, _ := w.ask(http.MethodGet, "/hybris/occ/v2/electronics/users/current/orders", nil); status != http.StatusUnauthorized {
			t.Errorf("got status %d without a token, want 401", status)
		}
	})
}
