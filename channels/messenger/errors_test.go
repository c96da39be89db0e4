package messenger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

// decision is what one of Meta's errors must lead to.
type decision struct {
	code, subcode int
	class         core.Class
	scope         core.Scope
	tries         int
}

// decisions are written from Meta's documentation, not from the rules.
var decisions = []decision{
	{1, 0, core.Temporary, "", 0}, {1, 99, core.Temporary, "", 3}, {1, 1357046, core.Uncertain, "", 0}, {1, 2018382, core.Rejected, "", 0},
	{2, 0, core.Temporary, "", 0}, {2, 2018344, core.Misconfigured, "", 0},
	{3, 0, core.Misconfigured, "", 0},
	{4, 0, core.Throttled, core.ScopeChannel, 0}, {4, 2446079, core.Throttled, core.ScopeChannel, 0},
	{4, 2018022, core.Throttled, core.ScopeChannel, 0}, {4, 2018354, core.Throttled, core.ScopeRecipient, 0},
	{9, 2018352, core.Throttled, core.ScopeRecipient, 0},
	{10, 0, core.Misconfigured, "", 0},
	{10, 2018065, core.WindowClosed, "", 0}, {10, 2018278, core.WindowClosed, "", 0}, {10, 2534022, core.WindowClosed, "", 0},
	{10, 2018108, core.Unreachable, "", 0}, {10, 1893015, core.Unreachable, "", 0},
	{10, 1893063, core.Misconfigured, "", 0}, {10, 1404170, core.Misconfigured, "", 0},
	{10, 2018336, core.Misconfigured, "", 0}, {10, 2534077, core.Misconfigured, "", 0},
	{17, 0, core.Throttled, core.ScopeChannel, 0}, {32, 0, core.Throttled, core.ScopeChannel, 0},
	{100, 0, core.Rejected, "", 0}, {100, 33, core.Misconfigured, "", 0}, {100, 2018001, core.Unreachable, "", 0},
	{100, 2018008, core.Temporary, "", 1}, {100, 2018294, core.Temporary, "", 1},
	{100, 2018014, core.Rejected, "", 0}, {100, 2018032, core.Rejected, "", 0}, {100, 2018034, core.Rejected, "", 0},
	{100, 2018047, core.Rejected, "", 0}, {100, 2018074, core.Rejected, "", 0}, {100, 2018109, core.Rejected, "", 0},
	{100, 2018164, core.Rejected, "", 0}, {100, 2018320, core.Rejected, "", 0}, {100, 2018328, core.Rejected, "", 0},
	{100, 2534013, core.Rejected, "", 0}, {100, 2534025, core.Rejected, "", 0}, {100, 2534037, core.Rejected, "", 0},
	{102, 0, core.Misconfigured, "", 0}, {105, 0, core.Rejected, "", 0},
	{190, 0, core.Misconfigured, "", 0}, {190, 458, core.Misconfigured, "", 0}, {190, 459, core.Misconfigured, "", 0},
	{190, 460, core.Misconfigured, "", 0}, {190, 463, core.Misconfigured, "", 0}, {190, 464, core.Misconfigured, "", 0},
	{190, 467, core.Misconfigured, "", 0}, {190, 492, core.Misconfigured, "", 0}, {190, 1234567, core.Misconfigured, "", 0},
	{200, 0, core.Misconfigured, "", 0}, {200, 1545041, core.Unreachable, "", 0}, {200, 2018021, core.Misconfigured, "", 0},
	{200, 2018027, core.Misconfigured, "", 0}, {200, 2018028, core.Misconfigured, "", 0}, {200, 2534041, core.Misconfigured, "", 0},
	{230, 0, core.Misconfigured, "", 0}, {299, 0, core.Misconfigured, "", 0},
	{341, 0, core.Throttled, core.ScopeChannel, 0}, {368, 0, core.Misconfigured, "", 0},
	{551, 0, core.Unreachable, "", 0}, {551, 1545041, core.Unreachable, "", 0},
	{613, 0, core.Throttled, core.ScopeUnknown, 0}, {613, 2534040, core.Throttled, core.ScopeUnknown, 0},
	{613, 1893016, core.Throttled, core.ScopeUnknown, 0}, {613, 2018338, core.Misconfigured, "", 0},
	{803, 0, core.Rejected, "", 0}, {1200, 0, core.Temporary, "", 0}, {2022, 0, core.Misconfigured, "", 0},
	{80001, 0, core.Throttled, core.ScopeChannel, 0}, {80006, 0, core.Throttled, core.ScopeChannel, 0},
	{10303, 0, core.Rejected, "", 0}, {2018218, 0, core.Rejected, "", 0}, {2018247, 0, core.Rejected, "", 0},
	{2018300, 0, core.WindowClosed, "", 0}, {2018321, 0, core.WindowClosed, "", 0}, {9000001, 0, core.Unreachable, "", 0},
	// Where Messenger names its own codes as subcodes, they mean the same.
	{10, 2018300, core.WindowClosed, "", 0}, {100, 2018321, core.WindowClosed, "", 0}, {100, 9000001, core.Unreachable, "", 0},
	{100, 2018278, core.WindowClosed, "", 0}, {100, 1545041, core.Unreachable, "", 0},
}

