package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tidings/channels/emulator"
	"tidings/core/hybris/hybrissim"
)

// TestLoginMovesTheChat: an account that was another customer's becomes whose the
// proof says. The link before ends, and nothing of its customer is told there.
func TestLoginMovesTheChat(t *testing.T) {
	t.Parallel()
	w := start(t, withLogins)
	for i, channel := range allChannels {
		old, now := w.customer(10*i), w.customer(10*i+1)
		now.chats = old.chats
		w.meet(channel, old)
		w.login(channel, w.offer(old).login(channel), old.chats[channel])
		w.quiet()
		w.tell(old, "For the old one.")
		w.awaitText(channel, old, "For the old one.")
		w.quiet()
		before := len(w.shown(channel, now))
		if got := w.login(channel, w.offer(now).login(channel), now.chats[channel]); !strings.Contains(got.text, "Connected") {
			t.Fatalf("%s: got %s", channel, got.text)
		}
		w.report("order.shipped", obj{"orderCode": old.order, "customerUid": old.uid})
		w.tell(old, "Still for the old one.")
		w.tell(now, "For the new one.")
		w.awaitText(channel, now, "For the new one.")
		w.say(channel, now, "Where is it?")
		w.quiet()
		for _, m := range w.shown(channel, now)[before:] {
			if strings.Contains(m.Text, old.order) || strings.Contains(m.Text, "old one") {
				t.Errorf("%s: the new customer is told %q", channel, m.Text)
			}
		}
		if got := w.linked(old); len(got) != 0 {
			t.Errorf("%s: the old customer has links %q, want none", channel, got)
		}
		if got, want := w.linked(now), []string{channel + " " + now.chats[channel]}; !slices.Equal(got, want) {
			t.Errorf("%s: got links %q, want %q", channel, got, want)
		}
		w.wantEntries(w.ticket(now, 1).ID, "Where is it?")
		// A shop's word alone does not move it.
		body := obj{"address": now.chats[channel]}
		if status, _, _ := w.ask(http.MethodPut, w.api("/v1/customers/"+url.PathEscape(old.uid)+"/addresses/"+channel), body); status != http.StatusConflict {
			t.Errorf("%s: without \"move\": got status %d, want 409", channel, status)
		}
	}
}

