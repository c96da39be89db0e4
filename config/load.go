package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"tidings/core"
	"tidings/core/route"
)

// Load reads the configuration. types is the table of adapters: their stanzas
// with the defaults filled in. getenv is os.LookupEnv outside of tests.
//
// The Config is nil when there are faults. The error is for a file that cannot
// be read or that is no YAML.
//
// further looks for the faults that only those can find who use the values. It
// is asked whatever else is wrong, so that all is told at once.
func Load(
	path string,
	types map[string]func() core.Config,
	getenv func(string) (string, bool),
	further ...func(*Config) []core.Fault,
) (*Config, []Fault, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	cfg, faults, err := load(raw, types, getenv, readSecretFile, further...)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return cfg, faults, nil
}

func load(
	raw []byte,
	types map[string]func() core.Config,
	getenv func(string) (string, bool),
	readFile func(string) ([]byte, error),
	further ...func(*Config) []core.Fault,
) (*Config, []Fault, error) {
	b := newBook()
	root, err := parse(raw, b)
	if err != nil {
		return nil, nil, err
	}
	if root.kind == nothing {
		root.kind = table
	}
	if root.kind != table {
		b.addAt("", root.line, "must be a table of keys and values: server, store, commerce, channels, routes and so on")
		return nil, b.sorted(), nil
	}
	layer(root, getenv)

	d := &decoder{book: b, getenv: getenv, readFile: readFile}
	var doc document
	d.table("", root, reflect.ValueOf(&doc).Elem())
	cfg := &Config{
		Server: doc.Server, Store: doc.Store, Commerce: doc.Commerce, OptIn: doc.OptIn,
		Texts: doc.Texts, Retention: doc.Retention, Log: doc.Log,
		Channels: d.channels(doc.Channels, types),
		Routes:   rules(doc.Routes),
	}
	cfg.settle()
	cfg.check(b)
	for _, look := range further {
		b.found(look(cfg))
	}
	if len(b.faults) > 0 {
		return nil, b.sorted(), nil
	}
	cfg.hash = hash(d.effective)
	return cfg, nil, nil
}

// settle fills in the defaults that depend on other keys and brings values to
// one form.
func (c *Config) settle() {
	s := &c.Server
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	if s.PublicURL == "" {
		s.PublicURL = local(s.Listen)
	}
	for i := range s.APIKeys {
		k := &s.APIKeys[i]
		if len(k.Scopes) == 0 {
			k.Scopes = Scopes()
		}
		switch {
		case len(k.Auth) > 0:
		case k.Certificate != "" && k.Key == "":
			k.Auth = []string{ClientCertificate}
		default:
			k.Auth = WithKey()
		}
	}
	c.Store.Path, _ = sqlitePath(c.Store.URL)

	shop := &c.Commerce
	shop.BaseURL = strings.TrimRight(shop.BaseURL, "/")
	if shop.Type == "" {
		shop.Type = None
		if shop.BaseURL != "" {
			shop.Type = Hybris
		}
	}
	if shop.Tickets.Attachments.Types == nil {
		shop.Tickets.Attachments.Types = defaultTypes()
	}
	if shop.TokenURL == "" {
		shop.TokenURL = tokenURL(shop.BaseURL)
	}
	shop.Reconcile.OrdersFor = cmp.Or(shop.Reconcile.OrdersFor, min(defaultOrdersFor, c.Retention.Dedupe))
	shop.Reconcile.PerSecond = cmp.Or(shop.Reconcile.PerSecond, defaultReconcileRate)
	if shop.Site == "" && len(shop.Sites) > 0 {
		shop.Site = shop.Sites[0].ID
	}
}

// local is how this machine reaches a listener.
func local(listen string) string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	return "http://localhost:" + port
}

// tokenURL is where a shop's OCC host gives out tokens.
func tokenURL(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/authorizationserver/oauth/token"
}

// sqlitePath returns the file of a sqlite: URL.
func sqlitePath(storeURL string) (path string, ok bool) {
	path, ok = strings.CutPrefix(storeURL, "sqlite:")
	return strings.TrimPrefix(path, "//"), ok
}

func rules(stanzas []routeStanza) []route.Rule {
	list := make([]route.Rule, len(stanzas))
	for i, s := range stanzas {
		list[i] = route.Rule{
			Name:      s.Name,
			Match:     route.Match(s.Match),
			Channels:  s.Channels,
			Deliver:   cmp.Or(s.Deliver, defaultDeliver),
			Uncertain: cmp.Or(s.Uncertain, defaultUncertain),
			Expires:   defaultExpires,
		}
		if s.Expires != nil {
			list[i].Expires = *s.Expires
		}
	}
	return list
}

func hash(effective []string) string {
	slices.Sort(effective)
	sum := sha256.Sum256([]byte(strings.Join(effective, "\n")))
	return hex.EncodeToString(sum[:8])
}
