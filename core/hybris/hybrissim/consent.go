package hybrissim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// ConsentTemplate is something that customers may agree to.
type ConsentTemplate struct {
	ID, Name, Description string
	Version               int
}

// Consent is a customer's, given and perhaps withdrawn.
type Consent struct {
	Code, CustomerUID string
	Template          string
	Version           int
	Given, Withdrawn  time.Time
}

// consentTemplates are those of this shop. A stock one has none for chats: a
// project adds it, as the first here.
var consentTemplates = []ConsentTemplate{
	{"MESSENGER_NOTIFICATIONS", "Order news by chat", "I want to be told about my orders in a messenger.", 1},
	{"MARKETING_NEWSLETTER", "Newsletter", "I want to receive the newsletter.", 0},
}

// channels of notificationservices. Order states are none of its notifications.
var preferenceChannels = []string{"EMAIL", "SMS", "SITE_MESSAGE"}

// consent returns the newest consent of {userId} to a template, or nil.
func (c *call) consent(template string) *Consent {
	for _, k := range slices.Backward(c.consents) {
		if k.CustomerUID == c.user.UID && k.Template == template {
			return k
		}
	}
	return nil
}

func (c *call) templateTree(t ConsentTemplate) object {
	out := object{"id": t.ID, "name": t.Name, "description": t.Description, "version": t.Version}
	if k := c.consent(t.ID); k != nil {
		given := object{"code": k.Code, "consentGivenDate": date(k.Given)}
		if !k.Withdrawn.IsZero() {
			given["consentWithdrawnDate"] = date(k.Withdrawn)
		}
		out["currentConsent"] = given
	}
	return out
}

// consentTemplates lists what {userId} may agree to, and has.
func (c *call) consentTemplates() (answer, *failure) {
	out := []object{}
	for _, t := range consentTemplates {
		out = append(out, c.templateTree(t))
	}
	return answer{body: object{"consentTemplates": out}}, nil
}

func (c *call) giveConsent() (answer, *failure) {
	q := c.r.URL.Query()
	id, version := q.Get("consentTemplateId"), q.Get("consentTemplateVersion")
	for name, value := range map[string]string{"consentTemplateId": id, "consentTemplateVersion": version} {
		if value == "" {
			return answer{}, fail(http.StatusBadRequest, "MissingServletRequestParameterError", "Required parameter '"+name+"' is not present")
		}
	}
	i := slices.IndexFunc(consentTemplates, func(t ConsentTemplate) bool { return t.ID == id && strconv.Itoa(t.Version) == version })
	if i < 0 {
		return answer{}, fail(http.StatusBadRequest, "UnknownIdentifierError", "No consent template found with id "+id+" and version "+version)
	}
	if k := c.consent(id); k != nil && k.Withdrawn.IsZero() {
		return answer{}, fail(http.StatusConflict, "ConsentGivenError", "The consent has been given already")
	}
	c.newConsent(consentTemplates[i])
	status := http.StatusOK
	if c.answer("consent-given") == "201" {
		status = http.StatusCreated
	}
	return answer{status: status, body: c.templateTree(consentTemplates[i])}, nil
}

func (c *call) newConsent(t ConsentTemplate) {
	k := &Consent{Code: base36(c.number("consent", 1)), CustomerUID: c.user.UID, Template: t.ID, Version: t.Version, Given: c.now}
	c.consents = append(c.consents, k)
	c.later = append(c.later, Event{CustomerUID: k.CustomerUID, consent: k.Code})
}

func (c *call) withdrawConsent() (answer, *failure) {
	code := c.r.PathValue("consentCode")
	for _, k := range c.consents {
		if k.Code == code && k.CustomerUID == c.user.UID && k.Withdrawn.IsZero() {
			k.Withdrawn = c.now
			c.later = append(c.later, Event{CustomerUID: k.CustomerUID, consent: code})
			return answer{}, nil
		}
	}
	return answer{}, fail(http.StatusBadRequest, "UnknownIdentifierError", "Consent with code "+code+" not found for current user")
}

// Consents returns a customer's consents, oldest first.
func (s *Sim) Consents(uid string) []Consent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Consent
	for _, k := range s.consents {
		if k.CustomerUID == uid {
			out = append(out, *k)
		}
	}
	return out
}

// preferenceTree is how {userId} wants to be notified, by channel.
func (c *call) preferenceTree() object {
	out := []object{}
	for _, channel := range preferenceChannels {
		p := object{"channel": channel, "enabled": c.enabled(channel), "visible": true}
		if channel == "EMAIL" {
			p["value"] = mailOf(c.user.UID)
		}
		out = append(out, p)
	}
	return object{"preferences": out}
}

// enabled is by default what needs nothing of the customer.
func (c *call) enabled(channel string) bool {
	on, told := c.user.channels[channel]
	return on || !told && channel != "SMS"
}

func (c *call) preferences() (answer, *failure) { return answer{body: c.preferenceTree()}, nil }

func (c *call) changePreferences() (answer, *failure) {
	var in struct {
		Preferences []struct {
			Channel *string `json:"channel"`
			Enabled bool    `json:"enabled"`
		} `json:"preferences"`
	}
	if refusal := c.decode(&in); refusal != nil {
		return answer{}, refusal
	}
	for i, p := range in.Preferences {
		if faults := checkID("preferences["+strconv.Itoa(i)+"].channel", p.Channel, preferenceChannels); faults != nil {
			return answer{}, invalidFields(faults...)
		}
	}
	for _, p := range in.Preferences {
		if c.user.channels == nil {
			c.user.channels = map[string]bool{}
		}
		c.user.channels[*p.Channel] = p.Enabled
	}
	return answer{body: c.preferenceTree()}, nil
}

// siteMessages are those of notificationservices, of which this shop has sent none.
func (c *call) siteMessages() (answer, *failure) {
	p, refusal := c.page()
	if refusal != nil {
		return answer{}, refusal
	}
	return answer{body: paged("messages", []object{}, p, 0, "byDate", "byDate")}, nil
}
