// Command tidings is the gateway, its sandbox and its tools in one binary.
//
// All wiring is in this package, to be read top to bottom: main.go has the
// commands, gateway.go puts the rooms together, run.go lets them run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tidings/cmd/tidings/remote"
	"tidings/core/store"
)

// The exit codes of contract and docs/operations.md.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is wrong usage or a wrong configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	_ = stop // not before the end: a signal more must not change how it ends
	root := rootCommand()
	root.SetArgs(args)
	err := known(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil || interrupted(ctx, err) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "tidings:", err)
	var usage usageError
	var inUse *store.InUseError
	var refused *remote.UsageError
	if errors.As(err, &usage) || errors.As(err, &inUse) || errors.As(err, &refused) {
		return exitUsage
	}
	return exitFailed
}

// interrupted reports whether a command ended early because it was asked to, as
// by a SIGTERM while the gateway was still starting. That is no failure.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// known makes a command that does not exist count as wrong usage, also where
// only help for it is asked.
func known(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	if len(args) > 1 && args[0] == "help" {
		args = args[1:]
	}
	if _, _, err := root.Find(args); err != nil {
		return usageError{err}
	}
	return nil
}

// laterCommands are the ones that the documents name and this version lacks.
func laterCommands() []*cobra.Command {
	var all []*cobra.Command
	for _, name := range []string{"webhooks", "templates", "migrate", "adapter", "plugin", "config"} {
		all = append(all, laterCommand(name, "; the HTTP API is (see /docs of a running gateway)"))
	}
	return all
}

func laterCommand(name, instead string) *cobra.Command {
	return &cobra.Command{
		Use: name, Hidden: true, DisableFlagParsing: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("%s is not in this version%s", cmd.Name(), instead)}
		},
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "tidings",
		Short: "Order news and support answers in the messenger your customers use",
		Long: `Tidings brings a shop's order news and support answers into the messenger that
each customer already uses, and what they write there back as a ticket.

Try it without any account:   tidings sandbox
Run it for real:              tidings check --config tidings.yaml
                              tidings serve --config tidings.yaml
See how it is:                tidings doctor`,
		SilenceUsage:  true,
		SilenceErrors: true,
		// It works; among the commands it would only be noise.
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), checkCommand(), explainCommand(), sandboxCommand(), versionCommand())
	root.AddCommand(remote.Commands()...)
	root.AddCommand(laterCommands()...)
	for _, c := range root.Commands() {
		markUsage(c)
	}
	return root
}

// markUsage makes wrong arguments count as wrong usage.
func markUsage(c *cobra.Command) {
	args := c.Args
	if args == nil {
		args = cobra.NoArgs
	}
	c.Args = func(cmd *cobra.Command, a []string) error {
		if err := args(cmd, a); err != nil {
			return usageError{err}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		markUsage(sub)
	}
}
