package core

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Download asks for one file of a platform's.
type Download struct {
	URL    string
	Header http.Header // for the first host only: it may hold a token
	// Hosts are where the platform keeps files: names, or suffixes with a dot in
	// front. They are asked by https only.
	Hosts []string
	// API is the platform's own address as it is configured, whose host and scheme
	// count as well; empty: none.
	API      string
	MaxBytes int64
}

// redirects is how often a platform may name another of its hosts.
const redirects = 3

// LedAway is the code of a file whose address leads to another one that is not asked.
const LedAway = "redirect"

// Fetch makes the request. What a customer sends us names an address, so that
// nothing but a host of the list is asked, however often one points elsewhere.
// The client must hand redirects back. Errors are *SendError and hold no address.
func (d Download) Fetch(ctx context.Context, client *http.Client, now time.Time) (File, error) {
	target, header, code := d.URL, d.Header, "host"
	for range redirects + 1 {
		u, err := url.Parse(target)
		if err != nil || !d.allowed(u) {
			return File{}, fileError(Rejected, code, "it is not at a place where the platform keeps files")
		}
		f, next, err := d.get(ctx, client, u, header, now)
		if err != nil || next == "" {
			return f, err
		}
		to, err := u.Parse(next)
		if err != nil {
			break
		}
		target, header, code = to.String(), nil, LedAway
	}
	return File{}, fileError(Rejected, LedAway, "the platform points from one place to the next")
}

func (d Download) allowed(u *url.URL) bool {
	if api, err := url.Parse(d.API); err == nil && d.API != "" && u.Scheme == api.Scheme && u.Host == api.Host && u.User == nil {
		return true
	}
	if u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range d.Hosts {
		if host == h || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h) {
			return true
		}
	}
	return false
}

// get makes one request. next is where it points to instead.
func (d Download) get(ctx context.Context, client *http.Client, u *url.URL, header http.Header, now time.Time) (f File, next string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return f, "", fileError(Rejected, "url", "its address is none")
	}
	maps.Copy(req.Header, header)
	res, err := client.Do(req)
	if err != nil {
		return f, "", fileError(Temporary, "network", "no answer")
	}
	defer func() { _ = res.Body.Close() }()
	switch s := res.StatusCode; {
	case s >= 300 && s < 400 && res.Header.Get("Location") != "":
		return f, res.Header.Get("Location"), nil
	case s == http.StatusTooManyRequests:
		e := fileError(Throttled, "429", "too many requests")
		e.RetryAfter = retryIn(res.Header, now)
		return f, "", e
	case s >= 500 || s == http.StatusRequestTimeout:
		return f, "", fileError(Temporary, strconv.Itoa(s), "not now")
	case s != http.StatusOK:
		return f, "", fileError(Rejected, strconv.Itoa(s), "it is not there, or not for us")
	case res.ContentLength > d.MaxBytes:
		return f, "", fileError(Rejected, "size", "it is larger than the limit")
	}
	f.Type = res.Header.Get("Content-Type")
	if f.Data, err = io.ReadAll(io.LimitReader(res.Body, d.MaxBytes+1)); err != nil {
		return File{}, "", fileError(Temporary, "cut", "it broke off")
	}
	if int64(len(f.Data)) > d.MaxBytes {
		return File{}, "", fileError(Rejected, "size", "it is larger than the limit")
	}
	return f, "", nil
}

func fileError(c Class, code, why string) *SendError {
	return &SendError{Class: c, Code: code, Err: errors.New(why)}
}

func retryIn(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
