package messenger_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/channels/channeltest"
	"tidings/channels/messenger"
	"tidings/channels/messenger/messengersim"
	"tidings/core"
)

const (
	examToken  = "EAAexam+/=token|x"
	examSecret = "exam-app-secret"
	examVerify = "exam-verify-token"
	examPage   = "1020304050"
)

func examConfig() *messenger.Config {
	c := messenger.Defaults()
	c.PageID, c.PageToken, c.AppID, c.AppSecret, c.VerifyToken = examPage, examToken, "9900110022", examSecret, examVerify
	return c
}

func TestTheExam(t *testing.T) {
	channeltest.Run(t, channeltest.Exam{
		Open:      examOpen(examToken),
		OpenWrong: examOpen("EAAexam-wrong-token"),
		Config:    examConfig(),
		Secrets:   []string{examToken, examSecret, examVerify},
		Start:     examStart,
		Person:    examPerson,
		Nobody:    core.Address{Value: "7009999999999999"},
		Hard: []channeltest.Bound{channeltest.BoundText, channeltest.BoundLines, channeltest.BoundButtons,
			channeltest.BoundButtonText, channeltest.BoundButtonTitle, channeltest.BoundButtonValue},
		Failures:   examFailures(),
		Proof:      channeltest.Proof{Headers: []string{"X-Hub-Signature-256"}, OverBody: true, Sign: examSign},
		Handshakes: examHandshakes(),
		Tokens: []string{"A", "tok_EN-1", "-_-", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
			strings.Repeat("_", 64)},
	})
}

func examPerson(n int) core.Address { return core.Address{Value: fmt.Sprintf("70012345678%05d", n)} }

