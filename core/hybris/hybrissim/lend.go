package hybrissim

import (
	"maps"
	"slices"
)

// CustomerTokens are what a storefront holds of a customer who has logged in: an
// access token of one of the shop's clients, and one to renew it with.
func (s *Sim) CustomerTokens(uid, client string) (access, refresh string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.issueBoth(grant{principal: principal{role: customer, uid: uid}, client: client, scope: "basic"}, s.opt.Now())
	access, _ = out["access_token"].(string)
	refresh, _ = out["refresh_token"].(string)
	return access, refresh
}

// RevokeRefresh makes every refresh token invalid at once.
func (s *Sim) RevokeRefresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.auth.refreshes)
}

// Secrets are all tokens that are good now.
func (s *Sim) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Collect(maps.Keys(s.auth.grants)), slices.Collect(maps.Keys(s.auth.refreshes))...)
}
