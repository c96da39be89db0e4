package inbound_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/desk"
	"tidings/core/hybris"
	"tidings/core/inbound"
)

// replies is a desk behind an endpoint that answers each call as a test says. It
// keeps "key path" of each.
type replies struct {
	calls []string
	reply func(path string) (status int, body string)
}

func (d *replies) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.TrimPrefix(r.URL.Path, "/desk")
	if r.Method == http.MethodPost {
		d.calls = append(d.calls, r.Header.Get("Idempotency-Key")[8:]+" "+path) // without T1-ABCD-
	}
	status, body := d.reply(path)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (r *rig) endpoint(reply func(path string) (int, string)) *replies {
	d := &replies{reply: reply}
	r.in.Desk = desk.NewEndpoint(desk.HTTP{URL: "http://desk.test/desk", Secret: deskSecret, Client: &http.Client{Transport: d}})
	return d
}

// counted has the rig count, by name.
func (r *rig) counted() func(name string) float64 {
	var mu sync.Mutex
	all := map[string]float64{}
	r.in.Count = func(name string, n float64, _ ...string) {
		mu.Lock()
		defer mu.Unlock()
		all[name] += n
	}
	return func(name string) float64 {
		mu.Lock()
		defer mu.Unlock()
		return all[name]
	}
}

// The desk does not take the order for this customer's, or leaves it out.
func TestTicketsThatAreNotTiedToTheirOrderAreCounted(t *testing.T) {
	for name, x := range map[string]struct {
		reply func(path string) (int, string)
		calls []string
		count float64
	}{
		"tied":     {func(string) (int, string) { return 201, `{"id":42,"entryId":7}` }, []string{"1 /tickets"}, 0},
		"left out": {func(string) (int, string) { return 201, `{"id":"42","linked":false}` }, []string{"1 /tickets"}, 1},
		"refused": {func() func(string) (int, string) {
			first := true
			return func(path string) (int, string) {
				if path == "/tickets" && first {
					first = false
					return 404, ""
				}
				return 201, `{"id":"42"}`
			}
		}(), []string{"1 /tickets", "1-plain /tickets"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				count, d := r.counted(), r.endpoint(x.reply)
				r.asks("Where is it?")
				if diff := cmp.Diff(x.calls, d.calls); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if got := count("tickets_unlinked"); got != x.count {
					t.Errorf("counted %v, want %v", got, x.count)
				}
				if told := strings.Contains(r.log.String(), "not tied it to its order"); told != (x.count > 0) {
					t.Errorf("got log %s", r.log.String())
				}
			})
		})
	}
}

// A desk answers a key as it did the first time: what was refused as an entry
// must not come under the same key as a ticket.
func TestTicketThatIsGoneIsReplacedUnderAKeyOfItsOwn(t *testing.T) {
	inRig(t, func(r *rig) {
		d := r.endpoint(func(path string) (int, string) {
			if strings.HasSuffix(path, "/entries") {
				return 404, ""
			}
			return 201, `{"id":"42"}`
		})
		r.asks("first", "second")
		want := []string{"1 /tickets", "2 /tickets/42/entries", "2-new /tickets"}
		if diff := cmp.Diff(want, d.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

// A category that OCC does not know is no reason to lose a question.
func TestCategoryThatTheShopRefusesBecomesItsOwn(t *testing.T) {
	inRig(t, func(r *rig) {
		strategy, at := r.occ(hybris.TicketsTrusted)
		r.in.Desk = strategy
		r.in.Categories = []inbound.Category{{Name: "LIGHTING", Words: []string{"lamp"}}, {Name: "PROBLEM"}}
		r.asks("My lamp is dark.")
		r.link(bob, "bob@shop", "")
		r.say(bob, "Hello?")
		r.wantTickets(at, "ada@shop/1001 : My lamp is dark.", "bob@shop/ PROBLEM: Hello?")
	})
}

// A desk that fails on one file, day and night, does not hold the conversation
// for ever.
func TestFileThatADeskFailsOnIsGivenUpAfterADay(t *testing.T) {
	inRig(t, func(r *rig) {
		count := r.counted()
		r.in.Files = inbound.FileLimits{MaxBytes: 1000, Types: []string{"image/*"}}
		r.in.Fetcher = func(channel string) (core.Fetcher, bool) { return r.platforms[channel], true }
		r.asks()
		r.shop.script(func(op, _ string) (bool, error) {
			if op == "attach" {
				return false, &core.ShopError{Class: core.Uncertain, Status: 500, RetryAfter: 20 * time.Minute, Err: errors.New("attach a file")}
			}
			return true, nil
		})
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "Look:", Media: []core.Media{{Kind: "image", ID: "png1"}}})
		r.say(ada, "second")
		r.wait(23 * time.Hour)
		r.wantDesk("T1 ada@shop/1001: Look:\n[image]")
		r.wait(2 * time.Hour)
		r.wantDesk("T1 ada@shop/1001: Look:\n[image]| second")
		if count("files_left_out") != 1 {
			t.Errorf("counted %v files left out, want 1", count("files_left_out"))
		}
	})
}
