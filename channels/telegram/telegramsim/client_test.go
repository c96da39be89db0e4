package telegramsim_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"tidings/channels/emulator"
	"tidings/channels/telegram/telegramsim"
)

func newClient(t *testing.T, s *telegramsim.Sim) *tgbotapi.BotAPI {
	t.Helper()
	bot, err := tgbotapi.NewBotAPIWithClient(token, "http://api/bot%s/%s", &http.Client{Transport: emulator.Transport(s)})
	if err != nil {
		t.Fatal(err)
	}
	return bot
}

func TestThePopularClientWorks(t *testing.T) {
	s, _ := newBot(t, nil)
	bot := newClient(t, s)
	if got, want := bot.Self.UserName, "shop_bot"; got != want {
		t.Errorf("username: got %q, want %q", got, want)
	}

	msg := tgbotapi.NewMessage(42, "Order <b>17</b>")
	msg.ParseMode = tgbotapi.ModeHTML
	msg.ReplyMarkup = tgbotapi.NewInlineKeyboardMarkup(tgbotapi.NewInlineKeyboardRow(tgbotapi.NewInlineKeyboardButtonData("Yes", "y")))
	sent, err := bot.Send(msg)
	if err != nil {
		t.Fatal(err)
	}
	if sent.Text != "Order 17" || len(sent.Entities) != 1 || sent.Chat.ID != 42 {
		t.Errorf("sent: got %+v", sent)
	}
	if _, err := bot.Send(tgbotapi.NewEditMessageText(42, sent.MessageID, "Order 18")); err != nil {
		t.Errorf("edit: %v", err)
	}
	up := tgbotapi.NewPhoto(42, tgbotapi.FileBytes{Name: "a.png", Bytes: []byte("picture")})
	up.Caption = "look"
	pic, err := bot.Send(up)
	if err != nil || pic.Caption != "look" {
		t.Errorf("photo: got %+v, %v", pic, err)
	}
	direct, err := bot.GetFileDirectURL(pic.Photo[0].FileID)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(direct, "https://api.telegram.org")
	res, err := (&http.Client{Transport: emulator.Transport(s)}).Get("http://api" + path)
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(res.Body); string(data) != "picture" {
		t.Errorf("download: got %q, want picture", data)
	}

	_, err = bot.Send(tgbotapi.NewMessage(43, "hello"))
	var refused *tgbotapi.Error
	if !errors.As(err, &refused) || refused.Code != 400 || refused.Message != "Bad Request: chat not found" {
		t.Errorf("stranger: got %v, want chat not found", err)
	}
	if _, err := bot.Request(tgbotapi.DeleteWebhookConfig{}); err != nil {
		t.Errorf("deleteWebhook: %v", err)
	}
	info, err := bot.GetWebhookInfo()
	if err != nil || info.URL != "" {
		t.Errorf("getWebhookInfo: got %+v, %v", info, err)
	}
}

func TestThePopularClientPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newBot(t, func(o *telegramsim.Options) { o.WebhookURL = "" })
		bot := newClient(t, s)
		got := make(chan []tgbotapi.Update)
		go func() {
			updates, err := bot.GetUpdates(tgbotapi.UpdateConfig{Timeout: 30})
			if err != nil {
				t.Error(err)
			}
			got <- updates
		}()
		synctest.Wait()
		_, _ = s.Say(t.Context(), "42", "hi")
		if updates := <-got; len(updates) != 1 || updates[0].Message.Text != "hi" {
			t.Errorf("got %+v, want hi", updates)
		}
		again, err := bot.GetUpdates(tgbotapi.UpdateConfig{Offset: 2, Timeout: 1})
		if err != nil || len(again) != 0 {
			t.Errorf("after confirming: got %v, %v, want none", again, err)
		}
	})
}

func TestTwoPollersAreAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newBot(t, func(o *telegramsim.Options) { o.WebhookURL = "" })
		bot := newClient(t, s)
		first := make(chan error)
		go func() {
			_, err := bot.GetUpdates(tgbotapi.UpdateConfig{Timeout: 30})
			first <- err
		}()
		synctest.Wait()
		_, _ = bot.GetUpdates(tgbotapi.UpdateConfig{})
		if err := <-first; err == nil || !strings.HasPrefix(err.Error(), "Conflict: terminated by other getUpdates request") {
			t.Errorf("got %v, want a conflict", err)
		}
	})
}

func TestPollingBesideAWebhookIsAConflict(t *testing.T) {
	s, _ := newBot(t, nil)
	_, err := newClient(t, s).GetUpdates(tgbotapi.UpdateConfig{})
	if err == nil || !strings.HasPrefix(err.Error(), "Conflict: can't use getUpdates method while webhook is active") {
		t.Errorf("got %v, want a conflict", err)
	}
}

// What go-telegram/bot sends: a form of nothing, and an empty copy_text beside
// the action of a button.
func TestEmptyFormsAndFields(t *testing.T) {
	s, _ := newBot(t, nil)
	if _, out := request(t, s, http.MethodPost, "/bot"+token+"/getMe", "multipart/form-data; boundary=b", ""); out["ok"] != true {
		t.Errorf("getMe: got %v", out)
	}
	keyboard := `{"inline_keyboard":[[{"text":"Yes","callback_data":"y","copy_text":{"text":""}}]]}`
	if _, out := call(t, s, "/bot"+token+"/sendMessage", `{"chat_id":42,"text":"a","reply_markup":`+keyboard+`}`); out["ok"] != true {
		t.Errorf("sendMessage: got %v", out)
	}
	if _, out := request(t, s, http.MethodPost, "/bot"+token+"/getMe", "multipart/form-data; boundary=b", "--b\r\nContent-Disp"); out["ok"] != false {
		t.Errorf("half a form: got %v", out)
	}
}