func sendText(t *testing.T, c *channel) (core.Sent, error) {
	t.Helper()
	return c.Send(context.Background(), core.Address{Value: "7001"}, core.Part{Key: "m-1-1", Text: core.PlainText("hi")})
}

func sendError(t *testing.T, err error) *core.SendError {
	t.Helper()
	var e *core.SendError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *core.SendError", err)
	}
	return e
}

// The HTTP status differs between versions of the Graph API and decides nothing.
func TestEveryErrorHasItsDecisionUnderAnyStatus(t *testing.T) {
	for _, d := range decisions {
		for _, status := range []int{200, 400, 401, 403, 404, 429, 500, 503} {
			body := fmt.Sprintf(`{"error":{"message":"(#%d) x","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"Ax/1"}}`, d.code, d.code, d.subcode)
			wantCode := fmt.Sprintf("%d/%d", d.code, d.subcode)
			if d.subcode == 0 {
				wantCode = fmt.Sprint(d.code)
				body = strings.Replace(body, `"error_subcode":0,`, "", 1)
			}
			_, err := sendText(t, open(t, respond(status, body)))
			e := sendError(t, err)
			got := decision{d.code, d.subcode, e.Class, e.Scope, e.Tries}
			if got != d || e.Code != wantCode {
				t.Errorf("HTTP %d: got %+v with code %s, want %+v", status, got, e.Code, d)
			}
		}
	}
}

func TestEveryRuleIsTested(t *testing.T) {
	tested := map[[2]int]bool{}
	for _, d := range decisions {
		tested[[2]int{d.code, d.subcode}] = true
	}
	seen := map[[2]int]bool{}
	for _, r := range rules {
		id := [2]int{r.code, r.subcode}
		switch {
		case !tested[id]:
			t.Errorf("rule %v has no test", id)
		case seen[id]:
			t.Errorf("rule %v stands twice", id)
		case r.from.URL == "" || r.from.Read == "" || r.meaning == "":
			t.Errorf("rule %v says not what it means or where it was read", id)
		}
		seen[id] = true
	}
}

func TestADuplicateCountsAsSent(t *testing.T) {
	sent, err := sendText(t, open(t, respond(400, `{"error":{"message":"(#506) Duplicate","code":506}}`)))
	if err != nil || sent != (core.Sent{}) {
		t.Errorf("got %+v, %v; want sent without an ID", sent, err)
	}
}

func TestCodesMayBeStrings(t *testing.T) {
	_, err := sendText(t, open(t, respond(400, `{"error":{"message":5,"code":"10","error_subcode":"2018278","fbtrace_id":7}}`)))
	if e := sendError(t, err); e.Class != core.WindowClosed || e.Code != "10/2018278" {
		t.Errorf("got %v, want WindowClosed", e)
	}
}

func TestARefusedTagIsAClosedWindow(t *testing.T) {
	c := open(t, respond(400, `{"error":{"message":"(#100) Invalid tag: HUMAN_AGENT","code":100}}`))
	note := core.Part{Key: "k", Standing: core.Human, Human: true, Text: core.PlainText("hi")}
	_, err := c.Send(context.Background(), core.Address{Value: "7001"}, note)
	if e := sendError(t, err); e.Class != core.WindowClosed {
		t.Errorf("with a tag: got %v, want WindowClosed", e)
	}
	_, err = sendText(t, c)
	if e := sendError(t, err); e.Class != core.Rejected {
		t.Errorf("without a tag: got %v, want Rejected", e)
	}
}

// Without its subcode, one person's closed window must not stop the whole Page.
func TestAClosedWindowIsKnownByItsWordsToo(t *testing.T) {
	for _, subcode := range []string{"", `,"error_subcode":7`} {
		_, err := sendText(t, open(t, respond(400, `{"error":{"message":"(#10) This message is sent outside of allowed window.","code":10`+subcode+`}}`)))
		if e := sendError(t, err); e.Class != core.WindowClosed {
			t.Errorf("with %q: got %v, want WindowClosed", subcode, e)
		}
	}
}

