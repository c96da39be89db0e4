package telegramsim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tidings/channels/emulator"
)

// Options are the bot and what is known of its people.
type Options struct {
	Token       string // "<bot id>:<secret>"
	Username    string
	WebhookURL  string // empty: none until setWebhook
	SecretToken string // goes with WebhookURL
	Client      *http.Client
	Now         func() time.Time
	Wait        emulator.Wait // how time passes; default by timers
	Seed        uint64        // decides chance in faults
	Users       []string      // chat ids of people who have pressed Start
	NoRates     bool          // too many requests are counted, not refused
	// Local lets setWebhook take http and any port, as a Bot API server of
	// one's own does.
	Local bool
	// StrangeFields adds fields to updates that no document names.
	StrangeFields bool
	// Forgetful keeps nothing of what is sent, for loads of any length: requests
	// are checked and answered as ever, but no message can be shown, edited or
	// answered afterwards.
	Forgetful bool

	// Log In With Telegram and the Login Widget: the client's secret, how id tokens
	// name their issuer (default https://oauth.telegram.org), the allowed
	// redirect URIs, and the bot's domain (/setdomain).
	LoginSecret, LoginURL string
	Redirects             []string
	Domain                string
}

// Rates: about one message a second in a chat with short bursts, about 30 a
// second over all chats (bots/faq, read 2026-11-22). The size of a burst is
// deliberately not specified; 5 is this emulator's choice.
const (
	chatPerSecond = 1
	chatBurst     = 5
	allPerSecond  = 30
)

// webhookRules: updates of a chat one after the other, the first retry at once,
// then with doubled waits, for 24 hours; the hook's Retry-After is obeyed up to
// an hour (telegram-bot-api, WebhookActor).
var webhookRules = emulator.Rules{
	Timeout: time.Minute,
	Gaps: []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		16 * time.Second, 32 * time.Second, time.Minute},
	Life:           24 * time.Hour,
	HoldBack:       true,
	ObeyRetryAfter: time.Hour,
}

// Sim is an emulated bot. It is the http.Handler of the Bot API.
type Sim struct {
	opt    Options
	self   user
	desk   *emulator.Desk
	log    *emulator.Log
	faults *emulator.Faults
	hooks  *emulator.Caller

	mu       sync.Mutex
	chats    map[int64]*chat
	secret   string
	allowed  []string // allowed_updates; nil: all that come by default
	maxConns int
	updateID int
	queue    []update        // for getUpdates
	news     chan struct{}   // closed when the queue grows
	poll     chan string     // ends the running getUpdates with a reason
	queries  map[string]bool // callback queries; true: answered
	files    map[string]file
	logins   emulator.Logins
	forge    func(claims map[string]any)
}

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	Username  string `json:"username,omitempty"`
	Language  string `json:"language_code,omitempty"`
}

// chat is a private chat with one person.
type chat struct {
	id        int64
	started   bool
	blocked   bool
	messageID int
	sent      map[int]*message // the bot's messages, by id
}

type file struct {
	path string
	data []byte
}

// New returns a bot. Close it after use.
func New(opt Options) *Sim {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wait == nil {
		opt.Wait = emulator.Sleep
	}
	if opt.LoginURL == "" {
		opt.LoginURL = "https://oauth.telegram.org"
	}
	if opt.Username == "" {
		opt.Username = "emulated_bot"
	}
	s := &Sim{opt: opt, log: emulator.NewLog(), faults: emulator.NewFaults(opt.Seed), news: make(chan struct{})}
	id, _, _ := strings.Cut(opt.Token, ":")
	s.self = user{IsBot: true, FirstName: "Emulated bot", Username: opt.Username}
	s.self.ID, _ = strconv.ParseInt(id, 10, 64) // a token without a number is a bot without an id
	s.desk = &emulator.Desk{
		Log: s.log, Faults: s.faults, Now: opt.Now, Wait: opt.Wait,
		Strict: !opt.NoRates, Refuse: refuse, Apply: s.apply,
	}
	s.logins.Now, s.logins.Redirects = opt.Now, opt.Redirects
	s.hooks = emulator.NewCaller(opt.WebhookURL, opt.Client, webhookRules, opt.Wait, opt.Now)
	s.forget()
	return s
}

