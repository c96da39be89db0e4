package main

import (
	"context"
	"reflect"
	"slices"
	"time"

	"tidings/config"
	"tidings/core"
)

// reload takes up a changed configuration when it is valid; otherwise the old
// one stays in force, and the log says why.
func (g *gateway) reload(path string, getenv func(string) (string, bool)) {
	with, faults, err := readConfig(path, getenv)
	if err != nil {
		g.log.Error("the changed configuration is ignored: it cannot be read", "err", err)
		return
	}
	for _, f := range faults {
		g.log.Error("the changed configuration is ignored", "key", f.Key, "line", f.Line, "problem", f.Problem)
	}
	if len(faults) > 0 {
		return
	}
	cfg := with.Config
	outlets, err := openOutlets(cfg, g.log, g.alive)
	if err != nil {
		g.log.Error("the changed configuration is ignored", "err", err)
		return
	}
	if err := g.rename(context.Background(), cfg); err != nil {
		g.log.Error("the changed configuration is ignored", "err", err)
		return
	}
	old := g.out.Outlets()
	g.intake.SetRules(with.rules())
	g.out.SetOutlets(outlets)
	g.web.Set(g.webSettings(cfg))
	g.again.Set(readingsOf(cfg))
	g.cfg.Store(cfg)
	time.AfterFunc(time.Minute, func() { // requests under way still need the old ones
		for _, o := range old {
			closeChannel(o.Channel)
		}
	})
	g.log.Info("configuration reloaded", "hash", cfg.Hash())
	if keys := changed(g.started, cfg); len(keys) > 0 {
		g.log.Warn("these changes take effect with the next start only", "keys", keys)
	}
}

func closeChannel(c core.Channel) { _ = c.Close() }

// atStart are the settings that are read once, by their keys.
var atStart = []struct {
	key string
	of  func(*config.Config) any
}{
	{"server.listen", func(c *config.Config) any { return c.Server.Listen }},
	{"server.internal_listen", func(c *config.Config) any { return c.Server.InternalListen }},
	{"server.trusted_proxies", func(c *config.Config) any { return c.Server.TrustedProxies }},
	{"store.url", func(c *config.Config) any { return c.Store.URL }},
	{"commerce", func(c *config.Config) any { return ofShop(c.Commerce) }},
	{"commerce.wait", func(c *config.Config) any { return c.Commerce.Wait }},
	{"commerce.poll", func(c *config.Config) any { return c.Commerce.Poll }},
	{"commerce.tickets", func(c *config.Config) any { return c.Commerce.Tickets }},
	{"commerce.sites", func(c *config.Config) any { return sourcesOf(c.Commerce.Sites) }},
	{"commerce.objects", func(c *config.Config) any { return c.Commerce.Objects }},
	{"commerce.consents", func(c *config.Config) any { return c.Commerce.Consents }},
	{"opt_in.keys", func(c *config.Config) any { return c.OptIn.Keys }},
	{"log", func(c *config.Config) any { return c.Log }},
}

// changed names the settings of atStart in which two configurations differ.
func changed(was, is *config.Config) []string {
	var keys []string
	for _, x := range atStart {
		if !reflect.DeepEqual(x.of(was), x.of(is)) {
			keys = append(keys, x.key)
		}
	}
	return keys
}

// ofShop is how the shop is reached: what has no key of its own in atStart and is
// not taken up by a reload.
func ofShop(c config.Commerce) config.Commerce {
	return config.Commerce{
		Type: c.Type, BaseURL: c.BaseURL, TokenURL: c.TokenURL, Site: c.Site,
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, Timeout: c.Timeout,
	}
}

// sourcesOf are base sites without what a reload takes up of them.
func sourcesOf(sites []config.Site) []config.Site {
	all := slices.Clone(sites)
	for i := range all {
		all[i].ToldByShop = nil
	}
	return all
}
