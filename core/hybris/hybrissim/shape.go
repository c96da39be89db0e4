package hybrissim

// shapes are the levels of the answers. The order's follow a public
// dto-level-mappings of the 6.x era, the tickets' the web services' own field
// sets, both in the field names of the OCC OpenAPI 2.2.9; what is in no list
// is never cut down.
var shapes = map[string]shape{
	"order": {
		always: "type", // real answers carry it, the OpenAPI does not know it
		basic:  "code guid",
		standard: "status statusDisplay created site store guestCustomer calculated net totalItems totalUnitCount " +
			"deliveryItemsQuantity pickupItemsQuantity entries user deliveryAddress deliveryMode deliveryCost deliveryStatus " +
			"deliveryStatusDisplay paymentInfo subTotal totalPrice totalPriceWithTax totalTax totalDiscounts orderDiscounts " +
			"productDiscounts appliedOrderPromotions appliedProductPromotions appliedVouchers consignments unconsignedEntries " +
			"pickupOrderGroups deliveryOrderGroups cancellable returnable",
		parts: map[string]string{
			"entries": "entry", "unconsignedEntries": "entry", "user": "user", "deliveryAddress": "address",
			"deliveryMode": "deliveryMode", "paymentInfo": "paymentInfo", "consignments": "consignment",
			"deliveryOrderGroups": "orderGroup",
			"deliveryCost":        "price", "subTotal": "price", "totalPrice": "price", "totalPriceWithTax": "price", "totalTax": "price",
			"totalDiscounts": "price", "orderDiscounts": "price", "productDiscounts": "price",
		},
	},
	"entry": {
		basic:    "entryNumber quantity deliveryPointOfService",
		standard: "totalPrice product",
		full:     "basePrice updateable deliveryMode configurationInfos statusSummaryList cancellableQuantity returnableQuantity",
		parts:    map[string]string{"totalPrice": "price", "basePrice": "price", "product": "product"},
	},
	"product": {
		basic:    "code name url",
		standard: "purchasable stock availableForPickup configurable baseOptions images",
	},
	"price": {basic: "currencyIso value formattedValue priceType"},
	"user":  {basic: "uid name"},
	"address": {
		basic:    "id",
		standard: "title titleCode firstName lastName line1 line2 postalCode town region country formattedAddress",
		full:     "phone cellphone email shippingAddress visibleInAddressBook defaultAddress",
	},
	"deliveryMode": {
		basic: "code", standard: "name description deliveryCost",
		parts: map[string]string{"deliveryCost": "price"},
	},
	"paymentInfo": {
		basic:    "id",
		standard: "accountHolderName cardNumber cardType expiryMonth expiryYear defaultPayment saved",
	},
	"orderGroup": {
		basic: "entries quantity", standard: "deliveryAddress totalPriceWithTax",
		parts: map[string]string{"entries": "entry", "deliveryAddress": "address", "totalPriceWithTax": "price"},
	},
	"consignment": {
		basic:    "code trackingID status",
		standard: "statusDisplay statusDate entries shippingAddress deliveryPointOfService",
		parts:    map[string]string{"entries": "consignmentEntry", "shippingAddress": "address"},
	},
	"consignmentEntry": {
		basic: "orderEntry quantity shippedQuantity",
		parts: map[string]string{"orderEntry": "entry"},
	},
	"orderHistory": {
		basic: "orders pagination sorts",
		parts: map[string]string{"orders": "orderRow"},
	},
	"orderRow": {
		basic: "code guid placed status statusDisplay total",
		parts: map[string]string{"total": "price"},
	},
	"ticketList": {
		basic: "tickets pagination sorts", // rows are the same at all levels
	},
	"ticket": {
		basic:    "id subject createdAt modifiedAt status ticketCategory",
		standard: "ticketEvents associatedTo availableStatusTransitions",
		full:     "customerId",
		parts:    map[string]string{"ticketEvents": "ticketEvent"},
	},
	"ticketEvent": {
		basic:    "message author createdAt",
		standard: "addedByAgent toStatus code ticketEventAttachments",
	},
}
