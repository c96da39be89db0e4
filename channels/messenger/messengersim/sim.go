package messengersim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"tidings/channels/emulator"
)

// Options are the Page, its app, and what is known of its customers.
type Options struct {
	PageID, PageToken             string
	AppID, AppSecret, VerifyToken string
	WebhookURL                    string // empty: no webhooks
	// FilesURL is where this emulator is reached; the addresses of what people
	// send begin with it. Default https://cdn.fbsbx.com.
	FilesURL string
	Client   *http.Client // calls the webhook
	Now      func() time.Time
	Wait     emulator.Wait // how time passes; default by timers
	Seed     uint64        // decides chance in faults

	Users     []User     // people known to the Page who have not written yet
	Templates []Template // approved utility templates

	Window        time.Duration // reply window; default 24 h
	HumanWindow   time.Duration // for the tag HUMAN_AGENT; default 7 days
	Receipts      bool          // every message is delivered and read at once
	NoEchoes      bool          // no webhooks about the Page's own messages
	NoRates       bool          // too many requests are counted, not refused
	RepeatOrders  bool          // the same order_number may be used in several receipts
	GetStarted    string        // payload of the Get Started button; default GET_STARTED
	StrangeFields bool          // webhooks carry fields that no document names

	Redirects    []string // the app's valid OAuth redirect URIs
	RequireProof bool     // the app's setting "Require App Secret"
}

// User is a person as the Graph API describes them.
type User struct {
	PSID      string  `json:"id"`
	ASID      string  `json:"-"` // the person's id for the app, from Facebook Login
	FirstName string  `json:"first_name,omitempty"`
	LastName  string  `json:"last_name,omitempty"`
	Locale    string  `json:"locale,omitempty"`
	Timezone  float64 `json:"timezone"`
}

// Windows and limits of the platform (send-messages, policy; read 2026-11-22).
const (
	replyWindow = 24 * time.Hour
	humanWindow = 7 * 24 * time.Hour
	perSecond   = 300
	maxEntries  = 1000
)

// webhookRules: an answer within 5 s, else at once and a few more times; after
// an hour of failures Meta switches the webhook off (webhooks; read 2026-11-22).
var webhookRules = emulator.Rules{
	Timeout: 5 * time.Second,
	Gaps:    []time.Duration{0, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute},
	Life:    time.Hour,
}

// Sim is an emulated Page. It is the http.Handler of the Graph API.
type Sim struct {
	opt    Options
	desk   *emulator.Desk
	cdn    *emulator.Desk
	log    *emulator.Log
	faults *emulator.Faults
	hooks  *emulator.Caller

	mu        sync.Mutex
	users     map[string]*customer
	userRefs  map[string]string // user_ref -> PSID
	templates []Template
	orders    map[string]bool // order numbers used in receipts
	fields    []string        // subscribed fields; nil: all
	usage     usage
	ids       int
	logins    emulator.Logins
	tokens    map[string]userToken
	tokenApp  string // whose tokens the login gives; empty: the app's own
	linkings  map[string]linking
	unlinks   map[string]int     // PSID -> how often the app unlinked the account
	files     map[string]cdnFile // by path
}

// customer is a person in this Page's chats.
type customer struct {
	User
	lastInbound time.Time
	blocked     bool
	thread      bool   // has a conversation with the Page
	priorRef    string // a user_ref that was written to before the person answered
}

type usage struct {
	percent int
	regain  time.Duration
}

// New returns a Page. Close it after use.
func New(opt Options) *Sim {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wait == nil {
		opt.Wait = emulator.Sleep
	}
	if opt.Window == 0 {
		opt.Window = replyWindow
	}
	if opt.HumanWindow == 0 {
		opt.HumanWindow = humanWindow
	}
	if opt.GetStarted == "" {
		opt.GetStarted = "GET_STARTED"
	}
	if opt.FilesURL == "" {
		opt.FilesURL = "https://cdn.fbsbx.com"
	}
	s := &Sim{opt: opt, log: emulator.NewLog(), faults: emulator.NewFaults(opt.Seed)}
	s.desk = &emulator.Desk{
		Log: s.log, Faults: s.faults, Now: opt.Now, Wait: opt.Wait,
		Strict: !opt.NoRates, Refuse: refuse(opt.PageID), Apply: s.apply,
	}
	s.cdn = &emulator.Desk{Log: s.log, Faults: s.faults, Now: opt.Now, Wait: opt.Wait, Refuse: refuseFile, Apply: s.apply}
	s.logins.Now, s.logins.Redirects = opt.Now, opt.Redirects
	s.hooks = emulator.NewCaller(opt.WebhookURL, opt.Client, webhookRules, opt.Wait, opt.Now)
	s.forget()
	return s
}

// Log returns the record of what customers see.
func (s *Sim) Log() *emulator.Log { return s.log }

// Faults returns what shall go wrong.
func (s *Sim) Faults() *emulator.Faults { return s.faults }

// Webhooks returns the side that calls the Page's webhook.
func (s *Sim) Webhooks() *emulator.Caller { return s.hooks }

// Close gives up all webhooks under way.
func (s *Sim) Close() { s.hooks.Close() }

