package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tidings/channels/emulator"
)

// Errors of what a member tries to do.
var (
	errMember    = errors.New("a member's id begins with U")
	errDisabled  = errors.New("a deactivated member can do nothing")
	errNoMessage = errors.New("no such message in this chat")
	errTooLarge  = errors.New("a file of more than 1 GB cannot be shared")
	errNoButton  = errors.New("no such button in this chat")
)

// enter returns a member who is about to do something. The caller holds the lock.
func (s *Sim) enter(user string) (*member, error) {
	if !strings.HasPrefix(user, "U") {
		return nil, errMember
	}
	m := s.users[user]
	if m == nil {
		m = &member{User: User{ID: user, Name: strings.ToLower(user), RealName: "Member " + user, Locale: "en-US"}}
		s.users[user] = m
	}
	if m.disabled {
		return nil, errDisabled
	}
	return m, nil
}

// own records and posts a message of a member to the app.
func (s *Sim) own(user, text, kind string, extra map[string]any) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.enter(user); err != nil {
		return "", err
	}
	ts := s.timestamp()
	e := map[string]any{
		"type": "message", "channel": direct(user), "channel_type": "im", "user": user, "text": escape.Replace(text),
		"ts": ts, "event_ts": ts, "team": s.opt.TeamID, "client_msg_id": s.nextID("c"),
	}
	maps.Copy(e, extra)
	s.log.Show(emulator.Shown{To: user, ID: ts, Text: text, Kind: kind, At: s.opt.Now(), Raw: rawJSON(e), Own: true})
	s.event(direct(user), e)
	return ts, nil
}

// escape is what Slack does to what members write.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Say writes a text to the app and returns its ts.
func (s *Sim) Say(_ context.Context, user, text string) (string, error) {
	return s.own(user, text, "text", nil)
}

// ReplyTo answers a message in its thread.
func (s *Sim) ReplyTo(_ context.Context, user, message, text string) (string, error) {
	if _, ok := s.log.Find(user, message); !ok {
		return "", errNoMessage
	}
	return s.own(user, text, "text", map[string]any{"thread_ts": message})
}

// SendPhoto shares a picture that lies at a URL, with a comment.
func (s *Sim) SendPhoto(_ context.Context, user, link, text string) (string, error) {
	name := link[strings.LastIndex(link, "/")+1:]
	return s.own(user, text, "image", map[string]any{"subtype": "file_share", "files": []any{map[string]any{
		"id": "F" + name, "name": name, "title": name, "mimetype": "image/png", "filetype": "png",
		"url_private": link, "url_private_download": link, "permalink": link,
	}}})
}

