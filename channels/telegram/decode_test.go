package telegram_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func callback(body []byte) core.Callback {
	return core.Callback{
		Method: http.MethodPost,
		Header: http.Header{"X-Telegram-Bot-Api-Secret-Token": {testSecret}},
		Body:   body,
		Now:    now,
	}
}

func listener(t testing.TB) core.Listener {
	t.Helper()
	l, ok := open(t, yes).(core.Listener)
	if !ok {
		t.Fatal("the channel is no core.Listener")
	}
	return l
}

// A golden file of decode shows a callback's body, the update in it and, for a
// pressed button, what Telegram is answered.
type decodeCase struct {
	Body   json.RawMessage `json:"body"`
	Update core.Update     `json:"update"`
	Answer json.RawMessage `json:"answer"`
}

func TestCallbacksBecomeUpdates(t *testing.T) {
	l := listener(t)
	for name, c := range cases[decodeCase](t, "decode") {
		t.Run(name, func(t *testing.T) {
			reply, updates, err := l.Decode(t.Context(), callback(c.Body))
			if err != nil || len(updates) != 1 {
				t.Fatalf("got %d updates, %v, want 1", len(updates), err)
			}
			got := updates[0]
			if (got.Kind == core.UpdateUnreadable) != bytes.Equal(got.Raw, c.Body) {
				t.Errorf("raw: got %q with kind %s", got.Raw, got.Kind)
			}
			got.Raw = nil
			if diff := cmp.Diff(c.Update, got); diff != "" {
				t.Errorf("update (-want +got):\n%s", diff)
			}
			if !sameJSON(t, reply.Body, c.Answer) {
				t.Errorf("answer: got %s, want %s", reply.Body, c.Answer)
			}
		})
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatal(err)
	}
	return cmp.Equal(x, y)
}

func TestAPressIsAnsweredAsJSON(t *testing.T) {
	body := `{"update_id":1,"callback_query":{"id":"77","from":{"id":42},"data":"x","message":{"message_id":3,"chat":{"id":42,"type":"private"}}}}`
	reply, _, err := listener(t).Decode(t.Context(), callback([]byte(body)))
	if err != nil {
		t.Fatalf("Decode() = %v", err)
	}
	if got := reply.Header.Get("Content-Type"); reply.Status != 200 || got != "application/json" {
		t.Errorf("got %d %q, want 200 application/json", reply.Status, got)
	}
}

func TestOnlyTheSecretTokenOpens(t *testing.T) {
	l := listener(t)
	body := []byte(`{"update_id":1}`)
	for name, values := range map[string][]string{
		"none":      nil,
		"empty":     {""},
		"wrong":     {"s3cret_Token-of-the-webhooK"},
		"shorter":   {testSecret[:5]},
		"longer":    {testSecret + "x"},
		"two":       {testSecret, testSecret},
		"bot token": {testToken},
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			cb := callback(body)
			cb.Method = method
			cb.Header = http.Header{"X-Telegram-Bot-Api-Secret-Token": values}
			reply, updates, err := l.Decode(t.Context(), cb)
			if !errors.Is(err, core.ErrUnauthorized) || len(updates) != 0 || len(reply.Body) != 0 {
				t.Errorf("%s %s: got %v, %v, %v, want ErrUnauthorized alone", method, name, reply, updates, err)
			}
		}
	}
}

func TestOnlyPostIsTaken(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, ""} {
		cb := callback([]byte(`{"update_id":1}`))
		cb.Method = method
		reply, updates, err := listener(t).Decode(t.Context(), cb)
		if err != nil || reply.Status != http.StatusMethodNotAllowed || len(updates) != 0 {
			t.Errorf("%q: got %d, %v, %v, want 405 and nothing", method, reply.Status, updates, err)
		}
	}
}

// What is no update at all is kept, with an id of its bytes: the same bytes
// again are the same update.
func TestWhatIsNoUpdateIsKept(t *testing.T) {
	l := listener(t)
	seen := map[string]string{}
	for _, body := range []string{"", "hello", "null", "[]", `[{"update_id":1}]`, "42", `{"update_id":1`, `{"update_id":1}{}`,
		`{}`, `{"update_id":null}`, `{"update_id":"1"}`, `{"update_id":1.5}`, `{"update_id":99999999999999999999}`} {
		_, first, err := l.Decode(t.Context(), callback([]byte(body)))
		_, second, _ := l.Decode(t.Context(), callback([]byte(body)))
		if err != nil || len(first) != 1 {
			t.Fatalf("%q: got %v, %v, want one update", body, first, err)
		}
		u := first[0]
		if u.Kind != core.UpdateUnreadable || string(u.Raw) != body || u.Problem == "" {
			t.Errorf("%q: got %+v, want it whole and unreadable", body, u)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%q: a copy differs:\n%s", body, diff)
		}
		if other, taken := seen[u.ID]; taken {
			t.Errorf("%q has the id of %q", body, other)
		}
		seen[u.ID] = body
	}
}

func TestAnUnreadableUpdateOwnsItsBytes(t *testing.T) {
	body := []byte("hello")
	_, updates, _ := listener(t).Decode(t.Context(), callback(body))
	copy(body, "xxxxx")
	if got := string(updates[0].Raw); got != "hello" {
		t.Errorf("got %q after the buffer was used again, want hello", got)
	}
}

