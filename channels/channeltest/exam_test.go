package channeltest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidings/channels/channeltest"
	"tidings/channels/messenger"
	"tidings/channels/messenger/messengersim"
	"tidings/core"
)

const (
	token  = "EAA-token-of-the-page"
	secret = "app-secret"
)

// sabotaged is set in the process in which every exam must fail.
const sabotaged = "CHANNELTEST_SABOTAGED"

// TestExam passes as it is.
func TestExam(t *testing.T) {
	if os.Getenv(sabotaged) == "" {
		channeltest.Run(t, exam(func(*broken) {}))
		return
	}
	for _, s := range sabotages {
		t.Run(s.name, func(t *testing.T) { channeltest.Run(t, exam(s.spoil)) })
	}
}

// TestTheExamFindsFaults has a process of its own run the exam of adapters with
// a fault, as far as the point at which each of them must fail.
func TestTheExamFindsFaults(t *testing.T) {
	var asked []string
	for _, s := range sabotages {
		asked = append(asked, "^TestExam$/^"+regexp.QuoteMeta(underlined(s.name))+"$/^"+s.point)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", strings.Join(asked, "|"), "-test.timeout=3m")
	cmd.Env = append(os.Environ(), sabotaged+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Contains(string(out), "panic:") {
		t.Fatalf("the exams ended with %v, want failures:\n%s", err, out)
	}
	for _, s := range sabotages {
		if !strings.Contains(string(out), "--- FAIL: TestExam/"+underlined(s.name)+"/"+s.point) {
			t.Errorf("the exam passes an adapter with %s", s.name)
		}
	}
}

// underlined is a name as package testing writes it.
func underlined(name string) string { return strings.ReplaceAll(name, " ", "_") }

const header = "X-Hub-Signature-256"

func sign(h http.Header, body []byte, _ time.Time) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	h.Set(header, "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func person(n int) core.Address { return core.Address{Value: fmt.Sprintf("70012345678%05d", n)} }

func config() *messenger.Config {
	c := messenger.Defaults()
	c.PageID, c.PageToken, c.AppID, c.AppSecret, c.VerifyToken = "1020304050", token, "9900110022", secret, "verify"
	return c
}

// exam is that of an adapter which something is done to.
func exam(sabotage func(*broken)) channeltest.Exam {
	kinds := func(k ...core.UpdateKind) []core.UpdateKind { return k }
	var b broken
	sabotage(&b)
	x := channeltest.Exam{
		Open: opened(token, sabotage), OpenWrong: opened("EAA-another", sabotage), Config: config(), Secrets: []string{token, secret},
		Person: person, Nobody: core.Address{Value: "7009999999999999"},
		Hard:     []channeltest.Bound{channeltest.BoundText, channeltest.BoundButtonText, channeltest.BoundButtonTitle},
		Failures: failures,
		Proof:    channeltest.Proof{Headers: []string{header}, OverBody: true, Sign: sign},
		Handshakes: []channeltest.Handshake{
			{Name: "wrong", Err: core.ErrForbidden, Callback: func(now time.Time) core.Callback {
				return core.Callback{Method: http.MethodGet, Now: now, Query: url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {"x"}, "hub.challenge": {"1"}}}
			}},
		},
		Tokens: []string{"Token-1"},
	}
	if b.config != nil {
		x.Config = b.config
	}
	x.Start = func(t testing.TB, hook http.RoundTripper) channeltest.Platform {
		page := messengersim.New(messengersim.Options{
			PageID: "1020304050", PageToken: token, AppID: "9900110022", AppSecret: secret, VerifyToken: "verify",
			WebhookURL: "https://gateway.example/webhooks/messenger", Client: &http.Client{Transport: hook},
			Receipts: true, NoRates: true, RepeatOrders: true,
		})
		t.Cleanup(page.Close)
		return channeltest.Emulated{Sim: page,
			Ways: func(inv core.Invitation, _ string) []channeltest.Scene {
				_, ref, _ := strings.Cut(inv.URL, "?ref=")
				return []channeltest.Scene{{Name: "the link", Want: kinds(core.UpdateOptIn), Do: func(ctx context.Context, person string) error {
					return page.OptIn(ctx, person, ref, "mme")
				}}}
			},
			More: []channeltest.Scene{
				{Name: "two at once", Want: kinds(core.UpdateText, core.UpdateText), From: map[int]core.Address{1: person(5)}, Do: func(ctx context.Context, who string) error {
					_, err := page.SayBatch(ctx, []messengersim.Inbound{{User: who, Text: "one"}, {User: person(5).Value, Text: "two"}})
					return err
				}},
				{Name: "an edit", Want: kinds(core.UpdateText, core.UpdateEdited), Do: func(ctx context.Context, who string) error {
					id, err := page.Say(ctx, who, "Where?")
					return errors.Join(err, page.Edit(ctx, who, id, "Where is it?"))
				}},
			}}
	}
	return x
}

func opened(pageToken core.Secret, sabotage func(*broken)) func(testing.TB, http.RoundTripper) core.Channel {
	return func(t testing.TB, rt http.RoundTripper) core.Channel {
		c := config()
		c.PageToken = pageToken
		good, err := c.Open(core.Env{Name: "messenger", HTTP: &http.Client{Transport: rt}})
		if err != nil {
			t.Fatal(err)
		}
		b := &broken{Channel: good}
		sabotage(b)
		return b
	}
}

var failures = []channeltest.Failure{
	{Name: "a throttle", Fault: channeltest.Fault{Kind: channeltest.Throttled, RetryAfter: 14 * time.Second}, Class: core.Throttled},
	{Name: "a 500", Fault: channeltest.Fault{Kind: channeltest.ServerError}, Class: core.Temporary},
	{Name: "a 502", Fault: channeltest.Fault{Kind: channeltest.BadGateway}, Class: core.Uncertain},
	{Name: "lost before", Fault: channeltest.Fault{Kind: channeltest.DropBefore}, Class: core.Uncertain},
	{Name: "lost after", Fault: channeltest.Fault{Kind: channeltest.DropAfter}, Class: core.Uncertain, Shown: true},
	{Name: "half an answer", Fault: channeltest.Fault{Kind: channeltest.Truncated}, Class: core.Uncertain, Shown: true},
	{Name: "expired", Fault: channeltest.Fault{Kind: channeltest.Expired}, Class: core.Misconfigured},
	{Name: "blocked", Fault: channeltest.Fault{Kind: channeltest.Blocked}, Class: core.Unreachable},
	{Name: "a code", Fault: channeltest.Fault{Kind: channeltest.Coded, Code: "100"}, Class: core.Rejected},
}
