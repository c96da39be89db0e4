package messenger

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tidings/core"
)

func encodeJSON(to core.Address, p core.Part) ([]byte, error) {
	req, err := encode(to, p, false)
	if err != nil {
		return nil, err
	}
	return json.Marshal(req)
}

func TestEncodeWritesWhatTheSendAPITakes(t *testing.T) {
	for name, in := range inputs(t, "encode") {
		t.Run(name, func(t *testing.T) {
			var given struct {
				To   core.Address
				Part core.Part
			}
			if err := json.Unmarshal(in, &given); err != nil {
				t.Fatal(err)
			}
			body, err := encodeJSON(given.To, given.Part)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "encode", name+".out.json"), body)
		})
	}
}

func TestEncodeRefusesWhatMetaWould(t *testing.T) {
	long := core.PlainText(strings.Repeat("x", maxText+1))
	tests := map[string]core.Part{
		"an empty part":                     {Key: "k"},
		"a text outside the window":         {Key: "k", Standing: core.Approved, Text: core.PlainText("hi")},
		"an order without words or receipt": {Key: "k", Order: &core.OrderSummary{}},
		"an order too long for one text":    {Key: "k", Order: &core.OrderSummary{Text: long}},
	}
	for name, part := range tests {
		t.Run(name, func(t *testing.T) {
			if body, err := encodeJSON(core.Address{Value: "7001"}, part); err == nil {
				t.Errorf("got %s, want an error", body)
			}
		})
	}
}

// No retired tag can leave: the only tag there is, is the one for people.
func TestOnlyHumanAgentIsEverATag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := core.Part{
			Key:      "k",
			Standing: rapid.SampledFrom([]core.Standing{"", core.Open, core.Human, core.Approved}).Draw(t, "standing"),
			Human:    rapid.Bool().Draw(t, "human"),
			Reply:    rapid.Bool().Draw(t, "reply"),
			Text:     core.PlainText("hi"),
		}
		if rapid.Bool().Draw(t, "template") {
			p.Text, p.Template = nil, &core.Template{Name: "n", Language: "en"}
		}
		body, err := encodeJSON(core.Address{Value: "7001"}, p)
		if err != nil {
			return
		}
		var got struct {
			MessagingType string `json:"messaging_type"`
			Tag           string `json:"tag"`
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		wantTag := ""
		if p.Standing == core.Human && p.Template == nil {
			wantTag = "HUMAN_AGENT"
		}
		if got.Tag != wantTag || (got.MessagingType == "MESSAGE_TAG") != (wantTag != "") {
			t.Errorf("got type %q and tag %q, want tag %q", got.MessagingType, got.Tag, wantTag)
		}
	})
}

func TestTextArrivesAsItStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 200, -1).Draw(t, "text")
		body, err := encodeJSON(core.Address{Value: "7001"}, core.Part{Key: "k", Text: core.PlainText(text)})
		if err != nil {
			t.Fatal(err)
		}
		var got request
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if got.Message.Text != text {
			t.Errorf("got %q, want %q", got.Message.Text, text)
		}
	})
}

func TestNumberKeepsTheShopsDigits(t *testing.T) {
	tests := []struct {
		amount string
		want   amount
		ok     bool
	}{
		{"", "", true},
		{"0", "0", true},
		{"0.00", "0.00", true},
		{"83.80", "83.80", true},
		{"-4.9", "-4.9", true},
		{"007.5", "7.5", true},
		{"5.", "5", true},
		{"12.340", "12.34", true},
		{"12.3400", "12.34", true},
		{"1000000000000000000000.01", "1000000000000000000000.01", true},
		{"12.345", "", false},
		{"1e3", "", false},
		{"1,5", "", false},
		{".5", "", false},
		{"+5", "", false},
		{"NaN", "", false},
	}
	for _, tt := range tests {
		got, ok := number(core.Money{Amount: tt.amount, Currency: "EUR"})
		if got != tt.want || ok != tt.ok {
			t.Errorf("number(%q): got %q, %v; want %q, %v", tt.amount, got, ok, tt.want, tt.ok)
		}
	}
}

func TestNumberIsAJSONNumberWithTwoDecimals(t *testing.T) {
	form := regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]{1,2})?$`)
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.StringMatching(`-?[0-9]{0,6}(\.[0-9]{0,5})?`).Draw(t, "amount")
		got, ok := number(core.Money{Amount: amount})
		if ok && got != "" && !form.MatchString(got.String()) {
			t.Errorf("number(%q): got %q", amount, got)
		}
	})
}

func TestReceiptNeedsWhatLimitsSay(t *testing.T) {
	eur := core.Money{Amount: "1.00", Currency: "EUR"}
	whole := core.Order{Code: "1", CustomerName: "Ines", Payment: "Visa", Total: eur}
	if _, ok := encodeReceipt(whole, ""); !ok {
		t.Fatal("an order with all that is needed: got no receipt")
	}
	without := map[string]func(*core.Order){
		"code":         func(o *core.Order) { o.Code = "" },
		"customerName": func(o *core.Order) { o.CustomerName = "" },
		"payment":      func(o *core.Order) { o.Payment = "" },
		"total":        func(o *core.Order) { o.Total = core.Money{} },
	}
	needs := (&channel{}).Limits().Order.Needs
	if len(needs) != len(without) {
		t.Errorf("got %d needs, want %d", len(needs), len(without))
	}
	for _, need := range needs {
		o := whole
		without[need](&o)
		if _, ok := encodeReceipt(o, ""); ok {
			t.Errorf("without %s: got a receipt", need)
		}
	}
	o := whole
	o.Lines = make([]core.OrderLine, maxLines+1)
	for i := range o.Lines {
		o.Lines[i] = core.OrderLine{Name: "x", Quantity: 1, Unit: eur}
	}
	if _, ok := encodeReceipt(o, ""); ok {
		t.Error("101 lines: got a receipt")
	}
	o.Lines = o.Lines[1:]
	if _, ok := encodeReceipt(o, ""); !ok {
		t.Error("100 lines: got no receipt")
	}
}

func TestDiscountIsNamedInTheCustomersLanguage(t *testing.T) {
	tests := map[string]string{
		"": "Discount", "en-GB": "Discount", "de": "Rabatt", "de_AT": "Rabatt", "fr-CA": "Remise", "es": "Descuento",
		"it": "Sconto", "nl": "Korting", "pt-BR": "Desconto", "PL": "Rabat", "xx": "Discount",
	}
	for locale, want := range tests {
		if got := discountLabel(locale); got != want {
			t.Errorf("discountLabel(%q): got %q, want %q", locale, got, want)
		}
	}
}
