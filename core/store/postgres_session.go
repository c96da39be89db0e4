package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tidings/core/lane"
)

// roundTrip is how long the server may take for one answer.
const roundTrip = 30 * time.Second

// block is by how much the sequence of ids goes up at a time.
const block = 1024

// statement is one that waits to be sent.
type statement struct {
	query string
	args  []any
}

// attempt is a call of try under way.
type attempt struct {
	from   int   // where its statements begin in the queue
	set    bool  // its savepoint has been sent
	failed error // one of its statements has failed; the transaction stands still until it is rolled back
	writes int   // how many writes there were when it began
	last   int   // how many notices there were when it began
}

// pgSession is a transaction on PostgreSQL. What costs there is the way to the
// server and back, so statements without an answer wait for the next one that
// has one, or for the end, and all go in one pipeline. Ids are taken from a
// sequence in blocks, so that an INSERT needs no answer either.
type pgSession struct {
	memory

	c        *pgx.Conn
	readOnly bool
	careful  bool   // calls of try have savepoints
	pooled   bool   // the connection is of no fixed settings
	waits    string // has COMMIT wait until all is durable; empty: it does not
	begun    bool
	queue    []statement
	last     []statement // goes just before COMMIT
	tries    []*attempt
	broken   error
	writes   int  // so many so far
	asked    bool // COMMIT is on its way, or was

	next, end int64 // ids that are left of the block
}

var _ session = (*pgSession)(nil)

func (p *pgSession) exec(_ context.Context, query string, args ...any) error {
	if p.readOnly {
		return errReadOnly
	}
	if err := p.stopped(); err != nil {
		return err
	}
	p.queue = append(p.queue, statement{query, normal(args)})
	p.writes++
	return nil
}

// execIf does not wait for the answer where it can do without: that no row was
// changed is then an error of the statement, and COMMIT does not come about.
func (p *pgSession) execIf(ctx context.Context, query string, args ...any) (bool, error) {
	if p.careful {
		n, err := p.execN(ctx, query, args...)
		return n == 1, err
	}
	return true, p.exec(ctx, onlyIf+query+onlyIfEnd, args...)
}

// What makes a statement fail that changes nothing.
const (
	onlyIf    = "WITH changed AS ("
	onlyIfEnd = " RETURNING 1) SELECT 1 / count(*) FROM changed"
)

func (p *pgSession) execN(ctx context.Context, query string, args ...any) (int64, error) {
	if err := p.exec(ctx, query, args...); err != nil {
		return 0, err
	}
	return p.flush(ctx)
}

func (p *pgSession) query(ctx context.Context, query string, args ...any) (rows, error) {
	return p.ask(ctx, query, args)
}

func (p *pgSession) queryRow(ctx context.Context, query string, args ...any) scanner {
	a, err := p.ask(ctx, query, args)
	if err != nil {
		return failed{err}
	}
	return oneRow{a}
}

func (p *pgSession) writeRow(ctx context.Context, query string, args ...any) scanner {
	if p.readOnly {
		return failed{errReadOnly}
	}
	p.writes++
	for _, a := range p.tries {
		if !a.set && p.careful {
			p.save(a)
		}
	}
	return p.queryRow(ctx, query, args...)
}

// save puts the savepoint of an attempt before its first statement.
func (p *pgSession) save(a *attempt) {
	a.set = true
	p.queue = slices.Insert(p.queue, a.from, statement{query: setSavepoint})
	inner := false
	for _, b := range p.tries {
		if inner {
			b.from++
		}
		inner = inner || a == b
	}
}

// stopped returns why no statement can be sent now.
func (p *pgSession) stopped() error {
	if p.broken != nil {
		return p.broken
	}
	for _, a := range p.tries {
		if a.failed != nil {
			return a.failed
		}
	}
	return nil
}

func (p *pgSession) failed() error { return p.broken }

// note keeps nothing: answers do.
func (p *pgSession) note(err error) error { return err }

// head is what goes before the first statement: the transaction, and ids.
func (p *pgSession) head(commit bool) []statement {
	if p.readOnly {
		return []statement{{query: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}}
	}
	first := []statement{{query: "BEGIN ISOLATION LEVEL REPEATABLE READ"}}
	if p.pooled {
		first = append(first, statement{query: "SET LOCAL lock_timeout = '2s'"},
			statement{query: "SET LOCAL idle_in_transaction_session_timeout = '15s'"})
	}
	if !commit {
		first = append(first, statement{query: nextBlock})
	}
	return first
}

const (
	nextBlock    = "SELECT nextval('ids')"
	setSavepoint = "SAVEPOINT try"
)

// send sends what has waited, and returns the answers.
func (p *pgSession) send(ctx context.Context, more ...statement) (*answers, error) {
	if err := p.stopped(); err != nil {
		return nil, err
	}
	for _, a := range p.tries {
		if !a.set && p.careful && a.from < len(p.queue) {
			p.save(a)
		}
	}
	if !p.careful && len(p.queue) > 1 {
		p.queue = merge(p.queue)
	}
	commit := len(more) > 0 && more[len(more)-1].query == "COMMIT"
	all := slices.Concat(p.queue, more)
	skip := 0
	if !p.begun {
		first := p.head(commit)
		all, skip = append(first, all...), len(first)
		p.begun = true
	}
	inner := p.inner(skip, len(all))
	p.queue = nil
	for _, a := range p.tries {
		a.from = 0
	}
	batch := &pgx.Batch{}
	for _, s := range all {
		batch.Queue(s.query, s.args...)
	}
	ctx, cancel := context.WithTimeout(ctx, roundTrip)
	p.asked = p.asked || commit
	return &answers{p: p, br: p.c.SendBatch(ctx, batch), all: all, inner: inner, cancel: cancel}, nil
}

