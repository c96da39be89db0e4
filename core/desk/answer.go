package desk

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	stdmail "net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	"tidings/core"
)

// MailSource is the CloudEvents source of answers that came by e-mail.
const MailSource = "/tidings/mail"

// ErrNoAnswer is for an e-mail that is no answer to a question of ours: it is
// malformed, proves no question, or comes from somebody who is no agent.
var ErrNoAnswer = errors.New("no answer of an agent to one of our questions")

// Answer is what an agent's e-mail says.
type Answer struct {
	Events []core.Event // none: nothing for the customer
	Why    string       // why there is none
}

// Read reads an e-mail that came to the desk's own address: a note for the
// customer, and, where its last line is #open, #in_process or #closed, the
// ticket's state. Automatic answers, reports and what begins its subject with
// [internal] say nothing to anybody. Whether the sender is who they say is for
// the mail server to find out (DMARC); the question is proven here.
func (d *Mailbox) Read(raw []byte, now time.Time) (Answer, error) {
	m, err := stdmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: it is no e-mail", ErrNoAnswer)
	}
	subject := decoded(m.Header.Get("Subject"))
	from, err := stdmail.ParseAddress(m.Header.Get("From"))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: it names no sender", ErrNoAnswer)
	}
	if why := automatic(m.Header); why != "" {
		return Answer{Why: why}, nil
	}
	if strings.EqualFold(from.Address, d.from.Address) {
		return Answer{Why: "it comes from our own address"}, nil
	}
	reference, ok := d.proven(m.Header.Get("In-Reply-To") + " " + m.Header.Get("References") + " " + subject)
	if !ok {
		return Answer{}, fmt.Errorf("%w: neither its headers nor its subject prove which question it answers", ErrNoAnswer)
	}
	if !d.isAgent(from.Address) {
		return Answer{}, fmt.Errorf("%w: its sender is not one of commerce.tickets.agents", ErrNoAnswer)
	}
	if internal.MatchString(subject) {
		return Answer{Why: "it is internal"}, nil
	}
	text, err := textOf(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: its text cannot be read", ErrNoAnswer)
	}
	return events(reference, mailID(m.Header, raw), from.Name, text, now), nil
}

// events are the note and the state that an answer has.
func events(reference, id, author, text string, now time.Time) Answer {
	text, state := lastState(unquoted(text))
	var a Answer
	event := core.Event{ID: id, Source: MailSource, Time: now, Data: core.EventData{TicketID: reference}}
	if text != "" {
		public := true
		note := event
		note.Type = core.TicketNoteAdded
		note.Data.Note = &core.EventNote{ID: id, Text: text, Author: author, Public: &public, CreatedAt: now}
		a.Events = append(a.Events, note)
	}
	if state != "" {
		event.ID, event.Type, event.Data.Status = id+"/status", core.TicketStatus, state
		a.Events = append(a.Events, event)
	}
	if len(a.Events) == 0 {
		a.Why = "it holds no words of its own"
	}
	return a
}

// automatic says why a mail was written by a program: RFC 3834, and what programs
// did before it.
func automatic(h stdmail.Header) string {
	precedence := strings.ToLower(h.Get("Precedence"))
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	auto := strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted")))
	switch {
	case auto != "" && auto != "no", h.Get("X-Autoreply") != "", h.Get("X-Autorespond") != "", precedence == "auto_reply":
		return "it is an automatic answer"
	case media == "multipart/report", h.Get("Return-Path") == "<>":
		return "it is a report of a mail server"
	case precedence == "bulk", precedence == "junk", precedence == "list":
		return "it is a circular"
	}
	return ""
}

var (
	internal   = regexp.MustCompile(`(?i)^\s*((re|aw|fwd?|wg|sv|tr)\s*:\s*)*\[(internal|intern|private|privat)\]`)
	references = regexp.MustCompile(`(T[0-9]+-[A-Z0-9]+)(?:-[0-9]+(?:-plain)?)?\.([a-z2-7]{24})[@\]]`)
)

// proven is the question whose proof stands in a text.
func (d *Mailbox) proven(text string) (reference string, ok bool) {
	for _, m := range references.FindAllStringSubmatch(text, -1) {
		if hmac.Equal([]byte(d.proof(m[1])), []byte(m[2])) {
			return m[1], true
		}
	}
	return "", false
}

func (d *Mailbox) isAgent(address string) bool {
	address = strings.ToLower(address)
	for _, a := range d.agents {
		a = strings.ToLower(a)
		if address == a || strings.HasPrefix(a, "@") && strings.HasSuffix(address, a) {
			return true
		}
	}
	return false
}

// mailID is the same for each delivery of an e-mail.
func mailID(h stdmail.Header, raw []byte) string {
	if id := strings.Trim(strings.TrimSpace(h.Get("Message-Id")), "<>"); id != "" && len(id) <= 250 {
		return id
	}
	sum := sha256.Sum256(raw)
	return core.MadeNoteID + hex.EncodeToString(sum[:10])
}

// quoteHeads are the lines by which programs begin what they quote, in the
// languages of the built-in texts and some more. Compiling it takes a tenth of the
// program's start, and most gateways read no mail.
var quoteHeads = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(quoteHead) })

const quoteHead = `(?i)^(on .{4,200} wrote:|am .{4,200} schrieb .{0,200}:|le .{4,200} a écrit ?:|` +
	`el .{4,200} escribió:|il .{4,200} ha scritto:|op .{4,200} schreef .{0,200}:|-{3,}\s*(original message|ursprüngliche nachricht|weitergeleitete nachricht|` +
	`forwarded message|message d'origine).*|_{20,})$`

// unquoted is what stands above the first quotation or signature.
func unquoted(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		two := trimmed // a head that was wrapped
		if i+1 < len(lines) {
			two += " " + strings.TrimSpace(lines[i+1])
		}
		if strings.HasPrefix(trimmed, ">") || line == "-- " || line == "--" || quoteHeads().MatchString(trimmed) || trimmed != "" && quoteHeads().MatchString(two) {
			lines = lines[:i]
			break
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// lastState takes off a last line that states the ticket's state.
func lastState(text string) (rest, state string) {
	i := strings.LastIndexByte(text, '\n')
	state = status(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text[i+1:])), "#"))
	if state == "" || !strings.HasPrefix(strings.TrimSpace(text[i+1:]), "#") {
		return text, ""
	}
	return strings.TrimSpace(text[:max(i, 0)]), state
}