// Log returns the record of what people see.
func (s *Sim) Log() *emulator.Log { return s.log }

// Faults returns what shall go wrong.
func (s *Sim) Faults() *emulator.Faults { return s.faults }

// Webhooks returns the side that calls the bot's webhook.
func (s *Sim) Webhooks() *emulator.Caller { return s.hooks }

// Settle waits until all webhooks are delivered or given up.
func (s *Sim) Settle(ctx context.Context) error { return s.hooks.Settle(ctx) }

// Close gives up all webhooks under way.
func (s *Sim) Close() { s.hooks.Close() }

// Reset makes the bot as new. The webhook stays.
func (s *Sim) Reset() {
	s.hooks.Reset()
	s.faults.Clear()
	s.desk.Reset()
	s.log.Reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

// forget sets the state that Options describe. The caller holds the lock, or
// is New.
func (s *Sim) forget() {
	s.chats, s.queries, s.files = map[int64]*chat{}, map[string]bool{}, map[string]file{}
	s.queue, s.secret = nil, s.opt.SecretToken
	for _, u := range s.opt.Users {
		if id, err := strconv.ParseInt(u, 10, 64); err == nil {
			s.chat(id).started = true
		}
	}
}

// chat returns a person's chat, made when it is new. The caller holds the lock.
func (s *Sim) chat(id int64) *chat {
	c := s.chats[id]
	if c == nil {
		c = &chat{id: id, sent: map[int]*message{}}
		s.chats[id] = c
	}
	return c
}

// apply makes a fault about a recipient true. There is no window to close.
func (s *Sim) apply(kind emulator.Kind, to string) {
	if kind == emulator.Block {
		s.Block(to)
	}
}

// call is one method with its parameters.
type call struct {
	sim    *Sim
	params map[string]string
	files  map[string][]byte // uploads by field name
}

// method is what a Bot API method does.
type method struct {
	name string
	do   func(call) (any, *apiError)
	// addresses says that the method writes into a chat: it counts against the
	// rates, and faults about recipients meet it.
	addresses bool
}

// methods are found by their name in lower case.
func (s *Sim) method(name string) *method {
	for _, m := range []method{
		{"getMe", func(call) (any, *apiError) { return s.self, nil }, false},
		{"sendMessage", sendMessage, true},
		{"sendPhoto", sendPhoto, true},
		{"editMessageText", editMessageText, true},
		{"deleteMessage", deleteMessage, true},
		{"sendChatAction", sendChatAction, false},
		{"answerCallbackQuery", answerCallbackQuery, false},
		{"setWebhook", setWebhook, false},
		{"deleteWebhook", deleteWebhook, false},
		{"getWebhookInfo", getWebhookInfo, false},
		{"getUpdates", getUpdates, false},
		{"getFile", getFile, false},
		{"getChat", getChat, false},
		{"setMyCommands", func(call) (any, *apiError) { return true, nil }, false},
	} {
		if strings.EqualFold(m.name, name) {
			return &m
		}
	}
	return nil
}

// ServeHTTP is the Bot API: /bot<token>/<method> and /file/bot<token>/<path>,
// below any prefix, and the login.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serveLogin(w, r) {
		return
	}
	token, rest, isFile := splitPath(r.URL.Path)
	if isFile {
		s.download(w, r, token, rest)
		return
	}
	c, err := readCall(s, r)
	if err != nil {
		s.desk.Serve(w, r, emulator.Call{Method: "unreadable", Do: func() emulator.Answer { return refusal(err) }})
		return
	}
	m := s.method(rest)
	if m != nil && m.name == "getUpdates" && token == s.opt.Token {
		s.await(r.Context(), c)
	}
	s.desk.Serve(w, r, s.emulate(token, m, c))
}

