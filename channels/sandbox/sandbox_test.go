package sandbox_test

import (
	"encoding/json"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pages are the sandbox's, with the scripts that they load.
var pages = []struct {
	path, file string
	scripts    []string
}{
	{"/", "index.html", []string{"app.js", "chat.js", "talk.js"}},
	{"/storefront", "storefront.html", []string{"storefront.js", "chat.js", "talk.js"}},
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	for _, page := range pages {
		inWorld(t, func(w *world) { loadsNothing(w, page.path) })
	}
}

func loadsNothing(w *world, path string) {
	status, header, body := w.ask(http.MethodGet, path, nil)
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		w.Fatalf("got %d %q, want a page", status, header.Get("Content-Type"))
	}
	for _, rule := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, rule) {
			w.Errorf("got policy %q, want it to have %q", csp, rule)
		}
	}
	for _, forbidden := range []string{`<style`, `style="`, `<script>`, `(src|href)="(https?:)?//`, ` on[a-z]+="`} {
		if found := regexp.MustCompile(forbidden).Find(body); found != nil {
			w.Errorf("got %q in the page, which its policy forbids", found)
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/[^"]*)"`).FindAllStringSubmatch(string(body), -1) {
		if status, _, _ := w.ask(http.MethodGet, m[1], nil); status != http.StatusOK {
			w.Errorf("got status %d for %s, which the page needs", status, m[1])
		}
	}
}

func TestAssets(t *testing.T) {
	inWorld(t, func(w *world) {
		for name, want := range map[string]string{
			"app.css": "text/css", "app.js": "text/javascript", "chat.js": "text/javascript", "format.js": "text/javascript",
			"storefront.js": "text/javascript", "talk.js": "text/javascript",
		} {
			status, header, body := w.ask(http.MethodGet, "/assets/"+name, nil)
			got, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
			if status != http.StatusOK || got != want || len(body) == 0 || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: got %d %q with %d bytes, want 200 %q", name, status, got, len(body), want)
			}
		}
		if status, _, _ := w.ask(http.MethodGet, "/assets/secrets.go", nil); status != http.StatusNotFound {
			t.Errorf("got status %d for what is no asset, want 404", status)
		}
	})
}

// A script that looks for what the page does not have fails only in a browser.
func TestScriptFindsItsElements(t *testing.T) {
	for _, page := range pages {
		html, script := readWeb(t, page.file), ""
		for _, name := range page.scripts {
			script += readWeb(t, name)
		}
		for _, m := range regexp.MustCompile(`(?:\$|copyOf)\("([a-z-]+)"\)`).FindAllStringSubmatch(script, -1) {
			if !strings.Contains(html, `id="`+m[1]+`"`) {
				t.Errorf("%s: the script looks for #%s, which the page does not have", page.file, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\b(?:for|aria-controls|aria-labelledby)="([^"]+)"`).FindAllStringSubmatch(strings.ReplaceAll(html, "data-for=", ""), -1) {
			if !strings.Contains(html, `id="`+m[1]+`"`) {
				t.Errorf("%s: the page refers to #%s, which it does not have", page.file, m[1])
			}
		}
		for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} {
			if strings.Contains(script+readWeb(t, "format.js"), danger) {
				t.Errorf("%s: the script uses %s: data could become markup", page.file, danger)
			}
		}
	}
}

func readWeb(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("web/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

type order struct {
	Code, Status string
	Customer     struct{ UID string }
	Lines        []struct{ Name string }
}

func TestEveryCustomerBeginsWithAnOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		var world struct {
			People   []struct{ UID, Name, Locale string }
			Channels []struct{ Name, Title, Way string }
		}
		w.get("/_sandbox/world", &world)
		var orders struct{ Items []order }
		w.get("/_sandbox/shop/orders", &orders)
		if len(world.People) < 2 || len(world.Channels) != 3 {
			t.Fatalf("got %d people and %d channels, want several and 3", len(world.People), len(world.Channels))
		}
		has := map[string]int{}
		for _, o := range orders.Items {
			has[o.Customer.UID] += len(o.Lines)
		}
		for _, p := range world.People {
			if has[p.UID] == 0 {
				t.Errorf("%s has no order with lines", p.Name)
			}
		}
	})
}

func TestNewCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		var made struct {
			UID   string
			Chats map[string]string
		}
		w.post("/_sandbox/people", map[string]string{"name": "  Zoë   Ömer ", "locale": "de"}, &made)
		if made.UID == "" || len(made.Chats) != 3 {
			t.Fatalf("got %+v, want a uid and three chats", made)
		}
		var o order
		w.post("/_sandbox/shop/orders", map[string]string{"uid": made.UID, "name": "Zoë Ömer"}, &o)
		if o.Customer.UID != made.UID {
			t.Errorf("got an order of %q, want of %q", o.Customer.UID, made.UID)
		}
		for _, bad := range []map[string]string{{"name": " ", "locale": "en"}, {"name": "X", "locale": "xx"}, {"name": "X", "locale": "en", "more": "?"}} {
			if status, _, _ := w.ask(http.MethodPost, "/_sandbox/people", bad); status != http.StatusBadRequest {
				t.Errorf("%v: got status %d, want 400", bad, status)
			}
		}
	})
}

