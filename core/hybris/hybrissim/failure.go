package hybrissim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// occError is one entry of the errors of an OCC answer.
type occError struct {
	Type        string `json:"type"`
	Reason      string `json:"reason,omitempty"`
	Message     string `json:"message"`
	Subject     string `json:"subject,omitempty"`
	SubjectType string `json:"subjectType,omitempty"`
}

// failure is an answer that says no: OCC errors, a body of another shape, or
// a proxy's page.
type failure struct {
	status     int
	errors     []occError
	body       any
	page       string
	challenge  string // WWW-Authenticate
	retryAfter time.Duration
}

func fail(status int, errorType, message string) *failure {
	return &failure{status: status, errors: []occError{{Type: errorType, Message: message}}}
}

func proxyPage(status int, retryAfter time.Duration) *failure {
	text := http.StatusText(status)
	return &failure{
		status: status, retryAfter: retryAfter,
		page: fmt.Sprintf("<html><head><title>%d %s</title></head><body><h1>%s</h1></body></html>\n", status, text, text),
	}
}

// The refusals of a resource before its handler is asked.
func unauthorized() *failure {
	const words = "Full authentication is required to access this resource"
	f := fail(http.StatusUnauthorized, "UnauthorizedError", words)
	f.challenge = fmt.Sprintf("Bearer realm=%q, error=%q, error_description=%q", "hybris", "unauthorized", words)
	return f
}

func (s *Sim) invalidToken(token string) *failure {
	words := "Invalid access token: " + token
	if s.answer("invalid-token-words") == "jwt" {
		words = "An error occurred while attempting to decode the Jwt: Jwt expired"
	}
	f := fail(http.StatusUnauthorized, "InvalidTokenError", words)
	f.challenge = fmt.Sprintf("Bearer realm=%q, error=%q, error_description=%q", "hybris", "invalid_token", words)
	return f
}

// accessDenied is the refusal of a role; that it is a 401 is the platform's choice.
func accessDenied() *failure {
	return fail(http.StatusUnauthorized, "AccessDeniedError", "Access is denied")
}

func forbidden() *failure { return fail(http.StatusForbidden, "ForbiddenError", "Access is denied") }

func unknownOrder(code string) *failure {
	return fail(http.StatusBadRequest, "UnknownIdentifierError", orderNotFound(code))
}

// orderNotFound says "guid" even when a code was given, as the platform does.
func orderNotFound(code string) string {
	return "Order with guid " + code + " not found for current user in current BaseStore"
}

// invalidField is an entry of a ValidationError; reason is "missing" or "invalid".
func invalidField(subject, reason string) occError {
	return occError{
		Type: "ValidationError", Reason: reason, Subject: subject, SubjectType: "parameter",
		Message: "This field is required.",
	}
}

func invalidFields(entries ...occError) *failure {
	return &failure{status: http.StatusBadRequest, errors: entries}
}

func (f *failure) write(w http.ResponseWriter) {
	h := w.Header()
	if f.challenge != "" {
		h.Set("WWW-Authenticate", f.challenge)
	}
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.retryAfter+time.Second-1)/time.Second)))
	}
	switch {
	case f.page != "":
		h.Set("Content-Type", "text/html")
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(f.page))
	case f.body != nil:
		writeJSON(w, f.status, f.body)
	default:
		writeJSON(w, f.status, map[string]any{"errors": f.errors})
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("hybrissim: an answer that is no JSON: %w", err))
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
