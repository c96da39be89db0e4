package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tidings/channels"
	"tidings/config"
	"tidings/core"
	"tidings/core/intake"
	"tidings/core/render"
)

func checkCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Check a configuration: every fault at once, nothing is opened",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, faults, err := readConfig(path, os.LookupEnv)
			if err != nil {
				return usageError{err}
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

// readConfig reads a configuration. Its faults are all there are: also those of
// the texts in the shop's folder, and of what approved templates ask for.
func readConfig(path string, getenv func(string) (string, bool)) (setup, []config.Fault, error) {
	var s setup
	var err error
	var faults []config.Fault
	parse := func(cfg *config.Config) (wrong []core.Fault) {
		s.texts, wrong = parseTexts(cfg.Texts)
		return wrong
	}
	s.Config, faults, err = config.Load(path, channels.Types, getenv, parse, paramFaults)
	return s, faults, err
}

// setup is a configuration and the texts it names.
type setup struct {
	*config.Config
	texts *render.Texts
}

func (s setup) rules() intake.Rules {
	return intake.Rules{Routes: s.Routes, Texts: s.texts, Locale: s.Texts.DefaultLocale, ToldByShop: s.Commerce.Tells}
}

// parseTexts reads the built-in texts and the shop's own. A fault's key is one
// of the configuration.
func parseTexts(t config.Texts) (*render.Texts, []core.Fault) {
	var own fs.FS
	if t.Dir != "" {
		own = os.DirFS(t.Dir)
	}
	texts, faults := render.New(own, t.DefaultLocale)
	for i, f := range faults {
		switch f.Key {
		case "default_locale", "dir":
			faults[i].Key = "texts." + f.Key
		default: // a file in it
			faults[i] = core.Fault{Key: "texts.dir", Problem: f.Key + ": " + f.Problem}
		}
	}
	return texts, faults
}

// paramFaults are the values for which templates ask and that no text has.
func paramFaults(cfg *config.Config) []core.Fault {
	var faults []core.Fault
	for i, ch := range cfg.Channels {
		for j, t := range ch.Templates {
			for k, path := range t.Params {
				if problem := render.ParamProblem(path); problem != "" {
					faults = append(faults, core.Fault{Key: fmt.Sprintf("channels[%d].templates[%d].params[%d]", i, j, k), Problem: problem})
				}
			}
		}
	}
	return faults
}

func printFaults(cmd *cobra.Command, path string, faults []config.Fault) error {
	if len(faults) == 0 {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: no faults\n", path)
		return err
	}
	for _, f := range faults {
		at := []string{path, f.Key, f.Problem}
		if f.Line > 0 {
			at[0] += ":" + strconv.Itoa(f.Line)
		}
		if f.Key == "" {
			at = slices.Delete(at, 1, 2)
		}
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(at, ": ")); err != nil {
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
