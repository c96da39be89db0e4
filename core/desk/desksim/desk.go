package desksim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Ticket is what an agent sees.
type Ticket struct {
	ID, Reference             string
	CustomerUID, Order        string
	Subject, Category, Status string
	Entries                   []Entry
	notes                     []note
}

// Entry is what a customer wrote, with their files.
type Entry struct {
	ID, Text string
	Files    []File
}

// File is one of them.
type File struct {
	Name string
	Data []byte
}

type note struct {
	ID, Text  string
	CreatedAt time.Time
	Public    bool
}

// Desk keeps tickets. It is safe for concurrent use.
type Desk struct {
	secret []byte
	now    func() time.Time

	mu      sync.Mutex
	tickets []*Ticket
	seen    map[string]any // answers by key
	away    bool
	lose    int
	hold    chan struct{} // for the next call; nil: none is held
	faults  []string
	mails   []Mail
	server  Server
}

// New returns an empty desk whose callers sign with a secret.
func New(secret string, now func() time.Time) *Desk {
	return &Desk{secret: []byte(secret), now: now, seen: map[string]any{}}
}

// Away has nobody answer while on.
func (d *Desk) Away(on bool) { d.set(func() { d.away = on }) }

// LoseAnswers makes the next n calls take effect without an answer.
func (d *Desk) LoseAnswers(n int) { d.set(func() { d.lose = n }) }

// HoldAnswer makes the next call take effect and wait for its answer until the
// caller goes away. What it returns is closed when that has begun.
func (d *Desk) HoldAnswer() (begun <-chan struct{}) {
	hold := make(chan struct{})
	d.set(func() { d.hold = hold })
	return hold
}

// holds reports whether the answer to this call is held.
func (d *Desk) holds() bool {
	if d.hold == nil {
		return false
	}
	close(d.hold)
	d.hold = nil
	return true
}

// Note is what an agent adds. It returns its id.
func (d *Desk) Note(ticket int, text string, public bool) (id string) {
	d.set(func() {
		t := d.tickets[ticket]
		id = "n" + strconv.Itoa(len(t.notes)+1)
		t.notes = append(t.notes, note{ID: id, Text: text, CreatedAt: d.now(), Public: public})
	})
	return id
}

// SetStatus is an agent's doing, too.
func (d *Desk) SetStatus(ticket int, status string) {
	d.set(func() { d.tickets[ticket].Status = status })
}

// Tickets returns what an agent sees, oldest first.
func (d *Desk) Tickets() []Ticket {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []Ticket
	for _, t := range d.tickets {
		own := *t
		own.Entries = slices.Clone(t.Entries)
		all = append(all, own)
	}
	return all
}

// Faults are what callers did wrong.
func (d *Desk) Faults() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.faults)
}

func (d *Desk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *Desk) faultf(format string, args ...any) {
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

// swallow reports whether an answer is lost.
func (d *Desk) swallow() bool {
	if d.lose == 0 {
		return false
	}
	d.lose--
	return true
}

// measure finds texts that no desk should get.
func (d *Desk) measure(what, text string, most int) {
	if n := len(utf16.Encode([]rune(text))); n > most || strings.TrimSpace(text) == "" {
		d.faultf("a %s of %d characters", what, n)
	}
}

func (d *Desk) open(t Ticket, text string) *Ticket {
	d.measure("subject", t.Subject, 255)
	t.ID, t.Status = "D"+strconv.Itoa(len(d.tickets)+1), "open"
	d.tickets = append(d.tickets, &t)
	d.add(&t, text)
	return &t
}

// add adds an entry, which reopens a closed ticket.
func (d *Desk) add(t *Ticket, text string) string {
	d.measure("text", text, 5000)
	if t.Status == "closed" {
		t.Status = "in_process"
	}
	id := "e" + strconv.Itoa(len(t.Entries)+1)
	t.Entries = append(t.Entries, Entry{ID: id, Text: text})
	return id
}

func (t *Ticket) attach(f File) {
	last := &t.Entries[len(t.Entries)-1]
	last.Files = append(last.Files, f)
}

func (d *Desk) byID(id string) *Ticket {
	i := slices.IndexFunc(d.tickets, func(t *Ticket) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return d.tickets[i]
}

func (d *Desk) byReference(reference string) *Ticket {
	i := slices.IndexFunc(d.tickets, func(t *Ticket) bool { return t.Reference == reference })
	if i < 0 {
		return nil
	}
	return d.tickets[i]
}
