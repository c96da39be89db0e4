package desk

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"tidings/core"
)

// mailTimeout bounds one exchange with the mail server.
const mailTimeout = 15 * time.Second

// post is the way to the mail server.
type post struct {
	host    string
	options []mail.Option
}

// logins are the ways to prove who we are, the best first. Behind a password
// there is always encryption, which makes up for the last ones.
var logins = []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5}

// newPost encrypts whenever there is a password, and else where the server can.
func newPost(u *url.URL, o Mail) post {
	trust := &tls.Config{ServerName: u.Hostname(), RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	p := post{host: u.Hostname(), options: []mail.Option{
		mail.WithTimeout(mailTimeout), mail.WithTLSConfig(trust), mail.WithTLSPolicy(mail.TLSOpportunistic),
	}}
	password, known := u.User.Password()
	if !known && u.Scheme == "smtp" {
		// What would go in the open goes to whomever there is, better encrypted: a
		// relay in the house has a certificate that it made for itself (RFC 7435).
		trust.InsecureSkipVerify = true
	}
	if known {
		p.options = append(p.options, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithOpportunisticSMTPAuth(logins...),
			mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	port, dial := 587, o.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	if u.Scheme == "smtps" {
		// The library encrypts from the first byte only what it has dialled itself.
		port, dial = 465, encrypted(dial, trust)
		p.options = append(p.options, mail.WithSSL())
	}
	if n, err := strconv.Atoi(u.Port()); err == nil {
		port = n
	}
	p.options = append(p.options, mail.WithPort(port), mail.WithDialContextFunc(dial))
	return p
}

func encrypted(dial mail.DialContextFunc, trust *tls.Config) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := tls.Client(raw, trust)
		if err := c.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		return c, nil
	}
}

func (p post) client() (*mail.Client, error) { return mail.NewClient(p.host, p.options...) }

// send hands one e-mail to the server. What the server answers may quote
// addresses, so its words are not repeated.
func (p post) send(ctx context.Context, op string, m *mail.Msg) error {
	c, err := p.client()
	if err != nil {
		return &core.ShopError{Class: core.Misconfigured, Err: errors.New(op + ": smtp_url cannot be used")}
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	err = c.DialAndSendWithContext(ctx, m)
	if err == nil || m.IsDelivered() { // only the good-bye failed
		return nil
	}
	if sent, ok := errors.AsType[*mail.SendError](err); ok {
		return notSent(op, sent)
	}
	return notReached(op, err)
}

// steps are what is done with an e-mail, as those who look after the gateway know it.
var steps = map[mail.SendErrReason]string{
	mail.ErrSMTPMailFrom: "the mail server refuses the sender; see commerce.tickets.from and the login in smtp_url",
	mail.ErrSMTPRcptTo:   "the mail server refuses the recipient; see commerce.tickets.to",
}

// notSent is for an e-mail that the server has not taken. A 5xx about the e-mail
// itself is meant for this one; one about who sends it to whom, for all of them.
func notSent(op string, sent *mail.SendError) *core.ShopError {
	e := &core.ShopError{Class: core.Temporary, Status: sent.ErrorCode()}
	content := sent.Reason == mail.ErrSMTPData || sent.Reason == mail.ErrSMTPDataClose
	what := cmp.Or(steps[sent.Reason], "the mail server does not take the e-mail")
	switch {
	case e.Status == 0 && sent.Reason == mail.ErrSMTPDataClose:
		e.Class, what = core.Uncertain, "the connection broke off behind the e-mail"
	case e.Status/100 == 5 && content:
		e.Class = core.Rejected
	case e.Status/100 == 5:
		e.Class = core.Misconfigured
	case e.Status == 0:
		what = "the connection broke off"
	}
	e.Err = fmt.Errorf("%s: %s", op, what)
	return e
}

// notReached is for a server to which nothing could be brought. What is neither
// its answer nor the network's doing does not go away by itself.
func notReached(op string, err error) *core.ShopError {
	e := &core.ShopError{Class: core.Misconfigured}
	what := "the mail server offers no encryption, or no login that we know; see smtp_url"
	answer, answered := errors.AsType[*textproto.Error](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	_, network := errors.AsType[net.Error](err)
	switch {
	case answered && answer.Code/100 == 5:
		e.Status, what = answer.Code, "the mail server refuses the login, or us; see smtp_url"
	case answered:
		e.Class, e.Status, what = core.Temporary, answer.Code, "the mail server takes nothing just now"
	case untrusted:
		what = "the mail server's certificate is not for its name, has ended, or is vouched for by nobody this machine trusts"
	case noTLS:
		what = "the mail server does not speak TLS at once; smtp:// is for STARTTLS, and smtps:// for port 465"
	case network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe):
		e.Class, what = core.Temporary, "no connection to the mail server"
	}
	e.Err = fmt.Errorf("%s: %s", op, what)
	return e
}
