package slack

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"tidings/core"
)

// interaction is what Slack sends when somebody uses a block
// (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload, read 2026-11-22).
type interaction struct {
	Type string `json:"type"`
	User struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		UserName string `json:"username"`
	} `json:"user"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	Container struct {
		MessageTS string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
	} `json:"container"`
	TriggerID string `json:"trigger_id"`
	Channel   struct {
		ID string `json:"id"`
	} `json:"channel"`
	Message struct {
		TS string `json:"ts"`
	} `json:"message"`
	Actions []action `json:"actions"`
}

type action struct {
	Type     string `json:"type"`
	Value    string `json:"value"`
	ActionTS string `json:"action_ts"`
}

// decodeInteraction returns one update per action. Dialogs and views are not
// ours.
func (c *Channel) decodeInteraction(body, payload []byte) []core.Update {
	var in interaction
	if err := json.Unmarshal(payload, &in); err != nil || in.Type == "" {
		return []core.Update{c.unreadable(body, "the interaction is not as documented")}
	}
	if in.Type != "block_actions" || len(in.Actions) == 0 {
		return []core.Update{{ID: hashID(body), Kind: core.UpdateOther, Account: c.account(in.Team.ID)}}
	}
	if in.User.ID == "" {
		return []core.Update{c.unreadable(body, "the interaction names no user")}
	}
	updates := make([]core.Update, 0, len(in.Actions))
	for i, a := range in.Actions {
		u := decodeAction(in, a)
		u.ID = in.id(i, body)
		u.Account = c.account(in.Team.ID)
		updates = append(updates, u)
	}
	return updates
}

// decodeAction reads one press. A button that opens a link is reported too, but
// has no value: the press was its own purpose.
func decodeAction(in interaction, a action) core.Update {
	u := core.Update{
		Kind: core.UpdateOther,
		From: core.Address{Value: in.User.ID},
		At:   stampTime(a.ActionTS),
		Name: firstOf(in.User.Name, in.User.UserName),
	}
	if a.Value == "" {
		return u
	}
	u.Kind = core.UpdateButton
	u.Payload = a.Value
	channel, ts := firstOf(in.Container.ChannelID, in.Channel.ID), firstOf(in.Container.MessageTS, in.Message.TS)
	if channel != "" && ts != "" {
		u.ReplyTo = platformID(channel, ts)
	}
	return u
}

// id tells a press from others: by the trigger, which Slack gives out once, or
// by the message and the time of the press.
func (in interaction) id(i int, body []byte) string {
	ts := firstOf(in.Container.MessageTS, in.Message.TS)
	switch {
	case in.TriggerID != "":
		return "trigger:" + in.TriggerID + "/" + strconv.Itoa(i)
	case ts != "" && in.Actions[i].ActionTS != "":
		return "action:" + ts + "/" + in.Actions[i].ActionTS + "/" + strconv.Itoa(i)
	}
	return hashID(body) + "/" + strconv.Itoa(i)
}

// words are the commands that the core understands as a message. Installed as
// slash commands they mean the same.
var words = map[string]bool{"status": true, "stop": true, "start": true, "help": true}

// decodeCommand reads a slash command: /link brings a reference, every other is
// as if its words had been sent as a message, so that "/tidings stop", "/stop"
// and "stop" are the same.
func (c *Channel) decodeCommand(body []byte, form url.Values) core.Update {
	user := form.Get("user_id")
	if user == "" {
		return c.unreadable(body, "the command names no user")
	}
	u := core.Update{
		ID:      hashID(body),
		Kind:    core.UpdateText,
		From:    core.Address{Value: user},
		Account: c.account(form.Get("team_id")),
		Name:    form.Get("user_name"),
	}
	if trigger := form.Get("trigger_id"); trigger != "" {
		u.ID = "trigger:" + trigger
	}
	name := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(form.Get("command")), "/"))
	text := strings.TrimSpace(readable(form.Get("text")))
	switch {
	case name == "link":
		u.Kind, u.Ref = core.UpdateOptIn, text
	case words[name]:
		u.Text = strings.TrimSpace(name + " " + text)
	default:
		u.Text = firstOf(text, name)
	}
	if u.Kind == core.UpdateText && u.Text == "" {
		return c.unreadable(body, "the command is empty")
	}
	return u
}
