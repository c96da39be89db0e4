package hybris

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tidings/core"
)

// Order reads an order by its code (or GUID) with the right of a trusted client,
// which may read any: so the owner is compared here. Where the answer names no
// owner, the order is asked for in the customer's name and the shop compares.
func (c *Client) Order(ctx context.Context, q core.OrderQuery) (core.Order, error) {
	o, err := c.fetchOrder(ctx, q, "orders", q.Code)
	if isNotFound(err) {
		o, err = c.orderOtherwise(ctx, q, err)
	}
	if err != nil || q.CustomerUID == "" {
		return o, err
	}
	if o.CustomerUID == "" {
		if o, err = c.ownedOrder(ctx, q); err != nil {
			return core.Order{}, err
		}
	}
	if !sameUID(o.CustomerUID, q.CustomerUID) {
		return core.Order{}, &core.ShopError{Class: core.Rejected, NotFound: true, Status: http.StatusOK,
			Err: errors.New("read order: it is another customer's")}
	}
	return o, nil
}

// orderOtherwise reads an order which the shop does not find by what it is named
// by: installations differ in whether "orders" takes codes, GUIDs or both. Among
// those of a customer the code will do, and for a guest's the GUID.
func (c *Client) orderOtherwise(ctx context.Context, q core.OrderQuery, none error) (core.Order, error) {
	if q.CustomerUID != "" {
		if o, err := c.ownedOrder(ctx, q); !withheld(err) {
			return o, err
		}
	}
	if isGUID(q.Code) {
		if o, err := c.fetchOrder(ctx, q, "users", anonymous, "orders", q.Code); !withheld(err) {
			return o, err
		}
	}
	return core.Order{}, none
}

// ownedOrder reads an order in its customer's name. Nobody is called anonymous.
func (c *Client) ownedOrder(ctx context.Context, q core.OrderQuery) (core.Order, error) {
	if q.CustomerUID == anonymous {
		return core.Order{}, notShown()
	}
	o, err := c.fetchOrder(ctx, q, "users", q.CustomerUID, "orders", q.Code)
	if err == nil && o.CustomerUID == "" {
		o.CustomerUID = q.CustomerUID
	}
	return o, err
}

// fetchOrder reads the order at a path.
func (c *Client) fetchOrder(ctx context.Context, q core.OrderQuery, path ...string) (core.Order, error) {
	request := call{op: "read order", method: http.MethodGet, site: q.Site, path: path, query: full(q.Locale)}
	a, err := c.localized(ctx, request)
	if err != nil {
		return core.Order{}, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return core.Order{}, unreadable(request, a)
	}
	o := readOrder(n)
	if o.Code == "" {
		o.Code = q.Code
	}
	return o, nil
}

// Tracking completes a consignment with the carrier's data. Tracking is an
// extension that many shops lack or keep for customers: any answer but the data
// leaves the consignment as it is. Only a shop that cannot be asked is an error.
func (c *Client) Tracking(ctx context.Context, q core.OrderQuery, parcel core.Consignment) (core.Consignment, error) {
	if q.CustomerUID == "" || parcel.Code == "" {
		return parcel, nil
	}
	request := call{
		op:     "read tracking",
		method: http.MethodGet,
		site:   q.Site,
		path:   []string{"users", q.CustomerUID, "orders", q.Code, "consignments", parcel.Code, "tracking"},
		query:  full(q.Locale),
	}
	a, err := c.localized(ctx, request)
	if withheld(err) {
		return parcel, nil
	}
	if err != nil {
		return parcel, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return parcel, nil //nolint:nilerr // an answer that cannot be read is no tracking; the order goes out without
	}
	return tracked(parcel, n), nil
}

// withheld reports that the shop answered and does not give this.
func withheld(err error) bool {
	var e *core.ShopError
	return errors.As(err, &e) && (e.Class == core.Rejected || e.Type == "AccessDeniedError")
}

func tracked(parcel core.Consignment, n node) core.Consignment {
	if id := n.get("trackingID", "trackingId").text(); id != "" {
		parcel.TrackingID = id
	}
	if u := absoluteURL(n.get("trackingUrl", "trackingURL").text(), "https", "http"); u != "" {
		parcel.TrackingURL = u
	}
	if carrier := firstText(n.at("carrierDetails", "name"), n.at("carrierDetails", "code")); carrier != "" {
		parcel.Carrier = carrier
	}
	return parcel
}

// localized makes a call with lang. A language that the shop does not speak costs
// the language, not the answer.
func (c *Client) localized(ctx context.Context, request call) (answer, error) {
	a, err := c.do(ctx, request)
	if !isType(err, typeLanguage) {
		return a, err
	}
	request.query.Del("lang")
	return c.do(ctx, request)
}

// full asks for every field, and for texts in a language where one is known.
func full(locale string) url.Values {
	v := url.Values{"fields": {"FULL"}}
	if l := language(locale); l != "" {
		v.Set("lang", l)
	}
	return v
}

// language turns a BCP 47 tag into the language an OCC call is asked for.
func language(locale string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	return strings.ToLower(base)
}

// sameUID compares two uids, the letters A to Z without regard to case: the shop
// stores the uid of a registered customer in lower case, whatever was typed. No
// other folding, which could make one customer of two. A guest's uid is
// "guid|mail" and only ever equal to itself: a mail address alone proves nothing.
func sameUID(a, b string) bool {
	return a != "" && core.SameUID(a, b)
}

func isNotFound(err error) bool {
	var e *core.ShopError
	return errors.As(err, &e) && e.NotFound
}

func isType(err error, t string) bool {
	var e *core.ShopError
	return errors.As(err, &e) && e.Type == t
}
