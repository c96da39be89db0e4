package hybrissim

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Most bytes that are read of a request.
const maxBody = 16 << 20

// endpoint is a resource below {prefix}/{site}.
type endpoint struct {
	method, path string
	roles        []role // nil: open to all, without a token too
	serve        func(*call) (answer, *failure)
	doubt        string // about the roles: the trusted client may not be among them
}

// endpoints is the roles matrix. Trusted clients get the tickets only where
// the shop has opened them.
func (s *Sim) endpoints() []endpoint {
	user := []role{customer, trusted, manager}
	order := []role{customer, application, trusted, manager}
	read, write := []role{customer, manager}, []role{customer}
	if s.opt.AllowTrustedTickets {
		read, write = append(read, trusted), append(write, trusted)
	}
	table := []endpoint{
		{"GET", "/orders/{code}", []role{trusted}, (*call).order, ""},
		{"GET", "/feeds/orders/statusfeed", []role{trusted}, (*call).statusFeed, ""},
		{"GET", "/users/{userId}/orders", user, (*call).orderHistory, ""},
		{"GET", "/users/{userId}/orders/{code}", order, (*call).userOrder, ""},
		{"GET", "/users/{userId}/orderReturns", user, (*call).returnRequests, "return-roles"},
		{"GET", "/users/{userId}/orderReturns/{returnCode}", user, (*call).returnRequest, "return-roles"},
		{"GET", "/users/{userId}/tickets", read, (*call).ticketList, ""},
		{"POST", "/users/{userId}/tickets", write, (*call).createTicket, ""},
		{"GET", "/users/{userId}/tickets/{ticketId}", read, (*call).ticket, ""},
		{"POST", "/users/{userId}/tickets/{ticketId}/events", write, (*call).createEntry, ""},
		{"GET", "/users/{userId}/ticketAssociatedObjects", write, (*call).associatedObjects, ""},
		{"GET", "/ticketCategories", nil, (*call).categories, ""},
		{"GET", "/users/{userId}/consenttemplates", user, (*call).consentTemplates, "consent-roles"},
		{"POST", "/users/{userId}/consents", user, (*call).giveConsent, "consent-roles"},
		{"DELETE", "/users/{userId}/consents/{consentCode}", user, (*call).withdrawConsent, "consent-roles"},
		{"GET", "/users/{userId}/notificationpreferences", user, (*call).preferences, "consent-roles"},
		{"PATCH", "/users/{userId}/notificationpreferences", user, (*call).changePreferences, "consent-roles"},
		{"GET", "/users/{userId}/notifications/sitemessages", user, (*call).siteMessages, "consent-roles"},
	}
	if !s.opt.NoTracking {
		table = append(table, endpoint{"GET", "/users/{userId}/orders/{code}/consignments/{consignmentCode}/tracking", user, (*call).tracking, "tracking-roles"})
	}
	if !s.opt.Mode2105 {
		const attachments = "/users/{userId}/tickets/{ticketId}/events/{eventCode}/attachments"
		table = append(table,
			endpoint{"POST", attachments, write, (*call).attach, ""},
			endpoint{"GET", attachments + "/{attachmentId}", read, (*call).attachment, ""})
	}
	return table
}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+tokenPath, s.token)
	mux.HandleFunc(tokenPath, wrongMethod)
	mux.HandleFunc("GET "+authorizePath, s.authorize)
	mux.HandleFunc("POST "+authorizePath, s.authorize)
	mux.HandleFunc("POST "+revokePath, s.revoke)
	mux.HandleFunc("GET "+s.opt.Prefix+"/basesites", s.baseSites)
	known := map[string]bool{}
	for _, e := range s.endpoints() {
		path := s.opt.Prefix + "/{site}" + e.path
		mux.HandleFunc(e.method+" "+path, s.resource(e))
		if !known[path] {
			mux.HandleFunc(path, wrongMethod)
		}
		known[path] = true
	}
	mux.HandleFunc("/", s.noResource)
	return mux
}

// label is how requests for a pattern are counted.
func (s *Sim) label(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = path
	}
	if rest, ok := strings.CutPrefix(pattern, authPath); ok {
		return "/oauth" + rest
	}
	return strings.TrimPrefix(strings.TrimPrefix(pattern, s.opt.Prefix), "/{site}")
}

