package messengersim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"tidings/channels/emulator"
)

// Errors of what a customer tries to do.
var (
	errBlocked   = errors.New("who has blocked the Page cannot write to it")
	errNoMessage = errors.New("no such message in this chat")
	errTooLarge  = errors.New("a file of more than 25 MB cannot be sent")
	errNoButton  = errors.New("no such button in this chat")
)

const (
	maxEdits   = 5
	maxLinkRef = 2083
	maxDataRef = 250
)

var (
	// data-ref of the plugins; at most maxDataRef long.
	dataRef = regexp.MustCompile(`^[A-Za-z0-9+/=\-.:_]+$`)
	// ref of an m.me link; at most maxLinkRef long.
	linkRef = regexp.MustCompile(`^[A-Za-z0-9\-_=]+$`)
)

// enter returns a person, known or new, who is about to do something that
// renews the window. The caller holds the lock.
func (s *Sim) enter(user string) (*customer, error) {
	c := s.person(user)
	if c.blocked {
		return nil, errBlocked
	}
	c.lastInbound, c.thread = s.opt.Now(), true
	return c, nil
}

func (s *Sim) person(user string) *customer {
	c := s.users[user]
	if c == nil {
		c = &customer{User: User{PSID: user, FirstName: "Customer", LastName: user, Locale: "en_US"}}
		s.users[user] = c
	}
	return c
}

// own records and posts a message of the customer.
func (s *Sim) own(user, text, kind string, message map[string]any) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.enter(user)
	if err != nil {
		return "", err
	}
	mid, e := s.written(c, text, kind, message)
	s.post(user, e)
	return mid, nil
}

// written gives a message of the customer its mid and shows it.
func (s *Sim) written(c *customer, text, kind string, message map[string]any) (mid string, e event) {
	mid = s.nextID("m_in")
	message["mid"] = mid
	at := s.opt.Now()
	s.log.Show(emulator.Shown{To: c.PSID, ID: mid, Text: text, Kind: kind, At: at, Own: true})
	body := map[string]any{"message": message}
	if c.priorRef != "" {
		body["prior_message"] = map[string]string{"source": "checkbox_plugin", "identifier": c.priorRef}
		c.priorRef = ""
	}
	return mid, event{field: "messages", what: "message", psid: c.PSID, at: at, body: body}
}

// Say writes a text to the Page and returns its mid.
func (s *Sim) Say(_ context.Context, user, text string) (string, error) {
	return s.own(user, text, "text", map[string]any{"text": text})
}

// ReplyTo answers a message of the chat.
func (s *Sim) ReplyTo(_ context.Context, user, message, text string) (string, error) {
	m, ok := s.log.Find(user, message)
	if !ok {
		return "", errNoMessage
	}
	return s.own(user, text, "text", map[string]any{
		"text": text, "reply_to": map[string]any{"mid": message, "is_self_reply": m.Own},
	})
}

// Inbound is one text of a batch.
type Inbound struct{ User, Text string }

// SayBatch lets several people write at once: one webhook with an entry each.
func (s *Sim) SayBatch(_ context.Context, batch []Inbound) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var mids []string
	var events []event
	for _, in := range batch {
		c, err := s.enter(in.User)
		if err != nil {
			return nil, err
		}
		mid, e := s.written(c, in.Text, "text", map[string]any{"text": in.Text})
		events = append(events, e)
		mids = append(mids, mid)
	}
	if len(events) > 0 {
		s.post("", events...)
	}
	return mids, nil
}

// SendAttachment sends a file of a kind the platform knows: image, audio,
// video, file, sticker.
func (s *Sim) SendAttachment(_ context.Context, user, kind, url string) (string, error) {
	att := map[string]any{"type": kind, "payload": map[string]any{"url": url}}
	return s.own(user, url, kind, map[string]any{"attachments": []any{att}})
}

// SendPhoto sends a picture, and the text as a message after it.
func (s *Sim) SendPhoto(ctx context.Context, user, url, text string) (string, error) {
	id, err := s.SendAttachment(ctx, user, "image", url)
	if err != nil || text == "" {
		return id, err
	}
	_, err = s.Say(ctx, user, text)
	return id, err
}

