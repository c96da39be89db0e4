package hybris

import (
	"strings"

	"tidings/core"
)

// meaning is what a state says to a customer: a canonical type, or, where that
// is empty, the reason why nobody is told. Its place orders the states of one
// life cycle; 0 is a state that can come at any time.
type meaning struct {
	tells core.EventType
	quiet string
	place int
}

// Reasons that several states share.
const (
	inChecks    = "an internal check, nothing to tell"
	inPayment   = "a step of the payment that went well"
	needsStaff  = "an error that the shop's own people have to deal with"
	inWarehouse = "a step in the warehouse, nothing to tell yet"
	noState     = "the body names no state"
)

// The three life cycles of SAP Commerce (core, basecommerce, commerceservices,
// warehousing and consignmenttracking extensions; labels in github.com/SAP/
// spartacus, feature-libs/order/assets/translations, read 2026-11-22). They are
// dynamic enums: a project may add states, which then are quiet.
//
// An order has no state "shipped": that lives on its consignments.
var orderStates = map[string]meaning{
	"CREATED": {tells: "order.placed", place: 10},
	"OPEN":    {tells: "order.placed", place: 10},
	"READY":   {tells: "order.placed", place: 40},

	"ON_HOLD":                        {tells: "order.on_hold"},
	"WAIT_FRAUD_MANUAL_CHECK":        {tells: "order.on_hold"},
	"PENDING_APPROVAL":               {tells: "order.approval_needed", place: 20},
	"PENDING_APPROVAL_FROM_MERCHANT": {tells: "order.approval_needed", place: 20},
	"APPROVED":                       {tells: "order.approved", place: 30},
	"APPROVED_BY_MERCHANT":           {tells: "order.approved", place: 30},
	"REJECTED":                       {tells: "order.rejected", place: 30},
	"REJECTED_BY_MERCHANT":           {tells: "order.rejected", place: 30},
	"PAYMENT_NOT_AUTHORIZED":         {tells: "order.payment_failed"},
	"PAYMENT_AMOUNT_NOT_RESERVED":    {tells: "order.payment_failed"},
	"PAYMENT_NOT_CAPTURED":           {tells: "order.payment_failed"},
	"CANCELLING":                     {tells: "order.cancel_requested", place: 85},
	"CANCELLED":                      {tells: "order.cancelled", place: 90},
	"COMPLETED":                      {tells: "order.completed", place: 80},

	"ON_VALIDATION":           {quiet: inChecks, place: 12},
	"CHECKED_VALID":           {quiet: inChecks, place: 32},
	"CHECKED_INVALID":         {quiet: inChecks, place: 32},
	"FRAUD_CHECKED":           {quiet: inChecks, place: 36},
	"ASSIGNED_TO_ADMIN":       {quiet: inChecks, place: 15},
	"PAYMENT_AUTHORIZED":      {quiet: inPayment, place: 34},
	"PAYMENT_AMOUNT_RESERVED": {quiet: inPayment, place: 34},
	"PAYMENT_CAPTURED":        {quiet: inPayment, place: 50},
	"ORDER_SPLIT":             {quiet: inWarehouse, place: 42},
	"SUSPENDED":               {quiet: inProgress},
	"PENDING_QUOTE":           {quiet: forQuotes, place: 20},
	"APPROVED_QUOTE":          {quiet: forQuotes},
	"REJECTED_QUOTE":          {quiet: forQuotes},
	"PROCESSING_ERROR":        {quiet: needsStaff},
	"B2B_PROCESSING_ERROR":    {quiet: needsStaff},
	"PAYMENT_NOT_VOIDED":      {quiet: needsStaff},
	"TAX_NOT_VOIDED":          {quiet: needsStaff},
	"TAX_NOT_COMMITTED":       {quiet: needsStaff},
	"TAX_NOT_REQUOTED":        {quiet: needsStaff},
}

