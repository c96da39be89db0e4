package store

import (
	"errors"
	"time"

	"tidings/core"
)

const customerColumns = `id, uid, name, locale, preferred, created_at, closed_at, merged_into`

const (
	customerByID  = `SELECT ` + customerColumns + ` FROM customer WHERE id = $1`
	customerByUID = `SELECT ` + customerColumns + ` FROM customer WHERE lower(uid) = $1`
)

func scanCustomer(r scanner) (core.Customer, error) {
	var c core.Customer
	var preferred []byte
	var created, closed int64
	if err := r.Scan(&c.ID, &c.UID, &c.Name, &c.Locale, &preferred, &created, &closed, &c.MergedInto); err != nil {
		return c, found(err)
	}
	c.CreatedAt, c.ClosedAt = at(created), at(closed)
	return c, unpack(preferred, &c.Preferred)
}

// EnsureCustomer returns the customer with a uid, making one if need be.
func (t *tx) EnsureCustomer(uid string, now time.Time) (core.Customer, error) {
	c, err := t.CustomerByUID(uid)
	if !errors.Is(err, core.ErrNotFound) {
		return c, err
	}
	t.c.forget(customerByUID, lower(uid))
	c = core.Customer{UID: t.c.clean(uid), CreatedAt: at(ms(now))}
	c.ID, err = t.insert("customer", `INSERT INTO customer (id, uid, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, uid, ms(now))
	return c, err
}

// lower is the lower case of ASCII, which is how both databases compare uids.
func lower(uid string) string {
	b := []byte(uid)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Customer returns the customer with an id.
func (t *tx) Customer(id int64) (core.Customer, error) {
	return known(t, scanCustomer, customerByID, id)
}

// CustomerByUID returns the customer with a uid.
func (t *tx) CustomerByUID(uid string) (core.Customer, error) {
	return known(t, scanCustomer, customerByUID, lower(uid))
}

// SaveCustomer writes what can change of a customer.
func (t *tx) SaveCustomer(c core.Customer) error {
	preferred, err := pack(c.Preferred)
	if err != nil {
		return err
	}
	t.c.forget(customerByID, c.ID)
	t.c.forget(customerByUID, nil)
	t.c.forget(messageByID, nil) // has the uid
	return t.exec(`UPDATE customer SET uid = $2, name = $3, locale = $4, preferred = $5, closed_at = $6, shop_token = coalesce($7, shop_token) WHERE id = $1`,
		c.ID, c.UID, c.Name, c.Locale, preferred, ms(c.ClosedAt), c.ShopToken)
}

// ShopToken returns the sealed token a customer has left.
func (t *tx) ShopToken(customerID int64) ([]byte, error) {
	var sealed []byte
	if err := t.row(`SELECT shop_token FROM customer WHERE id = $1`, customerID).Scan(&sealed); err != nil {
		return nil, found(err)
	}
	if len(sealed) <= len(core.NoShopToken) {
		return nil, core.ErrNotFound
	}
	return sealed, nil
}

// MergeCustomer gives all that one customer has to another.
func (t *tx) MergeCustomer(from, into int64) error {
	t.c.forgetAll()
	for _, query := range []string{
		`UPDATE link SET customer_id = $2 WHERE customer_id = $1`,
		`UPDATE shop_order SET customer_id = $2, seq = seq + (SELECT coalesce(max(o.seq), 0) FROM shop_order o WHERE o.customer_id = $2)
			WHERE customer_id = $1`,
		`UPDATE conversation SET customer_id = $2 WHERE customer_id = $1`,
		`UPDATE message SET customer_id = $2 WHERE customer_id = $1`,
		`UPDATE customer SET merged_into = $2, uid = uid || ' (merged ' || CAST(id AS TEXT) || ')' WHERE id = $1`,
	} {
		if err := t.exec(query, from, into); err != nil {
			return err
		}
	}
	return nil
}

// RememberOrder notes whose order it is. One that is known keeps its place
// among its owner's orders; with another owner it is that one's newest.
func (t *tx) RememberOrder(site, code string, customerID int64) error {
	return t.exec(`INSERT INTO shop_order (site, code, customer_id, seq)
		VALUES ($1, $2, $3, (SELECT coalesce(max(seq), 0) + 1 FROM shop_order WHERE customer_id = $3))
		ON CONFLICT (site, code) DO UPDATE SET customer_id = excluded.customer_id, seq = excluded.seq
		WHERE shop_order.customer_id <> excluded.customer_id`, site, code, customerID)
}

// OrderOwner returns whose order it is.
func (t *tx) OrderOwner(site, code string) (int64, error) {
	var id int64
	err := t.row(`SELECT customer_id FROM shop_order WHERE site = $1 AND code = $2`, site, code).Scan(&id)
	return id, found(err)
}

// OrdersOf returns a customer's known orders, newest first.
func (t *tx) OrdersOf(customerID int64, limit int) ([]core.OrderQuery, error) {
	return list(t, func(r scanner) (core.OrderQuery, error) {
		var q core.OrderQuery
		return q, r.Scan(&q.Site, &q.Code)
	}, `SELECT site, code FROM shop_order WHERE customer_id = $1 ORDER BY seq DESC LIMIT $2`, customerID, limit)
}

// Rank returns the highest rank told of an entity.
func (t *tx) Rank(entity string) (int, error) {
	var rank int
	err := t.row(`SELECT coalesce(max(rank), 0) FROM entity_rank WHERE entity = $1`, entity).Scan(&rank)
	return rank, err
}

// SetRank notes a rank told of an entity; only a higher one counts.
func (t *tx) SetRank(entity string, rank int) error {
	return t.exec(`INSERT INTO entity_rank (entity, rank) VALUES ($1, $2)
		ON CONFLICT (entity) DO UPDATE SET rank = excluded.rank WHERE entity_rank.rank < excluded.rank`, entity, rank)
}
