package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Two ways of showing who one is without sending a key: a signature over the
// request, and a client certificate that a proxy has verified.

// The headers of a signed request, as Standard Webhooks has them
// (https://github.com/standard-webhooks/standard-webhooks, spec, read 2026-11-25).
const (
	idHeader        = "Webhook-Id"
	timeHeader      = "Webhook-Timestamp"
	signatureHeader = "Webhook-Signature"
)

// signatureAge is how far the clock of a signature may be from ours, and so for
// how long a request can be repeated by somebody who has seen it. A repeated event
// is a duplicate.
const signatureAge = 5 * time.Minute

// signer returns the key that has signed a request: "v1," and base64 of the
// HMAC-SHA256 of id, time and body, joined by dots. A header may hold several
// signatures, so that a key can be changed without a gap.
func (ring keyring) signer(r *http.Request, now time.Time) (ringKey, bool, error) {
	id, when, given := r.Header.Get(idHeader), r.Header.Get(timeHeader), r.Header.Get(signatureHeader)
	seconds, err := strconv.ParseInt(when, 10, 64)
	age := now.Sub(time.Unix(seconds, 0))
	if err != nil || id == "" || age > signatureAge || age < -signatureAge || !ring.signs() {
		return ringKey{}, false, nil //nolint:nilerr // a time that cannot be read is no error of the request's, but no proof either
	}
	body, err := readBody(r, limitOf(r))
	if err != nil {
		return ringKey{}, false, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var found ringKey
	ok := false
	for _, k := range ring {
		if k.secret != nil && signed(k.secret, id+"."+when+".", body, given) {
			found, ok = k, true
		}
	}
	return found, ok, nil
}

// signs reports whether any key signs, so that a body is worth reading.
func (ring keyring) signs() bool {
	for _, k := range ring {
		if k.secret != nil {
			return true
		}
	}
	return false
}

// beyondSignature refuses what a signature does not cover: it is over the body, so
// that neither what is asked for nor what stands in headers is the signer's word.
func beyondSignature(r *http.Request) error {
	if r.URL.Path != eventsPath {
		return refuse(http.StatusForbidden, "a signature is good for "+eventsPath+" only, because it is over the body and not over what is asked for")
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Ce-") {
			return refuse(http.StatusBadRequest, "a signature is over the body: send the event as a whole in it (application/cloudevents+json), without ce-* headers")
		}
	}
	return nil
}

func signed(secret []byte, head string, body []byte, given string) bool {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(head))
	h.Write(body)
	want := h.Sum(nil)
	ok := false
	for one := range strings.FieldsSeq(given) {
		version, text, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if err == nil && version == "v1" && hmac.Equal(got, want) {
			ok = true
		}
	}
	return ok
}

// subjectOf is the subject of the client certificate that a trusted proxy names
// in a header; "" where there is none. The header of anybody else says nothing.
func (s *Server) subjectOf(r *http.Request, header string) string {
	if header == "" || !s.fromProxy(r.RemoteAddr) {
		return ""
	}
	named := r.Header.Values(header)
	if len(named) != 1 {
		return "" // a proxy that adds its own to what a client sent proves nothing
	}
	return strings.TrimSpace(named[0])
}

// fromProxy reports whether a connection comes from one of the trusted proxies.
func (s *Server) fromProxy(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	ip := at.Addr().Unmap()
	for _, p := range s.TrustedProxies {
		if block, err := netip.ParsePrefix(p); err == nil && block.Contains(ip) {
			return true
		}
		if one, err := netip.ParseAddr(p); err == nil && one.Unmap() == ip {
			return true
		}
	}
	return false
}

// bySubject returns the key of a certificate's subject.
func (ring keyring) bySubject(subject string) (ringKey, bool) {
	digest := sha256.Sum256([]byte(subject))
	var found ringKey
	ok := false
	for _, k := range ring {
		if subtle.ConstantTimeCompare(k.subject[:], digest[:]) == 1 && k.may(byCertificate) && subject != "" {
			found, ok = k, true
		}
	}
	return found, ok
}
