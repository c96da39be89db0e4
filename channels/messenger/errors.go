package messenger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"tidings/core"
)

// rule is the decision for one of Meta's errors.
type rule struct {
	// code and subcode name the error; subcode 0 is any that has no rule of its own.
	code, subcode int
	// last ends a range of subcodes that begins with subcode; 0: just the one.
	last  int
	class core.Class
	scope core.Scope
	tries int
	then  core.Class // after so many tries
	// meaning is what an operator reads. Meta's own message is not passed on: it
	// quotes tokens and what was sent.
	meaning string
	from    core.Source
}

// duplicate is the code with which Meta refuses what it already has.
const duplicate = 506

// outsideWindow is how Meta words that a reply window is closed:
// "(#10) This message is sent outside of allowed window." (fromFrame).
const outsideWindow = "outside of allowed window"

// Where the rules were read.
var (
	fromErrors = core.Source{URL: docs + "error-codes", Read: "2026-11-22"}
	fromGraph  = core.Source{URL: "https://developers.facebook.com/docs/graph-api/guides/error-handling", Read: "2026-11-22"}
	fromLimits = core.Source{URL: "https://developers.facebook.com/docs/graph-api/overview/rate-limiting", Read: "2026-11-25"}
	fromSpec   = core.Source{URL: "https://github.com/facebook/openapi", Read: "2026-11-22"}
	fromFrame  = core.Source{URL: "https://github.com/microsoft/botframework-sdk/issues/1335", Read: "2026-11-22"}
	fromNode   = core.Source{URL: "https://github.com/rickydunlop/fbmessenger-node/issues/24", Read: "2026-11-22"}
	fromOld    = core.Source{URL: "https://developers.facebook.com/docs/messenger-platform/reference/send-api/error-codes", Read: "2026-11-22"}
)