// Problems are logged: they name fields, never what stands in them.
func TestProblemsHoldNoValues(t *testing.T) {
	for _, body := range []string{
		`{"update_id":7,"message":{"message_id":1,"chat":{"id":"ines"},"date":1}}`,
		`{"update_id":7,"message":{"message_id":1,"chat":{"id":42.417003},"date":1}}`,
		`{"update_id":7,"message":"ines"}`,
		`{"update_id":7,"message":{"message_id":1,"chat":{"id":42,"type":"private"},"date":1,"text":{"ines":417003}}}`,
		`{"update_id":7,"message":{"message_id":1,"chat":{"id":42,"type":"private"},"date":253402300800,"text":"ines"}}`,
		`{"update_id":7,"callback_query":{"id":417003}}`,
		`{"update_id":7,"my_chat_member":{"chat":{"id":42},"new_chat_member":"ines"}}`,
	} {
		_, updates, err := listener(t).Decode(t.Context(), callback([]byte(body)))
		if err != nil || len(updates) != 1 || updates[0].Kind != core.UpdateUnreadable || updates[0].ID != "7" {
			t.Errorf("%s: got %+v, %v, want update 7 unreadable", body, updates, err)
			continue
		}
		if p := updates[0].Problem; strings.Contains(p, "ines") || strings.Contains(p, "417003") {
			t.Errorf("%s: the problem holds a value: %s", body, p)
		}
	}
}

func TestStart(t *testing.T) {
	for text, want := range map[string]core.Update{
		"/start":                      {Kind: core.UpdateOptIn},
		"/start ":                     {Kind: core.UpdateOptIn},
		"/start abc_DEF-123":          {Kind: core.UpdateOptIn, Ref: "abc_DEF-123"},
		"/START abc":                  {Kind: core.UpdateOptIn, Ref: "abc"},
		"/start@my_shop_bot abc":      {Kind: core.UpdateOptIn, Ref: "abc"},
		"/start@My_Shop_Bot":          {Kind: core.UpdateOptIn},
		"/start@other_bot abc":        {Kind: core.UpdateText, Text: "/start@other_bot abc"},
		"/start where is my order?":   {Kind: core.UpdateText, Text: "/start where is my order?"},
		"/started":                    {Kind: core.UpdateText, Text: "/started"},
		" /start abc":                 {Kind: core.UpdateText, Text: " /start abc"},
		"/stop":                       {Kind: core.UpdateText, Text: "/stop"},
		"/help@my_shop_bot":           {Kind: core.UpdateText, Text: "/help@my_shop_bot"},
		"I typed /start abc, and now": {Kind: core.UpdateText, Text: "I typed /start abc, and now"},
	} {
		quoted, _ := json.Marshal(text)
		body := `{"update_id":1,"message":{"message_id":5,"from":{"id":42},"chat":{"id":42,"type":"private"},"date":1790000000,"text":` + string(quoted) + `}}`
		_, updates, err := listener(t).Decode(t.Context(), callback([]byte(body)))
		if err != nil || len(updates) != 1 {
			t.Fatalf("%q: got %v, %v", text, updates, err)
		}
		u := updates[0]
		got := core.Update{Kind: u.Kind, Text: u.Text, Ref: u.Ref}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		if !u.OpensWindow {
			t.Errorf("%q is not counted as the customer's", text)
		}
	}
}

// FuzzDecode: no body makes Decode panic or lose an update, and each update can
// be written down.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"update_id":1,"message":{"message_id":5,"from":{"id":42},"chat":{"id":42,"type":"private"},"date":1790000000,"text":"/start abc"}}`))
	f.Add([]byte(`{"update_id":1,"callback_query":{"id":"1","from":{"id":2},"data":"x","message":{"chat":{"id":2}}}}`))
	f.Add([]byte(`{"update_id":1,"my_chat_member":{"chat":{"id":2},"date":-1,"new_chat_member":{"status":"kicked"}}}`))
	f.Add([]byte(`{"update_id":1,"edited_message":{"message_id":0,"chat":{"id":2},"rich_message":{"blocks":[{"cells":[["a",{"text":["b"]}]]}]}}}`))
	f.Add([]byte(`{"update_id":1,"message":{"message_id":5,"chat":{"id":1},"venue":{},"poll":{},"photo":[{}],"contact":{}}}`))
	l := listener(f)
	kinds := []core.UpdateKind{core.UpdateText, core.UpdateButton, core.UpdateOptIn, core.UpdateEdited,
		core.UpdateBlocked, core.UpdateUnblocked, core.UpdateOther, core.UpdateUnreadable}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, updates, err := l.Decode(t.Context(), callback(body))
		if err != nil || len(updates) != 1 {
			t.Fatalf("got %d updates, %v, want 1", len(updates), err)
		}
		u := updates[0]
		if u.ID == "" || !slices.Contains(kinds, u.Kind) {
			t.Errorf("got id %q, kind %q", u.ID, u.Kind)
		}
		if (u.Kind == core.UpdateUnreadable) != (u.Problem != "") {
			t.Errorf("got kind %q with problem %q", u.Kind, u.Problem)
		}
		if _, err := json.Marshal(u); err != nil {
			t.Errorf("cannot be written down: %v", err)
		}
	})
}
