package main

import (
	"context"
	"fmt"
	"time"
)

// answerIn is how long the platform with a limit takes to answer.
const answerIn = 200 * time.Millisecond

// measurePace measures how much of what a platform allows is used, and how
// often it has to refuse.
func (b *bench) measurePace(ctx context.Context) error {
	db := b.newSQLite()
	defer func() { _ = db.drop() }()
	// The recipients' own pace is out of the way: what is measured is the channel's.
	g, err := b.startGateway(ctx, db, fmt.Sprintf("per_second: %d, per_recipient: %d", b.rate, b.rate))
	if err != nil {
		return err
	}
	defer g.stop()
	people := min(b.pacedTo, maxPeople)
	if err := g.link(ctx, people, b.posters); err != nil {
		return err
	}
	if err := b.behave(ctx, behaviour{Rate: b.rate, Answer: answerIn.Milliseconds(), Retry: 1}); err != nil {
		return err
	}
	if err := b.post(ctx, g, 0, b.paced, people, 100); err != nil {
		return err
	}
	if err := b.await(ctx, g, b.paced, b.paced, patience(b.paced)); err != nil {
		return err
	}
	c, err := b.counted(ctx)
	if err != nil {
		return err
	}
	used := steady(c.PerTick)
	b.add(figure{Part: "pace", Name: fmt.Sprintf("share of %d requests/s in steady state", b.rate), Values: []float64{used / float64(b.rate)}, Bar: atLeast(0.98)})
	minutes := time.Duration(c.Last - c.First).Minutes()
	b.add(figure{Part: "pace", Name: "requests refused by 429", Unit: "per minute", Values: []float64{float64(c.Refused) / minutes}, Bar: atMost(1)})
	return nil
}

// steady is how many requests there were in a second, without the first two
// seconds and the last.
func steady(perTick []int) float64 {
	const first, last = int(2 * time.Second / tick), int(time.Second / tick)
	if len(perTick) <= first+last {
		return 0
	}
	sum := 0
	middle := perTick[first : len(perTick)-last]
	for _, n := range middle {
		sum += n
	}
	return float64(sum) / (time.Duration(len(middle)) * tick).Seconds()
}
