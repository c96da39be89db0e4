package hybrissim

import (
	"fmt"
	"time"
)

// webhook is a saved item as the webhookservices send it. It fires for the
// root of an integration object only, so a parcel, a return and a ticket's
// entry have objects of their own.
func (s *Sim) webhook(ev Event) (post, any, error) {
	name, body := s.integrationObject(ev)
	if body == nil || name == "" {
		return post{}, nil, ErrNoEvent
	}
	action := "Updated"
	if ev.Note != nil || s.firstConsent(ev) || ev.Type == "order.placed" || ev.Type == "order.return_created" {
		action = "Created"
	}
	eventType := "sap.cx.commerce." + name + "." + action + ".v1"
	key, _ := body["integrationKey"].(string)
	passport := fmt.Sprintf("2A54482A03%X", ev.ID)
	p := post{about: Delivery{Type: eventType}, basic: true, tries: webhookTries, header: headers(
		"Content-Type", jsonType, "Accept", jsonType,
		"ce-specversion", "1.0", "ce-id", ev.ID, "ce-type", eventType,
		"ce-source", "/emea/sap.cx.commerce/"+s.opt.Application+"-d1",
		"ce-time", ev.Time.UTC().Format("2006-01-02T15:04:05Z"), "ce-subject", key,
		"ce-sappassport", passport, "SAP-PASSPORT", passport,
	)}
	return p, s.bend(body), nil
}

func (s *Sim) integrationObject(ev Event) (name string, body object) {
	if ev.Note != nil {
		return s.opt.Objects.TicketMessage, s.ticketMessage(ev)
	}
	if ev.consent != "" {
		return s.opt.Objects.Consent, s.consentObject(ev)
	}
	if ev.TicketID != "" {
		return s.opt.Objects.Ticket, s.ticketObject(ev)
	}
	r, ok := s.orders[ev.OrderCode]
	if !ok {
		return "", nil
	}
	o := r.current()
	if ret := s.findReturn(ev.ReturnCode); ret != nil {
		return s.opt.Objects.Return, returnObject(o, ret)
	}
	if c := o.consignment(ev.ConsignmentCode); c != nil && ev.ConsignmentCode != "" {
		body := parcelObject(*c)
		body["order"] = orderHead(o)
		return s.opt.Objects.Consignment, body
	}
	return s.opt.Objects.Order, orderObject(o)
}

// odataDate is a time as OData v2 writes it.
func odataDate(t time.Time) string { return fmt.Sprintf("/Date(%d)/", t.UnixMilli()) }

// coded is an item that is no more than its code.
func coded(field, code string) object { return object{"integrationKey": code, field: code} }

// orderHead is an order where it is a part. Its key is code and version.
func orderHead(o Order) object {
	return object{
		"integrationKey": o.Code + "|", "code": o.Code, "guid": o.GUID,
		"user": coded("uid", o.UserUID), "site": coded("uid", o.Site),
	}
}

func orderObject(o Order) object {
	out := orderHead(o)
	out["status"] = coded("code", o.Status)
	out["currency"] = coded("isocode", o.Currency)
	out["totalPrice"] = value(o.total())
	out["date"] = odataDate(o.Created)
	parcels := make([]object, 0, len(o.Consignments))
	for _, c := range o.Consignments {
		parcels = append(parcels, parcelObject(c))
	}
	out["consignments"] = parcels
	return out
}

func parcelObject(c Consignment) object {
	out := coded("code", c.Code)
	out["status"] = coded("code", c.Status)
	if c.TrackingID != "" {
		out["trackingID"] = c.TrackingID
	}
	return out
}

func returnObject(o Order, ret *Return) object {
	out := coded("code", ret.Code)
	out["RMA"] = ret.Code
	out["status"] = coded("code", ret.Status)
	out["creationtime"] = odataDate(ret.Created)
	out["order"] = orderHead(o)
	return out
}

// csStates are the model's names of the states that the API calls otherwise.
var csStates = map[string]string{"OPEN": "New", "INPROCESS": "Open", "CLOSED": "Closed", "COMPLETED": "Closed"}

// ticketMessage is an entry with everything that tells whether it is for the
// customer: the intervention, the kind of comment, the author.
func (s *Sim) ticketMessage(ev Event) object {
	e := ev.Note.entry
	if e.Kind == "" { // an event that a test wrote by hand
		e.Kind, e.Intervention = "agentNote", Private
		if ev.Note.Public {
			e.Kind, e.Intervention = "customerNote", "IM"
		}
	}
	out := coded("code", ev.Note.ID)
	out["text"] = ev.Note.Text
	out["creationtime"] = odataDate(ev.Note.CreatedAt)
	out["interventionType"] = coded("code", e.Intervention)
	out["commentType"] = coded("code", e.Kind)
	out["author"] = coded("uid", ev.Note.Author)
	out["ticket"] = s.ticketObject(ev)
	return out
}

// ticketObject is a ticket with the model's name of its state.
func (s *Sim) ticketObject(ev Event) object {
	out := coded("ticketID", ev.TicketID)
	if t := s.findTicket(ev.TicketID); t != nil {
		out["state"] = coded("code", csStates[t.Status])
	}
	out["customer"] = coded("uid", ev.CustomerUID)
	if ev.OrderCode != "" {
		out["order"] = coded("code", ev.OrderCode)
	}
	return out
}

func (s *Sim) findConsent(code string) *Consent {
	for _, k := range s.consents {
		if k.Code == code {
			return k
		}
	}
	return nil
}

// firstConsent reports whether the event is about a consent that is new.
func (s *Sim) firstConsent(ev Event) bool {
	k := s.findConsent(ev.consent)
	return k != nil && k.Withdrawn.IsZero()
}

func (s *Sim) consentObject(ev Event) object {
	k := s.findConsent(ev.consent)
	if k == nil {
		return nil
	}
	out := coded("code", k.Code)
	out["customer"] = coded("uid", k.CustomerUID)
	out["consentTemplate"] = object{"integrationKey": k.Template, "id": k.Template, "version": k.Version}
	out["consentGivenDate"] = odataDate(k.Given)
	if !k.Withdrawn.IsZero() {
		out["consentWithdrawnDate"] = odataDate(k.Withdrawn)
	}
	return out
}
