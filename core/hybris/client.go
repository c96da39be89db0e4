package hybris

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"tidings/core"
)

// The ways of writing tickets.
const (
	// TicketsTrusted writes tickets by OCC with the gateway's own client, which
	// a shop has to allow: a stock one keeps these calls for customers.
	TicketsTrusted = "trusted"
	// TicketsCustomer does so with the token of the customer whom it is about.
	TicketsCustomer = "customer"
	// TicketsOff writes and reads none.
	TicketsOff = "off"
)

// Site is a base site of the shop.
type Site struct {
	ID string
	// Source is the CloudEvents source of this site's events. Empty: a source
	// whose last path segment is ID.
	Source string
}

// Options configure a Client. The configuration has validated them.
type Options struct {
	BaseURL      string // https://host/occ/v2; requests go to {BaseURL}/{site}/…
	TokenURL     string
	ClientID     string
	ClientSecret core.Secret
	Sites        []Site
	DefaultSite  string        // empty: the first of Sites
	Timeout      time.Duration // of one request; 0: 5 s
	Tickets      string        // TicketsTrusted (default), TicketsCustomer or TicketsOff
	// Customers keeps the tokens of customers, for TicketsCustomer, and Storefront
	// is the OAuth client that they were given to; they are renewed in its name.
	Customers  core.CustomerTokens
	Storefront Storefront
	Objects    []Object
	Consents   []Consent
	HTTP       *http.Client // nil: one of its own
	Log        *slog.Logger // nil: no log
	Now        func() time.Time
}

// Storefront is the shop's OAuth client for its customers. Secret is empty for a
// public one, such as a browser's.
type Storefront struct {
	ID     string
	Secret core.Secret
}

// Client talks to one SAP Commerce installation. It is safe for concurrent use.
type Client struct {
	base    string
	sites   []Site
	site    string
	timeout time.Duration
	tickets string
	dialect *Dialect
	http    *http.Client
	tokens  *tokens
	lent    *lent // tokens of customers; nil: there are none
	log     *slog.Logger
	now     func() time.Time
}

var (
	_ core.Shop         = (*Client)(nil)
	_ core.Desk         = (*Client)(nil)
	_ core.TicketFinder = (*Client)(nil)
	_ core.Attacher     = (*Client)(nil)
	_ core.Prover       = (*Client)(nil)
)

// New returns a client. It makes no request.
func New(o Options) *Client {
	o = withDefaults(o)
	c := &Client{
		base:    strings.TrimRight(o.BaseURL, "/"),
		sites:   o.Sites,
		site:    o.DefaultSite,
		timeout: o.Timeout,
		tickets: o.Tickets,
		dialect: NewDialect(o.Objects, o.Consents...),
		http:    withoutRedirects(o.HTTP),
		log:     o.Log,
		now:     o.Now,
	}
	c.tokens = newTokens(o, c.http)
	if o.Tickets == TicketsCustomer {
		c.lent = newLent(o, c.http)
	}
	return c
}

func withDefaults(o Options) Options {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Tickets == "" {
		o.Tickets = TicketsTrusted
	}
	if o.DefaultSite == "" && len(o.Sites) > 0 {
		o.DefaultSite = o.Sites[0].ID
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// withoutRedirects returns a copy of the client that follows no redirect: one
// would turn a POST into a GET, and a shop that redirects is addressed wrongly.
func withoutRedirects(h *http.Client) *http.Client {
	own := *h
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Dialect returns the reader of this shop's event names and bodies.
func (c *Client) Dialect() *Dialect { return c.dialect }

// Site returns the base site that events with this CloudEvents source are
// about: the site configured with that source, else the site whose id is the
// source's last path segment, else the default one.
func (c *Client) Site(source string) string {
	source = strings.TrimRight(source, "/")
	for _, s := range c.sites {
		if s.Source != "" && strings.TrimRight(s.Source, "/") == source {
			return s.ID
		}
	}
	last := source[strings.LastIndexByte(source, '/')+1:]
	for _, s := range c.sites {
		if s.Source == "" && s.ID == last {
			return s.ID
		}
	}
	return c.site
}
