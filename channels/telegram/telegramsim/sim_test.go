package telegramsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/channels/telegram/telegramsim"
)

const token = "123:secret"

// gateway is a webhook that keeps what it is sent.
type gateway struct {
	mu      sync.Mutex
	secrets []string
	updates []map[string]any
	answer  func(w http.ResponseWriter, update map[string]any)
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var u map[string]any
	_ = json.NewDecoder(r.Body).Decode(&u)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.secrets = append(g.secrets, r.Header.Get("X-Telegram-Bot-Api-Secret-Token"))
	g.updates = append(g.updates, u)
	if g.answer != nil {
		g.answer(w, u)
	}
}

func newBot(t *testing.T, change func(*telegramsim.Options)) (*telegramsim.Sim, *gateway) {
	g := &gateway{}
	opt := telegramsim.Options{
		Token: token, Username: "shop_bot", Users: []string{"42"},
		WebhookURL: "http://gateway/webhooks/telegram", SecretToken: "hush", Client: &http.Client{Transport: emulator.Transport(g)},
	}
	if change != nil {
		change(&opt)
	}
	s := telegramsim.New(opt)
	t.Cleanup(s.Close)
	return s, g
}

// call makes a request with a JSON body; path begins with /bot.
func call(t *testing.T, s *telegramsim.Sim, path, body string) (*http.Response, map[string]any) {
	t.Helper()
	return request(t, s, http.MethodPost, path, "application/json", body)
}

