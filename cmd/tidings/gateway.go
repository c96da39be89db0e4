package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"tidings/config"
	"tidings/core"
	"tidings/core/desk"
	"tidings/core/dispatch"
	"tidings/core/hybris"
	"tidings/core/inbound"
	"tidings/core/intake"
	"tidings/core/lane"
	"tidings/core/reconcile"
	"tidings/core/render"
	"tidings/core/seal"
	"tidings/core/store"
	"tidings/core/web"
)

// gateway is everything that runs, put together.
type gateway struct {
	cfg     atomic.Pointer[config.Config]
	started *config.Config // with which it started
	log     *slog.Logger
	store   *store.Store
	engine  *lane.Engine
	out     *dispatch.Dispatcher
	intake  *intake.Intake
	inbound *inbound.Inbound
	web     *web.Server
	shop    *hybris.Client // nil: there is none
	again   *reconcile.Reconciler
	mailbox *desk.Mailbox // nil: questions do not go there
	ready   atomic.Bool
}

// newGateway opens the database and puts the rooms together. Nothing runs yet.
func newGateway(ctx context.Context, with setup, log *slog.Logger) (*gateway, error) {
	g, cfg := &gateway{log: log, started: with.Config}, with.Config
	g.cfg.Store(cfg)
	outlets, err := openOutlets(cfg, log, g.alive)
	if err != nil {
		return nil, err
	}
	err = whileAway(ctx, log, func() (err error) {
		g.store, err = store.Open(ctx, cfg.Store.URL)
		return err
	})
	if err != nil {
		return nil, err
	}
	tellFacts(g.store.Facts(), log)
	metrics := web.NewMetrics()
	g.engine = lane.New(g.store, log)
	g.out = dispatch.New(g.engine, log, metrics.Count)
	g.out.SetOutlets(outlets)
	keys, err := sealKeys(cfg)
	if err != nil {
		return nil, errors.Join(err, g.store.Close())
	}
	shop := g.openShop(cfg, keys)
	g.intake = intake.New(intake.Options{
		Engine: g.engine, Outbox: g.out, Shop: shop, Orders: hybris.NewDialect(nil),
		Wait: cfg.Commerce.Wait, Log: log, Count: metrics.Count,
	}, with.rules())
	questions, err := g.deskOptions(inbound.Options{
		Engine: g.engine, Outbox: g.out, Events: g.intake, Shop: shop,
		Site: cfg.Commerce.Site, Keys: keys, Texts: g.texts, Sibling: g.sibling, ShopLogin: g.shopLogin, Matcher: g.matcher, Log: log, Count: metrics.Count,
	}, cfg.Commerce.Tickets)
	if err != nil {
		return nil, errors.Join(err, g.store.Close())
	}
	g.inbound = inbound.New(questions)
	g.engine.Handle(dispatch.Kind, g.out.Lane())
	g.engine.Handle(intake.CustomerKind, g.intake.Customers())
	g.engine.Handle(intake.OrderKind, g.intake.OrdersWithoutCustomer())
	g.engine.Handle(inbound.ChatKind, g.inbound.Chats())
	g.engine.Handle(inbound.ConversationKind, g.inbound.Conversations())
	g.again = g.newReconciler(cfg, shop, metrics.Count)
	g.web = g.newWeb(cfg, metrics)
	return g, nil
}

// tellFacts warns of what an operator should know of the database.
func tellFacts(f store.Facts, log *slog.Logger) {
	if f.Pooled {
		log.Warn("the database is behind a pooler, without sessions and notices: work moves to another process only when a lease ends, " +
			"and what one process accepts for another waits for its next search")
	}
	if f.LosesCommits {
		log.Warn("the database answers before a commit is on its disk (synchronous_commit is off): after its crash, what was accepted may be gone")
	}
	if f.LosesOnFailover {
		log.Warn("the database waits for none of its standbys (synchronous_standby_names is empty): after a failover, what was accepted last may be gone")
	}
}

