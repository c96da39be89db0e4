package telegram_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/channels/channeltest"
	"tidings/channels/emulator"
	"tidings/channels/telegram/telegramsim"
	"tidings/core"
)

func TestTheExam(t *testing.T) {
	_, hash, _ := strings.Cut(testToken, ":")
	channeltest.Run(t, channeltest.Exam{
		Open:      examOpen(testToken),
		OpenWrong: examOpen("110201543:wrong-token-of-the-exam"),
		Config:    config(),
		Secrets:   []string{testToken, hash, testSecret},
		Start:     examStart,
		Person:    examPerson,
		Nobody:    core.Address{Value: "7009999999999"},
		// All other limits are ours, where the Bot API names none.
		Hard:     []channeltest.Bound{channeltest.BoundText, channeltest.BoundCaption, channeltest.BoundButtonText, channeltest.BoundButtonValue},
		Failures: examFailures(),
		Proof: channeltest.Proof{
			Headers: []string{"X-Telegram-Bot-Api-Secret-Token"},
			Sign:    func(h http.Header, _ []byte, _ time.Time) { h.Set("X-Telegram-Bot-Api-Secret-Token", testSecret) },
		},
		Tokens: []string{"A", "tok_EN-1", "-_-", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
			strings.Repeat("_", 64)},
	})
}

func examPerson(n int) core.Address { return core.Address{Value: fmt.Sprintf("70012345%05d", n)} }

func examOpen(token core.Secret) func(testing.TB, http.RoundTripper) core.Channel {
	return func(t testing.TB, rt http.RoundTripper) core.Channel {
		c := config()
		c.Token = token
		return openWith(t, c, rt)
	}
}

func examStart(t testing.TB, hook http.RoundTripper) channeltest.Platform {
	bot := telegramsim.New(telegramsim.Options{
		Token: testToken, Username: "my_shop_bot", SecretToken: testSecret,
		WebhookURL: "https://gateway.example/webhooks/telegram", Client: &http.Client{Transport: hook},
		NoRates: true, StrangeFields: true,
	})
	t.Cleanup(bot.Close)
	return channeltest.Emulated{Sim: bot, Look: examLook, Ways: examWays(bot), More: examScenes(bot)}
}

// examLook finds the targets of links among a message's entities.
func examLook(m emulator.Shown, s *channeltest.Shown) {
	var raw struct {
		Entities, CaptionEntities []struct{ URL string }
	}
	if json.Unmarshal(m.Raw, &raw) != nil {
		return
	}
	for _, e := range append(raw.Entities, raw.CaptionEntities...) {
		s.Links = append(s.Links, e.URL)
	}
}

func examFailures() []channeltest.Failure {
	coded := func(code string) channeltest.Fault { return channeltest.Fault{Kind: channeltest.Coded, Code: code} }
	return []channeltest.Failure{
		{Name: "a throttle", Fault: channeltest.Fault{Kind: channeltest.Throttled, RetryAfter: 37 * time.Second}, Class: core.Throttled},
		{Name: "a throttle without a time", Fault: channeltest.Fault{Kind: channeltest.Throttled}, Class: core.Throttled},
		{Name: "Telegram's own 500", Fault: channeltest.Fault{Kind: channeltest.ServerError}, Class: core.Temporary},
		{Name: "a proxy's 502", Fault: channeltest.Fault{Kind: channeltest.BadGateway}, Class: core.Uncertain},
		{Name: "a connection lost before", Fault: channeltest.Fault{Kind: channeltest.DropBefore}, Class: core.Uncertain},
		{Name: "a connection lost after", Fault: channeltest.Fault{Kind: channeltest.DropAfter}, Class: core.Uncertain, Shown: true},
		{Name: "half an answer", Fault: channeltest.Fault{Kind: channeltest.Truncated}, Class: core.Uncertain, Shown: true},
		{Name: "an expired token", Fault: channeltest.Fault{Kind: channeltest.Expired}, Class: core.Misconfigured},
		{Name: "a blocked bot", Fault: channeltest.Fault{Kind: channeltest.Blocked}, Class: core.Unreachable},
		{Name: "a deactivated user", Fault: coded("403 Forbidden: user is deactivated"), Class: core.Unreachable},
		{Name: "another consumer", Fault: coded("409 Conflict: terminated by other getUpdates request"), Class: core.Misconfigured},
		{Name: "bad markup", Fault: coded("400 Bad Request: can't parse entities: Unclosed start tag"), Class: core.Rejected},
		{Name: "a chat that moved", Fault: coded("migrate:-1001234567890"), Class: core.Temporary},
	}
}

// examWays follow the link and press Start, in an old chat and in a new one.
func examWays(bot *telegramsim.Sim) func(core.Invitation, string) []channeltest.Scene {
	return func(inv core.Invitation, _ string) []channeltest.Scene {
		u, err := url.Parse(inv.URL)
		if err != nil || u.Host != "t.me" || u.Path != "/my_shop_bot" {
			return nil
		}
		want := []core.UpdateKind{core.UpdateOptIn}
		stranger := examPerson(77)
		return []channeltest.Scene{
			{Name: "the link, in an old chat", Want: want, Do: func(ctx context.Context, person string) error {
				return bot.Start(ctx, person, u.Query().Get("start"))
			}},
			{Name: "the link, in a new chat", Want: want, From: map[int]core.Address{0: stranger}, Do: func(ctx context.Context, _ string) error {
				return bot.Start(ctx, stranger.Value, u.Query().Get("start"))
			}},
			{Name: "the link, after blocking the bot", Want: []core.UpdateKind{core.UpdateBlocked, core.UpdateUnblocked, core.UpdateOptIn},
				From: map[int]core.Address{0: stranger, 1: stranger, 2: stranger}, Do: func(ctx context.Context, _ string) error {
					bot.Block(stranger.Value)
					return bot.Start(ctx, stranger.Value, u.Query().Get("start"))
				}},
		}
	}
}

func examScenes(bot *telegramsim.Sim) []channeltest.Scene {
	kinds := func(k ...core.UpdateKind) []core.UpdateKind { return k }
	return []channeltest.Scene{
		{Name: "a photo", Want: kinds(core.UpdateText), Do: func(ctx context.Context, person string) error {
			_, err := bot.SendPhoto(ctx, person, "https://cdn.example/broken.jpg", "It is broken")
			return err
		}},
		{Name: "a file", Want: kinds(core.UpdateText), Do: func(ctx context.Context, person string) error {
			_, err := bot.SendDocument(ctx, person, "invoice.pdf", "application/pdf", []byte("%PDF"), "")
			return err
		}},
		{Name: "an edit", Want: kinds(core.UpdateText, core.UpdateEdited), Do: func(ctx context.Context, person string) error {
			id, err := bot.Say(ctx, person, "Where is it?")
			if err != nil {
				return err
			}
			return bot.Edit(ctx, person, id, "Where is my lamp?")
		}},
		{Name: "a start without a reference", Want: kinds(core.UpdateOptIn), Do: func(ctx context.Context, person string) error {
			return bot.Start(ctx, person, "")
		}},
		{Name: "an opt-in", Want: kinds(core.UpdateOptIn), Do: func(ctx context.Context, person string) error {
			return bot.Start(ctx, person, "tok_EN-2")
		}},
		{Name: "a block and its end", Want: kinds(core.UpdateBlocked, core.UpdateUnblocked), Do: func(_ context.Context, person string) error {
			bot.Block(person)
			bot.Unblock(person)
			return nil
		}},
	}
}
