package messengersim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"tidings/channels/emulator"
)

// Limits of the Send API (send-messages and the templates' pages, read
// 2026-11-22). The unit of a length is not documented; UTF-16 code units are
// the strict reading.
const (
	maxText         = 2000
	maxMetadata     = 999
	maxQuickReplies = 13
	maxTitle        = 20
	maxPayload      = 1000
)

// request is a message as the Send API takes it.
type request struct {
	user      *customer // nil: nobody we know
	viaRef    bool      // addressed by user_ref
	kind, tag string
	message   json.RawMessage
	content   content
}

// content is what a message shows.
type content struct {
	shown    emulator.Shown
	metadata string
	template bool   // an approved template
	order    string // order_number of a receipt
	quick    []quickReply
	echo     json.RawMessage // attachments as an echo tells them
}

type quickReply struct {
	Type    string `json:"content_type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// messageCall is POST /{page}/messages.
func (s *Sim) messageCall(node string, p params) emulator.Call {
	to := s.addressee(p)
	call := emulator.Call{Method: "messages", To: to}
	call.Rates = []emulator.Rate{{Key: "page", PerSecond: perSecond, Burst: perSecond}}
	if p.has("sender_action") && !p.has("message") {
		call.Method, call.To, call.Rates = "sender_action", "", nil
	}
	call.Do = func() emulator.Answer {
		if err := s.authorize(p); err != nil {
			return answer(err)
		}
		if node != "me" && node != s.opt.PageID {
			return answer(noObject("post", node))
		}
		return result(s.send(p))
	}
	return call
}

// addressee returns whom a request is for, as far as that can be told before
// it is checked.
func (s *Sim) addressee(p params) string {
	var to struct {
		ID      string `json:"id"`
		UserRef string `json:"user_ref"`
	}
	if json.Unmarshal(p["recipient"], &to) != nil {
		return ""
	}
	if to.ID != "" {
		return to.ID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if psid, ok := s.userRefs[to.UserRef]; ok {
		return psid
	}
	return to.UserRef
}

// send checks and shows one message.
func (s *Sim) send(p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req, err := s.parse(p)
	if err != nil {
		return nil, err
	}
	if req.user == nil {
		return nil, errorf(100, 2018001, "No matching user found")
	}
	if req.user.blocked {
		return nil, errorf(551, 1545041, "This person isn't available right now.")
	}
	if err := s.checkWindow(req); err != nil {
		return nil, err
	}
	if p.has("sender_action") {
		return map[string]string{"recipient_id": req.user.PSID}, nil
	}
	return s.show(req), nil
}

// parse checks everything about a request that can be checked by itself.
func (s *Sim) parse(p params) (*request, *graphError) {
	req := &request{kind: p.text("messaging_type"), tag: p.text("tag"), message: p["message"]}
	if err := s.parseRecipient(p, req); err != nil {
		return nil, err
	}
	if p.has("sender_action") {
		if p.has("message") {
			return nil, errorf(100, 2018014, "Must not provide both message and sender_action")
		}
		if !slices.Contains([]string{"typing_on", "typing_off", "mark_seen"}, p.text("sender_action")) {
			return nil, errorf(100, 0, "Param sender_action must be one of {TYPING_ON, TYPING_OFF, MARK_SEEN}")
		}
		return req, nil
	}
	if !p.has("message") {
		return nil, errorf(100, 0, "The parameter message is required")
	}
	if err := checkType(req.kind, req.tag, p.has("tag")); err != nil {
		return nil, err
	}
	if p.has("notification_type") && !slices.Contains([]string{"REGULAR", "SILENT_PUSH", "NO_PUSH"}, p.text("notification_type")) {
		return nil, errorf(100, 0, "Param notification_type must be one of {REGULAR, SILENT_PUSH, NO_PUSH}")
	}
	if err := s.parseMessage(req); err != nil {
		return nil, err
	}
	if (req.kind == "UTILITY") != req.content.template {
		return nil, errorf(100, 0, "Invalid parameter: messaging_type UTILITY and message[template] go together")
	}
	return req, nil
}

func (s *Sim) parseRecipient(p params, req *request) *graphError {
	if !p.has("recipient") {
		return errorf(100, 0, "The parameter recipient is required")
	}
	known := []string{"id", "user_ref", "comment_id", "post_id", "notification_messages_token"}
	fields, err := object("recipient", p["recipient"], known...)
	if err != nil {
		return err
	}
	if len(fields) != 1 {
		return errorf(100, 0, "Invalid parameter: recipient must have exactly one of %s", strings.Join(known, ", "))
	}
	var id string
	for name, raw := range fields {
		if json.Unmarshal(raw, &id) != nil || id == "" {
			return errorf(100, 0, "Param recipient[%s] must be a string", name)
		}
		switch name {
		case "id":
			req.user = s.users[id]
		case "user_ref":
			req.user, req.viaRef = s.users[s.userRefs[id]], true
		default:
			return errorf(100, 0, "Invalid parameter: no such %s", name)
		}
	}
	return nil
}

// checkType holds messaging_type and tag against the policy of 2026-04-27,
// which left two tags.
func checkType(kind, tag string, hasTag bool) *graphError {
	switch kind {
	case "RESPONSE", "UPDATE", "UTILITY":
		if hasTag {
			return errorf(100, 0, "Invalid parameter: tag goes with messaging_type MESSAGE_TAG only")
		}
		return nil
	case "MESSAGE_TAG":
	case "":
		return errorf(100, 0, "The parameter messaging_type is required")
	default:
		return errorf(100, 0, "Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}")
	}
	switch tag {
	case "HUMAN_AGENT", "CUSTOMER_FEEDBACK":
		return nil
	case "":
		return errorf(100, 0, "The parameter tag is required with messaging_type MESSAGE_TAG")
	case "CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE":
		return errorf(100, 0, "Invalid parameter: message tag %s is no longer supported", tag)
	}
	return errorf(100, 0, "Param tag is not a valid message tag")
}

// checkWindow says whether the policy lets us write to this person now.
func (s *Sim) checkWindow(req *request) *graphError {
	age := s.opt.Now().Sub(req.user.lastInbound)
	never := req.user.lastInbound.IsZero()
	switch {
	case req.kind == "UTILITY":
		return nil
	case !never && age <= s.opt.Window:
		return nil
	case !never && req.tag != "" && age <= s.opt.HumanWindow:
		return nil
	}
	return errorf(10, 2018278, "This message is sent outside of allowed window.")
}

// parseMessage checks the message object and works out what it shows.
func (s *Sim) parseMessage(req *request) *graphError {
	fields, err := object("message", req.message, "text", "attachment", "attachments", "quick_replies", "metadata", "template")
	if err != nil {
		return err
	}
	c := &req.content
	if c.metadata, err = text(fields, "message", "metadata", maxMetadata); err != nil {
		return err
	}
	given := 0
	for _, name := range []string{"text", "attachment", "attachments", "template"} {
		if _, ok := fields[name]; ok {
			given++
		}
	}
	if given == 0 || string(fields["text"]) == `""` {
		return errorf(100, 2018034, "Message cannot be empty, must provide valid attachment or text")
	}
	if given > 1 {
		return errorf(100, 2018032, "Invalid data: text, attachment and template exclude each other")
	}
	if err := s.parseContent(req, fields); err != nil {
		return err
	}
	return parseQuickReplies(c, fields["quick_replies"])
}

func (s *Sim) parseContent(req *request, fields map[string]json.RawMessage) *graphError {
	c := &req.content
	if raw, ok := fields["template"]; ok {
		return s.parseApproved(c, raw)
	}
	if req.tag == "CUSTOMER_FEEDBACK" {
		return errorf(100, 0, "Invalid parameter: the tag CUSTOMER_FEEDBACK needs a customer feedback template")
	}
	if raw, ok := fields["attachment"]; ok {
		return s.parseAttachment(c, raw)
	}
	if raw, ok := fields["attachments"]; ok {
		return parseImages(c, raw)
	}
	t, err := text(fields, "message", "text", maxText)
	if err != nil {
		return err
	}
	if strings.TrimSpace(t) == "" {
		return errorf(100, 2018034, "Message cannot be empty, must provide valid attachment or text")
	}
	c.shown.Kind, c.shown.Text = "text", t
	return nil
}

func parseQuickReplies(c *content, raw json.RawMessage) *graphError {
	if raw == nil {
		return nil
	}
	if json.Unmarshal(raw, &c.quick) != nil {
		return errorf(100, 0, "Param message[quick_replies] must be an array.")
	}
	if len(c.quick) > maxQuickReplies {
		return errorf(105, 0, "param message[quick_replies] has too many elements.")
	}
	for i, q := range c.quick {
		switch q.Type {
		case "text":
			if q.Title == "" || q.Payload == "" {
				return errorf(100, 0, "The parameters title and payload are required in message[quick_replies][%d]", i)
			}
		case "user_phone_number", "user_email":
		default:
			return errorf(100, 0, "Param message[quick_replies][%d][content_type] must be one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}", i)
		}
		if units(q.Title) > maxTitle {
			return errorf(100, 0, "Length of param message[quick_replies][%d][title] must be less than or equal to %d", i, maxTitle)
		}
		if units(q.Payload) > maxPayload {
			return errorf(100, 0, "Length of param message[quick_replies][%d][payload] must be less than or equal to %d", i, maxPayload)
		}
		c.shown.Buttons = append(c.shown.Buttons, emulator.Button{Title: q.Title, Value: q.Payload})
	}
	return nil
}

// show lets the customer see the message and tells the webhook about it.
func (s *Sim) show(req *request) any {
	mid := s.nextID("m_")
	m := req.content.shown
	m.To, m.ID, m.Raw, m.At = req.user.PSID, mid, req.message, s.opt.Now()
	s.log.Show(m)
	req.user.thread = true
	if req.content.order != "" {
		s.orders[req.content.order] = true
	}
	if req.viaRef {
		// Meta tells neither the person nor what became of the message.
		req.user.priorRef = s.refOf(req.user.PSID)
		return map[string]string{"message_id": mid}
	}
	s.tell(req, mid, m.At)
	return map[string]string{"recipient_id": req.user.PSID, "message_id": mid}
}

func (s *Sim) tell(req *request, mid string, at time.Time) {
	if !s.opt.NoEchoes {
		s.echo(req.user.PSID, mid, req.content, at)
	}
	if s.opt.Receipts {
		s.delivered(req.user.PSID, mid, at)
		s.read(req.user.PSID, at)
	}
}

func (s *Sim) refOf(psid string) string {
	for ref, id := range s.userRefs {
		if id == psid {
			return ref
		}
	}
	return ""
}

// object decodes an object that may have only the named keys.
func object(param string, raw json.RawMessage, keys ...string) (map[string]json.RawMessage, *graphError) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil, errorf(100, 0, "Param %s must be a JSON object.", param)
	}
	for k := range fields {
		if !slices.Contains(keys, k) {
			return nil, errorf(100, 0, "Unexpected key \"%s\" on param \"%s\".", k, param)
		}
	}
	return fields, nil
}

// text returns an optional string of at most limit units.
func text(fields map[string]json.RawMessage, param, key string, limit int) (string, *graphError) {
	raw, ok := fields[key]
	if !ok {
		return "", nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", errorf(100, 0, "Param %s[%s] must be a string.", param, key)
	}
	if units(s) > limit {
		return "", errorf(100, 0, "Length of param %s[%s] must be less than or equal to %d", param, key, limit)
	}
	return s, nil
}

// need is text that must be there.
func need(fields map[string]json.RawMessage, param, key string, limit int) (string, *graphError) {
	s, err := text(fields, param, key, limit)
	if err == nil && s == "" {
		return "", errorf(100, 0, "The parameter %s[%s] is required", param, key)
	}
	return s, err
}

// units counts UTF-16 code units.
func units(s string) int { return len(utf16.Encode([]rune(s))) }
