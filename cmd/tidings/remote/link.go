package remote

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func linkCommand(x *connection) *cobra.Command {
	var name, locale, wrote string
	var move bool
	cmd := &cobra.Command{
		Use:   "link UID CHANNEL ADDRESS",
		Short: "Link a chat to a customer on the shop's word",
		Long: `Link a chat to a customer on the shop's word: in moving in from another system, or
where somebody has made sure whose chat it is. ADDRESS is what the platform calls
the recipient: a PSID, a chat id, a user id.

Where the platform allows writing only for a while after the customer wrote,
--last-wrote-at says when that was; without it, nothing is sent until they write.`,
		Example: `  tidings customers link ines.vidal@example.com telegram 8817300001
  tidings customers link ines.vidal@example.com messenger 6512345678 --last-wrote-at 3h
  tidings customers link bob@example.com telegram 8817300001 --move`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"address": args[2]}
			for field, value := range map[string]string{"name": name, "locale": locale} {
				if value != "" {
					body[field] = value
				}
			}
			if move {
				body["move"] = true
			}
			if wrote != "" {
				t, err := when("--last-wrote-at", wrote, time.Now())
				if err != nil {
					return err
				}
				body["lastWroteAt"] = stamp(t)
			}
			return linkChat(cmd, x, args[0], request{method: http.MethodPut, path: of(args[0], "addresses", args[1]), body: body})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what the customer is called in that chat")
	f.StringVar(&locale, "locale", "", "the language, such as en or de")
	f.BoolVar(&move, "move", false, "take the chat over from the customer who has it")
	f.StringVar(&wrote, "last-wrote-at", "", "when the customer last wrote there, as a `time`: "+whenHelp)
	return cmd
}

func linkChat(cmd *cobra.Command, x *connection, uid string, r request) error {
	c, err := x.open()
	if err != nil {
		return err
	}
	var l link
	raw, err := c.tell(cmd.Context(), r, &l)
	if status(err) == http.StatusConflict {
		return fmt.Errorf("customer %s: the chat is linked to another customer; --move takes it over", line(uid))
	}
	if err != nil {
		return aboutCustomer(uid, err)
	}
	if x.json {
		return printJSON(cmd.OutOrStdout(), raw)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "linked: %s on %s; can be written to: %s\n", line(l.Address), line(l.Channel), l.writable())
	return err
}

func unlinkCommand(x *connection) *cobra.Command {
	return &cobra.Command{
		Use:     "unlink UID CHANNEL",
		Short:   "End a customer's links on a channel; what is queued there is cancelled",
		Example: `  tidings customers unlink ines.vidal@example.com telegram`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, x, args[0], request{method: http.MethodDelete, path: of(args[0], "addresses", args[1])},
				fmt.Sprintf("%s is not linked on %s any more", line(args[0]), line(args[1])))
		},
	}
}

// change makes a request that has no answer but that it is done.
func change(cmd *cobra.Command, x *connection, uid string, r request, done string) error {
	c, err := x.open()
	if err != nil {
		return err
	}
	raw, err := c.ask(cmd.Context(), r)
	if err != nil {
		return aboutCustomer(uid, err)
	}
	if x.json {
		if len(raw) == 0 {
			raw = []byte("{}")
		}
		return printJSON(cmd.OutOrStdout(), raw)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), done)
	return err
}
