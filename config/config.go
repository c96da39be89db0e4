package config

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"tidings/core"
	"tidings/core/route"
)

// Config is a valid configuration with every default filled in. It prints
// without its secrets.
type Config struct {
	Server    Server
	Store     Store
	Commerce  Commerce
	Channels  []Channel
	OptIn     OptIn
	Texts     Texts
	Routes    []route.Rule
	Retention Retention
	Log       Log

	hash string
}

// Hash names the effective configuration in logs and with each decision: equal
// for equal settings, whatever their order, comments or origin. Secrets are
// left out of it.
func (c *Config) Hash() string { return c.hash }

// Same is the value of Server.InternalListen that puts the internal side on
// Server.Listen too.
const Same = "same"

// Server is what the gateway listens on and whom it lets in.
type Server struct {
	Listen         string   `yaml:"listen"`
	InternalListen string   `yaml:"internal_listen"` // an address, or Same
	PublicURL      string   `yaml:"public_url"`      // without a slash at its end
	TrustedProxies []string `yaml:"trusted_proxies"` // addresses and CIDR blocks
	// ClientCertificateHeader is where those proxies name the subject of a client certificate.
	ClientCertificateHeader string   `yaml:"client_certificate_header"`
	CORSOrigins             []string `yaml:"cors_origins"` // of storefronts whose pages may ask for opt-ins
	APIKeys                 []APIKey `yaml:"api_keys"`
}

// APIKey lets a program in.
type APIKey struct {
	Name   string      `yaml:"name"`
	Key    core.Secret `yaml:"key"`
	Scopes []string    `yaml:"scopes"` // empty in the file: all of Scopes
	// Auth are the ways of showing who one is; empty in the file: WithKey, or
	// ClientCertificate where there is a certificate and no key.
	Auth        []string `yaml:"auth"`
	Certificate string   `yaml:"certificate"` // its subject
	Sources     []string `yaml:"sources"`     // of events; a trailing * stands for any rest; empty: all
	Site        string   `yaml:"site"`        // of events that name none
}

// The ways of showing who one is.
const (
	HMAC              = "hmac"
	ClientCertificate = "client_certificate"
)

// WithKey lists the ways that carry a key.
func WithKey() []string { return []string{"bearer", "basic", "oauth"} }

// Scopes lists what an API key can be good for.
func Scopes() []string { return []string{"events", "optins", "messages", "customers", "admin"} }

// Store says where everything is kept.
type Store struct {
	URL  string `yaml:"url"`
	Path string `yaml:"-"` // the SQLite file of URL
}

// The kinds of shop.
const (
	Hybris = "hybris"
	None   = "none"
)

// Commerce is the shop.
type Commerce struct {
	Type         string        `yaml:"type"` // Hybris or None
	BaseURL      string        `yaml:"base_url"`
	TokenURL     string        `yaml:"token_url"`
	Site         string        `yaml:"site"`
	Sites        []Site        `yaml:"sites"`
	ClientID     string        `yaml:"client_id"`
	ClientSecret core.Secret   `yaml:"client_secret"`
	Timeout      time.Duration `yaml:"timeout"`
	Wait         time.Duration `yaml:"wait"`
	Tickets      Tickets       `yaml:"tickets"` // in the file also the name of a desk alone
	Poll         time.Duration `yaml:"poll"`    // 0: pushes only
	ToldByShop   []string      `yaml:"told_by_shop"`
	Consents     []Consent     `yaml:"consents"`
	Objects      []Object      `yaml:"objects"`
	Reconcile    Reconcile     `yaml:"reconcile"`
}

// Reconcile is how the shop is read again, so that a lost push is found.
type Reconcile struct {
	Every      time.Duration `yaml:"every"`       // between readings of a customer with open orders; 0: none
	OrdersFor  time.Duration `yaml:"orders_for"`  // how long an order is looked after; 0 in the file: defaultOrdersFor
	StatusFeed time.Duration `yaml:"status_feed"` // between readings of the shop's feed; 0: none
	PerSecond  float64       `yaml:"per_second"`  // requests; 0 in the file: defaultReconcileRate
}

// Site ties the source of events to a base site of the shop.
type Site struct {
	ID         string   `yaml:"id"`
	Source     string   `yaml:"source"`
	ToldByShop []string `yaml:"told_by_shop"` // nil: as for all sites
}

// Consent says what one of the shop's consent templates is a consent to.
type Consent struct {
	Template string       `yaml:"template"`
	Purpose  core.Purpose `yaml:"purpose"`
}

// Tells reports whether the shop itself tells customers of events of a type.
func (c Commerce) Tells(site string, t core.EventType) bool {
	types := c.ToldByShop
	for _, s := range c.Sites {
		if s.ID == site && s.ToldByShop != nil {
			types = s.ToldByShop
		}
	}
	return slices.ContainsFunc(types, func(glob string) bool { return route.Glob(glob, string(t)) })
}

// Object says what one of the shop's integration objects is.
type Object struct {
	Name string `yaml:"name"`
	Is   string `yaml:"is"`
}

// Channel is one account on one platform: what any channel can have, and the
// adapter's own stanza.
type Channel struct {
	Name      string     `yaml:"name"`
	Type      string     `yaml:"type"`
	Was       string     `yaml:"was"` // former name, whose links it takes over
	Pace      *Pace      `yaml:"pace"`
	Limits    *Limits    `yaml:"limits"`
	Templates []Template `yaml:"templates"`
	// MisconfiguredAfter is how long messages wait for a channel whose account
	// is broken before they go to the next one.
	MisconfiguredAfter time.Duration `yaml:"misconfigured_after"`

	Adapter core.Config `yaml:"-"`
}

