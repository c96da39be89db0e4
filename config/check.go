package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// checker adds the faults of a configuration that could be read.
type checker struct{ *book }

// check adds every fault there is. It looks at nothing outside the Config.
func (c *Config) check(b *book) {
	to := checker{b}
	to.server(c.Server)
	to.store(c.Store)
	to.commerce(c.Commerce)
	if len(c.Server.CORSOrigins) > 0 && c.Commerce.Type == None {
		to.check("server.cors_origins", "needs a shop that can be asked whose an order is; name it under commerce")
	}
	to.channels(c.Channels)
	to.optIn(c.OptIn)
	to.routes(c.Routes, c.Channels)
	to.check("texts.default_locale", locale(c.Texts.DefaultLocale))
	to.positive("retention.messages", c.Retention.Messages)
	to.positive("retention.updates", c.Retention.Updates)
	to.positive("retention.dedupe", c.Retention.Dedupe)
	if c.Commerce.Reconcile.OrdersFor > c.Retention.Dedupe {
		to.check("commerce.reconcile.orders_for", "is longer than retention.dedupe: what has been forgotten would be told again")
	}
	to.check("log.level", oneOf(c.Log.Level, "debug", "info", "warn", "error"))
	to.check("log.format", oneOf(c.Log.Format, "json", "text"))
}

func (c checker) server(s Server) {
	c.check("server.listen", address(s.Listen))
	switch {
	case s.InternalListen == Same:
	case s.InternalListen == s.Listen && !strings.HasSuffix(s.Listen, ":0"):
		c.check("server.internal_listen", "is server.listen again; write same to have both sides there")
	default:
		c.check("server.internal_listen", address(s.InternalListen))
	}
	if s.PublicURL != "" { // else server.listen is wrong, of which it is made
		c.check("server.public_url", httpURL(s.PublicURL, "https://notify.example.com"))
	}
	for i, p := range s.TrustedProxies {
		c.check(index("server.trusted_proxies", i), proxy(p))
	}
	for i, o := range s.CORSOrigins {
		c.check(index("server.cors_origins", i), origin(o))
	}
	c.apiKeys(s)
}

func (c checker) store(s Store) {
	const key = "store.url"
	if strings.HasPrefix(s.URL, "postgres://") || strings.HasPrefix(s.URL, "postgresql://") {
		c.postgres(key, s.URL)
		return
	}
	path, ok := sqlitePath(s.URL)
	switch {
	case !ok || path == "" || strings.HasSuffix(path, "/"):
		c.check(key, "must be sqlite: and the path of a file, such as sqlite:./tidings.db, or postgres://USER@HOST/DATABASE")
	case strings.HasPrefix(path, ":memory:"):
		c.check(key, "keeps everything in memory only, where a restart loses it; name a file")
	case strings.ContainsAny(path, "?#"):
		c.check(key, "has a ? or #: options cannot be given here, only the path of a file")
	}
}

// postgres checks the little that can be without the server: the rest is for
// the driver, which knows more forms than a URL has (several hosts, options).
func (c checker) postgres(key, url string) {
	_, rest, _ := strings.Cut(url, "://")
	authority, name, _ := strings.Cut(rest, "/")
	name, _, _ = strings.Cut(name, "?")
	switch {
	case authority == "" && !strings.Contains(rest, "host="):
		c.check(key, "names no host; write postgres://USER@HOST/DATABASE")
	case name == "":
		c.check(key, "names no database; write postgres://USER@HOST/DATABASE")
	}
}

func (c checker) commerce(s Commerce) {
	const at = "commerce"
	c.check(at+".type", oneOf(s.Type, Hybris, None))
	if s.Type == Hybris {
		c.check(at+".base_url", required(s.BaseURL, "where the shop's OCC API is, such as https://api.shop.example.com/occ/v2"))
		c.check(at+".site", required(s.Site, "the base site of the shop"))
		c.check(at+".client_id", required(s.ClientID, "the OAuth client made for this gateway"))
		c.check(at+".client_secret", required(s.ClientSecret.Reveal(), "the secret of the OAuth client"))
		if s.BaseURL != "" {
			c.check(at+".base_url", httpURL(s.BaseURL, "https://api.shop.example.com/occ/v2"))
		}
		if s.TokenURL != "" {
			c.check(at+".token_url", httpURL(s.TokenURL, "https://api.shop.example.com/authorizationserver/oauth/token"))
		}
	}
	c.positive(at+".timeout", s.Timeout)
	if s.Reconcile.PerSecond < 0 {
		c.check(at+".reconcile.per_second", "must be more than 0; every: 0 reads nothing")
	}
	c.tickets(at+".tickets", s)
	for i, site := range s.Sites {
		in := index(at+".sites", i)
		c.check(in+".id", required(site.ID, "the base site"))
		c.check(in+".source", required(site.Source, "the source of the events that come from the site"))
		c.told(in+".told_by_shop", site.ToldByShop)
		if slices.ContainsFunc(s.Sites[:i], func(b Site) bool { return b.Source == site.Source && site.Source != "" }) {
			c.check(in+".source", "belongs to another site already")
		}
	}
	c.told(at+".told_by_shop", s.ToldByShop)
	c.consents(at+".consents", s.Consents)
	for i, o := range s.Objects {
		in := index(at+".objects", i)
		c.check(in+".name", required(o.Name, "the name of the integration object"))
		c.check(in+".is", oneOf(o.Is, "order", "consignment", "return", "ticket", "ticket_message", "consent"))
		if slices.ContainsFunc(s.Objects[:i], func(b Object) bool { return b.Name == o.Name && o.Name != "" }) {
			c.check(in+".name", "is in the list already")
		}
	}
}

func (c checker) optIn(o OptIn) {
	c.positive("opt_in.expires", o.Expires)
	for i, k := range o.Keys {
		key := index("opt_in.keys", i)
		if _, ok := sealingKey(k); !ok {
			c.check(key, fmt.Sprintf("is not base64 of %d bytes; make one with: openssl rand -base64 %d", keyBytes, keyBytes))
		}
		if slices.Contains(o.Keys[:i], k) {
			c.check(key, "is in the list already")
		}
	}
}

func (c checker) positive(key string, d time.Duration) {
	if d <= 0 {
		c.check(key, "must be more than 0")
	}
}

func required(s, what string) string {
	if s == "" {
		return "is missing: " + what
	}
	return ""
}

func address(s string) string {
	const want = "must be an address to listen on, such as :8080 or 127.0.0.1:9090"
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsFunc(host, unicode.IsSpace) {
		return want
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || port != strconv.FormatUint(n, 10) {
		return want + "; the port is a number from 0 to 65535"
	}
	return ""
}

func httpURL(s, example string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "must be an absolute http(s) URL, such as " + example
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "must be a plain URL without user, query or fragment, such as " + example
	}
	return ""
}

// origin checks that a text is just what a browser sends of a page: scheme, host
// and, where it is not the scheme's own, port.
func origin(s string) string {
	const want = "must be an origin as browsers write it, such as https://shop.example.com, without a path or a slash at its end"
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(s, "*") {
		return want
	}
	own := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	if s != u.Scheme+"://"+u.Host || s != strings.ToLower(s) || strings.HasSuffix(u.Host, own) {
		return want
	}
	return ""
}

func proxy(s string) string {
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return ""
	}
	return "must be an IP address or a block of them, such as 10.0.0.0/8"
}

var localePattern = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$`)

func locale(s string) string {
	if !localePattern.MatchString(s) {
		return "must be a language such as en, de or pt-BR"
	}
	return ""
}
