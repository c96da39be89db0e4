package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// side is a set of listeners on which a route is served.
type side uint8

const (
	public   side = 1 << iota // webhooks and link pages
	internal                  // API, figures, documents
	shared                    // both on one listener
)

// route is one entry of the table of everything that is served.
type route struct {
	method, path string
	side         side
	scope        string // of the key that is needed; empty: none
	handle       gin.HandlerFunc
}

// eventsPath is where the shop reports.
const eventsPath = "/v1/events"

// webhookPath is where platforms call. They have no use for HEAD, and an adapter
// is asked for GET and POST only.
const webhookPath = "/webhooks/:channel"

// loginPath and loginBackPath are where a login on a platform begins and ends. To
// ask for one of them is to act, so that they have no HEAD either.
const (
	loginPath     = "/auth/:channel/start"
	loginBackPath = "/auth/:channel/callback"
)

// hasHead reports whether a path that is got can be asked for by HEAD, too.
func hasHead(path string) bool {
	return path != webhookPath && path != loginPath && path != loginBackPath
}

// The scopes of an API key.
const (
	scopeEvents    = "events"
	scopeOptIns    = "optins"
	scopeMessages  = "messages"
	scopeCustomers = "customers"
	scopeAdmin     = "admin"
)

// allScopes is what a key without scopes is good for.
func allScopes() []string {
	return []string{scopeEvents, scopeOptIns, scopeMessages, scopeCustomers, scopeAdmin}
}

// routes is the table of everything that is served.
func (s *Server) routes() []route {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const api, outside, everywhere = internal | shared, public | shared, public | internal | shared
	return []route{
		{post, eventsPath, api, scopeEvents, s.postEvents},
		{get, eventsPath, api, scopeEvents, s.probeEvents},
		{get, eventsPath + "/:id", api, scopeEvents, s.getEvent},
		{post, "/v1/explain", api, scopeEvents, s.explain},
		{post, "/v1/mail", api, scopeEvents, s.postMail},

		{get, "/v1/messages", api, scopeMessages, s.listMessages},
		{get, "/v1/messages/:id", api, scopeMessages, s.getMessage},
		{post, "/v1/messages/retry", api, scopeMessages, s.retryMessages},
		{post, "/v1/messages/:id/retry", api, scopeMessages, s.operate(s.Dispatcher.Retry)},
		{post, "/v1/messages/:id/cancel", api, scopeMessages, s.operate(s.Dispatcher.Cancel)},
		{post, "/v1/messages/:id/discard", api, scopeMessages, s.operate(s.Dispatcher.Discard)},

		// Storefronts ask from browsers, too, with a customer's own token: postOptIn
		// asks for the scope where none is shown.
		{post, "/v1/opt-ins", api, "", s.postOptIn},
		{post, "/v1/opt-ins", public, "", s.postOwnOptIn},
		{http.MethodOptions, "/v1/opt-ins", everywhere, "", s.preflightOptIn},

		{get, "/v1/customers/:uid", api, scopeCustomers, s.getCustomer},
		{remove, "/v1/customers/:uid", api, scopeCustomers, notInThisVersion},
		{get, "/v1/customers/:uid/export", api, scopeCustomers, s.exportCustomer},
		{put, "/v1/customers/:uid/preferences", api, scopeCustomers, s.putPreferences},
		{put, "/v1/customers/:uid/addresses/:channel", api, scopeCustomers, s.putAddress},
		{remove, "/v1/customers/:uid/addresses/:channel", api, scopeCustomers, s.deleteAddress},

		{post, "/oauth/token", everywhere, "", s.postToken},

		{get, webhookPath, outside, "", s.webhook},
		{post, webhookPath, outside, "", s.webhook},
		{get, "/link/:token", outside, "", s.linkPage},
		{get, loginPath, outside, "", s.startLogin},
		{get, loginBackPath, outside, "", s.finishLogin},
		{post, "/auth/:channel/deauthorize", outside, "", s.deauthorize},
		{post, "/auth/:channel/deletion", outside, "", s.deleteLogin},
		{get, "/auth/:channel/deletion/:code", outside, "", s.getDeletion},

		{get, "/healthz", everywhere, "", healthz},
		{get, "/readyz", everywhere, "", s.readyz},
		{get, "/v1/doctor", api, scopeAdmin, s.getDoctor},
		{get, "/metrics", internal, "", s.metrics},
		{get, "/metrics", shared, scopeAdmin, s.metrics},
		{get, "/openapi.json", api, "", getOpenAPI},
		{get, "/docs", api, "", s.getDocs},
	}
}
