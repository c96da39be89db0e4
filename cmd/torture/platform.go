package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
	"tidings/channels/slack/slacksim"
	"tidings/channels/telegram/telegramsim"
)

// The names of the channels in the configuration.
const (
	messengerName = "messenger"
	telegramName  = "telegram"
	slackName     = "slack"
)

var allChannels = []string{messengerName, telegramName, slackName}

// What the emulated platforms and the configuration agree on. Nothing of it
// opens anything in the world.
const (
	pageID, appID = "104729", "99"
	pageToken     = "page-token"
	appSecret     = "app-secret"
	verifyToken   = "verify-token"
	telegramToken = "7000000001:bot-token"
	secretToken   = "secret-token"
	botToken      = "xoxb-bot-token"
	signingSecret = "signing-secret"
	apiKey        = "api-key"
)

// How platforms are. A request takes less time than a gateway takes to start, so
// that what a killed one had sent is there before its successor sends it again.
const (
	quickest = time.Millisecond
	slowest  = 40 * time.Millisecond
	trouble  = 0.01 // of the requests are throttled, and as many fail
	longest  = 300 * time.Millisecond
)

// platforms are the emulated platforms; they live as long as the torture.
type platforms struct {
	sims   map[string]emulator.Sim
	urls   map[string]string
	close  []func()
	enter  map[string]func(address string)
	read   func(ctx context.Context, address string) error // on Messenger
	client *http.Client
}

// mood is how platforms are.
type mood struct {
	seed      uint64
	wait      emulator.Wait
	weather   []emulator.Fault // of each of them
	templates []messengersim.Template
}

// fickle is quick, mostly, and now and then not in the mood.
func fickle(seed uint64) mood {
	return mood{seed: seed, wait: hurry, weather: []emulator.Fault{
		{Kind: emulator.Throttle, Probability: trouble, RetryAfter: time.Second},
		{Kind: emulator.ServerError, Probability: trouble},
		{Delay: quickest, DelayMax: slowest},
	}}
}

// openPlatforms opens the platforms. Their webhooks go to any of the hosts.
func openPlatforms(how mood, hosts []string) (*platforms, error) {
	p := &platforms{sims: map[string]emulator.Sim{}, urls: map[string]string{}, enter: map[string]func(string){}}
	p.client = &http.Client{Transport: &spread{hosts: hosts, next: &http.Transport{MaxIdleConnsPerHost: 16}}}
	hook := func(channel string) string { return "http://gateway/webhooks/" + channel }
	m := messengersim.New(messengersim.Options{
		PageID: pageID, PageToken: pageToken, AppID: appID, AppSecret: appSecret, VerifyToken: verifyToken,
		WebhookURL: hook(messengerName), Client: p.client, NoRates: true, Seed: how.seed, Wait: how.wait, Templates: how.templates,
	})
	t := telegramsim.New(telegramsim.Options{
		Token: telegramToken, Username: "my_shop_bot", SecretToken: secretToken, Local: true,
		WebhookURL: hook(telegramName), Client: p.client, NoRates: true, Seed: how.seed, Wait: how.wait,
	})
	p.close = append(p.close, m.Close, t.Close)
	late := http.NewServeMux()
	for name, h := range map[string]http.Handler{messengerName: m, telegramName: t, slackName: late} {
		if err := p.serve(name, h); err != nil {
			p.closeAll()
			return nil, err
		}
	}
	s := slacksim.New(slacksim.Options{
		BotToken: botToken, SigningSecret: signingSecret, BaseURL: p.urls[slackName],
		WebhookURL: hook(slackName), Client: p.client, NoRates: true, Seed: how.seed, Wait: how.wait,
	})
	p.close = append(p.close, s.Close)
	late.Handle("/", s)
	p.sims = map[string]emulator.Sim{messengerName: m, telegramName: t, slackName: s}
	p.read = m.Read
	p.enter[messengerName] = func(a string) { m.WroteAt(a, time.Now()) }
	p.enter[telegramName], p.enter[slackName] = t.Know, s.Know
	for _, sim := range p.sims {
		sim.Faults().Add(how.weather...)
	}
	return p, nil
}

// hurry lets a platform wait, but not as long as platforms do between attempts
// at a webhook.
func hurry(ctx context.Context, d time.Duration) error { return emulator.Sleep(ctx, min(d, longest)) }

func (p *platforms) serve(name string, h http.Handler) (err error) {
	p.urls[name], err = p.listen(name, h)
	return err
}

func (p *platforms) listen(name string, h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // until it is closed
	p.close = append(p.close, func() { _ = server.Close() })
	return "http://" + l.Addr().String(), nil
}

// through serves the platforms once more, behind a door.
func (p *platforms) through(door func(http.Handler) http.Handler) (urls map[string]string, err error) {
	urls = map[string]string{}
	for name, sim := range p.sims {
		if urls[name], err = p.listen(name, door(sim)); err != nil {
			return nil, err
		}
	}
	return urls, nil
}

// closeAll closes the platforms.
func (p *platforms) closeAll() {
	for _, c := range p.close {
		c()
	}
	p.client.CloseIdleConnections()
}

// shown counts what all recipients see.
func (p *platforms) shown() int {
	n := 0
	for _, sim := range p.sims {
		n += len(sim.Log().All())
	}
	return n
}

// spread hands each request to any of several hosts, as the balancer in front
// of replicas does.
type spread struct {
	hosts []string
	next  *http.Transport
}

func (s *spread) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Host = s.hosts[rand.IntN(len(s.hosts))]
	return s.next.RoundTrip(req)
}

func (s *spread) CloseIdleConnections() { s.next.CloseIdleConnections() }
