package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

// TestResume: promise 5. A part that fails is sent again, the parts before it are not.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := start(t, atFullSpeed)
			p := w.customer(1)
			w.vouch(channel, p)
			w.sims[channel].Faults().Add(
				emulator.Fault{Kind: emulator.ServerError, Skip: 1, Times: 1},
				emulator.Fault{Kind: emulator.BadGateway, Skip: 2, Times: 1},
				emulator.Fault{Kind: emulator.DropBefore, Skip: 3, Times: 1},
			)
			text := strings.Repeat("Each of these words counts. ", 700)
			m := w.awaitState(w.tell(p, text), "sent")
			if got := blankless(w.shown(channel, p)); got != strip(text) {
				t.Errorf("got %d bytes in %d messages, want %d: %s", len(got), len(w.shown(channel, p)), len(strip(text)), difference(got, strip(text)))
			}
			for _, part := range m.Parts {
				if part.State != "sent" || part.PlatformID == "" || part.SentAt == nil {
					t.Errorf("got part %+v, want it sent, with the platform's id", part)
				}
			}
			if len(m.Parts) < 4 {
				t.Errorf("got %d parts, want some more", len(m.Parts))
			}
			calm(w)
		})
	}
}

// TestRetryAfter: promise 6. A platform that says when is asked again then, not
// before; that is no failed try, and nobody else waits.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := start(t, atFullSpeed)
			p, q := w.customer(1), w.customer(2)
			w.vouch(channel, p)
			w.vouch(channel, q)
			w.sims[channel].Faults().Add(emulator.Fault{Kind: emulator.Throttle, To: p.chats[channel], RetryAfter: 2 * time.Second, Times: 2})
			begun := time.Now()
			first, second := w.tell(p, "First"), w.tell(p, "Second")
			w.tell(q, "Somebody else")
			w.awaitText(channel, q, "Somebody else")
			if waited := time.Since(begun); waited > time.Second {
				t.Errorf("somebody else waited %s, want no wait", waited)
			}
			w.awaitState(second, "sent")
			if waited := time.Since(begun); waited < 4*time.Second || waited > 6*time.Second {
				t.Errorf("got it after %s, want it after twice 2s", waited)
			}
			m := w.awaitState(first, "sent")
			if n := len(m.Parts[0].Attempts); n != 3 || m.Parts[0].Attempts[0].Class != "Throttled" {
				t.Errorf("got attempts %+v, want two Throttled and one accepted", m.Parts[0].Attempts)
			}
			if diff := cmp.Diff([]string{"First", "Second"}, w.texts(channel, p)); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			calm(w)
		})
	}
}

// TestRetryAfterKill: a restart does not forget what the platform has said.
func TestRetryAfterKill(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	all := gathering(w, len(allChannels))
	for i, p := range all {
		w.sims[channelOf(i)].Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: 2 * time.Second, Times: 1})
		id := w.tell(p, "First")
		eventually(t, "it is throttled", func() error {
			m := w.messagesOf(id)
			if len(m) == 1 && len(m[0].Parts[0].Attempts) == 1 {
				return nil
			}
			return fmt.Errorf("got %+v", m)
		})
	}
	w.gateway.kill()
	w.startGateway()
	for i, p := range all {
		w.tell(p, "Second")
		w.awaitMore(channelOf(i), p, 2)
		if diff := cmp.Diff([]string{"First", "Second"}, w.texts(channelOf(i), p)); diff != "" {
			t.Errorf("%s: shown (-want +got):\n%s", channelOf(i), diff)
		}
	}
	calm(w)
}

// TestEchoSettles: Messenger tells what it has shown; what was uncertain no longer is.
func TestEchoSettles(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(messengerName, p)
	w.messenger.Faults().Add(emulator.Fault{Kind: emulator.DropAfter, Times: 1})
	m := w.awaitState(w.tell(p, "Maybe"), "sent")
	w.quiet()
	if shown := w.shown(messengerName, p); len(shown) != 1 || m.Parts[0].PlatformID != shown[0].ID {
		t.Errorf("got %+v, want it once, and its id known: %+v", shown, m.Parts)
	}
}

// TestUncertain: nobody knows whether a part arrived. The route's policy decides.
func TestUncertain(t *testing.T) {
	t.Parallel()
	for _, channel := range allChannels {
		for _, kind := range []emulator.Kind{emulator.DropAfter, emulator.Truncate} {
			t.Run(channel+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				w := start(t, atFullSpeed, func(c *conf) {
					c.silent = true
					c.Routes = `
  - name: careful
    match: {customer: ["ines1.*"]}
    channels: [messenger, telegram, slack]
    uncertain: park
  - name: everyone
    channels: [messenger, telegram, slack]`
				})
				uncertain(w, channel, kind, w.customer(1), w.customer(2))
			})
		}
	}
}

