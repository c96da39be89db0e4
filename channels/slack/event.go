package slack

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

// messageEvent is a message as the Events API shows it
// (https://docs.slack.dev/reference/events/message, read 2026-11-22).
type messageEvent struct {
	Subtype     string        `json:"subtype"`
	Channel     string        `json:"channel"`
	ChannelType string        `json:"channel_type"`
	User        string        `json:"user"`
	BotID       string        `json:"bot_id"`
	Text        string        `json:"text"`
	TS          string        `json:"ts"`
	ThreadTS    string        `json:"thread_ts"`
	EventTS     string        `json:"event_ts"`
	Files       []fileObject  `json:"files"`
	Message     *messageEvent `json:"message"`          // of message_changed: as it is now
	Previous    *messageEvent `json:"previous_message"` // of message_changed: as it was
}

type fileObject struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	MimeType string `json:"mimetype"`
}

// notices are events about the app itself that an operator should see.
var notices = map[string]string{
	"app_uninstalled": "the app was removed from the workspace",
	"tokens_revoked":  "the workspace revoked tokens of the app",
}

// decodeEvent returns the update, without id and account, or a problem.
func decodeEvent(env envelope) (core.Update, string) {
	kind := stringIn(env.Event, "type")
	if kind == "" {
		return core.Update{}, "the event has no type"
	}
	if kind != "message" {
		return core.Update{Kind: core.UpdateOther, At: unix(env.EventTime), Problem: notices[kind]}, ""
	}
	var m messageEvent
	if err := json.Unmarshal(env.Event, &m); err != nil {
		return core.Update{}, "the message is not as documented"
	}
	u, problem := decodeMessage(m)
	if u.At.IsZero() {
		u.At = unix(env.EventTime)
	}
	return u, problem
}

// decodeMessage tells the customer's words from everything else that Slack
// reports as a message: ours, other apps', and what happens in channels to
// which the app was added.
func decodeMessage(m messageEvent) (core.Update, string) {
	other := core.Update{Kind: core.UpdateOther, At: stampTime(firstOf(m.EventTS, m.TS))}
	if !m.direct() || m.fromApp() {
		return other, ""
	}
	switch m.Subtype {
	case "", "file_share", "me_message", "thread_broadcast":
		return decodeWords(m)
	case "message_changed":
		if m.changedByCustomer() {
			return decodeEdit(m)
		}
	}
	return other, ""
}

// direct reports a message between the app and one user.
func (m messageEvent) direct() bool {
	if m.ChannelType == "" {
		return strings.HasPrefix(m.Channel, "D")
	}
	return m.ChannelType == "im" || m.ChannelType == "app_home"
}

// fromApp reports a message that no person wrote, ours among them.
func (m messageEvent) fromApp() bool {
	return m.BotID != "" || m.Subtype == "bot_message" || m.User == "USLACKBOT"
}

// changedByCustomer tells an edit from a change that Slack itself makes to a
// message, such as a link's preview.
func (m messageEvent) changedByCustomer() bool {
	if m.Message == nil || m.Message.fromApp() || m.Message.Subtype == "tombstone" {
		return false
	}
	return m.Previous == nil || m.Previous.Text != m.Message.Text
}

func decodeWords(m messageEvent) (core.Update, string) {
	if problem := m.incomplete(); problem != "" {
		return core.Update{}, problem
	}
	if m.Text == "" && len(m.Files) == 0 {
		return core.Update{}, "the message has neither text nor files"
	}
	return core.Update{
		Kind:       core.UpdateText,
		From:       core.Address{Value: m.User},
		At:         stampTime(m.TS),
		PlatformID: platformID(m.Channel, m.TS),
		Text:       readable(m.Text),
		Media:      media(m.Files),
		ReplyTo:    replyTo(m.Channel, m.TS, m.ThreadTS),
	}, ""
}

func decodeEdit(m messageEvent) (core.Update, string) {
	now := *m.Message
	now.Channel = m.Channel
	if problem := now.incomplete(); problem != "" {
		return core.Update{}, problem
	}
	return core.Update{
		Kind:       core.UpdateEdited,
		From:       core.Address{Value: now.User},
		At:         stampTime(firstOf(m.EventTS, m.TS)),
		PlatformID: platformID(m.Channel, now.TS),
		Text:       readable(now.Text),
		Media:      media(now.Files),
		ReplyTo:    replyTo(m.Channel, now.TS, now.ThreadTS),
	}, ""
}

func (m messageEvent) incomplete() string {
	if m.User == "" || m.Channel == "" || m.TS == "" {
		return "the message lacks its user, channel or timestamp"
	}
	return ""
}

// replyTo names the message that a thread hangs on; that message itself has the
// thread's timestamp too.
func replyTo(channel, ts, thread string) string {
	if thread == "" || thread == ts {
		return ""
	}
	return platformID(channel, thread)
}

// media describes files. Their URLs stay out: they open with the token only.
func media(files []fileObject) []core.Media {
	var out []core.Media
	for _, f := range files {
		out = append(out, core.Media{
			Kind: mediaKind(f.MimeType),
			ID:   f.ID,
			Name: firstOf(f.Name, f.Title),
			Text: f.MimeType,
		})
	}
	return out
}

func mediaKind(mime string) string {
	switch family, _, _ := strings.Cut(mime, "/"); family {
	case "image", "audio", "video":
		return family
	}
	return "file"
}

// stampTime reads a message's timestamp, "1790000000.000100": seconds and six
// digits that keep the order within one. Zero when it is none.
func stampTime(ts string) time.Time {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || unix(seconds).IsZero() {
		return time.Time{}
	}
	micros, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil || len(fraction) != 6 {
		micros = 0
	}
	return unix(seconds).Add(time.Duration(micros) * time.Microsecond)
}

// unix is the time of a count of seconds; zero for none and for what no clock
// in this millennium shows, which no store could keep.
func unix(seconds int64) time.Time {
	const year3000 = 32503680000
	if seconds <= 0 || seconds > year3000 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