// rules is the table of Meta's errors. An exact code and subcode wins, then the
// subcode alone (Messenger's seven-digit ones mean the same under any code), then
// the code.
//
// A throttle of the app or the Page concerns the channel. 613 may be the Page's
// rate or "too many messages to a single thread", and Meta does not say which: its
// scope is unknown, so one busy chat cannot stop the Page.
var rules = []rule{
	{code: 1, class: core.Temporary, meaning: "unknown error", from: fromErrors},
	{code: 1, subcode: 99, class: core.Temporary, tries: 3, then: core.Misconfigured, meaning: "unknown error, or a missing permission", from: fromErrors},
	{code: 1, subcode: 1357046, class: core.Uncertain, meaning: "invalid JSON reply; some messages may have been sent", from: fromErrors},
	{code: 1, subcode: 2018382, class: core.Rejected, meaning: "an instant form cannot be sent", from: fromErrors},
	{code: 2, class: core.Temporary, meaning: "service temporarily unavailable", from: fromErrors},
	{code: 2, subcode: 2018344, class: core.Misconfigured, meaning: "the Page's contact must accept Meta's terms", from: fromErrors},
	{code: 3, class: core.Misconfigured, meaning: "the app lacks the capability", from: fromErrors},
	{code: 4, class: core.Throttled, scope: core.ScopeChannel, meaning: "the app's request limit is reached", from: fromErrors},
	{code: 4, subcode: 2018022, class: core.Throttled, scope: core.ScopeChannel, meaning: "too many sends to phone numbers", from: fromErrors},
	{code: 4, subcode: 2018354, class: core.Throttled, scope: core.ScopeRecipient, meaning: "too soon after the last marketing message", from: fromErrors},
	{code: 9, subcode: 2018352, class: core.Throttled, scope: core.ScopeRecipient, meaning: "too many opt-in requests to this person", from: fromErrors},
	{code: 10, class: core.Misconfigured, meaning: "permission denied; is pages_messaging granted?", from: fromErrors},
	{code: 10, subcode: 2018065, class: core.WindowClosed, meaning: "outside the allowed window", from: fromErrors},
	{code: 10, subcode: 2018278, class: core.WindowClosed, meaning: "outside the allowed window", from: fromErrors},
	{code: 10, subcode: 2534022, class: core.WindowClosed, meaning: "outside the allowed window", from: fromErrors},
	{code: 10, subcode: 2018108, class: core.Unreachable, meaning: "this person cannot receive messages now", from: fromErrors},
	{code: 10, subcode: 1893015, class: core.Unreachable, meaning: "this person stopped these notifications", from: fromErrors},
	{code: 10, subcode: 1893063, class: core.Misconfigured, meaning: "the Page is temporarily restricted", from: fromErrors},
	{code: 10, subcode: 1404170, class: core.Misconfigured, meaning: "feature not allowed for this Page or region", from: fromErrors},
	{code: 10, subcode: 2018336, class: core.Misconfigured, meaning: "feature not allowed for this Page or region", from: fromErrors},
	{code: 10, subcode: 2534077, class: core.Misconfigured, meaning: "feature not allowed for this Page or region", from: fromErrors},
	{code: 17, class: core.Throttled, scope: core.ScopeChannel, meaning: "the user's request limit is reached", from: fromErrors},
	{code: 32, class: core.Throttled, scope: core.ScopeChannel, meaning: "the Page's request limit is reached", from: fromGraph},
	{code: 100, class: core.Rejected, meaning: "invalid parameter", from: fromErrors},
	{code: 100, subcode: 33, class: core.Misconfigured, meaning: "the object does not exist, or no permission for it", from: fromErrors},
	{code: 100, subcode: 2018001, class: core.Unreachable, meaning: "no such person for this Page", from: fromErrors},
	{code: 100, subcode: 2018008, class: core.Temporary, tries: 1, meaning: "Meta could not fetch the URL", from: fromErrors},
	{code: 100, subcode: 2018294, class: core.Temporary, tries: 1, meaning: "Meta could not fetch the video in time", from: fromErrors},
	{code: 100, subcode: 2018014, class: core.Rejected, meaning: "both a message and a sender action", from: fromErrors},
	{code: 100, subcode: 2018032, class: core.Rejected, meaning: "invalid data", from: fromNode},
	{code: 100, subcode: 2018034, class: core.Rejected, meaning: "the message is empty", from: fromNode},
	{code: 100, subcode: 2018047, class: core.Rejected, meaning: "the attachment is of another type than announced", from: fromErrors},
	{code: 100, subcode: 2018074, class: core.Rejected, meaning: "the attachment belongs to somebody else", from: fromErrors},
	{code: 100, subcode: 2018109, class: core.Rejected, meaning: "the attachment is too large", from: fromErrors},
	{code: 100, subcode: 2018164, class: core.Rejected, meaning: "wrong app id", from: fromErrors},
	{code: 100, subcode: 2018320, class: core.Rejected, meaning: "wrong product", from: fromErrors},
	{code: 100, subcode: 2018328, class: core.Rejected, meaning: "product templates need a newer API", from: fromErrors},
	{code: 100, subcode: 2534013, last: 2534037, class: core.Rejected, meaning: "invalid parameter", from: fromErrors},
	{code: 102, class: core.Misconfigured, meaning: "the session of the token is over", from: fromGraph},
	{code: 105, class: core.Rejected, meaning: "too many elements", from: fromFrame},
	{code: 190, class: core.Misconfigured, meaning: "the Page token is not valid", from: fromGraph},
	{code: 190, subcode: 458, class: core.Misconfigured, meaning: "the Page token is not valid: the app was removed", from: fromGraph},
	{code: 190, subcode: 459, class: core.Misconfigured, meaning: "the Page token is not valid: its owner must log in to Facebook", from: fromGraph},
	{code: 190, subcode: 460, class: core.Misconfigured, meaning: "the Page token is not valid: its owner's password changed", from: fromGraph},
	{code: 190, subcode: 463, class: core.Misconfigured, meaning: "the Page token has expired", from: fromGraph},
	{code: 190, subcode: 464, class: core.Misconfigured, meaning: "the Page token is not valid: its owner is not confirmed", from: fromGraph},
	{code: 190, subcode: 467, class: core.Misconfigured, meaning: "the Page token is not valid any more", from: fromGraph},
	{code: 190, subcode: 492, class: core.Misconfigured, meaning: "the Page token is not valid: its owner has no role on the Page", from: fromGraph},
	{code: 200, class: core.Misconfigured, meaning: "permission missing", from: fromErrors},
	{code: 200, subcode: 1545041, class: core.Unreachable, meaning: "this person is not available", from: fromErrors},
	{code: 200, subcode: 2018021, class: core.Misconfigured, meaning: "phone number matching is not paid for", from: fromErrors},
	{code: 200, subcode: 2018027, class: core.Misconfigured, meaning: "the app is not approved for phone numbers", from: fromErrors},
	{code: 200, subcode: 2018028, class: core.Misconfigured, meaning: "the app is not approved; this person is not a tester", from: fromErrors},
	{code: 200, subcode: 2534041, class: core.Misconfigured, meaning: "the account's owner restricted access", from: fromErrors},
	{code: 341, class: core.Throttled, scope: core.ScopeChannel, meaning: "the application's limit is reached", from: fromErrors},
	{code: 368, class: core.Misconfigured, meaning: "blocked for a policy violation", from: fromErrors},
	{code: 551, class: core.Unreachable, meaning: "this person is not available", from: fromErrors},
	{code: 551, subcode: 1545041, class: core.Unreachable, meaning: "this person is not available", from: fromErrors},
	{code: 613, class: core.Throttled, meaning: "calls have exceeded the rate limit", from: fromErrors},
	{code: 613, subcode: 2534040, class: core.Throttled, meaning: "calls have exceeded the rate limit", from: fromErrors},
	{code: 613, subcode: 1893016, class: core.Throttled, meaning: "calls have exceeded the rate limit", from: fromErrors},
	{code: 613, subcode: 2018338, class: core.Misconfigured, meaning: "Meta warns of misused message tags", from: fromErrors},
	{code: 803, class: core.Rejected, meaning: "object not found", from: fromSpec},
	{code: 1200, class: core.Temporary, meaning: "temporary failure to send", from: fromOld},
	{code: 2022, class: core.Misconfigured, meaning: "the commerce account is restricted", from: fromErrors},
	{code: 10303, class: core.Rejected, meaning: "invalid account linking token", from: fromErrors},
	{code: 80001, class: core.Throttled, scope: core.ScopeChannel, meaning: "too many calls to the Page", from: fromLimits},
	{code: 80006, class: core.Throttled, scope: core.ScopeChannel, meaning: "too many calls to the Page's Messenger", from: fromLimits},
	{code: 2018218, class: core.Rejected, meaning: "no profile available", from: fromErrors},
	{code: 2018247, class: core.Rejected, meaning: "no permission for the profile", from: fromErrors},
	{code: 2018300, class: core.WindowClosed, meaning: "another app controls the conversation", from: fromErrors},
	{code: 2018321, class: core.WindowClosed, meaning: "another app controls the conversation", from: fromErrors},
	{code: 9000001, class: core.Unreachable, meaning: "the conversation was deleted", from: fromErrors},
}

