package messenger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"tidings/core"
)

// quiet are the events that are understood and of no consequence. Some have no sender.
var quiet = []string{
	"pass_thread_control", "take_thread_control", "request_thread_control", "app_roles",
	"policy_enforcement", "response_feedback", "send_cart",
}

// decodeItem returns what one item says: one update, two for a message that
// brings a reference along.
func (c *channel) decodeItem(raw json.RawMessage) []core.Update {
	var it item
	if err := json.Unmarshal(raw, &it); err != nil {
		return []core.Update{unreadable(raw, problem(err))}
	}
	if u, ok := decodeQuiet(it, raw); ok {
		return []core.Update{u}
	}
	if it.Message != nil && it.Message.IsEcho {
		return []core.Update{c.decodeEcho(it, raw)}
	}
	from, ok := it.from()
	if !ok {
		return []core.Update{unreadable(raw, "no sender")}
	}
	updates := decodeFrom(it, from, raw)
	for i := range updates {
		if updates[i].Kind == core.UpdateUnreadable {
			continue
		}
		updates[i].From = from
		updates[i].Was = it.was(from)
		updates[i].At = it.Timestamp.at()
	}
	return updates
}

// decodeFrom reads an item that a customer caused.
func decodeFrom(it item, from core.Address, raw json.RawMessage) []core.Update {
	at := milli(it.Timestamp.at())
	switch {
	case it.Message != nil:
		return decodeMessage(*it.Message, from, at, raw)
	case it.Postback != nil:
		return []core.Update{decodePostback(*it.Postback, raw)}
	case it.Referral != nil:
		return []core.Update{decodeReferral(*it.Referral, from, at)}
	case it.Optin != nil:
		return []core.Update{decodeOptin(*it.Optin, from, at, raw)}
	case it.Delivery != nil:
		return []core.Update{decodeDelivery(*it.Delivery, from, raw)}
	case it.Read != nil:
		return []core.Update{decodeRead(*it.Read, from, raw)}
	case it.Edit != nil:
		return []core.Update{decodeEdit(*it.Edit, raw)}
	case it.Reaction != nil:
		return []core.Update{decodeReaction(*it.Reaction, raw)}
	case it.Linking != nil:
		return []core.Update{decodeLinking(*it.Linking, from, at, raw)}
	}
	return []core.Update{unreadable(raw, "an event of no known kind")}
}

// from is the customer: a PSID, or a provisional address while there is none.
func (it item) from() (core.Address, bool) {
	switch {
	case it.Sender.ID != "":
		return core.Address{Value: string(it.Sender.ID)}, true
	case it.Sender.UserRef != "":
		return core.Address{Value: string(it.Sender.UserRef), Kind: userRef}, true
	case it.Optin != nil && it.Optin.UserRef != "":
		return core.Address{Value: string(it.Optin.UserRef), Kind: userRef}, true
	}
	return core.Address{}, false
}

// was is the provisional address that a PSID replaces.
func (it item) was(from core.Address) *core.Address {
	if from.Kind != "" {
		return nil
	}
	ref := it.Sender.UserRef
	if ref == "" && it.Optin != nil {
		ref = it.Optin.UserRef
	}
	if ref == "" {
		ref = it.Prior.checkbox()
	}
	if ref == "" && it.Message != nil {
		ref = it.Message.Prior.checkbox()
	}
	if ref == "" {
		return nil
	}
	return &core.Address{Value: string(ref), Kind: userRef}
}

// checkbox returns the user_ref of a checkbox plugin; other sources name other
// things (a phone number).
func (p *prior) checkbox() ident {
	if p == nil || p.Source != "checkbox_plugin" {
		return ""
	}
	return p.Identifier
}

// decodeQuiet reads the events of no consequence.
func decodeQuiet(it item, raw json.RawMessage) (core.Update, bool) {
	var keys map[string]json.RawMessage
	_ = json.Unmarshal(raw, &keys) // an object: it has been read into an item before
	for _, key := range quiet {
		value := keys[key]
		if value == nil || string(value) == "null" {
			continue
		}
		from, _ := it.from()
		u := core.Update{ID: key + ":" + fingerprint(raw), Kind: core.UpdateOther, From: from, At: it.Timestamp.at()}
		if key == "policy_enforcement" {
			u.Problem = policyNotice(value)
		}
		return u, true
	}
	return core.Update{}, false
}