// TestLoginUndone: a link by a login ends by DELETE, and by what the platform says
// of a login that was taken back.
func TestLoginUndone(t *testing.T) {
	t.Parallel()
	w := start(t, withLogins)
	link := func(n int) person {
		p := w.customer(n)
		w.meet(messengerName, p)
		w.login(messengerName, w.offer(p).login(messengerName), p.chats[messengerName])
		w.quiet()
		if len(w.linked(p)) != 1 {
			t.Fatalf("customer %d is not linked", n)
		}
		return p
	}
	callback := func(path string, p person) (int, []byte) {
		status, body, err := w.messenger.Callback(t.Context(), w.hook(path), p.chats[messengerName])
		if err != nil {
			t.Fatal(err)
		}
		return status, body
	}
	silent := func(p person) {
		t.Helper()
		if got := w.linked(p); len(got) != 0 {
			t.Errorf("got links %q, want none", got)
		}
		before := len(w.shown(messengerName, p))
		w.tell(p, "Is anybody there?")
		w.quiet()
		if got := w.texts(messengerName, p)[before:]; len(got) != 0 {
			t.Errorf("got %q, want nothing", got)
		}
	}
	deleted, removed, wiped, stays := link(1), link(2), link(3), link(4)
	w.want(http.StatusNoContent, http.MethodDelete, "/v1/customers/"+url.PathEscape(deleted.uid)+"/addresses/messenger", nil, nil)
	silent(deleted)
	for range 2 { // Meta may ask twice
		if status, _ := callback("/auth/messenger/deauthorize", removed); status != http.StatusOK {
			t.Errorf("deauthorize: got status %d, want 200", status)
		}
	}
	silent(removed)
	_, body := callback("/auth/messenger/deletion", wiped)
	var a struct {
		URL  string `json:"url"`
		Code string `json:"confirmation_code"`
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Code == "" || a.URL != publicURL+"/auth/messenger/deletion/"+a.Code {
		t.Errorf("deletion: got %s, want where to look and a code", body)
	}
	silent(wiped)
	if got := w.visitor().get(a.URL); got.status != http.StatusOK || !strings.Contains(got.text, "Deleted") {
		t.Errorf("the page of a deletion: got status %d: %s", got.status, got.text)
	}
	if got := w.visitor().get(publicURL + "/auth/messenger/deletion/0000"); got.status != http.StatusNotFound {
		t.Errorf("the page of no deletion: got status %d, want 404", got.status)
	}
	signed := w.messenger.SignedRequest(stays.chats[messengerName])
	_, payload, _ := strings.Cut(signed, ".")
	for name, request := range map[string]string{"nothing": "", "no signature": "." + payload, "another signature": flip(signed[:40]) + signed[40:], "another body": signed[:60] + flip(signed[60:])} {
		for _, path := range []string{"deauthorize", "deletion"} {
			form := url.Values{"signed_request": {request}}.Encode()
			if status, _, _ := w.ask(http.MethodPost, w.hook("/auth/messenger/"+path), form, header{"Content-Type", "application/x-www-form-urlencoded"}); status != http.StatusUnauthorized {
				t.Errorf("%s with %s: got status %d, want 401", path, name, status)
			}
		}
	}
	if len(w.linked(stays)) != 1 {
		t.Error("a forged request has ended a link")
	}
	for _, channel := range []string{telegramName, slackName, "nowhere"} {
		if status, _, _ := w.ask(http.MethodPost, w.hook("/auth/"+channel+"/deauthorize"), "signed_request=x"); status != http.StatusNotFound {
			t.Errorf("%s has no such callback: got status %d, want 404", channel, status)
		}
	}
}

// TestLoginFinishedInTheChatIsUndone: the account of a login that an m.me link
// finished is known by the link, so what Meta says of the account finds it: also
// after the chat was linked once more, for another order, and where the link ended
// before. A chat whose account was not known when it was linked is found, too, if
// Meta tells.
func TestLoginFinishedInTheChatIsUndone(t *testing.T) {
	t.Parallel()
	w := start(t, withLogins)
	callback := func(what string, p person) {
		t.Helper()
		if status, body, err := w.messenger.Callback(t.Context(), w.hook("/auth/messenger/"+what), p.chats[messengerName]); err != nil || status != http.StatusOK {
			t.Errorf("%s: got status %d, %v: %s", what, status, err, body)
		}
	}
	finish := func(n int) person {
		t.Helper()
		p := w.customer(n)
		o := w.offer(p)
		if got := w.login(messengerName, o.login(messengerName), p.chats[messengerName]); !strings.Contains(got.text, "One more step") {
			t.Fatalf("got %s, want the way into the chat", got.text)
		}
		w.optIn(messengerName, p.chats[messengerName], o.ref(messengerName), "")
		w.quiet()
		if len(w.linked(p)) != 1 {
			t.Fatalf("customer %d is not linked", n)
		}
		return p
	}
	wantNone := func(what string, p person) {
		t.Helper()
		if got := w.linked(p); len(got) != 0 {
			t.Errorf("%s: got links %q, want none", what, got)
		}
	}
	// What Meta refuses to tell once the app was removed is not needed.
	refuse := func(methods ...string) {
		w.messenger.Faults().Clear()
		for _, m := range methods {
			w.messenger.Faults().Add(emulator.Fault{Kind: emulator.ServerError, Method: m})
		}
	}

	removed := finish(1)
	const account = "app-scoped id 10%s of app " + appID + " by ids_for_apps"
	if got, want := w.evidence(messengerName, removed), fmt.Sprintf(account, removed.chats[messengerName]); !strings.HasPrefix(got, "opt-in ") || !strings.HasSuffix(got, want) {
		t.Errorf("got evidence %q, want the opt-in and %q", got, want)
	}
	refuse("ids_for_pages")
	callback("deauthorize", removed)
	wantNone("removed", removed)

	refuse()
	again := finish(2)
	refuse("ids_for_apps", "ids_for_pages")
	again.order = w.shop.AddOrder(hybrissim.SampleOrder("00418888", again.uid, site)).Code
	w.optIn(messengerName, again.chats[messengerName], w.offer(again).ref(messengerName), "")
	w.quiet()
	callback("deauthorize", again)
	wantNone("linked once more", again)

	refuse()
	ended := finish(3)
	w.want(http.StatusNoContent, http.MethodDelete, "/v1/customers/"+url.PathEscape(ended.uid)+"/addresses/messenger", nil, nil)
	callback("deletion", ended)
	_, _, raw := w.ask(http.MethodGet, w.api("/v1/customers/"+url.PathEscape(ended.uid)+"/export"), nil)
	if strings.Contains(string(raw), "app-scoped") || !strings.Contains(string(raw), "a login, taken back") {
		t.Errorf("the export of a link that had ended: got %s, want the ids forgotten", raw)
	}

	refuse("ids_for_apps")
	unknown := finish(4)
	refuse("ids_for_pages")
	callback("deauthorize", unknown)
	if got := w.linked(unknown); len(got) != 1 {
		t.Errorf("Meta tells nothing: got links %q, want it still", got)
	}
	refuse()
	callback("deauthorize", unknown)
	wantNone("matched when it was removed", unknown)
}

// TestMatchedAddress: a shop with a Facebook Login of its own links by the app-scoped
// id, once the customer has a chat with the Page.
func TestMatchedAddress(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	path := "/v1/customers/" + url.PathEscape(p.uid) + "/addresses/messenger"
	body := obj{"address": obj{"asid": w.messenger.ASID(p.chats[messengerName])}}
	var fault problemAnswer
	w.want(http.StatusUnprocessableEntity, http.MethodPut, path, body, &fault)
	if !slices.Equal(fault.pointers(), []string{"/address/asid"}) {
		t.Errorf("without a chat: got %+v, want the fault at the id", fault)
	}
	w.meet(messengerName, p)
	w.want(http.StatusCreated, http.MethodPut, path, body, nil)
	if got, want := w.linked(p), []string{messengerName + " " + p.chats[messengerName]}; !slices.Equal(got, want) {
		t.Errorf("got links %q, want %q", got, want)
	}
}

// TestAccountLinking: who writes to the Page without a link is led to the shop's
// login, and comes back linked; logging out in the chat ends it.
func TestAccountLinking(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) {
		c.Messenger = `account_linking_url: "https://shop.example.com/messenger-login?from=chat"`
	})
	p := w.customer(1)
	w.say(messengerName, p, "Where is my lamp?")
	w.awaitMore(messengerName, p, 1)
	link := func() error {
		address, err := w.messenger.LinkAccount(t.Context(), p.chats[messengerName])
		if err != nil {
			return err
		}
		// The shop's page: the customer logs in, the shop asks for their reference
		// and sends the browser back with it.
		q, _ := url.Parse(address)
		if !strings.HasPrefix(address, "https://shop.example.com/messenger-login?") || q.Query().Get("from") != "chat" {
			t.Errorf("the button opens %s, want the shop's login", address)
		}
		back := q.Query().Get("redirect_uri") + "&authorization_code=" + w.offer(p).ref(messengerName)
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.conf.MessengerURL+strings.TrimPrefix(back, "https://facebook.com"), nil)
		if err != nil {
			return err
		}
		res, err := w.client.Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	if err := link(); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if got, want := w.linked(p), []string{messengerName + " " + p.chats[messengerName]}; !slices.Equal(got, want) {
		t.Errorf("got links %q, want %q", got, want)
	}
	if got := thanked(w.shown(messengerName, p)); got != 1 {
		t.Errorf("got %d thank-yous, want 1: %q", got, w.texts(messengerName, p))
	}
	w.wantEntries(w.ticket(p, 1).ID, "Where is my lamp?")
	w.messenger.UnlinkAccount(p.chats[messengerName])
	w.quiet()
	if got := w.linked(p); len(got) != 0 {
		t.Errorf("unlinked: got links %q, want none", got)
	}
	// The shop's end of a link is Messenger's, too; away, it is no hindrance.
	w.messenger.Faults().Add(emulator.Fault{Kind: emulator.ServerError, Method: "unlink_accounts", Times: 1})
	for want := range 2 {
		if err := link(); err != nil {
			t.Fatal(err)
		}
		w.quiet()
		if got := w.linked(p); len(got) != 1 {
			t.Fatalf("got links %q, want one", got)
		}
		w.want(http.StatusNoContent, http.MethodDelete, "/v1/customers/"+url.PathEscape(p.uid)+"/addresses/messenger", nil, nil)
		w.quiet()
		if got := w.linked(p); len(got) != 0 {
			t.Errorf("ended by the shop: got links %q, want none", got)
		}
		if got := w.messenger.Unlinked(p.chats[messengerName]); got != want {
			t.Errorf("ended by the shop: Messenger was told so %d times, want %d", got, want)
		}
	}
}
