package messenger_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/channels/messenger"
	"tidings/channels/messenger/messengersim"
	"tidings/core"
)

const person = "7001"

// shop is the adapter and the emulated Page, talking to each other in memory.
type shop struct {
	t    *testing.T
	page *messengersim.Sim
	core.Channel

	mu      sync.Mutex // the webhook runs on goroutines of the emulator's
	now     time.Time
	updates []core.Update
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	s.page = messengersim.New(messengersim.Options{
		PageID: "555", PageToken: "tok", AppID: "99", AppSecret: "appsecret", VerifyToken: "verify",
		WebhookURL: "http://gateway/webhooks/messenger", Client: &http.Client{Transport: emulator.Transport(s)},
		Now: s.clock, Wait: emulator.NoWait,
		Users:         []messengersim.User{{PSID: person}},
		Receipts:      true,
		NoRates:       true,
		StrangeFields: true,
		Templates: []messengersim.Template{{Name: "order_shipped", Language: "en_US", Components: []messengersim.TemplateComponent{
			{Type: "BODY", Text: "Order {{1}} is on its way: {{2}}"}}}},
	})
	t.Cleanup(s.page.Close)
	cfg := messenger.Defaults()
	cfg.PageID, cfg.PageToken, cfg.AppID, cfg.AppSecret, cfg.VerifyToken = "555", "tok", "99", "appsecret", "verify"
	if faults := cfg.Validate(); len(faults) != 0 {
		t.Fatal(faults)
	}
	ch, err := cfg.Open(core.Env{Name: "messenger", HTTP: &http.Client{Transport: emulator.Transport(s.page)}})
	if err != nil {
		t.Fatal(err)
	}
	s.Channel = ch
	return s
}

// ServeHTTP is the webhook.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	cb := core.Callback{Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, Now: s.clock()}
	reply, updates, err := s.Channel.(core.Listener).Decode(r.Context(), cb)
	if err != nil {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	s.mu.Lock()
	s.updates = append(s.updates, updates...)
	s.mu.Unlock()
	_, _ = w.Write(reply.Body)
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shop) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// told returns the updates since the last call.
func (s *shop) told() []core.Update {
	s.t.Helper()
	if err := s.page.Settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.updates
	s.updates = nil
	return got
}

func (s *shop) send(p core.Part) (core.Sent, error) {
	return s.Send(context.Background(), core.Address{Value: person}, p)
}

func (s *shop) mustSend(p core.Part) core.Sent {
	s.t.Helper()
	sent, err := s.send(p)
	if err != nil {
		s.t.Fatalf("send %s: %v", p.Key, err)
	}
	return sent
}

