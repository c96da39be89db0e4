package channeltest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

// failures is the first half of point 4.
func (x Exam) failures(t *testing.T) {
	t.Run("every kind is in the exam", func(t *testing.T) {
		for _, kind := range []Kind{Throttled, ServerError, BadGateway, DropBefore, DropAfter, Truncated, Expired, Blocked, Coded} {
			if !slices.ContainsFunc(x.Failures, func(f Failure) bool { return f.Fault.Kind == kind }) {
				t.Errorf("Exam.Failures lacks %q", kind)
			}
		}
	})
	for _, f := range x.Failures {
		x.point(t, f.Name, func(t *testing.T, w *world) { f.happens(t, w) })
	}
	x.point(t, "wrong credentials", func(t *testing.T, w *world) {
		wrong := x.OpenWrong(t, w.wire)
		_, err := wrong.Send(t.Context(), w.to, words("m-1-1", "hello"))
		w.fails(err, core.Misconfigured)
	})
	x.point(t, "somebody the platform does not know", func(t *testing.T, w *world) {
		_, err := w.channel.Send(t.Context(), x.Nobody, words("m-1-1", "hello"))
		w.fails(err, core.Unreachable)
	})
	x.point(t, "a part that says nothing", func(t *testing.T, w *world) {
		_, err := w.send(words("m-1-1", ""))
		w.fails(err, core.Rejected)
	})
}

func (f Failure) happens(t *testing.T, w *world) {
	w.platform.Cause(f.Fault)
	_, err := w.send(words("m-1-1", "hello"))
	e := w.fails(err, f.Class)
	if e.RetryAfter != f.Fault.RetryAfter {
		t.Errorf("RetryAfter: got %s, want %s as told", e.RetryAfter, f.Fault.RetryAfter)
	}
	if f.Scope != core.ScopeUnknown && e.Scope != f.Scope {
		t.Errorf("scope: got %q, want %q", e.Scope, f.Scope)
	}
	if e.Scope != core.ScopeUnknown && e.Class != core.Throttled {
		t.Errorf("scope: got %q of a class %s, want none", e.Scope, e.Class)
	}
	if got := len(w.news()) == 1; got != f.Shown {
		t.Errorf("shown: got %v, want %v", got, f.Shown)
	}
	if f.Shown && e.Class != core.Uncertain {
		t.Errorf("the customer has the message, and the error says %s", e.Class)
	}
}

func (w *world) fails(err error, want core.Class) *core.SendError {
	w.t.Helper()
	e := sendError(w.t, err)
	if e.Class != want {
		w.t.Errorf("got %v, want %s", e, want)
	}
	return e
}

// windowCloses tries a reply window on both sides of its ends.
func windowCloses(t *testing.T, w *world) {
	window := w.channel.Limits().Window
	if window.Reply == 0 {
		return
	}
	human := words("m-3-1", "From a person")
	human.Standing, human.Human = core.Human, true
	pass(window.Reply - time.Minute)
	w.mustSend(words("m-1-1", "just in time"))
	pass(2 * time.Minute)
	_, err := w.send(words("m-2-1", "too late"))
	w.fails(err, core.WindowClosed)
	if window.Human > window.Reply {
		w.mustSend(human)
		pass(window.Human - window.Reply)
		_, err = w.send(human)
		w.fails(err, core.WindowClosed)
	}
	w.do(w.platform.Say(t.Context(), w.to.Value, "I am here"))
	w.mustSend(words("m-4-1", "open again"))
}

// Words that no error may repeat.
const (
	privateWord   = "Zwetschgenkuchen"
	privateURL    = "https://shop.example/geheimnis"
	privateButton = "Sauerkraut"
)

func private(key string) core.Part {
	p := words(key, "A "+privateWord+" for you")
	p.Buttons = []core.Button{{Title: privateButton, URL: privateURL}}
	return p
}

