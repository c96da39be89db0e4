package slack

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"tidings/core"
)

// classes says what each of Slack's error strings means. The strings are those
// of chat.postMessage and conversations.open and some of users.lookupByEmail
// and auth.test
// (https://docs.slack.dev/reference/methods/chat.postMessage, read 2026-11-22);
// the classes are ours. A string that is not here is Temporary.
var classes = map[string]core.Class{
	"ratelimited":            core.Throttled,
	"rate_limited":           core.Throttled,
	"message_limit_exceeded": core.Throttled,

	"internal_error":      core.Temporary,
	"service_unavailable": core.Temporary,
	"request_timeout":     core.Temporary, // the request arrived truncated
	"team_added_to_org":   core.Temporary, // the workspace is being moved
	"org_login_required":  core.Temporary,

	// "It's possible some aspect of the operation succeeded before the error
	// was raised."
	"fatal_error": core.Uncertain,

	"channel_not_found":                        core.Unreachable,
	"is_archived":                              core.Unreachable,
	"not_in_channel":                           core.Unreachable,
	"user_not_found":                           core.Unreachable,
	"user_disabled":                            core.Unreachable,
	"user_not_visible":                         core.Unreachable,
	"users_not_found":                          core.Unreachable,
	"cannot_reply_to_message":                  core.Unreachable,
	"messages_tab_disabled":                    core.Unreachable,
	"invalid_user_combination":                 core.Unreachable,
	"restricted_action":                        core.Unreachable, // the workspace's policy for this conversation
	"restricted_action_read_only_channel":      core.Unreachable,
	"restricted_action_thread_only_channel":    core.Unreachable,
	"restricted_action_non_threadable_channel": core.Unreachable,
	"restricted_action_thread_locked":          core.Unreachable,
	"ekm_access_denied":                        core.Unreachable,
	"access_denied":                            core.Unreachable,

	"no_text":                                 core.Rejected,
	"invalid_blocks":                          core.Rejected,
	"invalid_blocks_format":                   core.Rejected,
	"msg_blocks_too_long":                     core.Rejected,
	"msg_too_long":                            core.Rejected,
	"attachment_payload_limit_exceeded":       core.Rejected,
	"too_many_attachments":                    core.Rejected,
	"too_many_contact_cards":                  core.Rejected,
	"markdown_text_conflict":                  core.Rejected,
	"metadata_too_large":                      core.Rejected,
	"metadata_must_be_sent_from_app":          core.Rejected,
	"invalid_metadata_format":                 core.Rejected,
	"invalid_metadata_schema":                 core.Rejected,
	"invalid_arg_name":                        core.Rejected,
	"invalid_array_arg":                       core.Rejected,
	"invalid_charset":                         core.Rejected,
	"invalid_form_data":                       core.Rejected,
	"invalid_post_type":                       core.Rejected,
	"missing_post_type":                       core.Rejected,
	"missing_file_data":                       core.Rejected,
	"users_list_not_supplied":                 core.Rejected,
	"not_enough_users":                        core.Rejected,
	"too_many_users":                          core.Rejected,
	"duplicate_message_not_found":             core.Rejected,
	"duplicate_channel_not_found":             core.Rejected,
	"as_user_not_supported":                   core.Rejected,
	"send_on_behalf_not_allowed":              core.Rejected,
	"draft_already_deleted":                   core.Rejected,
	"draft_already_sent":                      core.Rejected,
	"draft_has_conflict":                      core.Rejected,
	"draft_not_found":                         core.Rejected,
	"slack_connect_canvas_sharing_blocked":    core.Rejected,
	"slack_connect_file_link_sharing_blocked": core.Rejected,
	"slack_connect_lists_sharing_blocked":     core.Rejected,

	"invalid_auth":              core.Misconfigured,
	"not_authed":                core.Misconfigured,
	"account_inactive":          core.Misconfigured,
	"token_revoked":             core.Misconfigured,
	"token_expired":             core.Misconfigured,
	"missing_scope":             core.Misconfigured,
	"no_permission":             core.Misconfigured,
	"not_allowed_token_type":    core.Misconfigured,
	"accesslimited":             core.Misconfigured,
	"app_access_restricted":     core.Misconfigured,
	"two_factor_setup_required": core.Misconfigured,
	"enterprise_is_restricted":  core.Misconfigured,
	"team_not_found":            core.Misconfigured,
	"is_bot":                    core.Misconfigured,
	"method_deprecated":         core.Misconfigured,
	"deprecated_endpoint":       core.Misconfigured,
	"unknown_method":            core.Misconfigured,
}

