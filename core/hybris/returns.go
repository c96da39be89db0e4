package hybris

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"

	"tidings/core"
)

// Return reads a customer's request to send goods back (OCC's orderReturns, which
// a shop has with the order self-service only). A return of another order, or one
// that cannot be told from others, is NotFound.
func (c *Client) Return(ctx context.Context, q core.OrderQuery, code string) (core.Return, error) {
	if q.CustomerUID == "" {
		return core.Return{}, noReturn(http.StatusOK)
	}
	if code != "" {
		return c.returnOf(ctx, q, code)
	}
	n, a, err := c.returns(ctx, q, []string{"users", q.CustomerUID, "orderReturns"}, url.Values{"pageSize": {"100"}})
	if err != nil {
		return core.Return{}, err
	}
	var own []core.Return
	for _, row := range n.get("returnRequests", "orderReturns", "returns").list() {
		if r := readReturn(row); r.Code != "" && r.OrderCode == q.Code {
			own = append(own, r)
		}
	}
	if len(own) != 1 {
		return core.Return{}, noReturn(a.status)
	}
	return own[0], nil
}

func (c *Client) returnOf(ctx context.Context, q core.OrderQuery, code string) (core.Return, error) {
	n, a, err := c.returns(ctx, q, []string{"users", q.CustomerUID, "orderReturns", code}, nil)
	if err != nil {
		return core.Return{}, err
	}
	r := readReturn(n)
	if r.OrderCode != "" && q.Code != "" && r.OrderCode != q.Code {
		return core.Return{}, noReturn(a.status)
	}
	if r.Code == "" {
		r.Code = code
	}
	return r, nil
}

func (c *Client) returns(ctx context.Context, q core.OrderQuery, path []string, more url.Values) (node, answer, error) {
	request := call{op: "read return", method: http.MethodGet, site: q.Site, path: path, query: full(q.Locale)}
	maps.Copy(request.query, more)
	a, err := c.localized(ctx, request)
	if err != nil {
		return node{}, a, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return node{}, a, unreadable(request, a)
	}
	return n, a, nil
}

func noReturn(status int) *core.ShopError {
	return &core.ShopError{Class: core.Rejected, NotFound: true, Status: status, Err: errors.New("read return: the shop shows none for this")}
}

// readReturn reads OCC's schema ReturnRequest.
func readReturn(n node) core.Return {
	total := money(n.get("totalPrice"), "")
	if total.IsZero() {
		total = money(n.get("subTotal"), "")
	}
	return core.Return{
		Code:      firstCode(n.get("code"), n.get("rma", "RMA")),
		OrderCode: n.get("order").code(),
		Status:    n.get("status").state(),
		Refund:    total,
		LabelURL:  absoluteURL(n.get("returnLabelDownloadUrl").text(), "https", "http"),
	}
}