// ownSubcode is where Messenger's own subcodes begin, which mean the same under
// any code. The small ones (33, 99, 463) do not.
const ownSubcode = 1_000_000

// lookup finds the rule for an error.
func lookup(code, subcode int) (rule, bool) {
	matches := []func(r rule) bool{
		func(r rule) bool { return r.code == code && subcode != 0 && r.hasSubcode(subcode) },
		func(r rule) bool { return subcode >= ownSubcode && (r.hasSubcode(subcode) || r.code == subcode) },
		func(r rule) bool { return r.code == code && r.subcode == 0 },
	}
	for _, match := range matches {
		for _, r := range rules {
			if match(r) {
				return r, true
			}
		}
	}
	if code > 200 && code < 300 {
		return lookup(200, 0) // permissions, one code each (fromGraph)
	}
	return rule{}, false
}

func (r rule) hasSubcode(subcode int) bool {
	return subcode == r.subcode || (subcode > r.subcode && subcode <= r.last)
}

// graphError is Meta's envelope for an error.
type graphError struct {
	Message   string  `json:"message"`
	Code      integer `json:"code"`
	Subcode   integer `json:"error_subcode"`
	Transient bool    `json:"is_transient"`
	Trace     string  `json:"fbtrace_id"`
}

// parseError reads the envelope of a valid JSON body; nil when it holds none. Only
// the code has to be readable.
func parseError(body []byte) *graphError {
	var envelope struct {
		Error *graphError `json:"error"`
	}
	_ = json.Unmarshal(body, &envelope)
	if envelope.Error == nil || envelope.Error.Code == 0 {
		return nil
	}
	return envelope.Error
}

