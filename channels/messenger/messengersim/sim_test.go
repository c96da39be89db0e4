package messengersim_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
)

// gateway is a webhook that keeps what it is sent.
type gateway struct {
	mu     sync.Mutex
	events []map[string]any // the items of messaging, in order
	bodies []string
	posts  int
	badSig int
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if r.URL.Query().Get("hub.verify_token") != "verify" {
			http.Error(w, "", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte("appsecret"))
	mac.Write(body)
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		g.badSig++
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	g.posts++
	g.bodies = append(g.bodies, string(body))
	var envelope struct {
		Entry []struct {
			Messaging []map[string]any `json:"messaging"`
		} `json:"entry"`
	}
	_ = json.Unmarshal(body, &envelope)
	for _, e := range envelope.Entry {
		g.events = append(g.events, e.Messaging...)
	}
}

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// page is a Page with its gateway and a clock that tests turn.
type page struct {
	*messengersim.Sim
	t       *testing.T
	gateway *gateway
	elapsed atomic.Int64 // since start
}

func (p *page) now() time.Time { return start.Add(time.Duration(p.elapsed.Load())) }

func (p *page) pass(d time.Duration) { p.elapsed.Add(int64(d)) }

func newPage(t *testing.T, change func(*messengersim.Options)) *page {
	p := &page{t: t, gateway: &gateway{}}
	opt := messengersim.Options{
		PageID: "555", PageToken: "tok", AppID: "99", AppSecret: "appsecret", VerifyToken: "verify",
		WebhookURL: "http://gateway/webhooks/messenger", Client: &http.Client{Transport: emulator.Transport(p.gateway)},
		Now: p.now, Wait: emulator.NoWait,
		Templates: []messengersim.Template{{Name: "order_shipped", Language: "en_US", Components: []messengersim.TemplateComponent{
			{Type: "BODY", Text: "Order {{1}} is on its way: {{2}}"}}}},
	}
	if change != nil {
		change(&opt)
	}
	p.Sim = messengersim.New(opt)
	t.Cleanup(p.Close)
	return p
}

// call makes a Graph request and returns the status and the decoded answer.
func (p *page) call(method, path, body string) (int, map[string]any) {
	p.t.Helper()
	req, err := http.NewRequest(method, "http://graph/v25.0"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if !strings.Contains(path, "access_token") {
		req.Header.Set("Authorization", "Bearer tok")
	}
	res, err := (&http.Client{Transport: emulator.Transport(p)}).Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, out
}

// send posts to /me/messages and returns the error's code/subcode, "" for none.
func (p *page) send(body string) (code, message string) {
	p.t.Helper()
	_, out := p.call(http.MethodPost, "/me/messages", body)
	e, ok := out["error"].(map[string]any)
	if !ok {
		return "", ""
	}
	raw, _ := json.Marshal(e["code"])
	code = string(raw)
	if sub, ok := e["error_subcode"]; ok {
		raw, _ = json.Marshal(sub)
		code += "/" + string(raw)
	}
	return code, e["message"].(string)
}

func (p *page) settle() {
	p.t.Helper()
	if err := p.Settle(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// message wraps a message object into a request to 7001.
func message(m string) string {
	return `{"recipient":{"id":"7001"},"messaging_type":"RESPONSE","message":` + m + `}`
}

func textMessage(s string) string {
	raw, _ := json.Marshal(s)
	return message(`{"text":` + string(raw) + `}`)
}

func buttons(n int, button string) string {
	all := strings.TrimSuffix(strings.Repeat(button+",", n), ",")
	return message(`{"attachment":{"type":"template","payload":{"template_type":"button","text":"Which?","buttons":[` + all + `]}}}`)
}

const receipt = `{"template_type":"receipt","recipient_name":"Ines Vidal","order_number":"17","currency":"EUR","payment_method":"Visa",
	"timestamp":"1790000000","order_url":"https://shop.example/17",
	"elements":[{"title":"Lamp","quantity":2,"price":41.90,"currency":"EUR"}],
	"address":{"street_1":"Rua 1","city":"Porto","postal_code":"4000","state":"Porto","country":"PT"},
	"summary":{"total_cost":83.80,"subtotal":80,"shipping_cost":3.8},"adjustments":[{"name":"Gift","amount":-1.5}]}`

func receiptWith(part, instead string) string {
	if !strings.Contains(receipt, part) {
		panic("the receipt has no " + part)
	}
	return message(`{"attachment":{"type":"template","payload":` + strings.Replace(receipt, part, instead, 1) + `}}`)
}

func TestSendStrictness(t *testing.T) {
	const postback = `{"type":"postback","title":"Yes","payload":"Y"}`
	for _, tt := range []struct{ name, body, code, message string }{
		{"text", textMessage("Order 17 is packed"), "", ""},
		{"text of 2000", textMessage(strings.Repeat("é", 2000)), "", ""},
		{"text of 2001", textMessage(strings.Repeat("é", 2001)), "100", "(#100) Length of param message[text] must be less than or equal to 2000"},
		{"1000 emoji are 2000 units", textMessage(strings.Repeat("😀", 1000)), "", ""},
		{"1001 emoji", textMessage(strings.Repeat("😀", 1001)), "100", "Length of param"},
		{"no text", message(`{"text":""}`), "100/2018034", ""},
		{"blank text", message(`{"text":" \n"}`), "100/2018034", ""},
		{"text is no string", message(`{"text":17}`), "100", "must be a string"},
		{"unknown key", message(`{"text":"a","blocks":[]}`), "100", `Unexpected key "blocks"`},
		{"text and attachment", message(`{"text":"a","attachment":{"type":"image","payload":{"url":"https://x.example/a.png"}}}`), "100/2018032", ""},
		{"no recipient", `{"messaging_type":"RESPONSE","message":{"text":"a"}}`, "100", "recipient"},
		{"two recipients", `{"recipient":{"id":"7001","user_ref":"u"},"messaging_type":"RESPONSE","message":{"text":"a"}}`, "100", "exactly one"},
		{"numeric recipient", `{"recipient":{"id":7001},"messaging_type":"RESPONSE","message":{"text":"a"}}`, "100", "string"},
		{"stranger", `{"recipient":{"id":"1"},"messaging_type":"RESPONSE","message":{"text":"a"}}`, "100/2018001", ""},
		{"unknown user_ref", `{"recipient":{"user_ref":"u"},"messaging_type":"RESPONSE","message":{"text":"a"}}`, "100/2018001", ""},
		{"no messaging_type", `{"recipient":{"id":"7001"},"message":{"text":"a"}}`, "100", "messaging_type"},
		{"wrong messaging_type", `{"recipient":{"id":"7001"},"messaging_type":"NEWS","message":{"text":"a"}}`, "100", "messaging_type"},
		{"tag without type", `{"recipient":{"id":"7001"},"messaging_type":"UPDATE","tag":"HUMAN_AGENT","message":{"text":"a"}}`, "100", "tag"},
		{"type without tag", `{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","message":{"text":"a"}}`, "100", "tag"},
		{"retired tag", `{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","tag":"POST_PURCHASE_UPDATE","message":{"text":"a"}}`, "100", "no longer supported"},
		{"human agent", `{"recipient":{"id":"7001"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","message":{"text":"a"}}`, "", ""},
		{"action", `{"recipient":{"id":"7001"},"sender_action":"typing_on"}`, "", ""},
		{"unknown action", `{"recipient":{"id":"7001"},"sender_action":"dance"}`, "100", "sender_action"},
		{"action and message", `{"recipient":{"id":"7001"},"messaging_type":"RESPONSE","sender_action":"typing_on","message":{"text":"a"}}`, "100/2018014", ""},
		{"metadata of 1000", message(`{"text":"a","metadata":"` + strings.Repeat("m", 1000) + `"}`), "100", "message[metadata]"},
		{"three buttons", buttons(3, postback), "", ""},
		{"four buttons", buttons(4, postback), "105", "(#105) param name_placeholder[buttons] has too many elements."},
		{"no buttons", buttons(0, postback), "100", "buttons"},
		{"title of 21", buttons(1, `{"type":"postback","title":"`+strings.Repeat("x", 21)+`","payload":"Y"}`), "100", "equal to 20"},
		{"payload of 1001", buttons(1, `{"type":"postback","title":"a","payload":"`+strings.Repeat("x", 1001)+`"}`), "100", "equal to 1000"},
		{"button without url", buttons(1, `{"type":"web_url","title":"a"}`), "100", "[url] is required"},
		{"button with bad url", buttons(1, `{"type":"web_url","title":"a","url":"shop"}`), "100", "valid URL"},
		{"button with both", buttons(1, `{"type":"web_url","title":"a","url":"https://x.example","value":"v"}`), "100", "Unexpected key"},
		{"text beside buttons of 641", strings.Replace(buttons(1, postback), "Which?", strings.Repeat("x", 641), 1), "100", "equal to 640"},
		{"quick reply", message(`{"text":"a","quick_replies":[{"content_type":"text","title":"Yes","payload":"Y"}]}`), "", ""},
		{"quick reply title", message(`{"text":"a","quick_replies":[{"content_type":"text","title":"` + strings.Repeat("x", 21) + `","payload":"Y"}]}`), "100",
			"(#100) Length of param message[quick_replies][0][title] must be less than or equal to 20"},
		{"14 quick replies", message(`{"text":"a","quick_replies":[` + strings.TrimSuffix(strings.Repeat(`{"content_type":"text","title":"Yes","payload":"Y"},`, 14), ",") + `]}`), "105", ""},
		{"image", message(`{"attachment":{"type":"image","payload":{"url":"https://x.example/a.png","is_reusable":true}}}`), "", ""},
		{"image from nowhere", message(`{"attachment":{"type":"image","payload":{"url":"a.png"}}}`), "100/2018008", ""},
		{"generic with nothing but a title", message(`{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"a"}]}}}`), "100", "besides title"},
		{"receipt", receiptWith(`"17"`, `"17"`), "", ""},
		{"receipt with number as order", receiptWith(`"17"`, `17`), "100", "order_number"},
		{"receipt without name", receiptWith(`"recipient_name":"Ines Vidal",`, ``), "100", "recipient_name"},
		{"receipt without payment", receiptWith(`"payment_method":"Visa",`, ``), "100", "payment_method"},
		{"receipt without total", receiptWith(`"total_cost":83.80,`, ``), "100", "total_cost"},
		{"receipt with three decimals", receiptWith(`83.80`, `83.801`), "100", "two decimals"},
		{"receipt with text as amount", receiptWith(`83.80`, `"83,80"`), "100", "two decimals"},
		{"receipt without price", receiptWith(`"price":41.90,`, ``), "100", "price"},
		{"receipt with long country", receiptWith(`"PT"`, `"Portugal"`), "100", "country"},
		{"receipt with half an address", receiptWith(`"postal_code":"4000",`, ``), "100", "postal_code"},
		{"receipt with a date", receiptWith(`"1790000000"`, `"2026-11-22"`), "100", "timestamp"},
		{"template without UTILITY", message(`{"template":{"name":"order_shipped","language":{"code":"en_US"}}}`), "100", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPage(t, nil)
			if _, err := p.Say(t.Context(), "7001", "hi"); err != nil {
				t.Fatal(err)
			}
			code, text := p.send(tt.body)
			if code != tt.code || !strings.Contains(text, tt.message) {
				t.Errorf("got %q %q, want %q %q", code, text, tt.code, tt.message)
			}
			shows := tt.code == "" && tt.name != "action"
			if got := len(p.Log().Shown("7001")); (got == 1) != shows {
				t.Errorf("shown: got %d messages", got)
			}
			if got := len(p.Log().Rejected()); (got == 1) != (tt.code != "") {
				t.Errorf("rejected: got %d", got)
			}
		})
	}
}

func TestToken(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		code       float64
	}{
		{"in the query", "/me/messages?access_token=tok", 0},
		{"in the header", "/me/messages", 0},
		{"by the Page's id", "/555/messages", 0},
		{"wrong", "/me/messages?access_token=other", 190},
		{"another page", "/556/messages", 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPage(t, nil)
			_, _ = p.Say(t.Context(), "7001", "hi")
			_, out := p.call(http.MethodPost, tt.path, textMessage("hello"))
			e, _ := out["error"].(map[string]any)
			if got, _ := e["code"].(float64); got != tt.code {
				t.Errorf("code: got %v, want %v", got, tt.code)
			}
		})
	}
}

func TestOrderNumbersAreUnique(t *testing.T) {
	p := newPage(t, nil)
	_, _ = p.Say(t.Context(), "7001", "hi")
	body := receiptWith("17", "17")
	if code, _ := p.send(body); code != "" {
		t.Fatalf("first: got %s, want none", code)
	}
	if code, _ := p.send(body); code != "100" {
		t.Errorf("second: got %q, want 100", code)
	}
	if got, want := p.Log().Shown("7001")[0].Text, "Order 17 for Ines Vidal\n2 × Lamp: 41.9\nTotal 83.8 EUR\nPaid with Visa"; got != want {
		t.Errorf("shown: got %q, want %q", got, want)
	}
}

func TestWindow(t *testing.T) {
	human := strings.Replace(textMessage("a"), `"RESPONSE"`, `"MESSAGE_TAG","tag":"HUMAN_AGENT"`, 1)
	utility := `{"recipient":{"id":"7001"},"messaging_type":"UTILITY","message":{"template":{"name":"order_shipped","language":{"code":"en_US"},
		"components":[{"type":"body","parameters":[{"type":"text","text":"17"},{"type":"text","text":"DHL"}]}]}}}`
	for _, tt := range []struct {
		name  string
		after time.Duration
		body  string
		code  string
	}{
		{"just open", 24 * time.Hour, textMessage("a"), ""},
		{"just closed", 24*time.Hour + 1, textMessage("a"), "10/2018278"},
		{"receipt too", 25 * time.Hour, receiptWith("17", "17"), "10/2018278"},
		{"human in a week", 7 * 24 * time.Hour, human, ""},
		{"human after a week", 7*24*time.Hour + 1, human, "10/2018278"},
		{"approved at any time", 1000 * time.Hour, utility, ""},
		{"too few parameters", 0, strings.Replace(utility, `,{"type":"text","text":"DHL"}`, "", 1), "100"},
		{"not approved", 0, strings.Replace(utility, "en_US", "de", 1), "100"},
		{"utility as text", 0, strings.Replace(textMessage("a"), "RESPONSE", "UTILITY", 1), "100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPage(t, nil)
			_, _ = p.Say(t.Context(), "7001", "hi")
			p.pass(tt.after)
			if code, text := p.send(tt.body); code != tt.code {
				t.Errorf("got %q %q, want %q", code, text, tt.code)
			}
		})
	}
}

