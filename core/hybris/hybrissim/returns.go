package hybrissim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Return is a request to send goods back.
type Return struct {
	Code, OrderCode string
	Status          string
	Created         time.Time
	Items           []Packed
	LabelURL        string
}

var returnSorts = []string{"byDate", "byRMA"}

// ownReturns returns the returns of {userId} in the site.
func (c *call) ownReturns() []*Return {
	var out []*Return
	for _, ret := range c.returns {
		if r, ok := c.orders[ret.OrderCode]; ok && r.current().Site == c.site && r.current().UserUID == c.user.UID {
			out = append(out, ret)
		}
	}
	return out
}

func (c *call) returnRequests() (answer, *failure) {
	p, refusal := c.page()
	if refusal != nil {
		return answer{}, refusal
	}
	all := c.ownReturns()
	sort := c.sorting(returnSorts...)
	slices.SortFunc(all, func(a, b *Return) int {
		if sort == "byRMA" {
			return cmp.Compare(a.Code, b.Code)
		}
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Code, a.Code))
	})
	rows := []object{}
	for _, ret := range cut(all, p) {
		rows = append(rows, c.returnTree(ret))
	}
	return answer{body: paged("returnRequests", rows, p, len(all), sort, returnSorts...)}, nil
}

func (c *call) returnRequest() (answer, *failure) {
	code := c.r.PathValue("returnCode")
	for _, ret := range c.ownReturns() {
		if ret.Code == code {
			return answer{body: c.returnTree(ret)}, nil
		}
	}
	return answer{}, fail(http.StatusBadRequest, "UnknownIdentifierError", "Return request with code "+code+" not found for current user")
}

func (c *call) returnTree(ret *Return) object {
	v := view{c.orders[ret.OrderCode].current(), c.lang}
	var sum int64
	entries := make([]object, 0, len(ret.Items))
	for _, item := range ret.Items {
		refund := v.Lines[item.Line].Unit * int64(item.Quantity)
		sum += refund
		entries = append(entries, object{
			"orderEntry": v.entry(item.Line), "expectedQuantity": item.Quantity, "refundAmount": v.price(refund),
		})
	}
	out := object{
		"code": ret.Code, "rma": ret.Code, "status": ret.Status, "creationTime": date(ret.Created),
		"cancellable": ret.Status == "APPROVAL_PENDING", "order": object{"code": ret.OrderCode}, "returnEntries": entries,
		"subTotal": v.price(sum), "totalPrice": v.price(sum), "deliveryCost": v.price(0),
	}
	if ret.LabelURL != "" {
		out["returnLabelDownloadUrl"] = ret.LabelURL
	}
	return out
}

// checkItems refuses what was not ordered.
func checkItems(o Order, items []Packed) error {
	for _, item := range items {
		if item.Line < 0 || item.Line >= len(o.Lines) || item.Quantity < 1 || item.Quantity > o.Lines[item.Line].Quantity {
			return fmt.Errorf("order %s: no %d of line %d to send back", o.Code, item.Quantity, item.Line)
		}
	}
	return nil
}
