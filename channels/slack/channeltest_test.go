package slack_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/channels/channeltest"
	"tidings/channels/emulator"
	"tidings/channels/slack"
	"tidings/channels/slack/slacksim"
	"tidings/core"
)

const (
	examToken  = "xoxb-1111-exam-token"
	examSecret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
)

func examConfig() *slack.Config {
	c := slack.Defaults()
	c.BotToken, c.SigningSecret, c.TeamID = examToken, examSecret, "T1"
	return c
}

func TestTheExam(t *testing.T) {
	channeltest.Run(t, channeltest.Exam{
		Open:      examOpen(examToken),
		OpenWrong: examOpen("xoxb-1111-another-token"),
		Config:    examConfig(),
		Secrets:   []string{examToken, examSecret},
		Start:     examStart,
		Person:    examPerson,
		Nobody:    core.Address{Value: "U0099999999999"},
		// A text has no limit that refuses, only one from which on Slack cuts it
		// itself; a caption and many buttons go into several blocks.
		Hard:     []channeltest.Bound{channeltest.BoundButtonTitle, channeltest.BoundButtonValue, channeltest.BoundButtonURL},
		Failures: examFailures(),
		Proof: channeltest.Proof{
			Headers:  []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"},
			OverBody: true, MaxAge: 5 * time.Minute, Sign: examSign,
		},
		Handshakes: examHandshakes(),
		Tokens:     []string{"7K3MQ2ZD9XAB", "000000000000"},
	})
}

func examPerson(n int) core.Address { return core.Address{Value: fmt.Sprintf("U07001234%05d", n)} }

func examOpen(token core.Secret) func(testing.TB, http.RoundTripper) core.Channel {
	return func(t testing.TB, rt http.RoundTripper) core.Channel {
		c := examConfig()
		c.BotToken = token
		ch, err := c.Open(core.Env{Name: "slack", HTTP: &http.Client{Transport: rt}})
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
}

func examStart(t testing.TB, hook http.RoundTripper) channeltest.Platform {
	team := slacksim.New(slacksim.Options{
		BotToken: examToken, SigningSecret: examSecret,
		WebhookURL: "https://gateway.example/webhooks/slack", Client: &http.Client{Transport: hook},
		NoRates: true, StrangeFields: true,
	})
	t.Cleanup(team.Close)
	return channeltest.Emulated{Sim: team, Look: examLook, Ways: examWays(team), More: examScenes(team)}
}

var (
	linkTarget   = regexp.MustCompile(`<(https?:[^|<>]+)[|>]`)
	pictureLabel = regexp.MustCompile(`^\[[^\]\n]*\](\n|$)`)
)

// examLook finds the targets of links in a message's markup, and takes the
// picture's label from the text.
func examLook(m emulator.Shown, s *channeltest.Shown) {
	var raw struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Text string }
		}
	}
	if json.Unmarshal(m.Raw, &raw) != nil {
		return
	}
	markup := raw.Text
	for i, b := range raw.Blocks {
		markup += b.Text.Text
		if i == 0 && b.Type == "image" {
			s.Text = pictureLabel.ReplaceAllString(s.Text, "")
		}
	}
	for _, found := range linkTarget.FindAllStringSubmatch(markup, -1) {
		s.Links = append(s.Links, strings.ReplaceAll(found[1], "&amp;", "&"))
	}
}

func examFailures() []channeltest.Failure {
	coded := func(code string) channeltest.Fault { return channeltest.Fault{Kind: channeltest.Coded, Code: code} }
	return []channeltest.Failure{
		{Name: "a throttle", Fault: channeltest.Fault{Kind: channeltest.Throttled, RetryAfter: 37 * time.Second}, Class: core.Throttled},
		{Name: "a throttle without a time", Fault: channeltest.Fault{Kind: channeltest.Throttled}, Class: core.Throttled},
		{Name: "Slack's own 500", Fault: channeltest.Fault{Kind: channeltest.ServerError}, Class: core.Temporary},
		{Name: "a proxy's 502", Fault: channeltest.Fault{Kind: channeltest.BadGateway}, Class: core.Temporary},
		{Name: "a connection lost before", Fault: channeltest.Fault{Kind: channeltest.DropBefore}, Class: core.Uncertain},
		{Name: "a connection lost after", Fault: channeltest.Fault{Kind: channeltest.DropAfter}, Class: core.Uncertain, Shown: true},
		{Name: "half an answer", Fault: channeltest.Fault{Kind: channeltest.Truncated}, Class: core.Uncertain, Shown: true},
		{Name: "an expired token", Fault: channeltest.Fault{Kind: channeltest.Expired}, Class: core.Misconfigured},
		{Name: "a deactivated member", Fault: channeltest.Fault{Kind: channeltest.Blocked}, Class: core.Unreachable},
		{Name: "an error that may have sent", Fault: coded("fatal_error"), Class: core.Uncertain},
		{Name: "an error inside", Fault: coded("internal_error"), Class: core.Temporary},
		{Name: "a limit of the workspace", Fault: coded("message_limit_exceeded"), Class: core.Throttled, Scope: core.ScopeChannel},
		{Name: "an archived conversation", Fault: coded("is_archived"), Class: core.Unreachable},
		{Name: "a missing scope", Fault: coded("missing_scope"), Class: core.Misconfigured},
		{Name: "too many blocks", Fault: coded("msg_blocks_too_long"), Class: core.Rejected},
	}
}

