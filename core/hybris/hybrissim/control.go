package hybrissim

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Control serves the control surface (see the package comment).
func (s *Sim) Control() http.Handler {
	c := control{s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, ControlHelp) // who has gone does not see it
	})
	mux.Handle("GET /orders", handle(c.orders))
	mux.Handle("POST /orders", handle(c.place))
	mux.Handle("GET /orders/{code}", handle(c.orderOf))
	mux.Handle("POST /orders/{code}/{action}", handle(c.act))
	mux.Handle("GET /tickets", handle(c.tickets))
	mux.Handle("GET /tickets/{id}", handle(c.ticketOf))
	mux.HandleFunc("GET /tickets/{id}/files/{file}", c.file)
	mux.Handle("POST /tickets/{id}/notes", handle(c.note))
	mux.Handle("POST /tickets/{id}/status", handle(c.status))
	mux.Handle("GET /products", handle(c.products))
	mux.Handle("GET /customers", handle(c.customers))
	mux.Handle("POST /customers", handle(c.customer))
	mux.Handle("POST /customers/{uid}/{change}", handle(c.changeCustomer))
	mux.Handle("POST /tokens", handle(c.token))
	mux.Handle("GET /doubts", handle(c.doubts))
	mux.Handle("POST /doubts", handle(c.settle))
	mux.Handle("POST /restart", handle(c.restart))
	mux.Handle("GET /requests", handle(c.requests))
	mux.Handle("GET /pushes", handle(c.pushes))
	mux.Handle("POST /faults", handle(c.faults))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusNotFound, object{"error": "there is no " + r.Method + " " + r.URL.Path})
	})
	return mux
}

type control struct{ sim *Sim }

// handle turns an action into a handler. What the shop does not know is a 404,
// what its tickets do not do a 409, any other error a wish that makes no sense.
func handle(do func(*http.Request) (status int, out any, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, out, err := do(r)
		if err == nil {
			writeJSON(w, status, out)
			return
		}
		status = http.StatusBadRequest
		switch {
		case errors.Is(err, ErrUnknown):
			status = http.StatusNotFound
		case errors.Is(err, ErrTransition):
			status = http.StatusConflict
		}
		writeJSON(w, status, object{"error": err.Error()})
	})
}

// wish reads a body strictly; an empty one wishes nothing in particular.
func wish(r *http.Request, v any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (c control) orders(*http.Request) (int, any, error) {
	items := []object{}
	for _, o := range c.sim.Orders() {
		items = append(items, c.orderView(o))
	}
	return http.StatusOK, object{"items": items}, nil
}

func (c control) orderOf(r *http.Request) (int, any, error) {
	return c.showOrder(http.StatusOK, r.PathValue("code"))
}

func (c control) showOrder(status int, code string) (int, any, error) {
	o, ok := c.sim.Order(code)
	if !ok {
		return 0, nil, ErrUnknown
	}
	return status, c.orderView(o), nil
}

func (c control) place(r *http.Request) (int, any, error) {
	var in Purchase
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	o, err := c.sim.Checkout(r.Context(), in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.orderView(o), nil
}

// orderWish is what an action on an order may need.
type orderWish struct {
	Consignment string `json:"consignment"`
	TrackingID  string `json:"trackingId"`
	Carrier     string `json:"carrier"`
	URL         string `json:"url"`
	Status      string `json:"status"`
	Type        string `json:"type"`
	Name        string `json:"name"`
}

// What the actions do to a parcel and to an order.
var (
	parcelActions = map[string]string{
		"out_for_delivery": "DELIVERING", "deliver": "DELIVERY_COMPLETED", "delivery_failed": "DELIVERY_REJECTED",
		"ready_for_pickup": "READY_FOR_PICKUP", "pick_up": "PICKUP_COMPLETE",
	}
	orderActions = map[string]string{
		"hold": "ON_HOLD", "payment_failed": "PAYMENT_NOT_CAPTURED", "approval_needed": "PENDING_APPROVAL",
		"approve": "APPROVED", "reject": "REJECTED", "complete": "COMPLETED",
	}
	reportActions = map[string]string{"part_cancel": "order.partly_cancelled", "part_refund": "order.partly_refunded"}
	returnActions = map[string]string{"receive_return": "RECEIVED", "refund": "PAYMENT_REVERSED"}
)

func (c control) act(r *http.Request) (int, any, error) {
	var in orderWish
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	code := r.PathValue("code")
	if err := c.do(r, code, r.PathValue("action"), in); err != nil {
		return 0, nil, err
	}
	return c.showOrder(http.StatusOK, code)
}

func (c control) do(r *http.Request, code, action string, in orderWish) error {
	ctx := r.Context()
	if status, ok := parcelActions[action]; ok {
		return c.sim.SetConsignment(ctx, code, in.Consignment, status)
	}
	if status, ok := orderActions[action]; ok {
		return c.sim.SetStatus(ctx, code, status)
	}
	if eventType, ok := reportActions[action]; ok {
		return c.sim.Report(ctx, code, eventType)
	}
	if status, ok := returnActions[action]; ok {
		return c.returned(r, code, status)
	}
	switch action {
	case "ship":
		id := cmp.Or(in.TrackingID, "1Z-"+cmp.Or(strings.TrimPrefix(in.Consignment, "cons"), code))
		return c.sim.Ship(ctx, code, in.Consignment, id, cmp.Or(in.Carrier, "Colix Express"), cmp.Or(in.URL, "https://track.example.com/"+id))
	case "split":
		return c.sim.Split(code)
	case "cancel":
		return c.sim.Cancel(ctx, code)
	case "return":
		_, err := c.sim.AddReturn(ctx, code)
		return err
	case "status":
		if in.Status == "" {
			return errors.New("status: which one")
		}
		return c.sim.SetStatus(ctx, code, in.Status)
	case "report":
		if in.Type == "" && in.Name == "" {
			return errors.New("type: which event, or its name in the shop's catalogue")
		}
		return c.sim.report(ctx, Event{Type: in.Type, Name: in.Name, OrderCode: code, ConsignmentCode: in.Consignment})
	}
	return errors.New("action: there is none of this name")
}

// returned moves the newest return of an order; without one the event is
// reported all the same, as for a refund that the shop makes by itself.
func (c control) returned(r *http.Request, code, status string) error {
	all := c.sim.Returns(code)
	if len(all) == 0 {
		return c.sim.Report(r.Context(), code, returnNews[status])
	}
	return c.sim.SetReturnStatus(r.Context(), all[len(all)-1].Code, status)
}

func (c control) orderView(o Order) object {
	lines, parcels, returns := []object{}, []object{}, []object{}
	for _, l := range o.Lines {
		lines = append(lines, object{"code": l.Code, "name": l.Name, "quantity": l.Quantity})
	}
	for _, p := range o.Consignments {
		parcels = append(parcels, object{
			"code": p.Code, "status": p.Status, "trackingId": p.TrackingID, "carrier": p.Carrier, "trackingUrl": p.TrackingURL,
		})
	}
	for _, ret := range c.sim.Returns(o.Code) {
		returns = append(returns, object{"code": ret.Code, "status": ret.Status})
	}
	return object{
		"code": o.Code, "guid": o.GUID, "site": o.Site, "customer": object{"uid": o.UserUID, "name": o.UserName},
		"status": o.Status, "created": o.Created.UTC(), "total": value(o.total()), "currency": o.Currency,
		"guest": o.Guest, "lines": lines, "consignments": parcels, "returns": returns,
	}
}
