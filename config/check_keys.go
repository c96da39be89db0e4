package config

import (
	"slices"
	"strings"
	"unicode"
)

func (c checker) apiKeys(s Server) {
	for i, k := range s.APIKeys {
		at := index("server.api_keys", i)
		c.apiKey(at, k)
		c.auth(at, k, s)
		for _, before := range s.APIKeys[:i] {
			if k.Name == before.Name && k.Name != "" {
				c.check(at+".name", "is the name of another key already")
			}
			if k.Key == before.Key && k.Key != "" {
				c.check(at+".key", "is the key of another name already; each needs its own")
			}
			if k.Certificate == before.Certificate && k.Certificate != "" {
				c.check(at+".certificate", "is the certificate of another name already; each needs its own")
			}
		}
	}
}

// apiKey checks what has to go through an Authorization header.
func (c checker) apiKey(at string, k APIKey) {
	c.check(at+".name", required(k.Name, "a name for whoever holds the key"))
	if strings.Contains(k.Name, ":") || strings.ContainsFunc(k.Name, unicode.IsControl) {
		c.check(at+".name", "has a colon or a control character, which Basic authentication cannot carry")
	}
	if slices.ContainsFunc(k.Auth, func(way string) bool { return way != ClientCertificate }) {
		c.check(at+".key", required(k.Key.Reveal(), "the key itself, a long random text"))
	}
	if strings.ContainsFunc(k.Key.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		c.check(at+".key", "has other characters than visible ASCII, which a header cannot carry")
	}
	for i, scope := range k.Scopes {
		if !slices.Contains(Scopes(), scope) {
			c.check(index(at+".scopes", i), unknown("scope", scope, Scopes()))
		}
	}
	for i, source := range k.Sources {
		if star := strings.IndexByte(source, '*'); source == "" || star >= 0 && star < len(source)-1 {
			c.check(index(at+".sources", i), "must be a source of events, or the beginning of some and a *, such as /emea/sap.cx.commerce/*")
		}
	}
}

// auth checks that each way has what it needs, and that none weakens another.
func (c checker) auth(at string, k APIKey, s Server) {
	ways := append(WithKey(), HMAC, ClientCertificate)
	for i, way := range k.Auth {
		if !slices.Contains(ways, way) {
			c.check(index(at+".auth", i), unknown("way", way, ways))
		}
	}
	byCertificate := slices.Contains(k.Auth, ClientCertificate)
	switch {
	case byCertificate && k.Certificate == "":
		c.check(at+".certificate", "is missing: the subject of the client certificate, as the proxy writes it")
	case !byCertificate && k.Certificate != "":
		c.check(at+".certificate", "is of no use without client_certificate in auth")
	case byCertificate && s.ClientCertificateHeader == "":
		c.check("server.client_certificate_header", "is missing: the header in which the proxy names the subject of a client certificate, for "+at)
	case byCertificate && len(s.TrustedProxies) == 0:
		c.check("server.trusted_proxies", "is missing: only a proxy that is listed here is believed about client certificates, for "+at)
	}
	if !slices.Contains(k.Auth, HMAC) {
		return
	}
	if slices.ContainsFunc(k.Auth, func(way string) bool { return slices.Contains(WithKey(), way) }) {
		c.check(at+".auth", "has hmac beside a way that sends the key: whoever sees one request could sign others; make two entries")
	}
	if len(k.Scopes) != 1 || k.Scopes[0] != "events" {
		c.check(at+".scopes", "must be [events] with hmac: a signature is over the body, not over what is asked for")
	}
}