func TestUtilityTemplatesCanBeMade(t *testing.T) {
	p := newPage(t, func(o *messengersim.Options) { o.Users = []messengersim.User{{PSID: "7001"}} })
	status, out := p.call(http.MethodPost, "/555/message_templates", `{"name":"order_placed","language":"de","category":"UTILITY",
		"parameter_format":"NAMED","components":[{"type":"BODY","text":"Danke, {{name}}: {{order}}"}]}`)
	if status != http.StatusOK || out["status"] != "APPROVED" {
		t.Fatalf("create: got %d %v", status, out)
	}
	code, text := p.send(`{"recipient":{"id":"7001"},"messaging_type":"UTILITY","message":{"template":{"name":"order_placed","language":{"code":"de"},
		"components":[{"type":"body","parameters":[{"type":"text","parameter_name":"order","text":"17"},{"type":"text","parameter_name":"name","text":"Ines"}]}]}}}`)
	if code != "" {
		t.Fatalf("send: got %s %s", code, text)
	}
	if got, want := p.Log().Shown("7001")[0].Text, "Danke, Ines: 17"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, list := p.call(http.MethodGet, "/me/message_templates", "")
	if got := len(list["data"].([]any)); got != 2 {
		t.Errorf("templates: got %d, want 2", got)
	}
}

