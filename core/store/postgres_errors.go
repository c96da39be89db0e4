package store

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tidings/core/lane"
)

// errReadOnly is the answer to a write in a View.
var errReadOnly = errors.New("store: a view cannot write")

// again reports whether a transaction may succeed when it is run once more:
// another one was in its way.
func again(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return false
	}
	switch pe.Code { // https://www.postgresql.org/docs/15/errcodes-appendix.html
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return true
	}
	return false
}

// refused reports whether a statement and its values are at fault.
func refused(err error) bool {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		if len(pe.Code) < 2 {
			return false
		}
		switch pe.Code[:2] {
		case "21", "22", "23", "42", "44", "54": // data, constraint, syntax, a limit of the program
			return true
		}
		return false
	}
	return encodeFault(err)
}

// encodeFault reports whether a value could not even be sent.
func encodeFault(err error) bool {
	var scan pgx.ScanArgError
	var prep pgx.ErrPreprocessingBatch
	return errors.As(err, &scan) || errors.As(err, &prep) || strings.Contains(err.Error(), "failed to encode")
}

// stale reports whether the connection is of no more use, and another one may be.
func stale(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return true
	}
	switch {
	case strings.HasPrefix(pe.Code, "08"), strings.HasPrefix(pe.Code, "57P"): // connection, shutdown
		return true
	case pe.Code == "25006", pe.Code == "25P03": // it has become a standby; the transaction was idle for too long
		return true
	case pe.Code == "0A000", pe.Code == "26000": // the tables have changed beneath prepared statements, or these are gone
		return true
	}
	return false
}

// blame says whose fault a failed transaction is.
func blame(err error) error {
	if err != nil && refused(err) {
		return fmt.Errorf("%w: %w", lane.ErrRefused, err)
	}
	return err
}

// Away reports whether an error means that the server cannot be had for the
// moment: it is starting, stopping, or its standby has not taken over yet.
func Away(err error) bool {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return stale(err) || strings.HasPrefix(pe.Code, "53") // what it is short of
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true // nobody answered, or only one that does not take writes
	}
	_, cut := errors.AsType[*net.OpError](err)
	return cut || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