// splitPath finds the token and what follows it.
func splitPath(path string) (token, rest string, isFile bool) {
	before, after, found := strings.Cut(path, "/bot")
	if !found {
		return "", "", false
	}
	token, rest, _ = strings.Cut(after, "/")
	return token, rest, strings.HasSuffix(before, "/file")
}

func (s *Sim) emulate(token string, m *method, c call) emulator.Call {
	out := emulator.Call{Method: "unknown"}
	if m != nil {
		out.Method = m.name
	}
	if m != nil && m.addresses {
		out.To = c.params["chat_id"]
	}
	if m != nil && strings.HasPrefix(m.name, "send") && m.addresses {
		out.Rates = []emulator.Rate{
			{Key: "all", PerSecond: allPerSecond, Burst: allPerSecond},
			{Key: "chat:" + out.To, PerSecond: chatPerSecond, Burst: chatBurst},
		}
	}
	out.Do = func() emulator.Answer {
		if err := s.authorize(token); err != nil {
			return refusal(err)
		}
		if m == nil {
			return refusal(&apiError{code: http.StatusNotFound, text: "Not Found: method not found"})
		}
		return s.run(m, c)
	}
	return out
}

// run carries a method out.
func (s *Sim) run(m *method, c call) emulator.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := m.do(c)
	if err != nil {
		return refusal(err)
	}
	return emulator.JSON(http.StatusOK, map[string]any{"ok": true, "result": v})
}

func (s *Sim) authorize(token string) *apiError {
	if !strings.Contains(token, ":") {
		return &apiError{code: http.StatusNotFound, text: "Not Found"}
	}
	if token != s.opt.Token || s.faults.Expired() {
		return &apiError{code: http.StatusUnauthorized, text: "Unauthorized"}
	}
	return nil
}

// apiError is a refusal with its whole description.
type apiError struct {
	code       int
	text       string
	retryAfter int
	migrateTo  int64
}

// badRequest words a 400: the message's first letter is lowered by the server.
func badRequest(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, text: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func forbidden(text string) *apiError {
	return &apiError{code: http.StatusForbidden, text: "Forbidden: " + text}
}

func refusal(e *apiError) emulator.Answer {
	body := map[string]any{"ok": false, "error_code": e.code, "description": e.text}
	if e.retryAfter > 0 {
		body["parameters"] = map[string]any{"retry_after": e.retryAfter}
	}
	if e.migrateTo != 0 {
		body["parameters"] = map[string]any{"migrate_to_chat_id": e.migrateTo}
	}
	a := emulator.JSON(e.code, body)
	if e.retryAfter > 0 {
		a.Header.Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	a.Code, a.Problem = strconv.Itoa(e.code), e.text
	return a
}

// refuse words the faults that were asked for.
func refuse(f emulator.Fault) emulator.Answer {
	switch f.Kind {
	case emulator.Throttle:
		e := &apiError{code: http.StatusTooManyRequests, text: "Too Many Requests"}
		if f.RetryAfter > 0 {
			e.retryAfter = int((f.RetryAfter + time.Second - 1) / time.Second)
			e.text = fmt.Sprintf("Too Many Requests: retry after %d", e.retryAfter)
		}
		return refusal(e)
	case emulator.ServerError:
		return refusal(&apiError{code: http.StatusInternalServerError, text: "Internal Server Error: restart"})
	}
	if to, ok := strings.CutPrefix(f.Code, "migrate:"); ok {
		id, _ := strconv.ParseInt(to, 10, 64) // 0 is told as no chat
		e := badRequest("group chat was upgraded to a supergroup chat")
		e.migrateTo = id
		return refusal(e)
	}
	code, text, _ := strings.Cut(f.Code, " ")
	n, err := strconv.Atoi(code)
	if err != nil {
		n = http.StatusBadRequest
	}
	if text == "" {
		text = http.StatusText(n)
	}
	return refusal(&apiError{code: n, text: text})
}

func rawJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("telegramsim: cannot encode: " + err.Error())
	}
	return raw
}
