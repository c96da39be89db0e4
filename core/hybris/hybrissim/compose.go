package hybrissim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// compose writes an event in its style.
func (s *Sim) compose(ev Event) (post, error) {
	ev.Style = cmp.Or(ev.Style, s.opt.Style)
	ev.ID = cmp.Or(ev.ID, uuid())
	if ev.Time.IsZero() {
		ev.Time = s.opt.Now()
	}
	if r, ok := s.orders[ev.OrderCode]; ok && ev.CustomerUID == "" {
		ev.CustomerUID = r.current().UserUID
	}
	p, body, err := s.styled(ev)
	if err != nil {
		return post{}, fmt.Errorf("%s as %s: %w", cmp.Or(ev.Type, ev.Name, "a change"), ev.Style, err)
	}
	if p.body, err = json.Marshal(body); err != nil {
		return post{}, err
	}
	p.about.ID, p.about.Style, p.about.Order, p.about.Ticket = ev.ID, ev.Style, ev.OrderCode, ev.TicketID
	return p, nil
}

func (s *Sim) styled(ev Event) (post, any, error) {
	switch ev.Style {
	case Native:
		return s.native(ev)
	case Kyma, KymaStructured:
		return s.kyma(ev)
	case Webhook:
		return s.webhook(ev)
	case Legacy:
		return s.legacy(ev)
	case Process:
		return s.process(ev)
	}
	return post{}, nil, ErrNoEvent
}

const jsonType = "application/json"

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// structured is a CloudEvent in one piece.
func structured(ev Event, source, eventType string, data any) (post, any, error) {
	p := post{about: Delivery{Type: eventType}, header: headers("Content-Type", "application/cloudevents+json")}
	return p, object{
		"specversion": "1.0", "id": ev.ID, "source": source, "type": eventType,
		"time": ev.Time.UTC().Format(time.RFC3339Nano), "datacontenttype": jsonType, "data": data,
	}, nil
}

func (s *Sim) native(ev Event) (post, any, error) {
	if ev.Type == "" {
		return post{}, nil, ErrNoEvent
	}
	data := object{}
	maps.Copy(data, ev.Data)
	for name, value := range map[string]string{
		"orderCode": ev.OrderCode, "customerUid": ev.CustomerUID, "previousUid": ev.PreviousUID,
		"consignmentCode": ev.ConsignmentCode, "returnCode": ev.ReturnCode, "ticketId": ev.TicketID, "status": nativeStatus(ev.Status),
	} {
		if value != "" {
			data[name] = value
		}
	}
	if ev.Note != nil {
		data["note"] = ev.Note
	}
	site := s.siteOf(ev)
	if len(s.opt.BaseSites) > 1 {
		data["site"] = site
	}
	r, ok := s.orders[ev.OrderCode]
	if ok && strings.HasPrefix(ev.Type, "order.") {
		data["state"] = s.stateOf(ev, r.current())
	}
	if ok && s.opt.SendOrder {
		data["order"] = s.bend(orderTree(r.current(), "en"))
	}
	return structured(ev, "/shop/"+site, ev.Type, data)
}

func nativeStatus(ticketStatus string) string {
	switch ticketStatus {
	case "INPROCESS":
		return "in_process"
	case "COMPLETED":
		return "closed"
	}
	return strings.ToLower(ticketStatus)
}

func (s *Sim) siteOf(ev Event) string {
	if r, ok := s.orders[ev.OrderCode]; ok {
		return r.current().Site
	}
	if t := s.findTicket(ev.TicketID); t != nil {
		return t.Site
	}
	return s.opt.BaseSites[0]
}

func (s *Sim) findReturn(code string) *Return {
	for _, ret := range s.returns {
		if ret.Code == code {
			return ret
		}
	}
	return nil
}

func (s *Sim) kyma(ev Event) (post, any, error) {
	name, data, err := s.commerce(ev)
	if err != nil {
		return post{}, nil, err
	}
	data, _ = s.bend(data).(object)
	eventType, source := "sap.kyma.custom."+s.opt.Application+"."+name+".v1", "kyma"
	if s.answer("kyma-form") == "clean" {
		eventType, source = name+".v1", s.opt.Application
	}
	if ev.Style == KymaStructured {
		return structured(ev, source, eventType, data)
	}
	p := post{about: Delivery{Type: eventType}, header: headers("Content-Type", jsonType,
		"ce-specversion", "1.0", "ce-id", ev.ID, "ce-type", eventType, "ce-source", source,
		"ce-time", ev.Time.UTC().Format(time.RFC3339))}
	return p, data, nil
}

func (s *Sim) legacy(ev Event) (post, any, error) {
	name, data, err := s.commerce(ev)
	if err != nil {
		return post{}, nil, err
	}
	p := post{about: Delivery{Type: name}, basic: true, header: headers("Content-Type", jsonType)}
	return p, object{
		"event-type": name, "event-type-version": "v1", "event-id": ev.ID,
		"event-time": ev.Time.UTC().Format("2006-01-02T15:04:05.000Z"), "data": s.bend(data),
		"destinationTargetId": "notification-gateway",
	}, nil
}

// stateOf is the state of what an event of an order is about.
func (s *Sim) stateOf(ev Event, o Order) string {
	if ret := s.findReturn(ev.ReturnCode); ret != nil {
		return ret.Status
	}
	if c := o.consignment(ev.ConsignmentCode); c != nil && ev.ConsignmentCode != "" {
		return c.Status
	}
	return o.Status
}

// process is the body of an action of the order process: what has which state now.
func (s *Sim) process(ev Event) (post, any, error) {
	r, ok := s.orders[ev.OrderCode]
	if !ok {
		return post{}, nil, ErrNoEvent
	}
	o, eventType := r.current(), "order.status"
	body := object{
		"id": ev.ID, "site": o.Site, "orderCode": o.Code, "customerUid": o.UserUID,
		"status": s.stateOf(ev, o), "consignmentCode": nil, "occurredAt": ev.Time.UTC().Format(time.RFC3339),
	}
	if c := o.consignment(ev.ConsignmentCode); c != nil && ev.ConsignmentCode != "" {
		body["consignmentCode"] = c.Code
	}
	if ret := s.findReturn(ev.ReturnCode); ret != nil {
		eventType = "return.status"
		body["returnCode"] = ret.Code
	}
	body["type"] = eventType
	p := post{about: Delivery{Type: eventType}, basic: true, tries: processTries, header: headers("Content-Type", jsonType)}
	return p, s.bend(body), nil
}
