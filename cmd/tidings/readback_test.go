package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

// TestReadingBack: a message tells all that the contract says of it.
func TestReadingBack(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) { c.messengersim.Receipts = true })
	p := w.customer(1)
	w.vouch(messengerName, p)
	id := w.report("order.shipped", obj{"orderCode": p.order, "customerUid": p.uid, "consignmentCode": "cons" + p.order + "_0"})
	told := w.awaitState(id, "read")
	var raw obj
	w.want(http.StatusOK, http.MethodGet, "/v1/messages/"+told.ID, nil, &raw)
	for _, name := range []string{"id", "event", "customer", "order", "channel", "address", "route", "reason", "purpose", "state", "class", "expiresAt", "fallbackOf", "parts"} {
		if _, ok := raw[name]; !ok {
			t.Errorf("a message has no %q: %v", name, keys(raw))
		}
	}
	parts, _ := raw["parts"].([]any)
	for _, name := range []string{"n", "state", "text", "platformId", "attempts", "sentAt", "deliveredAt", "readAt"} {
		if _, ok := parts[0].(obj)[name]; !ok {
			t.Errorf("a part has no %q: %v", name, keys(parts[0].(obj)))
		}
	}
	attempt := parts[0].(obj)["attempts"].([]any)[0].(obj)
	if diff := cmp.Diff([]string{"at", "class", "code", "text"}, keys(attempt)); diff != "" {
		t.Errorf("attempt (-want +got):\n%s", diff)
	}
	shown := w.shown(messengerName, p)[0]
	part := told.Parts[0]
	if told.Event != id || told.Customer != p.uid || told.Order != p.order || told.Channel != messengerName || told.Address != p.chats[messengerName] ||
		told.Route != "everyone" || told.Reason == "" || told.Purpose != "order_updates" || told.ExpiresAt == nil {
		t.Errorf("got %+v, want all about the event", told)
	}
	if part.N != 1 || part.PlatformID != shown.ID || part.SentAt == nil || part.DeliveredAt == nil || part.ReadAt == nil {
		t.Errorf("got part %+v, want the one shown as %s, sent, delivered and read", part, shown.ID)
	}
}

// TestNoReceipts: where a platform cannot tell, null says so.
func TestNoReceipts(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.vouch(telegramName, p)
	id := w.tell(p, "Hello")
	m := w.awaitState(id, "sent")
	if m.Receipts != "none" || m.Parts[0].DeliveredAt != nil || m.Parts[0].ReadAt != nil {
		t.Errorf("got %+v, want receipts none and null", m)
	}
}

