package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tidings/core/store/pgtest"
)

// TestLostPush: a shop that reports nothing is read, and what it has come to is told
// once, also when the push comes in the end.
func TestLostPush(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed, reading)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.awaitRead(1)
	w.shipUnheard(p)
	w.awaitText(telegramName, p, "is on its way")
	if err := w.shop.ReleasePushes(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.quiet()
	w.wantToldOf(telegramName, p, "is on its way")
}

// reading lets the shop be read again as often as it can be set.
func reading(c *conf) { c.Objects = "reconcile: {every: 1s, status_feed: 1s, per_second: 100}" }

// awaitRead waits until the shop has been asked for each of so many orders.
func (w *world) awaitRead(orders int) {
	w.Helper()
	eventually(w.T, "the orders are read", func() error {
		if n := w.shop.Requests()["GET /orders/{code}"]; n < orders {
			return fmt.Errorf("got %d readings, want %d", n, orders)
		}
		return nil
	})
}

// shipUnheard ships an order, and nobody is told by the shop.
func (w *world) shipUnheard(p person) {
	w.Helper()
	w.shop.HoldPushes()
	if err := w.shop.Ship(w.Context(), p.order, "", "JD0146", "DHL", ""); err != nil {
		w.Fatal(err)
	}
}

// wantToldOf looks at what a customer has been told: each of these once, in order,
// and nothing else.
func (w *world) wantToldOf(channel string, p person, news ...string) {
	w.Helper()
	got := w.texts(channel, p)
	if !slices.EqualFunc(got, news, strings.Contains) {
		w.Errorf("got %q, want messages that say %q", got, news)
	}
}

// TestLostPushOverAKill: what the shop has come to while the gateway was dead is
// found, and nothing that had been read before is told again: the cursors are on disk.
func TestLostPushOverAKill(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed, reading)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.awaitRead(1)
	w.shipUnheard(p)
	w.awaitText(telegramName, p, "is on its way")
	w.rest()
	w.gateway.kill()
	if err := w.shop.Deliver(t.Context(), p.order, ""); err != nil {
		t.Fatal(err)
	}
	before := w.shop.Requests()["GET /orders/{code}"]
	w.startGateway()
	w.awaitText(telegramName, p, "has been delivered")
	w.awaitRead(before + 3) // and read again after that
	w.quiet()
	w.wantToldOf(telegramName, p, "is on its way", "has been delivered")
}

// readings counts what one gateway has read of the shop.
func (w *world) readings(internal string) (n int) {
	w.Helper()
	_, _, body := w.ask(http.MethodGet, "http://"+internal+"/metrics", nil)
	for line := range strings.Lines(string(body)) {
		if after, ok := strings.CutPrefix(line, "tidings_reconciled_total{"); ok {
			var one int
			if _, value, _ := strings.Cut(after, "} "); value != "" {
				_, _ = fmt.Sscan(value, &one)
			}
			n += one
		}
	}
	return n
}

// TestOneOfSeveralReads: of several gateways on one database one reads the shop, and
// when it ends, another goes on where it was.
func TestOneOfSeveralReads(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	w := start(t, atFullSpeed, reading, func(c *conf) { c.StoreURL = pg.URL() })
	second, other := w.oneMore()
	w.owned(2)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.awaitRead(1)
	w.shipUnheard(p)
	w.awaitText(telegramName, p, "is on its way")
	w.awaitRead(4)
	reads, idle, reader := w.conf.Internal, other, w.gateway
	if w.readings(reads) == 0 {
		reads, idle, reader = other, w.conf.Internal, second
	}
	if w.readings(reads) == 0 || w.readings(idle) > 0 {
		t.Fatalf("got %d and %d readings, want them by one only", w.readings(reads), w.readings(idle))
	}
	if code := reader.stop(); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
	if err := w.shop.Deliver(t.Context(), p.order, ""); err != nil {
		t.Fatal(err)
	}
	w.conf.Internal = idle
	w.awaitText(telegramName, p, "has been delivered")
	if w.readings(idle) == 0 {
		t.Error("nobody took over the reading")
	}
	w.quiet()
	w.wantToldOf(telegramName, p, "is on its way", "has been delivered")
}

// TestReloadReadings: how the shop is read again changes without a restart; what does
// not is named.
func TestReloadReadings(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed, func(c *conf) { c.Objects = "reconcile: {every: 0s}" })
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.shipUnheard(p)
	rewrite(w, reading, "configuration reloaded")
	w.awaitText(telegramName, p, "is on its way")
	if strings.Contains(w.gateway.log(), "next start") {
		t.Error("the log asks for a restart, which nothing needs")
	}
	rewrite(w, func(c *conf) { c.Tickets, c.Wait = "off", "11s" }, "these changes take effect with the next start only")
	if want := `"keys":["commerce.wait","commerce.tickets"]`; !strings.Contains(w.gateway.log(), want) {
		t.Errorf("the log has no %s", want)
	}
	w.say(telegramName, p, "Is it far?")
	w.ticket(p, 1) // as before
}