// policyNotice says what Meta did to the Page, for an operator. Its reason is a
// text of Meta's and stays out.
func policyNotice(raw json.RawMessage) string {
	var enforcement struct {
		Action string `json:"action"`
	}
	_ = json.Unmarshal(raw, &enforcement) // of another form it is an action we do not know
	switch enforcement.Action {
	case "warning":
		return "Meta warns the Page for breaking its policy"
	case "block":
		return "Meta has blocked the Page for breaking its policy"
	case "unblock":
		return "Meta has lifted its block of the Page"
	}
	return "Meta enforces its policy on the Page"
}

// partKey is the form of core.Part.Key.
var partKey = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// decodeEcho reads a message of the Page. It is an echo of ours when it carries a
// key and no other app's id: another installation on the same Page has keys too.
func (c *channel) decodeEcho(it item, raw json.RawMessage) core.Update {
	m := it.Message
	if it.Recipient.ID == "" {
		return unreadable(raw, "an echo without recipient")
	}
	u := core.Update{
		ID:         eventID(raw, "echo", m.MID),
		Kind:       core.UpdateOther,
		From:       core.Address{Value: string(it.Recipient.ID)},
		At:         it.Timestamp.at(),
		PlatformID: string(m.MID),
	}
	otherApp := m.AppID != "" && string(m.AppID) != c.config.AppID
	if !otherApp && partKey.MatchString(m.Metadata) {
		u.Kind, u.Key = core.UpdateEcho, m.Metadata
	}
	return u
}

func decodeMessage(m incoming, from core.Address, at int64, raw json.RawMessage) []core.Update {
	if m.Text == "" && len(m.Attachments) == 0 && m.QuickReply == nil {
		return []core.Update{unreadable(raw, "a message without text or attachment")}
	}
	u := core.Update{
		ID:          string(m.MID),
		Kind:        core.UpdateText,
		PlatformID:  string(m.MID),
		Text:        m.Text,
		Media:       decodeMedia(m.Attachments),
		OpensWindow: true,
	}
	if u.ID == "" {
		u.ID = eventID(raw, "message", "")
	}
	if m.ReplyTo != nil {
		u.ReplyTo = string(m.ReplyTo.MID)
	}
	if m.QuickReply != nil {
		u.Kind, u.Payload = core.UpdateButton, m.QuickReply.Payload
	}
	if m.Referral == nil || m.Referral.Ref == "" {
		return []core.Update{u}
	}
	return []core.Update{decodeReferral(*m.Referral, from, at), u}
}

func decodePostback(p postback, raw json.RawMessage) core.Update {
	u := core.Update{
		ID:          string(p.MID),
		Kind:        core.UpdateButton,
		PlatformID:  string(p.MID),
		Text:        p.Title,
		Payload:     p.Payload,
		OpensWindow: true,
	}
	if u.ID == "" {
		u.ID = eventID(raw, "postback", "")
	}
	if p.Referral != nil && p.Referral.Ref != "" && !p.Referral.isAd() {
		u.Kind, u.Ref = core.UpdateOptIn, p.Referral.Ref
	}
	return u
}

// isAd reports whether the customer came by an advertisement. Its reference names
// a campaign; nobody has been offered it to link with.
func (r referral) isAd() bool { return r.Source == "ADS" }

// decodeReferral reads how the customer came into the chat. An advertisement
// opens no window before the customer writes.
func decodeReferral(r referral, from core.Address, at int64) core.Update {
	u := core.Update{ID: refID("referral", from, at, r.Ref), Kind: core.UpdateOther}
	if !r.isAd() {
		u.Kind, u.Ref, u.OpensWindow = core.UpdateOptIn, r.Ref, r.Ref != ""
	}
	return u
}

// decodeOptin reads the use of a plugin. An opt-in with a type is another
// thing: consent to marketing messages, with a token of its own.
func decodeOptin(o optin, from core.Address, at int64, raw json.RawMessage) core.Update {
	if o.Type != "" {
		return core.Update{ID: eventID(raw, "optin", ""), Kind: core.UpdateOther}
	}
	return core.Update{
		ID:          refID("optin", from, at, o.Ref),
		Kind:        core.UpdateOptIn,
		Ref:         o.Ref,
		OpensWindow: true,
	}
}

