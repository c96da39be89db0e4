package main_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// authority signs client certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate of somebody.
func (a authority) sign(t *testing.T, who pkix.Name) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: who, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// proxyAddress is whence the proxy of the tests calls, so that the gateway can tell
// it from everybody else on this machine.
const proxyAddress = "127.0.0.2"

// tlsProxy stands in front of the internal side as docs/hybris/events-in/README.md
// has it: it insists on a certificate of the authority and names its subject.
func (w *world) tlsProxy(a authority) *httptest.Server {
	w.Helper()
	to := &url.URL{Scheme: "http", Host: w.conf.Internal}
	dial := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(proxyAddress)}}
	s := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Transport: &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("X-Client-Subject", r.In.TLS.PeerCertificates[0].Subject.String())
		},
	})
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	s.TLS.ClientCAs.AddCert(a.cert)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // who is refused is what the tests look at
	s.StartTLS()
	w.Cleanup(s.Close)
	return s
}

// TestClientCertificate: over TLS, a proxy that has verified the certificate lets its
// subject in, and nobody else: no other subject, no other authority, and not the
// header alone.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed, func(c *conf) {
		c.Server = "trusted_proxies: [" + proxyAddress + "]\n  client_certificate_header: X-Client-Subject"
		c.Keys = `- {name: integration, scopes: [events], certificate: "CN=commerce,O=Example Shop,C=DE"}`
		c.Objects = "objects: [{name: OutboundConsignment, is: consignment}]"
	})
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.shipUnheard(p)
	known := newAuthority(t)
	proxy := w.tlsProxy(known)
	shop := pkix.Name{CommonName: "commerce", Organization: []string{"Example Shop"}, Country: []string{"DE"}}
	body := fmt.Sprintf(`{"code":"cons%s_0","status":{"code":"SHIPPED"},"order":{"code":"%s","user":{"uid":"%s"}}}`, p.order, p.order, p.uid)
	send := func(to string, cert *tls.Certificate, more ...header) (int, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
		transport.TLSClientConfig.RootCAs.AddCert(proxy.Certificate())
		if cert != nil {
			transport.TLSClientConfig.Certificates = []tls.Certificate{*cert}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to+"/v1/events", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range append(webhookHeaders("OutboundConsignment.Updated", "c-1"), more...) {
			req.Header.Set(h.name, h.value)
		}
		res, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			return 0, err
		}
		defer func() { _ = res.Body.Close() }()
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	good, other := known.sign(t, shop), known.sign(t, pkix.Name{CommonName: "somebody"})
	forged := newAuthority(t).sign(t, shop)
	claim := header{"X-Client-Subject", "CN=commerce,O=Example Shop,C=DE"}
	for _, x := range []struct {
		name string
		to   string
		cert *tls.Certificate
		more []header
		want int // 0: no connection
	}{
		{"no certificate", proxy.URL, nil, nil, 0},
		{"another authority's", proxy.URL, &forged, nil, 0},
		{"another subject", proxy.URL, &other, nil, http.StatusUnauthorized},
		{"another subject that claims to be the shop", proxy.URL, &other, []header{claim}, http.StatusUnauthorized},
		{"the header past the proxy", "http://" + w.conf.Internal, nil, []header{claim}, http.StatusUnauthorized},
		{"the shop", proxy.URL, &good, nil, http.StatusAccepted},
	} {
		got, err := send(x.to, x.cert, x.more...)
		if got != x.want || (err != nil) != (x.want == 0) {
			t.Errorf("%s: got status %d, error %v; want %d", x.name, got, err, x.want)
		}
	}
	w.awaitText(telegramName, p, "JD0146")
}

// webhookHeaders are those of webhookservices.
func webhookHeaders(object, id string) []header {
	return []header{
		{"Content-Type", "application/json"},
		{"ce-specversion", "1.0"},
		{"ce-id", id},
		{"ce-source", "/emea/sap.cx.commerce/lampshop-p1"},
		{"ce-type", "sap.cx.commerce." + object + ".v1"},
		{"ce-time", time.Now().UTC().Format(time.RFC3339)},
		{"ce-subject", "key"},
	}
}

