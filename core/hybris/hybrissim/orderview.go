package hybrissim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dates have no colon in the offset.
const dateLayout = "2006-01-02T15:04:05-0700"

func date(t time.Time) string { return t.UTC().Format(dateLayout) }

// orderTree is the whole order as a language shows it.
func orderTree(o Order, lang string) object {
	v := view{o, lang}
	units := 0
	for _, l := range o.Lines {
		units += l.Quantity
	}
	return object{
		"type": "orderWsDTO", "code": o.Code, "guid": o.GUID, "status": o.Status, "statusDisplay": statusDisplay(o.Status),
		"created": date(o.Created), "site": o.Site, "store": o.Site, "guestCustomer": o.Guest, "calculated": true, "net": false,
		"user":       object{"uid": o.UserUID, "name": o.UserName},
		"totalItems": len(o.Lines), "totalUnitCount": units, "deliveryItemsQuantity": units, "pickupItemsQuantity": 0,
		"entries": v.entries(), "unconsignedEntries": []object{},
		"subTotal": v.price(o.subtotal()), "deliveryCost": v.price(o.DeliveryCost), "totalPrice": v.price(o.total()),
		"totalTax": v.price(o.Tax), "totalPriceWithTax": v.price(o.total()), "totalDiscounts": v.price(o.Discount),
		"orderDiscounts": v.price(o.Discount), "productDiscounts": v.price(0),
		"appliedOrderPromotions": []any{}, "appliedProductPromotions": []any{}, "appliedVouchers": []any{},
		"deliveryAddress": v.address(), "deliveryMode": v.deliveryMode(), "paymentInfo": v.payment(),
		"consignments": v.consignments(), "pickupOrderGroups": []object{},
		"deliveryOrderGroups": []object{{
			"entries": v.entries(), "quantity": units, "deliveryAddress": v.address(), "totalPriceWithTax": v.price(o.subtotal()),
		}},
		"cancellable": o.Status == "READY", "returnable": o.Status == "COMPLETED",
	}
}

// orderRow is an order in a list, where "created" is called "placed".
func orderRow(o Order, lang string) object {
	return object{
		"code": o.Code, "guid": o.GUID, "placed": date(o.Created), "status": o.Status,
		"statusDisplay": statusDisplay(o.Status), "total": view{o, lang}.price(o.total()),
	}
}

// statusDisplay is the key a storefront translates.
func statusDisplay(status string) string {
	switch status {
	case "CREATED", "OPEN", "COMPLETED", "CANCELLED", "CANCELLING", "APPROVED", "REJECTED":
		return strings.ToLower(status)
	case "PENDING_APPROVAL":
		return "pending.approval"
	case "PROCESSING_ERROR", "CHECKED_INVALID":
		return "error"
	}
	return "processing"
}

type view struct {
	Order
	lang string
}

func (v view) entries() []object {
	out := make([]object, 0, len(v.Lines))
	for i := range v.Lines {
		out = append(out, v.entry(i))
	}
	return out
}

func (v view) entry(i int) object {
	l := v.Lines[i]
	return object{
		"entryNumber": i, "quantity": l.Quantity, "basePrice": v.price(l.Unit), "totalPrice": v.price(l.Unit * int64(l.Quantity)),
		"updateable": true, "configurationInfos": []any{}, "statusSummaryList": []any{},
		"cancellableQuantity": 0, "returnableQuantity": l.Quantity,
		"product": object{
			"code": l.Code, "name": l.Name, "url": "/p/" + l.Code, "purchasable": true, "availableForPickup": false,
			"configurable": false, "baseOptions": []any{},
			"stock": object{"isValueRounded": false, "stockLevel": 42, "stockLevelStatus": "inStock"},
			"images": []object{{
				"format": "thumbnail", "imageType": "PRIMARY", "altText": l.Name, "url": "/medias/" + l.Code + "-96.jpg?context=abc",
			}},
		},
	}
}

