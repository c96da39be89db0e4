package hybrissim_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

// TestChecklist walks through what is emulated, one line an item. Each line
// looks at its item from outside; the tests beside this one look closer.
func TestChecklist(t *testing.T) {
	for _, item := range checklist {
		t.Run(strings.ReplaceAll(item.what, " ", "-"), func(t *testing.T) {
			s, g, waits := reporting(t, item.opt)
			c := &examined{shop: s, gateway: g, waits: waits}
			c.mine = s.as(s.CustomerToken(ines))
			item.see(c)
		})
	}
}

// examined is a shop with an order "1" of Ines, who is also mine.
type examined struct {
	*shop
	gateway *gateway
	waits   *[]time.Duration
	mine    *shop
}

// is compares a value with the one that is wanted.
func (c *examined) is(what string, got, want any) {
	c.t.Helper()
	g, w := fmt.Sprint(got), fmt.Sprint(want)
	if g != w {
		c.t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// refused looks for a status and an error type.
func (c *examined) refused(what string, r reply, status int, errorType string) {
	c.t.Helper()
	c.is(what, fmt.Sprint(r.status, " ", r.errorType()), fmt.Sprint(status, " ", errorType))
}

func (c *examined) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// last is what the gateway got last.
func (c *examined) last() recorded {
	c.t.Helper()
	c.Settle()
	if len(c.gateway.requests) == 0 {
		c.t.Fatal("the shop reported nothing")
	}
	return c.gateway.requests[len(c.gateway.requests)-1]
}

const (
	base     = "/occ/v2/teashop"
	inesPath = base + "/users/ines.vidal%40example.com"
	feedPath = base + "/feeds/orders/statusfeed?timestamp=2026-11-22T09:00:00%2B0000"
)

type item struct {
	what string
	opt  hybrissim.Options
	see  func(*examined)
}

func webhooks(o hybrissim.Options) hybrissim.Options {
	o.Style, o.TicketPushes = hybrissim.Webhook, true
	return o
}

var checklist = slices.Concat(checklistOfTokens, checklistOfOrders, checklistOfTickets, checklistOfPushes, checklistOfMisfortune)

var checklistOfTokens = []item{
	{"the same client token with less of its life left", hybrissim.Options{}, func(c *examined) {
		c.clock.Advance(90 * time.Second)
		got := c.askToken(askClient)
		c.is("token", got.tree["access_token"], c.token)
		c.is("expires_in", got.tree["expires_in"], 43110)
	}},
	{"a bad secret is a 401 with a challenge", hybrissim.Options{}, func(c *examined) {
		got := c.askToken(askClient + "x")
		c.is("status and error", fmt.Sprint(got.status, " ", got.tree["error"]), "401 invalid_client")
		c.is("challenge", strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Basic realm=\"hybris\""), true)
	}},
	{"a bad password is a 400", hybrissim.Options{}, func(c *examined) {
		got := c.askToken("grant_type=password&username=x&password=y" + askStorefront)
		c.is("status and error", fmt.Sprint(got.status, " ", got.tree["error"]), "400 invalid_grant")
	}},
	{"tokens of 300 s are JWTs and new each time", hybrissim.Options{TokenTTL: 300 * time.Second}, func(c *examined) {
		got := c.askToken(askClient)
		c.is("expires_in", got.tree["expires_in"], 300)
		c.is("another one", got.tree["access_token"] != c.token, true)
		c.is("parts", strings.Count(c.token, "."), 2)
		claims, _ := base64.RawURLEncoding.DecodeString(strings.Split(c.token, ".")[1])
		c.is("authorities", strings.Contains(string(claims), "ROLE_TRUSTED_CLIENT"), true)
		c.clock.Advance(300 * time.Second)
		c.refused("at its end", c.get(orders+"1"), 401, "InvalidTokenError")
	}},
	{"a customer logs in by password on the old server", hybrissim.Options{}, func(c *examined) {
		got := c.passwordLogin(ines)
		c.is("own orders", c.as(text(got, "access_token")).get(base+"/users/current/orders").status, 200)
	}},
	{"no passwords on the new server", hybrissim.Options{TokenTTL: time.Minute}, func(c *examined) {
		c.is("error", c.passwordLogin(ines).tree["error"], "unsupported_grant_type")
	}},
	{"a customer logs in by code, and refreshes", hybrissim.Options{TokenTTL: 300 * time.Second}, func(c *examined) {
		_, back := c.authorize(c.t, "response_type=code&client_id=storefront&redirect_uri=http://localhost/", "username="+ines+"&password="+hybrissim.DefaultPassword)
		got := c.askToken("grant_type=authorization_code&redirect_uri=http://localhost/&code=" + back.Get("code") + askStorefront)
		c.clock.Advance(time.Hour - time.Second)
		again := c.askToken("grant_type=refresh_token&refresh_token=" + text(got, "refresh_token") + askStorefront)
		c.is("own orders", c.as(text(again, "access_token")).get(base+"/users/current/orders").status, 200)
	}},
	{"no token is an UnauthorizedError", hybrissim.Options{}, func(c *examined) {
		c.refused("order", c.as("").get(orders+"1"), 401, "UnauthorizedError")
	}},
	{"a missing role is a 401 AccessDeniedError", hybrissim.Options{}, func(c *examined) {
		c.refused("any order, as a customer", c.mine.get(orders+"1"), 401, "AccessDeniedError")
	}},
	{"somebody else is a 403 ForbiddenError", hybrissim.Options{}, func(c *examined) {
		c.refused("Boris, as Ines", c.mine.get(base+"/users/boris.kern%40example.com/orders"), 403, "ForbiddenError")
	}},
	{"a trusted client acts for anybody", hybrissim.Options{}, func(c *examined) {
		c.is("orders of Ines", c.get(inesPath+"/orders").status, 200)
	}},
	{"a trusted client is not current", hybrissim.Options{}, func(c *examined) {
		c.refused("current", c.get(base+"/users/current/orders"), 400, "UnknownIdentifierError")
	}},
	{"a customer is current", hybrissim.Options{}, func(c *examined) {
		c.is("current", c.mine.get(base+"/users/current/orders/1").status, 200)
	}},
	{"a guest's order by anonymous and GUID", hybrissim.Options{}, func(c *examined) {
		o := hybrissim.SampleOrder("2", hybrissim.GuestUID("walk.in@example.com"), site)
		o.Guest = true
		guid := c.AddOrder(o).GUID
		app := c.as(c.ApplicationToken())
		c.is("by GUID", app.get(base+"/users/anonymous/orders/"+guid).status, 200)
		c.refused("by code", app.get(base+"/users/anonymous/orders/2"), 400, "UnknownIdentifierError")
		c.is("uid", strings.HasSuffix(at(c.get(orders+"2").tree, "user", "uid").(string), "|walk.in@example.com"), true)
	}},
	{"an unknown user in the words of 2105", hybrissim.Options{Mode2105: true}, func(c *examined) {
		c.is("message", c.get(base + "/users/x/orders").firstError()["message"], "Cannot find user with uid 'x'")
	}},
}

var checklistOfOrders = []item{
	{"an order by code and by GUID", hybrissim.Options{}, func(c *examined) {
		c.is("the same", c.get(orders+"1").body, c.get(orders+hybrissim.SampleOrder("1", ines, site).GUID).body)
	}},
	{"a user's order by GUID where that is switched on", hybrissim.Options{OrderByGUID: true}, func(c *examined) {
		c.is("status", c.mine.get(base+"/users/current/orders/"+hybrissim.SampleOrder("1", ines, site).GUID).status, 200)
	}},
	{"an unknown order is a 400", hybrissim.Options{}, func(c *examined) {
		c.refused("order", c.get(orders+"404"), 400, "UnknownIdentifierError")
		c.refused("of another site", c.get("/occ/v2/coffeeshop/orders/1"), 400, "UnknownIdentifierError")
		c.refused("of an unknown site", c.get("/occ/v2/nosuch/orders/1"), 400, "InvalidResourceError")
	}},
	{"fields BASIC, DEFAULT and FULL", hybrissim.Options{}, func(c *examined) {
		for level, want := range map[string]string{"BASIC": "true true true", "DEFAULT": "false false true", "FULL": "false false false"} {
			tree := c.get(orders + "1?fields=" + level).tree
			c.is(level, fmt.Sprint(tree["status"] == nil, " ", find(tree, "entries/0/product/name") == nil, " ", find(tree, "deliveryAddress/phone") == nil), want)
		}
	}},
	{"dates with +0000", hybrissim.Options{}, func(c *examined) {
		c.is("created", c.get(orders + "1").tree["created"], "2026-11-22T10:00:00+0000")
	}},
	{"paging, sorts and x-total-count", hybrissim.Options{}, func(c *examined) {
		c.AddOrder(hybrissim.SampleOrder("2", ines, site))
		got := c.get(inesPath + "/orders?pageSize=1&currentPage=1&sort=byOrderNumber")
		c.is("order", at(got.tree, "orders", 0, "code"), "2")
		c.is("pages", at(got.tree, "pagination", "totalPages"), 2)
		c.is("sorts", at(got.tree, "sorts", 1, "selected"), true)
		c.is("HEAD", c.do("HEAD", inesPath+"/orders", "", "").header.Get("x-total-count"), 2)
	}},
	{"history by statuses, with placed instead of created", hybrissim.Options{}, func(c *examined) {
		c.must(c.SetStatus(context.Background(), "1", "COMPLETED"))
		c.is("READY", length(c.get(inesPath + "/orders?statuses=READY").tree["orders"]), 0)
		c.is("COMPLETED", at(c.get(inesPath+"/orders?statuses=READY,COMPLETED").tree, "orders", 0, "placed"), "2026-11-22T10:00:00+0000")
	}},
	{"tracking of a consignment", hybrissim.Options{}, func(c *examined) {
		ship(c.t, c.shop)
		c.is("id", c.get(inesPath + "/orders/1/consignments/cons1_0/tracking").tree["trackingID"], "1Z-TEST-1")
	}},
	{"no tracking without its extension", hybrissim.Options{NoTracking: true}, func(c *examined) {
		c.is("status", c.get(inesPath+"/orders/1/consignments/cons1_0/tracking").status, 404)
	}},
	{"returns", hybrissim.Options{}, func(c *examined) {
		ret, err := c.AddReturn(context.Background(), "1")
		c.must(err)
		c.is("order", at(c.mine.get(base+"/users/current/orderReturns/"+ret.Code).tree, "order", "code"), 1)
	}},
	{"a status feed that a restart empties", hybrissim.Options{}, func(c *examined) {
		c.is("before", at(c.get(feedPath).tree, "orderStatusUpdateElements", 0, "status"), "READY")
		c.Restart()
		c.is("after", length(c.get(feedPath).tree["orderStatusUpdateElements"]), 0)
	}},
	{"stale reads after a push", hybrissim.Options{}, func(c *examined) {
		c.StaleReads(10 * time.Second)
		c.clock.Advance(time.Minute)
		c.must(c.Cancel(context.Background(), "1"))
		c.is("pushed", c.last().body["type"], "order.cancelled")
		c.is("at once", c.get(orders + "1").tree["status"], "READY")
		c.clock.Advance(10 * time.Second)
		c.is("later", c.get(orders + "1").tree["status"], "CANCELLED")
	}},
	{"consents given and withdrawn", hybrissim.Options{}, func(c *examined) {
		const given = "/consents?consentTemplateId=MESSENGER_NOTIFICATIONS&consentTemplateVersion=1"
		got := c.mine.post(base+"/users/current"+given, "")
		code, _ := at(got.tree, "currentConsent", "code").(string)
		c.is("given", got.status, 200)
		c.is("twice", c.mine.post(base+"/users/current"+given, "").status, 409)
		c.is("withdrawn", c.mine.do("DELETE", base+"/users/current/consents/"+code, "", "").status, 200)
		list := c.get(inesPath + "/consenttemplates")
		c.is("date", at(list.tree, "consentTemplates", 0, "currentConsent", "consentWithdrawnDate"), "2026-11-22T10:00:00+0000")
		c.is("of an unknown template", c.mine.post(base+"/users/current/consents?consentTemplateId=x&consentTemplateVersion=1", "").status, 400)
	}},
	{"notification preferences", hybrissim.Options{}, func(c *examined) {
		const path = base + "/users/current/notificationpreferences"
		c.is("value", at(c.mine.get(path).tree, "preferences", 0, "value"), ines)
		got := c.mine.do("PATCH", path, "application/json", `{"preferences":[{"channel":"EMAIL","enabled":false}]}`)
		c.is("after", at(got.tree, "preferences", 0, "enabled"), false)
		got = c.mine.do("PATCH", path, "application/json", `{"preferences":[{"channel":"PIGEON"}]}`)
		c.refused("of an unknown channel", got, 400, "ValidationError")
		c.is("site messages", length(c.mine.get(base + "/users/current/notifications/sitemessages").tree["messages"]), 0)
	}},
}

// names returns the sorted names of a tree's fields.
func names(tree map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(tree)), " ") }