var consignmentStates = map[string]meaning{
	"SHIPPED":              {tells: "order.shipped", place: 20},
	"DELIVERING":           {tells: "order.out_for_delivery", place: 30},
	"DELIVERY_COMPLETED":   {tells: "order.delivered", place: 50},
	"DELIVERY_REJECTED":    {tells: "order.delivery_failed", place: 40},
	"READY_FOR_PICKUP":     {tells: "order.ready_for_pickup", place: 20},
	"PICKUP_COMPLETE":      {tells: "order.picked_up", place: 50},
	"PAYMENT_NOT_CAPTURED": {tells: "order.payment_failed"},

	"WAITING":            {quiet: inWarehouse, place: 10},
	"PICKPACK":           {quiet: inWarehouse, place: 12},
	"READY":              {quiet: inWarehouse, place: 15},
	"READY_FOR_SHIPPING": {quiet: inWarehouse, place: 18},
	"IN_PROCESS":         {quiet: inWarehouse, place: 12},
	"IN_TRANSIT":         {quiet: "on its way, told as shipped", place: 25},
	"CANCELLED":          {quiet: "a consignment may be sourced anew; the order's own state tells", place: 90},
	"TAX_NOT_COMMITTED":  {quiet: needsStaff},
}

var returnStates = map[string]meaning{
	"APPROVAL_PENDING": {tells: "order.return_created", place: 10},
	"WAIT":             {tells: "order.return_created", place: 10},
	"RECEIVED":         {tells: "order.return_received", place: 20},
	"PAYMENT_REVERSED": {tells: "order.refunded", place: 30},
	"CANCELED":         {tells: "order.return_cancelled", place: 50}, // with one L

	"APPROVING":               {quiet: inProgress, place: 12},
	"RECEIVING":               {quiet: inWarehouse, place: 15},
	"REVERSING_PAYMENT":       {quiet: inProgress, place: 25},
	"REVERSING_TAX":           {quiet: inProgress, place: 32},
	"TAX_REVERSED":            {quiet: inProgress, place: 34},
	"COMPLETED":               {quiet: "told as refunded", place: 40},
	"CANCELLING":              {quiet: inProgress, place: 45},
	"PAYMENT_REVERSAL_FAILED": {quiet: needsStaff},
	"TAX_REVERSAL_FAILED":     {quiet: needsStaff},
}

// meaningOf looks a state up.
func meaningOf(states map[string]meaning, state string) meaning {
	if state == "" {
		return meaning{quiet: noState}
	}
	m, ok := states[state]
	if !ok && isName(state) {
		return meaning{quiet: "state " + state + " is not known"}
	}
	if !ok {
		return meaning{quiet: "the state is not known"}
	}
	return m
}

// statesOf are the states of what a type tells about; nil where it has none.
func statesOf(t core.EventType) map[string]meaning {
	switch info, _ := core.LookupType(t); info.Entity {
	case core.EntityOrder:
		return orderStates
	case core.EntityConsignment:
		return consignmentStates
	case core.EntityReturn:
		return returnStates
	}
	return nil
}

// Later implements core.Dialect.
func (*Dialect) Later(t core.EventType, pushed, read string) bool {
	states := statesOf(t)
	before := states[read].place
	return before > 0 && states[strings.ToUpper(pushed)].place > before
}

// Reached implements core.Dialect.
func (*Dialect) Reached(t core.EventType, state string) bool {
	states := statesOf(t)
	at := states[state]
	if at.tells == t {
		return true
	}
	for _, m := range states {
		if m.tells == t && m.place > 0 && at.place > m.place {
			return true
		}
	}
	return false
}

// Reading implements core.Dialect.
func (*Dialect) Reading(d core.EventData, o core.Order, back core.Return) (t core.EventType, state, why string) {
	states, state := orderStates, o.Status
	switch {
	case d.ReturnCode != "":
		states, state = returnStates, back.Status
	case d.ConsignmentCode != "":
		states, state = consignmentStates, ""
		for _, c := range o.Consignments {
			if c.Code == d.ConsignmentCode {
				state = c.Status
			}
		}
	}
	m := meaningOf(states, state)
	return m.tells, state, m.quiet
}
