package desk

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"errors"
	"net"
	stdmail "net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"tidings/core"
)

// Mail is how a service desk is reached by e-mail.
type Mail struct {
	SMTPURL  core.Secret // smtp://user:password@host:587 or smtps://…:465
	From, To string
	Secret   core.Secret    // proves which question an answer is to
	Agents   []string       // who may answer: addresses or @domains; none: the domain of To
	Roots    *x509.CertPool // who may vouch for the server; nil: whom the system trusts
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Now      func() time.Time
}

// Mailbox is a desk that gets e-mails, one thread for each ticket: the first is
// the thread's root, each later one names it in References. Answers are read by
// Answer. A mail server that has taken an e-mail and not said so gets it again
// with the same Message-ID, by which service desks know copies.
type Mailbox struct {
	from, to *stdmail.Address
	domain   string // of from
	agents   []string
	key      []byte
	now      func() time.Time
	post     post
}

var (
	_ core.Desk     = (*Mailbox)(nil)
	_ core.Attacher = (*Mailbox)(nil)
)

// NewMailbox returns the desk. It makes no connection.
func NewMailbox(o Mail) (*Mailbox, error) {
	from, err := stdmail.ParseAddress(o.From)
	if err != nil {
		return nil, errors.New("mailbox: from is no e-mail address")
	}
	to, err := stdmail.ParseAddress(o.To)
	if err != nil {
		return nil, errors.New("mailbox: to is no e-mail address")
	}
	u, err := url.Parse(o.SMTPURL.Reveal())
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("mailbox: smtp_url is no URL of a mail server")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Mailbox{from: from, to: to, domain: domainOf(from.Address), agents: o.Agents, key: signingKey(o.Secret), now: o.Now}
	if len(m.agents) == 0 {
		m.agents = []string{"@" + domainOf(to.Address)}
	}
	m.post = newPost(u, o)
	if _, err := m.post.client(); err != nil {
		return nil, errors.New("mailbox: smtp_url cannot be used")
	}
	return m, nil
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// CreateTicket implements core.Desk. The ticket's id is the conversation's
// reference, and its order is named in the text.
func (d *Mailbox) CreateTicket(ctx context.Context, t core.NewTicket) (core.TicketRef, error) {
	const op = "create ticket"
	if err := said(op, t.Text); err != nil {
		return core.TicketRef{}, err
	}
	m := d.message(t.Reference, t.Subject)
	m.SetMessageIDWithValue(d.ThreadID(t.Reference))
	if t.Category != "" {
		m.SetGenHeader("X-Tidings-Category", t.Category)
	}
	facts := []string{"Customer: " + t.CustomerUID}
	for _, f := range []struct{ name, value string }{{"Order", t.OrderCode}, {"Site", t.Site}, {"Channel", t.Channel}, {"Category", t.Category}} {
		if f.value != "" {
			facts = append(facts, f.name+": "+f.value)
		}
	}
	m.SetBodyString(mail.TypeTextPlain, t.Text+footer(facts...))
	if err := d.post.send(ctx, op, m); err != nil {
		return core.TicketRef{}, err
	}
	return core.TicketRef{ID: t.Reference, EntryID: t.Key, Linked: t.OrderCode != ""}, nil
}

// AddEntry implements core.Desk.
func (d *Mailbox) AddEntry(ctx context.Context, at core.TicketAt, e core.NewEntry) (string, error) {
	const op = "add ticket entry"
	if err := said(op, e.Text); err != nil {
		return "", err
	}
	m := d.reply(at, e.Key)
	m.SetBodyString(mail.TypeTextPlain, e.Text+footer("Customer: "+at.CustomerUID))
	return e.Key, d.post.send(ctx, op, m)
}

// Attach implements core.Attacher: the file is an e-mail of its own in the thread.
func (d *Mailbox) Attach(ctx context.Context, at core.TicketAt, a core.Attachment) error {
	const op = "attach a file"
	m := d.reply(at, a.Key)
	m.SetBodyString(mail.TypeTextPlain, "["+a.File.Name+"]"+footer("Customer: "+at.CustomerUID))
	if err := m.AttachReader(a.File.Name, bytes.NewReader(a.File.Data), mail.WithFileContentType(mail.ContentType(a.File.Type))); err != nil {
		return &core.ShopError{Class: core.Rejected, Err: errors.New(op + ": the file cannot be put into an e-mail")}
	}
	return d.post.send(ctx, op, m)
}

// footer stands below a signature's line, which answers leave out.
func footer(facts ...string) string {
	return "\n\n-- \n" + strings.Join(facts, "\n") +
		"\nYour answer to this e-mail goes to the customer's chat. One whose subject begins with [internal] does not.\n"
}

// message is what all e-mails of a ticket have in common.
func (d *Mailbox) message(reference, subject string) *mail.Msg {
	m := mail.NewMsg()
	m.FromMailAddress(d.from)
	m.ToMailAddress(d.to)
	proven := "[" + reference + "." + d.proof(reference) + "]"
	if plain := "[" + reference + "]"; strings.Contains(subject, plain) {
		subject = strings.Replace(subject, plain, proven, 1)
	} else {
		subject = strings.TrimSpace(subject + " " + proven)
	}
	m.Subject(subject)
	m.SetDateWithValue(d.now())
	m.SetGenHeader("X-Tidings-Reference", reference)
	return m
}

func (d *Mailbox) reply(at core.TicketAt, key string) *mail.Msg {
	m := d.message(at.Reference, "Re: question by chat")
	m.SetMessageIDWithValue(key + "." + d.proof(at.Reference) + "@" + d.domain)
	root := "<" + d.ThreadID(at.Reference) + ">"
	m.SetGenHeader(mail.HeaderInReplyTo, root)
	m.SetGenHeader(mail.HeaderReferences, root)
	return m
}

// ThreadID is the Message-ID of a ticket's first e-mail.
func (d *Mailbox) ThreadID(reference string) string {
	return reference + "." + d.proof(reference) + "@" + d.domain
}

// proof is what only the desk has been sent: an answer that has it answers this
// question. References are counted up, so that they alone prove nothing.
func (d *Mailbox) proof(reference string) string {
	mac := hmac.New(sha256.New, d.key)
	_, _ = mac.Write([]byte("tidings mail 1\x00" + reference))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:proofBytes]))
}

const proofBytes = 15 // 24 characters
