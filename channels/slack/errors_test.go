package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

// documented lists what Slack documents: every error of chat.postMessage, and
// those of conversations.open, users.lookupByEmail and auth.test that tell of a
// recipient or of the token
// (https://docs.slack.dev/reference/methods/chat.postMessage, read 2026-11-22).
// The test below wants a decision for each and no decision for anything else.
var documented = map[core.Class]string{
	core.Throttled: `ratelimited rate_limited message_limit_exceeded`,
	core.Temporary: `internal_error service_unavailable request_timeout team_added_to_org org_login_required`,
	core.Uncertain: `fatal_error`,
	core.Unreachable: `channel_not_found is_archived not_in_channel user_not_found user_disabled user_not_visible
		users_not_found cannot_reply_to_message messages_tab_disabled invalid_user_combination restricted_action
		restricted_action_read_only_channel restricted_action_thread_only_channel
		restricted_action_non_threadable_channel restricted_action_thread_locked ekm_access_denied access_denied`,
	core.Rejected: `no_text invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long
		attachment_payload_limit_exceeded too_many_attachments too_many_contact_cards markdown_text_conflict
		metadata_too_large metadata_must_be_sent_from_app invalid_metadata_format invalid_metadata_schema
		invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type missing_post_type
		missing_file_data users_list_not_supplied not_enough_users too_many_users duplicate_message_not_found
		duplicate_channel_not_found as_user_not_supported send_on_behalf_not_allowed draft_already_deleted
		draft_already_sent draft_has_conflict draft_not_found slack_connect_canvas_sharing_blocked
		slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked`,
	core.Misconfigured: `invalid_auth not_authed account_inactive token_revoked token_expired missing_scope
		no_permission not_allowed_token_type accesslimited app_access_restricted two_factor_setup_required
		enterprise_is_restricted team_not_found is_bot method_deprecated deprecated_endpoint unknown_method`,
}

func TestEveryDocumentedErrorHasItsClass(t *testing.T) {
	n := 0
	for class, codes := range documented {
		for _, code := range strings.Fields(codes) {
			n++
			e := refusedWith(t, says(200, nil, `{"ok":false,"error":"`+code+`"}`))
			if e.Class != class || e.Code != code {
				t.Errorf("%s: got %s (code %s), want %s", code, e.Class, e.Code, class)
			}
		}
	}
	if len(classes) != n {
		t.Errorf("the table has %d errors, the test knows %d", len(classes), n)
	}
}

func refusedWith(t *testing.T, p http.RoundTripper) *core.SendError {
	t.Helper()
	_, err := open(t, p, nil).Send(context.Background(), core.Address{Value: "U1"}, hello())
	var e *core.SendError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *core.SendError", err)
	}
	return e
}