func request(t *testing.T, s *telegramsim.Sim, method, path, kind, body string) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, "http://api"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	res, err := (&http.Client{Transport: emulator.Transport(s)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return res, out
}

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

func keyboard(buttons string) string {
	return `{"chat_id":42,"text":"a","reply_markup":{"inline_keyboard":[[` + buttons + `]]}}`
}

func TestSendMessageStrictness(t *testing.T) {
	text := func(s string) string { return `{"chat_id":42,"text":` + quoted(s) + `,"parse_mode":"HTML"}` }
	for _, tt := range []struct{ name, body, want string }{
		{"text", text("Order <b>17</b>"), ""},
		{"4096 of ASCII", text(strings.Repeat("a", 4096)), ""},
		{"4097 of ASCII", text(strings.Repeat("a", 4097)), "400 Bad Request: message is too long"},
		{"4096 emoji", text(strings.Repeat("😀", 4096)), ""},
		{"4097 emoji", text(strings.Repeat("😀", 4097)), "400 Bad Request: message is too long"},
		{"markup does not count", text("<b>" + strings.Repeat("&amp;", 4096) + "</b>"), ""},
		{"32769 bytes", text(strings.Repeat("&amp;", 6553) + "abcde"), "400 Bad Request: text is too long"},
		{"white space at the ends does not count", text(strings.Repeat("a", 4096) + "\n\n"), ""},
		{"no text", text(""), "400 Bad Request: message text is empty"},
		{"blank text", text(" \n"), "400 Bad Request: text must be non-empty"},
		{"broken markup", text("1 <2"), "400 Bad Request: can't parse entities: Unclosed start tag at byte offset 2"},
		{"unknown mode", `{"chat_id":42,"text":"a","parse_mode":"BBCode"}`, "400 Bad Request: unsupported parse_mode"},
		{"no chat", `{"text":"a"}`, "400 Bad Request: chat_id is empty"},
		{"chat of letters", `{"chat_id":"abc","text":"a"}`, "400 Bad Request: chat identifier must be a valid Integer"},
		{"a stranger", `{"chat_id":43,"text":"a"}`, "400 Bad Request: chat not found"},
		{"itself", `{"chat_id":123,"text":"a"}`, "403 Forbidden: the bot can't send messages to the bot"},
		{"chat as text", `{"chat_id":"42","text":"a"}`, ""},
		{"not JSON", `chat_id=42`, "400 Bad Request: can't parse JSON object"},
		{"reply to nothing", `{"chat_id":42,"text":"a","reply_parameters":{"message_id":99}}`, "400 Bad Request: message to be replied not found"},
		{"buttons", keyboard(`{"text":"Yes","callback_data":"` + strings.Repeat("é", 32) + `"},{"text":"Shop","url":"https://x.example"}`), ""},
		{"65 bytes of data", keyboard(`{"text":"Yes","callback_data":"` + strings.Repeat("é", 32) + `x"}`), "400 Bad Request: BUTTON_DATA_INVALID"},
		{"button that does nothing", keyboard(`{"text":"Yes"}`), "400 Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		{"button to nowhere", keyboard(`{"text":"Yes","url":"http://localhost:80/"}`), "400 Bad Request: inline keyboard button URL 'http://localhost:80/' is invalid: Wrong HTTP URL"},
		{"button without text", keyboard(`{"text":"","callback_data":"x"}`), "400 Bad Request: can't parse inline keyboard button: Field \"text\" must be a non-empty String"},
		{"keyboard of no rows", `{"chat_id":42,"text":"a","reply_markup":{"inline_keyboard":[{"text":"x"}]}}`,
			"400 Bad Request: field \"inline_keyboard\" of the InlineKeyboardMarkup should be an Array of Arrays"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newBot(t, nil)
			res, out := call(t, s, "/bot"+token+"/sendMessage", tt.body)
			got := ""
			if out["ok"] != true {
				code, _ := json.Marshal(out["error_code"])
				got = string(code) + " " + out["description"].(string)
				if string(code) != res.Status[:3] {
					t.Errorf("status %s differs from error_code %s", res.Status, code)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if shown := len(s.Log().Shown("42")); (shown == 1) != (tt.want == "") {
				t.Errorf("shown: got %d", shown)
			}
			if rejected := len(s.Log().Rejected()); (rejected == 1) != (tt.want != "") {
				t.Errorf("rejected: got %d", rejected)
			}
		})
	}
}

func TestEncodingsAndNames(t *testing.T) {
	multipart := "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhello\r\n--b--\r\n"
	for _, tt := range []struct{ name, method, path, kind, body string }{
		{"JSON", http.MethodPost, "/sendMessage", "application/json", `{"chat_id":42,"text":"hello"}`},
		{"form", http.MethodPost, "/sendMessage", "application/x-www-form-urlencoded", "chat_id=42&text=hello"},
		{"multipart", http.MethodPost, "/sendMessage", "multipart/form-data; boundary=b", multipart},
		{"GET", http.MethodGet, "/sendMessage?chat_id=42&text=hello", "", ""},
		{"any case", http.MethodPost, "/SENDmessage", "application/json", `{"chat_id":42,"text":"hello"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newBot(t, nil)
			_, out := request(t, s, tt.method, "/prefix/bot"+token+tt.path, tt.kind, tt.body)
			if got := s.Log().Shown("42"); len(got) != 1 || got[0].Text != "hello" || got[0].ID != "1" {
				t.Errorf("shown: got %+v after %v", got, out)
			}
		})
	}
}

func TestTokensAndMethods(t *testing.T) {
	s, _ := newBot(t, nil)
	for _, tt := range []struct {
		path string
		want int
	}{
		{"/bot" + token + "/getMe", 200}, {"/bot123:other/getMe", 401}, {"/botnonsense/getMe", 404},
		{"/bot" + token + "/dance", 404}, {"/getMe", 404},
	} {
		if res, out := call(t, s, tt.path, `{}`); res.StatusCode != tt.want {
			t.Errorf("%s: got %d %v, want %d", tt.path, res.StatusCode, out, tt.want)
		}
	}
}

func TestBlockedPeople(t *testing.T) {
	s, g := newBot(t, nil)
	s.Block("42")
	_, out := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"a"}`)
	if got, want := out["description"], "Forbidden: bot was blocked by the user"; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := s.Say(t.Context(), "42", "hi"); err == nil {
		t.Error("who has blocked the bot wrote to it")
	}
	if err := s.Start(t.Context(), "42", "token-1"); err != nil {
		t.Fatal(err)
	}
	_ = s.Settle(t.Context())
	var got []string
	for _, u := range g.updates {
		if m, ok := u["my_chat_member"].(map[string]any); ok {
			got = append(got, m["new_chat_member"].(map[string]any)["status"].(string))
		}
		if m, ok := u["message"].(map[string]any); ok {
			got = append(got, m["text"].(string))
		}
	}
	if want := []string{"kicked", "member", "/start token-1"}; !cmp.Equal(got, want) {
		t.Errorf("updates: got %q, want %q", got, want)
	}
	if g.secrets[0] != "hush" {
		t.Errorf("secret: got %q, want hush", g.secrets[0])
	}
}

func TestEditing(t *testing.T) {
	s, _ := newBot(t, nil)
	edit := func(body string) any {
		_, out := call(t, s, "/bot"+token+"/editMessageText", body)
		return out["description"]
	}
	call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"one"}`)
	id, _ := s.Say(t.Context(), "42", "mine")
	for _, tt := range []struct {
		body string
		want any
	}{
		{`{"chat_id":42,"message_id":1,"text":"two"}`, nil},
		{`{"chat_id":42,"message_id":1,"text":"two"}`, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"},
		{`{"chat_id":42,"message_id":9,"text":"two"}`, "Bad Request: message to edit not found"},
		{`{"chat_id":42,"message_id":` + id + `,"text":"two"}`, "Bad Request: message can't be edited"},
	} {
		if got := edit(tt.body); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.body, got, tt.want)
		}
	}
	if got := s.Log().Shown("42"); len(got) != 1 || got[0].Text != "two" || !got[0].Edited {
		t.Errorf("shown: got %+v", got)
	}
}

func TestThrottlingIsToldTwice(t *testing.T) {
	s, _ := newBot(t, nil)
	s.Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: 30 * time.Second, Times: 1})
	res, out := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"a"}`)
	want := map[string]any{"ok": false, "error_code": 429.0, "description": "Too Many Requests: retry after 30", "parameters": map[string]any{"retry_after": 30.0}}
	if diff := cmp.Diff(want, out); diff != "" || res.Header.Get("Retry-After") != "30" {
		t.Errorf("Retry-After %q, body (-want +got):\n%s", res.Header.Get("Retry-After"), diff)
	}
}

func TestRatePerChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newBot(t, nil)
		refused := 0
		for range 8 {
			if res, _ := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"a"}`); res.StatusCode == 429 {
				refused++
			}
		}
		if got, want := refused, 3; got != want {
			t.Errorf("refused at once: got %d, want %d", got, want)
		}
		time.Sleep(time.Second)
		if res, _ := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"a"}`); res.StatusCode != 200 {
			t.Errorf("a second later: got %d, want 200", res.StatusCode)
		}
	})
}