// Reset makes the Page as new.
func (s *Sim) Reset() {
	s.hooks.Reset()
	s.faults.Clear()
	s.desk.Reset()
	s.cdn.Reset()
	s.log.Reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

// forget sets the state that Options describe. The caller holds the lock, or
// is New.
func (s *Sim) forget() {
	s.users, s.userRefs, s.orders = map[string]*customer{}, map[string]string{}, map[string]bool{}
	s.templates, s.fields, s.usage = nil, nil, usage{}
	s.tokens, s.linkings, s.files = map[string]userToken{}, map[string]linking{}, map[string]cdnFile{}
	s.unlinks = map[string]int{}
	for _, u := range s.opt.Users {
		s.users[u.PSID] = &customer{User: u}
	}
	for _, t := range s.opt.Templates {
		t.Status = approved
		s.templates = append(s.templates, t)
	}
}

// SetUsage makes every answer carry usage headers: how much of the Page's
// allowance is used, and when there will be some again.
func (s *Sim) SetUsage(percent int, regain time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage = usage{percent, regain}
}

var version = regexp.MustCompile(`^v\d+\.\d+$`)

// segments returns the path below the version, whatever stands before it.
func segments(path string) []string {
	all := strings.Split(strings.Trim(path, "/"), "/")
	for i, seg := range all {
		if version.MatchString(seg) {
			return all[i+1:]
		}
	}
	return all
}

// ServeHTTP is the Graph API, of facebook.com what a login meets, and the CDN
// where attachments lie.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serveBrowser(w, r) || s.serveFile(w, r) {
		return
	}
	p, err := readParams(r)
	if err != nil {
		s.desk.Serve(w, r, emulator.Call{Method: "unreadable", Do: func() emulator.Answer { return answer(err) }})
		return
	}
	s.addUsage(w.Header())
	s.desk.Serve(w, r, s.call(r.Method, segments(r.URL.Path), p))
}

func (s *Sim) call(method string, path []string, p params) emulator.Call {
	edge := ""
	if len(path) > 1 {
		edge = path[len(path)-1]
	}
	node := path[0]
	if c, ok := s.loginCall(method, node, edge, p); ok {
		return c
	}
	switch {
	case method == http.MethodPost && edge == "messages":
		return s.messageCall(node, p)
	case edge == "subscribed_apps":
		return s.plain(edge, p, func() (any, *graphError) { return s.subscribedApps(method, node, p) })
	case edge == "subscriptions":
		return emulator.Call{Method: edge, Do: func() emulator.Answer { return result(s.subscriptions(method, node, p)) }}
	case edge == "message_templates":
		return s.plain(edge, p, func() (any, *graphError) { return s.messageTemplates(method, node, p) })
	case edge == "messenger_profile":
		return s.plain(edge, p, func() (any, *graphError) { return s.messengerProfile(method, p) })
	case method == http.MethodGet && edge == "ids_for_apps":
		return s.plain(edge, p, func() (any, *graphError) { return s.idsForApps(node, p) })
	case method == http.MethodGet && edge == "ids_for_pages":
		return emulator.Call{Method: edge, Do: func() emulator.Answer { return result(s.idsForPages(node, p)) }}
	case method == http.MethodGet && edge == "":
		return s.plain("profile", p, func() (any, *graphError) { return s.node(node, p) })
	}
	return s.plain("unknown", p, func() (any, *graphError) {
		return nil, errorf(2500, 0, "Unknown path components: /%s", strings.Join(path[1:], "/"))
	})
}

// plain is a call with the Page's token that addresses nobody.
func (s *Sim) plain(method string, p params, do func() (any, *graphError)) emulator.Call {
	return emulator.Call{Method: method, Do: func() emulator.Answer {
		if err := s.authorize(p); err != nil {
			return answer(err)
		}
		return result(do())
	}}
}

func result(v any, err *graphError) emulator.Answer {
	if err != nil {
		return answer(err)
	}
	return emulator.JSON(http.StatusOK, v)
}

// apply makes a fault about a recipient true.
func (s *Sim) apply(kind emulator.Kind, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.users[to]
	if c == nil {
		return
	}
	if kind == emulator.Block {
		c.blocked = true
		return
	}
	c.lastInbound = s.opt.Now().Add(-s.opt.Window - time.Second)
}

func (s *Sim) addUsage(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.usage.percent == 0 {
		return
	}
	h.Set("X-App-Usage", fmt.Sprintf(`{"call_count":%d,"total_time":1,"total_cputime":1}`, s.usage.percent))
	h.Set("X-Business-Use-Case-Usage", businessUsage(s.opt.PageID, s.usage.percent, s.usage.regain))
}

func businessUsage(page string, percent int, regain time.Duration) string {
	return fmt.Sprintf(`{"%s":[{"type":"messenger","call_count":%d,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":%d}]}`,
		page, percent, int((regain+time.Minute-1)/time.Minute))
}

// nextID returns a fresh id. The caller holds the lock.
func (s *Sim) nextID(prefix string) string {
	s.ids++
	return fmt.Sprintf("%s%08d", prefix, s.ids)
}

// Settle waits until all webhooks are delivered or given up.
func (s *Sim) Settle(ctx context.Context) error { return s.hooks.Settle(ctx) }
