package web_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"tidings/core"
)

func TestMessages(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		for i := range 5 {
			r.call("POST", "/v1/events", event(fmt.Sprintf("e-%d", i), fmt.Sprintf("Text %d", i))).want(202)
		}
		r.call("GET", "/v1/messages/1", "").want(200).
			is("1", "id").is("e-0", "event").is("ines", "customer").is(nil, "order").is("chat", "channel").is("42", "address").is("everyone", "route").
			is("order_updates", "purpose").is("sent", "state").is(nil, "class").is(nil, "fallbackOf").is("none", "receipts").
			is("p1", "parts", 0, "platformId").is("none", "parts", 0, "receipts").is(nil, "parts", 0, "deliveredAt").
			is(nil, "parts", 0, "attempts", 0, "class")
		first := r.call("GET", "/v1/messages?limit=2", "").want(200).is("5", "items", 0, "id").is("4", "items", 1, "id").is("Text 4", "items", 0, "parts", 0, "text")
		next := first.at("next").(string)
		if strings.ContainsAny(next, "45") && len(next) < 3 {
			t.Errorf("the cursor %q is not opaque", next)
		}
		second := r.call("GET", "/v1/messages?limit=2&cursor="+next, "").want(200).is("3", "items", 0, "id")
		r.call("GET", "/v1/messages?limit=2&next="+second.at("next").(string), "").want(200).is("1", "items", 0, "id").is(nil, "next")
		r.call("GET", "/v1/messages?event=e-3&customer=ines&channel=chat&state=sent", "").want(200).is("4", "items", 0, "id").is(nil, "next")
		for _, none := range []string{"order=1", "state=failed", "class=Rejected", "customer=bob", "since=2001-01-01T00:00:00Z", "until=1999-01-01T00:00:00Z"} {
			if got := string(r.call("GET", "/v1/messages?"+none, "").want(200).body); got != `{"items":[],"next":null}` {
				t.Errorf("%s: got %s, want nothing", none, got)
			}
		}
	})
}

func TestMessagesWrong(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.call("GET", "/v1/messages?limit=201&state=gone&class=x&since=today&cursor=eHg&chanel=chat&until=x&customer=a&customer=b", "").want(422)
		if got, want := a.pointers(), "?customer ?state ?class ?since ?until ?limit ?cursor ?chanel"; got != want {
			t.Errorf("parameters: got %s, want %s", got, want)
		}
		for _, q := range []string{"limit=0", "limit=-1", "limit=x", "cursor=%00"} {
			r.call("GET", "/v1/messages?"+q, "").want(422)
		}
		r.call("GET", "/v1/messages?limit=%zz", "").want(400)
		for _, id := range []string{"0", "-1", "01", "x", "99", "9999999999999999999", "%2F", "1%00"} {
			r.call("GET", "/v1/messages/"+id, "").want(404)
			r.call("POST", "/v1/messages/"+id+"/retry", "").want(404)
		}
		r.call("GET", "/v1/messages?since=2026-11-22T10:00:00+01:00", "").want(200) // the + was not encoded
	})
}

// A part too many for one request, receipts that a platform gives.
func TestMessageParts(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.call("PUT", "/v1/customers/ines/addresses/code", `{"address":"7","lastWroteAt":"1999-12-31T23:00:00Z"}`).want(201)
		r.call("POST", "/v1/events", event("e-1", strings.Repeat("word ", 150))).want(202)
		a := r.call("GET", "/v1/messages/1", "").want(200).is("sent", "state").is(2, "parts", 1, "n").is("p2", "parts", 1, "platformId")
		if regexp.MustCompile(`"receipts"`).Match(a.body) {
			t.Errorf("receipts: got %s, want nothing said", a.body)
		}
	})
}

func TestOperate(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Rejected, Code: "400", Err: errors.New("no")})
		r.call("POST", "/v1/events", event("e-1", "Hello")).want(202)
		r.call("GET", "/v1/messages/1", "").want(200).is("failed", "state").is("Rejected", "class").
			is("Rejected", "parts", 0, "attempts", 0, "class").is("400", "parts", 0, "attempts", 0, "code").is("no", "why")
		r.call("POST", "/v1/messages/1/cancel", "").want(409).is("failed", "state")
		r.chat.answer(nil)
		r.call("POST", "/v1/messages/1/retry", "").want(200).is("1", "id")
		r.call("GET", "/v1/messages/1", "").want(200).is("sent", "state")
		for _, op := range []string{"retry", "cancel", "discard"} {
			r.call("POST", "/v1/messages/1/"+op, "").want(409).is("sent", "state")
			r.call("POST", "/v1/messages/2/"+op, "").want(404)
		}
		if got := fmt.Sprint(r.chat.sent); got != "[Hello]" {
			t.Errorf("sent: got %s, want [Hello]", got)
		}
	})
}

func TestDiscardAndCancel(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Temporary, Code: "500", RetryAfter: 1e12, Err: errors.New("later")})
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		r.call("POST", "/v1/messages/1/discard", "").want(409)
		r.call("POST", "/v1/messages/1/cancel", "").want(200).is("cancelled", "state")
	})
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Rejected, Code: "400", Err: errors.New("no")})
		r.call("POST", "/v1/events", event("e-1", "One")).want(202)
		r.call("POST", "/v1/messages/1/discard", "").want(200).is("cancelled", "state")
	})
}

// A bulk retry takes each recipient's messages oldest first, and only those meant.
func TestRetryMessages(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.link("chat", "42")
		r.chat.answer(&core.SendError{Class: core.Rejected, Code: "400", Err: errors.New("no")})
		want := []string{}
		for i := range 250 {
			want = append(want, fmt.Sprintf("Text %d", i))
			r.call("POST", "/v1/events", event(fmt.Sprintf("e-%d", i), want[i])).want(202)
		}
		r.chat.answer(nil)
		r.call("POST", "/v1/messages/retry?state=failed", "").want(422)
		for _, none := range []string{"class=Temporary", "channel=code", "since=2001-01-01T00:00:00Z"} {
			r.call("POST", "/v1/messages/retry?"+none, "").want(200).is(0, "retried")
		}
		r.call("POST", "/v1/messages/retry?class=Rejected&channel=chat&since=2000-01-01T00:00:00Z", "").want(200).is(250, "retried").is(0, "skipped")
		if got, want := fmt.Sprint(r.chat.sent), fmt.Sprint(want); got != want {
			t.Errorf("sent:\n got %s\nwant %s", got, want)
		}
		r.call("POST", "/v1/messages/retry", "").want(200).is(0, "retried")
	})
}
