package desksim

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
)

// Mail is an e-mail as it came.
type Mail struct {
	Header mail.Header
	Text   string
	File   File
}

// Mails returns the e-mails that came, without copies.
func (d *Desk) Mails() []Mail {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Mail(nil), d.mails...)
}

// Server is how the desk's mail server treats those who bring e-mails.
type Server struct {
	TLS            *tls.Config       // offered as STARTTLS; nil: there is none
	Implicit       bool              // TLS is spoken from the first byte
	User, Password string            // who may bring any; empty: everybody
	Answers        map[string]string // in place of the usual answer to a verb; "" greets, "." ends an e-mail
}

// Server changes how the mail server is.
func (d *Desk) Server(s Server) { d.set(func() { d.server = s }) }

// ListenSMTP talks with all who come, until the listener is closed.
func (d *Desk) ListenSMTP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go d.ServeSMTP(c)
	}
}

// ServeSMTP talks with one client until it says good-bye: RFC 5321 with STARTTLS
// (RFC 3207) and AUTH PLAIN (RFC 4954). What is copied by its Message-ID is
// taken, and known.
func (d *Desk) ServeSMTP(c net.Conn) {
	d.mu.Lock()
	away, server := d.away, d.server
	d.mu.Unlock()
	s := &session{Server: server, desk: d, conn: c}
	defer func() { _ = s.conn.Close() }()
	if away {
		return
	}
	if s.Implicit && !s.encrypt() {
		return
	}
	s.in = bufio.NewReader(s.conn)
	if !s.say("", "220 desk.test") {
		return
	}
	for s.step() {
	}
}

// session is a talk with one client.
type session struct {
	Server
	desk       *Desk
	conn       net.Conn
	in         *bufio.Reader
	encrypted  bool
	known      bool // who it is has been proven
	from, some bool // there is a sender, and a recipient
}

// say answers a verb; false when nobody hears it.
func (s *session) say(verb, line string) bool {
	if other, ok := s.Answers[verb]; ok {
		line = other
	}
	_, err := io.WriteString(s.conn, line+"\r\n")
	return err == nil
}

func (s *session) encrypt() bool {
	if s.TLS == nil {
		return false
	}
	c := tls.Server(s.conn, s.TLS)
	if c.Handshake() != nil {
		return false
	}
	s.conn, s.in, s.encrypted = c, bufio.NewReader(c), true
	return true
}

// step reads one command and answers it; false at the end.
func (s *session) step() bool {
	line, err := s.in.ReadString('\n')
	if err != nil {
		return false
	}
	words := strings.Fields(line + " - - -")
	verb := strings.ToUpper(words[0])
	_, refused := s.Answers[verb]
	switch verb {
	case "STARTTLS":
		return s.TLS != nil && !s.encrypted && s.say(verb, "220 go on") && s.encrypt()
	case "AUTH":
		return s.login(words)
	case "DATA":
		return s.data()
	case "QUIT":
		s.say(verb, "221 2.0.0 Bye")
		return false
	}
	return s.say(verb, s.simple(verb, refused))
}

// simple answers what is over with one line.
func (s *session) simple(verb string, refused bool) string {
	switch verb {
	case "EHLO", "HELO":
		return s.hello()
	case "MAIL":
		if s.User != "" && !s.known {
			return "530 5.7.0 Authentication required"
		}
		s.from = !refused
		return "250 2.1.0 Ok"
	case "RCPT":
		s.some = s.from && !refused
		return "250 2.1.5 Ok"
	case "RSET":
		s.from, s.some = false, false
		return "250 2.0.0 Ok"
	case "NOOP":
		return "250 2.0.0 Ok"
	}
	return "502 5.5.2 Command not recognized"
}

// hello offers a login behind encryption only.
func (s *session) hello() string {
	offers := []string{"250-desk.test", "250-8BITMIME"}
	if s.TLS != nil && !s.encrypted {
		offers = append(offers, "250-STARTTLS")
	}
	if s.User != "" && s.encrypted {
		offers = append(offers, "250-AUTH NTLM PLAIN")
	}
	return strings.Join(append(offers, "250 ENHANCEDSTATUSCODES"), "\r\n")
}

func (s *session) login(words []string) bool {
	proof, err := base64.StdEncoding.DecodeString(words[2])
	switch {
	case !s.encrypted:
		s.desk.set(func() { s.desk.faultf("a password in the open") })
		return s.say("AUTH", "538 5.7.11 Encryption required")
	case strings.ToUpper(words[1]) != "PLAIN" || err != nil:
		return s.say("AUTH", "504 5.5.4 Unrecognized authentication type")
	case string(proof) != "\x00"+s.User+"\x00"+s.Password:
		return s.say("AUTH", "535 5.7.8 Authentication failed for "+s.User)
	}
	s.known = true
	return s.say("AUTH", "235 2.7.0 Authentication successful")
}

// data reads an e-mail; its sender is not told of one whose answer is lost.
func (s *session) data() bool {
	if !s.some {
		return s.say("503", "503 5.5.1 Bad sequence of commands")
	}
	if _, refused := s.Answers["DATA"]; refused {
		return s.say("DATA", "")
	}
	if !s.say("DATA", "354 go on") {
		return false
	}
	var raw bytes.Buffer
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		raw.WriteString(strings.TrimPrefix(line, "."))
	}
	if _, refused := s.Answers["."]; refused {
		return s.say(".", "")
	}
	s.desk.mu.Lock()
	s.desk.keep(raw.Bytes())
	lost, held := s.desk.swallow(), s.desk.holds()
	s.desk.mu.Unlock()
	if held {
		_, _ = s.in.ReadByte() // until the client goes
	}
	return !lost && !held && s.say(".", "250 2.0.0 Ok: queued")
}

// keep puts an e-mail where it belongs: into the thread that it names, or a new one.
func (d *Desk) keep(raw []byte) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		d.faultf("no e-mail: %v", err)
		return
	}
	id := m.Header.Get("Message-ID")
	if _, copied := d.seen[id]; copied {
		return
	}
	d.seen[id] = true
	text, file := content(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	text, facts, _ := strings.Cut(text, "\n\n-- \n")
	d.mails = append(d.mails, Mail{Header: m.Header, Text: text, File: file})
	root := m.Header.Get("References")
	for _, t := range d.tickets {
		switch {
		case t.Reference != root:
		case file.Name != "":
			t.attach(file)
			return
		default:
			d.add(t, text)
			return
		}
	}
	if root != "" {
		d.faultf("an e-mail of a thread that is not there")
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		d.faultf("subject: %v", err)
	}
	d.open(Ticket{
		Reference: id, Subject: subject, CustomerUID: fact(facts, "Customer"), Order: fact(facts, "Order"), Category: m.Header.Get("X-Tidings-Category"),
	}, text)
}

func fact(facts, name string) string {
	for line := range strings.Lines(facts) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// content is the first text, and a file.
func content(kind, encoding string, body io.Reader) (text string, file File) {
	media, params, _ := mime.ParseMediaType(kind)
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return text, file
			}
			if name := p.FileName(); name != "" {
				data, _ := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
				file = File{name, data}
				continue
			}
			text, _ = content(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	raw, _ := io.ReadAll(body)
	return strings.ReplaceAll(strings.TrimRight(string(raw), "\r\n"), "\r\n", "\n"), File{}
}
