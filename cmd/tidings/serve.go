package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tidings/config"
)

func serveCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the gateway",
		Long: `Run the gateway with a configuration (config.example.yaml shows every key).

A changed file is taken up while running: routes, texts, channels, API keys and
commerce.reconcile at once, everything else with the next start; the log names what
that is. SIGTERM finishes what is in flight and ends
within 15 seconds.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), path) },
	}
	configFlag(cmd, &path)
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "the configuration file (required)")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *path == "" {
			return usageError{errors.New("--config FILE is required; config.example.yaml is a start")}
		}
		return nil
	}
}

// loadConfig reads a configuration; all its faults become one error.
func loadConfig(path string) (setup, error) {
	cfg, faults, err := readConfig(path, os.LookupEnv)
	if err != nil {
		return setup{}, usageError{err}
	}
	if len(faults) == 0 {
		return cfg, nil
	}
	lines := make([]string, 0, len(faults)+1)
	lines = append(lines, fmt.Sprintf("%s has %d fault(s):", path, len(faults)))
	for _, f := range faults {
		lines = append(lines, "  "+f.String())
	}
	return setup{}, usageError{errors.New(strings.Join(lines, "\n"))}
}

func serve(ctx context.Context, path string) error {
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	changes := make(changes, 1)
	go config.Watch(watching, path, changes.tell) // from before it is read: what changes meanwhile has changed
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	log := logger(cfg.Log)
	profile(log)
	g, err := newGateway(ctx, cfg, log)
	if err != nil {
		return err
	}
	go config.WatchFunc(watching, func() string { return g.cfg.Load().Texts.Dir }, changes.tell)
	sides, err := g.listen()
	if err != nil {
		return errors.Join(err, g.store.Close())
	}
	stop, err := g.start(ctx, sides)
	if err != nil {
		return errors.Join(err, g.store.Close())
	}
	log.Info("tidings is running", "version", version(), "listen", cfg.Server.Listen, "internal", cfg.Server.InternalListen, "config", cfg.Hash())
	go changes.take(watching, func() { g.reload(path, os.LookupEnv) })
	<-ctx.Done()
	log.Info("stopping: finishing what is in flight")
	stop()
	log.Info("stopped")
	return nil
}

// changes says that something has changed and has not been read again.
type changes chan struct{}

func (c changes) tell() {
	select {
	case c <- struct{}{}:
	default: // one is waiting already, for which the newest will be read
	}
}

// take reads again after each change, one after the other, until ctx ends.
func (c changes) take(ctx context.Context, reload func()) {
	for {
		select {
		case <-c:
			reload()
		case <-ctx.Done():
			return
		}
	}
}

func logger(c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, o))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, o))
}
