package desk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/desk"
	"tidings/core/desk/desksim"
)

// certified is a certificate for mail.test until a time, and who vouches for it.
func certified(t *testing.T, until time.Time) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mail.test"}, NotBefore: until.Add(-time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, own, own, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if own, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(own)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

const password = "sesame/open"

// posted is a mailbox in front of a mail server.
func posted(t *testing.T, url string, server desksim.Server, roots *x509.CertPool) (*desk.Mailbox, *desksim.Desk) {
	t.Helper()
	sim := desksim.New(secret, time.Now)
	sim.Server(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go sim.ListenSMTP(l)
	m, err := desk.NewMailbox(desk.Mail{
		SMTPURL: core.Secret(url), From: "chat@shop.test", To: "desk@shop.test", Secret: secret, Roots: roots,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, sim
}

func TestEmailsAreEncryptedAndTheirSenderProven(t *testing.T) {
	cert, roots := certified(t, time.Now().Add(time.Hour))
	old, oldRoots := certified(t, time.Now().Add(-time.Minute))
	const user = "smtp://chat%40shop.test:sesame%2Fopen@mail.test:587"
	safe := desksim.Server{TLS: cert, User: "chat@shop.test", Password: password}
	implicit := safe
	implicit.Implicit = true
	for name, x := range map[string]struct {
		url    string
		server desksim.Server
		roots  *x509.CertPool
		want   core.Class // empty: it arrives
		says   string
	}{
		"plain, and nobody asks":               {"smtp://mail.test:25", desksim.Server{}, nil, "", ""},
		"STARTTLS though nobody asks":          {"smtp://mail.test:25", desksim.Server{TLS: cert}, roots, "", ""},
		"STARTTLS of a relay in the house":     {"smtp://mail.test:25", desksim.Server{TLS: cert}, x509.NewCertPool(), "", ""},
		"TLS at once, of nobody we know":       {"smtps://mail.test", desksim.Server{TLS: cert, Implicit: true}, x509.NewCertPool(), core.Misconfigured, "certificate"},
		"STARTTLS and a password":              {user, safe, roots, "", ""},
		"TLS from the first byte":              {"smtps://mail.test", desksim.Server{TLS: cert, Implicit: true}, roots, "", ""},
		"TLS from the first byte, a password":  {strings.Replace(user, "smtp:", "smtps:", 1), implicit, roots, "", ""},
		"a password, and no encryption":        {user, desksim.Server{User: "chat@shop.test", Password: password}, nil, core.Misconfigured, "no encryption"},
		"a password that nobody asks for":      {user, desksim.Server{TLS: cert}, roots, core.Misconfigured, "no login"},
		"a wrong password":                     {strings.Replace(user, "sesame", "simsim", 1), safe, roots, core.Misconfigured, "login"},
		"no password where one is needed":      {"smtp://mail.test:25", safe, roots, core.Misconfigured, "sender"},
		"a certificate nobody knows":           {user, safe, x509.NewCertPool(), core.Misconfigured, "certificate"},
		"another server's certificate":         {strings.Replace(user, "mail.test", "post.test", 1), safe, roots, core.Misconfigured, "certificate"},
		"a certificate that has ended":         {strings.Replace(user, "smtp:", "smtps:", 1), desksim.Server{TLS: old, Implicit: true}, oldRoots, core.Misconfigured, "certificate"},
		"the wrong one of smtp and smtps":      {"smtps://mail.test", desksim.Server{TLS: cert}, roots, core.Misconfigured, "smtp://"},
		"the login is away for a moment":       {user, with(safe, "AUTH", "454 4.7.0 Temporary authentication failure"), roots, core.Temporary, ""},
		"the server is closing":                {"smtp://mail.test", with(desksim.Server{}, "", "421 4.3.2 Shutting down"), nil, core.Temporary, ""},
		"a sender that is not let":             {"smtp://mail.test", with(desksim.Server{}, "MAIL", "550 5.7.1 chat@shop.test may not send"), nil, core.Misconfigured, "sender"},
		"a recipient that is not there":        {"smtp://mail.test", with(desksim.Server{}, "RCPT", "550 5.1.1 desk@shop.test unknown"), nil, core.Misconfigured, "recipient"},
		"a recipient that is greylisted":       {"smtp://mail.test", with(desksim.Server{}, "RCPT", "450 4.2.0 desk@shop.test: try later"), nil, core.Temporary, ""},
		"no e-mail now":                        {"smtp://mail.test", with(desksim.Server{}, "DATA", "451 4.3.0 Not now"), nil, core.Temporary, ""},
		"an e-mail that is refused":            {"smtp://mail.test", with(desksim.Server{}, ".", "554 5.7.1 It says: my words"), nil, core.Rejected, ""},
		"an e-mail that is too large":          {"smtp://mail.test", with(desksim.Server{}, ".", "552 5.3.4 Too big"), nil, core.Rejected, ""},
		"an e-mail that is not taken just now": {"smtp://mail.test", with(desksim.Server{}, ".", "452 4.3.1 Disk full"), nil, core.Temporary, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, sim := posted(t, x.url, x.server, x.roots)
			_, err := m.CreateTicket(t.Context(), ticket)
			if x.want == "" {
				if err != nil || len(sim.Mails()) != 1 || len(sim.Faults()) > 0 {
					t.Errorf("got %d e-mails, %v, faults %q; want one", len(sim.Mails()), err, sim.Faults())
				}
				return
			}
			if core.ClassOf(err) != x.want || len(sim.Mails()) != 0 {
				t.Fatalf("got %v and %d e-mails, want %s", err, len(sim.Mails()), x.want)
			}
			if !strings.Contains(err.Error(), x.says) {
				t.Errorf("got %v, want it to speak of %q", err, x.says)
			}
			for _, private := range []string{"@shop.test", "ines", "my words", "sesame", "simsim"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("%v tells %q", err, private)
				}
			}
		})
	}
}

func with(s desksim.Server, verb, answer string) desksim.Server {
	s.Answers = map[string]string{verb: answer}
	return s
}

// The server has it, and nobody knows: the copy bears the same Message-ID.
func TestAnEmailOfUnknownOutcomeIsSentAgainAsTheSame(t *testing.T) {
	m, sim := posted(t, "smtp://mail.test", desksim.Server{}, nil)
	sim.LoseAnswers(1)
	if _, err := m.CreateTicket(t.Context(), ticket); core.ClassOf(err) != core.Uncertain {
		t.Errorf("got %v, want it uncertain", err)
	}
	if _, err := m.CreateTicket(t.Context(), ticket); err != nil {
		t.Error(err)
	}
	at := existing
	at.TicketID = ticket.Reference
	for range 2 {
		if _, err := m.AddEntry(t.Context(), at, entry); err != nil {
			t.Error(err)
		}
	}
	if got := sim.Tickets(); len(got) != 1 || len(got[0].Entries) != 2 {
		t.Errorf("got %+v, want one ticket with two entries", got)
	}
}
