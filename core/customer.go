package core

import (
	"errors"
	"fmt"
	"time"
)

// LivingCustomer returns the customer who has a uid at a time. Where the account
// of whoever had it was closed before, that is somebody new, or the same person
// with nothing of before: the closed one keeps what is theirs under another uid.
func LivingCustomer(tx Customers, uid string, now time.Time) (Customer, error) {
	c, err := tx.CustomerByUID(uid)
	if errors.Is(err, ErrNotFound) || err == nil && c.ClosedAt.IsZero() || err == nil && !now.After(c.ClosedAt) {
		return tx.EnsureCustomer(uid, now)
	}
	if err != nil {
		return c, err
	}
	if err := RetireCustomer(tx, c); err != nil {
		return c, err
	}
	return tx.EnsureCustomer(uid, now)
}

// RetireCustomer frees the uid of a customer.
func RetireCustomer(tx Customers, c Customer) error {
	c.UID = fmt.Sprintf("%s (closed %d)", c.UID, c.ID)
	return tx.SaveCustomer(c)
}
