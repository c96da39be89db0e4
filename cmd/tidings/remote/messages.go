package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// pageMax is how many messages the gateway lists at once.
const pageMax = 200

func messagesCommand() *cobra.Command {
	x := &connection{}
	return group("messages", "List, show, retry, cancel and discard messages of a running gateway",
		`Look at what was told to customers, or was not, and why; and have it sent again.

The states and what leads where: docs/states.md. Needs a key of scope messages.`, x,
		listCommand(x), showCommand(x), retryCommand(x),
		operateCommand(x, "cancel", "Keep what has not left of messages from leaving",
			`Cancel messages that are queued or being sent. Parts that have left stay sent.`),
		operateCommand(x, "discard", "Close messages that did not arrive",
			`Close messages that failed, expired or are parked, for good: the doctor does not
speak of them any more.`),
	)
}

// filter chooses messages.
type filter struct {
	customer, order, event, channel, state, class, since, until string
}

func (f *filter) query(now time.Time) (url.Values, error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"customer": f.customer, "order": f.order, "event": f.event, "channel": f.channel, "state": f.state, "class": f.class,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, value := range map[string]string{"since": f.since, "until": f.until} {
		if value == "" {
			continue
		}
		t, err := when("--"+name, value, now)
		if err != nil {
			return nil, err
		}
		q.Set(name, stamp(t))
	}
	return q, nil
}

func listCommand(x *connection) *cobra.Command {
	var f filter
	var p paging
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List messages, newest first",
		Example: `  tidings messages list --state failed --since 2h
  tidings messages list --customer ines.vidal@example.com
  tidings messages list --event e-1001
  tidings messages list --channel messenger --class WindowClosed --all --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := f.query(time.Now())
			if err != nil {
				return err
			}
			c, err := x.open()
			if err != nil {
				return err
			}
			return p.list(cmd, c, q, x.json)
		},
	}
	g := cmd.Flags()
	g.StringVar(&f.customer, "customer", "", "to this customer, by `uid`")
	g.StringVar(&f.order, "order", "", "about this order, by `code`")
	g.StringVar(&f.event, "event", "", "of this event, by its sender's `id`")
	g.StringVar(&f.channel, "channel", "", "on this channel, by `name`")
	g.StringVar(&f.state, "state", "", "queued, sending, sent, delivered, read, failed, expired, suppressed, cancelled or parked")
	g.StringVar(&f.class, "class", "", "class of the last failure: Temporary, Throttled, Rejected, Unreachable, Misconfigured, WindowClosed or Uncertain")
	g.StringVar(&f.since, "since", "", "made since a `time`: "+whenHelp)
	g.StringVar(&f.until, "until", "", "made before a `time`")
	g.IntVar(&p.limit, "limit", 50, "how many at most, `n`")
	g.BoolVar(&p.all, "all", false, "all there are")
	g.StringVar(&p.cursor, "cursor", "", "go on where an earlier list ended, with its `next`")
	return cmd
}

// paging is how much of a list to show.
type paging struct {
	limit  int
	all    bool
	cursor string
}

// page is a list as the gateway gives it.
type page struct {
	Items []json.RawMessage `json:"items"`
	Next  *string           `json:"next"`
}

// list prints messages, a page at a time, or as one JSON object.
func (p paging) list(cmd *cobra.Command, c *client, q url.Values, asJSON bool) error {
	if p.limit < 1 {
		return wrongUsage("--limit must be at least 1")
	}
	out := page{Items: []json.RawMessage{}}
	shown := 0
	if p.cursor != "" {
		out.Next = &p.cursor
	}
	for {
		got, err := p.next(cmd.Context(), c, q, out.Next, p.limit-shown)
		if err != nil {
			return err
		}
		if asJSON {
			out.Items = append(out.Items, got.Items...)
		} else if err := printMessages(cmd.OutOrStdout(), got.Items, shown == 0); err != nil {
			return err
		}
		shown, out.Next = shown+len(got.Items), got.Next
		if out.Next == nil || !p.all && shown >= p.limit {
			break
		}
	}
	if asJSON {
		raw, err := json.Marshal(out)
		if err != nil {
			return err
		}
		return printJSON(cmd.OutOrStdout(), raw)
	}
	if out.Next != nil {
		cmd.PrintErrf("there are more: --all, a higher --limit, or --cursor %s\n", *out.Next)
	}
	return nil
}

// next asks for one page of at most left messages.
func (p paging) next(ctx context.Context, c *client, q url.Values, cursor *string, left int) (page, error) {
	size := pageMax
	if !p.all {
		size = min(size, left)
	}
	q.Set("limit", strconv.Itoa(size))
	if cursor != nil {
		q.Set("cursor", *cursor)
	}
	var got page
	_, err := c.tell(ctx, request{method: http.MethodGet, path: "/v1/messages", query: q}, &got)
	return got, err
}

func printMessages(w io.Writer, items []json.RawMessage, first bool) error {
	if first && len(items) == 0 {
		_, err := io.WriteString(w, "no messages\n")
		return err
	}
	rows := [][]string{{"ID", "MADE", "STATE", "CLASS", "CHANNEL", "TYPE", "ORDER", "CUSTOMER", "WHY"}}
	for _, raw := range items {
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("a message cannot be understood: %w", err)
		}
		rows = append(rows, []string{m.ID, local(m.CreatedAt), m.State, m.Class, m.Channel, m.Type, m.Order, m.Customer, m.Why})
	}
	_, err := io.WriteString(w, table(rows...))
	return err
}

func showCommand(x *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID…",
		Short: "Show messages with their parts, every attempt, and what was answered",
		Example: `  tidings messages show 4711
  tidings messages show 4711 --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := x.open()
			if err != nil {
				return err
			}
			return each(cmd, args, func(id string) error {
				var m message
				raw, err := c.tell(cmd.Context(), request{method: http.MethodGet, path: "/v1/messages/" + segment(id)}, &m)
				if err != nil {
					return aboutMessage(id, err)
				}
				if x.json {
					return printJSON(cmd.OutOrStdout(), raw)
				}
				_, err = io.WriteString(cmd.OutOrStdout(), m.describe())
				return err
			})
		},
	}
}

// aboutMessage says which message an error is about.
func aboutMessage(id string, err error) error {
	if status(err) == http.StatusNotFound {
		return fmt.Errorf("there is no message %s", line(id))
	}
	return fmt.Errorf("message %s: %w", line(id), err)
}
