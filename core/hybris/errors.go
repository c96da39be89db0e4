package hybris

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

// ruling is what an error type of the shop means.
type ruling struct {
	class    core.Class
	notFound bool
}

// rulings are the error types with a meaning of their own, whatever the status
// says. A type that is not in here is judged by the kind of its status.
var rulings = map[string]ruling{
	typeUnknown:     {core.Rejected, true},
	"NotFoundError": {core.Rejected, true},
	// A customer's thing asked for in another customer's name.
	"ForbiddenError": {core.Rejected, true},

	"AccessDeniedError": {core.Misconfigured, false},
	"UnauthorizedError": {core.Misconfigured, false},
	"invalid_client":    {core.Misconfigured, false},

	"InvalidResourceError":   {core.Rejected, false}, // the site
	"ValidationError":        {core.Rejected, false},
	"TicketCreateError":      {core.Rejected, false},
	"TicketEventCreateError": {core.Rejected, false},
	"CartError":              {core.Rejected, false},
}

// The error types the code itself acts on.
const (
	typeTokenInvalid = "InvalidTokenError"
	typeUnknown      = "UnknownIdentifierError"
	typeTicket       = "TicketCreateError"
	typeTicketEvent  = "TicketEventCreateError"
	typeValidation   = "ValidationError"
	typeLanguage     = "UnsupportedLanguageError"
)

// refusal classifies an answer that is not a success.
func refusal(q call, a answer, now time.Time) *core.ShopError {
	e := &core.ShopError{
		Type:       errorType(a),
		Status:     a.status,
		RetryAfter: retryAfter(a.header, now),
		Err:        errors.New(q.op),
	}
	r, known := rulings[e.Type]
	if !known {
		r.class = byStatus(a.status, q.writes())
	}
	e.Class, e.NotFound = r.class, r.notFound
	if e.Type == typeUnknown && q.ofTickets() {
		// Their other unknown things have types of their own: it is the user.
		e.NoCustomer, e.Personal = true, true
	}
	if e.Type == typeTicket || e.Type == typeTicketEvent {
		e.NotFound = strings.Contains(strings.ToLower(firstError(a).get("message").text()), "not found")
	}
	return e
}

// byStatus decides about an answer without a type we know.
func byStatus(status int, writes bool) core.Class {
	switch {
	case status == http.StatusTooManyRequests:
		return core.Throttled
	case status >= 500 || status == http.StatusRequestTimeout:
		if writes {
			return core.Uncertain
		}
		return core.Temporary
	case status == http.StatusUnauthorized, status < 400:
		return core.Misconfigured // no proof of ours is taken, or not the shop's address
	}
	return core.Rejected
}

// tokenInvalid reports whether the shop refused the access token itself. The
// legacy server says so in the body, a JWT resource server may say so in
// WWW-Authenticate only (RFC 6750, section 3.1).
func tokenInvalid(a answer) bool {
	return !a.ok() && errorType(a) == typeTokenInvalid
}

// firstError is errors[0] of an OCC answer.
func firstError(a answer) node {
	n, _ := parse(a.body)
	for _, e := range n.get("errors").list() {
		return e
	}
	return node{}
}

// errorType returns errors[0].type, OAuth's error where the answer has that
// shape, or "". Whatever does not look like a name is left out: it could quote
// somebody.
func errorType(a answer) string {
	t := firstError(a).get("type").text()
	if t == "" {
		n, _ := parse(a.body)
		t = n.get("error").text()
	}
	if t == "invalid_token" || t == "" && strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
		return typeTokenInvalid
	}
	if !isName(t) {
		return ""
	}
	return t
}

func isName(s string) bool {
	if len(s) > 80 {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_') {
			return false
		}
	}
	return true
}

// retryAfter reads the header in both its forms; 0 where there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