func decodeDelivery(d delivery, from core.Address, raw json.RawMessage) core.Update {
	u := core.Update{
		ID:        watermarkID(raw, "delivery", from, d.Watermark),
		Kind:      core.UpdateDelivered,
		Watermark: d.Watermark.at(),
	}
	for _, mid := range d.MIDs {
		u.PlatformIDs = append(u.PlatformIDs, string(mid))
	}
	if u.Watermark.IsZero() && len(u.PlatformIDs) == 0 {
		return unreadable(raw, "a receipt for nothing")
	}
	return u
}

func decodeRead(r read, from core.Address, raw json.RawMessage) core.Update {
	if r.Watermark.at().IsZero() {
		return unreadable(raw, "a receipt for nothing")
	}
	return core.Update{
		ID:        watermarkID(raw, "read", from, r.Watermark),
		Kind:      core.UpdateRead,
		Watermark: r.Watermark.at(),
	}
}

func decodeEdit(e edit, raw json.RawMessage) core.Update {
	if e.MID == "" {
		return unreadable(raw, "an edit of nothing")
	}
	return core.Update{
		ID:         fmt.Sprintf("edit:%s:%d", e.MID, e.NumEdit),
		Kind:       core.UpdateEdited,
		PlatformID: string(e.MID),
		Text:       e.Text,
	}
}

func decodeReaction(r reaction, raw json.RawMessage) core.Update {
	return core.Update{
		ID:          eventID(raw, "reaction", ""),
		Kind:        core.UpdateOther,
		PlatformID:  string(r.MID),
		OpensWindow: r.Action != "unreact",
	}
}

// decodeLinking reads what came of a login at the shop that was begun in the chat.
// Its authorization_code is what the shop's page gave it: our reference.
func decodeLinking(l linking, from core.Address, at int64, raw json.RawMessage) core.Update {
	switch {
	case l.Status == "unlinked":
		return core.Update{ID: eventID(raw, "account_linking", ""), Kind: core.UpdateUnlinked}
	case l.Status == "linked" && l.Code != "":
		return core.Update{ID: refID("account_linking", from, at, l.Code), Kind: core.UpdateOptIn, Ref: l.Code}
	}
	return core.Update{ID: eventID(raw, "account_linking", ""), Kind: core.UpdateOther}
}

// eventID is the id of an event: by the message's id, else by all that it says.
func eventID(raw json.RawMessage, name string, mid ident) string {
	if mid != "" {
		return name + ":" + string(mid)
	}
	return name + ":" + fingerprint(raw)
}

// refID is the id of an opt-in: recipient, time and reference, the last hashed
// because whoever has it can use it.
func refID(name string, from core.Address, at int64, ref string) string {
	return fmt.Sprintf("%s:%s:%d:%s", name, from.Value, at, fingerprint([]byte(ref)))
}

// watermarkID is the id of a receipt: recipient, type and watermark.
func watermarkID(raw json.RawMessage, name string, from core.Address, mark stamp) string {
	at := mark.at()
	if at.IsZero() {
		return eventID(raw, name, "")
	}
	return fmt.Sprintf("%s:%s:%d", name, from.Value, milli(at))
}

// mediaKinds translates Meta's types of attachments; all others are "other".
var mediaKinds = map[string]string{
	"image":    "image",
	"audio":    "audio",
	"video":    "video",
	"reel":     "video",
	"ig_reel":  "video",
	"file":     "file",
	"sticker":  "sticker",
	"location": "location",
}

func decodeMedia(attachments []media) []core.Media {
	var out []core.Media
	for _, a := range attachments {
		out = append(out, a.media())
	}
	return out
}

func (a media) media() core.Media {
	p := mediaPayload{}
	if a.Payload != nil {
		p = *a.Payload
	}
	m := core.Media{Kind: "other", Text: firstOf(p.Title, a.Title)}
	if kind, known := mediaKinds[a.Type]; known {
		m.Kind = kind
	}
	if p.StickerID != "" { // before 2026-08-30 a sticker was an image with an id
		m.Kind, m.ID = "sticker", string(p.StickerID)
	}
	if link := firstOf(p.URL, a.URL); isWebURL(link) {
		m.URL = link
	}
	if p.Coordinates != nil {
		m.Text = p.Coordinates.Lat.String() + ", " + p.Coordinates.Long.String()
	}
	return m
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func isWebURL(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}
