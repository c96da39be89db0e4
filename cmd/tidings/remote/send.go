package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// maxBatch is how many events the gateway takes at once.
const maxBatch = 1000

func sendCommand() *cobra.Command {
	var x connection
	var e eventFlags
	cmd := &cobra.Command{
		Use:   "send [FILE | -] [flags]",
		Short: "Report events to a running gateway",
		Long: `Report events to a running gateway, as the shop does, and say what became of each
at the door: accepted (on disk), duplicate (known already, nothing more happens) or
ignored (of a type that means nothing to a customer).

FILE holds CloudEvents as JSON: one, a list, or one after the other; "-" is standard
input. More than 1000 are sent in batches, each taken as a whole or not at all.
Without FILE, one event is made of the flags.

An event of the same source and id is a duplicate, so what failed may be sent again.
Needs a key of scope events.`,
		Example: `  tidings send shipped.json
  jq -c .event archive.log | tidings send -
  tidings send --type message.requested --customer ines.vidal@example.com --text "Your reserved item is here."
  tidings send --type order.shipped --order 00417003 --data '{"consignmentCode":"cons00417003_0"}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			events, err := e.read(cmd, args)
			if err != nil {
				return err
			}
			c, err := x.open()
			if err != nil {
				return err
			}
			return send(cmd, c, events, x.json)
		},
	}
	x.flags(cmd)
	e.flags(cmd)
	return cmd
}

// accepted is the gateway's answer to events.
type accepted struct {
	Accepted   int             `json:"accepted"`
	Duplicates int             `json:"duplicates"`
	Ignored    int             `json:"ignored"`
	Events     []acceptedEvent `json:"events"`
}

type acceptedEvent struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Warnings []string `json:"warnings"`
	Differs  bool     `json:"differs"`
}

// send posts events in batches and prints what became of them. What earlier
// batches became is printed even if a later one fails.
func send(cmd *cobra.Command, c *client, events []json.RawMessage, asJSON bool) error {
	all := accepted{Events: []acceptedEvent{}}
	var failed error
	for rest := events; len(rest) > 0 && failed == nil; rest = rest[min(maxBatch, len(rest)):] {
		var got accepted
		if _, failed = c.tell(cmd.Context(), post(rest[:min(maxBatch, len(rest))]), &got); failed == nil {
			all.Accepted, all.Duplicates, all.Ignored = all.Accepted+got.Accepted, all.Duplicates+got.Duplicates, all.Ignored+got.Ignored
			all.Events = append(all.Events, got.Events...)
		}
	}
	if failed != nil && len(events) > maxBatch {
		failed = fmt.Errorf("after %d of %d events: %w", len(all.Events), len(events), failed)
	}
	if failed != nil && len(all.Events) == 0 {
		return failed
	}
	if err := all.print(cmd.OutOrStdout(), asJSON); err != nil {
		return err
	}
	return failed
}

// post is the request for events: structured for one, else a batch.
func post(events []json.RawMessage) request {
	r := request{method: "POST", path: "/v1/events", media: "application/cloudevents+json", body: []byte(events[0])}
	if len(events) > 1 {
		r.media, r.body = "application/cloudevents-batch+json", events
	}
	return r
}

func (a accepted) print(w io.Writer, asJSON bool) error {
	if asJSON {
		raw, err := json.Marshal(a)
		if err != nil {
			return err
		}
		return printJSON(w, raw)
	}
	var b strings.Builder
	for _, e := range a.Events {
		fmt.Fprintf(&b, "%s: %s", line(e.ID), line(e.Status))
		if e.Differs {
			b.WriteString(" of an event with other contents; it stays as it was")
		}
		b.WriteString("\n")
		for _, warning := range e.Warnings {
			fmt.Fprintf(&b, "  warning: %s\n", line(warning))
		}
	}
	if len(a.Events) > 1 {
		fmt.Fprintf(&b, "%d accepted, %d duplicate, %d ignored\n", a.Accepted, a.Duplicates, a.Ignored)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// readEvents reads one event, a list of them, or one after the other.
func readEvents(path string, stdin io.Reader) ([]json.RawMessage, error) {
	from := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, &UsageError{err}
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	var events []json.RawMessage
	for dec := json.NewDecoder(from); ; {
		var one json.RawMessage
		err := dec.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, wrongUsage("%s is not JSON: %w", path, err)
		}
		var list []json.RawMessage
		if json.Unmarshal(one, &list) == nil {
			events = append(events, list...)
			continue
		}
		events = append(events, one)
	}
	if len(events) == 0 {
		return nil, wrongUsage("%s holds no event", path)
	}
	return events, nil
}