func TestAnswersWithoutACodeGoByTheirStatus(t *testing.T) {
	const html = "<html>502 Bad Gateway</html>"
	tests := []struct {
		status int
		body   string
		want   core.Class
	}{
		{200, `{"recipient_id":"7001","message_id":"m_`, core.Uncertain},
		{200, `{"recipient_id":"7001"}`, core.Uncertain},
		{200, `{}`, core.Uncertain},
		{200, "", core.Uncertain},
		{200, html, core.Uncertain},
		{200, `{"message_id":"m_1"} trailing`, core.Uncertain},
		{200, `{"error":{"message":"no code"}}`, core.Uncertain},
		{200, `{"error":{"message":"new","code":777}}`, core.Uncertain},
		{301, "", core.Misconfigured},
		{400, html, core.Rejected},
		{400, `{"error":{"message":"new","code":777}}`, core.Temporary},
		{400, `{"error":{"message":"new","code":777,"is_transient":true}}`, core.Temporary},
		{401, html, core.Misconfigured},
		{403, html, core.Misconfigured},
		{404, html, core.Misconfigured},
		{408, html, core.Temporary},
		{413, html, core.Rejected},
		{429, html, core.Throttled},
		{500, `{"error":{"message":"new","code":777}}`, core.Uncertain},
		{500, html, core.Uncertain},
		{502, html, core.Uncertain},
		{503, "", core.Uncertain},
		{504, html, core.Uncertain},
	}
	for _, tt := range tests {
		_, err := sendText(t, open(t, respond(tt.status, tt.body)))
		if e := sendError(t, err); e.Class != tt.want {
			t.Errorf("%d %s: got %s, want %s", tt.status, tt.body, e.Class, tt.want)
		}
	}
}

func TestThrottlesWaitAsTold(t *testing.T) {
	const (
		throttled = `{"error":{"message":"(#4) limit","code":4}}`
		business  = "X-Business-Use-Case-Usage"
		regain    = `{"1234567890":[{"type":"messenger","call_count":100,"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":19}]}`
	)
	date := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		header []string
		want   time.Duration
	}{
		"nothing told":           {nil, 0},
		"minutes to regain":      {[]string{business, regain}, 19 * time.Minute},
		"another kind of use":    {[]string{business, strings.Replace(regain, "messenger", "pages", 1)}, 0},
		"seconds":                {[]string{"Retry-After", "7"}, 7 * time.Second},
		"both, the longer":       {[]string{"Retry-After", "7", business, regain}, 19 * time.Minute},
		"a date":                 {[]string{"Retry-After", date.Add(90 * time.Second).Format(http.TimeFormat), "Date", date.Format(http.TimeFormat)}, 90 * time.Second},
		"a date without a clock": {[]string{"Retry-After", date.Format(http.TimeFormat)}, 0},
		"a date gone by":         {[]string{"Retry-After", date.Format(http.TimeFormat), "Date", date.Add(time.Hour).Format(http.TimeFormat)}, 0},
		"nonsense":               {[]string{"Retry-After", "soon", business, "{", "X-App-Usage", "[]"}, 0},
		"negative":               {[]string{"Retry-After", "-7"}, 0},
		"beyond reason":          {[]string{"Retry-After", "99999999999"}, 24 * time.Hour},
		"regain beyond reason":   {[]string{business, strings.Replace(regain, "19", "1e300", 1)}, 24 * time.Hour},
	}
	for name, tt := range tests {
		_, err := sendText(t, open(t, respond(400, throttled, tt.header...)))
		if e := sendError(t, err); e.RetryAfter != tt.want {
			t.Errorf("%s: got %s, want %s", name, e.RetryAfter, tt.want)
		}
	}
	_, err := sendText(t, open(t, respond(429, "", "Retry-After", "3")))
	if e := sendError(t, err); e.Class != core.Throttled || e.RetryAfter != 3*time.Second {
		t.Errorf("a proxy's 429: got %v after %s, want Throttled after 3s", e, e.RetryAfter)
	}
}

// Meta quotes tokens and what was sent; an operator needs the parameter's name and the trace.
func TestErrorsRepeatNothingThatMetaQuotes(t *testing.T) {
	body := `{"error":{"message":"(#100) Length of param message[text] must be less than or equal to 2000: 'Ines lives at 1 Main St' for 7001, Malformed access token ` +
		testToken + `","code":100,"fbtrace_id":"BLBz/WZt8dN"}}`
	_, err := sendText(t, open(t, respond(400, body)))
	got := err.Error()
	for _, private := range []string{testToken, "Ines", "Main St", "7001"} {
		if strings.Contains(got, private) {
			t.Errorf("got %q, which holds %q", got, private)
		}
	}
	for _, useful := range []string{"message[text]", "BLBz/WZt8dN", "invalid parameter"} {
		if !strings.Contains(got, useful) {
			t.Errorf("got %q, want it to say %q", got, useful)
		}
	}
	_, err = sendText(t, open(t, respond(400, `{"error":{"message":"param secret","code":100,"fbtrace_id":"no trace <id>"}}`)))
	if got := err.Error(); strings.Contains(got, "secret") || strings.Contains(got, "no trace") {
		t.Errorf("got %q, want nothing of the message", got)
	}
}
