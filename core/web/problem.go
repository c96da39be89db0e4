package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/intake"
	"tidings/core/lane"
)

// fault is one thing wrong with a request: in its body, by JSON pointer
// (RFC 6901), or in its query, by parameter. It never holds the value itself.
type fault struct {
	Pointer   *string `json:"pointer,omitempty"`
	Parameter string  `json:"parameter,omitempty"`
	Detail    string  `json:"detail"`
}

func inBody(pointer, detail string) fault { return fault{Pointer: &pointer, Detail: detail} }

func inQuery(parameter, detail string) fault { return fault{Parameter: parameter, Detail: detail} }

// problem is an error as a client sees it (RFC 9457).
type problem struct {
	Status int
	Detail string
	Errors []fault
	// Retry is when to try again; 0: nothing is said of it.
	Retry time.Duration
	// More are members of this kind of problem only.
	More map[string]any
}

// MarshalJSON adds what follows from the status.
func (p problem) MarshalJSON() ([]byte, error) {
	all := map[string]any{"type": "about:blank", "title": http.StatusText(p.Status), "status": p.Status}
	if p.Detail != "" {
		all["detail"] = p.Detail
	}
	if len(p.Errors) > 0 {
		all["errors"] = p.Errors
	}
	maps.Copy(all, p.More)
	return json.Marshal(all)
}

// fail ends a request with a problem.
func fail(c *gin.Context, p problem) {
	drain(c.Request)
	if p.Retry > 0 {
		c.Header("Retry-After", strconv.Itoa(int((p.Retry+time.Second-1)/time.Second)))
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"type":"about:blank","status":500}`)
	}
	c.Data(p.Status, "application/problem+json", body)
	c.Abort()
}

// unprocessable is a request that can be read but is wrong.
func unprocessable(faults []fault) problem {
	detail := "one thing is wrong with the request"
	if len(faults) > 1 {
		detail = fmt.Sprintf("%d things are wrong with the request", len(faults))
	}
	return problem{Status: http.StatusUnprocessableEntity, Detail: detail, Errors: faults}
}

// refusal is an error that already says what to answer.
type refusal struct{ problem }

func (r *refusal) Error() string { return r.Detail }

func refuse(status int, detail string) error {
	return &refusal{problem{Status: status, Detail: detail}}
}

func refuseFaults(faults ...fault) error { return &refusal{unprocessable(faults)} }

// failWith ends a request with the problem an error stands for. retry is when
// to come back where the database is away.
func (s *Server) failWith(c *gin.Context, err error, retry time.Duration) {
	var known *refusal
	var bad *intake.BadRequestError
	switch {
	case errors.As(err, &known):
		fail(c, known.problem)
	case errors.As(err, &bad):
		fail(c, problem{Status: bad.Status, Detail: bad.Detail})
	case errors.Is(err, core.ErrNotFound):
		fail(c, problem{Status: http.StatusNotFound})
	case lane.IsUnavailable(err), errors.Is(err, context.DeadlineExceeded):
		s.Log.Error("nothing could be made durable; the caller is asked to come back", "route", c.FullPath(), "err", err)
		fail(c, problem{Status: http.StatusServiceUnavailable, Detail: "nothing has been taken; try again", Retry: retry})
	default:
		s.Log.Error("a request failed", "route", c.FullPath(), "err", err)
		fail(c, problem{Status: http.StatusInternalServerError})
	}
}

// failRead is failWith for the errors of view: what cannot be read is away.
func (s *Server) failRead(c *gin.Context, err error) {
	if !errors.Is(err, core.ErrNotFound) {
		err = fmt.Errorf("%w: %w", lane.ErrUnavailable, err)
	}
	s.failWith(c, err, acceptTimeout)
}

// recover answers for a handler that panicked.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if r == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			panic(r)
		}
		// What is no runtime error may hold what somebody sent.
		what := fmt.Sprintf("%T", r)
		if err, ok := r.(runtime.Error); ok {
			what = err.Error()
		}
		s.Log.Error("a handler panicked", "route", c.FullPath(), "panic", what, "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			fail(c, problem{Status: http.StatusInternalServerError})
		}
		c.Abort()
	}()
	c.Next()
}

// observe counts requests by route, never by path: that names customers.
func (s *Server) observe(c *gin.Context) {
	c.Next()
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	s.Metrics.Count("http_requests", 1, "route", route, "method", methodLabel(c.Request.Method), "status", strconv.Itoa(c.Writer.Status()))
}

// methodLabel keeps strangers' words out of the figures.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return method
	}
	return "other"
}

// harden sets what every answer needs. Pages set more.
func harden(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	c.Next()
}

func notInThisVersion(c *gin.Context) {
	fail(c, problem{Status: http.StatusNotImplemented, Detail: "not in this version"})
}
