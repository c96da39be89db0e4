//go:build faultpoints

package main

import (
	"net/http"
	"path"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/faultpoint"
)

// A program that is to die in all its places has no minute to keep house, and
// no time to wait for what has not left.
const (
	housekeep = 100 * time.Millisecond
	echoes    = 300 * time.Millisecond
)

func hasten(l core.Limits) core.Limits {
	l.Echo = min(l.Echo, echoes)
	return l
}

// watched tells of the requests that leave, and of their answers.
func watched(next http.RoundTripper) http.RoundTripper { return watchedRequests{next} }

type watchedRequests struct{ next http.RoundTripper }

func (w watchedRequests) RoundTrip(req *http.Request) (*http.Response, error) {
	what := nameOf(req)
	faultpoint.Reach(faultpoint.Request, what)
	res, err := w.next.RoundTrip(req)
	faultpoint.Reach(faultpoint.Answered, what)
	return res, err
}

// nameOf is a request without what differs from one to the next: who and which.
func nameOf(req *http.Request) string {
	all := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	for i, part := range all {
		if strings.ContainsAny(part, "0123456789@") || len(part) > 24 {
			all[i] = "*"
		}
	}
	return req.Method + " " + path.Join(all...)
}

func (w watchedRequests) CloseIdleConnections() {
	if c, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
