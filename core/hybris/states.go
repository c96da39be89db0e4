package hybris

import "tidings/core"

// meaning is what a state says to a customer: a canonical type, or, where that
// is empty, the reason why nobody is told.
type meaning struct {
	tells core.EventType
	quiet string
}

// Reasons that several states share.
const (
	inChecks    = "an internal check, nothing to tell"
	inPayment   = "a step of the payment that went well"
	needsStaff  = "an error that the shop's own people have to deal with"
	inWarehouse = "a step in the warehouse, nothing to tell yet"
)

// The three life cycles of SAP Commerce (core, basecommerce, commerceservices,
// warehousing and consignmenttracking extensions; labels in github.com/SAP/
// spartacus, feature-libs/order/assets/translations, read 2026-11-22). They are
// dynamic enums: a project may add states, which then are quiet.
//
// An order has no state "shipped": that lives on its consignments.
var orderStates = map[string]meaning{
	"CREATED": {tells: "order.placed"},
	"OPEN":    {tells: "order.placed"},
	"READY":   {tells: "order.placed"},

	"ON_HOLD":                        {tells: "order.on_hold"},
	"WAIT_FRAUD_MANUAL_CHECK":        {tells: "order.on_hold"},
	"PENDING_APPROVAL":               {tells: "order.approval_needed"},
	"PENDING_APPROVAL_FROM_MERCHANT": {tells: "order.approval_needed"},
	"APPROVED":                       {tells: "order.approved"},
	"APPROVED_BY_MERCHANT":           {tells: "order.approved"},
	"REJECTED":                       {tells: "order.rejected"},
	"REJECTED_BY_MERCHANT":           {tells: "order.rejected"},
	"PAYMENT_NOT_AUTHORIZED":         {tells: "order.payment_failed"},
	"PAYMENT_AMOUNT_NOT_RESERVED":    {tells: "order.payment_failed"},
	"PAYMENT_NOT_CAPTURED":           {tells: "order.payment_failed"},
	"CANCELLED":                      {tells: "order.cancelled"},
	"COMPLETED":                      {tells: "order.completed"},

	"ON_VALIDATION":           {quiet: inChecks},
	"CHECKED_VALID":           {quiet: inChecks},
	"CHECKED_INVALID":         {quiet: inChecks},
	"FRAUD_CHECKED":           {quiet: inChecks},
	"ASSIGNED_TO_ADMIN":       {quiet: inChecks},
	"PAYMENT_AUTHORIZED":      {quiet: inPayment},
	"PAYMENT_AMOUNT_RESERVED": {quiet: inPayment},
	"PAYMENT_CAPTURED":        {quiet: inPayment},
	"ORDER_SPLIT":             {quiet: inWarehouse},
	"SUSPENDED":               {quiet: inProgress},
	"CANCELLING":              {quiet: "told when the order is cancelled"},
	"PENDING_QUOTE":           {quiet: forQuotes},
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
	"SHIPPED":              {tells: "order.shipped"},
	"DELIVERING":           {tells: "order.out_for_delivery"},
	"DELIVERY_COMPLETED":   {tells: "order.delivered"},
	"DELIVERY_REJECTED":    {tells: "order.delivery_failed"},
	"READY_FOR_PICKUP":     {tells: "order.ready_for_pickup"},
	"PICKUP_COMPLETE":      {tells: "order.picked_up"},
	"PAYMENT_NOT_CAPTURED": {tells: "order.payment_failed"},

	"WAITING":            {quiet: inWarehouse},
	"PICKPACK":           {quiet: inWarehouse},
	"READY":              {quiet: inWarehouse},
	"READY_FOR_SHIPPING": {quiet: inWarehouse},
	"IN_PROCESS":         {quiet: inWarehouse},
	"IN_TRANSIT":         {quiet: "on its way, told as shipped"},
	"CANCELLED":          {quiet: "a consignment may be sourced anew; the order's own state tells"},
	"TAX_NOT_COMMITTED":  {quiet: needsStaff},
}

var returnStates = map[string]meaning{
	"APPROVAL_PENDING": {tells: "order.return_created"},
	"WAIT":             {tells: "order.return_created"},
	"RECEIVED":         {tells: "order.return_received"},
	"PAYMENT_REVERSED": {tells: "order.refunded"},

	"APPROVING":               {quiet: inProgress},
	"RECEIVING":               {quiet: inWarehouse},
	"REVERSING_PAYMENT":       {quiet: inProgress},
	"REVERSING_TAX":           {quiet: inProgress},
	"TAX_REVERSED":            {quiet: inProgress},
	"COMPLETED":               {quiet: "told as refunded"},
	"CANCELLING":              {quiet: inProgress},
	"CANCELED":                {quiet: "there is no notification for a cancelled return"},
	"PAYMENT_REVERSAL_FAILED": {quiet: needsStaff},
	"TAX_REVERSAL_FAILED":     {quiet: needsStaff},
}

// meaningOf looks a state up.
func meaningOf(states map[string]meaning, state string) meaning {
	if state == "" {
		return meaning{quiet: "the body names no state"}
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
