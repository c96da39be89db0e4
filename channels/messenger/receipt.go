package messenger

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"tidings/core"
)

// receiptPayload is Meta's form for an order (fromReceipt).
type receiptPayload struct {
	TemplateType  string       `json:"template_type"`
	RecipientName string       `json:"recipient_name"`
	OrderNumber   string       `json:"order_number"`
	Currency      string       `json:"currency"`
	PaymentMethod string       `json:"payment_method"`
	Timestamp     string       `json:"timestamp,omitempty"`
	Elements      []element    `json:"elements,omitempty"`
	Address       *postAddress `json:"address,omitempty"`
	Summary       summary      `json:"summary"`
	Adjustments   []adjustment `json:"adjustments,omitempty"`
}

type element struct {
	Title    string      `json:"title"`
	Subtitle string      `json:"subtitle,omitempty"`
	Quantity int         `json:"quantity,omitempty"`
	Price    json.Number `json:"price"`
	Currency string      `json:"currency,omitempty"`
	ImageURL string      `json:"image_url,omitempty"`
}

type postAddress struct {
	Street1    string `json:"street_1"`
	Street2    string `json:"street_2,omitempty"`
	City       string `json:"city"`
	PostalCode string `json:"postal_code"`
	State      string `json:"state"`
	Country    string `json:"country"`
}

type summary struct {
	Subtotal     amount `json:"subtotal,omitempty"`
	ShippingCost amount `json:"shipping_cost,omitempty"`
	TotalTax     amount `json:"total_tax,omitempty"`
	TotalCost    amount `json:"total_cost"`
}

type adjustment struct {
	Name   string `json:"name"`
	Amount amount `json:"amount"`
}

// amount is a JSON number in the digits of the shop, or "" where there is none.
type amount = json.Number

// encodeReceipt writes an order as a receipt. ok is false when the order lacks
// what a receipt must have, or has an amount that a receipt cannot show exactly.
func encodeReceipt(o core.Order, locale string) (payload receiptPayload, ok bool) {
	if o.Code == "" || o.CustomerName == "" || o.Payment == "" || o.Total.IsZero() || o.Total.Currency == "" {
		return receiptPayload{}, false
	}
	payload = receiptPayload{
		TemplateType:  "receipt",
		RecipientName: o.CustomerName,
		OrderNumber:   o.Code,
		Currency:      o.Total.Currency,
		PaymentMethod: o.Payment,
		Address:       encodeAddress(o.ShipTo),
	}
	if !o.Placed.IsZero() {
		payload.Timestamp = strconv.FormatInt(o.Placed.Unix(), 10)
	}
	var elementsOK, sumsOK bool
	payload.Elements, elementsOK = encodeElements(o)
	payload.Summary, payload.Adjustments, sumsOK = encodeSums(o, locale)
	return payload, elementsOK && sumsOK
}

func encodeElements(o core.Order) ([]element, bool) {
	if len(o.Lines) > maxLines {
		return nil, false
	}
	var out []element
	for _, line := range o.Lines {
		e, ok := encodeLine(line, o.Total.Currency)
		if !ok {
			return nil, false
		}
		out = append(out, e)
	}
	return out, true
}

// encodeLine needs a name and the price of one piece. A price of 0 is allowed,
// but an unknown one must not look like a gift.
func encodeLine(line core.OrderLine, currency string) (element, bool) {
	unit := line.Unit
	if unit.IsZero() && line.Quantity == 1 {
		unit = line.Total
	}
	price, ok := number(unit)
	if !ok || price == "" || line.Name == "" {
		return element{}, false
	}
	e := element{Title: line.Name, Subtitle: line.Code, Quantity: line.Quantity, Price: price, Currency: currency}
	if unit.Currency != "" {
		e.Currency = unit.Currency
	}
	if strings.HasPrefix(line.ImageURL, "https://") {
		e.ImageURL = line.ImageURL
	}
	return e, true
}

func encodeSums(o core.Order, locale string) (summary, []adjustment, bool) {
	total, ok1 := number(o.Total)
	subtotal, ok2 := number(o.Subtotal)
	shipping, ok3 := number(o.Shipping)
	tax, ok4 := number(o.Tax)
	discount, ok5 := number(o.Discount)
	if !(ok1 && ok2 && ok3 && ok4 && ok5) {
		return summary{}, nil, false
	}
	sums := summary{Subtotal: subtotal, ShippingCost: shipping, TotalTax: tax, TotalCost: total}
	if !strings.ContainsAny(discount.String(), "123456789") {
		return sums, nil, true
	}
	// Meta subtracts what it is given here, whichever sign the shop writes.
	less := amount(strings.TrimPrefix(discount.String(), "-"))
	return sums, []adjustment{{Name: discountLabel(locale), Amount: less}}, true
}

// encodeAddress returns nil unless the address has all that Meta requires of one.
func encodeAddress(a *core.PostAddress) *postAddress {
	if a == nil || a.Street == "" || a.City == "" || a.PostalCode == "" || a.State == "" || len(a.Country) != 2 {
		return nil
	}
	return &postAddress{
		Street1:    a.Street,
		Street2:    a.Street2,
		City:       a.City,
		PostalCode: a.PostalCode,
		State:      a.State,
		Country:    strings.ToUpper(a.Country),
	}
}

var plainDecimal = regexp.MustCompile(`^(-?)0*([0-9]+)(?:\.([0-9]*))?$`)

// number returns the amount as a JSON number with at most two decimals, "" for
// no amount. ok is false when that would need rounding or it is no number.
func number(m core.Money) (n amount, ok bool) {
	if m.IsZero() {
		return "", true
	}
	groups := plainDecimal.FindStringSubmatch(m.Amount)
	if groups == nil {
		return "", false
	}
	sign, whole, decimals := groups[1], groups[2], groups[3]
	for len(decimals) > 2 && strings.HasSuffix(decimals, "0") {
		decimals = strings.TrimSuffix(decimals, "0")
	}
	switch {
	case len(decimals) > 2:
		return "", false
	case decimals == "":
		return amount(sign + whole), true
	}
	return amount(sign + whole + "." + decimals), true
}

// discountLabel is the one word of this adapter that a customer reads.
func discountLabel(locale string) string {
	tag, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(locale), "_", "-"), "-")
	switch tag {
	case "de", "sv", "nb", "nn", "no":
		return "Rabatt"
	case "fr":
		return "Remise"
	case "es":
		return "Descuento"
	case "it":
		return "Sconto"
	case "nl":
		return "Korting"
	case "pt":
		return "Desconto"
	case "da", "pl":
		return "Rabat"
	}
	return "Discount"
}
