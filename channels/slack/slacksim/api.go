package slacksim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// Limits of messages (chat.postMessage; 4,040 measured, August 2026; read
// 2026-11-22).
const (
	oneMessage     = 4040  // more becomes several messages
	splitAt        = 4000  // of so many characters
	hardLimit      = 40000 // the rest is cut off
	maxUpdate      = 4000
	maxMarkdown    = 12000
	maxAttachments = 100
)

// workspaceURL is where members of this workspace sign in.
const workspaceURL = "https://emulated.slack.com/"

// content is what a message says.
type content struct {
	text     string // as it was sent
	shown    emulator.Shown
	emphasis bool
	blocks   json.RawMessage
}

func (s *Sim) authTest(args) (map[string]any, *apiError) {
	return map[string]any{
		"url": workspaceURL, "team": "Emulated", "team_id": s.opt.TeamID, "user": s.name(s.opt.BotUserID),
		"user_id": s.opt.BotUserID, "bot_id": s.opt.BotID, "is_enterprise_install": false,
	}, nil
}

// conversation finds the channel that a message is for, and whether the app
// may write into it.
func (s *Sim) conversation(id string, users bool) (channel string, err *apiError) {
	if strings.HasPrefix(id, "U") && users {
		id = direct(id)
	}
	if strings.HasPrefix(id, "D") {
		m := s.users[s.person(id)]
		if m == nil || m.disabled || m.Bot {
			return "", &apiError{code: "channel_not_found"}
		}
		return id, nil
	}
	c, ok := s.channels[id]
	switch {
	case !ok:
		return "", &apiError{code: "channel_not_found"}
	case c.Archived:
		return "", &apiError{code: "is_archived"}
	case !c.Member:
		return "", &apiError{code: "not_in_channel"}
	}
	return id, nil
}

func (s *Sim) postMessage(a args) (map[string]any, *apiError) {
	channel, err := s.conversation(a["channel"], true)
	if err != nil {
		return nil, err
	}
	c, err := s.read(a)
	if err != nil {
		return nil, err
	}
	if a["thread_ts"] != "" {
		c.shown.Fields["thread_ts"] = a["thread_ts"]
	}
	var first map[string]any
	for _, piece := range s.pieces(c) {
		m := s.post(channel, piece)
		if first == nil {
			first = m
		}
	}
	return map[string]any{"channel": channel, "ts": first["ts"], "message": first}, nil
}

// pieces is the message as Slack would show it: a long text without blocks
// comes as several.
func (s *Sim) pieces(c content) []content {
	if c.blocks != nil || units(c.text) <= oneMessage {
		return []content{c}
	}
	var out []content
	for _, text := range chop(cut(c.text, hardLimit), splitAt) {
		piece := c
		piece.text, piece.shown.Text = text, s.plain(text, c.emphasis)
		out = append(out, piece)
	}
	return out
}

// chop cuts a text into stretches of so many UTF-16 code units.
func chop(text string, size int) []string {
	var out []string
	for text != "" {
		piece := cut(text, size)
		out, text = append(out, piece), text[len(piece):]
	}
	return out
}

// cut returns the beginning of a text of at most so many UTF-16 code units.
func cut(text string, size int) string {
	n := 0
	for i, r := range text {
		if n++; r > 0xffff {
			n++
		}
		if n > size {
			return text[:i]
		}
	}
	return text
}

// read checks a message's content.
func (s *Sim) read(a args) (content, *apiError) {
	c := content{text: a["text"], emphasis: a["mrkdwn"] != "false"}
	c.shown.Kind, c.shown.Fields = "text", map[string]any{}
	blocks := a["blocks"]
	if blocks == "[]" {
		blocks = ""
	}
	if a["markdown_text"] != "" {
		return s.readMarkdown(a, c)
	}
	if err := checkExtras(a); err != nil {
		return c, err
	}
	if strings.TrimSpace(c.text) == "" && blocks == "" && a["attachments"] == "" {
		return c, &apiError{code: "no_text"}
	}
	c.shown.Text = s.plain(c.text, c.emphasis)
	if blocks == "" {
		return c, nil
	}
	r, err := s.readBlocks(blocks)
	if err != nil {
		return c, err
	}
	c.blocks = json.RawMessage(blocks)
	c.shown.Fields["text"] = c.shown.Text // what a notification shows
	c.shown.Text, c.shown.Buttons = strings.Join(r.lines, "\n"), r.buttons
	return c, nil
}

