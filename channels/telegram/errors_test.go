package telegram_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

func refusal(t *testing.T, code int, description string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"ok": false, "error_code": code, "description": description})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Each answer of the Bot API, in its own words, has its class.
func TestEachAnswerHasItsClass(t *testing.T) {
	for _, c := range []struct {
		code        int
		description string
		want        core.Class
	}{
		{400, "Bad Request: chat not found", core.Unreachable},
		{400, "Bad Request: private chat not found", core.Unreachable},
		{400, "Bad Request: message text is empty", core.Rejected},
		{400, "Bad Request: chat_id is empty", core.Rejected},
		{400, "Bad Request: chat identifier must be a valid Integer", core.Rejected},
		{400, "Bad Request: message is too long", core.Rejected},
		{400, "Bad Request: message caption is too long", core.Rejected},
		{400, "Bad Request: text is too long", core.Rejected},
		{400, "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'", core.Rejected},
		{400, "Bad Request: can't parse entities: Unsupported start tag \"ines\" at byte offset 3", core.Rejected},
		{400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message", core.Rejected},
		{400, "Bad Request: reply markup is too long", core.Rejected},
		{400, "Bad Request: BUTTON_DATA_INVALID", core.Rejected},
		{400, "Bad Request: wrong HTTP URL specified", core.Rejected},
		{400, "Bad Request: failed to get HTTP URL content", core.Temporary},
		{400, "Bad Request: wrong file identifier/HTTP URL specified", core.Rejected},
		{400, "Bad Request: group chat was upgraded to a supergroup chat", core.Unreachable},
		{400, "Bad Request: query is too old and response timeout expired or query ID is invalid", core.Rejected},
		{400, "Bad Request: message can't be edited", core.Rejected},
		{400, "Bad Request: message can't be deleted", core.Rejected},
		{400, "Bad Request: message to edit not found", core.Rejected},
		{400, "Bad Request: something nobody has seen", core.Rejected},
		{401, "Unauthorized", core.Misconfigured},
		{401, "Unauthorized: invalid token specified", core.Misconfigured},
		{403, "Forbidden: bot was blocked by the user", core.Unreachable},
		{403, "Forbidden: user is deactivated", core.Unreachable},
		{403, "Forbidden: bot can't initiate conversation with a user", core.Unreachable},
		{403, "Forbidden: the bot can't send messages to the bot", core.Unreachable},
		{403, "Forbidden: bot was kicked from the group chat", core.Unreachable},
		{403, "Forbidden: bot was kicked from the supergroup chat", core.Unreachable},
		{403, "Forbidden: bot was kicked from the channel chat", core.Unreachable},
		{403, "Forbidden: bot is not a member of the channel chat", core.Unreachable},
		{403, "Forbidden: the group chat was deleted", core.Unreachable},
		{404, "Not Found", core.Misconfigured},
		{404, "Not Found: method not found", core.Rejected},
		{409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first", core.Misconfigured},
		{409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running", core.Misconfigured},
		{409, "Conflict: terminated by setWebhook request", core.Misconfigured},
		{413, "Request Entity Too Large", core.Rejected},
		{421, "Misdirected Request", core.Temporary},
		{429, "Too Many Requests: retry after 30", core.Throttled},
		{500, "Internal Server Error: restart", core.Temporary},
		{502, "Bad Gateway", core.Temporary},
		{599, "Something New", core.Temporary},
	} {
		t.Run(c.description, func(t *testing.T) {
			e := failed(t, answer(c.code, refusal(t, c.code, c.description)))
			if e.Class != c.want {
				t.Errorf("class: got %s, want %s", e.Class, c.want)
			}
			if want := strconv.Itoa(c.code); e.Code != want {
				t.Errorf("code: got %q, want %q", e.Code, want)
			}
			if e.Moved != nil || strings.Contains(e.Error(), "ines") {
				t.Errorf("moved %v, error %q", e.Moved, e)
			}
		})
	}
}

func TestAPictureThatCouldNotBeFetchedIsTriedOnceMore(t *testing.T) {
	e := failed(t, answer(400, refusal(t, 400, "Bad Request: failed to get HTTP URL content")))
	if e.Class != core.Temporary || e.Tries != 1 {
		t.Errorf("got %s with %d tries, want Temporary with 1", e.Class, e.Tries)
	}
}

func TestAMovedChatIsTold(t *testing.T) {
	e := failed(t, answer(400, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001234567890}}`))
	if e.Class != core.Temporary || e.Moved == nil || e.Moved.Value != "-1001234567890" {
		t.Errorf("got %s, moved %+v, want Temporary, moved to -1001234567890", e.Class, e.Moved)
	}
}

func TestThrottledWaitsAsTold(t *testing.T) {
	plain := refusal(t, 429, "Too Many Requests")
	for _, c := range []struct {
		name     string
		platform roundTrip
		want     time.Duration
	}{
		{"body", answer(429, `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":7}}`, "Retry-After", "9"), 7 * time.Second},
		{"header", answer(429, plain, "Retry-After", "9"), 9 * time.Second},
		{"words", answer(429, refusal(t, 429, "Too Many Requests: retry after 30")), 30 * time.Second},
		{"header over words", answer(429, refusal(t, 429, "Too Many Requests: retry after 30"), "Retry-After", "9"), 9 * time.Second},
		{"words without a number", answer(429, refusal(t, 429, "Too Many Requests: retry after lunch")), 0},
		{"HTML with header", answer(429, "<html>", "Retry-After", "3"), 3 * time.Second},
		{"date", answer(429, plain, "Retry-After", "Sun, 22 Nov 2026 10:00:42 GMT", "Date", "Sun, 22 Nov 2026 10:00:00 GMT"), 42 * time.Second},
		{"past date", answer(429, plain, "Retry-After", "Sun, 22 Nov 2026 09:00:00 GMT", "Date", "Sun, 22 Nov 2026 10:00:00 GMT"), 0},
		{"date without a clock", answer(429, plain, "Retry-After", "Sun, 22 Nov 2026 10:00:42 GMT"), 0},
		{"status 200", answer(200, `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":7}}`), 7 * time.Second},
		{"nothing", answer(429, plain), 0},
		{"negative", answer(429, plain, "Retry-After", "-5"), 0},
		{"for ever", answer(429, `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":9223372036854775807}}`), 365 * 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := failed(t, c.platform)
			if e.Class != core.Throttled || e.Scope != core.ScopeUnknown || e.RetryAfter != c.want {
				t.Errorf("got %s, scope %q, after %s, want Throttled, unknown, %s", e.Class, e.Scope, e.RetryAfter, c.want)
			}
		})
	}
}

func TestAServerThatRestartsMayNameATime(t *testing.T) {
	e := failed(t, answer(500, refusal(t, 500, "Internal Server Error: restart"), "Retry-After", "5"))
	if e.Class != core.Temporary || e.RetryAfter != 5*time.Second {
		t.Errorf("got %s after %s, want Temporary after 5s", e.Class, e.RetryAfter)
	}
}

// An answer that is not the Bot API's is judged by its status alone.
func TestStrangeAnswers(t *testing.T) {
	const page = "<html><body>proxy</body></html>"
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   core.Class
	}{
		{"page 502", 502, page, core.Uncertain},
		{"page 504", 504, page, core.Uncertain},
		{"page 500", 500, page, core.Uncertain},
		{"page 503", 503, page, core.Temporary},
		{"page 408", 408, page, core.Temporary},
		{"page 401", 401, page, core.Misconfigured},
		{"page 403", 403, page, core.Misconfigured},
		{"page 404", 404, page, core.Misconfigured},
		{"page 407", 407, page, core.Misconfigured},
		{"page 413", 413, page, core.Rejected},
		{"page 200", 200, page, core.Uncertain},
		{"foreign JSON 502", 502, `{"error":"upstream"}`, core.Uncertain},
		{"truncated 200", 200, `{"ok":true,"result":{"message_id":9,"chat":{"id":4`, core.Uncertain},
		{"empty 200", 200, "", core.Uncertain},
		{"empty object 200", 200, "{}", core.Uncertain},
		{"yes without a message", 200, `{"ok":true,"result":true}`, core.Uncertain},
		{"refusal without a code", 403, `{"ok":false,"description":"Forbidden: user is deactivated"}`, core.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			if e := failed(t, answer(c.status, c.body)); e.Class != c.want {
				t.Errorf("got %v, want %s", e, c.want)
			}
		})
	}
}

// An unknown description gets into the error without what might be a person's.
func TestErrorsHoldNothingOfTheCustomer(t *testing.T) {
	const description = "Bad Request: USER_XYZ wrote \"Grüße\" from ines.vidal@example.com about 00417003, sorry"
	got := failed(t, answer(400, refusal(t, 400, description))).Error()
	if want := "Rejected (code 400): telegram: sendMessage: Bad Request: USER_XYZ wrote … from … about … sorry"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	long := failed(t, answer(400, refusal(t, 400, strings.Repeat("word ", 10000)))).Error()
	if len(long) > 300 {
		t.Errorf("got an error of %d bytes", len(long))
	}
	if got := failed(t, answer(400, refusal(t, 400, " "))).Error(); !strings.Contains(got, "no reason given") {
		t.Errorf("got %q", got)
	}
}