func TestFormBody(t *testing.T) {
	p := newPage(t, nil)
	_, _ = p.Say(t.Context(), "7001", "hi")
	form := `recipient=%7B%22id%22%3A%227001%22%7D&messaging_type=RESPONSE&message=%7B%22text%22%3A%22hello%22%7D&access_token=tok`
	req, _ := http.NewRequest(http.MethodPost, "http://graph/any/prefix/v25.0/me/messages", bytes.NewBufferString(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := (&http.Client{Transport: emulator.Transport(p)}).Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v, want 200", res, err)
	}
}

func TestFaultsHaveThePlatformsWords(t *testing.T) {
	for _, tt := range []struct {
		fault  emulator.Fault
		status int
		code   float64
		header string
	}{
		{emulator.Fault{Kind: emulator.Throttle}, 400, 613, ""},
		{emulator.Fault{Kind: emulator.Throttle, RetryAfter: 3 * time.Second}, 400, 613, "3"},
		{emulator.Fault{Kind: emulator.ErrorCode, Code: "4"}, 429, 4, ""},
		{emulator.Fault{Kind: emulator.ServerError}, 500, 2, ""},
		{emulator.Fault{Kind: emulator.ExpireToken}, 401, 190, ""},
		{emulator.Fault{Kind: emulator.Block}, 400, 551, ""},
		{emulator.Fault{Kind: emulator.CloseWindow}, 403, 10, ""},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			p := newPage(t, nil)
			_, _ = p.Say(t.Context(), "7001", "hi")
			p.Faults().Add(tt.fault)
			status, out := p.call(http.MethodPost, "/me/messages", textMessage("a"))
			e, _ := out["error"].(map[string]any)
			if e == nil || status != tt.status || e["code"] != tt.code {
				t.Errorf("got %d %v, want %d and code %v", status, out, tt.status, tt.code)
			}
			p.Faults().Clear()
			_, again := p.call(http.MethodPost, "/me/messages", textMessage("a"))
			stays := tt.fault.Kind == emulator.Block || tt.fault.Kind == emulator.CloseWindow || tt.fault.RetryAfter > 0
			if _, refused := again["error"]; refused != stays {
				t.Errorf("afterwards: refused %t, want %t", refused, stays)
			}
		})
	}
}