// openShop returns the guarded shop; nil where there is none.
func (g *gateway) openShop(cfg *config.Config, keys *seal.Keys) core.Shop {
	if cfg.Commerce.Type != config.Hybris {
		return nil
	}
	o := hybris.Options{
		BaseURL: cfg.Commerce.BaseURL, TokenURL: cfg.Commerce.TokenURL, ClientID: cfg.Commerce.ClientID,
		ClientSecret: cfg.Commerce.ClientSecret, DefaultSite: cfg.Commerce.Site, Timeout: cfg.Commerce.Timeout,
		Tickets: cfg.Commerce.Tickets.Desk, HTTP: httpClient(g.alive), Log: g.log, Now: time.Now,
	}
	if store := cfg.Commerce.Tickets.Storefront; o.Tickets == hybris.TicketsCustomer {
		o.Customers = &inbound.Lent{Engine: g.engine, Keys: keys}
		o.Storefront = hybris.Storefront{ID: store.ClientID, Secret: store.ClientSecret}
	}
	for _, s := range cfg.Commerce.Sites {
		o.Sites = append(o.Sites, hybris.Site{ID: s.ID, Source: s.Source})
	}
	for _, x := range cfg.Commerce.Objects {
		o.Objects = append(o.Objects, hybris.Object{Name: x.Name, Is: x.Is})
	}
	for _, x := range cfg.Commerce.Consents {
		o.Consents = append(o.Consents, hybris.Consent{Template: x.Template, Purpose: x.Purpose})
	}
	g.shop = hybris.New(o)
	return intake.Guard(g.shop)
}

// newReconciler reads the shop again; without one, nothing.
func (g *gateway) newReconciler(cfg *config.Config, shop core.Shop, count core.Count) *reconcile.Reconciler {
	o := reconcile.Options{
		Engine: g.engine, Events: g.intake, Sites: []string{cfg.Commerce.Site}, Settings: readingsOf(cfg), Log: g.log, Count: count,
	}
	for _, s := range cfg.Commerce.Sites {
		if !slices.Contains(o.Sites, s.ID) {
			o.Sites = append(o.Sites, s.ID)
		}
	}
	if history, ok := shop.(core.History); ok {
		o.Shop, o.Dialect = history, g.shop.Dialect()
	}
	return reconcile.New(o)
}

// readingsOf is how the shop is read again.
func readingsOf(cfg *config.Config) reconcile.Settings {
	return reconcile.Settings(cfg.Commerce.Reconcile)
}

// reader understands what the shop sends.
func (g *gateway) reader() intake.Reader {
	if g.shop == nil {
		site := g.cfg.Load().Commerce.Site
		return intake.Reader{Dialect: hybris.NewDialect(nil), Site: func(string) string { return site }}
	}
	return intake.Reader{Dialect: g.shop.Dialect(), Site: g.shop.Site}
}

// httpClient is one for each channel and for the shop, so that a slow one keeps
// no connection from the others. Callers bound each request by its context.
func httpClient(alive func() bool) *http.Client {
	return &http.Client{Transport: watched(&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         guardedDial(alive),
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	})}
}

// openOutlets opens every configured channel. It makes no request. Nothing
// leaves through them while alive says no.
func openOutlets(cfg *config.Config, log *slog.Logger, alive func() bool) (map[string]*dispatch.Outlet, error) {
	outlets := map[string]*dispatch.Outlet{}
	for _, c := range cfg.Channels {
		ch, err := c.Adapter.Open(core.Env{Name: c.Name, HTTP: httpClient(alive), Log: log.With("channel", c.Name)})
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", c.Name, err)
		}
		outlets[c.Name] = dispatch.NewOutlet(dispatch.Settings{
			Name: c.Name, Type: c.Type, Channel: ch, Limits: hasten(limitsOf(c, ch.Limits())),
			Templates: templatesOf(c), MisconfiguredAfter: c.MisconfiguredAfter,
		})
	}
	return outlets, nil
}

// limitsOf are the adapter's limits as the configuration lowers them.
func limitsOf(c config.Channel, l core.Limits) core.Limits {
	if c.Limits != nil && c.Limits.Text > 0 {
		l.Text.Max = c.Limits.Text
		if l.ButtonText.Max > l.Text.Max {
			l.ButtonText.Max = l.Text.Max
		}
	}
	if c.Pace == nil {
		return l
	}
	if c.Pace.PerSecond > 0 {
		l.Pace.PerSecond, l.Pace.Burst = c.Pace.PerSecond, max(1, int(c.Pace.PerSecond/10))
	}
	if c.Pace.PerRecipient > 0 {
		l.Pace.PerRecipient, l.Pace.RecipientBurst = c.Pace.PerRecipient, max(1, int(c.Pace.PerRecipient))
	}
	if c.Pace.Off {
		l.Pace = core.Pace{}
	}
	return l
}

func templatesOf(c config.Channel) map[core.EventType]dispatch.Template {
	all := map[core.EventType]dispatch.Template{}
	for _, t := range c.Templates {
		all[t.Event] = dispatch.Template{Name: t.Name, Languages: t.Languages, Params: t.Params}
	}
	return all
}

