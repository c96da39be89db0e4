package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// words is the i-th message, of a usual length.
func words(i int) string {
	return fmt.Sprintf("Your order %08d has left our warehouse and should be with you on Thursday. Thank you for shopping with us!", i)
}

// asAdapter is a message in the form in which the gateway's adapter posts it.
// A test holds the two together.
func asAdapter(chat int, text string) string {
	return url.Values{
		"chat_id": {strconv.Itoa(chat)}, "text": {text}, "parse_mode": {"HTML"},
		"link_preview_options": {`{"is_disabled":true}`},
	}.Encode()
}

// bare posts n messages as fast as the platform answers and returns how many
// there were in a second.
func (b *bench) bare(ctx context.Context, n int) (perSecond float64, err error) {
	if err := b.behave(ctx, behaviour{}); err != nil {
		return 0, err
	}
	to := b.platformURL + "/bot" + botToken + "/sendMessage"
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = []byte(asAdapter(firstChat+i%b.customers, words(i)))
	}
	begun := time.Now()
	err = inParallel(b.clients, n, func(i int) error {
		_, err := ask(ctx, b.client, http.MethodPost, to, "application/x-www-form-urlencoded", bodies[i], http.StatusOK)
		return err
	})
	return float64(n) / time.Since(begun).Seconds(), err
}

// measureBare measures the bare client alone.
func (b *bench) measureBare(ctx context.Context) error {
	var rates []float64
	for range b.repeat {
		rate, err := b.bare(ctx, b.messages)
		if err != nil {
			return fmt.Errorf("bare client: %w", err)
		}
		rates = append(rates, rate)
	}
	b.add(figure{Part: "bare", Name: fmt.Sprintf("bare client, %d connections", b.clients), Unit: "requests/s", Values: rates})
	return nil
}