// scopes says whom a Throttled concerns. Slack counts per conversation and per
// workspace and does not tell which count was full, so a plain 429 stays
// unknown; only the one for all members of a workspace names itself.
var scopes = map[string]core.Scope{
	"message_limit_exceeded": core.ScopeChannel,
}

// classify turns what the library returned into a decision. The HTTP status
// goes first: only a 200 has an answer worth reading.
func classify(err error, x *exchange, token core.Secret) *core.SendError {
	var refusal api.SlackErrorResponse
	switch {
	case x.status != 0 && x.status != http.StatusOK:
		return classifyStatus(x)
	case errors.As(err, &refusal):
		return classifyCode(refusal.Err, x)
	case x.status == http.StatusOK:
		// Cut off, or not Slack's at all: it may have been delivered.
		return &core.SendError{Class: core.Uncertain, Code: "unreadable_answer", Err: harmless(err, token)}
	case x.neverLeft() || dialFailed(err):
		return &core.SendError{Class: core.Temporary, Code: "not_connected", Err: harmless(err, token)}
	}
	return &core.SendError{Class: core.Uncertain, Code: "no_answer", Err: harmless(err, token)}
}

// classifyStatus decides on an answer that is not 200. With a 5xx Slack says that
// it did not take the message; only fatal_error says that it may have.
func classifyStatus(x *exchange) *core.SendError {
	e := &core.SendError{
		Code:       strconv.Itoa(x.status),
		RetryAfter: x.retryAfter,
		Err:        fmt.Errorf("slack: post message: HTTP %d %s", x.status, http.StatusText(x.status)),
	}
	switch {
	case x.status < 300:
		e.Class = core.Uncertain // a yes of some kind, but not Slack's
	case x.status == http.StatusTooManyRequests:
		e.Class = core.Throttled
	case x.status >= 500, x.status == http.StatusRequestTimeout, x.status == http.StatusTooEarly:
		e.Class = core.Temporary
	case x.status < 400, x.status == http.StatusUnauthorized, x.status == http.StatusForbidden,
		x.status == http.StatusNotFound, x.status == http.StatusMethodNotAllowed:
		e.Class = core.Misconfigured // this is not where Slack's methods are
	default:
		e.Class = core.Rejected
	}
	return e
}

var codeShape = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

// classifyCode decides on "ok": false. A code of another shape than Slack's is
// not repeated: anything could be in it.
func classifyCode(code string, x *exchange) *core.SendError {
	if !codeShape.MatchString(code) {
		code = "unreadable_code"
	}
	class, known := classes[code]
	if !known {
		class = core.Temporary
	}
	return &core.SendError{
		Class:      class,
		Scope:      scopes[code],
		RetryAfter: x.retryAfter,
		Code:       code,
		Err:        fmt.Errorf("slack: post message: refused with %s", code),
	}
}

// withoutTimestamp decides on an answer without the message's timestamp, which
// the library takes for a success.
func (x *exchange) withoutTimestamp() *core.SendError {
	if x.refused {
		return &core.SendError{Class: core.Temporary, Code: "no_reason", RetryAfter: x.retryAfter,
			Err: errors.New("slack: post message: refused without a reason")}
	}
	return &core.SendError{Class: core.Uncertain, Code: "no_timestamp",
		Err: errors.New("slack: post message: answered without a timestamp")}
}

// dialFailed recognises a connection that was never made where the transport
// does not report on its connections.
func dialFailed(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// harmless is a transport's error without the URL, and without its text should
// the text repeat the token.
func harmless(err error, token core.Secret) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if t := token.Reveal(); t != "" && strings.Contains(err.Error(), t) {
		return errors.New("slack: post message: error withheld, as it repeats the token")
	}
	return fmt.Errorf("slack: post message: %w", err)
}
