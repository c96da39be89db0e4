package inbound_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
	"tidings/core/inbound"
	"tidings/core/intake"
)

// eve wants what is Ada's. Everybody below looks like somebody else.
var eve = who{"a", "eve"}

const (
	adasOrder = "1001"
	evesOrder = "2002"
	adasUID   = "ada@shop"
	evesUID   = "eve@shop"
)

// adas are words that stand in nothing but Ada's order, parcel, return and ticket.
var adas = []string{"Brass lamp", "TRACK-1001", "Name of ada@shop", "P-1001", "A secret between Ada and the desk", "RET-LABEL-ADA"}

// world is a shop with two customers, both linked, and a ticket of Ada's.
type world struct {
	*rig
	sim      *hybrissim.Sim
	client   core.Shop
	ticket   string // Ada's
	entry    string // what she wrote in it
	returned string // her return
	shown    string // the platform's id of her news
	token    string // with which she linked her chat
}

func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	inShop(t, func(r *rig, sim *hybrissim.Sim) {
		w := &world{rig: r, sim: sim, client: r.commerce}
		sell(sim, adasOrder, adasUID, "Brass lamp")
		sell(sim, evesOrder, evesUID, "Plain mug")
		back, err := sim.AddReturn(t.Context(), adasOrder, hybrissim.Packed{Line: 0, Quantity: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.returned = back.Code
		w.token = r.offer(adasUID, adasOrder)["a"].Token
		r.press(ada, w.token)
		r.press(eve, r.offer(evesUID, evesOrder)["a"].Token)
		r.say(ada, "Where is my lamp?")
		w.ticket = sim.Tickets()[0].ID
		w.entry = sim.CustomerEntries(w.ticket)[0].Code
		if _, err := sim.AddNote(t.Context(), w.ticket, "A secret between Ada and the desk", true, "kim"); err != nil {
			t.Fatal(err)
		}
		sent := r.platforms["a"].to(ada.address)
		w.shown = sent[0].id
		if !strings.Contains(r.texts(ada)[0], "Brass lamp") {
			t.Fatalf("got %q, want Ada to see her own order", r.texts(ada))
		}
		test(w)
	})
}

// wantNothing checks that nobody but Ada was shown anything of hers, and that no
// ticket of anybody else's is about her order.
func (w *world) wantNothing(way string) {
	w.t.Helper()
	w.wait(2 * time.Minute)
	for _, p := range w.platforms {
		p.mu.Lock()
		for _, s := range p.shown {
			for _, word := range adas {
				if s.to != ada.address && strings.Contains(s.text, word) {
					w.t.Errorf("%s: %s was shown %q", way, s.to, s.text)
				}
			}
		}
		p.mu.Unlock()
	}
	for _, ticket := range w.sim.Tickets() {
		if ticket.CustomerUID != adasUID && ticket.Associated != nil && ticket.Associated.Code == adasOrder {
			w.t.Errorf("%s: a ticket of %s is about Ada's order", way, ticket.CustomerUID)
		}
		if ticket.CustomerUID == adasUID && ticket.ID != w.ticket || ticket.ID == w.ticket && len(w.sim.CustomerEntries(w.ticket)) != 1 {
			w.t.Errorf("%s: somebody else wrote in Ada's name", way)
		}
	}
}

// chats are what Eve can write and press.
func (w *world) chats() []core.Update {
	order, _ := w.sim.Order(adasOrder)
	var all []core.Update
	for _, code := range []string{
		adasOrder, order.GUID, order.Consignments[0].Code, w.returned, w.ticket, "TRACK-1001", adasUID, "guid|" + adasUID,
		adasOrder + "?fields=FULL", "../orders/" + adasOrder, "users/" + adasUID + "/orders/" + adasOrder, "..%2F" + adasOrder,
		adasOrder + "\u200b", "\uff11\uff10\uff10\uff11", "{{.Order.Code}} " + adasOrder, "' OR code='" + adasOrder,
	} {
		all = append(all,
			core.Update{Kind: core.UpdateText, Text: code},
			core.Update{Kind: core.UpdateText, Text: "Where is my order " + code + "?"},
			core.Update{Kind: core.UpdateText, Text: "status " + code},
			core.Update{Kind: core.UpdateText, Text: "/link " + code},
			core.Update{Kind: core.UpdateEdited, Text: "I meant " + code},
			core.Update{Kind: core.UpdateButton, Payload: code, Text: code},
			core.Update{Kind: core.UpdateOptIn, Ref: code},
			core.Update{Kind: core.UpdateText, Text: "photo", Media: []core.Media{{Kind: "image", Name: code}}},
		)
	}
	all = append(all,
		core.Update{Kind: core.UpdateText, Text: "And this one?", ReplyTo: w.shown},
		core.Update{Kind: core.UpdateButton, Payload: "status", ReplyTo: w.shown},
		core.Update{Kind: core.UpdateOptIn, Ref: w.token},
		core.Update{Kind: core.UpdateOptIn, Ref: w.token[:len(w.token)-1]},
		core.Update{Kind: core.UpdateText, Text: w.token},
	)
	for _, command := range []string{"status", "orders", "help", "stop", "start"} {
		all = append(all, core.Update{Kind: core.UpdateText, Text: command})
	}
	return all
}

// reports are what a shop could say by mistake, in each of its ways: Ada's order
// under somebody else's name.
func (w *world) reports(uid string) []string {
	order, _ := w.sim.Order(adasOrder)
	parcel := order.Consignments[0].Code
	event := func(typ string, data map[string]any) string {
		w.events++
		raw, err := json.Marshal(map[string]any{"specversion": "1.0", "id": fmt.Sprint("f", w.events), "source": "/shop", "type": typ, "data": data})
		if err != nil {
			w.t.Fatal(err)
		}
		return string(raw)
	}
	type f = map[string]any
	head := f{"code": adasOrder, "guid": order.GUID, "user": f{"uid": uid}}
	all := []string{
		event("order.changed", f{"orderCode": adasOrder, "customerUid": uid}),
		event("sap.kyma.custom.shop.order.deliverysent.v1", f{"orderCode": adasOrder, "consignmentCode": parcel, "consignmentStatus": "SHIPPED", "customerUid": uid}),
		event("sap.cx.commerce.OutboundOrder.Updated.v1", f{"code": adasOrder, "status": f{"code": "COMPLETED"}, "user": f{"uid": uid}}),
		event("sap.cx.commerce.OutboundOrder.Updated.v1", f{"code": adasOrder, "user": f{"uid": uid}}),
		event("sap.cx.commerce.OutboundConsignment.Updated.v1", f{"code": parcel, "status": f{"code": "SHIPPED"}, "order": head}),
		event("sap.cx.commerce.OutboundConsignment.Updated.v1", f{"code": parcel, "order": head}),
		event("sap.cx.commerce.OutboundReturnRequest.Updated.v1", f{"code": w.returned, "status": f{"code": "RECEIVED"}, "order": head}),
		event("order.refunded", f{"orderCode": evesOrder, "customerUid": uid, "returnCode": w.returned}),
		event("order.shipped", f{"orderCode": evesOrder, "customerUid": uid, "consignmentCode": parcel}),
		event("order.shipped", f{"orderCode": evesOrder, "customerUid": uid, "order": f{"code": adasOrder, "user": f{"uid": adasUID}}}),
		event("order.shipped", f{"orderCode": adasOrder, "customerUid": uid, "order": f{"code": adasOrder, "user": f{"uid": adasUID}, "entries": []f{{"product": f{"name": "Brass lamp"}}}}}),
		event("ticket.note_added", f{"ticketId": w.ticket, "customerUid": uid, "note": f{"id": "n1", "text": "A secret between Ada and the desk", "public": true}}),
		`{"event-type":"order.deliverysent","event-type-version":"v1","event-id":"l` + fmt.Sprint(w.events) + `","data":{"orderCode":"` + adasOrder + `","customerUid":"` + uid + `"}}`,
	}
	for _, info := range core.EventTypes {
		if strings.HasPrefix(string(info.Type), "order.") {
			for _, code := range []string{adasOrder, order.GUID} {
				all = append(all, event(string(info.Type), f{"orderCode": code, "customerUid": uid, "consignmentCode": parcel, "returnCode": w.returned, "state": "SHIPPED"}))
			}
		}
	}
	return all
}

// TestAnOrderOfSomebodyElseCannotBeHad tries every way in.
func TestAnOrderOfSomebodyElseCannotBeHad(t *testing.T) {
	t.Run("what Eve writes and presses", func(t *testing.T) {
		inWorld(t, func(w *world) {
			for _, u := range w.chats() {
				w.accept(eve, u)
				w.wait(2 * time.Minute)
			}
			w.wantNothing("chat")
		})
	})
	t.Run("a stranger", func(t *testing.T) {
		inWorld(t, func(w *world) {
			for _, u := range w.chats() {
				w.accept(who{"a", "mallory"}, u)
			}
			w.wantNothing("a chat of nobody's")
		})
	})
	t.Run("an offer for the wrong customer", func(t *testing.T) {
		inWorld(t, func(w *world) {
			order, _ := w.sim.Order(adasOrder)
			for i, code := range []string{adasOrder, order.GUID, "../orders/" + adasOrder} {
				chat := who{"b", fmt.Sprint("eve", i)}
				w.press(chat, w.offer(evesUID, code)["b"].Token)
				for _, text := range []string{"status", "Where is it?", "Where is " + adasOrder + "?"} {
					w.say(chat, text)
					w.wait(2 * time.Minute)
				}
			}
			w.wantNothing("opt-in")
		})
	})
	for _, uid := range []string{evesUID, "g-2|" + adasUID, "EVE@SHOP", "\u0430da@shop", "ada@\u017fhop", adasUID + " x"} {
		t.Run("an event for "+uid, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.vouchFor(uid)
				reader := intake.Reader{Site: func(string) string { return "site" }, Dialect: hybris.NewDialect([]hybris.Object{
					{Name: "OutboundOrder", Is: "order"}, {Name: "OutboundConsignment", Is: "consignment"}, {Name: "OutboundReturnRequest", Is: "return"},
				})}
				for _, body := range w.reports(uid) {
					got, faults, err := reader.Read(http.Header{"Content-Type": {"application/json"}}, []byte(body), time.Now())
					if err != nil || len(faults) > 0 {
						t.Fatalf("%s: %v %v", body, err, faults)
					}
					if _, err := w.intake.Accept(context.Background(), got); err != nil {
						t.Fatal(err)
					}
				}
				w.wantNothing("event for " + uid)
			})
		})
	}
	for _, key := range []string{"both", "code", "guid"} {
		t.Run("the shop's own calls, orders found by "+key, func(t *testing.T) {
			inWorld(t, func(w *world) {
				if err := w.sim.Answer(map[string]string{"order-key": key}); err != nil {
					t.Fatal(err)
				}
				callsInOthersNames(w)
			})
		})
	}
}

