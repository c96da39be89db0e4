package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tidings/channels/emulator"
	"tidings/core/hybris/hybrissim"
)

// act is a scene of a stage. Customers of different scenes do not meet.
type act struct {
	name string
	play func(context.Context, *stage) error
	// about is of the points that other acts come by as well, and to no effect.
	about []string
}

// acts are, together, everything that writes.
var acts = []act{
	{"news", together(optIn, several, fallback, closedWindow, renamed), nil},
	{"talk", together(stranger, stopAndStart, receipts), nil},
	{"operate", together(retried, parked, echoed), nil},
	{"rename", rename, nil},
	{"unheard", unheard, nil},
	{"purge", purge, []string{"FROM inbox", "FROM claim", "FROM attempt", "FROM part", "FROM message", "FROM event"}},
	{"throttle", throttled, nil},
	{"misconfigured", misconfigured, nil},
}

// sharedActs are what is different where several processes share a database.
var sharedActs = []act{{"leases", leases, nil}, {"rename", rename, nil}}

// actor is a customer with an order and an account on each platform.
type actor struct {
	uid, order string
	at         map[string]string
}

// actor makes the n-th customer of the shop.
func (s *stage) actor(n int, name string) actor {
	a := actor{
		uid: fmt.Sprintf("%s%d.vidal@example.com", name, n), order: fmt.Sprintf("0041%04d", n),
		at: map[string]string{messengerName: fmt.Sprintf("64100200%04d", n), telegramName: fmt.Sprintf("881730%04d", n), slackName: fmt.Sprintf("U0GQ7B%04d", n)},
	}
	s.shop.AddOrder(hybrissim.SampleOrder(a.order, a.uid, site))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, channel := range allChannels {
		s.chats = append(s.chats, chatName{channel, a.at[channel]})
	}
	return a
}

// optIn: a customer links by a button of the shop, and hears of an order whose
// owner only the shop knows.
func optIn(ctx context.Context, s *stage) error {
	a := s.actor(1, "ines")
	if err := s.link(ctx, a); err != nil {
		return err
	}
	wish := map[string]any{"channels": []string{telegramName}}
	parcel := map[string]string{"orderCode": a.order, "consignmentCode": "cons" + a.order + "_0"}
	return steps(
		func() error {
			return s.insist(ctx, http.MethodPut, "/v1/customers/"+a.uid+"/preferences", wish, nil)
		},
		func() error { return s.report(ctx, "order.shipped", parcel) },
		func() error { return s.report(ctx, "order.delivered", parcel) },
		func() error { return s.sees(ctx, telegramName, a, "has been delivered") },
	)
}

// link has a customer ask for a link and use it, on Telegram.
func (s *stage) link(ctx context.Context, a actor) error {
	var offer struct {
		Links []struct{ Channel, Token string }
	}
	wish := map[string]string{"customerUid": a.uid, "orderCode": a.order, "purpose": "order_updates"}
	if err := s.insist(ctx, http.MethodPost, "/v1/opt-ins", wish, &offer); err != nil {
		return err
	}
	for _, l := range offer.Links {
		if l.Channel == telegramName {
			if err := s.platforms.sims[telegramName].OptIn(ctx, a.at[telegramName], l.Token, ""); err != nil {
				return err
			}
		}
	}
	return s.sees(ctx, telegramName, a, "Thank you for choosing this chat")
}

// several: messages of one part and of several keep their order.
func several(ctx context.Context, s *stage) error {
	a := s.actor(2, "ines")
	if err := s.vouch(ctx, telegramName, a); err != nil {
		return err
	}
	for _, text := range []string{"First of all", long("many", 80), "Last of all"} {
		if err := s.tell(ctx, a, text); err != nil {
			return err
		}
	}
	return s.sees(ctx, telegramName, a, "Last of all")
}

// long is a text of so many words, longer than a part.
func long(word string, n int) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "%s%d ", word, k)
	}
	return strings.TrimSpace(b.String())
}

// fallback: what one platform refuses goes to the next.
func fallback(ctx context.Context, s *stage) error {
	a := s.actor(3, "ines")
	s.platforms.sims[slackName].Faults().Add(emulator.Fault{Kind: emulator.ErrorCode, Code: refusedBySlack, To: a.at[slackName]})
	return steps(
		func() error { return s.vouch(ctx, slackName, a) },
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error { return s.tell(ctx, a, "By another way") },
		func() error { return s.sees(ctx, telegramName, a, "By another way") },
	)
}

// refusedBySlack is what Slack says to a message that it will never take.
const refusedBySlack = "invalid_blocks"