// call is one request to a resource. Its handler runs under Sim.mu.
type call struct {
	*Sim
	r      *http.Request
	body   []byte
	now    time.Time
	site   string
	lang   string
	user   *Customer // whom {userId} stands for
	later  []Event   // what the shop reports once the answer has left
	fields selection
}

// answer is a success. Without a body and raw bytes it is empty.
type answer struct {
	status int // 0: 200
	kind   string
	body   any // trees of kind, cut down to the fields asked for
	raw    []byte
	header map[string]string
}

// resource serves an endpoint: token, site, user and role are checked in this
// order, so an unknown user is found before a missing role.
func (s *Sim) resource(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if err != nil {
			fail(http.StatusBadRequest, "HttpMessageNotReadableError", "The request body cannot be read").write(w)
			return
		}
		c := &call{Sim: s, r: r, body: body}
		a, refusal := c.run(e)
		if refusal != nil {
			refusal.write(w)
			return
		}
		a.write(w, r.Method == http.MethodHead)
		c.report()
	}
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

func (c *call) run(e endpoint) (answer, *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.opt.Now()
	if refusal := c.admit(e); refusal != nil {
		return answer{}, refusal
	}
	a, refusal := e.serve(c)
	if refusal == nil && a.kind != "" {
		a.body, refusal = project(a.kind, a.body, c.fields)
	}
	a.body = c.bend(a.body)
	return a, refusal
}

func (c *call) admit(e endpoint) *failure {
	who, refusal := c.authenticate(c.r)
	if refusal != nil {
		return refusal
	}
	if c.site = c.r.PathValue("site"); !slices.Contains(c.opt.BaseSites, c.site) {
		return fail(http.StatusBadRequest, "InvalidResourceError", "Base site "+c.site+" doesn't exist")
	}
	if c.lang = c.r.URL.Query().Get("lang"); c.lang != "" && len(c.opt.Languages) > 0 && !slices.Contains(c.opt.Languages, c.lang) {
		return fail(http.StatusBadRequest, "UnsupportedLanguageError", "Language "+c.lang+" is not supported")
	}
	if id := c.r.PathValue("userId"); id != "" && who != nil {
		if c.user, refusal = c.session(*who, id); refusal != nil {
			return refusal
		}
	}
	if e.roles != nil {
		if refusal := allow(who, c.rolesOf(e)); refusal != nil {
			return refusal
		}
	}
	c.fields, refusal = parseFields(c.r.URL.Query().Get("fields"))
	return refusal
}

// rolesOf returns who may ask for a resource, as far as that is known.
func (s *Sim) rolesOf(e endpoint) []role {
	if e.doubt != "" && s.answer(e.doubt) == "customers" {
		return []role{customer, manager}
	}
	return e.roles
}

// report sends what the handler left for later, without holding up the answer.
func (c *call) report() {
	for _, ev := range c.later {
		c.pushLater(c.r.Context(), ev)
	}
}

func (a answer) write(w http.ResponseWriter, head bool) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	switch {
	case head:
		w.WriteHeader(a.status)
	case a.raw != nil:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.WriteHeader(a.status)
		_, _ = w.Write(a.raw)
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		writeJSON(w, a.status, a.body)
	}
}

// baseSites is open to all.
func (s *Sim) baseSites(w http.ResponseWriter, _ *http.Request) {
	sites := make([]object, 0, len(s.opt.BaseSites))
	for _, uid := range s.opt.BaseSites {
		sites = append(sites, object{"uid": uid, "name": uid, "channel": "B2C"})
	}
	writeJSON(w, http.StatusOK, object{"baseSites": sites})
}

func (s *Sim) noResource(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(s.opt.Prefix, "/v2"))
	if s.answer("wrong-path") == "page" {
		proxyPage(http.StatusNotFound, 0).write(w)
		return
	}
	fail(http.StatusNotFound, "UnknownResourceError", "There is no resource for path "+path).write(w)
}

func wrongMethod(w http.ResponseWriter, r *http.Request) {
	fail(http.StatusMethodNotAllowed, "HttpRequestMethodNotSupportedError", "Request method '"+r.Method+"' not supported").write(w)
}
