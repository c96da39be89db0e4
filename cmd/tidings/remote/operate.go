package remote

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// operateCommand does something to messages.
func operateCommand(x *connection, verb, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " ID…", Short: short, Long: long,
		Example: fmt.Sprintf("  tidings messages %s 4711\n  tidings messages %s 4711 4712 4713", verb, verb),
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := x.open()
			if err != nil {
				return err
			}
			return operate(cmd, c, verb, args, x.json)
		},
	}
}

// operate does something to each message and says what it has become.
func operate(cmd *cobra.Command, c *client, verb string, ids []string, asJSON bool) error {
	return each(cmd, ids, func(id string) error {
		var m message
		raw, err := c.tell(cmd.Context(), request{method: http.MethodPost, path: "/v1/messages/" + segment(id) + "/" + verb}, &m)
		if status(err) == http.StatusConflict {
			return fmt.Errorf("message %s cannot be %s: %w", line(id), pastOf(verb), err)
		}
		if err != nil {
			return aboutMessage(id, err)
		}
		if asJSON {
			return printJSON(cmd.OutOrStdout(), raw)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "message %s %s: it is %s now\n", line(m.ID), pastOf(verb), line(m.State))
		return err
	})
}

func pastOf(verb string) string {
	switch verb {
	case "retry":
		return "retried"
	case "cancel":
		return "cancelled"
	}
	return verb + "ed"
}

func retryCommand(x *connection) *cobra.Command {
	var f filter
	var all bool
	cmd := &cobra.Command{
		Use:   "retry [ID… | --class C --channel N --since T | --all]",
		Short: "Have messages sent that failed, expired, are parked or were cancelled",
		Long: `Accept messages anew, at the end of their chats' lanes. Parts that were sent are
not sent again.

With flags in place of ids: everything that failed or is parked and fits all of
them. --all is everything that failed or is parked.`,
		Example: `  tidings messages retry 4711
  tidings messages retry --channel messenger --class Misconfigured --since 12h
  tidings messages retry --all`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			chosen := f != filter{}
			switch {
			case len(ids) > 0 && (chosen || all):
				return wrongUsage("choose messages by their ids or by flags, not by both")
			case len(ids) == 0 && chosen == all:
				return wrongUsage("say which: ids, or some of --class, --channel and --since, or --all")
			}
			q, err := f.query(time.Now())
			if err != nil {
				return err
			}
			c, err := x.open()
			if err != nil {
				return err
			}
			if len(ids) > 0 {
				return operate(cmd, c, "retry", ids, x.json)
			}
			return retryMany(cmd, c, request{method: http.MethodPost, path: "/v1/messages/retry", query: q}, x.json)
		},
	}
	g := cmd.Flags()
	g.StringVar(&f.class, "class", "", "what failed with this `class`, such as Misconfigured")
	g.StringVar(&f.channel, "channel", "", "what failed on this channel, by `name`")
	g.StringVar(&f.since, "since", "", "what was made since a `time`: "+whenHelp)
	g.BoolVar(&all, "all", false, "everything that failed or is parked")
	return cmd
}

func retryMany(cmd *cobra.Command, c *client, r request, asJSON bool) error {
	var got struct {
		Retried, Skipped int64
	}
	raw, err := c.tell(cmd.Context(), r, &got)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), raw)
	}
	text := plural(got.Retried, "message") + " retried"
	if got.Skipped > 0 {
		text += fmt.Sprintf(", %d had changed meanwhile and were left alone", got.Skipped)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}
