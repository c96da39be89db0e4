package hybrissim

import (
	"cmp"
	"maps"
	"strings"
)

// commerceNames are the Commerce events for what customers are told. There is
// none for a parcel on its way or delivered, and none for tickets.
var commerceNames = map[string]string{
	"order.placed":           "order.placed",
	"order.payment_failed":   "order.paymentfailed",
	"order.on_hold":          "order.fraudcustomernotified",
	"order.shipped":          "order.deliverysent",
	"order.ready_for_pickup": "order.readyforpickup",
	"order.picked_up":        "order.pickupconfirmation",
	"order.cancelled":        "order.cancelled",
	"order.partly_cancelled": "order.partiallycanceled",
	"order.return_created":   "order.createreturn",
	"order.refunded":         "order.refund",
	"order.partly_refunded":  "order.partiallyrefunded",
	"order.completed":        "order.completed",
	"customer.registered":    "customer.created",
	"customer.renamed":       "customer.changeuid",
}

// Data of Commerce events that several have.
const (
	ofOrder    = "orderCode orderStatus"
	ofParcel   = "orderCode consignmentCode consignmentStatus"
	ofChange   = "orderCode modificationCode modificationStatus"
	ofCustomer = "customerUid customerId storeUid"
	ofQuote    = "customerUid storeUid quoteCode quoteUserUid quoteUserType"
	ofCronJob  = "cronJobCode jobCode jobType cronJobType"
	everyCode  = "orderCode orderStatus consignmentCode consignmentStatus" // of an event that is in no list
)

// commerceData is what each Commerce event holds, as in
// https://github.com/SAP-archive/xf-application-mocks, commerce-mock/apis/events.yaml,
// read 2026-11-22: codes, and no site. One of them is misspelt there, and one
// has a token that must go nowhere.
var commerceData = map[string]string{
	"order.created": "orderCode", "order.fraudemployeenotified": "orderCode",
	"order.placed": ofOrder, "order.processing": ofOrder, "order.completed": ofOrder, "order.cancelled": ofOrder, "order.refund": ofOrder,
	"order.fraud": ofOrder, "order.frauderror": ofOrder, "order.fraudcustomernotified": ofOrder,
	"order.paymentfailed": ofOrder, "order.paymentauthfailed": ofOrder,
	"order.cancelpending":     "orderCode cancelRequestCode",
	"order.partiallycanceled": ofChange, "order.partiallyrefunded": ofChange,
	"order.createreturn":   "orderCode status",
	"order.readyforpickup": "orderCode consignmentCode",
	"order.deliverysent":   ofParcel, "order.pickedup": ofParcel, "order.pickupconfirmation": ofParcel,
	"order.notpickedcancelconsignment": ofParcel, "consigment.consignmentprocessing": ofParcel,
	"customer.created": ofCustomer, "customer.changeuid": "customerUid storeUid", "password.forgotten": ofCustomer + " token",
	"quote.orderplaced": "quoteCode orderCode", "quote.buyersubmit": ofQuote, "quote.salesrepsubmit": ofQuote, "quote.sellerapproved": ofQuote,
	"quote.expiresoonevent": ofQuote, "quote.expired": ofQuote, "quote.cancelled": ofQuote,
	"cart.fileupload":  "customerUid storeUid mediaCode",
	"cronjob.finished": ofCronJob + " result status",
	"cronjob.aborted":  ofCronJob, "cronjob.beforestart": ofCronJob,
	"cronjob.dataexport":         "exportCode",
	"system.tenantrestart":       "tenantId timestamp",
	"system.initializationstart": "timestamp", "system.initializationend": "timestamp",
}

// commerce returns a Commerce event's name and data.
func (s *Sim) commerce(ev Event) (name string, data object, err error) {
	if name = cmp.Or(ev.Name, commerceNames[ev.Type]); name == "" {
		return "", nil, ErrNoEvent
	}
	codes, data := s.codes(ev), object{}
	for _, field := range strings.Fields(cmp.Or(commerceData[name], everyCode)) {
		if codes[field] != "" {
			data[field] = codes[field]
		}
	}
	maps.Copy(data, ev.Data)
	return name, data, nil
}

// codes are the values of an event's data, as far as there are any.
func (s *Sim) codes(ev Event) map[string]string {
	out := map[string]string{
		"orderCode": ev.OrderCode, "consignmentCode": ev.ConsignmentCode,
		"modificationCode": "mod-" + ev.OrderCode, "modificationStatus": "SUCCESSFUL", "cancelRequestCode": "can-" + ev.OrderCode,
		"customerUid": ev.CustomerUID, "storeUid": s.siteOf(ev), "token": uuid(),
		"quoteCode": "Q-" + ev.OrderCode, "quoteUserUid": ev.CustomerUID, "quoteUserType": "BUYER",
		"mediaCode": "media-1", "exportCode": "export-1", "tenantId": "master", "timestamp": date(ev.Time),
		"cronJobCode": "cronjob-1", "jobCode": "job-1", "jobType": "ServicelayerJob", "cronJobType": "CronJob", "result": "SUCCESS",
	}
	if c := s.find(ev.CustomerUID); c != nil {
		out["customerId"] = c.ID
	}
	if r, ok := s.orders[ev.OrderCode]; ok {
		o := r.current()
		out["orderStatus"] = o.Status
		if c := o.consignment(ev.ConsignmentCode); c != nil && ev.ConsignmentCode != "" {
			out["consignmentStatus"] = c.Status
		}
	}
	if ret := s.findReturn(ev.ReturnCode); ret != nil {
		out["status"] = ret.Status
	}
	return out
}