func (v view) address() object {
	a := v.Address
	return object{
		"id": "8796158592023", "firstName": a.FirstName, "lastName": a.LastName, "line1": a.Line1, "line2": a.Line2,
		"postalCode": a.PostalCode, "town": a.Town, "country": object{"isocode": a.Country, "name": a.CountryName}, "phone": a.Phone,
		"formattedAddress": strings.Join([]string{a.Line1, a.Line2, a.Town, a.PostalCode}, ", "),
		"shippingAddress":  true, "visibleInAddressBook": true, "defaultAddress": false,
	}
}

func (v view) deliveryMode() object {
	d := v.Delivery
	return object{"code": d.Code, "name": d.Name, "description": d.Description, "deliveryCost": v.price(v.DeliveryCost)}
}

func (v view) payment() object {
	p := v.Payment
	return object{
		"id": "8796125822999", "accountHolderName": p.Holder, "cardNumber": p.Number,
		"cardType":    object{"code": p.Type, "name": p.TypeName},
		"expiryMonth": p.ExpiryMonth, "expiryYear": p.ExpiryYear, "defaultPayment": false, "saved": false,
	}
}

func (v view) consignments() []object {
	out := make([]object, 0, len(v.Consignments))
	for _, c := range v.Consignments {
		out = append(out, v.consignment(c))
	}
	return out
}

func (v view) consignment(c Consignment) object {
	packed := make([]object, 0, len(c.Packed))
	for _, p := range c.Packed {
		shipped := 0
		if hasLeft(c.Status) {
			shipped = p.Quantity
		}
		packed = append(packed, object{"orderEntry": v.entry(p.Line), "quantity": p.Quantity, "shippedQuantity": shipped})
	}
	out := object{
		"code": c.Code, "status": c.Status, "statusDisplay": consignmentDisplay(c.Status), "statusDate": date(c.StatusDate), "entries": packed,
	}
	if c.TrackingID != "" {
		out["trackingID"] = c.TrackingID
	}
	if c.PickupPoint != "" {
		out["deliveryPointOfService"] = object{"name": c.PickupPoint}
		return out
	}
	out["shippingAddress"] = v.address()
	return out
}

func hasLeft(status string) bool {
	switch status {
	case "SHIPPED", "IN_TRANSIT", "DELIVERING", "DELIVERY_COMPLETED", "DELIVERY_REJECTED", "PICKUP_COMPLETE":
		return true
	}
	return false
}

func consignmentDisplay(status string) string {
	if hasLeft(status) {
		return strings.ToLower(strings.ReplaceAll(status, "_", " "))
	}
	return "processing"
}

// price is an amount: the value for computing, the formatted one for people,
// in the language of the request and the order's own currency.
func (v view) price(hundredths int64) object {
	return object{
		"currencyIso": v.Currency, "priceType": "BUY", "value": value(hundredths), "formattedValue": v.formatted(hundredths),
	}
}

// value writes an amount as the platform's serializer does: 83.8, 29.0.
func value(hundredths int64) json.Number {
	s := strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return json.Number(s)
}

func (v view) formatted(hundredths int64) string {
	symbol, ok := map[string]string{"EUR": "€", "USD": "$", "GBP": "£"}[v.Currency]
	if !ok {
		symbol = v.Currency
	}
	sign := ""
	if hundredths < 0 {
		sign, hundredths = "-", -hundredths
	}
	group, point := ",", "."
	switch v.lang {
	case "de", "es", "it":
		group, point = ".", ","
	case "fr":
		group, point = "\u202f", ","
	}
	amount := grouped(hundredths/100, group) + point + fmt.Sprintf("%02d", hundredths%100)
	if point == "," {
		return sign + amount + "\u00a0" + symbol
	}
	return sign + symbol + amount
}

func grouped(n int64, separator string) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + separator + s[i:]
	}
	return s
}