func TestEveryAnswerIsADecision(t *testing.T) {
	html := "<html><body>502 Bad Gateway</body></html>"
	after := func(s string) http.Header { return http.Header{"Retry-After": {s}} }
	tests := []struct {
		name     string
		platform *platform
		want     core.SendError
	}{
		{"429 with a time", says(429, after("3"), `{"ok":false,"error":"ratelimited"}`), core.SendError{Class: core.Throttled, RetryAfter: 3 * time.Second, Code: "429"}},
		{"429 without a time", says(429, nil, `{"ok":false,"error":"ratelimited"}`), core.SendError{Class: core.Throttled, Code: "429"}},
		{"429 with nonsense for a time", says(429, after("soon"), ""), core.SendError{Class: core.Throttled, Code: "429"}},
		{"429 with a negative time", says(429, after("-5"), ""), core.SendError{Class: core.Throttled, Code: "429"}},
		{"429 with a time beyond a day", says(429, after("99999999"), ""), core.SendError{Class: core.Throttled, RetryAfter: 24 * time.Hour, Code: "429"}},
		{"ratelimited in a 200", says(200, after("2"), `{"ok":false,"error":"ratelimited"}`), core.SendError{Class: core.Throttled, RetryAfter: 2 * time.Second, Code: "ratelimited"}},
		{"the whole workspace's limit", says(200, nil, `{"ok":false,"error":"message_limit_exceeded"}`), core.SendError{Class: core.Throttled, Scope: core.ScopeChannel, Code: "message_limit_exceeded"}},
		{"an error nobody knows", says(200, nil, `{"ok":false,"error":"brand_new_error"}`), core.SendError{Class: core.Temporary, Code: "brand_new_error"}},
		{"an error that is no code", says(200, nil, `{"ok":false,"error":"Call U1 <here>"}`), core.SendError{Class: core.Temporary, Code: "unreadable_code"}},
		{"no without a reason", says(200, nil, `{"ok":false}`), core.SendError{Class: core.Temporary, Code: "no_reason"}},
		{"500", says(500, nil, html), core.SendError{Class: core.Temporary, Code: "500"}},
		{"502 with HTML", says(502, nil, html), core.SendError{Class: core.Temporary, Code: "502"}},
		{"503 with a time", says(503, after("30"), `{"ok":false,"error":"service_unavailable"}`), core.SendError{Class: core.Temporary, RetryAfter: 30 * time.Second, Code: "503"}},
		{"408", says(408, nil, ""), core.SendError{Class: core.Temporary, Code: "408"}},
		{"401", says(401, nil, ""), core.SendError{Class: core.Misconfigured, Code: "401"}},
		{"404", says(404, nil, html), core.SendError{Class: core.Misconfigured, Code: "404"}},
		{"302", says(302, http.Header{"Location": {"/login"}}, ""), core.SendError{Class: core.Misconfigured, Code: "302"}},
		{"400", says(400, nil, ""), core.SendError{Class: core.Rejected, Code: "400"}},
		{"413", says(413, nil, ""), core.SendError{Class: core.Rejected, Code: "413"}},
		{"204", says(204, nil, ""), core.SendError{Class: core.Uncertain, Code: "204"}},
		{"200 with half an answer", says(200, nil, `{"ok":true,"channel":"D09","ts":"1790`), core.SendError{Class: core.Uncertain, Code: "unreadable_answer"}},
		{"200 with HTML", says(200, nil, html), core.SendError{Class: core.Uncertain, Code: "unreadable_answer"}},
		{"200 with nothing", says(200, nil, ""), core.SendError{Class: core.Uncertain, Code: "unreadable_answer"}},
		{"200 with an empty object", says(200, nil, `{}`), core.SendError{Class: core.Uncertain, Code: "no_timestamp"}},
		{"yes without a timestamp", says(200, nil, `{"ok":true,"channel":"D09"}`), core.SendError{Class: core.Uncertain, Code: "no_timestamp"}},
		{"broken off within the body", brokenOff(), core.SendError{Class: core.Uncertain, Code: "unreadable_answer"}},
		{"broken off before an answer", fails(io.ErrUnexpectedEOF), core.SendError{Class: core.Uncertain, Code: "no_answer"}},
		{"timed out", fails(context.DeadlineExceeded), core.SendError{Class: core.Uncertain, Code: "no_answer"}},
		{"reset while writing", fails(&net.OpError{Op: "write", Err: errors.New("broken pipe")}), core.SendError{Class: core.Uncertain, Code: "no_answer"}},
		{"never connected", fails(&net.OpError{Op: "dial", Err: errors.New("connection refused")}), core.SendError{Class: core.Temporary, Code: "not_connected"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refusedWith(t, tt.platform)
			if got.Err == nil {
				t.Errorf("cause: got none, want one")
			}
			if got.Class != tt.want.Class || got.Code != tt.want.Code || got.RetryAfter != tt.want.RetryAfter || got.Scope != tt.want.Scope {
				t.Errorf("got %s/%s/%q after %s, want %s/%s/%q after %s",
					got.Class, got.Code, got.Scope, got.RetryAfter, tt.want.Class, tt.want.Code, tt.want.Scope, tt.want.RetryAfter)
			}
		})
	}
}

func fails(err error) *platform {
	return &platform{answer: func(*http.Request) (*http.Response, error) { return nil, err }}
}

func brokenOff() *platform {
	return &platform{answer: func(req *http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"ok":true,`), brokenReader{})
		return &http.Response{StatusCode: 200, Header: http.Header{}, Request: req, Body: io.NopCloser(body)}, nil
	}}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

func TestAConnectionThatWasNeverMadeSentNothing(t *testing.T) {
	// A real transport whose error is no dial error, as when the certificate is
	// wrong or a proxy refuses: only the trace tells that nothing was sent.
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("certificate signed by unknown authority")
	}}
	e := refusedWith(t, transport)
	if e.Class != core.Temporary || e.Code != "not_connected" {
		t.Errorf("got %s/%s, want Temporary/not_connected", e.Class, e.Code)
	}
}

func TestNoErrorRepeatsTheTokenOrTheRecipient(t *testing.T) {
	const recipient = "U0RECIPIENT"
	for name, p := range map[string]*platform{
		"transport":   fails(fmt.Errorf("bad request: Authorization: Bearer %s", testToken)),
		"wrapped":     fails(fmt.Errorf("proxy: %w", errors.New("token="+testToken))),
		"status":      says(500, nil, testToken),
		"code":        says(200, nil, `{"ok":false,"error":"`+testToken+`"}`),
		"code's word": says(200, nil, `{"ok":false,"error":"`+recipient+`"}`),
		"not JSON":    says(200, nil, testToken+recipient),
		"half":        says(200, nil, `{"ok":false,"error":"`+testToken),
	} {
		_, err := open(t, p, nil).Send(context.Background(), core.Address{Value: recipient}, hello())
		for at := err; at != nil; at = errors.Unwrap(at) {
			if text := fmt.Sprintf("%v %+v", at, at); strings.Contains(text, testToken) || strings.Contains(text, recipient) {
				t.Errorf("%s: the error repeats it: %s", name, text)
			}
		}
	}
}