func (s *shop) do(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func text(key, words string) core.Part { return core.Part{Key: key, Text: core.PlainText(words)} }

func kinds(updates []core.Update) []core.UpdateKind {
	var out []core.UpdateKind
	for _, u := range updates {
		out = append(out, u.Kind)
	}
	return out
}

func TestAConversationWithTheEmulator(t *testing.T) {
	s := newShop(t)
	s.do(s.page.Handshake(t.Context()))
	s.do(s.page.OptIn(t.Context(), person, "tok_EN-1", "mme"))
	s.do(s.page.OptIn(t.Context(), person, "tok_EN-2", "mme"))
	s.do(s.page.OptIn(t.Context(), person, "tok_EN-3", "plugin"))
	for i, u := range s.told() {
		want := []string{"tok_EN-1", "tok_EN-2", "tok_EN-3"}[i]
		if u.Kind != core.UpdateOptIn || u.Ref != want || u.From.Value != person || !u.OpensWindow || u.Account != "555" {
			t.Errorf("got %+v, want an opt-in with %s", u, want)
		}
	}
	first := s.mustSend(core.Part{Key: "m-1-1", Text: core.PlainText("Where?"), Buttons: []core.Button{
		{Title: "Stop", Value: "stop"}, {Title: "Track", URL: "https://shop.example/t"},
	}})
	got := s.told()
	if diff := cmp.Diff([]core.UpdateKind{core.UpdateEcho, core.UpdateDelivered, core.UpdateRead}, kinds(got)); diff != "" {
		t.Fatalf("after a message (-want +got):\n%s", diff)
	}
	if got[0].Key != "m-1-1" || got[0].PlatformID != first.ID {
		t.Errorf("echo: got %+v, want key m-1-1 of %s", got[0], first.ID)
	}
	s.do(s.page.Press(t.Context(), person, first.ID, "stop"))
	if _, err := s.page.ReplyTo(t.Context(), person, first.ID, "Wo ist es? ü"); err != nil {
		t.Fatal(err)
	}
	got = s.told()
	if diff := cmp.Diff([]core.UpdateKind{core.UpdateButton, core.UpdateText}, kinds(got)); diff != "" {
		t.Fatalf("after an answer (-want +got):\n%s", diff)
	}
	if got[0].Payload != "stop" || got[1].Text != "Wo ist es? ü" || got[1].ReplyTo != first.ID {
		t.Errorf("got %+v", got)
	}
}

func TestTheEmulatorTakesEveryForm(t *testing.T) {
	s := newShop(t)
	s.do(s.page.GetStarted(t.Context(), person))
	eur := func(a string) core.Money { return core.Money{Amount: a, Currency: "EUR"} }
	order := core.Part{Key: "m-2-1", Order: &core.OrderSummary{
		Text: core.PlainText("Order 00417003, in words"),
		Order: core.Order{
			Code: "00417003", CustomerName: "Ines Vidal", Payment: "Visa ****4242", Placed: s.clock(),
			Lines:    []core.OrderLine{{Name: "Lamp", Code: "1", Quantity: 2, Unit: eur("39.90"), ImageURL: "https://shop.example/1.jpg"}},
			Subtotal: eur("79.80"), Shipping: eur("4.95"), Tax: eur("13.00"), Discount: eur("-4.75"), Total: eur("80.00"),
			ShipTo: &core.PostAddress{Street: "Calle Mayor 1", City: "Madrid", PostalCode: "28013", State: "M", Country: "ES"},
		},
	}}
	s.mustSend(order)
	s.mustSend(core.Part{Key: "m-3-1", Picture: &core.Picture{URL: "https://shop.example/1.jpg"}})
	s.mustSend(core.Part{Key: "m-4-1", Reply: true, Text: core.PlainText("We received your request.")})

	again := order
	again.Key = "m-5-1"
	_, err := s.send(again)
	var e *core.SendError
	if !errors.As(err, &e) || e.Class != core.Temporary || e.Tries != 1 {
		t.Fatalf("a second receipt for an order: got %v, want Temporary, to be tried once more", err)
	}
	s.mustSend(again)

	s.pass(25 * time.Hour)
	_, err = s.send(text("m-6-1", "too late"))
	if core.ClassOf(err) != core.WindowClosed {
		t.Errorf("after 25 h: got %v, want WindowClosed", err)
	}
	s.mustSend(core.Part{Key: "m-7-1", Standing: core.Human, Human: true, Text: core.PlainText("From a person")})
	s.mustSend(core.Part{Key: "m-8-1", Standing: core.Approved, Template: &core.Template{
		Name: "order_shipped", Language: "en_US", Params: []string{"17", "JJD1"},
	}})
	var shown []string
	for _, m := range s.page.Log().All() {
		shown = append(shown, m.Kind)
	}
	want := []string{"receipt", "image", "text", "text", "text", "template"}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestAUserRefBecomesAPSID(t *testing.T) {
	s := newShop(t)
	ref, err := s.page.Checkbox(t.Context(), person, "tok_EN-4")
	s.do(err)
	got := s.told()
	if len(got) != 1 || got[0].Kind != core.UpdateOptIn || got[0].From != (core.Address{Value: ref, Kind: "user_ref"}) {
		t.Fatalf("got %+v, want an opt-in of the user_ref", got)
	}
	if _, err := s.Send(t.Context(), got[0].From, text("m-1-1", "Thank you")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.page.Say(t.Context(), person, "hello"); err != nil {
		t.Fatal(err)
	}
	for _, u := range s.told() {
		if u.Kind == core.UpdateText && u.Was != nil && u.Was.Value == ref && u.From.Value == person {
			return
		}
	}
	t.Error("nothing told that the user_ref is now a PSID")
}

func TestFaultsOfTheEmulatorAreDecided(t *testing.T) {
	tests := map[string]struct {
		fault emulator.Fault
		want  core.Class
		wait  time.Duration
		echo  bool // the message arrived all the same
	}{
		"throttled, minutes":   {emulator.Fault{Kind: emulator.Throttle, RetryAfter: 2 * time.Minute}, core.Throttled, 2 * time.Minute, false},
		"throttled, seconds":   {emulator.Fault{Kind: emulator.Throttle, RetryAfter: 3 * time.Second}, core.Throttled, 3 * time.Second, false},
		"bad gateway":          {emulator.Fault{Kind: emulator.BadGateway}, core.Uncertain, 0, false},
		"dropped before":       {emulator.Fault{Kind: emulator.DropBefore}, core.Uncertain, 0, false},
		"dropped after":        {emulator.Fault{Kind: emulator.DropAfter}, core.Uncertain, 0, true},
		"truncated":            {emulator.Fault{Kind: emulator.Truncate}, core.Uncertain, 0, true},
		"token expired":        {emulator.Fault{Kind: emulator.ExpireToken}, core.Misconfigured, 0, false},
		"blocked":              {emulator.Fault{Kind: emulator.Block}, core.Unreachable, 0, false},
		"window closed":        {emulator.Fault{Kind: emulator.CloseWindow}, core.WindowClosed, 0, false},
		"another app's turn":   {emulator.Fault{Kind: emulator.ErrorCode, Code: "2018300"}, core.WindowClosed, 0, false},
		"conversation is gone": {emulator.Fault{Kind: emulator.ErrorCode, Code: "9000001"}, core.Unreachable, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.do(s.page.GetStarted(t.Context(), person))
			s.told()
			tt.fault.Times = 1
			s.page.Faults().Add(tt.fault)
			_, err := s.send(text("m-1-1", "hi"))
			var e *core.SendError
			if !errors.As(err, &e) || e.Class != tt.want || e.RetryAfter != tt.wait {
				t.Errorf("got %v, want %s after %s", err, tt.want, tt.wait)
			}
			echoed := false
			for _, u := range s.told() {
				echoed = echoed || u.Kind == core.UpdateEcho && u.Key == "m-1-1"
			}
			if echoed != tt.echo {
				t.Errorf("echoed: got %v, want %v", echoed, tt.echo)
			}
		})
	}
}