// Format prints the channel without its stanza: fmt looks into a nested pointer
// without asking the secrets in it.
func (c Channel) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{%s %s}", c.Name, c.Type)
}

// Pace replaces parts of the adapter's own pace. A rate of 0 keeps the adapter's.
type Pace struct {
	PerSecond    float64 `yaml:"per_second"`
	PerRecipient float64 `yaml:"per_recipient"`
	Off          bool    `yaml:"off"` // as fast as it answers
}

// Limits lowers the adapter's limits. 0 keeps the adapter's.
type Limits struct {
	Text int `yaml:"text"`
}

// Template is a message that the platform has approved for an event.
type Template struct {
	Event     core.EventType `yaml:"event"`
	Name      string         `yaml:"name"`
	Languages []string       `yaml:"languages"`
	Params    []string       `yaml:"params"` // where its values come from, e.g. order.code
}

// OptIn is how order references are sealed. Without a key there are no opt-ins.
type OptIn struct {
	Keys    []core.Secret `yaml:"keys"` // base64 of 32 bytes; the first seals, all open
	Expires time.Duration `yaml:"expires"`
}

// keyBytes is how long a sealing key is.
const keyBytes = 32

// RawKeys returns the keys decoded, in their order.
func (o OptIn) RawKeys() ([][]byte, error) {
	raw := make([][]byte, len(o.Keys))
	for i, k := range o.Keys {
		b, ok := sealingKey(k)
		if !ok {
			return nil, fmt.Errorf("opt_in.keys[%d] is not base64 of %d bytes", i, keyBytes)
		}
		raw[i] = b
	}
	return raw, nil
}

// sealingKey accepts both alphabets of base64, with and without padding.
func sealingKey(k core.Secret) ([]byte, bool) {
	encodings := []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	}
	for _, enc := range encodings {
		if b, err := enc.DecodeString(k.Reveal()); err == nil && len(b) == keyBytes {
			return b, true
		}
	}
	return nil, false
}

// Texts is what is said, and in which language when the customer's is unknown.
type Texts struct {
	Dir           string `yaml:"dir"` // LOCALE/TYPE.tmpl over the built-in ones; empty: none
	DefaultLocale string `yaml:"default_locale"`
}

// Retention is how long things are kept.
type Retention struct {
	Messages time.Duration `yaml:"messages"`
	Updates  time.Duration `yaml:"updates"`
	Dedupe   time.Duration `yaml:"dedupe"`
}

// Log says what the gateway writes about itself.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // json or text
}

// document is the file as it is written. Channels are decoded by hand, because
// their keys depend on their type.
type document struct {
	Server    Server        `yaml:"server"`
	Store     Store         `yaml:"store"`
	Commerce  Commerce      `yaml:"commerce"`
	Channels  *node         `yaml:"channels"`
	OptIn     OptIn         `yaml:"opt_in"`
	Texts     Texts         `yaml:"texts"`
	Routes    []routeStanza `yaml:"routes"`
	Retention Retention     `yaml:"retention"`
	Callbacks later         `yaml:"callbacks"`
	Log       Log           `yaml:"log"`
}

type routeStanza struct {
	Name  string `yaml:"name"`
	Match struct {
		Event    []string `yaml:"event"`
		Customer []string `yaml:"customer"`
		Site     []string `yaml:"site"`
		Locale   []string `yaml:"locale"`
	} `yaml:"match"`
	Channels  []string        `yaml:"channels"`
	Deliver   route.Deliver   `yaml:"deliver"`
	Uncertain route.Uncertain `yaml:"uncertain"`
	Expires   *time.Duration  `yaml:"expires"`
}

// later is a key that is known and does not work in this version: it may be
// there, but must be empty.
type later struct{}

// defaults are the values of the scalar keys that are not in the file. A key
// whose default depends on others is settled in check.go.
func defaults() map[string]string {
	return map[string]string{
		"server.listen":                         ":8080",
		"server.internal_listen":                "127.0.0.1:9090",
		"store.url":                             "sqlite:./tidings.db",
		"commerce.timeout":                      "5s",
		"commerce.wait":                         "60s",
		"commerce.tickets.desk":                 Trusted,
		"commerce.tickets.closed":               Renew,
		"commerce.tickets.attachments.max_size": "10MB",
		"commerce.poll":                         "30s",

		"commerce.reconcile.every":       "15m",
		"commerce.reconcile.status_feed": "0",

		"opt_in.expires":       "24h",
		"texts.default_locale": "en",
		"retention.messages":   "180d",
		"retention.updates":    "30d",
		"retention.dedupe":     "30d",
		"log.level":            "info",
		"log.format":           "json",
	}
}

// The defaults of keys in lists, and of numbers.
const (
	defaultMisconfiguredAfter = 15 * time.Minute
	defaultExpires            = 72 * time.Hour
	defaultReconcileRate      = 4
	defaultOrdersFor          = 30 * 24 * time.Hour // or retention.dedupe, where that is shorter
	defaultDeliver            = route.Fallback
	defaultUncertain          = route.Repeat
)
