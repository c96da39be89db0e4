package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/config"
	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/hybris"
	"tidings/core/intake"
	"tidings/core/lane"
)

func explainCommand() *cobra.Command {
	var path, eventPath, customer string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain --config FILE --event FILE [--customer UID]",
		Short: "Show what would become of an event: routes, channels, reasons, rendered parts",
		Long: `Show which route an event takes, which channels it chooses and why not the others,
and the parts that each would be sent, without sending anything.

Nothing is opened and nobody is asked: the customer is taken for linked on every
channel with an open window, and the order is what the event carries. A running
gateway answers for a real customer at POST /v1/explain.

--event is a file with a CloudEvent as JSON; "-" is standard input.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if eventPath == "" {
				return usageError{errors.New("--event FILE is required")}
			}
			all, err := explain(cmd.Context(), path, eventPath, customer)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				enc.SetEscapeHTML(false)
				if len(all) == 1 { // as POST /v1/explain answers
					return enc.Encode(all[0])
				}
				return enc.Encode(all)
			}
			return printExplanations(cmd.OutOrStdout(), all)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVarP(&eventPath, "event", "e", "", "a CloudEvent as JSON (required)")
	cmd.Flags().StringVar(&customer, "customer", "", "the customer's uid, instead of the event's")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func explain(ctx context.Context, path, eventPath, customer string) ([]intake.Explanation, error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	body, err := readFile(eventPath)
	if err != nil {
		return nil, usageError{err}
	}
	in, reader, err := planner(cfg)
	if err != nil {
		return nil, err
	}
	events, faults, err := reader.Read(http.Header{"Content-Type": {"application/json"}}, body, time.Now())
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", eventPath, err)}
	}
	for _, f := range faults {
		err = errors.Join(err, fmt.Errorf("%s: %s %s", eventPath, f.Pointer, f.Detail))
	}
	if err != nil {
		return nil, usageError{err}
	}
	all := make([]intake.Explanation, 0, len(events))
	for _, e := range events {
		x, err := in.Explain(ctx, e, customer, everywhere(cfg.Config))
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

func readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

// planner is an intake that can plan and nothing else.
func planner(cfg setup) (*intake.Intake, intake.Reader, error) {
	log := slog.New(slog.DiscardHandler)
	outlets, err := openOutlets(cfg.Config, log, func() bool { return true })
	if err != nil {
		return nil, intake.Reader{}, err
	}
	ignore := func(string, float64, ...string) {}
	engine := lane.New(nil, log)
	out := dispatch.New(engine, log, ignore)
	out.SetOutlets(outlets)
	g := &gateway{log: log}
	g.cfg.Store(cfg.Config)
	g.openShop(cfg.Config, nil)
	in := intake.New(intake.Options{
		Engine: engine, Outbox: out, Orders: hybris.NewDialect(nil), Log: log, Count: ignore,
	}, cfg.rules())
	return in, g.reader(), nil
}

// everywhere links a customer on every configured channel.
func everywhere(cfg *config.Config) []core.LinkedAddress {
	var all []core.LinkedAddress
	for i, c := range cfg.Channels {
		id := int64(i + 1)
		all = append(all, core.LinkedAddress{
			Link:    core.Link{ID: id, AddressID: id, Channel: c.Name, State: core.LinkActive, Purpose: core.OrderUpdates},
			Address: core.ChatAddress{ID: id, Channel: c.Name, LastInAt: time.Now()},
		})
	}
	return all
}

func printExplanations(w io.Writer, all []intake.Explanation) error {
	var b strings.Builder
	for i, x := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "event %s: %s\n", x.Event, x.Type)
		for _, warning := range x.Warnings {
			fmt.Fprintf(&b, "  warning: %s\n", warning)
		}
		fmt.Fprintf(&b, "  %s", x.State)
		if x.Why != "" {
			fmt.Fprintf(&b, ": %s", x.Why)
		}
		b.WriteString("\n")
		if x.Route != "" {
			fmt.Fprintf(&b, "  route %s (deliver: %s), customer %s, locale %s\n  %s\n", x.Route, x.Deliver, x.Customer, x.Locale, x.Reason)
		}
		for _, c := range x.Channels {
			explainOne(&b, c)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func explainOne(b *strings.Builder, c intake.Explained) {
	chosen := c.Chosen
	if chosen == "" {
		chosen = "not used"
	}
	fmt.Fprintf(b, "  %s: %s (%s)\n", c.Channel, chosen, c.Why)
	for _, p := range c.Parts {
		fmt.Fprintf(b, "    part %d of %d\n", p.N, p.Of)
		for line := range strings.Lines(p.Text) {
			fmt.Fprintf(b, "      | %s\n", strings.TrimRight(line, "\n"))
		}
		for _, button := range p.Buttons {
			fmt.Fprintf(b, "      [%s] %s%s\n", button.Title, button.URL, button.Value)
		}
	}
}
