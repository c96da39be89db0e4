package remote

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"
)

// eventFlags make one event.
type eventFlags struct {
	typ, id, source, time          string
	customer, order, text, purpose string
	data                           string
	expires                        time.Duration
}

// of an event that is made of flags, unless they say something else.
const eventSource = "/tidings/send"

func (e *eventFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&e.typ, "type", "", "the type, such as order.shipped or message.requested")
	f.StringVar(&e.id, "id", "", "the id (default: a new one)")
	f.StringVar(&e.source, "source", "", "the source (default "+eventSource+")")
	f.StringVar(&e.time, "time", "", "when it happened, as a `time` (default: now): "+whenHelp)
	f.StringVar(&e.customer, "customer", "", "data.customerUid: whom it is about, by `uid`")
	f.StringVar(&e.order, "order", "", "data.orderCode: which order, by `code`")
	f.StringVar(&e.text, "text", "", "data.text: what message.requested says")
	f.StringVar(&e.purpose, "purpose", "", "data.purpose: order_updates, service or marketing")
	f.DurationVar(&e.expires, "expires-in", 0, "data.expiresAt, from now: 24h")
	f.StringVar(&e.data, "data", "", "further data, as a `JSON` object")
}

// read returns the events of a file, or the one that the flags make.
func (e *eventFlags) read(cmd *cobra.Command, args []string) ([]json.RawMessage, error) {
	given := *e != eventFlags{}
	switch {
	case len(args) == 1 && given:
		return nil, wrongUsage("an event comes from a file or from flags, not from both")
	case len(args) == 1:
		return readEvents(args[0], cmd.InOrStdin())
	case e.typ == "":
		return nil, wrongUsage("say what to send: a FILE, - for standard input, or --type with further flags")
	}
	one, err := e.event(time.Now())
	return []json.RawMessage{one}, err
}

// event makes a CloudEvent.
func (e *eventFlags) event(now time.Time) (json.RawMessage, error) {
	data := map[string]any{}
	if e.data != "" {
		if err := json.Unmarshal([]byte(e.data), &data); err != nil || data == nil {
			return nil, wrongUsage("--data must be a JSON object")
		}
	}
	for name, value := range map[string]string{"customerUid": e.customer, "orderCode": e.order, "text": e.text, "purpose": e.purpose} {
		if value != "" {
			data[name] = value
		}
	}
	if e.expires > 0 {
		data["expiresAt"] = stamp(now.Add(e.expires))
	}
	event := map[string]any{"specversion": "1.0", "id": e.id, "source": e.source, "type": e.typ, "data": data}
	if e.id == "" {
		event["id"] = "send-" + rand.Text()
	}
	if e.source == "" {
		event["source"] = eventSource
	}
	if e.time != "" {
		at, err := when("--time", e.time, now)
		if err != nil {
			return nil, err
		}
		event["time"] = stamp(at)
	}
	return json.Marshal(event)
}
