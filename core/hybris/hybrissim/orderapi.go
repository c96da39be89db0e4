package hybrissim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// visible returns the order as this request sees it: perhaps not the newest.
func (c *call) visible(r *orderRecord) Order { return r.at(c.now.Add(-c.faults.stale)) }

// record finds an order of the site by its code or GUID, or nil.
func (c *call) record(codeOrGUID string) *orderRecord {
	r := cmp.Or(c.orders[codeOrGUID], c.guids[codeOrGUID])
	if r == nil || r.current().Site != c.site {
		return nil
	}
	return r
}

// order reads any order of the site by its code or GUID, for trusted clients.
func (c *call) order() (answer, *failure) {
	code := c.r.PathValue("code")
	r := c.record(code)
	if r == nil || !c.keyed(r.current(), code) {
		return answer{}, unknownOrder(code)
	}
	return answer{kind: "order", body: c.orderTree(c.visible(r))}, nil
}

// keyed reports whether this shop finds an order by such a key.
func (c *call) keyed(o Order, key string) bool {
	switch c.answer("order-key") {
	case "code":
		return o.Code == key
	case "guid":
		return o.GUID == key
	}
	return true
}

// orderTree is an order as this request sees it.
func (c *call) orderTree(o Order) object {
	out := orderTree(o, c.lang)
	parcels, _ := out["consignments"].([]object)
	for i, p := range o.Consignments {
		parcels[i]["statusDisplay"] = c.parcelDisplay(p.Status)
	}
	return out
}

// parcelDisplay is what a storefront is to write for a parcel's state, if anything.
func (s *Sim) parcelDisplay(status string) any {
	switch s.answer("parcel-display") {
	case "processing":
		return "processing"
	case "none":
		return nil
	}
	return consignmentDisplay(status)
}

// userOrder reads an order of {userId}.
func (c *call) userOrder() (answer, *failure) {
	r, refusal := c.ownOrder(c.r.PathValue("code"))
	if refusal != nil {
		return answer{}, refusal
	}
	return answer{kind: "order", body: c.orderTree(c.visible(r))}, nil
}

// ownOrder finds an order of {userId} in the site: by its code, a guest's by
// its GUID alone, where the GUID is the secret.
func (c *call) ownOrder(code string) (*orderRecord, *failure) {
	r := c.record(code)
	if r == nil {
		return nil, unknownOrder(code)
	}
	o := r.current()
	own := o.UserUID == c.user.UID && (o.Code == code || c.opt.OrderByGUID)
	if c.user.UID == anonymous {
		own = o.Guest && o.GUID == code
	}
	if !own {
		return nil, unknownOrder(code)
	}
	return r, nil
}

// ownOrders returns the orders of {userId} in the site.
func (c *call) ownOrders() []Order {
	var out []Order
	for _, r := range c.orders {
		if o := c.visible(r); o.Site == c.site && o.UserUID == c.user.UID {
			out = append(out, o)
		}
	}
	return out
}

var orderSorts = []string{"byDate", "byOrderNumber"}

// orderHistory lists the orders of {userId}; the number of all of them is a header too.
func (c *call) orderHistory() (answer, *failure) {
	p, refusal := c.page()
	if refusal != nil {
		return answer{}, refusal
	}
	orders := c.ownOrders()
	if wanted := c.r.URL.Query().Get("statuses"); wanted != "" {
		list := strings.Split(wanted, ",")
		orders = slices.DeleteFunc(orders, func(o Order) bool { return !slices.Contains(list, o.Status) })
	}
	sort := c.sorting(orderSorts...)
	slices.SortFunc(orders, func(a, b Order) int {
		if sort == "byOrderNumber" {
			return cmp.Compare(a.Code, b.Code)
		}
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Code, a.Code))
	})
	rows := []object{}
	for _, o := range cut(orders, p) {
		rows = append(rows, orderRow(o, c.lang))
	}
	return answer{
		kind: "orderHistory", body: paged("orders", rows, p, len(orders), sort, orderSorts...),
		header: map[string]string{"x-total-count": strconv.Itoa(len(orders))},
	}, nil
}

// tracking is what the carrier tells of a parcel.
func (c *call) tracking() (answer, *failure) {
	r, refusal := c.ownOrder(c.r.PathValue("code"))
	if refusal != nil {
		return answer{}, refusal
	}
	code := c.r.PathValue("consignmentCode")
	o := r.current()
	for _, parcel := range o.Consignments {
		if parcel.Code == code {
			return answer{body: c.trackingTree(parcel)}, nil
		}
	}
	words := "Consignment not found for the given code " + code
	if c.answer("parcel-unknown") == "400" {
		return answer{}, fail(http.StatusBadRequest, "UnknownIdentifierError", words)
	}
	return answer{}, fail(http.StatusNotFound, "NotFoundError", words)
}

func (s *Sim) trackingTree(c Consignment) object {
	out := object{"statusDisplay": s.parcelDisplay(c.Status)}
	if c.TrackingID == "" {
		return out
	}
	out["trackingID"] = c.TrackingID
	if c.Carrier != "" {
		code := strings.ToUpper(strings.ReplaceAll(c.Carrier, " ", ""))
		out["carrierDetails"] = object{"code": code, "name": c.Carrier}
	}
	if c.TrackingURL != "" {
		out["trackingUrl"] = c.TrackingURL
	}
	if !c.Arrival.IsZero() {
		out["targetArrivalDate"] = date(c.Arrival)
	}
	scans := make([]object, 0, len(c.Scans))
	for _, s := range slices.Backward(c.Scans) {
		scans = append(scans, object{"eventDate": date(s.At), "detail": s.Detail, "location": s.Location, "referenceCode": s.Code})
	}
	out["trackingEvents"] = scans
	return out
}

// statusFeed tells the order statuses that changed since a time.
func (c *call) statusFeed() (answer, *failure) {
	text := c.r.URL.Query().Get("timestamp")
	if text == "" {
		return answer{}, invalidFields(invalidField("timestamp", "missing"))
	}
	since, err := time.Parse(dateLayout, text)
	if err != nil {
		since, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return answer{}, invalidFields(invalidField("timestamp", "invalid"))
	}
	elements := []object{}
	for _, change := range c.feed {
		if change.site == c.site && !change.at.Before(since) {
			elements = append(elements, object{"code": change.code, "status": change.status, "baseSiteId": change.site})
		}
	}
	return answer{body: object{"orderStatusUpdateElements": elements}}, nil
}
