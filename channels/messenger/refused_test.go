package messenger

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

func orderPart(key string, words string) core.Part {
	return core.Part{Key: key, Order: &core.OrderSummary{
		Order: core.Order{Code: "00417003", CustomerName: "Ines", Payment: "Visa", Total: core.Money{Amount: "1.00", Currency: "EUR"}},
		Text:  core.PlainText(words),
	}}
}

// strictReceipts is a platform that refuses a second receipt with the same number.
type strictReceipts struct {
	seen  map[string]bool
	texts []string
}

func (s *strictReceipts) RoundTrip(r *http.Request) (*http.Response, error) {
	var req struct {
		Message struct {
			Text       string
			Attachment struct {
				Payload struct {
					OrderNumber string `json:"order_number"`
				}
			}
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, err
	}
	number := req.Message.Attachment.Payload.OrderNumber
	if s.seen[number] {
		return respond(400, `{"error":{"message":"(#100) order_number must be unique","code":100}}`)(r)
	}
	if number != "" {
		s.seen[number] = true
	}
	s.texts = append(s.texts, req.Message.Text)
	return respond(200, `{"recipient_id":"7001","message_id":"m"}`)(r)
}

func TestARefusedReceiptIsSentInWordsNext(t *testing.T) {
	platform := &strictReceipts{seen: map[string]bool{}}
	c := open(t, platform)
	to := core.Address{Value: "7001"}
	if _, err := c.Send(context.Background(), to, orderPart("a", "first")); err != nil {
		t.Fatal(err)
	}
	_, err := c.Send(context.Background(), to, orderPart("b", "second"))
	if e := sendError(t, err); e.Class != core.Temporary || e.Tries != 1 || e.Code != "100" {
		t.Errorf("got %v with %d tries, want Temporary, to be tried once more", e, e.Tries)
	}
	if _, err := c.Send(context.Background(), to, orderPart("b", "second")); err != nil {
		t.Errorf("in words: got %v", err)
	}
	if diff := cmp.Diff([]string{"", "second"}, platform.texts); diff != "" {
		t.Errorf("texts, empty for a receipt (-want +got):\n%s", diff)
	}
}

func TestARefusedReceiptWithoutWordsIsRejected(t *testing.T) {
	c := open(t, respond(400, `{"error":{"message":"(#100) no","code":100}}`))
	for name, words := range map[string]string{"none": "", "too many": strings.Repeat("x", maxText+1)} {
		_, err := c.Send(context.Background(), core.Address{Value: "7001"}, orderPart("a", words))
		if e := sendError(t, err); e.Class != core.Rejected {
			t.Errorf("%s: got %v, want Rejected", name, e)
		}
	}
}

// Only a refusal of Meta's is about the receipt; other failures keep their class.
func TestOtherFailuresOfAReceiptKeepTheirClass(t *testing.T) {
	tests := map[string]struct {
		platform roundTripper
		want     core.Class
	}{
		"outside the window": {respond(400, `{"error":{"code":10,"error_subcode":2018278}}`), core.WindowClosed},
		"a proxy's no":       {respond(400, "<html>"), core.Rejected},
		"no answer":          {func(*http.Request) (*http.Response, error) { return nil, errors.New("lost") }, core.Uncertain},
	}
	for name, tt := range tests {
		c := open(t, tt.platform)
		_, err := c.Send(context.Background(), core.Address{Value: "7001"}, orderPart("a", "words"))
		if e := sendError(t, err); e.Class != tt.want || c.refused.has("a") {
			t.Errorf("%s: got %v, want %s and nothing remembered", name, e, tt.want)
		}
	}
}

func TestRefusedReceiptsAreBounded(t *testing.T) {
	var r refusedReceipts
	for i := range 2*mostRefused + 1 {
		key := strconv.Itoa(i)
		r.add(key)
		if !r.has(key) || len(r.keys) > mostRefused {
			t.Fatalf("after %d: got %d keys, the newest known: %v", i, len(r.keys), r.has(key))
		}
	}
}