func TestFaultCodes(t *testing.T) {
	for _, tt := range []struct {
		fault emulator.Fault
		want  string
	}{
		{emulator.Fault{Kind: emulator.ErrorCode, Code: "403 Forbidden: user is deactivated"}, `{"description":"Forbidden: user is deactivated","error_code":403,"ok":false}`},
		{emulator.Fault{Kind: emulator.ErrorCode, Code: "migrate:-1001"}, `{"description":"Bad Request: group chat was upgraded to a supergroup chat","error_code":400,"ok":false,"parameters":{"migrate_to_chat_id":-1001}}`},
		{emulator.Fault{Kind: emulator.ServerError}, `{"description":"Internal Server Error: restart","error_code":500,"ok":false}`},
		{emulator.Fault{Kind: emulator.ExpireToken}, `{"description":"Unauthorized","error_code":401,"ok":false}`},
		{emulator.Fault{Kind: emulator.Block}, `{"description":"Forbidden: bot was blocked by the user","error_code":403,"ok":false}`},
	} {
		s, _ := newBot(t, nil)
		s.Faults().Add(tt.fault)
		_, out := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"a"}`)
		if got, _ := json.Marshal(out); string(got) != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestButtonsAndAnswersInTheReply(t *testing.T) {
	s, g := newBot(t, nil)
	pressed := make(chan struct{}) // closed once the test has looked at the press
	g.answer = func(w http.ResponseWriter, u map[string]any) {
		q, ok := u["callback_query"].(map[string]any)
		if !ok {
			return
		}
		<-pressed
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"method":"answerCallbackQuery","callback_query_id":"`+q["id"].(string)+`"}`)
	}
	call(t, s, "/bot"+token+"/sendMessage", keyboard(`{"text":"Yes","callback_data":"y"}`))
	if err := s.Press(t.Context(), "42", "1", "Yes"); err != nil {
		t.Fatal(err)
	}
	if err := s.Press(t.Context(), "42", "", "No"); err == nil {
		t.Error("a button that is not there was pressed")
	}
	if got := s.Unanswered(); got != 1 {
		t.Errorf("before the answer: got %d unanswered, want 1", got)
	}
	close(pressed)
	_ = s.Settle(t.Context())
	if got := s.Unanswered(); got != 0 {
		t.Errorf("after the answer: got %d unanswered, want 0", got)
	}
	q := g.updates[0]["callback_query"].(map[string]any)
	if q["data"] != "y" || q["message"].(map[string]any)["message_id"] != 1.0 {
		t.Errorf("callback_query: got %v", q)
	}
	_, out := call(t, s, "/bot"+token+"/answerCallbackQuery", `{"callback_query_id":"1"}`)
	if got, want := out["description"], "Bad Request: query is too old and response timeout expired or query ID is invalid"; got != want {
		t.Errorf("unknown query: got %v, want %v", got, want)
	}
}