// errorsAreDiscreet is the second half of point 4.
func (x Exam) errorsAreDiscreet(t *testing.T) {
	for _, f := range x.Failures {
		x.point(t, f.Name, func(t *testing.T, w *world) {
			w.platform.Cause(f.Fault)
			_, err := w.send(private("m-1-1"))
			w.discreet(err)
		})
	}
	x.point(t, "somebody the platform does not know", func(t *testing.T, w *world) {
		_, err := w.channel.Send(t.Context(), x.Nobody, private("m-1-1"))
		w.discreet(err)
	})
	for _, status := range []int{200, 204, 301, 302, 400, 401, 403, 404, 408, 413, 418, 421, 429, 500, 502, 503, 504} {
		x.point(t, fmt.Sprintf("an answer %d that repeats everything", status), func(t *testing.T, w *world) {
			for name, body := range quotations(w) {
				w.wire.next = roundTrip(func(req *http.Request) (*http.Response, error) {
					return respond(req, status, http.Header{"Content-Type": {"application/json"}}, body), nil
				})
				sent, err := w.send(private("m-1-1"))
				if err == nil {
					t.Errorf("%s: got %+v, want an error", name, sent)
					continue
				}
				w.discreet(err)
			}
		})
	}
	x.point(t, "a transport that repeats everything", func(t *testing.T, w *world) {
		w.wire.next = roundTrip(func(req *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot reach %s with %v", req.URL, req.Header)
		})
		_, err := w.send(private("m-1-1"))
		w.discreet(err)
	})
	x.point(t, "an answer that is not the platform's", foreignAnswers)
}

// quotations are answers in the forms of many platforms, in which everything
// that was sent comes back.
func quotations(w *world) map[string]string {
	all := strings.Join(w.forbidden(), " ")
	return map[string]string{
		"text":             all,
		"page":             "<html><body>" + all + "</body></html>",
		"string":           fmt.Sprintf("%q", all),
		"description":      fmt.Sprintf(`{"ok":false,"error_code":400,"description":%q}`, "Bad Request: "+all),
		"shortDescription": fmt.Sprintf(`{"ok":false,"error_code":400,"description":%q}`, "Bad Request: button '"+privateURL+"' of "+privateWord),
		"error":            fmt.Sprintf(`{"ok":false,"error":%q,"response_metadata":{"messages":[%[1]q]}}`, all),
		"envelope":         fmt.Sprintf(`{"error":{"message":%q,"type":%[1]q,"code":100,"error_user_msg":%[1]q,"fbtrace_id":%[1]q}}`, all),
		"unknown code":     fmt.Sprintf(`{"error":{"message":%q,"code":987654}}`, all),
		"empty":            "", "null": "null", "list": "[]", "object": "{}", "half": `{"ok":true,"result":{"messa`,
	}
}

// forbidden is what no error may say.
func (w *world) forbidden() []string {
	all := []string{w.to.Value, w.x.Nobody.Value, privateWord, privateURL, privateButton}
	for _, secret := range w.x.Secrets {
		all = append(all, secret, url.QueryEscape(secret))
	}
	return all
}

// discreet checks an error and all that it wraps.
func (w *world) discreet(err error) {
	w.t.Helper()
	sendError(w.t, err)
	for _, said := range everyText(err) {
		for _, word := range w.forbidden() {
			if strings.Contains(said, word) {
				w.t.Errorf("an error says %q: %s", word, said)
				return
			}
		}
	}
}

func everyText(err error) []string {
	if err == nil {
		return nil
	}
	all := []string{err.Error(), fmt.Sprintf("%+v", err)}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, everyText(e)...)
		}
	}
	return append(all, everyText(errors.Unwrap(err))...)
}

// foreignAnswers come from something between us and the platform.
func foreignAnswers(t *testing.T, w *world) {
	for _, c := range []struct {
		name   string
		status int
		header http.Header
		body   string
		want   core.Class
		wait   time.Duration
	}{
		{"a page instead of an answer", 200, nil, "<html>hello</html>", core.Uncertain, 0},
		{"nothing instead of an answer", 200, nil, "", core.Uncertain, 0},
		{"half an answer", 200, nil, `{"ok":tr`, core.Uncertain, 0},
		{"a proxy's 429", 429, http.Header{"Retry-After": {"17"}}, "slow down", core.Throttled, 17 * time.Second},
		{"a proxy's 429 without a time", 429, nil, "slow down", core.Throttled, 0},
		{"a proxy's 429 with nonsense", 429, http.Header{"Retry-After": {"-5 or so"}}, "slow down", core.Throttled, 0},
	} {
		w.wire.next = roundTrip(func(req *http.Request) (*http.Response, error) {
			return respond(req, c.status, c.header, c.body), nil
		})
		_, err := w.send(words("m-1-1", "hello"))
		e := sendError(t, err)
		if e.Class != c.want || e.RetryAfter != c.wait {
			t.Errorf("%s: got %v after %s, want %s after %s", c.name, e, e.RetryAfter, c.want, c.wait)
		}
	}
}
