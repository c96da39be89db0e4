package hybris

import "tidings/core"

// Consent says what one of the shop's consent templates is a consent to.
type Consent struct {
	Template string // its id
	Purpose  core.Purpose
}

// fromConsent translates a Consent: one that has been withdrawn ends what was
// linked for its purpose. One that is given links nothing, because it names no chat.
func (d *Dialect) fromConsent(n node) verdict {
	template := n.get("consentTemplate")
	data := core.EventData{
		CustomerUID: firstCode(n.get("customer"), n.get("user")),
		Site:        firstCode(template.get("baseSite"), n.get("baseSite", "site")),
		Purpose:     d.consents[firstCode(template.get("id"), n.get("consentTemplateId"), node{rootCode(template)})],
	}
	switch {
	case n.get("consentWithdrawnDate").code() == "" && n.get("consentWithdrawnDate").time().IsZero():
		return quiet(data, "a consent is given: the customer links a chat by themselves")
	case data.Purpose == "":
		return quiet(data, "the consent's template is not listed under commerce.consents")
	}
	return told(core.ConsentWithdrawn, data)
}
