package desksim

import (
	"bufio"
	"bytes"
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
	File   string
}

// Mails returns the e-mails that came, without copies.
func (d *Desk) Mails() []Mail {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Mail(nil), d.mails...)
}

// ServeSMTP talks with one client until it says good-bye: RFC 5321, without
// extensions. What is copied by its Message-ID is taken, and known.
func (d *Desk) ServeSMTP(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	say := func(line string) bool { _, err := io.WriteString(c, line+"\r\n"); return err == nil }
	d.mu.Lock()
	away := d.away
	d.mu.Unlock()
	if away || !say("220 desk.test") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "DATA":
			if !say("354 go on") || !d.data(in) || !say("250 taken") {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			if !say("250 desk.test") {
				return
			}
		}
	}
}

// data reads an e-mail; false where its sender is not told.
func (d *Desk) data(in *bufio.Reader) bool {
	var raw bytes.Buffer
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		raw.WriteString(strings.TrimPrefix(line, "."))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep(raw.Bytes())
	return !d.swallow()
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
		case file != "":
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

// content is the first text, and the name of a file.
func content(kind, encoding string, body io.Reader) (text, file string) {
	media, params, _ := mime.ParseMediaType(kind)
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return text, file
			}
			if name := p.FileName(); name != "" {
				file = name
				continue
			}
			text, _ = content(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	raw, _ := io.ReadAll(body)
	return strings.ReplaceAll(strings.TrimRight(string(raw), "\r\n"), "\r\n", "\n"), ""
}
