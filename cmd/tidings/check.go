package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tidings/channels"
	"tidings/config"
)

func checkCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Check a configuration: every fault at once, nothing is opened",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, faults, err := config.Load(path, channels.Types, os.LookupEnv)
			if err != nil {
				return usageError{err}
			}
			if len(faults) == 0 {
				faults = textFaults(cfg)
			}
			if asJSON {
				return printJSON(cmd, faults)
			}
			return printFaults(cmd, path, faults)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// textFaults are the faults in the shop's own texts, which a configuration names.
func textFaults(cfg *config.Config) []config.Fault {
	if _, err := loadTexts(cfg); err != nil {
		return []config.Fault{{Key: "texts.dir", Problem: err.Error()}}
	}
	return nil
}

func printFaults(cmd *cobra.Command, path string, faults []config.Fault) error {
	if len(faults) == 0 {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: no faults\n", path)
		return err
	}
	for _, f := range faults {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s:%d: %s: %s\n", path, f.Line, f.Key, f.Problem); err != nil {
			return err
		}
	}
	return usageError{fmt.Errorf("%s has %d fault(s)", path, len(faults))}
}

func printJSON(cmd *cobra.Command, faults []config.Fault) error {
	type fault struct {
		Key     string `json:"key"`
		Line    int    `json:"line"`
		Problem string `json:"problem"`
	}
	all := make([]fault, 0, len(faults))
	for _, f := range faults {
		all = append(all, fault(f))
	}
	if err := json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"faults": all}); err != nil {
		return err
	}
	if len(all) > 0 {
		return usageError{fmt.Errorf("%d fault(s)", len(all))}
	}
	return nil
}
