package slacksim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tidings/channels/emulator"
)

// Options are the workspace, the app in it, and the members.
type Options struct {
	BotToken      string
	SigningSecret string
	WebhookURL    string // events, interactions and commands; empty: none
	// BaseURL is where this emulator is reached; response URLs and those of files
	// begin with it. Default https://hooks.slack.com and https://files.slack.com.
	BaseURL string
	Client  *http.Client
	Now     func() time.Time
	Wait    emulator.Wait // how time passes; default by timers
	Seed    uint64        // decides chance in faults

	TeamID, AppID, BotID, BotUserID string
	Users                           []User    // members; others appear when they write
	Channels                        []Channel // besides direct messages
	Scopes                          []string  // of the token; nil: all that are needed
	NoRates                         bool      // too many requests are counted, not refused
	NoEchoes                        bool      // no events about the app's own messages
	StrangeFields                   bool      // events carry fields that no document names

	// Sign in with Slack: the app's client, how id tokens name their issuer
	// (default https://slack.com), and the registered redirect URIs.
	ClientID, ClientSecret, LoginURL string
	Redirects                        []string
}

// User is a member of the workspace.
type User struct {
	ID, Name, RealName, Email, Locale string
	Bot                               bool
}

// Channel is a channel of the workspace.
type Channel struct {
	ID               string
	Archived, Member bool // Member: the app is in it
}

// Rates: about one message a second in a channel, several hundred a minute in a
// workspace; other methods by tier (rate-limits, read 2026-11-22). Bursts are
// not specified; those here are this emulator's choice.
const (
	channelPerSecond = 1
	channelBurst     = 5
	teamPerSecond    = 5
	teamBurst        = 60
	tier3            = 50 // a minute
	tier4            = 100
)

// webhookRules: an answer within 3 s, else three retries: at once, after a
// minute, after five; X-Slack-No-Retry stops them (events-api, read 2026-11-22).
var webhookRules = emulator.Rules{
	Timeout: 3 * time.Second,
	Gaps:    []time.Duration{0, time.Minute, 5 * time.Minute},
	Stop:    func(r *http.Response) bool { return r.Header.Get("X-Slack-No-Retry") == "1" },
}

// Sim is an emulated workspace. It is the http.Handler of the Web API.
type Sim struct {
	opt      Options
	filesURL string
	desk     *emulator.Desk
	log      *emulator.Log
	faults   *emulator.Faults
	hooks    *emulator.Caller

	mu        sync.Mutex
	users     map[string]*member
	channels  map[string]Channel
	texts     map[string]string // raw text of messages by ts
	responses map[string]*responseURL
	reactions map[string]string // by user and message
	files     map[string]fileObject
	lastTS    int64 // microseconds
	ids       int
	logins    emulator.Logins
	forge     func(claims map[string]any)
}

type member struct {
	User
	disabled bool
}

// responseURL is a URL through which a command or a button is answered.
type responseURL struct {
	user, message string
	until         time.Time
	left          int
}

// New returns a workspace. Close it after use.
func New(opt Options) *Sim {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wait == nil {
		opt.Wait = emulator.Sleep
	}
	filesURL := strings.TrimSuffix(cmp.Or(opt.BaseURL, "https://files.slack.com"), "/")
	for _, d := range []struct {
		field *string
		value string
	}{{&opt.TeamID, "T1"}, {&opt.AppID, "A1"}, {&opt.BotID, "B1"}, {&opt.BotUserID, "UBOT"}, {&opt.BaseURL, "https://hooks.slack.com"}, {&opt.LoginURL, "https://slack.com"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	s := &Sim{opt: opt, filesURL: filesURL, log: emulator.NewLog(), faults: emulator.NewFaults(opt.Seed)}
	s.desk = &emulator.Desk{
		Log: s.log, Faults: s.faults, Now: opt.Now, Wait: opt.Wait,
		Strict: !opt.NoRates, Refuse: refuse, Apply: s.apply,
	}
	s.logins.Now, s.logins.Redirects = opt.Now, opt.Redirects
	s.hooks = emulator.NewCaller(opt.WebhookURL, opt.Client, webhookRules, opt.Wait, opt.Now)
	s.forget()
	return s
}

// Log returns the record of what members see.
func (s *Sim) Log() *emulator.Log { return s.log }

// Faults returns what shall go wrong.
func (s *Sim) Faults() *emulator.Faults { return s.faults }

// Webhooks returns the side that calls the app's webhook.
func (s *Sim) Webhooks() *emulator.Caller { return s.hooks }

// Settle waits until all webhooks are delivered or given up.
func (s *Sim) Settle(ctx context.Context) error { return s.hooks.Settle(ctx) }

// Close gives up all webhooks under way.
func (s *Sim) Close() { s.hooks.Close() }

// Reset makes the workspace as new.
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
	s.users, s.channels = map[string]*member{}, map[string]Channel{}
	s.texts, s.responses, s.reactions = map[string]string{}, map[string]*responseURL{}, map[string]string{}
	s.files = map[string]fileObject{}
	s.users[s.opt.BotUserID] = &member{User: User{ID: s.opt.BotUserID, Name: "shop", Bot: true}}
	for _, u := range s.opt.Users {
		s.users[u.ID] = &member{User: u}
	}
	for _, c := range s.opt.Channels {
		s.channels[c.ID] = c
	}
}

// apply makes a fault about a recipient true. There is no window to close.
func (s *Sim) apply(kind emulator.Kind, to string) {
	if kind == emulator.Block {
		s.Block(to)
	}
}

// direct is the id of the app's direct message channel with a user, and person
// the user of one.
func direct(user string) string { return "D" + strings.TrimPrefix(user, "U") }

func (s *Sim) person(channel string) string {
	if id, ok := strings.CutPrefix(channel, "D"); ok {
		return "U" + id
	}
	return channel
}

// ServeHTTP is the Web API, whose method is the last element of the path, the
// response URLs, which end in /response/ID, and the files.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := path[len(path)-1]
	if s.serveLogin(w, r, last) || s.serveFile(w, r) {
		return
	}
	if len(path) > 1 && path[len(path)-2] == "response" {
		s.desk.Serve(w, r, s.responseCall(last, r))
		return
	}
	args, problem := readArgs(r)
	s.desk.Serve(w, r, s.call(last, args, problem))
}

