package clients

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"tidings/channels/emulator"
	"tidings/channels/telegram/telegramsim"
)

const telegramToken = "123456:ABC-DEF"

// serve serves an emulator as a server of its own.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// receive returns what comes first, or fails.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
	}
	panic("not reached")
}

func telegramBot(t *testing.T, s *telegramsim.Sim, options ...bot.Option) *bot.Bot {
	t.Helper()
	b, err := bot.New(telegramToken, append(options, bot.WithServerURL(serve(t, s)))...) // asks getMe
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoTelegramSends(t *testing.T) {
	s := telegramsim.New(telegramsim.Options{Token: telegramToken, Username: "shop_bot", Users: []string{"42"}})
	t.Cleanup(s.Close)
	b, disabled := telegramBot(t, s), true

	sent, err := b.SendMessage(t.Context(), &bot.SendMessageParams{
		ChatID: 42, Text: "Order <b>17</b> &amp; more", ParseMode: models.ParseModeHTML,
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: &disabled},
		ReplyMarkup: &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{{
			{Text: "Track", URL: "https://shop.example/17"}, {Text: "Help", CallbackData: "help"},
		}}},
	})
	if err != nil || sent.Text != "Order 17 & more" || len(sent.Entities) != 1 || sent.Chat.ID != 42 {
		t.Fatalf("sendMessage: got %+v, %v", sent, err)
	}
	if _, err := b.EditMessageText(t.Context(), &bot.EditMessageTextParams{ChatID: 42, MessageID: sent.ID, Text: "Order 18"}); err != nil {
		t.Errorf("editMessageText: %v", err)
	}
	if got := s.Log().Shown("42"); len(got) != 1 || got[0].Text != "Order 18" {
		t.Errorf("shown: got %+v, want Order 18", got)
	}
	if _, err := b.SendPhoto(t.Context(), &bot.SendPhotoParams{ChatID: 42, Photo: &models.InputFileString{Data: "https://shop.example/a.png"}, Caption: "look"}); err != nil {
		t.Errorf("sendPhoto: %v", err)
	}
	if _, err := b.SetWebhook(t.Context(), &bot.SetWebhookParams{URL: "https://shop.example/hook", SecretToken: "s"}); err != nil {
		t.Errorf("setWebhook: %v", err)
	}
	if info, err := b.GetWebhookInfo(t.Context()); err != nil || info.URL != "https://shop.example/hook" {
		t.Errorf("getWebhookInfo: got %+v, %v", info, err)
	}
}

func TestGoTelegramFindsFiles(t *testing.T) {
	s := telegramsim.New(telegramsim.Options{Token: telegramToken, Users: []string{"42"}})
	t.Cleanup(s.Close)
	b := telegramBot(t, s)
	if _, err := s.SendFile(t.Context(), "42", emulator.File{Name: "a.pdf", Type: "application/pdf", Data: []byte("%PDF")}, ""); err != nil {
		t.Fatal(err)
	}
	f, err := b.GetFile(t.Context(), &bot.GetFileParams{FileID: "file0"})
	if err != nil || f.FileSize != 4 {
		t.Fatalf("getFile: got %+v, %v", f, err)
	}
	for link, want := range map[string]string{b.FileDownloadLink(f): "%PDF", strings.Replace(b.FileDownloadLink(f), telegramToken, "123456:OTHER", 1): `{"error_code":401,"description":"Unauthorized","ok":false}`} {
		res, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || !sameJSON(string(body), want) {
			t.Errorf("got %q, %v; want %q", body, err, want)
		}
	}
}

// sameJSON compares texts, as JSON where they are.
func sameJSON(got, want string) bool {
	var x, y any
	if json.Unmarshal([]byte(got), &x) != nil || json.Unmarshal([]byte(want), &y) != nil {
		return got == want
	}
	return reflect.DeepEqual(x, y)
}

func TestGoTelegramUnderstandsRefusals(t *testing.T) {
	s := telegramsim.New(telegramsim.Options{Token: telegramToken, Users: []string{"42"}})
	t.Cleanup(s.Close)
	b := telegramBot(t, s)
	send := func(chat int) error {
		_, err := b.SendMessage(t.Context(), &bot.SendMessageParams{ChatID: chat, Text: "hi"})
		return err
	}
	if err := send(43); !errors.Is(err, bot.ErrorBadRequest) {
		t.Errorf("a stranger: got %v, want a bad request", err)
	}
	for _, x := range []struct {
		fault emulator.Fault
		want  error
	}{
		{emulator.Fault{Kind: emulator.Block, Times: 1}, bot.ErrorForbidden},
		{emulator.Fault{Kind: emulator.ExpireToken, Times: 1}, bot.ErrorUnauthorized},
	} {
		s.Faults().Add(x.fault)
		if err := send(42); !errors.Is(err, x.want) {
			t.Errorf("%s: got %v, want %v", x.fault.Kind, err, x.want)
		}
		s.Faults().Clear()
		s.Unblock("42")
	}
	s.Faults().Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: 7 * time.Second, Times: 1})
	var slow *bot.TooManyRequestsError
	if err := send(42); !errors.As(err, &slow) || slow.RetryAfter != 7 {
		t.Errorf("throttled: got %v, want a wait of 7 s", err)
	}
}

func TestGoTelegramReadsWebhooks(t *testing.T) {
	const secret = "secret-token"
	updates := make(chan *models.Update, 10)
	var hook http.Handler
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hook.ServeHTTP(w, r) }))
	s := telegramsim.New(telegramsim.Options{Token: telegramToken, WebhookURL: url, SecretToken: secret, Local: true})
	t.Cleanup(s.Close)
	b := telegramBot(t, s, bot.WithWebhookSecretToken(secret), bot.WithNotAsyncHandlers(),
		bot.WithDefaultHandler(func(_ context.Context, _ *bot.Bot, u *models.Update) { updates <- u }))
	hook = b.WebhookHandler()
	go b.StartWebhook(t.Context())

	if err := s.Start(t.Context(), "42", "TOKEN"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, updates).Message; got == nil || got.Text != "/start TOKEN" || got.Chat.Type != models.ChatTypePrivate || got.From.ID != 42 {
		t.Errorf("start: got %+v", got)
	}
	s.Block("42")
	if got := receive(t, updates).MyChatMember; got == nil || got.NewChatMember.Type != models.ChatMemberTypeBanned {
		t.Errorf("blocked: got %+v", got)
	}
}