// examSign signs as Slack does
// (https://docs.slack.dev/authentication/verifying-requests-from-slack, read 2026-11-22).
func examSign(h http.Header, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(examSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

func examHandshakes() []channeltest.Handshake {
	ask := func(change func(*core.Callback)) func(time.Time) core.Callback {
		return func(now time.Time) core.Callback {
			cb := core.Callback{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Now: now,
				Body: []byte(`{"type":"url_verification","token":"legacy","challenge":"3eZbrw1a<B>&Bm2"}`)}
			examSign(cb.Header, cb.Body, now)
			change(&cb)
			return cb
		}
	}
	return []channeltest.Handshake{
		{Name: "right", Callback: ask(func(*core.Callback) {}), Answer: "3eZbrw1a<B>&Bm2"},
		{Name: "unsigned", Callback: ask(func(cb *core.Callback) { cb.Header.Del("X-Slack-Signature") }), Err: core.ErrUnauthorized},
		{Name: "changed", Callback: ask(func(cb *core.Callback) { cb.Body = append(cb.Body, ' ') }), Err: core.ErrUnauthorized},
		{Name: "old", Callback: ask(func(cb *core.Callback) { cb.Now = cb.Now.Add(6 * time.Minute) }), Err: core.ErrUnauthorized},
	}
}

// examWays type the code where the invitation says.
func examWays(team *slacksim.Sim) func(core.Invitation, string) []channeltest.Scene {
	return func(inv core.Invitation, token string) []channeltest.Scene {
		if how := fmt.Sprintf(inv.How, token); !inv.TakesCode || !strings.HasPrefix(how, "/link "+token+",") {
			return nil
		}
		stranger := examPerson(77)
		return []channeltest.Scene{
			{Name: "the command", Want: []core.UpdateKind{core.UpdateOptIn}, Do: func(ctx context.Context, person string) error {
				return team.OptIn(ctx, person, token, "slash")
			}},
			{Name: "the command, by a stranger", Want: []core.UpdateKind{core.UpdateOptIn}, From: map[int]core.Address{0: stranger},
				Do: func(ctx context.Context, _ string) error { return team.OptIn(ctx, stranger.Value, token, "slash") }},
			{Name: "the code as a message", Want: []core.UpdateKind{core.UpdateText}, Do: func(ctx context.Context, person string) error {
				return team.OptIn(ctx, person, token, "dm")
			}},
		}
	}
}

func examScenes(team *slacksim.Sim) []channeltest.Scene {
	kinds := func(k ...core.UpdateKind) []core.UpdateKind { return k }
	own := func(do func(ctx context.Context, person, message string) error) func(context.Context, string) error {
		return func(ctx context.Context, person string) error {
			id, err := team.Say(ctx, person, "Where is it?")
			if err != nil {
				return err
			}
			return do(ctx, person, id)
		}
	}
	return []channeltest.Scene{
		{Name: "a photo", Want: kinds(core.UpdateText), Do: func(ctx context.Context, person string) error {
			_, err := team.SendPhoto(ctx, person, "https://files.example/broken.png", "It is broken")
			return err
		}},
		{Name: "an edit", Want: kinds(core.UpdateText, core.UpdateEdited), Do: own(func(ctx context.Context, person, id string) error {
			return team.Edit(ctx, person, id, "Where is my lamp?")
		})},
		{Name: "a reaction", Want: kinds(core.UpdateText, core.UpdateOther), Do: own(func(ctx context.Context, person, id string) error {
			return team.React(ctx, person, id, "+1")
		})},
		{Name: "a command", Want: kinds(core.UpdateText), Do: func(ctx context.Context, person string) error {
			return team.Slash(ctx, person, "/stop", "")
		}},
		{Name: "an opt-in", Want: kinds(core.UpdateOptIn), Do: func(ctx context.Context, person string) error {
			return team.OptIn(ctx, person, "7K3MQ2ZD9XAB", "slash")
		}},
	}
}
