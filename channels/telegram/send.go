package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"tidings/core"
)

// Channel is one bot. It holds no state that changes but the end, so its methods
// may be called concurrently.
type Channel struct {
	closed        atomic.Bool
	token, secret string
	username      string
	endpoint      string
	api           string // without a slash at its end
	client        *http.Client
	limits        core.Limits
	login         login
}

var (
	_ core.Config    = (*Config)(nil)
	_ core.Channel   = (*Channel)(nil)
	_ core.Listener  = (*Channel)(nil)
	_ core.Inviter   = (*Channel)(nil)
	_ core.Addressed = (*Channel)(nil)

	_ core.Authenticator = (*Channel)(nil)
)

// Limits returns Telegram's facts.
func (c *Channel) Limits() core.Limits { return c.limits }

// Close ends sending. The HTTP client belongs to whoever lent it, and requests
// under way go on.
func (c *Channel) Close() error {
	c.closed.Store(true)
	return nil
}

// Invite leads to the bot by a deep link: the customer presses Start and the
// bot gets "/start TOKEN".
func (c *Channel) Invite(token string) core.Invitation {
	return core.Invitation{URL: "https://t.me/" + c.username + "?start=" + token}
}

// CheckAddress takes the id of a private chat. A group is read by more than one
// person: what is told there is told to strangers.
func (c *Channel) CheckAddress(value string) string {
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != value {
		return "must be the id of a private chat, in decimal"
	}
	return ""
}

// Send makes one request for one part.
func (c *Channel) Send(ctx context.Context, to core.Address, p core.Part) (core.Sent, error) {
	if c.closed.Load() {
		return core.Sent{}, &core.SendError{Class: core.Temporary, Code: "closed", Err: errors.New("telegram: the channel is closed")}
	}
	req, err := encode(to, p)
	if err != nil {
		return core.Sent{}, &core.SendError{Class: core.Rejected, Code: "encode", Err: fmt.Errorf("telegram: encode: %w", err)}
	}
	if err := ctx.Err(); err != nil {
		return core.Sent{}, &core.SendError{Class: core.Temporary, Code: "not_begun", Err: fmt.Errorf("telegram: %s: not begun: %w", req.method, err)}
	}
	x := &exchange{ctx: ctx, client: c.client}
	bot := &tgbotapi.BotAPI{Token: c.token, Client: x}
	bot.SetAPIEndpoint(c.endpoint)
	resp, err := bot.MakeRequest(req.method, req.params)
	if err != nil {
		return core.Sent{}, c.failure(req.method, p, x, err)
	}
	id, err := sentID(resp.Result, req.params["chat_id"])
	if err != nil {
		return core.Sent{}, sendError(core.Uncertain, x.status, req.method, err)
	}
	return core.Sent{ID: id}, nil
}

// sentID reads a message's id from Telegram's "yes". A "yes" without one did
// not come whole. Where it leaves out the chat, it is the one that was written to:
// to doubt such a "yes" would be to send the message twice.
func sentID(result json.RawMessage, chat string) (string, error) {
	var sent struct {
		MessageID int64 `json:"message_id"`
		Chat      struct {
			ID int64 `json:"id"`
		} `json:"chat"`
	}
	if err := json.Unmarshal(result, &sent); err != nil || sent.MessageID == 0 {
		return "", errors.New("the answer has no message in it")
	}
	if sent.Chat.ID == 0 {
		return chat + "/" + strconv.FormatInt(sent.MessageID, 10), nil
	}
	return messageKey(sent.Chat.ID, sent.MessageID), nil
}

// messageKey names a message across all chats.
func messageKey(chat, message int64) string {
	return strconv.FormatInt(chat, 10) + "/" + strconv.FormatInt(message, 10)
}