func TestOptInGoesThroughThePlatform(t *testing.T) {
	const offer = `{"links":[{"channel":"messenger","token":"tok-m"},{"channel":"telegram","token":"tok-t"},{"channel":"slack","code":"CODE42"}]}`
	inWorld(t, func(w *world) {
		w.gateway.answer = func(rw http.ResponseWriter, r request) {
			if r.Path == "/v1/opt-ins" {
				answerJSON(rw, http.StatusCreated, offer)
			}
		}
		who := w.box.People()[1]
		status, _, body := w.ask(http.MethodPost, "/_sandbox/optin", map[string]string{"customer": who.UID, "order": "00417002"})
		if status != http.StatusCreated || string(body) != offer {
			t.Fatalf("got %d %s, want the gateway's own answer", status, body)
		}
		asked := w.gateway.got("/v1/opt-ins")[0]
		var got map[string]any
		if err := json.Unmarshal(asked.Body, &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "consent")
		want := map[string]any{"customerUid": who.UID, "orderCode": "00417002", "locale": "de", "purpose": "order_updates"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked the gateway (-want +got):\n%s", diff)
		}
		if got, want := asked.Header.Get("Authorization"), "Bearer "+w.secrets.APIKey; got != want {
			t.Errorf("got authorization %q, want %q", got, want)
		}
		for channel, press := range map[string]struct{ ref, way string }{"messenger": {"tok-m", "plugin"}, "telegram": {"tok-t", "start"}, "slack": {"CODE42", "dm"}} {
			w.post("/_sandbox/"+channel+"/optin", map[string]string{"user": who.Chats[channel], "ref": press.ref, "way": press.way}, nil)
			w.settle()
			hooks := w.gateway.got("/webhooks/" + channel)
			if len(hooks) != 1 || !strings.Contains(string(hooks[0].Body), press.ref) {
				t.Errorf("%s: got %d webhooks, want one with %s", channel, len(hooks), press.ref)
			}
		}
	})
}

func TestShopReportsWhatHappensInIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gateway.answer = func(rw http.ResponseWriter, r request) { rw.WriteHeader(http.StatusAccepted) }
		who := w.box.People()[0]
		var made order
		w.post("/_sandbox/shop/orders", map[string]string{"uid": who.UID, "name": who.Name}, &made)
		for _, action := range shopActions(t) {
			w.post("/_sandbox/shop/orders/"+made.Code+"/"+action, map[string]string{}, nil)
		}
		w.settle()
		var got []string
		for _, r := range w.gateway.got("/v1/events") {
			var event struct {
				Type string
				Data struct{ OrderCode string }
			}
			if err := json.Unmarshal(r.Body, &event); err != nil || event.Data.OrderCode != made.Code {
				t.Errorf("got event %s (%v), want one about order %s", r.Body, err, made.Code)
			}
			if r.Header.Get("Authorization") != "Bearer "+w.secrets.APIKey {
				t.Errorf("event %s came without the key", event.Type)
			}
			got = append(got, event.Type)
		}
		want := []string{
			"order.placed", "order.shipped", "order.out_for_delivery", "order.delivered", "order.delivery_failed", "order.ready_for_pickup",
			"order.picked_up", "order.on_hold", "order.payment_failed", "order.approval_needed", "order.approved", "order.rejected",
			"order.partly_cancelled", "order.cancelled", "order.return_created", "order.return_received", "order.partly_refunded",
			"order.refunded", "order.completed",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reported (-want +got):\n%s", diff)
		}
	})
}

// shopActions are those that the page has buttons for.
func shopActions(t *testing.T) []string {
	t.Helper()
	_, table, _ := strings.Cut(readWeb(t, "app.js"), "const reports = [")
	table, _, _ = strings.Cut(table, "\n];")
	var actions []string
	for _, m := range regexp.MustCompile(`\["([a-z_]+)", "`).FindAllStringSubmatch(table, -1) {
		actions = append(actions, m[1])
	}
	return actions
}

