package intake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// BenchmarkRead is what it takes to understand events at the door.
func BenchmarkRead(b *testing.B) {
	event := func(i int) map[string]any {
		return map[string]any{
			"specversion": "1.0", "id": fmt.Sprintf("e-%d", i), "source": "/shop/electronics", "type": "message.requested",
			"time": "2026-11-22T10:00:00Z",
			"data": map[string]any{"customerUid": "ines.vidal@example.com", "text": "Your order 00417003 has left our warehouse and should be with you on Thursday."},
		}
	}
	all := make([]map[string]any, 100)
	for i := range all {
		all[i] = event(i)
	}
	for _, tt := range []struct {
		name, kind string
		body       any
		events     int
	}{{"one", "application/cloudevents+json", event(1), 1}, {"hundred", "application/cloudevents-batch+json", all, 100}} {
		b.Run(tt.name, func(b *testing.B) {
			body, err := json.Marshal(tt.body)
			if err != nil {
				b.Fatal(err)
			}
			r := Reader{Site: func(string) string { return "electronics" }}
			h := http.Header{"Content-Type": {tt.kind}}
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				received, faults, err := r.Read(h, body, now)
				if err != nil || len(faults) > 0 || len(received) != tt.events {
					b.Fatalf("got %d events, faults %v, error %v, want %d events", len(received), faults, err, tt.events)
				}
			}
		})
	}
}