// Press presses a button or a quick reply of a message, named by its payload or its
// title. An empty message means the newest that has it.
func (s *Sim) Press(_ context.Context, user, message, button string) error {
	m, b, err := s.findButton(user, message, button)
	if err != nil {
		return err
	}
	if b.URL != "" {
		return errors.New("this button opens a page and tells us nothing")
	}
	if isQuick(m.Raw, b.Value) {
		_, err := s.own(user, b.Title, "text", map[string]any{"text": b.Title, "quick_reply": map[string]string{"payload": b.Value}})
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.postback(user, map[string]any{"title": b.Title, "payload": b.Value})
}

func (s *Sim) findButton(user, message, button string) (emulator.Shown, emulator.Button, error) {
	msgs := s.log.Shown(user)
	for _, msg := range slices.Backward(msgs) {
		if message != "" && msg.ID != message {
			continue
		}
		for _, b := range msg.Buttons {
			if b.Title == button || b.Value != "" && b.Value == button {
				return msg, b, nil
			}
		}
	}
	return emulator.Shown{}, emulator.Button{}, errNoButton
}

func isQuick(raw json.RawMessage, payload string) bool {
	var m struct {
		Quick []quickReply `json:"quick_replies"`
	}
	_ = json.Unmarshal(raw, &m) // it was accepted as a message
	for _, q := range m.Quick {
		if q.Payload == payload {
			return true
		}
	}
	return false
}

// postback posts a pressed button. The caller holds the lock.
func (s *Sim) postback(user string, body map[string]any) error {
	c, err := s.enter(user)
	if err != nil {
		return err
	}
	body["mid"] = s.nextID("m_in")
	s.post(c.PSID, event{field: "messaging_postbacks", what: "postback", psid: c.PSID, at: s.opt.Now(), body: map[string]any{"postback": body}})
	return nil
}

// OptIn comes to the Page with a reference, in one of the ways of the package
// comment; empty means "mme".
func (s *Sim) OptIn(_ context.Context, user, ref, way string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch way {
	case "", "mme":
		return s.followLink(user, ref)
	case "plugin":
		return s.plugin(user, ref)
	case "checkbox":
		_, err := s.checkbox(user, ref)
		return err
	}
	return fmt.Errorf("way: %q is none of mme, plugin, checkbox", way)
}

// GetStarted opens a new chat without a reference.
func (s *Sim) GetStarted(_ context.Context, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.postback(user, map[string]any{"title": "Get Started", "payload": s.opt.GetStarted})
}

// Checkbox ticks the checkbox plugin and returns the user_ref that stands for
// the person until they write.
func (s *Sim) Checkbox(_ context.Context, user, ref string) (userRef string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkbox(user, ref)
}

func (s *Sim) followLink(user, ref string) error {
	if !linkRef.MatchString(ref) || len(ref) > maxLinkRef {
		return errors.New("m.me does not take this ref")
	}
	referral := map[string]any{"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
	if !s.person(user).thread {
		return s.postback(user, map[string]any{"title": "Get Started", "payload": s.opt.GetStarted, "referral": referral})
	}
	c, err := s.enter(user)
	if err != nil {
		return err
	}
	s.post(user, event{field: "messaging_referrals", what: "referral", psid: c.PSID, at: s.opt.Now(), body: map[string]any{"referral": referral}})
	return nil
}

func (s *Sim) plugin(user, ref string) error {
	if !dataRef.MatchString(ref) || len(ref) > maxDataRef {
		return errors.New("the plugin does not take this data-ref")
	}
	c, err := s.enter(user)
	if err != nil {
		return err
	}
	s.post(user, event{field: "messaging_optins", what: "optin", psid: c.PSID, at: s.opt.Now(),
		body: map[string]any{"optin": map[string]string{"ref": ref}}})
	return nil
}

func (s *Sim) checkbox(user, ref string) (string, error) {
	if !dataRef.MatchString(ref) || len(ref) > maxDataRef {
		return "", errors.New("the plugin does not take this data-ref")
	}
	if _, err := s.enter(user); err != nil {
		return "", err
	}
	userRef := s.nextID("uref-")
	s.userRefs[userRef] = user
	s.post(user, event{field: "messaging_optins", what: "optin", at: s.opt.Now(),
		body: map[string]any{"optin": map[string]string{"ref": ref, "user_ref": userRef}}})
	return userRef, nil
}

// Edit changes a message the customer has written.
func (s *Sim) Edit(_ context.Context, user, message, text string) error {
	m, ok := s.log.Find(user, message)
	if !ok || !m.Own {
		return errNoMessage
	}
	edits, _ := m.Fields["edits"].(int)
	if edits == maxEdits {
		return errors.New("a message can be edited five times")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.enter(user); err != nil {
		return err
	}
	s.log.Edit(user, message, func(m *emulator.Shown) { m.Text, m.Fields = text, map[string]any{"edits": edits + 1} })
	s.post(user, event{field: "message_edits", what: "edit", psid: user, at: s.opt.Now(),
		body: map[string]any{"message_edit": map[string]any{"mid": message, "text": text, "num_edit": edits + 1}}})
	return nil
}

// React puts an emoji on a message; an empty one takes it back.
func (s *Sim) React(_ context.Context, user, message, emoji string) error {
	if _, ok := s.log.Find(user, message); !ok {
		return errNoMessage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.enter(user); err != nil {
		return err
	}
	reaction := map[string]any{"mid": message, "action": "unreact"}
	if emoji != "" {
		reaction = map[string]any{"mid": message, "action": "react", "reaction": "other", "emoji": emoji}
	}
	s.post(user, event{field: "message_reactions", what: "reaction", psid: user, at: s.opt.Now(), body: map[string]any{"reaction": reaction}})
	return nil
}

// Read reads everything in the chat.
func (s *Sim) Read(_ context.Context, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read(user, s.opt.Now())
	return nil
}

// Block makes the person block the Page. Messenger tells nobody.
func (s *Sim) Block(user string) { s.setBlocked(user, true) }

// Unblock takes a block back.
func (s *Sim) Unblock(user string) { s.setBlocked(user, false) }

func (s *Sim) setBlocked(user string, blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user).blocked = blocked
}

// Know makes a person known to the Page who has never written to it.
func (s *Sim) Know(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
}

// WroteAt sets when a person last did something that opens the window.
func (s *Sim) WroteAt(user string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user).lastInbound = at
}
