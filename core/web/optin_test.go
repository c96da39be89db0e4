package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const wish = `{"customerUid":"ines","orderCode":"00417003","locale":"de","purpose":"order_updates","site":"toys","consent":{"text":"yes, please","version":"3"}}`

func TestOptIn(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.call("POST", "/v1/opt-ins", wish).want(201).is("2000-01-02T00:00:00Z", "expiresAt").
			is("chat", "links", 0, "channel").is("fakechat", "links", 0, "type").is("99", "links", 0, "appId").
			is("code", "links", 1, "channel").is(nil, "links", 1, "token").is(nil, "links", 1, "url")
		token := a.at("links", 0, "token").(string)
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(token) {
			t.Errorf("token: got %q", token)
		}
		a.is("https://chat.example/start?ref="+token, "links", 0, "url")
		a.is(a.at("links", 1, "code").(string)+" an die App schicken", "links", 1, "how")
		english := r.call("POST", "/v1/opt-ins", `{"customerUid":"ines","channels":["code"]}`).want(201)
		english.is("send "+english.at("links", 0, "code").(string)+" to the app", "links", 0, "how")
		if again := r.call("POST", "/v1/opt-ins", wish).want(201); string(again.body) != string(a.body) {
			t.Errorf("asked again:\n got %s\nwant %s", again.body, a.body)
		}
		page := strings.TrimPrefix(a.at("page").(string), "https://notify.example.com/link/")
		for _, secret := range []string{token, page, a.at("links", 1, "code").(string), "ines"} {
			if strings.Contains(r.log.String(), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
		// Whoever comes with the token is linked.
		r.on(r.public, "POST", "/webhooks/chat", `{"id":"u1","kind":"opt_in","from":{"value":"42"},"ref":"`+token+`"}`, "X-Secret", "s3cret").want(202)
		r.call("GET", "/v1/customers/ines", "").want(200).is("42", "links", 0, "address").is("active", "links", 0, "state").is("de", "locale")
		r.call("GET", "/v1/customers/ines/export", "").want(200).is("yes, please", "consents", 0, "text").is("3", "consents", 0, "version").
			is("00417003", "orders", 0, "code").is("toys", "orders", 0, "site")
	})
}

func TestOptInChannels(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.call("POST", "/v1/opt-ins", `{"customerUid":"ines","channels":["code","chat"],"purpose":null,"consent":null}`).want(201)
		a.is("code", "links", 0, "channel").is("chat", "links", 1, "channel")
		r.call("POST", "/v1/opt-ins", `{"customerUid":"ines","channels":["code"]}`).want(201)
	})
}

// Without keys, or a time for which they are good, no link is offered.
func TestOptInsOff(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		page := strings.TrimPrefix(r.call("POST", "/v1/opt-ins", wish).want(201).at("page").(string), "https://notify.example.com")
		r.settings.OptInExpires = 0
		r.server.Set(r.settings)
		r.call("POST", "/v1/opt-ins", wish).want(503)
		r.on(r.public, "GET", page, "").want(404)
	})
}

func TestOptInWrong(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		tests := []struct {
			name, body, want string
		}{
			{"nothing", `{}`, "/customerUid"},
			{"blank", `{"customerUid":" "}`, "/customerUid"},
			{"everything", `{"customerUid":1,"channels":["chat","chat","nope","mute"],"purpose":"sp4m","locale":"sp4m!","consent":{"txt":"x","version":2},"z/~":1,"orderCode":["sp4m"]}`,
				"/customerUid /orderCode /locale /purpose /consent/version /consent/txt /channels/1 /channels/2 /channels/3 /z~1~0"},
			{"no channel", `{"customerUid":"ines","channels":[]}`, "/channels"},
			{"channels of numbers", `{"customerUid":"ines","channels":[1]}`, "/channels"},
			{"too long", `{"customerUid":"` + strings.Repeat("x", 1025) + `"}`, "/customerUid"},
			{"a list", `[]`, ""},
			{"null", `null`, ""},
		}
		for _, test := range tests {
			a := r.call("POST", "/v1/opt-ins", test.body).want(422)
			if got := a.pointers(); got != test.want {
				t.Errorf("%s: pointers: got %q, want %q", test.name, got, test.want)
			}
			if strings.Contains(string(a.body), "sp4m") {
				t.Errorf("%s: the answer holds the value: %s", test.name, a.body)
			}
		}
		for body, want := range map[string]int{`{"customerUid"`: 400, `{} {}`: 400, `{"customerUid":"\u0000"}`: 400, "\xff": 400, `{"customerUid":"` + strings.Repeat("x", 1<<16) + `"}`: 413} {
			r.call("POST", "/v1/opt-ins", body).want(want)
		}
		r.call("POST", "/v1/opt-ins", wish, "Content-Type", "text/plain").want(415)
		r.call("POST", "/v1/opt-ins", "").want(415)
	})
}

