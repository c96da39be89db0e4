package core

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	c.UID += c.retired()
	return tx.SaveCustomer(c)
}

// RetiredUID is the uid a customer had until it was freed; empty: they have theirs.
func (c Customer) RetiredUID() string {
	uid, retired := strings.CutSuffix(c.UID, c.retired())
	if !retired {
		return ""
	}
	return uid
}

func (c Customer) retired() string { return fmt.Sprintf(" (closed %d)", c.ID) }

// SameAs reports whether nothing has happened to a customer's account since c was
// read that changes whose events they get.
func (c Customer) SameAs(before Customer) bool {
	return c.UID == before.UID && c.MergedInto == before.MergedInto && c.ClosedAt.Equal(before.ClosedAt)
}

// GuestOrderKey is claimed when the shop itself has told that an order is a
// guest's: that the mail address a guest has typed is an account's proves nothing.
func GuestOrderKey(customerID int64, site, order string) string {
	return strings.Join([]string{"guest", strconv.FormatInt(customerID, 10), site, order}, "\x00")
}

// WasGuest reports whether a uid is that of a guest, "guid|mail", with the mail
// address that is another uid.
func WasGuest(guest, uid string) bool {
	_, mail, ok := strings.Cut(guest, "|")
	return ok && mail != "" && SameUID(mail, uid)
}

// SameUID reports whether two uids are one customer's: SAP Commerce lower-cases
// them at registration, callers do not always. Only the letters A to Z are
// alike: any other folding could make one customer of two.
func SameUID(a, b string) bool { return lowerASCII(a) == lowerASCII(b) }

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
