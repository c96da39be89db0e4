package hybris_test

import (
	"encoding/json"
	"testing"

	"tidings/core"
	"tidings/core/hybris"
)

func TestConsentObjects(t *testing.T) {
	d := hybris.NewDialect([]hybris.Object{{Name: "OutboundConsent", Is: "consent"}},
		hybris.Consent{Template: "MESSENGER_NOTIFICATIONS", Purpose: core.OrderUpdates}, hybris.Consent{Template: "NEWS", Purpose: core.Marketing})
	const who = `"customer":{"uid":"noor.haddad@example.org"},"consentGivenDate":"/Date(1763712000000)/"`
	for _, test := range []struct {
		name, body string
		want       core.EventType
		purpose    core.Purpose
	}{
		{"withdrawn", `{"code":"c1",` + who + `,"consentTemplate":{"id":"MESSENGER_NOTIFICATIONS","version":1},"consentWithdrawnDate":"/Date(1763798400000)/"}`, core.ConsentWithdrawn, core.OrderUpdates},
		{"withdrawn, RFC 3339", `{` + who + `,"consentTemplate":{"id":"NEWS"},"consentWithdrawnDate":"2026-11-22T10:00:00Z"}`, core.ConsentWithdrawn, core.Marketing},
		{"withdrawn, by key", `{` + who + `,"consentTemplate":{"integrationKey":"NEWS|1"},"consentWithdrawnDate":1763798400000}`, core.ConsentWithdrawn, core.Marketing},
		{"given", `{` + who + `,"consentTemplate":{"id":"NEWS"},"consentWithdrawnDate":null}`, "", core.Marketing},
		{"of another template", `{` + who + `,"consentTemplate":{"id":"COOKIES"},"consentWithdrawnDate":"2026-11-22T10:00:00Z"}`, "", ""},
		{"of none", `{` + who + `,"consentWithdrawnDate":"2026-11-22T10:00:00Z"}`, "", ""},
		{"nothing", `{}`, "", ""},
		{"odd", `{"consentTemplate":[1],"consentWithdrawnDate":{},"customer":7}`, "", ""},
	} {
		got, data, known, quiet, why := d.Translate("sap.cx.commerce.OutboundConsent.Updated.v1", json.RawMessage(test.body))
		if got != test.want || data.Purpose != test.purpose || !known || quiet != (test.want == "") || quiet && why == "" {
			t.Errorf("%s: got %q for %q (known %v, quiet %v: %s), want %q for %q", test.name, got, data.Purpose, known, quiet, why, test.want, test.purpose)
		}
		if test.want != "" && data.CustomerUID != noor {
			t.Errorf("%s: got the customer %q, want %q", test.name, data.CustomerUID, noor)
		}
	}
}