// id is the error as people quote it: code, or code/subcode.
func (e *graphError) id() string {
	if e.Subcode == 0 {
		return strconv.Itoa(int(e.Code))
	}
	return fmt.Sprintf("%d/%d", e.Code, e.Subcode)
}

// rule decides. Unknown codes are decided by what else the answer says.
func (e *graphError) rule(status int, tagged bool) rule {
	r, known := lookup(int(e.Code), int(e.Subcode))
	switch {
	case known && r.code == 10 && r.subcode == 0 && strings.Contains(strings.ToLower(e.Message), outsideWindow):
		// One person's window, told without its subcode, must not look like a
		// missing permission, which would stop the whole Page.
		return rule{class: core.WindowClosed, meaning: "outside the allowed window"}
	case known && r.code == 100 && r.subcode == 0 && tagged && strings.Contains(strings.ToLower(e.Message), "tag"):
		// Meta refuses a tag it does not grant with the code for a bad parameter.
		return rule{class: core.WindowClosed, meaning: "the message tag is not granted"}
	case known:
		return r
	case e.Transient:
		return rule{class: core.Temporary, meaning: "an error without a rule, which Meta calls transient"}
	}
	r = ruleForStatus(status)
	if r.class == core.Rejected {
		// Meta adds codes without notice. That one is new is no reason to lose a
		// message: it is tried again, a bounded number of times.
		r.class = core.Temporary
	}
	return r
}

// ruleForStatus decides where there is no code to decide by: the answer is not
// Meta's, or is one that this version does not know.
func ruleForStatus(status int) rule {
	switch {
	case status == http.StatusTooManyRequests:
		return rule{class: core.Throttled, meaning: "too many requests"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return rule{class: core.Misconfigured, meaning: "access refused"}
	case status >= 300 && status < 400, status == http.StatusNotFound, status == http.StatusMethodNotAllowed,
		status == http.StatusProxyAuthRequired:
		// Whoever answered is not the Send API: no message is to blame for it.
		return rule{class: core.Misconfigured, meaning: "the Send API is not at api_url"}
	case status == http.StatusRequestTimeout:
		return rule{class: core.Temporary, meaning: "the request did not arrive in time"}
	case status < 300, status >= 500:
		return rule{class: core.Uncertain, meaning: "an answer that does not tell whether the message was sent"}
	}
	return rule{class: core.Rejected, meaning: "an error without a rule"}
}

// parameterName finds which of our own parameters a message of Meta is about.
// Nothing else of such a message is repeated: it may quote the token or the text.
var parameterName = regexp.MustCompile(
	`\bparam(?:eter)? ((?:message|recipient|messaging_type|tag|name_placeholder|template|attachment)(?:\[[a-z0-9_]{1,40}\])*)`)

var traceID = regexp.MustCompile(`^[A-Za-z0-9_/+=-]{1,40}$`)

// describe says in words what went wrong, for an operator.
func (e *graphError) describe(r rule) error {
	text := "messenger: send: " + r.meaning
	if found := parameterName.FindStringSubmatch(e.Message); found != nil {
		text += " (parameter " + found[1] + ")"
	}
	if traceID.MatchString(e.Trace) {
		text += " (fbtrace_id " + e.Trace + ")"
	}
	return errors.New(text)
}