// closedWindow: an approved template takes the place of a message's parts.
func closedWindow(ctx context.Context, s *stage) error {
	a := s.actor(4, "ines")
	return steps(
		func() error { return s.vouchSince(ctx, messengerName, a, 30*time.Hour) },
		func() error {
			return s.report(ctx, "order.shipped", map[string]string{"orderCode": a.order, "customerUid": a.uid})
		},
		func() error { return s.sees(ctx, messengerName, a, "has left us") },
	)
}

// renamed: a customer gets another uid, one that the gateway has heard of already.
func renamed(ctx context.Context, s *stage) error {
	a := s.actor(17, "ines")
	b := a
	b.uid = "renamed." + a.uid
	return steps(
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error {
			return s.settle(ctx, "customer.registered", map[string]string{"customerUid": b.uid})
		},
		func() error {
			return s.report(ctx, "customer.renamed", map[string]string{"customerUid": b.uid, "previousUid": a.uid})
		},
		func() error { return s.sees(ctx, telegramName, a, "The login of your account") },
		func() error { return s.tell(ctx, b, "By the new uid") },
		func() error { return s.sees(ctx, telegramName, a, "By the new uid") },
	)
}

// stranger: somebody writes before they are linked; what they wrote becomes a
// ticket, they write on, and an agent answers.
func stranger(ctx context.Context, s *stage) error {
	a := s.actor(5, "ines")
	ticket := ""
	asks := func(text string, entries int) func() error {
		return func() (err error) {
			if _, err := s.platforms.sims[telegramName].Say(ctx, a.at[telegramName], text); err != nil || entries == 0 {
				return err
			}
			ticket, err = s.ticket(ctx, a, entries)
			return err
		}
	}
	return steps(
		asks("Is anybody there?", 0),
		func() error { return s.sees(ctx, telegramName, a, "not connected") },
		func() error { return s.link(ctx, a) },
		func() (err error) { ticket, err = s.ticket(ctx, a, 1); return err },
		asks("Where is my lamp?", 2),
		asks("And the mug?", 3),
		func() error {
			_, err := s.shop.AddNote(ctx, ticket, "It is on its way.", true, "smith")
			return err
		},
		func() error { return s.sees(ctx, telegramName, a, "It is on its way.") },
	)
}

// stopAndStart: a customer opts out and comes back.
func stopAndStart(ctx context.Context, s *stage) error {
	a := s.actor(6, "ines")
	says := func(text, answer string) func() error {
		return func() error {
			if _, err := s.platforms.sims[slackName].Say(ctx, a.at[slackName], text); err != nil {
				return err
			}
			return s.sees(ctx, slackName, a, answer)
		}
	}
	return steps(
		func() error { return s.vouch(ctx, slackName, a) },
		says("stop", "no more messages"),
		says("start", "Welcome back"),
		func() error { return s.tell(ctx, a, "Here again") },
		func() error { return s.sees(ctx, slackName, a, "Here again") },
	)
}

// receipts: a message is read, and a receipt comes for one that nobody knows.
func receipts(ctx context.Context, s *stage) error {
	a := s.actor(7, "ines")
	return steps(
		func() error { return s.vouch(ctx, messengerName, a) },
		func() error { return s.tell(ctx, a, "Read me") },
		func() error { return s.sees(ctx, messengerName, a, "Read me") },
		func() error { return s.state(ctx, a, "sent") },
		func() error {
			return s.platforms.read(ctx, a.at[messengerName])
		},
		func() error { return s.state(ctx, a, "read") },
		func() error { return s.early(ctx, a) },
	)
}

// retried: what failed is sent when an operator says so.
func retried(ctx context.Context, s *stage) error {
	a := s.actor(8, "ines")
	faults := s.platforms.sims[slackName].Faults()
	faults.Add(emulator.Fault{Kind: emulator.ErrorCode, Code: refusedBySlack, To: a.at[slackName]})
	return steps(
		func() error { return s.vouch(ctx, slackName, a) },
		func() error { return s.tell(ctx, a, "Once more") },
		func() error { return s.state(ctx, a, "failed") },
		func() error { faults.Clear(); return s.operate(ctx, a, "failed", "retry") },
		func() error { return s.sees(ctx, slackName, a, "Once more") },
	)
}

// parked: nobody knows whether it arrived, and the route would rather lose it.
func parked(ctx context.Context, s *stage) error {
	a := s.actor(9, "careful")
	s.platforms.sims[telegramName].Faults().Add(emulator.Fault{Kind: emulator.DropAfter, To: a.at[telegramName], Times: 1})
	s.mayShow("Perhaps")
	return steps(
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error { return s.tell(ctx, a, "Perhaps") },
		func() error { return s.state(ctx, a, "parked") },
		func() error { return s.operate(ctx, a, "parked", "discard") },
		func() error { return s.state(ctx, a, "cancelled") },
	)
}