// uncertain lets one part of each customer's get lost on its way back.
func uncertain(w *world, channel string, kind emulator.Kind, careful, anybody person) {
	w.Helper()
	for _, p := range []person{careful, anybody} {
		w.vouch(channel, p)
		w.sims[channel].Faults().Add(emulator.Fault{Kind: kind, To: p.chats[channel], Times: 1})
	}
	repeated, parked := w.tell(anybody, "Maybe"), w.tell(careful, "Maybe")
	w.awaitState(repeated, "sent")
	if got := w.texts(channel, anybody); !slices.Equal(got, []string{"Maybe", "Maybe"}) {
		w.Errorf("repeat: got %q, want it twice", got)
	}
	m := w.awaitState(parked, "parked")
	if m.Class != "Uncertain" || m.Parts[0].State != "uncertain" {
		w.Errorf("park: got %+v, want it uncertain", m)
	}
	w.awaitState(w.tell(careful, "Next"), "sent")
	if got := w.texts(channel, careful); !slices.Equal(got, []string{"Maybe", "Next"}) {
		w.Errorf("park: got %q, want it once and the next", got)
	}
}

// TestMisconfigured: a token that is no good stops its channel, loses nothing,
// and delays no other.
func TestMisconfigured(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p, q := w.customer(1), w.customer(2)
	w.vouch(telegramName, p)
	w.vouch(slackName, q)
	w.telegram.Faults().Add(emulator.Fault{Kind: emulator.ExpireToken, Times: 1})
	var ids []string
	for k := range 3 {
		ids = append(ids, w.tell(p, words(k)))
		w.tell(q, words(k))
	}
	w.awaitMore(slackName, q, 3)
	eventually(t, "the gateway alarms", func() error {
		if log := w.gateway.log(); !strings.Contains(log, "channel misconfigured") {
			return fmt.Errorf("got %s", log)
		}
		return nil
	})
	if m := w.messagesOf(ids[0])[0]; m.State == "failed" {
		t.Errorf("got %+v, want it waiting", m)
	}
	before := w.telegram.Log().Requests()
	w.tell(p, words(3))
	w.tell(q, words(3))
	w.awaitMore(slackName, q, 4)
	if more := w.telegram.Log().Requests() - before; more != 0 {
		t.Errorf("got %d more requests with a token that is no good, want none before the probe", more)
	}
	// A new token in the file puts things right at once.
	w.telegram.Faults().Clear()
	rewrite(w, func(c *conf) { c.Telegram = paceOff + "\n    misconfigured_after: 10m" }, "configuration reloaded")
	all := w.awaitMore(telegramName, p, 4)
	for k, m := range all {
		if m.Text != words(k) {
			t.Errorf("got %q at place %d, want %q", m.Text, k, words(k))
		}
	}
}

// figure reads one of the metrics.
func (w *world) figure(name string) (v float64) {
	w.Helper()
	_, _, body := w.ask(http.MethodGet, w.api("/metrics"), nil)
	_, after, found := strings.Cut(string(body), "\n"+name+" ")
	if _, err := fmt.Sscan(after, &v); !found || err != nil {
		w.Fatalf("there is no figure %s", name)
	}
	return v
}

// TestSlowRecipient: one whose requests take long delays nobody else.
func TestSlowRecipient(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	all := gathering(w, 12)
	slow := all[0]
	w.messenger.Faults().Add(emulator.Fault{To: slow.chats[messengerName], Delay: 2 * time.Second})
	begun := time.Now()
	for k := range 2 {
		w.tell(slow, words(k))
	}
	tellAll(w, all[1:], 5)
	for i, p := range all[1:] {
		w.awaitMore(channelOf(i+1), p, 5)
	}
	if waited := time.Since(begun); waited > 2*time.Second {
		t.Errorf("the others waited %s, want them not to wait for the slow one", waited)
	}
	w.awaitMore(messengerName, slow, 2)
	calm(w)
}

// TestExpires: what is worth nothing any more is not sent.
func TestExpires(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.telegram.Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: 3 * time.Second, Times: 1})
	w.tell(p, "First")
	late := w.report("message.requested", obj{
		"customerUid": p.uid, "text": "Only until then", "purpose": "service", "expiresAt": time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano),
	})
	w.tell(p, "Last")
	w.awaitMore(telegramName, p, 2)
	w.awaitState(late, "expired")
	if diff := cmp.Diff([]string{"First", "Last"}, w.texts(telegramName, p)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}
