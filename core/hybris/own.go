package hybris

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"tidings/core"
)

// errNotShown is for an order that what the customer holds does not show to be theirs.
var errNotShown = errors.New("read own order: not shown to be the customer's")

// leastGUID is how long a GUID is at least, in characters: one of fewer could be
// an order's code, which anybody can count up to. The shop's own have 36, as
// UUIDs do, or 40.
const leastGUID = 32

// anonymous is the user of whoever is not logged in. It owns no order.
const anonymous = "anonymous"

// isGUID reports whether a text can be an order's GUID: hexadecimal digits, with
// or without dashes.
func isGUID(s string) bool {
	return len(s) >= leastGUID && strings.Trim(s, "0123456789abcdefABCDEF-") == ""
}

// OwnOrder implements core.Prover. The customer's token reads the order of
// users/current, which is the customer the token is for; a guest's order is read
// as users/anonymous by its GUID. Our own token is no part of either proof: it
// may read any order, so it is only asked who owns one that has been shown.
func (c *Client) OwnOrder(ctx context.Context, p core.Proof) (core.Order, error) {
	if p.GUID == "" && isGUID(p.Code) {
		p.GUID = p.Code
	}
	if p.Token == "" || !c.knows(p.Site) || p.GUID != "" && !isGUID(p.GUID) {
		return core.Order{}, notShown()
	}
	user, code := "current", p.Code
	if p.GUID != "" {
		user, code = anonymous, p.GUID
	}
	o, err := c.shownOrder(ctx, p, user, code)
	if err != nil {
		return core.Order{}, err
	}
	if o.CustomerUID == "" {
		owned, err := c.fetchOrder(ctx, core.OrderQuery{Site: p.Site}, "orders", o.Code)
		if err != nil {
			return core.Order{}, err
		}
		if owned.Code != o.Code {
			return core.Order{}, notShown()
		}
		o.CustomerUID = owned.CustomerUID
	}
	if o.CustomerUID == "" || (p.GUID != "") != isGuest(o.CustomerUID) {
		return core.Order{}, notShown()
	}
	return o, nil
}

// shownOrder reads an order with the customer's token, once, and makes sure that
// the answer is the order that was asked for.
func (c *Client) shownOrder(ctx context.Context, p core.Proof, user, code string) (core.Order, error) {
	request := call{
		op: "read own order", method: http.MethodGet, site: p.Site,
		path: []string{"users", user, "orders", code}, query: full(""),
	}
	target, err := c.target(request)
	if err != nil {
		return core.Order{}, err
	}
	a, err := c.send(ctx, request, target, p.Token.Reveal())
	if a, err = c.settle(request, a, err); err != nil {
		return core.Order{}, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return core.Order{}, unreadable(request, a)
	}
	o := readOrder(n)
	if o.Code == "" || p.GUID == "" && o.Code != code && o.GUID != code || p.GUID != "" && !sameGUID(o, p.GUID) {
		return core.Order{}, notShown()
	}
	return o, nil
}

// sameGUID reports whether an order has the GUID that was shown. A shop that
// finds a guest's order by its code, too, must not have it shown by that.
func sameGUID(o core.Order, guid string) bool {
	return o.Code != guid && subtle.ConstantTimeCompare([]byte(strings.ToLower(o.GUID)), []byte(strings.ToLower(guid))) == 1
}

// knows reports whether a base site is one of the configured ones.
func (c *Client) knows(site string) bool {
	if site == "" || site == c.site {
		return true
	}
	for _, s := range c.sites {
		if s.ID == site {
			return true
		}
	}
	return false
}

// isGuest reports whether a uid is a guest's, "guid|mail".
func isGuest(uid string) bool {
	guid, mail, ok := strings.Cut(uid, "|")
	return ok && guid != "" && mail != ""
}

func notShown() *core.ShopError {
	return &core.ShopError{Class: core.Rejected, NotFound: true, Err: errNotShown}
}
