package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// customer is one recipient. Only one clerk writes to a customer, so the order
// of what is posted is that of the list.
type customer struct {
	uid, channel, address string
	posted                []posted
}

// posted is a message that was posted.
type posted struct {
	id, text string
	accepted bool
}

// newCustomer makes the n-th customer.
func newCustomer(n int) *customer {
	channel := allChannels[n%len(allChannels)]
	address := map[string]string{
		messengerName: fmt.Sprintf("64100200%04d", n),
		telegramName:  fmt.Sprintf("881730%04d", n),
		slackName:     fmt.Sprintf("U0GQ7B%04d", n),
	}[channel]
	return &customer{uid: fmt.Sprintf("ines%d.vidal@example.com", n), channel: channel, address: address}
}

// shop reports events. It is patient: what was not answered with a yes is posted
// again, under the same id, to any replica.
type shop struct {
	api     api
	hosts   []string
	all     []*customer
	closing chan struct{} // closed when nothing new is to be posted
	resent  atomic.Int64
	posted  atomic.Int64

	mu     sync.Mutex
	faults []string
}

// clerks are how many customers share one poster.
const customersPerClerk = 3

// open lets the clerks work until ctx ends or the shop closes. It returns when all
// have gone home, each with its last event accepted.
func (s *shop) open(ctx context.Context, seed uint64, rate float64) {
	var clerks sync.WaitGroup
	each := rate * customersPerClerk / float64(len(s.all))
	for from := 0; from < len(s.all); from += customersPerClerk {
		mine := s.all[from:min(from+customersPerClerk, len(s.all))]
		c := clerk{shop: s, customers: mine, random: rand.New(rand.NewPCG(seed, uint64(from)+1))}
		clerks.Go(func() { c.work(ctx, each) })
	}
	clerks.Wait()
}

func (s *shop) faultf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, "shop: "+fmt.Sprintf(format, args...))
}

type clerk struct {
	shop      *shop
	customers []*customer
	random    *rand.Rand
}

// work posts so many messages a second.
func (c *clerk) work(ctx context.Context, rate float64) {
	begun, n := time.Now(), 0
	for {
		due := begun.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		wait := time.NewTimer(time.Until(due))
		select {
		case <-wait.C:
		case <-c.shop.closing:
			wait.Stop()
			return
		case <-ctx.Done():
			wait.Stop()
			return
		}
		to := c.choose()
		n += len(to)
		if !c.report(ctx, to) {
			return
		}
		if late := time.Since(due); late > time.Second {
			begun = begun.Add(late) // a shop that had to wait does not make up for it
		}
	}
}

// choose says whom the next request tells something: one customer, or several of
// them several things.
func (c *clerk) choose() []*customer {
	n := 1
	if c.random.IntN(3) == 0 {
		n = 2 + c.random.IntN(5)
	}
	to := make([]*customer, n)
	for i := range to {
		to[i] = c.customers[c.random.IntN(len(c.customers))]
	}
	return to
}

// report posts one message for each of the customers until they are accepted, and
// reports whether they were.
func (c *clerk) report(ctx context.Context, to []*customer) bool {
	events := make([]event, len(to))
	places := make([]int, len(to))
	for i, who := range to {
		places[i] = len(who.posted)
		p := posted{id: fmt.Sprintf("%s/%d", who.address, places[i]), text: c.text(places[i])}
		who.posted = append(who.posted, p)
		events[i] = event{
			SpecVersion: "1.0", ID: p.id, Source: "/shop/torture", Type: "message.requested",
			Data: map[string]string{"customerUid": who.uid, "text": p.text},
		}
	}
	if !c.insist(ctx, events) {
		return false
	}
	for i, who := range to {
		who.posted[places[i]].accepted = true
	}
	c.shop.posted.Add(int64(len(to)))
	return true
}

// insist posts until there is a yes.
func (c *clerk) insist(ctx context.Context, events []event) bool {
	for ; ctx.Err() == nil; c.shop.resent.Add(1) {
		host := c.shop.hosts[c.random.IntN(len(c.shop.hosts))]
		status, got, err := c.shop.api.post(ctx, host, events)
		switch {
		case err == nil && got.Accepted+got.Duplicates == len(events):
			return true
		case err == nil:
			c.shop.faultf("%s and %d more: got %+v, want all accepted", events[0].ID, len(events)-1, got)
			return false
		case status/100 == 4 && status != 429:
			c.shop.faultf("%s and %d more: %v", events[0].ID, len(events)-1, err)
			return false
		}
		rest(ctx, time.Duration(5+c.random.IntN(40))*time.Millisecond)
	}
	return false
}

// text is the k-th message to a customer, in words that only this message has:
// mostly one sentence, now and then several parts.
func (c *clerk) text(k int) string {
	words := 2 + c.random.IntN(6)
	if c.random.IntN(6) == 0 {
		words = 40 + c.random.IntN(60)
	}
	var b strings.Builder
	for w := range words {
		if w > 0 {
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "m%dw%d", k, w)
	}
	return b.String()
}
