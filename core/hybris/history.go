package hybris

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

var _ core.History = (*Client)(nil)

// How much of a list is read: the newest entries, in pages as OCC has them by default.
const (
	listPage = 20
	mostRows = 100
)

// feedTime is how the status feed wants its timestamp.
const feedTime = "2006-01-02T15:04:05-0700"

// Orders lists a customer's newest orders (OCC "orders" of a user, which a trusted
// client may read).
func (c *Client) Orders(ctx context.Context, site, customerUID string, since time.Time) ([]core.EntityState, error) {
	return c.newest(ctx, "list orders", site, customerUID, "orders", since, func(n node) core.EntityState {
		return core.EntityState{OrderCode: n.get("code").code(), State: n.get("status").state(), At: n.get("placed", "created").time()}
	})
}

// Returns lists a customer's newest returns (OCC "orderReturns" of a user).
func (c *Client) Returns(ctx context.Context, site, customerUID string, since time.Time) ([]core.EntityState, error) {
	return c.newest(ctx, "list returns", site, customerUID, "orderReturns", since, func(n node) core.EntityState {
		return core.EntityState{
			OrderCode: n.at("order", "code").code(), ReturnCode: firstCode(n.get("code"), n.get("rma", "RMA")),
			State: n.get("status").state(), At: n.get("creationTime", "creationtime").time(),
		}
	})
}

// newest reads the pages of a list, newest first, until an entry is older than since.
func (c *Client) newest(ctx context.Context, op, site, uid, list string, since time.Time, read func(node) core.EntityState) ([]core.EntityState, error) {
	var all []core.EntityState
	for page := 0; page*listPage < mostRows; page++ {
		rows, last, err := c.listPage(ctx, op, site, uid, list, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			one := read(row)
			one.Site = site
			switch {
			case !one.At.IsZero() && one.At.Before(since):
				last = true // and those after it
			case one.OrderCode != "":
				all = append(all, one)
			}
		}
		if last {
			break
		}
	}
	return all, nil
}

func (c *Client) listPage(ctx context.Context, op, site, uid, list string, page int) (rows []node, last bool, err error) {
	q := call{
		op: op, method: http.MethodGet, site: site, path: []string{"users", uid, list},
		query: url.Values{"currentPage": {strconv.Itoa(page)}, "pageSize": {strconv.Itoa(listPage)}, "sort": {"byDate"}, "fields": {"DEFAULT"}},
	}
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, true, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return nil, true, unreadable(q, a)
	}
	rows = n.get("orders", "returnRequests").list()
	return rows, page+1 >= n.at("pagination", "totalPages").count() || len(rows) == 0, nil
}

// StatusFeed asks for the orders whose state has changed. The shop keeps them in
// memory, per node: what was before its start is not in it. The time is that of the
// answer's Date header, as the shop compares by its own clock.
func (c *Client) StatusFeed(ctx context.Context, site string, since time.Time) ([]core.EntityState, time.Time, error) {
	asOf := c.now()
	q := call{
		op: "read the status feed", method: http.MethodGet, site: site, path: []string{"feeds", "orders", "statusfeed"},
		query: url.Values{"timestamp": {since.UTC().Format(feedTime)}},
	}
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, asOf, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return nil, asOf, unreadable(q, a)
	}
	if t, err := http.ParseTime(a.header.Get("Date")); err == nil {
		asOf = t
	}
	var all []core.EntityState
	for _, e := range n.get("orderStatusUpdateElements").list() {
		one := core.EntityState{OrderCode: e.get("code").code(), State: e.get("status").state(), Site: firstCode(e.get("baseSiteId"), node{site})}
		if one.OrderCode != "" && strings.EqualFold(one.Site, site) {
			all = append(all, one)
		}
	}
	return all, asOf, nil
}
