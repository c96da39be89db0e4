package telegram_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/telegram/telegramsim"
	"tidings/core"
)

// world is the adapter and an emulated Telegram that call each other in memory.
type world struct {
	channel core.Channel
	sim     *telegramsim.Sim

	mu      sync.Mutex
	updates []core.Update
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.sim = telegramsim.New(telegramsim.Options{
		Token: testToken, Username: "my_shop_bot", SecretToken: testSecret,
		WebhookURL: "https://notify.example.com/webhooks/telegram",
		Client:     &http.Client{Transport: emulator.Transport(w)},
		NoRates:    true,
	})
	t.Cleanup(w.sim.Close)
	w.channel = open(t, emulator.Transport(w.sim))
	return w
}

// ServeHTTP is the webhook.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	listener, _ := w.channel.(core.Listener)
	reply, updates, err := listener.Decode(r.Context(), core.Callback{Method: r.Method, Header: r.Header, Body: body, Now: now})
	if err != nil {
		out.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.mu.Lock()
	w.updates = append(w.updates, updates...)
	w.mu.Unlock()
	maps.Copy(out.Header(), reply.Header)
	if reply.Status != 0 {
		out.WriteHeader(reply.Status)
	}
	_, _ = out.Write(reply.Body)
}

// told does something to the emulator and returns the one update it makes.
func (w *world) told(t *testing.T, do func() error) core.Update {
	t.Helper()
	w.mu.Lock()
	w.updates = nil
	w.mu.Unlock()
	if err := errors.Join(do(), w.sim.Settle(t.Context())); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.updates) != 1 {
		t.Fatalf("got %d updates, want 1: %+v", len(w.updates), w.updates)
	}
	return w.updates[0]
}

func TestAConversationWithAnIndependentTelegram(t *testing.T) {
	w, ctx := newWorld(t), t.Context()

	came := w.told(t, func() error { return w.sim.OptIn(ctx, "42", "abc_DEF-123", "") })
	if came.Kind != core.UpdateOptIn || came.Ref != "abc_DEF-123" || came.From != ines {
		t.Fatalf("opt-in: got %+v", came)
	}

	nasty := core.Text{{Text: `1 < 2 & <b> &lt; "q" `, Style: core.Bold}, {Text: "שלום 👨‍👩‍👧", Style: core.Italic | core.Strike, Link: `https://x.example/?a="1"&b=2`}, {Text: " *_`x`"}}
	sent, err := w.channel.Send(ctx, ines, core.Part{Text: nasty, Buttons: []core.Button{{Title: "Stop", Value: "stop"}}})
	if err != nil {
		t.Fatalf("Send() = %v", err)
	}
	shown := w.sim.Log().Shown("42")
	if len(shown) != 1 || shown[0].Text != nasty.Plain() {
		t.Fatalf("shown: got %+v, want %q", shown, nasty.Plain())
	}

	pressed := w.told(t, func() error { return w.sim.Press(ctx, "42", "", "stop") })
	if pressed.Kind != core.UpdateButton || pressed.Payload != "stop" || pressed.ReplyTo != sent.ID {
		t.Errorf("press: got %+v, want stop below %s", pressed, sent.ID)
	}
	if n := w.sim.Unanswered(); n != 0 {
		t.Errorf("%d buttons still show a progress bar", n)
	}

	asked := w.told(t, func() error { _, err := w.sim.ReplyTo(ctx, "42", shown[0].ID, "Where is it?"); return err })
	if asked.Kind != core.UpdateText || asked.Text != "Where is it?" || asked.ReplyTo != sent.ID {
		t.Errorf("answer: got %+v, want an answer to %s", asked, sent.ID)
	}

	blocked := w.told(t, func() error { w.sim.Block("42"); return nil })
	if blocked.Kind != core.UpdateBlocked || blocked.From != ines {
		t.Errorf("block: got %+v", blocked)
	}
	if _, err := w.channel.Send(ctx, ines, hello); core.ClassOf(err) != core.Unreachable {
		t.Errorf("to one who blocked us: got %v, want Unreachable", err)
	}
	if _, err := w.channel.Send(ctx, core.Address{Value: "4711"}, hello); core.ClassOf(err) != core.Unreachable {
		t.Errorf("to one who never came: got %v, want Unreachable", err)
	}
}

func TestMisfortunesOfAnIndependentTelegram(t *testing.T) {
	for _, c := range []struct {
		fault emulator.Fault
		want  core.Class
		wait  time.Duration
	}{
		{emulator.Fault{Kind: emulator.Throttle, RetryAfter: 7 * time.Second}, core.Throttled, 7 * time.Second},
		{emulator.Fault{Kind: emulator.ServerError}, core.Temporary, 0},
		{emulator.Fault{Kind: emulator.BadGateway}, core.Uncertain, 0},
		{emulator.Fault{Kind: emulator.DropAfter}, core.Uncertain, 0},
		{emulator.Fault{Kind: emulator.Truncate}, core.Uncertain, 0},
		{emulator.Fault{Kind: emulator.ExpireToken}, core.Misconfigured, 0},
		{emulator.Fault{Kind: emulator.Block}, core.Unreachable, 0},
		{emulator.Fault{Kind: emulator.ErrorCode, Code: "403 Forbidden: user is deactivated"}, core.Unreachable, 0},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			w := newWorld(t)
			w.told(t, func() error { return w.sim.OptIn(t.Context(), "42", "", "") })
			w.sim.Faults().Add(c.fault)
			_, err := w.channel.Send(t.Context(), ines, hello)
			var e *core.SendError
			if !errors.As(err, &e) || e.Class != c.want || e.RetryAfter != c.wait {
				t.Errorf("got %v, want %s after %s", err, c.want, c.wait)
			}
		})
	}
}

// The limits are the platform's: a text of just that length arrives whole, one
// more is refused, whatever its characters cost in other units.
func TestLimitsAreThoseOfAnIndependentTelegram(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.told(t, func() error { return w.sim.OptIn(ctx, "42", "", "") })
	most := w.channel.Limits().Text.Max
	for name, char := range map[string]string{"ASCII": "a", "escaped": "&", "BMP": "中", "astral": "😀"} {
		fits := core.Part{Text: core.PlainText(strings.Repeat(char, most))}
		if _, err := w.channel.Send(ctx, ines, fits); err != nil {
			t.Errorf("%s: %d characters: %v", name, most, err)
		}
		over := core.Part{Text: core.PlainText(strings.Repeat(char, most+1))}
		if _, err := w.channel.Send(ctx, ines, over); core.ClassOf(err) != core.Rejected {
			t.Errorf("%s: %d characters: got %v, want Rejected", name, most+1, err)
		}
	}
}
