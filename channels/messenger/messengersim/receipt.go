package messengersim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The receipt template's rules: its reference page, read 2026-11-22.
const maxItems = 100

var (
	// A decimal number with a point and at most two decimals.
	amount   = regexp.MustCompile(`^-?\d+(\.\d{1,2})?$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
	country  = regexp.MustCompile(`^[A-Z]{2}$`)
	seconds  = regexp.MustCompile(`^\d{1,12}$`)
)

const receiptParam = "message[attachment][payload]"

// parseReceipt checks a receipt and writes it out as a person reads it.
func (s *Sim) parseReceipt(c *content, raw json.RawMessage) *graphError {
	fields, err := object(receiptParam, raw, "template_type", "sharable", "recipient_name", "merchant_name", "order_number",
		"currency", "payment_method", "order_url", "timestamp", "elements", "address", "summary", "adjustments")
	if err != nil {
		return err
	}
	for _, name := range []string{"recipient_name", "order_number", "currency", "payment_method"} {
		if _, err := need(fields, receiptParam, name, longText); err != nil {
			return err
		}
	}
	if err := checkReceiptTexts(fields); err != nil {
		return err
	}
	for _, check := range []func(map[string]json.RawMessage) *graphError{checkSummary, checkItems, checkAddress, checkAdjustments} {
		if err := check(fields); err != nil {
			return err
		}
	}
	_ = json.Unmarshal(fields["order_number"], &c.order) // checked above
	if s.orders[c.order] && !s.opt.RepeatOrders {
		return errorf(100, 0, "Invalid parameter: order_number must be unique")
	}
	c.shown.Kind = "receipt"
	_ = json.Unmarshal(raw, &c.shown.Fields) // an object, as checked above
	c.shown.Text = receiptText(c.shown.Fields)
	return nil
}

func checkReceiptTexts(fields map[string]json.RawMessage) *graphError {
	for _, rule := range []struct {
		name, want string
		ok         func(string) bool
	}{
		{"merchant_name", "a string", func(string) bool { return true }},
		{"currency", "a three-letter ISO 4217 code", currency.MatchString},
		{"order_url", "a valid URL", isWeb},
		{"timestamp", "a time in seconds", seconds.MatchString},
	} {
		v, err := text(fields, receiptParam, rule.name, longText)
		if err != nil {
			return err
		}
		if fields[rule.name] != nil && !rule.ok(v) {
			return errorf(100, 0, "Param %s[%s] must be %s.", receiptParam, rule.name, rule.want)
		}
	}
	return nil
}

func checkSummary(receipt map[string]json.RawMessage) *graphError {
	const param = receiptParam + "[summary]"
	if receipt["summary"] == nil {
		return errorf(100, 0, "The parameter %s is required", param)
	}
	fields, err := object(param, receipt["summary"], "subtotal", "shipping_cost", "total_tax", "total_cost")
	if err != nil {
		return err
	}
	if fields["total_cost"] == nil {
		return errorf(100, 0, "The parameter %s[total_cost] is required", param)
	}
	for name, raw := range fields {
		if err := checkAmount(param+"["+name+"]", raw); err != nil {
			return err
		}
	}
	return nil
}

func checkItems(receipt map[string]json.RawMessage) *graphError {
	if receipt["elements"] == nil {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(receipt["elements"], &items) != nil {
		return errorf(100, 0, "Param %s[elements] must be an array.", receiptParam)
	}
	if len(items) > maxItems {
		return errorf(105, 0, "param %s[elements] has too many elements.", receiptParam)
	}
	for i, raw := range items {
		if err := checkItem(fmt.Sprintf("%s[elements][%d]", receiptParam, i), raw); err != nil {
			return err
		}
	}
	return nil
}

func checkItem(param string, raw json.RawMessage) *graphError {
	fields, err := object(param, raw, "title", "subtitle", "quantity", "price", "currency", "image_url")
	if err != nil {
		return err
	}
	if _, err := need(fields, param, "title", longText); err != nil {
		return err
	}
	if _, err := text(fields, param, "subtitle", longText); err != nil {
		return err
	}
	if fields["price"] == nil {
		return errorf(100, 0, "The parameter %s[price] is required", param)
	}
	if err := checkAmount(param+"[price]", fields["price"]); err != nil {
		return err
	}
	var n json.Number
	if q := fields["quantity"]; q != nil && (q[0] == '"' || json.Unmarshal(q, &n) != nil) {
		return errorf(100, 0, "Param %s[quantity] must be a number.", param)
	}
	link, err := text(fields, param, "image_url", longText)
	if err == nil && link != "" && !isWeb(link) {
		return errorf(100, 0, "%s[image_url] should represent a valid URL", param)
	}
	return err
}

func checkAddress(receipt map[string]json.RawMessage) *graphError {
	const param = receiptParam + "[address]"
	if receipt["address"] == nil {
		return nil
	}
	fields, err := object(param, receipt["address"], "street_1", "street_2", "city", "postal_code", "state", "country")
	if err != nil {
		return err
	}
	for _, name := range []string{"street_1", "city", "postal_code", "state", "country"} {
		if _, err := need(fields, param, name, longText); err != nil {
			return err
		}
	}
	code, _ := need(fields, param, "country", longText)
	if !country.MatchString(code) {
		return errorf(100, 0, "Param %s[country] must be a two-letter country code.", param)
	}
	_, err = text(fields, param, "street_2", longText)
	return err
}

func checkAdjustments(receipt map[string]json.RawMessage) *graphError {
	if receipt["adjustments"] == nil {
		return nil
	}
	var all []json.RawMessage
	if json.Unmarshal(receipt["adjustments"], &all) != nil {
		return errorf(100, 0, "Param %s[adjustments] must be an array.", receiptParam)
	}
	for i, raw := range all {
		param := fmt.Sprintf("%s[adjustments][%d]", receiptParam, i)
		fields, err := object(param, raw, "name", "amount")
		if err != nil {
			return err
		}
		if _, err := need(fields, param, "name", longText); err != nil {
			return err
		}
		if err := checkAmount(param+"[amount]", fields["amount"]); err != nil {
			return err
		}
	}
	return nil
}

func checkAmount(param string, raw json.RawMessage) *graphError {
	if !amount.Match(raw) {
		return errorf(100, 0, "Param %s must be a number with at most two decimals.", param)
	}
	return nil
}

// receiptText is the receipt as lines of text.
func receiptText(f map[string]any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Order %v for %v", f["order_number"], f["recipient_name"])
	items, _ := f["elements"].([]any)
	for _, it := range items {
		item, _ := it.(map[string]any)
		quantity := item["quantity"]
		if quantity == nil {
			quantity = 1
		}
		fmt.Fprintf(&b, "\n%v × %v: %v", quantity, item["title"], item["price"])
	}
	summary, _ := f["summary"].(map[string]any)
	fmt.Fprintf(&b, "\nTotal %v %v\nPaid with %v", summary["total_cost"], f["currency"], f["payment_method"])
	return b.String()
}