// TestListing: filters and pages.
func TestListing(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p, q := w.customer(1), w.customer(2)
	w.vouch(telegramName, p)
	w.vouch(slackName, q)
	w.telegram.Faults().Add(emulator.Fault{Kind: emulator.ErrorCode, Code: "400 Bad Request: wrong file identifier/HTTP URL specified", Skip: 4, Times: 1})
	begun := time.Now().Add(-time.Second)
	var ids []string
	for k := range 5 {
		ids = append(ids, w.tell(p, words(k)))
	}
	shipped := w.report("order.shipped", obj{"orderCode": q.order, "customerUid": q.uid})
	w.quiet()
	list := func(query string) (found []string) {
		w.Helper()
		var page messageList
		w.want(http.StatusOK, http.MethodGet, "/v1/messages?"+query, nil, &page)
		for _, m := range page.Items {
			found = append(found, m.Event)
		}
		return found
	}
	newest := slices.Clone(ids)
	slices.Reverse(newest)
	stamp := func(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.RFC3339Nano)) }
	for query, want := range map[string][]string{
		"":                                   append([]string{shipped}, newest...),
		"customer=" + url.QueryEscape(p.uid): newest,
		"order=" + q.order:                   {shipped},
		"event=" + ids[2]:                    {ids[2]},
		"channel=slack":                      {shipped},
		"state=failed":                       {ids[4]},
		"class=Rejected":                     {ids[4]},
		"state=sent&channel=telegram":        newest[1:],
		"limit=2":                            {shipped, ids[4]},
		"since=" + stamp(begun):              append([]string{shipped}, newest...),
		"since=" + stamp(time.Now().Add(time.Minute)): nil,
		"until=" + stamp(begun):                       nil,
		"customer=nobody":                             nil,
	} {
		if diff := cmp.Diff(want, list(query)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	var paged []string
	for next := ""; ; {
		var page messageList
		w.want(http.StatusOK, http.MethodGet, "/v1/messages?limit=4&cursor="+url.QueryEscape(next), nil, &page)
		for _, m := range page.Items {
			paged = append(paged, m.Event)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if diff := cmp.Diff(append([]string{shipped}, newest...), paged); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for _, query := range []string{"limit=0", "limit=201", "limit=x", "state=sesame", "class=sesame", "since=sesame", "cursor=sesame", "colour=red"} {
		var got problemAnswer
		w.want(http.StatusUnprocessableEntity, http.MethodGet, "/v1/messages?"+query, nil, &got)
		if name, _, _ := strings.Cut(query, "="); len(got.Errors) != 1 || got.Errors[0].Parameter != name {
			t.Errorf("%q: got %+v, want the fault in %s", query, got, name)
		}
	}
}

// TestOperating: retry, cancel and discard, where they make sense.
func TestOperating(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	refused := emulator.Fault{Kind: emulator.ErrorCode, Code: "400 Bad Request: wrong file identifier/HTTP URL specified", Times: 1}
	act := func(status int, id, action string) (m message) {
		w.Helper()
		w.want(status, http.MethodPost, "/v1/messages/"+id+"/"+action, nil, &m)
		return m
	}
	w.telegram.Faults().Add(refused)
	failed := w.awaitState(w.tell(p, "Once more"), "failed")
	if failed.Class != "Rejected" || len(failed.Parts[0].Attempts) != 1 {
		t.Errorf("got %+v, want one attempt, Rejected", failed)
	}
	if got := act(http.StatusConflict, failed.ID, "cancel"); got.State != "failed" {
		t.Errorf("cancel a failed one: got state %q, want failed", got.State)
	}
	if got := act(http.StatusOK, failed.ID, "retry"); got.ID != failed.ID {
		t.Errorf("retry: got message %q, want %q", got.ID, failed.ID)
	}
	sent := w.awaitState(failed.Event, "sent")
	if len(sent.Parts[0].Attempts) != 2 {
		t.Errorf("got attempts %+v, want both", sent.Parts[0].Attempts)
	}
	for _, action := range []string{"retry", "cancel", "discard"} {
		if got := act(http.StatusConflict, sent.ID, action); got.State != "sent" {
			t.Errorf("%s a sent one: got state %q, want sent", action, got.State)
		}
	}

	w.telegram.Faults().Add(refused)
	failed = w.awaitState(w.tell(p, "Never mind"), "failed")
	act(http.StatusOK, failed.ID, "discard")
	act(http.StatusConflict, failed.ID, "discard")

	w.telegram.Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: time.Hour, Times: 1})
	first := w.tell(p, "Waits for an hour")
	waiting := w.awaitState(w.tell(p, "Behind it"), "queued")
	if got := act(http.StatusOK, waiting.ID, "cancel"); got.State != "cancelled" {
		t.Errorf("cancel: got state %q, want cancelled", got.State)
	}
	if head := w.messagesOf(first); len(head) != 1 || head[0].State == "failed" {
		t.Errorf("got %+v, want it waiting", head)
	}
	for _, path := range []string{"/v1/messages/999999", "/v1/messages/x"} {
		w.want(http.StatusNotFound, http.MethodGet, path, nil, nil)
		w.want(http.StatusNotFound, http.MethodPost, path+"/retry", nil, nil)
	}
	if diff := cmp.Diff([]string{"Once more"}, w.texts(telegramName, p)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

// TestRetryInBulk: what failed of a class and channel goes again, in its order.
func TestRetryInBulk(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.telegram.Faults().Add(emulator.Fault{Kind: emulator.ErrorCode, Code: "400 Bad Request: wrong file identifier/HTTP URL specified", Times: 5})
	for k := range 5 {
		w.tell(p, words(k))
	}
	w.quiet()
	var got struct{ Retried int }
	w.want(http.StatusOK, http.MethodPost, "/v1/messages/retry?class=Throttled", nil, &got)
	if got.Retried != 0 {
		t.Errorf("another class: got %d retried, want 0", got.Retried)
	}
	w.want(http.StatusOK, http.MethodPost, "/v1/messages/retry?class=Rejected&channel=telegram", nil, &got)
	if got.Retried != 5 {
		t.Errorf("got %d retried, want 5", got.Retried)
	}
	w.quiet()
	var want []string
	for k := range 5 {
		want = append(want, words(k))
	}
	if diff := cmp.Diff(want, w.texts(telegramName, p)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

// TestAskWhatIf: explain tells and does nothing.
func TestAskWhatIf(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.vouchSince(messengerName, p, time.Now().Add(-48*time.Hour))
	event := cloudEvent("x-1", "order.shipped", obj{"orderCode": p.order, "customerUid": p.uid})
	var got struct {
		State, Route, Customer string
		Channels               []struct {
			Channel, Chosen, Why string
			Parts                []struct{ Text string }
		}
	}
	w.want(http.StatusOK, http.MethodPost, "/v1/explain", event, &got)
	if got.State != "routed" || got.Route != "everyone" || got.Customer != p.uid || len(got.Channels) != 3 {
		t.Fatalf("got %+v, want it routed by everyone, and something said of each channel", got)
	}
	for _, c := range got.Channels {
		if chosen := c.Channel == telegramName; chosen != (c.Chosen == "now") || c.Why == "" {
			t.Errorf("got %+v, want telegram now and the others not, with the reason", c)
		}
		if c.Chosen == "now" && (len(c.Parts) != 1 || !strings.Contains(c.Parts[0].Text, "is on its way")) {
			t.Errorf("got parts %+v, want the text that would be sent", c.Parts)
		}
	}
	w.quiet()
	w.want(http.StatusNotFound, http.MethodGet, "/v1/events/x-1", nil, nil)
	if got := w.texts(telegramName, p); len(got) > 0 {
		t.Errorf("got %q sent, want nothing", got)
	}
}

// TestCustomers: links by the shop's word, and what is told of them.
func TestCustomers(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, q := w.customer(1), w.customer(2)
	odd := "guid-17|o/dd+name@example.com"
	path := func(uid, channel string) string {
		return "/v1/customers/" + url.PathEscape(uid) + "/addresses/" + channel
	}
	chat := obj{"address": p.chats[telegramName]}
	w.want(http.StatusCreated, http.MethodPut, path(p.uid, telegramName), chat, nil)
	w.want(http.StatusOK, http.MethodPut, path(p.uid, telegramName), chat, nil)
	w.want(http.StatusConflict, http.MethodPut, path(q.uid, telegramName), chat, nil)
	chat["move"] = true
	w.want(http.StatusCreated, http.MethodPut, path(odd, telegramName), chat, nil)
	w.want(http.StatusNotFound, http.MethodPut, path(p.uid, "fax"), chat, nil)
	var got struct {
		UID   string
		Links []struct{ Channel, Address, State string }
	}
	w.want(http.StatusOK, http.MethodGet, "/v1/customers/"+url.PathEscape(odd), nil, &got)
	if got.UID != odd || len(got.Links) != 1 || got.Links[0].State != "active" || got.Links[0].Address != p.chats[telegramName] {
		t.Errorf("got %+v, want the moved chat", got)
	}
	w.telegram.Know(p.chats[telegramName])
	w.report("message.requested", obj{"customerUid": odd, "text": "Hello, odd one"})
	w.awaitText(telegramName, p, "Hello, odd one")
	w.want(http.StatusOK, http.MethodGet, "/v1/customers/"+url.PathEscape(odd)+"/export", nil, nil)
	w.want(http.StatusNoContent, http.MethodDelete, path(odd, telegramName), nil, nil)
	w.want(http.StatusNotFound, http.MethodDelete, path(odd, telegramName), nil, nil)
	id := w.report("message.requested", obj{"customerUid": odd, "text": "Too late"})
	eventually(t, "the event is suppressed", func() error {
		var e struct{ State, Reason string }
		w.want(http.StatusOK, http.MethodGet, "/v1/events/"+id, nil, &e)
		if e.State != "suppressed" || e.Reason == "" {
			return fmt.Errorf("got %+v", e)
		}
		return nil
	})
}

// TestPreferences: the customer's own choice narrows what a route offers.
func TestPreferences(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) { c.Routes = "\n  - {name: everyone, channels: [messenger, telegram], deliver: all}" })
	p := w.customer(1)
	for _, channel := range allChannels {
		w.vouch(channel, p)
	}
	prefer := func(channels any) {
		w.want(http.StatusOK, http.MethodPut, "/v1/customers/"+url.PathEscape(p.uid)+"/preferences", obj{"channels": channels}, nil)
	}
	for i, test := range []struct {
		prefer any
		want   []string
	}{
		{nil, []string{messengerName, telegramName}}, {[]string{telegramName, slackName}, []string{telegramName}}, {[]string{}, nil}, {nil, []string{messengerName, telegramName}},
	} {
		prefer(test.prefer)
		id := w.tell(p, words(i))
		w.quiet()
		var got []string
		for _, m := range w.messagesOf(id) {
			got = append(got, m.Channel)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("preferring %v (-want +got):\n%s", test.prefer, diff)
		}
	}
}

// TestHealth: alive, ready, figures, and documents that need nothing from elsewhere.
func TestHealth(t *testing.T) {
	t.Parallel()
	w := start(t)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/openapi.json": 200, "/docs": 200, "/nothing": 404} {
		if status, _, _ := w.ask(http.MethodGet, w.api(path), nil, header{"Authorization", ""}); status != want {
			t.Errorf("%s: got status %d, want %d", path, status, want)
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/metrics": 404, "/v1/messages": 404, "/v1/events": 404, "/openapi.json": 404} {
		if status, _, _ := w.ask(http.MethodGet, w.hook(path), nil); status != want {
			t.Errorf("%s on the public side: got status %d, want %d", path, status, want)
		}
	}
	var doc struct {
		OpenAPI string
		Paths   obj
	}
	w.want(http.StatusOK, http.MethodGet, "/openapi.json", nil, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/v1/events"] == nil {
		t.Errorf("got OpenAPI %q with paths %v, want 3.1 with /v1/events", doc.OpenAPI, keys(doc.Paths))
	}
}