func (s *Sim) readMarkdown(a args, c content) (content, *apiError) {
	if a["text"] != "" || a["blocks"] != "" {
		return c, &apiError{code: "markdown_text_conflict"}
	}
	c.text, c.emphasis = a["markdown_text"], false
	if units(c.text) > maxMarkdown {
		return c, &apiError{code: "msg_too_long"}
	}
	c.shown.Text = c.text
	return c, nil
}

func checkExtras(a args) *apiError {
	if raw := a["attachments"]; raw != "" {
		var all []json.RawMessage
		if json.Unmarshal([]byte(raw), &all) != nil {
			return &apiError{code: "invalid_array_arg"}
		}
		if len(all) > maxAttachments {
			return &apiError{code: "too_many_attachments"}
		}
	}
	if raw := a["metadata"]; raw != "" {
		var m struct {
			Type    string         `json:"event_type"`
			Payload map[string]any `json:"event_payload"`
		}
		if json.Unmarshal([]byte(raw), &m) != nil {
			return &apiError{code: "invalid_metadata_format"}
		}
		if m.Type == "" || m.Payload == nil {
			return &apiError{code: "invalid_metadata_schema"}
		}
	}
	return nil
}

// post shows one message and tells the app about it.
func (s *Sim) post(channel string, c content) map[string]any {
	ts := s.timestamp()
	m := s.message(ts, c)
	shown := c.shown
	shown.To, shown.ID, shown.At, shown.Raw = s.person(channel), ts, s.opt.Now(), rawJSON(m)
	if len(shown.Fields) == 0 {
		shown.Fields = nil
	}
	s.log.Show(shown)
	s.texts[ts] = c.text
	if !s.opt.NoEchoes {
		s.echo(channel, m)
	}
	return m
}

func (s *Sim) message(ts string, c content) map[string]any {
	m := map[string]any{
		"type": "message", "user": s.opt.BotUserID, "bot_id": s.opt.BotID, "app_id": s.opt.AppID, "team": s.opt.TeamID,
		"text": c.text, "ts": ts,
	}
	if c.blocks != nil {
		m["blocks"] = c.blocks
	}
	return m
}

func (s *Sim) update(a args) (map[string]any, *apiError) {
	channel, err := s.ownMessage(a, "cant_update_message")
	if err != nil {
		return nil, err
	}
	if units(a["text"]) > maxUpdate {
		return nil, &apiError{code: "msg_too_long"}
	}
	c, err := s.read(a)
	if err != nil {
		return nil, err
	}
	m := s.message(a["ts"], c)
	s.log.Edit(s.person(channel), a["ts"], func(e *emulator.Shown) {
		e.Text, e.Buttons, e.Fields, e.Raw = c.shown.Text, c.shown.Buttons, c.shown.Fields, rawJSON(m)
	})
	s.texts[a["ts"]] = c.text
	return map[string]any{"channel": channel, "ts": a["ts"], "text": c.text, "message": m}, nil
}

