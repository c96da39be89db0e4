package core

import "context"

// Proof is what a customer holds that shows an order to be theirs: an access
// token of the shop, and the order's code, or a guest's order's GUID.
type Proof struct {
	Site  string // empty: the configured one
	Token Secret // the customer's own; used for this one read, never kept
	Code  string // of an order of the customer the token is for, or a guest's GUID
	// GUID is that of a guest's order, which only the guest has been given; empty: not a guest's.
	GUID string
}

// Prover is a shop that lets customers show what is theirs.
type Prover interface {
	// OwnOrder reads the order with the customer's right and says whose it is: the
	// answer's CustomerUID is never empty. Whatever is not the customer's is an
	// error that does not tell whether it exists.
	OwnOrder(ctx context.Context, p Proof) (Order, error)
}
