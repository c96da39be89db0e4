package messengersim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
)

// BenchmarkSend is what the emulator itself costs per message, network aside.
func BenchmarkSend(b *testing.B) {
	s := messengersim.New(messengersim.Options{PageID: "555", PageToken: "tok", NoRates: true})
	defer s.Close()
	client := &http.Client{Transport: emulator.Transport(s)}
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		user := fmt.Sprint(next.Add(1))
		_, _ = s.Say(b.Context(), user, "hi")
		for pb.Next() {
			res, err := client.Post("http://graph/v25.0/me/messages?access_token=tok", "application/json",
				strings.NewReader(`{"recipient":{"id":"`+user+`"},"messaging_type":"RESPONSE","message":{"text":"Order 17 is packed"}}`))
			if err != nil || res.StatusCode != http.StatusOK {
				b.Errorf("got %v, %v, want 200", res, err)
				return
			}
		}
	})
}
