package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEmulatorsAlone: each emulator runs by itself, and a gateway lives with
// nothing but them.
func TestEmulatorsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alone := func(name string, args ...string) (api, control string) {
		p := runProcess(t, append([]string{"sandbox", name, "--listen", "127.0.0.1:0"}, args...)...)
		eventually(t, name+" says where it is", func() error {
			if !strings.HasSuffix(p.says(), "\n") {
				return os.ErrNotExist
			}
			return nil
		})
		words := strings.Fields(p.says())
		for i, word := range words {
			if strings.HasPrefix(word, "http://") && api == "" {
				api = strings.Trim(word, ",")
			}
			control = words[i]
		}
		t.Cleanup(func() {
			if code := p.stop(); code != 0 {
				t.Errorf("%s: SIGTERM: got exit code %d, want 0", name, code)
			}
		})
		return api, control
	}
	api, telegram := alone("telegram", "--token", telegramToken, "--secret-token", secretToken, "--webhook", w.hook("/webhooks/telegram"))
	w.conf.TelegramURL = api
	occ, shop := alone("hybris", "--client-secret", clientSecret, "--events", w.api("/v1/events"), "--events-key", apiKey, "--trusted-tickets")
	w.conf.ShopURL = strings.TrimSuffix(occ, "/occ/v2")
	w.writeConfig()
	w.startGateway()
	ask := func(method, url string, in, out any) {
		t.Helper()
		status, _, raw := w.ask(method, url, in)
		if status/100 != 2 {
			t.Fatalf("%s %s: got status %d: %s, want success", method, url, status, raw)
		}
		decode(t, raw, out)
	}
	p := person{uid: "ines.vidal@example.com", chats: map[string]string{telegramName: "8817300001"}}
	var order struct{ Code string }
	ask(http.MethodPost, shop+"/orders", obj{"uid": p.uid, "name": "Ines Vidal"}, &order)
	p.order = order.Code
	ask(http.MethodPost, telegram+"/optin", obj{"user": p.chats[telegramName], "ref": w.offer(p).ref(telegramName)}, nil)
	seen := func(text string) {
		t.Helper()
		eventually(t, "the chat shows "+text, func() error {
			var shown struct{ Items []struct{ Text string } }
			ask(http.MethodGet, telegram+"/shown", nil, &shown)
			for _, m := range shown.Items {
				if strings.Contains(m.Text, text) {
					return nil
				}
			}
			return os.ErrNotExist
		})
	}
	seen(p.order)
	ask(http.MethodPost, shop+"/orders/"+p.order+"/ship", obj{}, nil)
	seen("is on its way")
	for _, name := range []string{messengerName, slackName} {
		alone(name)
	}
}

// TestEnvironment: keys from the environment, and secrets from files.
func TestEnvironment(t *testing.T) {
	w := newWorld(t)
	raw, err := os.ReadFile(w.configPath())
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(w.dir, "secret")
	if err := os.WriteFile(secret, []byte(secretToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(
		`secret_token: "`+secretToken+`"`, `secret_token_file: "`+secret+`"`,
		`key: "`+apiKey+`"`, `key: "${SHOP_KEY}"`,
		w.conf.Internal, "127.0.0.1:1",
	).Replace(string(raw))
	if err := os.WriteFile(w.configPath(), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHOP_KEY", apiKey)
	t.Setenv("TIDINGS_SERVER_INTERNAL_LISTEN", w.conf.Internal)
	w.startGateway()
	p := w.customer(1)
	w.link(telegramName, p)
}
