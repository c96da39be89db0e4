//go:build faultpoints

package store

import (
	"context"
	"slices"

	"tidings/core/faultpoint"
)

// observed is a session that tells of what it writes.
func observed(c session) session { return &observedSession{session: c} }

type observedSession struct {
	session
	written []string // the statements since the transaction began, each once
}

func (w *observedSession) write(query string) string {
	faultpoint.Reach(faultpoint.Write, query)
	if !slices.Contains(w.written, query) {
		w.written = append(w.written, query)
	}
	return query
}

func (w *observedSession) exec(ctx context.Context, query string, args ...any) error {
	return w.session.exec(ctx, w.write(query), args...)
}

func (w *observedSession) execN(ctx context.Context, query string, args ...any) (int64, error) {
	return w.session.execN(ctx, w.write(query), args...)
}

func (w *observedSession) execIf(ctx context.Context, query string, args ...any) (bool, error) {
	return w.session.execIf(ctx, w.write(query), args...)
}

func (w *observedSession) writeRow(ctx context.Context, query string, args ...any) scanner {
	return w.session.writeRow(ctx, w.write(query), args...)
}

// committing and committed stand around the end of a transaction.
func committing(c session) { c.(*observedSession).reach(faultpoint.Commit) }

func committed(c session) { c.(*observedSession).reach(faultpoint.Committed) }

func (w *observedSession) reach(moment string) {
	for _, query := range w.written {
		faultpoint.Reach(moment, query)
	}
}

// transacting and transacted stand around a transaction in one pipeline.
func transacting(all []statement) { reachAll(faultpoint.Commit, all) }

func transacted(all []statement) { reachAll(faultpoint.Committed, all) }

func reachAll(moment string, all []statement) {
	for _, s := range all {
		if faultpoint.Writes(s.query) {
			faultpoint.Reach(moment, s.query)
		}
	}
}