func TestLinkPage(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.call("POST", "/v1/opt-ins", wish).want(201)
		link, err := url.Parse(a.at("page").(string))
		if err != nil {
			t.Fatal(err)
		}
		p := r.on(r.public, "GET", link.Path, "").want(200)
		checkStrictPage(t, p)
		for _, want := range []string{
			`<html lang="de">`, `href="https://chat.example/start?ref=` + a.at("links", 0, "token").(string) + `"`,
			a.at("links", 1, "code").(string), "<svg", "00417003", "noindex", `<p class="consent">yes, please</p>`, "an die App schicken",
		} {
			if !strings.Contains(string(p.body), want) {
				t.Errorf("the page does not hold %q", want)
			}
		}
		if got := strings.Count(string(p.body), "<svg"); got != 1 {
			t.Errorf("QR codes: got %d, want 1", got)
		}
		if strings.Contains(string(p.body), "ines") || p.header.Get("X-Robots-Tag") == "" {
			t.Errorf("the page says too much: %s", p.body)
		}
		// A reference that does not count looks the same whatever is wrong with it.
		gone := map[string]bool{}
		nonce := regexp.MustCompile(`nonce="[A-Z0-9]+"`)
		token := strings.TrimPrefix(link.Path, "/link/")
		ask := func(token string) {
			a := r.on(r.public, "GET", "/link/"+token, "").want(404)
			checkStrictPage(t, a)
			gone[nonce.ReplaceAllString(string(a.body), "")] = true
		}
		ask("x")
		ask(a.at("links", 0, "token").(string))
		ask(token[:len(token)-1] + "A")
		<-time.After(24 * time.Hour) // in virtual time
		ask(token)
		if len(gone) != 1 {
			t.Errorf("pages for what does not count: got %d different ones, want 1", len(gone))
		}
	})
}

func TestLinkPageLanguage(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for _, test := range []struct{ locale, accept, want string }{
			{"", "", "en"}, {"", "de-AT,en;q=0.5", "de"}, {"", "fr, en;q=0.1, de;q=0.8", "de"}, {"en_GB", "de", "en"}, {"de_DE", "en", "de"}, {"", "!!", "en"},
		} {
			body := `{"customerUid":"ines"}`
			if test.locale != "" {
				body = `{"customerUid":"ines","locale":"` + test.locale + `"}`
			}
			link := strings.TrimPrefix(r.call("POST", "/v1/opt-ins", body).want(201).at("page").(string), "https://notify.example.com")
			p := r.on(r.public, "GET", link, "", "Accept-Language", test.accept).want(200)
			if !strings.Contains(string(p.body), `<html lang="`+test.want+`">`) {
				t.Errorf("locale %q, Accept-Language %q: want %s", test.locale, test.accept, test.want)
			}
		}
	})
}

// A link that has ended stays in the export: it says what was agreed to, and until when.
func TestExportHoldsWhatHasEnded(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		token := r.call("POST", "/v1/opt-ins", wish).want(201).at("links", 0, "token").(string)
		r.on(r.public, "POST", "/webhooks/chat", `{"id":"u1","kind":"opt_in","from":{"value":"42"},"ref":"`+token+`"}`, "X-Secret", "s3cret").want(202)
		r.call("DELETE", "/v1/customers/ines/addresses/chat", "").want(204)
		r.call("GET", "/v1/customers/ines/export", "").want(200).is("yes, please", "consents", 0, "text").is("ended", "consents", 0, "state").
			is("opt-in 1, asked for by the shop, update u1", "consents", 0, "evidence")
	})
}
