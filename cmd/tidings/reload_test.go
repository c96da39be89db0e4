package main_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
)

// rewrite changes the configuration's file, and waits until the gateway says
// something about it.
func rewrite(w *world, change func(*conf), says string) {
	w.Helper()
	before := len(w.gateway.log())
	change(&w.conf)
	w.writeConfig()
	eventually(w.T, "the gateway says "+says, func() error {
		if log := w.gateway.log()[before:]; !strings.Contains(log, says) {
			return fmt.Errorf("got %s", log)
		}
		return nil
	})
}

// TestReload: routes, texts and channels change while news keep coming; nothing
// is lost or repeated.
func TestReload(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed, only(telegramName))
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.vouch(slackName, p)
	told := make(chan int)
	stop := make(chan struct{})
	go func() {
		k := 0
		for ; ; k++ {
			select {
			case <-stop:
				told <- k
				return
			default:
			}
			if err := post(w, p, k); err != nil {
				t.Error(err)
			}
		}
	}()
	w.awaitMore(telegramName, p, 10)
	rewrite(w, only(slackName), "configuration reloaded")
	w.awaitMore(slackName, p, 10)
	close(stop)
	n := <-told
	w.rest()
	both := slices.Concat(w.texts(telegramName, p), w.texts(slackName, p))
	var want []string
	for k := range n {
		want = append(want, words(k))
	}
	if !slices.Equal(both, want) {
		t.Errorf("got telegram %s, then slack %s; want 0 to %d once, in order", numbers(w.texts(telegramName, p)), numbers(w.texts(slackName, p)), n-1)
	}
}

// TestReloadFaulty: a wrong file changes nothing, and the log says what is wrong.
func TestReloadFaulty(t *testing.T) {
	t.Parallel()
	w := start(t, only(telegramName))
	p := w.customer(1)
	w.vouch(telegramName, p)
	for _, faulty := range []func(*conf){only("fax"), func(c *conf) { c.Routes = "  - {" }} {
		rewrite(w, faulty, "the changed configuration is ignored")
	}
	if !strings.Contains(w.gateway.log(), `"line":`) {
		t.Error("the log does not say in which line the fault is")
	}
	w.tell(p, "As before")
	w.awaitText(telegramName, p, "As before")
	rewrite(w, only("telegram, slack"), "configuration reloaded")
}

// TestReloadChannel: a channel is added, and takes part at once.
func TestReloadChannel(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	second := messengersim.New(messengersim.Options{
		PageID: "204729", PageToken: "second-" + pageToken, AppID: appID, AppSecret: appSecret, VerifyToken: verifyToken,
		WebhookURL: w.hook("/webhooks/messenger"), Client: w.client,
	})
	defer second.Close()
	url := w.serve(second)
	rewrite(w, func(c *conf) {
		c.More = `- {name: second, type: messenger, page_id: "204729", page_token: "second-` + pageToken + `", app_id: "` + appID +
			`", app_secret: "` + appSecret + `", verify_token: "` + verifyToken + `", api_url: "` + url + `/v25.0"}`
		c.Routes = "\n  - {name: everyone, channels: [second, telegram]}"
	}, "configuration reloaded")
	w.sims["second"] = second
	p.chats["second"] = p.chats[messengerName]
	// One app has one callback URL: the entry finds the channel of its page.
	w.link("second", p)
	if got := w.linked(p); !slices.Equal(got, []string{"second " + p.chats["second"]}) {
		t.Errorf("got links %q, want one on second", got)
	}
	w.tell(p, "By the second page")
	w.awaitText("second", p, "By the second page")
}

// TestReloadTexts: the shop's own texts go before the built-in ones, also when
// they change.
func TestReloadTexts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(text string) {
		if err := os.MkdirAll(dir+"/en", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/en/order.on_hold.tmpl", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Order {{.Order.Code}} takes a nap.")
	w := start(t, func(c *conf) { c.TextsDir = dir })
	p := w.customer(1)
	w.vouch(slackName, p)
	w.report("order.on_hold", obj{"orderCode": p.order, "customerUid": p.uid})
	w.awaitText(slackName, p, "Order "+p.order+" takes a nap.")
	before := len(w.gateway.log())
	write("Order {{.Order.Code}} sleeps.")
	eventually(t, "the gateway says that it has reloaded", func() error {
		if log := w.gateway.log()[before:]; !strings.Contains(log, "configuration reloaded") {
			return fmt.Errorf("got %s", log)
		}
		return nil
	})
	other := w.customer(2)
	w.vouch(slackName, other)
	w.report("order.on_hold", obj{"orderCode": other.order, "customerUid": other.uid})
	w.awaitText(slackName, other, "Order "+other.order+" sleeps.")
}

// TestChannelGone: what waits for a channel that is taken away is sent when it
// comes back, in order, and nobody else waits for it.
func TestChannelGone(t *testing.T) {
	t.Parallel()
	w := start(t, only(telegramName))
	p, q := w.customer(1), w.customer(2)
	w.vouch(slackName, q)
	second := func(c *conf) {
		c.More = `- {name: second, type: telegram, token: "` + telegramToken + `", bot_username: my_shop_bot, secret_token: "` +
			secretToken + `", api_url: "` + c.TelegramURL + `"}`
		c.Routes = "\n  - {name: everyone, channels: [second, slack]}"
	}
	rewrite(w, second, "configuration reloaded")
	w.telegram.Know(p.chats[telegramName])
	w.want(http.StatusCreated, http.MethodPut, "/v1/customers/"+p.uid+"/addresses/second", obj{"address": p.chats[telegramName]}, nil)
	w.telegram.Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: time.Second, Times: 1})
	for k := range 3 {
		w.tell(p, words(k))
	}
	rewrite(w, func(c *conf) {
		c.More = ""
		c.Routes = "\n  - {name: everyone, channels: [slack]}"
	}, "configuration reloaded")
	w.tell(q, "Somebody else")
	w.awaitText(slackName, q, "Somebody else")
	id := w.tell(p, "No way")
	rewrite(w, second, "configuration reloaded")
	all := w.awaitMore(telegramName, p, 3)
	for k, m := range all {
		if m.Text != words(k) {
			t.Errorf("got %q at place %d, want %q", m.Text, k, words(k))
		}
	}
	var e struct{ State string }
	w.want(http.StatusOK, http.MethodGet, "/v1/events/"+id, nil, &e)
	if e.State != "suppressed" {
		t.Errorf("told while there was no way to the customer: got it %s, want suppressed", e.State)
	}
}
