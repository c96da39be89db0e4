package store

import (
	"errors"
	"time"

	"tidings/core"
)

const addressColumns = `a.id, a.channel, a.value, a.kind, a.locale, a.name, a.last_in_at, a.blocked_at, a.invited_at, a.created_at`

const addressByID = `SELECT ` + addressColumns + ` FROM address a WHERE a.id = $1`

type addressRow struct {
	a                               core.ChatAddress
	lastIn, blocked, invited, since int64
}

func (x *addressRow) fields() []any {
	return []any{
		&x.a.ID, &x.a.Channel, &x.a.Value, &x.a.Kind, &x.a.Locale, &x.a.Name,
		&x.lastIn, &x.blocked, &x.invited, &x.since,
	}
}

func (x *addressRow) address() core.ChatAddress {
	a := x.a
	a.LastInAt, a.BlockedAt, a.InvitedAt, a.CreatedAt = at(x.lastIn), at(x.blocked), at(x.invited), at(x.since)
	return a
}

func scanAddress(r scanner) (core.ChatAddress, error) {
	var x addressRow
	if err := r.Scan(x.fields()...); err != nil {
		return core.ChatAddress{}, found(err)
	}
	return x.address(), nil
}

// EnsureAddress returns an address, making it if need be.
func (t *tx) EnsureAddress(channel string, a core.Address, now time.Time) (core.ChatAddress, error) {
	known, err := t.AddressByValue(channel, a.Value)
	if !errors.Is(err, core.ErrNotFound) {
		return known, err
	}
	made := core.ChatAddress{Channel: t.c.clean(channel), CreatedAt: at(ms(now))}
	made.Value, made.Kind, made.Locale = t.c.clean(a.Value), a.Kind, t.c.clean(a.Locale)
	made.ID, err = t.insert("address", `INSERT INTO address (id, channel, value, kind, locale, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, channel, a.Value, a.Kind, a.Locale, ms(now))
	return made, err
}

// Address returns the address with an id.
func (t *tx) Address(id int64) (core.ChatAddress, error) {
	return known(t, scanAddress, addressByID, id)
}

// AddressByValue returns the address the platform knows by a value.
func (t *tx) AddressByValue(channel, value string) (core.ChatAddress, error) {
	return scanAddress(t.row(`SELECT `+addressColumns+` FROM address a WHERE a.channel = $1 AND a.value = $2`, channel, value))
}

// SaveAddress writes what can change of an address.
func (t *tx) SaveAddress(a core.ChatAddress) error {
	t.c.forget(addressByID, a.ID)
	t.c.forget(linksOfCustomer, nil)
	return t.exec(`UPDATE address SET value = $2, kind = $3, locale = $4, name = $5, last_in_at = $6, blocked_at = $7, invited_at = $8
		WHERE id = $1`, a.ID, a.Value, a.Kind, a.Locale, a.Name, ms(a.LastInAt), ms(a.BlockedAt), ms(a.InvitedAt))
}

const linkColumns = `l.id, l.customer_id, l.address_id, l.channel, l.state, l.purpose, l.evidence, l.subject, l.consent, l.consent_ver,
	l.site, l.order_code, l.created_at, l.changed_at`

const linkOfAddress = `SELECT ` + linkColumns + ` FROM link l WHERE l.address_id = $1 AND l.state <> 'ended'`

type linkRow struct {
	l                core.Link
	consent          []byte
	created, changed int64
}

func (x *linkRow) fields() []any {
	return []any{
		&x.l.ID, &x.l.CustomerID, &x.l.AddressID, &x.l.Channel, &x.l.State, &x.l.Purpose, &x.l.Evidence, &x.l.Subject,
		&x.consent, &x.l.ConsentVer, &x.l.Site, &x.l.OrderCode, &x.created, &x.changed,
	}
}

func (x *linkRow) link() core.Link {
	l := x.l
	l.Consent, l.CreatedAt, l.ChangedAt = string(x.consent), at(x.created), at(x.changed)
	return l
}

func scanLink(r scanner) (core.Link, error) {
	var x linkRow
	if err := r.Scan(x.fields()...); err != nil {
		return core.Link{}, found(err)
	}
	return x.link(), nil
}

// LinkOf returns the link of an address that has not ended.
func (t *tx) LinkOf(addressID int64) (core.Link, error) {
	return known(t, scanLink, linkOfAddress, addressID)
}

// Link returns the link with an id.
func (t *tx) Link(id int64) (core.Link, error) {
	return scanLink(t.row(`SELECT `+linkColumns+` FROM link l WHERE l.id = $1`, id))
}

const linksOfCustomer = `SELECT ` + linkColumns + `, ` + addressColumns + ` FROM link l JOIN address a ON a.id = l.address_id
	WHERE l.customer_id = $1 AND l.state <> 'ended' ORDER BY l.id DESC`

func scanLinked(r scanner) (core.LinkedAddress, error) {
	var l linkRow
	var a addressRow
	err := r.Scan(append(l.fields(), a.fields()...)...)
	return core.LinkedAddress{Link: l.link(), Address: a.address()}, err
}

// LinksOf returns the links of a customer that have not ended, newest first.
func (t *tx) LinksOf(customerID int64) ([]core.LinkedAddress, error) {
	if rows, ok := t.c.remembered(linksOfCustomer, customerID); ok {
		return scanAll(rows, scanLinked)
	}
	return list(t, scanLinked, linksOfCustomer, customerID)
}

// LinksBySubject returns the links that are of one account of a login.
func (t *tx) LinksBySubject(channel, subject string) ([]core.Link, error) {
	return list(t, scanLink, `SELECT `+linkColumns+` FROM link l
		WHERE l.channel = $1 AND l.subject = $2 AND l.subject <> '' ORDER BY l.id`, channel, subject)
}

// LinkHistory returns all links of a customer, newest first.
func (t *tx) LinkHistory(customerID int64) ([]core.LinkedAddress, error) {
	return list(t, scanLinked, `SELECT `+linkColumns+`, `+addressColumns+` FROM link l JOIN address a ON a.id = l.address_id
		WHERE l.customer_id = $1 ORDER BY l.id DESC`, customerID)
}

// InsertLink writes a new link.
func (t *tx) InsertLink(l core.Link) (int64, error) {
	id, err := t.c.nextID(t.ctx, "link")
	if err != nil {
		return 0, err
	}
	t.c.forget(linkOfAddress, l.AddressID)
	t.c.forget(linksOfCustomer, nil)
	// At once: that an address has a link already is to be its caller's error.
	_, err = t.execN(`INSERT INTO link (id, customer_id, address_id, channel, state, purpose, evidence, subject, consent, consent_ver,
		site, order_code, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)`,
		id, l.CustomerID, l.AddressID, l.Channel, l.State, l.Purpose, l.Evidence, l.Subject, blob(l.Consent), l.ConsentVer,
		l.Site, l.OrderCode, ms(l.CreatedAt))
	return id, err
}

// SaveLink writes what can change of a link.
func (t *tx) SaveLink(l core.Link) error {
	t.c.forget(linksOfCustomer, nil)
	t.c.forget(linkOfAddress, nil) // it may have been another address's
	return t.exec(`UPDATE link SET state = $2, address_id = $3, evidence = $4, subject = $5, changed_at = $6 WHERE id = $1`,
		l.ID, l.State, l.AddressID, l.Evidence, l.Subject, ms(l.ChangedAt))
}

const optInColumns = `o.id, o.customer_uid, o.site, o.order_code, o.locale, o.purpose, o.consent, o.consent_ver, o.channels, o.proof, o.created_at, o.expires_at`

func scanOptIn(r scanner) (core.OptIn, error) {
	var o core.OptIn
	var consent, channels []byte
	var created, expires int64
	err := r.Scan(&o.ID, &o.CustomerUID, &o.Site, &o.OrderCode, &o.Locale, &o.Purpose, &consent, &o.ConsentVer,
		&channels, &o.Proof, &created, &expires)
	if err != nil {
		return o, found(err)
	}
	o.Consent, o.CreatedAt, o.ExpiresAt = string(consent), at(created), at(expires)
	return o, unpack(channels, &o.Channels)
}

// packChannels keeps no channels as an empty list.
func packChannels(names []string) ([]byte, error) {
	if names == nil {
		names = []string{}
	}
	return pack(names)
}

// InsertOptIn writes an offer to link.
func (t *tx) InsertOptIn(o core.OptIn) (int64, error) {
	channels, err := packChannels(o.Channels)
	if err != nil {
		return 0, err
	}
	return t.insert("opt_in", `INSERT INTO opt_in (id, customer_uid, site, order_code, locale, purpose, consent, consent_ver,
		channels, created_at, expires_at, proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		o.CustomerUID, o.Site, o.OrderCode, o.Locale, o.Purpose, blob(o.Consent), o.ConsentVer, channels,
		ms(o.CreatedAt), ms(o.ExpiresAt), o.Proof)
}

// MoveOptIns makes the offers for a uid those for another.
func (t *tx) MoveOptIns(from, to string) error {
	return t.exec(`UPDATE opt_in SET customer_uid = $2 WHERE customer_uid = $1`, from, to)
}

// InsertCode keeps the hash of a short code of an offer.
func (t *tx) InsertCode(optInID int64, channel, hash string) error {
	return t.exec(`INSERT INTO opt_in_code (channel, hash, opt_in_id) VALUES ($1, $2, $3) ON CONFLICT (channel, hash) DO NOTHING`,
		channel, hash, optInID)
}

// OptIn returns the offer with an id.
func (t *tx) OptIn(id int64) (core.OptIn, error) {
	return scanOptIn(t.row(`SELECT `+optInColumns+` FROM opt_in o WHERE o.id = $1`, id))
}

// LiveOptIn returns the newest like offer that lasts beyond a time and that
// nobody has used.
func (t *tx) LiveOptIn(o core.OptIn, until time.Time) (core.OptIn, error) {
	channels, err := packChannels(o.Channels)
	if err != nil {
		return o, err
	}
	return scanOptIn(t.row(`SELECT `+optInColumns+` FROM opt_in o
		WHERE o.customer_uid = $1 AND o.site = $2 AND o.order_code = $3 AND o.purpose = $4 AND o.locale = $5 AND o.consent = $6
		  AND o.consent_ver = $7 AND o.channels = $8 AND o.expires_at > $9 AND o.proof = $10
		  AND NOT EXISTS (SELECT 1 FROM opt_in_use u WHERE u.opt_in_id = o.id)
		ORDER BY o.id DESC LIMIT 1`,
		o.CustomerUID, o.Site, o.OrderCode, o.Purpose, o.Locale, blob(o.Consent), o.ConsentVer, channels, ms(until), o.Proof))
}

// OptInByCode returns the offer a short code stands for.
func (t *tx) OptInByCode(channel string, hashes []string) (core.OptIn, error) {
	for _, hash := range hashes {
		o, err := scanOptIn(t.row(`SELECT `+optInColumns+` FROM opt_in_code c JOIN opt_in o ON o.id = c.opt_in_id
			WHERE c.channel = $1 AND c.hash = $2`, channel, hash))
		if !errors.Is(err, core.ErrNotFound) {
			return o, err
		}
	}
	return core.OptIn{}, core.ErrNotFound
}

// UseOptIn takes an offer for one channel.
func (t *tx) UseOptIn(id int64, channel string, addressID int64, now time.Time) (bool, int64, error) {
	n, err := t.execN(`INSERT INTO opt_in_use (opt_in_id, channel, address_id, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (opt_in_id, channel) DO NOTHING`, id, channel, addressID, ms(now))
	if err != nil || n == 1 {
		return n == 1, addressID, err
	}
	var by int64
	err = t.row(`SELECT address_id FROM opt_in_use WHERE opt_in_id = $1 AND channel = $2`, id, channel).Scan(&by)
	return false, by, err
}