func (s *Sim) remove(a args) (map[string]any, *apiError) {
	channel, err := s.ownMessage(a, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	s.log.Delete(s.person(channel), a["ts"])
	return map[string]any{"channel": channel, "ts": a["ts"]}, nil
}

// ownMessage finds a message of the app by channel and ts.
func (s *Sim) ownMessage(a args, foreign string) (channel string, err *apiError) {
	if channel, err = s.conversation(a["channel"], false); err != nil {
		return "", err
	}
	m, ok := s.log.Find(s.person(channel), a["ts"])
	if !ok {
		return "", &apiError{code: "message_not_found"}
	}
	if m.Own {
		return "", &apiError{code: foreign}
	}
	return channel, nil
}

func (s *Sim) open(a args) (map[string]any, *apiError) {
	users := a["users"]
	if users == "" && a["channel"] != "" {
		users = s.person(a["channel"])
	}
	if users == "" {
		return nil, &apiError{code: "users_list_not_supplied"}
	}
	if strings.Contains(users, ",") {
		return nil, &apiError{code: "invalid_user_combination"} // group conversations are left out
	}
	m := s.users[users]
	switch {
	case m == nil:
		return nil, &apiError{code: "user_not_found"}
	case m.disabled:
		return nil, &apiError{code: "user_disabled"}
	case m.Bot:
		return nil, &apiError{code: "is_bot"}
	}
	channel := map[string]any{"id": direct(users)}
	if a["return_im"] == "true" {
		channel["is_im"], channel["user"] = true, users
	}
	return map[string]any{"channel": channel, "no_op": false, "already_open": false}, nil
}

func (s *Sim) userInfo(a args) (map[string]any, *apiError) {
	m := s.users[a["user"]]
	if m == nil {
		return nil, &apiError{code: "user_not_found"}
	}
	return map[string]any{"user": s.describe(m, a["include_locale"] == "true")}, nil
}

func (s *Sim) lookupByEmail(a args) (map[string]any, *apiError) {
	for _, m := range s.users {
		if m.Email != "" && strings.EqualFold(m.Email, strings.TrimSpace(a["email"])) && !m.disabled {
			return map[string]any{"user": s.describe(m, false)}, nil
		}
	}
	return nil, &apiError{code: "users_not_found"}
}

func (s *Sim) describe(m *member, locale bool) map[string]any {
	u := map[string]any{
		"id": m.ID, "team_id": s.opt.TeamID, "name": m.Name, "real_name": m.RealName, "deleted": m.disabled, "is_bot": m.Bot, "tz": "Europe/Berlin",
		"profile": map[string]any{"real_name": m.RealName, "display_name": m.Name, "email": m.Email},
	}
	if locale {
		u["locale"] = m.Locale
	}
	return u
}

// responseCall is a post to a response URL.
func (s *Sim) responseCall(id string, r *http.Request) emulator.Call {
	a, problem := readArgs(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	url := s.responses[id]
	call := emulator.Call{Method: "response_url"}
	if url != nil {
		call.To = url.user
	}
	call.Do = func() emulator.Answer {
		if problem != nil {
			return refusal(problem)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if url == nil || url.left == 0 || s.opt.Now().After(url.until) {
			ans := emulator.Answer{Status: http.StatusNotFound, Body: []byte("used_url"), Code: "used_url"}
			return ans
		}
		if err := s.respond(url, a); err != nil {
			return refusal(err)
		}
		url.left--
		return emulator.Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("ok")}
	}
	return call
}

// respond shows what a command or a button is answered with.
func (s *Sim) respond(to *responseURL, a args) *apiError {
	if a["delete_original"] == "true" {
		s.log.Delete(to.user, to.message)
		return nil
	}
	c, err := s.read(a)
	if err != nil {
		return err
	}
	if a["replace_original"] == "true" && to.message != "" {
		s.log.Edit(to.user, to.message, func(e *emulator.Shown) { e.Text, e.Buttons = c.shown.Text, c.shown.Buttons })
		return nil
	}
	if a["response_type"] != "in_channel" {
		c.shown.Kind = "ephemeral"
	}
	ts := s.timestamp()
	c.shown.To, c.shown.ID, c.shown.At = to.user, ts, s.opt.Now()
	s.log.Show(c.shown)
	return nil
}

// newResponse makes a response URL: five posts within half an hour.
func (s *Sim) newResponse(user, message string) string {
	id := s.nextID("r")
	s.responses[id] = &responseURL{user: user, message: message, until: s.opt.Now().Add(30 * time.Minute), left: 5}
	return strings.TrimSuffix(s.opt.BaseURL, "/") + "/response/" + id
}

func rawJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("slacksim: cannot encode: " + err.Error())
	}
	return raw
}
