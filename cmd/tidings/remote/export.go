package remote

import (
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

func exportCommand(x *connection) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "export UID",
		Short: "Write out all that the gateway keeps of a customer, as JSON",
		Example: `  tidings customers export ines.vidal@example.com
  tidings customers export ines.vidal@example.com --output ines.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := x.open()
			if err != nil {
				return err
			}
			raw, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: of(args[0], "export")})
			if err != nil {
				return aboutCustomer(args[0], err)
			}
			if output == "" {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			// It is about a person: nobody else on this machine is to read it.
			f, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return &UsageError{err}
			}
			if err := printJSON(f, raw); err != nil {
				_ = f.Close()
				return err
			}
			return f.Close()
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "a new `file` to write to (mode 600)")
	return cmd
}

func eraseCommand(x *connection) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "erase UID --yes",
		Short: "Erase what the gateway keeps of a customer; there is no way back",
		Long: `Erase what the gateway keeps of a customer. What is queued for them is cancelled
first. There is no way back, so --yes has to be said. A gateway that cannot do it yet
says so, and nothing happens.`,
		Example: `  tidings customers erase ines.vidal@example.com --yes`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return wrongUsage("there is no way back: say --yes to erase %s", line(args[0]))
			}
			return change(cmd, x, args[0], request{method: http.MethodDelete, path: of(args[0])}, fmt.Sprintf("%s is erased", line(args[0])))
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, erase")
	return cmd
}
