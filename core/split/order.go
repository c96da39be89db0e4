package split

import (
	"reflect"
	"strings"

	"tidings/core"
)

// hasForm reports whether a platform's own form takes the order: it has one,
// every field it needs is there, and the lines fit. A limit of no lines at all
// means that none is known.
func hasForm(order core.Order, lim core.OrderLimits) bool {
	if !lim.Native || len(order.Lines) == 0 {
		return false
	}
	if lim.Lines.Max > 0 && len(order.Lines) > lim.Lines.Max {
		return false
	}
	for _, line := range order.Lines {
		if strings.TrimSpace(line.Name) == "" {
			return false
		}
	}
	for _, name := range lim.Needs {
		if !hasField(reflect.ValueOf(order), name) {
			return false
		}
	}
	return true
}

// hasField reports whether the field with that JSON name says anything. A name
// that core.Order does not have is a need that nothing meets.
func hasField(order reflect.Value, name string) bool {
	for i := range order.NumField() {
		tag, _, _ := strings.Cut(order.Type().Field(i).Tag.Get("json"), ",")
		if tag != name {
			continue
		}
		field := order.Field(i)
		if money, ok := reflect.TypeAssert[core.Money](field); ok {
			return money.Amount != "" && money.Currency != ""
		}
		if field.Kind() == reflect.String {
			return strings.TrimSpace(field.String()) != ""
		}
		return !field.IsZero()
	}
	return false
}
