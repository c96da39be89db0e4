package store

import (
	"context"
	"errors"
	"slices"
	"strings"

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

// kind is one of the queries whose rows can be fetched for many arguments at once.
type kind struct {
	query string
	many  string // for an array of arguments; its last column says for which one a row is
	args  func(w core.Wants) []any
}

var kinds = []kind{
	byID(messageByID, func(w core.Wants) []int64 { return w.Messages }),
	byID(partsOf, func(w core.Wants) []int64 { return w.Messages }),
	byID(eventByID, func(w core.Wants) []int64 { return w.Events }),
	byID(addressByID, func(w core.Wants) []int64 { return w.Addresses }),
	byID(customerByID, func(w core.Wants) []int64 { return w.Customers }),
	byID(linkOfAddress, func(w core.Wants) []int64 { return w.LinksOfAddresses }),
	byID(linksOfCustomer, func(w core.Wants) []int64 { return w.LinksOfCustomers }),
	{query: customerByUID, many: many(customerByUID, "TEXT"), args: func(w core.Wants) []any {
		var all []any
		for _, uid := range w.UIDs {
			all = append(all, cleanText(lower(uid)))
		}
		return all
	}},
}

func byID(query string, ids func(core.Wants) []int64) kind {
	return kind{query: query, many: many(query, "BIGINT"), args: func(w core.Wants) []any {
		var all []any
		for _, id := range ids(w) {
			all = append(all, id)
		}
		return all
	}}
}

func many(query, typ string) string {
	//nolint:unqueryvet // the columns are those of the query
	return "SELECT found.*, wanted.arg FROM unnest(CAST($1 AS " + typ + "[])) AS wanted(arg) CROSS JOIN LATERAL (" +
		strings.ReplaceAll(query, "$1", "wanted.arg") + ") AS found"
}

// unknown are the arguments of a query whose rows are wanted and not known yet.
func (p *pgSession) unknown(k kind, w core.Wants) []any {
	seen := map[any]bool{}
	return slices.DeleteFunc(k.args(w), func(arg any) bool {
		_, known := p.rows[asked{k.query, arg}]
		twice := known || seen[arg]
		seen[arg] = true
		return twice
	})
}

// linksOfUIDs is linksOfCustomer for the customers with many uids; the last column
// says for which one a row is.
//
//nolint:unqueryvet // as many
var linksOfUIDs = "SELECT found.*, c.id FROM unnest(CAST($1 AS TEXT[])) AS wanted(uid) JOIN customer c ON lower(c.uid) = wanted.uid CROSS JOIN LATERAL (" +
	strings.ReplaceAll(linksOfCustomer, "$1", "c.id") + ") AS found"

const (
	fetchClaims = "SELECT key, value FROM claim WHERE key = ANY($1)"
	fetchLanes  = `SELECT name FROM unnest(CAST($1 AS TEXT[])) AS wanted(name) WHERE EXISTS (SELECT 1 FROM item WHERE lane = wanted.name)`
)

// hold keeps the rows of shards as they are until the end, and fetches.
func (p *pgSession) hold(ctx context.Context, shards []int, w core.Wants) (map[int]int64, error) {
	epochs := map[int]int64{}
	if len(shards) == 0 {
		return epochs, p.fetch(ctx, w)
	}
	return epochs, p.gather(ctx, w, statement{"SELECT id, epoch FROM shard WHERE id = ANY($1) ORDER BY id FOR SHARE", []any{shards}},
		func(r scanner) error {
			var id int
			var epoch int64
			err := r.Scan(&id, &epoch)
			epochs[id] = epoch
			return err
		})
}

// fetch reads rows in one pipeline.
func (p *pgSession) fetch(ctx context.Context, w core.Wants) error {
	return p.gather(ctx, w, statement{}, nil)
}

// gather is fetch, after the rows of a first statement, if there is one.
func (p *pgSession) gather(ctx context.Context, w core.Wants, first statement, each func(scanner) error) error {
	if p.rows == nil {
		p.memory = memory{rows: map[asked][]scanner{}, claims: map[string]*string{}, lanes: map[string]bool{}}
	}
	want := p.wanted(w)
	more := want.all
	if each != nil {
		more = append([]statement{first}, more...)
	}
	if len(more) == 0 {
		return nil
	}
	a, err := p.send(ctx, more...)
	if err != nil {
		return err
	}
	if _, err = a.skip(len(a.all) - len(more)); err == nil && each != nil {
		err = p.eachRow(a, each)
	}
	if err == nil {
		err = p.keepAll(a, want)
	}
	if closed := a.close(); err == nil {
		err = closed
	}
	if err != nil {
		p.memory = memory{}
	}
	return err
}

// wanted is what is to be fetched, and the statements for it.
type wanted struct {
	all   []statement
	keys  [][]byte
	lanes []string
	args  map[string][]any // by query
	uids  []string
}

// wanted leaves out what is known already.
func (p *pgSession) wanted(w core.Wants) wanted {
	want := wanted{keys: make([][]byte, len(w.Claims)), lanes: make([]string, len(w.Lanes)), args: map[string][]any{}, uids: p.uids(w)}
	for i, k := range w.Claims {
		want.keys[i] = claimKey(k)
	}
	if len(want.keys) > 0 {
		want.all = append(want.all, statement{fetchClaims, []any{want.keys}})
	}
	for i, name := range w.Lanes {
		want.lanes[i] = cleanText(name)
	}
	if len(want.lanes) > 0 {
		want.all = append(want.all, statement{fetchLanes, []any{want.lanes}})
	}
	for _, k := range kinds {
		if args := p.unknown(k, w); len(args) > 0 {
			want.args[k.query] = args
			want.all = append(want.all, statement{k.many, []any{typed(args)}})
		}
	}
	if len(want.uids) > 0 {
		want.all = append(want.all, statement{linksOfUIDs, []any{want.uids}})
	}
	return want
}

// eachRow reads the rows of the next statement.
func (p *pgSession) eachRow(a *answers, each func(scanner) error) error {
	rows, err := p.raw(a)
	for _, r := range rows {
		err = errors.Join(err, each(r))
	}
	return err
}

// uids are those of the customers whose links are wanted.
func (p *pgSession) uids(w core.Wants) []string {
	all := make([]string, len(w.LinksOfUIDs))
	for i, uid := range w.LinksOfUIDs {
		all[i] = cleanText(lower(uid))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// keepLinks keeps the links of the customers with some uids, who are known already.
func (p *pgSession) keepLinks(a *answers, uids []string) error {
	var ids []any
	for _, uid := range uids {
		for _, r := range p.rows[asked{customerByUID, uid}] {
			c, err := scanCustomer(r)
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
	}
	return p.keepRows(a, linksOfCustomer, ids, int64(0))
}

// typed is an array as pgx takes it.
func typed(args []any) any {
	if _, text := args[0].(string); text {
		return all[string](args)
	}
	return all[int64](args)
}

func all[T any](args []any) []T {
	of := make([]T, len(args))
	for i, a := range args {
		of[i], _ = a.(T)
	}
	return of
}

// keepAll keeps what was fetched.
func (p *pgSession) keepAll(a *answers, want wanted) error {
	if len(want.keys) > 0 {
		if err := p.keepClaims(a, want.keys); err != nil {
			return err
		}
	}
	if len(want.lanes) > 0 {
		if err := p.keepLanes(a, want.lanes); err != nil {
			return err
		}
	}
	for _, k := range kinds {
		if args := want.args[k.query]; len(args) > 0 {
			if err := p.keepRows(a, k.query, args, args[0]); err != nil {
				return err
			}
		}
	}
	if len(want.uids) > 0 {
		return p.keepLinks(a, want.uids)
	}
	return nil
}

func (p *pgSession) keepClaims(a *answers, keys [][]byte) error {
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
	return nil
}

func (p *pgSession) keepLanes(a *answers, lanes []string) error {
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
	return nil
}

// keepRows keeps the rows of a query for many arguments, which are like one.
func (p *pgSession) keepRows(a *answers, query string, args []any, like any) error {
	rows, err := p.raw(a)
	if err != nil {
		return err
	}
	for _, arg := range args {
		p.rows[asked{query, arg}] = nil
	}
	for _, r := range rows {
		arg, row, err := r.split(like)
		if err != nil {
			return err
		}
		key := asked{query, arg}
		p.rows[key] = append(p.rows[key], row)
	}
	return nil
}

// split takes the argument for which it is off the end of a row.
func (r rawRow) split(like any) (arg any, row rawRow, err error) {
	last := len(r.fields) - 1
	f := r.fields[last]
	if _, text := like.(string); text {
		var v string
		err = r.types.Scan(f.DataTypeOID, f.Format, r.values[last], &v)
		arg = v
	} else {
		var v int64
		err = r.types.Scan(f.DataTypeOID, f.Format, r.values[last], &v)
		arg = v
	}
	return arg, rawRow{r.types, r.fields[:last], r.values[:last]}, err
}

// raw reads the rows of the next statement.
func (p *pgSession) raw(a *answers) ([]rawRow, error) {
	rows, err := a.br.Query()
	if err != nil {
		return nil, a.fault(err)
	}
	defer rows.Close()
	var all []rawRow
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