// vouchFor links a chat to a uid, as the shop may.
func (w *world) vouchFor(uid string) {
	w.t.Helper()
	if uid == evesUID || uid == "EVE@SHOP" {
		return // she is linked
	}
	err := w.in.Vouch(context.Background(), inbound.Vouched{CustomerUID: uid, Channel: "b", Address: "mallory"})
	if err != nil {
		w.t.Fatal(err)
	}
}

// callsInOthersNames asks the client itself, in Eve's name.
func callsInOthersNames(w *world) {
	ctx, order := w.t.Context(), adasOrder
	whole, _ := w.sim.Order(adasOrder)
	for _, uid := range []string{evesUID, "g-2|" + adasUID, "\u0430da@shop", "ada@\u017fhop", "nobody", "current", "anonymous", "../users/" + adasUID} {
		for _, code := range []string{order, whole.GUID, "../../users/ada@shop/orders/" + order} {
			q := core.OrderQuery{Site: "site", Code: code, CustomerUID: uid}
			if o, err := w.client.Order(ctx, q); err == nil || o.Code != "" {
				w.t.Errorf("%s asks for %s: got an order", uid, code)
			}
			parcel := core.Consignment{Code: whole.Consignments[0].Code}
			if c, _ := w.client.Tracking(ctx, q, parcel); c.TrackingID != "" || c.TrackingURL != "" {
				w.t.Errorf("%s asks for the parcel of %s: got it", uid, code)
			}
			for _, back := range []string{w.returned, ""} {
				if r, err := w.client.Return(ctx, q, back); err == nil {
					w.t.Errorf("%s asks for the return %q of %s: got %+v", uid, back, code, r)
				}
			}
		}
		desk, at := w.at.(interface {
			core.Desk
			core.TicketFinder
		}), core.TicketAt{Site: "site", CustomerUID: uid, TicketID: w.ticket}
		if ticket, err := desk.Ticket(ctx, at); err == nil {
			w.t.Errorf("%s reads Ada's ticket: got %+v", uid, ticket)
		}
		if _, err := desk.AddEntry(ctx, at, core.NewEntry{Text: "in her name"}); err == nil {
			w.t.Errorf("%s writes into Ada's ticket", uid)
		}
		if all, err := desk.Tickets(ctx, "site", uid); err == nil && len(all) > 0 {
			w.t.Errorf("%s lists Ada's tickets: got %+v", uid, all)
		}
		w.wait(3 * time.Second)
	}
	w.wantNothing("the client")
}
