package messengersim

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// subscribable are the webhook fields of a Page that concern messages.
var subscribable = []string{
	"messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "message_deliveries", "message_reads",
	"message_echoes", "message_reactions", "message_edits", "messaging_account_linking", "messaging_handovers",
	"messaging_policy_enforcement", "standby", "response_feedback", "message_template_status_update",
	"messenger_template_status_update", "feed",
}

// subscribedApps is the edge on which the app says which fields it wants.
func (s *Sim) subscribedApps(method, node string, p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if node != "me" && node != s.opt.PageID {
		return nil, errorf(100, 33, "Unsupported request. Object with ID '%s' does not exist.", node)
	}
	switch method {
	case http.MethodGet:
		return map[string]any{"data": []any{map[string]any{"id": s.opt.AppID, "subscribed_fields": s.fields}}}, nil
	case http.MethodDelete:
		s.fields = []string{}
		return map[string]bool{"success": true}, nil
	}
	fields, err := list(p, "subscribed_fields")
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		if !slices.Contains(subscribable, f) {
			return nil, errorf(100, 0, "Param subscribed_fields must be one of {%s}", strings.Join(subscribable, ", "))
		}
	}
	s.fields = fields
	return map[string]bool{"success": true}, nil
}

// subscriptions is the app's edge on which its callback URL is registered,
// which Meta verifies on the spot.
func (s *Sim) subscriptions(method, node string, p params) (any, *graphError) {
	if err := s.authorizeApp(p); err != nil {
		return nil, err
	}
	if node != s.opt.AppID || p.has("object") && p.text("object") != "page" {
		return nil, errorf(100, 0, "Unsupported %s request.", strings.ToLower(method))
	}
	if method == http.MethodGet {
		return map[string]any{"data": []any{map[string]any{"object": "page", "callback_url": s.hooks.URL(), "active": true}}}, nil
	}
	if _, err := list(p, "fields"); err != nil {
		return nil, err
	}
	callback := p.text("callback_url")
	if err := s.handshake(context.Background(), callback, p.text("verify_token")); err != nil {
		return nil, errorf(2200, 0, "Callback verification failed")
	}
	s.hooks.SetURL(callback)
	return map[string]bool{"success": true}, nil
}

// list reads a parameter that is an array or words with commas between.
func list(p params, key string) ([]string, *graphError) {
	if !p.has(key) {
		return nil, errorf(100, 0, "The parameter %s is required", key)
	}
	var out []string
	if json.Unmarshal(p[key], &out) != nil {
		out = strings.Split(p.text(key), ",")
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out, nil
}

// messengerProfile takes the Get Started button.
func (s *Sim) messengerProfile(method string, p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if method == http.MethodGet {
		return map[string]any{"data": []any{map[string]any{"get_started": map[string]string{"payload": s.opt.GetStarted}}}}, nil
	}
	if p.has("get_started") {
		var b struct {
			Payload string `json:"payload"`
		}
		if json.Unmarshal(p["get_started"], &b) != nil || b.Payload == "" || units(b.Payload) > maxPayload {
			return nil, errorf(100, 0, "Param get_started[payload] must be a string of at most %d characters", maxPayload)
		}
		s.opt.GetStarted = b.Payload
	}
	return map[string]string{"result": "success"}, nil
}

// node is GET /{id}: the Page itself or a person's profile.
func (s *Sim) node(id string, p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "me" || id == s.opt.PageID {
		return map[string]string{"id": s.opt.PageID, "name": "Emulated Page"}, nil
	}
	c := s.users[id]
	if c == nil {
		return nil, noObject("get", id)
	}
	all := map[string]any{
		"id": c.PSID, "first_name": c.FirstName, "last_name": c.LastName, "name": strings.TrimSpace(c.FirstName + " " + c.LastName),
		"locale": c.Locale, "timezone": c.Timezone, "profile_pic": "https://platform-lookaside.fbsbx.com/" + c.PSID,
	}
	wanted := []string{"first_name", "last_name", "profile_pic"}
	if p.has("fields") {
		wanted, _ = list(p, "fields")
	}
	for _, w := range wanted {
		if _, ok := all[w]; !ok {
			return nil, errorf(100, 0, "Tried accessing nonexisting field (%s) on node type (User)", w)
		}
	}
	maps.DeleteFunc(all, func(k string, _ any) bool { return k != "id" && !slices.Contains(wanted, k) })
	return all, nil
}

// idsForPages is GET /{ASID}/ids_for_pages: who a person of Facebook Login is
// for this Page.
func (s *Sim) idsForPages(asid string, p params) (any, *graphError) {
	if err := s.authorizeApp(p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data := []any{}
	known := false
	for _, c := range s.users {
		if c.ASID != asid {
			continue
		}
		known = true
		if !c.thread { // who has never written to the Page has no id there
			continue
		}
		if !p.has("page") || p.text("page") == s.opt.PageID {
			data = append(data, map[string]any{"id": c.PSID, "page": map[string]string{"id": s.opt.PageID, "name": "Emulated Page"}})
		}
	}
	if !known {
		return nil, errorf(100, 33, "Unsupported get request. Object with ID '%s' does not exist.", asid)
	}
	return map[string]any{"data": data, "paging": map[string]any{}}, nil
}

// idsForApps is GET /{PSID}/ids_for_apps: who a person in this Page's chats is for
// the app, once they have logged in to it.
func (s *Sim) idsForApps(psid string, p params) (any, *graphError) {
	if !p.has("appsecret_proof") {
		return nil, errorf(100, 0, "API calls from the server require an appsecret_proof argument")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.users[psid]
	if c == nil || !c.thread {
		return nil, noObject("get", psid)
	}
	data := []any{}
	if c.ASID != "" && (!p.has("app") || p.text("app") == s.opt.AppID) {
		data = append(data, map[string]any{"id": c.ASID, "app": map[string]string{"id": s.opt.AppID, "name": "Emulated app", "link": "https://shop.example"}})
	}
	return map[string]any{"data": data, "paging": map[string]any{}}, nil
}
