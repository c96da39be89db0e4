package hybrissim

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// ControlHelp lists what Control does. It is served at its root.
//
//go:embed control.txt
var ControlHelp string

// DoubtsHelp lists the doubts with their answers, the default first.
func DoubtsHelp() string {
	var out strings.Builder
	for _, d := range doubts {
		_, _ = fmt.Fprintf(&out, "  %-20s %s\n  %-20s %s\n", d.Name, strings.Join(d.Answers, " | "), "", d.About)
	}
	return out.String()
}

// Guide tells a shop's developer how to talk to this shop, where it is served at
// base: sites, clients, customers, and a token to begin with.
func (s *Sim) Guide(base string) string {
	var out strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&out, format+"\n", args...) }
	sites := s.opt.BaseSites
	say("  sites      %s", strings.Join(sites, ", "))
	for _, c := range append([]Client{s.auth.clients[s.opt.ClientID].Client}, s.opt.Clients...) {
		say("  client     %s, secret %q, %s: %s", c.ID, c.Secret, (&oauthClient{Client: c}).role(), strings.Join(c.Grants, ", "))
	}
	for _, c := range s.customerList() {
		if !c.guest() {
			say("  customer   %s, password %q", c.UID, s.opt.CustomerPassword)
		}
	}
	orders := s.Orders()
	slices.Reverse(orders)
	for _, o := range orders {
		say("  order      %s of %s, GUID %s", o.Code, o.UserUID, o.GUID)
	}
	if s.opt.EventsURL != "" {
		say("  events     to %s as %s", s.opt.EventsURL, s.opt.Style)
	}
	say("\nA token of the trusted client, good for any order:\n%s", s.curlToken(base, "grant_type=client_credentials", s.opt.ClientID, s.opt.ClientSecret))
	for i, o := range orders {
		if path := base + s.opt.Prefix + "/" + o.Site; o.Guest {
			say("  curl -H \"Authorization: Bearer $TOKEN\" '%s/users/anonymous/orders/%s'", path, o.GUID)
		} else if i == 0 {
			say("  curl -H \"Authorization: Bearer $TOKEN\" '%s/orders/%s?fields=FULL'", path, o.Code)
		}
	}
	s.guideCustomer(base, say)
	return out.String()
}

// guideCustomer tells how a customer gets a token.
func (s *Sim) guideCustomer(base string, say func(string, ...any)) {
	i := slices.IndexFunc(s.opt.Clients, func(c Client) bool { return slices.Contains(c.Grants, byCode) })
	known := slices.DeleteFunc(s.customerList(), func(c Customer) bool { return c.guest() })
	if i < 0 || len(known) == 0 {
		return
	}
	c, uid := s.opt.Clients[i], known[0].UID
	if slices.Contains(c.Grants, byPassword) && s.auth.legacy() {
		grant := "grant_type=password&username=" + url.QueryEscape(uid) + "&password=" + url.QueryEscape(s.opt.CustomerPassword)
		say("\nA customer's own token:\n%s", s.curlToken(base, grant, c.ID, c.Secret))
		say("  curl -H \"Authorization: Bearer $TOKEN\" '%s%s/%s/users/current/orders'", base, s.opt.Prefix, s.opt.BaseSites[0])
	}
	say("\nCustomers log in, and are sent back with a code, at\n  %s%s?response_type=code&client_id=%s&redirect_uri=http://127.0.0.1/", base, authorizePath, c.ID)
}

// curlToken is a line for a shell that puts a token into a variable.
func (s *Sim) curlToken(base, grant, id, secret string) string {
	return fmt.Sprintf(`  TOKEN=$(curl -s -d '%s&client_id=%s&client_secret=%s' %s | sed 's/.*"access_token":"\([^"]*\)".*/\1/')`,
		grant, id, secret, base+tokenPath)
}
