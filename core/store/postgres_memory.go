package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"tidings/core"
)

// asked is a query with its one argument.
type asked struct {
	query string
	arg   any
}

// rawRow is a row as it came, to be read as often as need be: what is read from
// it shares nothing with what was read before.
type rawRow struct {
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	values [][]byte
}

func (r rawRow) Scan(dest ...any) error { return pgx.ScanRow(r.types, r.fields, r.values, dest...) }

// memory is what a transaction has fetched. Its writes keep it right.
type memory struct {
	nothing

	rows   map[asked][]scanner
	claims map[string]*string // by hashed key; nil: free
	lanes  map[string]bool    // whether they have items
}

func (m *memory) forget(query string, arg any) {
	if arg != nil {
		delete(m.rows, asked{query, arg})
		return
	}
	for k := range m.rows {
		if k.query == query {
			delete(m.rows, k)
		}
	}
}

func (m *memory) forgetAll() { *m = memory{} }

func (p *pgSession) remembered(query string, arg any) ([]scanner, bool) {
	if p.stopped() != nil {
		return nil, false // whoever asks is to learn why
	}
	if text, ok := arg.(string); ok {
		arg = cleanText(text)
	}
	rows, ok := p.rows[asked{query, arg}]
	return rows, ok
}

func (p *pgSession) claimed(key []byte) (value string, taken, known bool) {
	v, known := p.claims[string(key)]
	if !known || p.stopped() != nil {
		return "", false, false
	}
	if v == nil {
		return "", false, true
	}
	return *v, true, true
}

func (p *pgSession) pending(lane string) (yes, known bool) {
	yes, known = p.lanes[cleanText(lane)]
	return yes, known && p.stopped() == nil
}

func (m *memory) noteClaim(key []byte, value string) { m.claims[string(key)] = &value }

func (m *memory) noteItem(lane string) {
	if _, known := m.lanes[cleanText(lane)]; known {
		m.lanes[cleanText(lane)] = true
	}
}

// noteRemoval forgets lanes that may have become empty.
func (m *memory) noteRemoval() {
	for lane, yes := range m.lanes {
		if yes {
			delete(m.lanes, lane)
		}
	}
}

// wanted are the queries for the rows that are going to be read.
func (p *pgSession) wanted(w core.Wants) []asked {
	var all []asked
	add := func(query string, ids []int64) {
		for _, id := range ids {
			all = append(all, asked{query, id})
		}
	}
	add(messageByID, w.Messages)
	add(partsOf, w.Messages)
	add(eventByID, w.Events)
	add(addressByID, w.Addresses)
	add(customerByID, w.Customers)
	add(linkOfAddress, w.LinksOfAddresses)
	for _, uid := range w.UIDs {
		all = append(all, asked{customerByUID, cleanText(lower(uid))})
	}
	seen := map[asked]bool{}
	return slices.DeleteFunc(all, func(a asked) bool {
		_, known := p.rows[a]
		twice := known || seen[a]
		seen[a] = true
		return twice
	})
}

const (
	fetchClaims = "SELECT key, value FROM claim WHERE key = ANY($1)"
	fetchLanes  = `SELECT name FROM unnest(CAST($1 AS TEXT[])) AS wanted(name) WHERE EXISTS (SELECT 1 FROM item WHERE lane = wanted.name)`
)

// fetch reads rows in one pipeline.
func (p *pgSession) fetch(ctx context.Context, w core.Wants) error {
	if p.rows == nil {
		p.memory = memory{rows: map[asked][]scanner{}, claims: map[string]*string{}, lanes: map[string]bool{}}
	}
	var more []statement
	keys := make([][]byte, len(w.Claims))
	for i, k := range w.Claims {
		keys[i] = claimKey(k)
	}
	if len(keys) > 0 {
		more = append(more, statement{fetchClaims, []any{keys}})
	}
	lanes := make([]string, len(w.Lanes))
	for i, name := range w.Lanes {
		lanes[i] = cleanText(name)
	}
	if len(lanes) > 0 {
		more = append(more, statement{fetchLanes, []any{lanes}})
	}
	wanted := p.wanted(w)
	for _, a := range wanted {
		more = append(more, statement{a.query, []any{a.arg}})
	}
	if len(more) == 0 {
		return nil
	}
	a, err := p.send(ctx, more...)
	if err != nil {
		return err
	}
	if _, err = a.skip(len(a.all) - len(more)); err == nil {
		err = p.keepAll(a, keys, lanes, wanted)
	}
	if closed := a.close(); err == nil {
		err = closed
	}
	if err != nil {
		p.memory = memory{}
	}
	return err
}

// keepAll keeps what was fetched.
func (p *pgSession) keepAll(a *answers, keys [][]byte, lanes []string, wanted []asked) error {
	if len(keys) > 0 {
		rows, err := p.raw(a)
		if err != nil {
			return err
		}
		for _, k := range keys {
			p.claims[string(k)] = nil
		}
		for _, r := range rows {
			var key []byte
			var value string
			if err := r.Scan(&key, &value); err != nil {
				return err
			}
			p.claims[string(key)] = &value
		}
	}
	if len(lanes) > 0 {
		rows, err := p.raw(a)
		if err != nil {
			return err
		}
		for _, name := range lanes {
			p.lanes[name] = false
		}
		for _, r := range rows {
			name, err := scanName(r)
			if err != nil {
				return err
			}
			p.lanes[name] = true
		}
	}
	for _, ask := range wanted {
		rows, err := p.raw(a)
		if err != nil {
			return err
		}
		p.rows[ask] = rows
	}
	return nil
}

// raw reads the rows of the next statement.
func (p *pgSession) raw(a *answers) ([]scanner, error) {
	rows, err := a.br.Query()
	if err != nil {
		return nil, a.fault(err)
	}
	defer rows.Close()
	var all []scanner
	fields := slices.Clone(rows.FieldDescriptions())
	for rows.Next() {
		values := slices.Clone(rows.RawValues())
		for i, v := range values {
			values[i] = slices.Clone(v)
		}
		all = append(all, rawRow{p.c.TypeMap(), fields, values})
	}
	a.at++
	return all, a.fault(rows.Err())
}