func TestMessagesInTheReply(t *testing.T) {
	s, g := newBot(t, nil)
	g.answer = func(w http.ResponseWriter, _ map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"method":"sendMessage","chat_id":42,"text":"got it"}`)
	}
	_, _ = s.Say(t.Context(), "42", "hi")
	_ = s.Settle(t.Context())
	if got := s.Log().Shown("42"); len(got) != 1 || got[0].Text != "got it" {
		t.Errorf("shown: got %+v, want one", got)
	}
}

func TestUpdatesOfAChatWaitForAFailedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newBot(t, nil)
		failures := 1
		g.answer = func(w http.ResponseWriter, _ map[string]any) {
			if failures > 0 {
				failures--
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
		began := time.Now()
		_, _ = s.Say(t.Context(), "42", "1")
		_, _ = s.Say(t.Context(), "42", "2")
		_ = s.Settle(t.Context())
		var got []string
		for _, u := range g.updates {
			got = append(got, u["message"].(map[string]any)["text"].(string))
		}
		if want := []string{"1", "1", "2"}; !cmp.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := time.Since(began), 7*time.Second; got != want {
			t.Errorf("took %v, want %v", got, want)
		}
	})
}

func TestSetWebhook(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		local      bool
		want       any
	}{
		{"good", `{"url":"https://shop.example:8443/hook","secret_token":"a-B_9","allowed_updates":["message"],"max_connections":10}`, false, nil},
		{"http", `{"url":"http://shop.example/hook"}`, false, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
		{"port", `{"url":"https://shop.example:8080/hook"}`, false, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"},
		{"local server", `{"url":"http://127.0.0.1:8080/hook"}`, true, nil},
		{"secret", `{"url":"https://shop.example/hook","secret_token":"a b"}`, false, "Bad Request: secret token contains unallowed characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newBot(t, func(o *telegramsim.Options) { o.Local = tt.local })
			if _, out := call(t, s, "/bot"+token+"/setWebhook", tt.body); out["description"] != tt.want {
				t.Errorf("got %v, want %v", out["description"], tt.want)
			}
		})
	}
}

func TestConcurrentMessagesShuffle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newBot(t, nil)
		s.Faults().Add(emulator.Fault{Delay: 2 * time.Second, Times: 1})
		var wg sync.WaitGroup
		for _, text := range []string{"first", "second"} {
			wg.Go(func() { call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"`+text+`"}`) })
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		got := []string{s.Log().Shown("42")[0].Text, s.Log().Shown("42")[1].Text}
		if want := []string{"second", "first"}; !cmp.Equal(got, want) || s.Log().Overlaps() != 1 {
			t.Errorf("got %q with %d overlaps, want %q with 1", got, s.Log().Overlaps(), want)
		}
	})
}

// TestForgetful: requests are checked and answered as ever, and nothing is kept.
func TestForgetful(t *testing.T) {
	s, _ := newBot(t, func(o *telegramsim.Options) { o.Forgetful, o.NoRates = true, true })
	for range 3 {
		if res, out := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"hello"}`); res.StatusCode != http.StatusOK {
			t.Fatalf("got status %d: %v, want 200", res.StatusCode, out)
		}
	}
	if res, _ := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":""}`); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an empty text: got status %d, want 400", res.StatusCode)
	}
	if got := s.Log().All(); len(got) != 0 {
		t.Errorf("got %d messages kept, want none", len(got))
	}
}