func (g *gateway) texts() (*render.Texts, string) {
	r := g.intake.Rules()
	return r.Texts, r.Locale
}

func sealKeys(cfg *config.Config) (*seal.Keys, error) {
	if len(cfg.OptIn.Keys) == 0 {
		// Without a key nothing is sealed, and nothing that comes in may open.
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		return seal.NewKeys([]string{base64.StdEncoding.EncodeToString(key)})
	}
	var raw []string
	for _, k := range cfg.OptIn.Keys {
		raw = append(raw, k.Reveal())
	}
	return seal.NewKeys(raw)
}

// sibling finds the channel that stands for an account of the same platform application.
func (g *gateway) sibling(channel, account string) (string, bool) {
	outlets := g.out.Outlets()
	own, ok := outlets[channel]
	if !ok {
		return "", false
	}
	id, ok := own.Channel.(core.Identified)
	if !ok {
		return channel, true
	}
	app, mine := id.Identity()
	if mine == account || mine == "" {
		return channel, true
	}
	for _, name := range slices.Sorted(maps.Keys(outlets)) {
		o := outlets[name]
		other, ok := o.Channel.(core.Identified)
		if !ok || o.Type != own.Type {
			continue
		}
		if otherApp, theirs := other.Identity(); otherApp == app && theirs == account {
			return name, true
		}
	}
	return "", false
}

// matcher finds the channel of a name when its platform tells whose account a chat is.
func (g *gateway) matcher(channel string) (core.Matcher, bool) {
	return dispatch.ChannelAs[core.Matcher](g.out, channel)
}

// shopLogin is the shop's login that a channel's platform opens from a chat.
func (g *gateway) shopLogin(channel string) string {
	l, ok := dispatch.ChannelAs[core.AccountLinker](g.out, channel)
	if !ok {
		return ""
	}
	return l.AccountLinkingURL()
}

// newWeb puts the HTTP side in front of the rooms.
func (g *gateway) newWeb(cfg *config.Config, metrics *web.Metrics) *web.Server {
	var prover core.Prover // not a nil client, which would be one
	if g.shop != nil {
		prover = g.shop
	}
	return web.New(web.Options{
		Replicas: g.replicas(), Prover: prover,
		Engine: g.engine, Intake: g.intake, Dispatcher: g.out, Inbound: g.inbound, Metrics: metrics,
		Settings: g.webSettings(cfg), TrustedProxies: cfg.Server.TrustedProxies, Ping: g.store.Ping, Version: version(), Log: g.log,
		Ready: func() (bool, string) {
			if !g.ready.Load() {
				return false, "starting, or stopping"
			}
			return true, ""
		},
	})
}

// replicas tells of the processes that share the database; nil: it has one only.
func (g *gateway) replicas() func(context.Context) ([]web.Replica, error) {
	if _, shared := g.store.Shared(); !shared {
		return nil
	}
	return func(context.Context) ([]web.Replica, error) {
		living, shards := g.engine.Replicas()
		all := make([]web.Replica, 0, len(living))
		for _, r := range living {
			one := web.Replica{ID: r.ID, Self: r.Self, Shards: web.Shards{Owned: r.Shards, All: shards}}
			if r.Self {
				one.Version = version()
			}
			all = append(all, one)
		}
		return all, nil
	}
}

// webSettings are what a reload changes of the HTTP side.
func (g *gateway) webSettings(cfg *config.Config) web.Settings {
	s := web.Settings{
		Reader: g.reader(), PublicURL: cfg.Server.PublicURL, DefaultLocale: cfg.Texts.DefaultLocale,
		ClientCertificateHeader: cfg.Server.ClientCertificateHeader,
		CORSOrigins:             cfg.Server.CORSOrigins,
		CustomerTokens:          g.started.Commerce.Tickets.Desk == config.Customer && len(g.started.OptIn.Keys) > 0,
	}
	if g.mailbox != nil {
		s.Mail = func(raw []byte, now time.Time) ([]core.Event, string, error) {
			a, err := g.mailbox.Read(raw, now)
			return a.Events, a.Why, err
		}
	}
	if len(cfg.OptIn.Keys) > 0 {
		s.OptInExpires = cfg.OptIn.Expires
	}
	for _, k := range cfg.Server.APIKeys {
		s.APIKeys = append(s.APIKeys, web.APIKey(k))
	}
	return s
}
