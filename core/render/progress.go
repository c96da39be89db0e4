package render

import (
	"slices"

	"tidings/core"
)

// progress says in one neutral word how far an order has come, for the partial
// _state to put into a language. A status that is not known, or that is for
// the shop's own people, is "in_progress": customers are told nothing that
// only looks like a reason to worry.
//
// The shop's codes are those of SAP Commerce, where shipping lives on
// consignments and not on the order
// (https://github.com/SAP/spartacus, feature-libs/order, read 2026-11-22).
func progress(o core.Order) string {
	switch o.Status {
	case "CANCELLED":
		return "cancelled"
	case "CANCELLING":
		return "cancelling"
	case "REJECTED", "REJECTED_BY_MERCHANT":
		return "rejected"
	case "PENDING_APPROVAL", "PENDING_APPROVAL_FROM_MERCHANT", "ASSIGNED_TO_ADMIN":
		return "approval"
	case "PAYMENT_NOT_AUTHORIZED", "PAYMENT_NOT_CAPTURED":
		return "payment"
	}
	if delivery := deliveryProgress(o.Consignments); delivery != "" {
		return delivery
	}
	switch o.Status {
	case "COMPLETED":
		return "completed"
	case "CREATED", "OPEN", "READY":
		return "received"
	}
	return "in_progress"
}

// deliveryProgress is the state of the parcels together, "" while none has left.
func deliveryProgress(all []core.Consignment) string {
	var total, arrived, pickedUp, sent, waiting int
	for _, c := range all {
		switch {
		case c.Status == "CANCELLED":
			continue
		case c.Status == "DELIVERY_COMPLETED":
			arrived++
		case c.Status == "PICKUP_COMPLETE":
			pickedUp++
		case c.Status == "READY_FOR_PICKUP":
			waiting++
		case slices.Contains([]string{"SHIPPED", "IN_TRANSIT", "DELIVERING", "DELIVERY_REJECTED"}, c.Status):
			sent++
		}
		total++
	}
	switch {
	case total == 0:
		return ""
	case pickedUp == total:
		return "picked_up"
	case arrived+pickedUp == total:
		return "delivered"
	case waiting > 0:
		return "ready_for_pickup"
	case sent+arrived+pickedUp == total:
		return "shipped"
	case sent+arrived+pickedUp > 0:
		return "partly_shipped"
	}
	return ""
}