// echoed: nobody knows whether it arrived, but for the platform, which tells.
func echoed(ctx context.Context, s *stage) error {
	a := s.actor(10, "ines")
	s.platforms.sims[messengerName].Faults().Add(emulator.Fault{Kind: emulator.DropAfter, To: a.at[messengerName], Times: 1})
	return steps(
		func() error { return s.vouch(ctx, messengerName, a) },
		func() error { return s.tell(ctx, a, "Did you hear me?") },
		func() error { return s.state(ctx, a, "sent") },
	)
}

// leases: a process takes over what another has left, and forgets it.
func leases(ctx context.Context, s *stage) error {
	a := s.actor(15, "ines")
	return steps(
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error { return s.tell(ctx, a, "By one") },
		func() error { return s.sees(ctx, telegramName, a, "By one") },
		func() error { return s.again(func(*stageSettings) {}) },
		func() error { return s.tell(ctx, a, "By its successor") },
		func() error { return s.sees(ctx, telegramName, a, "By its successor") },
		func() error { return s.comesBy(ctx, "committed DELETE FROM replica") },
	)
}

// rename: a channel gets another name, and keeps everything, what waits included.
func rename(ctx context.Context, s *stage) error {
	a, b := s.actor(11, "ines"), s.actor(12, "ines")
	s.platforms.sims[telegramName].Faults().Add(emulator.Fault{Kind: emulator.Throttle, To: b.at[telegramName], RetryAfter: time.Second, Times: 1})
	return steps(
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error { return s.vouch(ctx, telegramName, b) },
		func() error { return s.tell(ctx, b, "Waiting") },
		func() error { return s.tell(ctx, a, "By the old name") },
		func() error { return s.sees(ctx, telegramName, a, "By the old name") },
		func() error {
			return s.again(func(c *stageSettings) { c.Telegram, c.Was = "tg", telegramName })
		},
		func() error { return s.tell(ctx, a, "By the new name") },
		func() error { return s.sees(ctx, telegramName, a, "By the new name") },
		func() error { return s.sees(ctx, telegramName, b, "Waiting") },
	)
}

// unheard: a shop reports nothing, and is read.
func unheard(ctx context.Context, s *stage) error {
	a := s.actor(17, "ines")
	return steps(
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error { return s.again(func(c *stageSettings) { c.Every = "200ms" }) },
		func() error { return s.shop.Ship(ctx, a.order, "", "JD0146", "DHL", "") },
		func() error { return s.sees(ctx, telegramName, a, "is on its way") },
	)
}

// purge: what has been kept long enough goes.
func purge(ctx context.Context, s *stage) error {
	a := s.actor(16, "ines")
	return steps(
		func() error { return s.vouch(ctx, telegramName, a) },
		func() error { return s.tell(ctx, a, "Not for ever") },
		func() error { return s.sees(ctx, telegramName, a, "Not for ever") },
		func() error { return s.say(ctx, telegramName, a, "help", "status") },
		func() error { return s.again(func(c *stageSettings) { c.Retention = "1ms" }) },
		func() error { return s.gone(ctx) },
	)
}

// throttled: three customers at once are too many; what was cancelled meanwhile
// does not leave.
func throttled(ctx context.Context, s *stage) error {
	s.platforms.sims[telegramName].Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: time.Second, Times: 3})
	s.mayShow("Never mind")
	var all []actor
	for n := range 3 {
		a := s.actor(20+n, "ines")
		all = append(all, a)
		if err := s.vouch(ctx, telegramName, a); err != nil {
			return err
		}
	}
	for _, a := range all {
		if err := s.tell(ctx, a, "Wait for it"); err != nil {
			return err
		}
	}
	if err := s.tell(ctx, all[0], "Never mind"); err != nil {
		return err
	}
	if err := s.operate(ctx, all[0], "queued", "cancel"); err != nil {
		return err
	}
	for _, a := range all {
		if err := s.sees(ctx, telegramName, a, "Wait for it"); err != nil {
			return err
		}
	}
	return nil
}

// misconfigured: a channel whose token is no good gives its messages to the next.
func misconfigured(ctx context.Context, s *stage) error {
	a, b := s.actor(13, "ines"), s.actor(14, "ines")
	s.probes = true
	s.platforms.sims[slackName].Faults().Add(emulator.Fault{Kind: emulator.ExpireToken})
	for _, x := range []actor{a, b} {
		for _, channel := range []string{slackName, telegramName} {
			if err := s.vouch(ctx, channel, x); err != nil {
				return err
			}
		}
	}
	return steps(
		func() error { return s.tell(ctx, a, "From one") },
		func() error { return s.tell(ctx, b, "From the other") },
		func() error { return s.sees(ctx, telegramName, a, "From one") },
		func() error { return s.sees(ctx, telegramName, b, "From the other") },
	)
}
