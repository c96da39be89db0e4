package sandbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
	"tidings/channels/slack/slacksim"
	"tidings/channels/telegram/telegramsim"
	"tidings/core/hybris/hybrissim"
)

// Options are the surroundings of a sandbox.
type Options struct {
	// Gateway is where the gateway takes webhooks: BASE of BASE/webhooks/messenger.
	// Empty: there is none, and nobody is told what happens.
	Gateway string
	// InternalURL is where the gateway takes API calls; default Gateway.
	InternalURL string
	// Base is where the sandbox itself is reached; default Gateway, for the two
	// share one listener.
	Base    string
	Secrets Secrets
	// Client makes every request to the gateway; default one of its own.
	Client *http.Client
	Now    func() time.Time
	Wait   emulator.Wait // how time passes; default by timers
	Seed   uint64        // decides chance in faults
}

// Sandbox is an emulated world.
type Sandbox struct {
	opt       Options
	id        string // tells this world from the one before a restart
	platforms []platform
	messenger *messengersim.Sim
	telegram  *telegramsim.Sim
	slack     *slacksim.Sim
	shop      *hybrissim.Sim
	people    people
	gateway   gateway
	closed    chan struct{}
	close     func()
}

// platform is an emulated platform as the page knows it.
type platform struct {
	Name  string `json:"name"` // of the channel in the configuration
	Title string `json:"title"`
	// Way is how a customer brings a reference there (emulator.Control's /optin).
	Way    string `json:"way"`
	Reads  bool   `json:"reads"`  // has read receipts
	Blocks bool   `json:"blocks"` // tells the gateway who blocks it

	sim emulator.Sim
}

// New returns a world with a few customers, each with an order. Close it after use.
func New(opt Options) *Sandbox {
	opt = withDefaults(opt)
	s := &Sandbox{opt: opt, id: rand.Text(), closed: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.gateway = gateway{base: opt.InternalURL, key: opt.Secrets.APIKey, client: opt.Client}
	s.openPlatforms()
	s.openShop()
	return s
}

func withDefaults(opt Options) Options {
	opt.Gateway = strings.TrimRight(opt.Gateway, "/")
	if opt.InternalURL == "" {
		opt.InternalURL = opt.Gateway
	}
	if opt.Base == "" {
		opt.Base = opt.Gateway
	}
	opt.InternalURL, opt.Base = strings.TrimRight(opt.InternalURL, "/"), strings.TrimRight(opt.Base, "/")
	if opt.Client == nil {
		opt.Client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wait == nil {
		opt.Wait = emulator.Sleep
	}
	return opt
}

// openPlatforms starts the emulated platforms, whose webhooks are the gateway's.
func (s *Sandbox) openPlatforms() {
	o, secrets := s.opt, s.opt.Secrets
	hook := func(channel string) string {
		if o.Gateway == "" {
			return ""
		}
		return o.Gateway + "/webhooks/" + channel
	}
	back := func(channel string) []string { return []string{o.Gateway + "/auth/" + channel + "/callback"} }
	s.messenger = messengersim.New(messengersim.Options{
		Redirects: back("messenger"), FilesURL: o.Base + "/messenger",
		PageID: pageID, PageToken: secrets.PageToken, AppID: appID, AppSecret: secrets.AppSecret, VerifyToken: secrets.VerifyToken,
		WebhookURL: hook("messenger"), Client: o.Client, Now: o.Now, Wait: o.Wait, Seed: o.Seed,
	})
	s.telegram = telegramsim.New(telegramsim.Options{
		LoginSecret: secrets.TelegramSecret, LoginURL: o.Base + "/telegram", Redirects: back("telegram"),
		Token: secrets.TelegramToken, Username: botUsername, SecretToken: secrets.TelegramSecret, Local: true,
		WebhookURL: hook("telegram"), Client: o.Client, Now: o.Now, Wait: o.Wait, Seed: o.Seed,
	})
	s.slack = slacksim.New(slacksim.Options{
		TeamID: teamID, ClientID: slackClient, ClientSecret: secrets.SlackSecret, LoginURL: o.Base + "/slack", Redirects: back("slack"),
		BotToken: secrets.SlackToken, SigningSecret: secrets.SlackSecret, BaseURL: o.Base + "/slack",
		WebhookURL: hook("slack"), Client: o.Client, Now: o.Now, Wait: o.Wait, Seed: o.Seed,
	})
	s.platforms = []platform{
		{Name: "messenger", Title: "Messenger", Way: "plugin", Reads: true, sim: s.messenger},
		{Name: "telegram", Title: "Telegram", Way: "start", Blocks: true, sim: s.telegram},
		{Name: "slack", Title: "Slack", Way: "dm", sim: s.slack},
	}
}

// openShop starts the emulated shop, which reports what happens in it to the
// gateway, and fills it.
func (s *Sandbox) openShop() {
	s.shop = hybrissim.New(hybrissim.Options{
		BaseSites: []string{site}, ClientID: shopClient, ClientSecret: s.opt.Secrets.ShopSecret, AllowTrustedTickets: true,
		EventsURL: s.opt.InternalURL + "/v1/events", EventsKey: s.opt.Secrets.APIKey, AutoPush: s.opt.InternalURL != "",
		Client: s.opt.Client, Now: s.opt.Now, Wait: s.opt.Wait,
	})
	for i, p := range []struct{ name, locale string }{{"Ines Vidal", "en"}, {"Jonas Weber", "de"}, {"Mara Okoye", "en"}} {
		who, err := s.join(p.name, p.locale, "")
		if err != nil {
			panic("sandbox: a sample customer is refused: " + err.Error())
		}
		s.shop.AddOrder(hybrissim.SampleOrder(fmt.Sprintf("0041700%d", i+1), who.UID, site))
	}
}

// join makes somebody a customer of the shop, or one of the people who has
// ordered there as a guest.
func (s *Sandbox) join(name, locale, guest string) (Person, error) {
	who, err := s.people.add(name, locale, guest)
	if err != nil {
		return who, err
	}
	s.shop.AddCustomer(who.UID, who.Name)
	// They have accounts to log in with, before they have written anything.
	s.messenger.Know(who.Chats["messenger"])
	s.telegram.Meet(who.Chats["telegram"])
	s.slack.Know(who.Chats["slack"])
	return who, nil
}

// Close gives up what is under way: webhooks, and pages that wait for news.
func (s *Sandbox) Close() {
	s.close()
	s.messenger.Close()
	s.telegram.Close()
	s.slack.Close()
}

// Settle waits until no webhook is under way.
func (s *Sandbox) Settle(ctx context.Context) error {
	for _, p := range s.platforms {
		if err := p.sim.Webhooks().Settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Messenger returns the emulated Page.
func (s *Sandbox) Messenger() *messengersim.Sim { return s.messenger }

// Telegram returns the emulated bot.
func (s *Sandbox) Telegram() *telegramsim.Sim { return s.telegram }

// Slack returns the emulated workspace.
func (s *Sandbox) Slack() *slacksim.Sim { return s.slack }

// Shop returns the emulated shop.
func (s *Sandbox) Shop() *hybrissim.Sim { return s.shop }

// People returns the customers, in the order in which they came.
func (s *Sandbox) People() []Person { return s.people.list() }