// inner returns from which of the statements to be sent a failure is the
// innermost attempt's alone: those that come after its savepoint.
func (p *pgSession) inner(skip, none int) int {
	n := len(p.tries)
	if n == 0 || !p.tries[n-1].set {
		return none
	}
	from := p.tries[n-1].from
	if from < len(p.queue) && p.queue[from].query == setSavepoint {
		from++
	}
	return skip + from
}

// flush sends what has waited and returns how many rows the last of it has changed.
func (p *pgSession) flush(ctx context.Context, more ...statement) (int64, error) {
	a, err := p.send(ctx, more...)
	if err != nil {
		return 0, err
	}
	n, err := a.skip(len(a.all))
	return n, errors.Join(err, a.close())
}

// ask sends a statement with an answer after what has waited.
func (p *pgSession) ask(ctx context.Context, query string, args []any) (*answers, error) {
	a, err := p.send(ctx, statement{query, normal(args)})
	if err != nil {
		return nil, err
	}
	if _, err := a.skip(len(a.all) - 1); err != nil {
		return nil, errors.Join(err, a.close())
	}
	if a.Rows, err = a.br.Query(); err != nil {
		return nil, errors.Join(a.fault(err), a.close())
	}
	return a, nil
}

func (p *pgSession) nextID(ctx context.Context, _ string) (int64, error) {
	if p.readOnly {
		return 0, errReadOnly
	}
	if p.next == p.end {
		var err error
		if p.begun {
			err = p.takeBlock(p.queryRow(ctx, nextBlock))
		} else {
			_, err = p.flush(ctx) // its head takes one
		}
		if err != nil {
			return 0, err
		}
	}
	p.next++
	return p.next - 1, nil
}

func (p *pgSession) takeBlock(r scanner) error {
	if err := r.Scan(&p.next); err != nil {
		return err
	}
	p.end = p.next + block
	return nil
}

func (p *pgSession) try(ctx context.Context, fn func() error) (err, fatal error) {
	a := &attempt{from: len(p.queue), last: len(p.last), writes: p.writes}
	p.tries = append(p.tries, a)
	done := false
	defer func() {
		if !done { // fn has panicked
			p.tries = p.tries[:len(p.tries)-1]
		}
	}()
	err = fn()
	done = true
	p.tries = p.tries[:len(p.tries)-1]
	if err == nil {
		err = a.failed
	}
	if p.broken != nil {
		return err, p.broken
	}
	if err == nil {
		if a.set {
			err = p.exec(ctx, "RELEASE SAVEPOINT try")
		}
		return err, err
	}
	if p.writes != a.writes && !p.careful {
		p.broken = lane.ErrAgain
		return err, lane.ErrAgain
	}
	p.last = p.last[:a.last]
	if p.writes != a.writes {
		p.forgetAll() // it knows of writes that are not to be
	}
	if !a.set {
		p.queue = p.queue[:a.from]
		return err, nil
	}
	p.queue = p.queue[:a.from]
	return err, p.undo(ctx, a)
}

// undo takes back what an attempt has sent.
func (p *pgSession) undo(ctx context.Context, a *attempt) error {
	if a.failed == nil {
		p.queue = append(p.queue, statement{query: "ROLLBACK TO SAVEPOINT try"}, statement{query: "RELEASE SAVEPOINT try"})
		return nil
	}
	// At once: until then, the server does not even prepare a statement.
	ctx, cancel := context.WithTimeout(ctx, roundTrip)
	defer cancel()
	if err := p.c.PgConn().Exec(ctx, "ROLLBACK TO SAVEPOINT try; RELEASE SAVEPOINT try").Close(); err != nil {
		p.broken = err
	}
	return p.broken
}

func (p *pgSession) clean(text string) string { return cleanText(text) }

func (p *pgSession) tell(notice string) error {
	if p.readOnly {
		return errReadOnly
	}
	p.last = append(p.last, statement{"SELECT pg_notify('tidings', $1)", []any{cleanText(notice)}})
	return nil
}

// commit ends the transaction. Where nothing was sent and nothing waits, there
// is none.
func (p *pgSession) commit(ctx context.Context) error {
	if err := p.stopped(); err != nil {
		return err
	}
	if !p.begun && len(p.queue)+len(p.last) == 0 {
		return ctx.Err()
	}
	last := p.last
	if p.waits != "" { // it waits only where something was written
		last = append(last, statement{query: emit}, statement{query: p.waits})
	}
	_, err := p.flush(ctx, append(last, statement{query: "COMMIT"})...)
	if err != nil && !again(err) && !refused(err) {
		return fmt.Errorf("store: nothing is known of a COMMIT: %w", err)
	}
	return err
}

// rollback ends a transaction that is not to be. A connection on which that
// fails is closed, and with it the transaction.
func (p *pgSession) rollback(ctx context.Context) {
	if p.c.IsClosed() || p.c.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := p.c.Exec(ctx, "ROLLBACK"); err != nil {
		_ = p.c.Close(ctx)
	}
}

// normal are arguments as the server takes them.
func normal(args []any) []any {
	all := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case string:
			all[i] = cleanText(v)
		case int, int64, bool, []byte, nil, []int, []int64, []string:
			all[i] = v
		default:
			switch r := reflect.ValueOf(a); {
			case r.Kind() == reflect.String:
				all[i] = cleanText(r.String())
			case r.CanInt():
				all[i] = r.Int()
			default:
				all[i] = a
			}
		}
	}
	return all
}

// cleanText is a text as the server takes it: UTF-8 without NUL.
func cleanText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}