func TestMessageOfItsOwn(t *testing.T) {
	inWorld(t, func(w *world) {
		status, body := http.StatusAccepted, `{"accepted":1,"events":[{"id":"x","status":"accepted","warnings":["late"]}]}`
		w.gateway.answer = func(rw http.ResponseWriter, r request) { answerJSON(rw, status, body) }
		who := w.box.People()[0]
		wish := map[string]string{"customer": who.UID, "text": "We close at 5."}
		var got struct {
			ID, Type, State string
			Warnings        []string
		}
		w.post("/_sandbox/message", wish, &got)
		if got.Type != "message.requested" || got.State != "accepted" || len(got.Warnings) != 1 {
			t.Errorf("got %+v, want what the gateway answered", got)
		}
		var event struct {
			Specversion, ID, Type string
			Data                  struct{ CustomerUID, Text string }
		}
		if err := json.Unmarshal(w.gateway.got("/v1/events")[0].Body, &event); err != nil {
			t.Fatal(err)
		}
		if event.ID != got.ID || event.Specversion != "1.0" || event.Data.CustomerUID != who.UID || event.Data.Text != "We close at 5." {
			t.Errorf("got event %+v, want the wish as a CloudEvent", event)
		}

		status, body = http.StatusUnprocessableEntity, `{"title":"wrong","errors":[{"pointer":"/data/text","detail":"is required"}]}`
		gotStatus, _, gotBody := w.ask(http.MethodPost, "/_sandbox/message", wish)
		if gotStatus != status || string(gotBody) != body {
			t.Errorf("got %d %s, want the gateway's refusal", gotStatus, gotBody)
		}
	})
}

func TestReadingBack(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gateway.answer = func(rw http.ResponseWriter, r request) {
			answerJSON(rw, http.StatusOK, `{"at":"`+r.Path+"?"+r.Query+`"}`)
		}
		var got struct{ At string }
		w.get("/_sandbox/events/e%2F1%3Fx", &got)
		if want := "/v1/events/e/1?x?"; got.At != want {
			t.Errorf("the gateway was asked for %q, want %q", got.At, want)
		}
	})
}

func TestGatewayThatDropsConnections(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gateway.answer = func(http.ResponseWriter, request) { panic(http.ErrAbortHandler) }
		status, _, body := w.ask(http.MethodPost, "/_sandbox/optin", map[string]string{"customer": w.box.People()[0].UID, "order": "1"})
		if status != http.StatusBadGateway || strings.Contains(string(body), w.secrets.APIKey) {
			t.Errorf("got %d %s, want 502 without a secret", status, body)
		}
	})
}

func TestForeignPagesCannotAct(t *testing.T) {
	inWorld(t, func(w *world) {
		who := w.box.People()[0]
		say := map[string]string{"user": who.Chats["messenger"], "text": "Hi"}
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			status, _, _ := w.ask(http.MethodPost, "/_sandbox/messenger/say", say, func(r *http.Request) { r.Header.Set(name, value) })
			if status != http.StatusForbidden {
				t.Errorf("%s: got status %d, want 403", name, status)
			}
		}
		if shown, _ := w.box.Messenger().Log().Feed("", 0); len(shown) != 0 {
			t.Errorf("got %d messages, want none", len(shown))
		}
		status, _, _ := w.ask(http.MethodPost, "/_sandbox/messenger/say", say, func(r *http.Request) {
			r.Header.Set("Origin", base)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		})
		if status != http.StatusOK {
			t.Errorf("the page itself: got status %d, want 200", status)
		}
	})
}

func TestDesk(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.ticket(w.box.People()[0].UID, "00417001", "Where is it?")
		path := "/_sandbox/shop/tickets/" + id
		w.post(path+"/notes", map[string]any{"text": "psst", "public": false}, nil)
		w.post(path+"/notes", map[string]any{"text": "On its way.", "public": true}, nil)
		w.post(path+"/status", map[string]any{"status": "INPROCESS"}, nil)
		var desk struct {
			Items []struct {
				Order, Status string
				Entries       []struct {
					Text          string
					Agent, Public bool
				}
			}
		}
		w.get("/_sandbox/shop/tickets", &desk)
		if len(desk.Items) != 1 || desk.Items[0].Order != "00417001" || desk.Items[0].Status != "INPROCESS" {
			t.Fatalf("got %+v, want one ticket in process about the order", desk.Items)
		}
		public := map[string]bool{}
		for _, e := range desk.Items[0].Entries {
			public[e.Text] = e.Public
		}
		if public["psst"] || !public["On its way."] {
			t.Errorf("got public entries %v, want only the public note to be one", public)
		}
	})
}

func TestBesideTheGatewayKeepsItsPaths(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gateway.answer = func(rw http.ResponseWriter, r request) { answerJSON(rw, http.StatusTeapot, `{}`) }
		for _, path := range []string{"/v1/events", "/link/x", "/healthz", "/docs", "/openapi.json", "/webhooks/slack"} {
			if status, _, _ := w.ask(http.MethodGet, path, nil); status != http.StatusTeapot {
				t.Errorf("%s: got status %d, want the gateway's", path, status)
			}
		}
	})
}
