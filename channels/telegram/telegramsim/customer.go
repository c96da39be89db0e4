package telegramsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tidings/channels/emulator"
)

// Errors of what a person tries to do.
var (
	errPerson    = errors.New("a person is a positive number, their chat id")
	errBlocked   = errors.New("who has blocked the bot cannot write to it")
	errNoMessage = errors.New("no such message in this chat")
	errNoButton  = errors.New("no such button in this chat")
)

var startPayload = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

// enter returns the chat of a person who is about to write. The caller holds
// the lock.
func (s *Sim) enter(person string) (*chat, error) {
	id, err := strconv.ParseInt(person, 10, 64)
	if err != nil || id <= 0 {
		return nil, errPerson
	}
	ch := s.chat(id)
	if ch.blocked {
		return nil, errBlocked
	}
	ch.started = true
	return ch, nil
}

// write lets a person write a message that fill completes.
func (s *Sim) write(person string, fill func(*chat, *message) error) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.enter(person)
	if err != nil {
		return "", err
	}
	m := s.next(ch, ch.person())
	if err := fill(ch, m); err != nil {
		return "", err
	}
	if s.opt.StrangeFields {
		m.Strange = &[]float64{1}
	}
	id := strconv.Itoa(m.MessageID)
	s.log.Show(emulator.Shown{To: person, ID: id, Text: m.Text + m.Caption, Kind: kindOf(m), Raw: rawJSON(m), At: s.opt.Now(), Own: true})
	s.tell("message", ch.id, m)
	return id, nil
}

func kindOf(m *message) string {
	switch {
	case m.Photo != nil:
		return "image"
	case m.Document != nil:
		return "file"
	}
	return "text"
}

// say sets the text of a message and marks a command.
func (m *message) say(text string) {
	m.Text = text
	if strings.HasPrefix(text, "/") {
		m.Entities = []entity{{Type: "bot_command", Length: length16(strings.Fields(text + " ")[0])}}
	}
}

// Say writes a text to the bot and returns its message id.
func (s *Sim) Say(_ context.Context, person, text string) (string, error) {
	return s.write(person, func(_ *chat, m *message) error { m.say(text); return nil })
}

// ReplyTo answers a message of the chat.
func (s *Sim) ReplyTo(_ context.Context, person, id, text string) (string, error) {
	original, ok := s.log.Find(person, id)
	if !ok {
		return "", errNoMessage
	}
	return s.write(person, func(_ *chat, m *message) error {
		m.say(text)
		m.ReplyTo = &message{}
		return json.Unmarshal(original.Raw, m.ReplyTo)
	})
}

// Start presses Start in the chat, with the payload of a t.me link. Who had
// blocked the bot takes that back.
func (s *Sim) Start(ctx context.Context, person, payload string) error {
	if !startPayload.MatchString(payload) {
		return errors.New("t.me does not take this start payload")
	}
	s.Unblock(person)
	_, err := s.Say(ctx, person, strings.TrimSpace("/start "+payload))
	return err
}

// OptIn follows a t.me link. There is one way.
func (s *Sim) OptIn(ctx context.Context, person, ref, way string) error {
	if way != "" && way != "start" {
		return fmt.Errorf("way: %q is not start", way)
	}
	return s.Start(ctx, person, ref)
}

// SendPhoto sends a picture with a caption. What the bot can download is the URL.
func (s *Sim) SendPhoto(_ context.Context, person, url, caption string) (string, error) {
	return s.write(person, func(_ *chat, m *message) error {
		id := s.keep("photos", []byte(url))
		m.Caption = caption
		m.Photo = []photo{{FileID: id, UniqueID: "u" + id, Width: 90, Height: 90}, {FileID: id, UniqueID: "u" + id, Width: 800, Height: 800, FileSize: len(url)}}
		return nil
	})
}

