package slacksim_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"tidings/channels/emulator"
)

func TestTheOfficialClientWorks(t *testing.T) {
	s, _ := newTeam(t, nil)
	ctx := t.Context()
	api := slack.New("xoxb-1", slack.OptionAPIURL("http://slack/api/"), slack.OptionHTTPClient(&http.Client{Transport: emulator.Transport(s)}))

	who, err := api.AuthTestContext(ctx)
	if err != nil || who.TeamID != "T1" || who.BotID != "B1" {
		t.Errorf("auth.test: got %+v, %v", who, err)
	}
	u, err := api.GetUserByEmailContext(ctx, "ines@example.com")
	if err != nil || u.ID != "U1" {
		t.Errorf("lookupByEmail: got %+v, %v", u, err)
	}
	if u, err := api.GetUserInfoContext(ctx, "U1"); err != nil || u.RealName != "Ines Vidal" {
		t.Errorf("users.info: got %+v, %v", u, err)
	}
	ch, _, _, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{"U1"}})
	if err != nil || ch.ID != "D1" {
		t.Fatalf("conversations.open: got %+v, %v", ch, err)
	}
	button := slack.NewButtonBlockElement("a1", "y", slack.NewTextBlockObject(slack.PlainTextType, "Yes", false, false))
	channel, ts, err := api.PostMessageContext(ctx, ch.ID, slack.MsgOptionText("fallback", false), slack.MsgOptionBlocks(
		slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "Order *17*", false, false), nil, nil),
		slack.NewActionBlock("b1", button)))
	if err != nil || channel != "D1" {
		t.Fatalf("chat.postMessage: got %s, %v", channel, err)
	}
	if got := s.Log().Shown("U1"); len(got) != 1 || got[0].Text != "Order 17" || got[0].ID != ts || len(got[0].Buttons) != 1 {
		t.Errorf("shown: got %+v", got)
	}
	if _, _, _, err := api.UpdateMessageContext(ctx, "D1", ts, slack.MsgOptionText("Order 18", false)); err != nil {
		t.Errorf("chat.update: %v", err)
	}
	if got := s.Log().Shown("U1"); len(got) != 1 || got[0].Text != "Order 18" {
		t.Errorf("shown after the update: got %+v", got)
	}
	if _, _, err := api.DeleteMessageContext(ctx, "D1", ts); err != nil {
		t.Errorf("chat.delete: %v", err)
	}

	_, _, err = api.PostMessageContext(ctx, "C9", slack.MsgOptionText("a", false))
	if err == nil || err.Error() != "channel_not_found" {
		t.Errorf("unknown channel: got %v, want channel_not_found", err)
	}
	s.Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: 7 * time.Second, Times: 1})
	_, _, err = api.PostMessageContext(ctx, "D1", slack.MsgOptionText("a", false))
	var limited *slack.RateLimitedError
	if !errors.As(err, &limited) || limited.RetryAfter != 7*time.Second {
		t.Errorf("throttled: got %v, want a RateLimitedError of 7s", err)
	}
}