// TestSenders: each way of showing who one is opens the door for whoever is
// configured with it, for their own sources, and for nobody else; what came in by it
// arrives in the chat.
func TestSenders(t *testing.T) {
	t.Parallel()
	const basicKey, oauthKey, signKey = hush + "webhooks-key", hush + "token-key", hush + "process-key"
	w := start(t, atFullSpeed, func(c *conf) {
		c.Objects = "objects: [{name: OutboundOrder, is: order}]"
		c.Keys = `- {name: webhooks, key: "` + basicKey + `", scopes: [events], auth: [basic], sources: ["/emea/sap.cx.commerce/*"]}
    - {name: tokens, key: "` + oauthKey + `", scopes: [events], auth: [oauth], sources: ["/emea/sap.cx.commerce/*"]}
    - {name: process, key: "` + signKey + `", scopes: [events], auth: [hmac], sources: ["process-action*"]}`
	})
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.shop.HoldPushes() // the test itself is the sender
	if err := w.shop.SetStatus(t.Context(), p.order, "COMPLETED"); err != nil {
		t.Fatal(err)
	}
	basic := func(name, key string) []header {
		return []header{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+key))}}
	}
	token := func(name, key string) []header {
		var got struct {
			AccessToken string `json:"access_token"`
		}
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {name}, "client_secret": {key}}.Encode()
		_, _, raw := w.ask(http.MethodPost, w.api("/oauth/token"), form, header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Authorization", ""})
		decode(t, raw, &got)
		return []header{bearer(got.AccessToken)}
	}
	order := func(status string) string {
		return fmt.Sprintf(`{"code":"%s","status":{"code":"%s"},"user":{"uid":"%s"}}`, p.order, status, p.uid)
	}
	action := fmt.Sprintf(`{"id":"a-1","type":"order.status","orderCode":"%s","status":"COMPLETED"}`, p.order)
	signature := func(key string) []header {
		at := fmt.Sprint(time.Now().Unix())
		h := hmac.New(sha256.New, []byte(key))
		_, _ = io.WriteString(h, "m-1."+at+"."+action)
		return []header{
			{"Authorization", ""},
			{"Webhook-Id", "m-1"},
			{"Webhook-Timestamp", at},
			{"Webhook-Signature", "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))},
		}
	}
	for _, x := range []struct {
		name, body string
		headers    [][]header
		want       int
		says       string
	}{
		{"Basic, a wrong key", order("ON_HOLD"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-1"), basic("webhooks", oauthKey)}, 401, ""},
		{"Basic, another name", order("ON_HOLD"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-1"), basic("tokens", basicKey)}, 401, ""},
		{"Basic", order("ON_HOLD"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-1"), basic("webhooks", basicKey)}, 202, "taking a little longer"},
		{"its key as bearer", order("APPROVED"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-2"), {bearer(oauthKey)}}, 401, ""},
		{"a token for a wrong key", order("APPROVED"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-2"), token("tokens", basicKey)}, 401, ""},
		{"a token", order("APPROVED"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-2"), token("tokens", oauthKey)}, 202, "has been approved"},
		{"a token, another source", order("CANCELLED"), [][]header{webhookHeaders("OutboundOrder.Updated", "w-3"), token("tokens", oauthKey), {{"ce-source", "/shop"}}}, 403, ""},
		{"a signature of another key", action, [][]header{signature(basicKey)}, 401, ""},
		{"a signature, ce-* headers", action, [][]header{webhookHeaders("OutboundOrder.Updated", "w-4"), signature(signKey)}, 400, ""},
		{"a signature", action, [][]header{signature(signKey)}, 202, "complete"},
	} {
		var all []header
		for _, h := range x.headers {
			all = append(all, h...)
		}
		if got, _, raw := w.ask(http.MethodPost, w.api("/v1/events"), x.body, all...); got != x.want {
			t.Errorf("%s: got status %d: %s, want %d", x.name, got, raw, x.want)
		}
		if x.says != "" {
			w.awaitText(telegramName, p, x.says)
		}
	}
	w.quiet()
	if got := w.texts(telegramName, p); len(got) != 3 || strings.Contains(strings.Join(got, ""), "cancelled") {
		t.Errorf("got %q, want three messages", got)
	}
}
