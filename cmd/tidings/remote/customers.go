package remote

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func customersCommand() *cobra.Command {
	x := &connection{}
	return group("customers", "Show, link, unlink, export and erase customers of a running gateway",
		`See in which chats a customer is reached, and change it on the shop's word.

Needs a key of scope customers.`, x,
		customerCommand(x), linkCommand(x), unlinkCommand(x), preferencesCommand(x), exportCommand(x), eraseCommand(x))
}

// customer is a customer as the gateway knows them.
type customer struct {
	UID         string `json:"uid"`
	Name        string `json:"name"`
	Locale      string `json:"locale"`
	Preferences struct {
		Channels []string `json:"channels"` // nil: no wish
	} `json:"preferences"`
	Links []link `json:"links"`
}

// link is a chat of a customer.
type link struct {
	Channel     string     `json:"channel"`
	Address     string     `json:"address"`
	State       string     `json:"state"`
	Purpose     string     `json:"purpose"`
	Evidence    string     `json:"evidence"`
	Since       *time.Time `json:"since"`
	Blocked     bool       `json:"blocked"`
	LastWroteAt *time.Time `json:"lastWroteAt"`
	WindowOpen  bool       `json:"windowOpen"`
}

func (k customer) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "customer %s\n", line(k.UID))
	wants := "no wish: what the route offers"
	if k.Preferences.Channels != nil {
		wants = strings.Join(k.Preferences.Channels, ", ")
		if wants == "" {
			wants = "nothing at all"
		}
	}
	b.WriteString(fields("name", k.Name, "locale", k.Locale, "wants", wants))
	if len(k.Links) == 0 {
		b.WriteString("no chat is linked\n")
		return b.String()
	}
	rows := [][]string{{"CHANNEL", "ADDRESS", "STATE", "WRITABLE", "SINCE", "LAST WROTE", "PURPOSE", "EVIDENCE"}}
	for _, l := range k.Links {
		rows = append(rows, []string{l.Channel, l.Address, l.State, l.writable(), local(l.Since), local(l.LastWroteAt), l.Purpose, l.Evidence})
	}
	b.WriteString(table(rows...))
	return b.String()
}

// writable is whether the platform lets us write now, and if not, why.
func (l link) writable() string {
	switch {
	case l.Blocked:
		return "no, blocked"
	case l.State != "active":
		return "no, " + strings.ReplaceAll(l.State, "_", " ")
	case !l.WindowOpen:
		return "no, window closed"
	}
	return "yes"
}

// of is the path of a customer.
func of(uid string, below ...string) string {
	path := "/v1/customers/" + segment(uid)
	for _, name := range below {
		path += "/" + segment(name)
	}
	return path
}

// showAnswer makes a request and prints the customer in the answer.
func showAnswer(cmd *cobra.Command, x *connection, uid string, r request) error {
	c, err := x.open()
	if err != nil {
		return err
	}
	var k customer
	raw, err := c.tell(cmd.Context(), r, &k)
	if err != nil {
		return aboutCustomer(uid, err)
	}
	if x.json {
		return printJSON(cmd.OutOrStdout(), raw)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), k.describe())
	return err
}

// aboutCustomer says whom an error is about.
func aboutCustomer(uid string, err error) error {
	if status(err) == http.StatusNotFound && strings.HasPrefix(err.Error(), "not found") {
		return fmt.Errorf("the gateway knows no customer %s", line(uid))
	}
	return fmt.Errorf("customer %s: %w", line(uid), err)
}

func customerCommand(x *connection) *cobra.Command {
	return &cobra.Command{
		Use:     "show UID",
		Short:   "Show a customer: chats, whether they can be written to, wishes",
		Example: `  tidings customers show ines.vidal@example.com`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showAnswer(cmd, x, args[0], request{method: http.MethodGet, path: of(args[0])})
		},
	}
}

func preferencesCommand(x *connection) *cobra.Command {
	var channels []string
	var none, noWish bool
	cmd := &cobra.Command{
		Use:   "preferences UID [--channels A,B | --none | --no-wish]",
		Short: "Show or set on which channels a customer wants to be told",
		Long: `Set on which channels a customer wants to be told. A wish narrows what a route
offers and never widens it. Without a flag, the customer is shown.`,
		Example: `  tidings customers preferences ines.vidal@example.com --channels telegram,messenger
  tidings customers preferences ines.vidal@example.com --no-wish`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			only := cmd.Flags().Changed("channels")
			r := request{method: http.MethodPut, path: of(args[0], "preferences"), body: map[string]any{"channels": nil}}
			switch {
			case only && none, only && noWish, none && noWish:
				return wrongUsage("--channels, --none and --no-wish exclude each other")
			case only:
				r.body = map[string]any{"channels": channels}
			case none:
				r.body = map[string]any{"channels": []string{}}
			case !noWish:
				r = request{method: http.MethodGet, path: of(args[0])}
			}
			return showAnswer(cmd, x, args[0], r)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&channels, "channels", nil, "only on these, by `names`")
	f.BoolVar(&none, "none", false, "on none")
	f.BoolVar(&noWish, "no-wish", false, "wherever the route says")
	return cmd
}