// method is what a Web API method does and which scope it needs.
type method struct {
	do    func(*Sim, args) (map[string]any, *apiError)
	scope string
	// perMinute is the method's tier; 0: chat.postMessage's own rule, or none.
	perMinute int
	// addresses says that faults about recipients meet it.
	addresses bool
}

func find(name string) (method, bool) {
	m, ok := map[string]method{
		"auth.test":           {(*Sim).authTest, "", 0, false},
		"chat.postMessage":    {(*Sim).postMessage, "chat:write", 0, true},
		"chat.update":         {(*Sim).update, "chat:write", tier3, true},
		"chat.delete":         {(*Sim).remove, "chat:write", tier3, true},
		"conversations.open":  {(*Sim).open, "im:write", tier3, false},
		"files.info":          {(*Sim).fileInfo, "files:read", tier4, false},
		"users.info":          {(*Sim).userInfo, "users:read", tier4, false},
		"users.lookupByEmail": {(*Sim).lookupByEmail, "users:read.email", tier3, false},
	}[name]
	return m, ok
}

func (s *Sim) call(name string, a args, problem *apiError) emulator.Call {
	m, known := find(name)
	out := emulator.Call{Method: name}
	if m.addresses {
		out.To = s.person(a["channel"])
	}
	if m.perMinute > 0 {
		out.Rates = []emulator.Rate{{Key: name, PerSecond: float64(m.perMinute) / 60, Burst: m.perMinute}}
	}
	if name == "chat.postMessage" {
		out.Rates = []emulator.Rate{
			{Key: "team", PerSecond: teamPerSecond, Burst: teamBurst},
			{Key: "channel:" + out.To, PerSecond: channelPerSecond, Burst: channelBurst},
		}
	}
	out.Do = func() emulator.Answer {
		if problem == nil {
			problem = s.authorize(a, m.scope)
		}
		if problem == nil && !known {
			problem = &apiError{code: "unknown_method"}
		}
		if problem != nil {
			return refusal(problem)
		}
		return s.run(m, a)
	}
	return out
}

func (s *Sim) run(m method, a args) emulator.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := m.do(s, a)
	if err != nil {
		return refusal(err)
	}
	v["ok"] = true
	if a["missing charset"] != "" {
		v["warning"] = "missing_charset"
		v["response_metadata"] = map[string]any{"warnings": []string{"missing_charset"}}
	}
	return emulator.JSON(http.StatusOK, v)
}

// apiError is Slack's "ok":false.
type apiError struct {
	code     string
	messages []string // response_metadata.messages
	needed   string   // for missing_scope
	provided string
}

func refusal(e *apiError) emulator.Answer {
	body := map[string]any{"ok": false, "error": e.code}
	if e.messages != nil {
		body["response_metadata"] = map[string]any{"messages": e.messages}
	}
	if e.needed != "" {
		body["needed"], body["provided"] = e.needed, e.provided
	}
	a := emulator.JSON(http.StatusOK, body)
	a.Code, a.Problem = e.code, strings.Join(e.messages, "; ")
	return a
}

// refuse words the faults that were asked for.
func refuse(f emulator.Fault) emulator.Answer {
	switch f.Kind {
	case emulator.Throttle:
		a := refusal(&apiError{code: "ratelimited"})
		a.Status = http.StatusTooManyRequests
		if f.RetryAfter > 0 {
			a.Header.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		}
		return a
	case emulator.ServerError:
		a := refusal(&apiError{code: "internal_error"})
		a.Status = http.StatusInternalServerError
		return a
	}
	e := &apiError{code: f.Code}
	if f.Code == "missing_scope" {
		e.needed, e.provided = "chat:write", "users:read"
	}
	return refusal(e)
}

// timestamp returns a fresh message ts. The caller holds the lock.
func (s *Sim) timestamp() string {
	s.lastTS = max(s.lastTS+100, s.opt.Now().UnixMicro()/100*100)
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

// nextID returns a fresh id. The caller holds the lock.
func (s *Sim) nextID(prefix string) string {
	s.ids++
	return fmt.Sprintf("%s%06d", prefix, s.ids)
}