// SendFile sends a picture as such, in two sizes, and anything else as a file.
func (s *Sim) SendFile(ctx context.Context, person string, f emulator.File, caption string) (string, error) {
	if f.Kind() != "image" {
		return s.SendDocument(ctx, person, f.Name, f.Type, f.Data, caption)
	}
	return s.write(person, func(_ *chat, m *message) error {
		small, large := s.keep("photos", []byte("a small one")), s.keep("photos", f.Data)
		m.Caption = caption
		m.Photo = []photo{{FileID: small, UniqueID: "u" + small, Width: 90, Height: 90}, {FileID: large, UniqueID: "u" + large, Width: 800, Height: 800, FileSize: len(f.Data)}}
		return nil
	})
}

// SendDocument sends a file with a caption.
func (s *Sim) SendDocument(_ context.Context, person, name, mimeType string, data []byte, caption string) (string, error) {
	return s.write(person, func(_ *chat, m *message) error {
		id := s.keep("documents", data)
		m.Caption = caption
		m.Document = &document{FileID: id, UniqueID: "u" + id, FileName: name, MimeType: mimeType, FileSize: len(data)}
		return nil
	})
}

// Edit changes a text the person has written.
func (s *Sim) Edit(_ context.Context, person, id, text string) error {
	shown, ok := s.log.Find(person, id)
	if !ok || !shown.Own {
		return errNoMessage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.enter(person)
	if err != nil {
		return err
	}
	var m message
	if err := json.Unmarshal(shown.Raw, &m); err != nil {
		return err
	}
	m.Entities = nil
	m.say(text)
	m.EditDate = s.opt.Now().Unix()
	s.log.Edit(person, id, func(e *emulator.Shown) { e.Text, e.Raw = text, rawJSON(m) })
	s.tell("edited_message", ch.id, m)
	return nil
}

// Press presses a button of a message, named by its callback_data or its text.
// An empty id means the newest that has it.
func (s *Sim) Press(_ context.Context, person, id, button string) error {
	m, b, err := s.findButton(person, id, button)
	if err != nil {
		return err
	}
	if b.Value == "" {
		return errors.New("this button tells the bot nothing")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.enter(person)
	if err != nil {
		return err
	}
	query := strconv.Itoa(700000 + len(s.queries))
	s.queries[query] = false
	s.tell("callback_query", ch.id, map[string]any{
		"id": query, "from": ch.person(), "message": m.Raw, "chat_instance": person, "data": b.Value,
	})
	return nil
}

func (s *Sim) findButton(person, id, button string) (emulator.Shown, emulator.Button, error) {
	msgs := s.log.Shown(person)
	for _, msg := range slices.Backward(msgs) {
		if id != "" && msg.ID != id {
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

// Unanswered counts the pressed buttons that still show a progress bar.
func (s *Sim) Unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, answered := range s.queries {
		if !answered {
			n++
		}
	}
	return n
}

// Know makes a person someone who has pressed Start before.
func (s *Sim) Know(person string) {
	id, err := strconv.ParseInt(person, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chat(id).started = true
}

// Meet makes a person someone with an account who has not pressed Start.
func (s *Sim) Meet(person string) {
	id, err := strconv.ParseInt(person, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chat(id)
}

// Block makes a person block the bot, which is told so.
func (s *Sim) Block(person string) { s.setBlocked(person, true) }

// Unblock takes a block back, which the bot is told too.
func (s *Sim) Unblock(person string) { s.setBlocked(person, false) }

func (s *Sim) setBlocked(person string, blocked bool) {
	id, err := strconv.ParseInt(person, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.chat(id)
	if ch.blocked == blocked {
		return
	}
	ch.blocked = blocked
	states := map[bool]string{true: "kicked", false: "member"}
	status := func(blocked bool) map[string]any {
		return map[string]any{"user": s.self, "status": states[blocked]}
	}
	s.tell("my_chat_member", id, map[string]any{
		"chat": ch.info(), "from": ch.person(), "date": s.opt.Now().Unix(),
		"old_chat_member": status(!blocked), "new_chat_member": status(blocked),
	})
}