// Edit changes a text the member has written.
func (s *Sim) Edit(_ context.Context, user, message, text string) error {
	m, ok := s.log.Find(user, message)
	if !ok || !m.Own {
		return errNoMessage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.enter(user); err != nil {
		return err
	}
	var before, after map[string]any
	if err := errors.Join(json.Unmarshal(m.Raw, &before), json.Unmarshal(m.Raw, &after)); err != nil {
		return err
	}
	ts := s.timestamp()
	after["text"], after["edited"] = escape.Replace(text), map[string]any{"user": user, "ts": ts}
	s.log.Edit(user, message, func(e *emulator.Shown) { e.Text, e.Raw = text, rawJSON(after) })
	s.event(direct(user), map[string]any{
		"type": "message", "subtype": "message_changed", "hidden": true, "channel": direct(user), "channel_type": "im",
		"ts": ts, "event_ts": ts, "message": after, "previous_message": before,
	})
	return nil
}

// React puts an emoji, by its name, on a message; an empty one takes it back.
func (s *Sim) React(_ context.Context, user, message, emoji string) error {
	m, ok := s.log.Find(user, message)
	if !ok {
		return errNoMessage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.enter(user); err != nil {
		return err
	}
	kind, key := "reaction_added", user+" "+message
	if emoji == "" {
		kind, emoji = "reaction_removed", s.reactions[key]
	}
	if emoji == "" {
		return errNoMessage
	}
	s.reactions[key] = emoji
	author := s.opt.BotUserID
	if m.Own {
		author = user
	}
	s.event(direct(user), map[string]any{
		"type": kind, "user": user, "reaction": emoji, "item_user": author, "event_ts": s.timestamp(),
		"item": map[string]any{"type": "message", "channel": direct(user), "ts": message},
	})
	return nil
}

// Slash types a command. What the app answers in the response is shown.
func (s *Sim) Slash(_ context.Context, user, command, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.enter(user)
	if err != nil {
		return err
	}
	response := s.newResponse(user, "")
	form := url.Values{
		"token": {"legacy"}, "team_id": {s.opt.TeamID}, "team_domain": {"emulated"}, "channel_id": {direct(user)},
		"channel_name": {"directmessage"}, "user_id": {user}, "user_name": {m.Name}, "command": {command}, "text": {text},
		"response_url": {response}, "trigger_id": {s.nextID("t")}, "api_app_id": {s.opt.AppID}, "is_enterprise_install": {"false"},
	}
	s.form("slash_command", form, func(header http.Header, body []byte) { s.answered(user, header, body) })
	return nil
}

// answered shows what stood in the response to a command.
func (s *Sim) answered(user string, header http.Header, body []byte) {
	text := strings.TrimSpace(string(body))
	if text == "" {
		return
	}
	a := args{"text": text}
	if strings.HasPrefix(header.Get("Content-Type"), "application/json") {
		a = args{}
		if a.readJSON(body) != nil {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.respond(&responseURL{user: user}, a); err != nil {
		s.log.Reject(emulator.Rejection{To: user, Method: "slash_command", Code: err.code, At: s.opt.Now()})
	}
}

// OptIn brings a code to the app, in one of the ways of the package comment;
// empty means "slash".
func (s *Sim) OptIn(ctx context.Context, user, ref, way string) error {
	switch way {
	case "", "slash":
		return s.Slash(ctx, user, "/link", ref)
	case "dm":
		_, err := s.Say(ctx, user, ref)
		return err
	}
	return fmt.Errorf("way: %q is none of slash, dm", way)
}

// Press presses a button of a message, named by its value or its title. An
// empty message means the newest that has it.
func (s *Sim) Press(_ context.Context, user, message, button string) error {
	m, action, err := s.findButton(user, message, button)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who, err := s.enter(user)
	if err != nil {
		return err
	}
	action["action_ts"] = s.timestamp()
	payload := map[string]any{
		"type": "block_actions", "token": "legacy", "team": map[string]any{"id": s.opt.TeamID, "domain": "emulated"},
		"user":       map[string]any{"id": user, "username": who.Name, "name": who.Name, "team_id": s.opt.TeamID},
		"api_app_id": s.opt.AppID, "trigger_id": s.nextID("t"), "response_url": s.newResponse(user, m.ID),
		"container": map[string]any{"type": "message", "message_ts": m.ID, "channel_id": direct(user), "is_ephemeral": false},
		"channel":   map[string]any{"id": direct(user), "name": "directmessage"},
		"message":   m.Raw, "actions": []any{action},
	}
	s.form("block_actions", url.Values{"payload": {string(rawJSON(payload))}}, nil)
	return nil
}

// findButton returns a message and what its pressed button tells the app.
func (s *Sim) findButton(user, message, button string) (emulator.Shown, map[string]any, error) {
	msgs := s.log.Shown(user)
	for _, msg := range slices.Backward(msgs) {
		if message != "" && msg.ID != message {
			continue
		}
		var raw struct {
			Blocks []map[string]any `json:"blocks"`
		}
		_ = json.Unmarshal(msg.Raw, &raw) // it was accepted as a message
		for n, b := range raw.Blocks {
			if action := actionOf(b, n, button); action != nil {
				return msg, action, nil
			}
		}
	}
	return emulator.Shown{}, nil, errNoButton
}

// actionOf is the action of the button in a block, nil when it has none such.
func actionOf(block map[string]any, n int, button string) map[string]any {
	elements, _ := block["elements"].([]any)
	elements = append(elements, block["accessory"])
	for i, e := range elements {
		b, _ := e.(map[string]any)
		text, _ := b["text"].(map[string]any)
		if b["type"] != "button" || b["value"] != button && text["text"] != button {
			continue
		}
		action := map[string]any{"type": "button", "text": text, "action_id": b["action_id"], "block_id": block["block_id"]}
		if b["value"] != nil {
			action["value"] = b["value"]
		}
		if action["action_id"] == nil {
			action["action_id"] = fmt.Sprintf("auto%d", i)
		}
		if action["block_id"] == nil {
			action["block_id"] = fmt.Sprintf("b%d", n)
		}
		return action
	}
	return nil
}

// Know makes someone a member of the workspace.
func (s *Sim) Know(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.enter(user) // who is no member's id stays unknown
}

// Block deactivates a member. Slack tells the app nothing.
func (s *Sim) Block(user string) { s.setDisabled(user, true) }

// Unblock takes a deactivation back.
func (s *Sim) Unblock(user string) { s.setDisabled(user, false) }

func (s *Sim) setDisabled(user string, disabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.users[user]; m != nil {
		m.disabled = disabled
	}
}