func examOpen(token core.Secret) func(testing.TB, http.RoundTripper) core.Channel {
	return func(t testing.TB, rt http.RoundTripper) core.Channel {
		c := examConfig()
		c.PageToken = token
		ch, err := c.Open(core.Env{Name: "messenger", HTTP: &http.Client{Transport: rt}})
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
}

func examStart(t testing.TB, hook http.RoundTripper) channeltest.Platform {
	page := messengersim.New(messengersim.Options{
		PageID: examPage, PageToken: examToken, AppID: "9900110022", AppSecret: examSecret, VerifyToken: examVerify,
		WebhookURL: "https://gateway.example/webhooks/messenger", Client: &http.Client{Transport: hook},
		Receipts: true, NoRates: true, StrangeFields: true, RepeatOrders: true,
	})
	t.Cleanup(page.Close)
	return channeltest.Emulated{Sim: page, Ways: examWays(page), More: examScenes(page)}
}

func examFailures() []channeltest.Failure {
	coded := func(code string) channeltest.Fault { return channeltest.Fault{Kind: channeltest.Coded, Code: code} }
	return []channeltest.Failure{
		{Name: "a throttle told in minutes", Fault: channeltest.Fault{Kind: channeltest.Throttled, RetryAfter: 7 * time.Minute}, Class: core.Throttled},
		{Name: "a throttle told in seconds", Fault: channeltest.Fault{Kind: channeltest.Throttled, RetryAfter: 13 * time.Second}, Class: core.Throttled},
		{Name: "a throttle without a time", Fault: channeltest.Fault{Kind: channeltest.Throttled}, Class: core.Throttled},
		{Name: "a throttle of the app", Fault: coded("4"), Class: core.Throttled, Scope: core.ScopeChannel},
		{Name: "Meta's own 500", Fault: channeltest.Fault{Kind: channeltest.ServerError}, Class: core.Temporary},
		{Name: "a proxy's 502", Fault: channeltest.Fault{Kind: channeltest.BadGateway}, Class: core.Uncertain},
		{Name: "a connection lost before", Fault: channeltest.Fault{Kind: channeltest.DropBefore}, Class: core.Uncertain},
		{Name: "a connection lost after", Fault: channeltest.Fault{Kind: channeltest.DropAfter}, Class: core.Uncertain, Shown: true},
		{Name: "half an answer", Fault: channeltest.Fault{Kind: channeltest.Truncated}, Class: core.Uncertain, Shown: true},
		{Name: "an expired token", Fault: channeltest.Fault{Kind: channeltest.Expired}, Class: core.Misconfigured},
		{Name: "a blocked Page", Fault: channeltest.Fault{Kind: channeltest.Blocked}, Class: core.Unreachable},
		{Name: "a closed window", Fault: channeltest.Fault{Kind: channeltest.Closed}, Class: core.WindowClosed},
		{Name: "another app's turn", Fault: coded("2018300"), Class: core.WindowClosed},
		{Name: "a person who cannot receive", Fault: coded("10/2018108"), Class: core.Unreachable},
		{Name: "a missing permission", Fault: coded("200"), Class: core.Misconfigured},
		{Name: "some messages may have been sent", Fault: coded("1/1357046"), Class: core.Uncertain},
		{Name: "an invalid parameter", Fault: coded("100"), Class: core.Rejected},
	}
}

// examSign signs as Meta does: lower hex HMAC-SHA256 of the raw body
// (https://developers.facebook.com/docs/messenger-platform/webhooks, read 2026-11-22).
func examSign(h http.Header, body []byte, _ time.Time) {
	mac := hmac.New(sha256.New, []byte(examSecret))
	mac.Write(body)
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func examHandshakes() []channeltest.Handshake {
	ask := func(mode, token string) func(time.Time) core.Callback {
		return func(now time.Time) core.Callback {
			return core.Callback{Method: http.MethodGet, Header: http.Header{}, Now: now, Query: url.Values{
				"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {"1158201444"},
			}}
		}
	}
	return []channeltest.Handshake{
		{Name: "right", Callback: ask("subscribe", examVerify), Answer: "1158201444"},
		{Name: "wrong token", Callback: ask("subscribe", examVerify+"x"), Err: core.ErrForbidden},
		{Name: "no token", Callback: ask("subscribe", ""), Err: core.ErrForbidden},
		{Name: "wrong mode", Callback: ask("unsubscribe", examVerify), Err: core.ErrForbidden},
		{Name: "nothing asked", Callback: func(now time.Time) core.Callback {
			return core.Callback{Method: http.MethodGet, Header: http.Header{}, Now: now}
		}, Err: core.ErrForbidden},
	}
}

// examWays follow the link, into a new chat and an old one, or press the plugin.
func examWays(page *messengersim.Sim) func(core.Invitation, string) []channeltest.Scene {
	return func(inv core.Invitation, _ string) []channeltest.Scene {
		u, err := url.Parse(inv.URL)
		if err != nil || u.Host != "m.me" || u.Path != "/"+examPage {
			return nil
		}
		want := []core.UpdateKind{core.UpdateOptIn}
		stranger := examPerson(77)
		return []channeltest.Scene{
			{Name: "the link, in an old chat", Want: want, Do: func(ctx context.Context, person string) error {
				return page.OptIn(ctx, person, u.Query().Get("ref"), "mme")
			}},
			{Name: "the link, in a new chat", Want: want, From: map[int]core.Address{0: stranger}, Do: func(ctx context.Context, _ string) error {
				return page.OptIn(ctx, stranger.Value, u.Query().Get("ref"), "mme")
			}},
			{Name: "the plugin", Want: want, Do: func(ctx context.Context, person string) error {
				return page.OptIn(ctx, person, inv.Extra["dataRef"], "plugin")
			}},
		}
	}
}

func examScenes(page *messengersim.Sim) []channeltest.Scene {
	kinds := func(k ...core.UpdateKind) []core.UpdateKind { return k }
	own := func(do func(ctx context.Context, person, message string) error) func(context.Context, string) error {
		return func(ctx context.Context, person string) error {
			id, err := page.Say(ctx, person, "Where is it?")
			if err != nil {
				return err
			}
			return do(ctx, person, id)
		}
	}
	return []channeltest.Scene{
		{Name: "a photo with words", Want: kinds(core.UpdateText, core.UpdateText), Do: func(ctx context.Context, person string) error {
			_, err := page.SendPhoto(ctx, person, "https://cdn.example/broken.jpg", "It is broken")
			return err
		}},
		{Name: "a file", Want: kinds(core.UpdateText), Do: func(ctx context.Context, person string) error {
			_, err := page.SendAttachment(ctx, person, "file", "https://cdn.example/invoice.pdf")
			return err
		}},
		{Name: "an edit", Want: kinds(core.UpdateText, core.UpdateEdited), Do: own(func(ctx context.Context, person, id string) error {
			return page.Edit(ctx, person, id, "Where is my lamp?")
		})},
		{Name: "a reaction", Want: kinds(core.UpdateText, core.UpdateOther), Do: own(func(ctx context.Context, person, id string) error {
			return page.React(ctx, person, id, "👍")
		})},
		{Name: "a read receipt", Want: kinds(core.UpdateRead), Do: page.Read},
		{Name: "a press of Get Started", Want: kinds(core.UpdateButton), Do: page.GetStarted},
		{Name: "an opt-in by the plugin", Want: kinds(core.UpdateOptIn), Do: func(ctx context.Context, person string) error {
			return page.OptIn(ctx, person, "tok_EN-2", "plugin")
		}},
		{Name: "an opt-in by a link", Want: kinds(core.UpdateOptIn), Do: func(ctx context.Context, person string) error {
			return page.OptIn(ctx, person, "tok_EN-3", "mme")
		}},
		{Name: "two people at once", Want: kinds(core.UpdateText, core.UpdateText), From: map[int]core.Address{1: examPerson(5)},
			Do: func(ctx context.Context, person string) error {
				_, err := page.SayBatch(ctx, []messengersim.Inbound{{User: person, Text: "one"}, {User: examPerson(5).Value, Text: "two"}})
				return err
			}},
	}
}
