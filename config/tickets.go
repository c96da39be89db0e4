package config

import (
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tidings/core"
)

// The desks to which questions can go.
const (
	Trusted  = "trusted"  // the shop's OCC API, with the gateway's own token
	Customer = "customer" // the same, with the token of the customer
	Endpoint = "endpoint" // a small HTTP interface of the shop's own
	Mailbox  = "mailbox"  // e-mails
	Callback = "callback" // signed CloudEvents
	Off      = "off"
)

// What a question to a closed ticket does.
const (
	Renew  = "renew"
	Reopen = "reopen"
)

// Tickets is where questions go, and what becomes of them there.
type Tickets struct {
	Desk        string      `yaml:"desk"`
	Closed      string      `yaml:"closed"` // Renew or Reopen
	Categories  []Category  `yaml:"categories"`
	Attachments Attachments `yaml:"attachments"`
	Storefront  Storefront  `yaml:"storefront"` // for Customer
	URL         string      `yaml:"url"`        // for Endpoint and Callback
	Secret      core.Secret `yaml:"secret"`     // signs; for Endpoint, Callback and Mailbox
	SMTPURL     core.Secret `yaml:"smtp_url"`   // for Mailbox, as the rest
	From        string      `yaml:"from"`
	To          string      `yaml:"to"`
	Agents      []string    `yaml:"agents"` // who may answer: addresses, or @domains
}

// Category files questions under a name; the first one that fits counts.
type Category struct {
	Name     string   `yaml:"name"`
	Words    []string `yaml:"words"`
	Channels []string `yaml:"channels"`
	Sites    []string `yaml:"sites"`
}

// Attachments bounds which files of customers are fetched.
type Attachments struct {
	MaxSize string   `yaml:"max_size"` // such as 10MB; 0: none
	Types   []string `yaml:"types"`
}

// MaxBytes is MaxSize as a number.
func (a Attachments) MaxBytes() int64 {
	n, _ := parseSize(a.MaxSize)
	return n
}

// Storefront is the OAuth client to which the shop gives its customers' tokens.
type Storefront struct {
	ClientID     string      `yaml:"client_id"`
	ClientSecret core.Secret `yaml:"client_secret"`
}

// defaultTypes are the files that most desks can show.
func defaultTypes() []string { return []string{"image/*", "application/pdf"} }

// parseSize reads a number of bytes, with kB or MB behind it or not.
func parseSize(s string) (int64, bool) {
	factor := int64(1)
	for unit, f := range map[string]int64{"kB": 1000, "MB": 1000_000} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			s, factor = number, f
		}
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int64(n) * factor, err == nil
}

// maxSize is as much as a file may have: it is held in memory while it is carried.
const maxSize = 50_000_000

func (c checker) tickets(at string, s Commerce) {
	t := s.Tickets
	c.check(at+".desk", oneOf(t.Desk, Trusted, Customer, Endpoint, Mailbox, Callback, Off))
	c.check(at+".closed", oneOf(t.Closed, Renew, Reopen))
	for i, cat := range t.Categories {
		c.check(index(at+".categories", i)+".name", required(cat.Name, "what the desk calls the category, such as COMPLAINT"))
	}
	if n, ok := parseSize(t.Attachments.MaxSize); !ok || n > maxSize {
		c.check(at+".attachments.max_size", "must be a size such as 500kB or 10MB, at most 50MB; 0 for no files at all")
	}
	for i, typ := range t.Attachments.Types {
		if family, sub, ok := strings.Cut(typ, "/"); !ok || family == "" || sub == "" || family == "*" {
			c.check(index(at+".attachments.types", i), "must be a media type such as application/pdf, or a family such as image/*")
		}
	}
	c.deskKeys(at, t)
	if t.Desk == Customer && s.Type != Hybris {
		c.check(at+".desk", "is for a shop of type hybris")
	}
}

// deskKeys checks the keys that belong to one desk or another.
func (c checker) deskKeys(at string, t Tickets) {
	for _, k := range []struct {
		key, value, what string
		desks            []string
		needed           bool
	}{
		{"url", t.URL, "where the desk is called, such as https://desk.example.com/tidings", []string{Endpoint, Callback}, true},
		{"secret", t.Secret.Reveal(), "a long random text with which requests are signed", []string{Endpoint, Callback, Mailbox}, true},
		{"smtp_url", t.SMTPURL.Reveal(), "the server that takes the e-mails, such as smtp://USER:PASSWORD@mail.example.com:587", []string{Mailbox}, true},
		{"from", t.From, "the address that the e-mails come from, and answers go to", []string{Mailbox}, true},
		{"to", t.To, "the address of the service desk", []string{Mailbox}, true},
		{"agents", strings.Join(t.Agents, ""), "", []string{Mailbox}, false},
		{"storefront.client_id", t.Storefront.ClientID, "", []string{Customer}, false},
		{"storefront.client_secret", t.Storefront.ClientSecret.Reveal(), "", []string{Customer}, false},
	} {
		belongs := slices.Contains(k.desks, t.Desk)
		switch {
		case belongs && k.needed:
			c.check(at+"."+k.key, required(k.value, k.what))
		case !belongs && k.value != "" && t.Desk != Off:
			c.check(at+"."+k.key, "is of no use to this desk, but to "+strings.Join(k.desks, ", ")+"; leave it out")
		}
	}
	if t.URL != "" {
		c.check(at+".url", httpURL(t.URL, "https://desk.example.com/tidings"))
	}
	if s := t.Secret.Reveal(); s != "" && len(s) < minSecret {
		c.check(at+".secret", "is short enough to be guessed; make one with: openssl rand -base64 32")
	}
	if t.Desk == Mailbox {
		c.mailbox(at, t)
	}
}

// minSecret is what Standard Webhooks wants of a secret, in bytes.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, read 2026-11-22.
const minSecret = 24

func (c checker) mailbox(at string, t Tickets) {
	for key, value := range map[string]string{"from": t.From, "to": t.To} {
		if _, err := mail.ParseAddress(value); value != "" && err != nil {
			c.check(at+"."+key, "must be an e-mail address, such as desk@shop.example.com or Shop <desk@shop.example.com>")
		}
	}
	u, err := url.Parse(t.SMTPURL.Reveal())
	if t.SMTPURL != "" && (err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps") {
		c.check(at+".smtp_url", "must be smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://USER:PASSWORD@HOST:465")
	}
	for i, a := range t.Agents {
		if !strings.Contains(a, "@") || strings.HasSuffix(a, "@") {
			c.check(index(at+".agents", i), "must be an e-mail address, or @ and a domain for all of its addresses")
		}
	}
}
