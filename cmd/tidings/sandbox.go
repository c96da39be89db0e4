package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"tidings/config"
)

func sandboxCommand() *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Try everything without an account: gateway, emulated platforms and an emulated shop",
		Long: `Run the real gateway together with emulated Messenger, Telegram and Slack, an
emulated shop, and one page on which to be the customer, the shop and its agent.
It needs no account and no configuration, and prints one URL.

The database and the configuration are files in a folder. Each start begins a new
world, and with it a new database.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandbox(cmd, o) },
	}
	cmd.Flags().StringVar(&o.listen, "listen", "127.0.0.1:8080", "where to listen; port 0 takes a free one")
	cmd.Flags().StringVar(&o.data, "data", "", "the folder for the database and the configuration (default: a temporary one)")
	cmd.Flags().BoolVar(&o.demo, "demo", false, "play the whole walk once: order, link, news, question, answer")
	cmd.AddCommand(emulatorCommands()...)
	cmd.AddCommand(laterCommand("replay", ""))
	return cmd
}

type sandboxOptions struct {
	listen, data string
	demo         bool
}

func runSandbox(cmd *cobra.Command, o sandboxOptions) error {
	ctx := cmd.Context()
	dir, leave, err := dataFolder(o.data)
	if err != nil {
		return err
	}
	defer leave()
	listener, err := listenOn(o.listen)
	if err != nil {
		return err
	}
	base := baseURL(listener)
	world, path, err := newWorld(dir, base)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer world.Close()
	cfg, err := loadConfig(path)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	g, err := newGateway(ctx, cfg, logger(config.Log{Level: "warn", Format: "text"}))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	stop, err := g.start(ctx, []side{{listener, world.Beside(g.web.Both())}})
	if err != nil {
		return errors.Join(err, g.store.Close(), listener.Close())
	}
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "The sandbox is open at %s\n", base)
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "configuration: %s\nAPI:           %s/docs\nCtrl-C ends it.\n", path, base)
	if o.demo {
		go func() {
			if err := world.Demo(ctx); err != nil && ctx.Err() == nil {
				g.log.Error("the demonstration stopped", "err", err)
			}
		}()
	}
	<-ctx.Done()
	world.Close() // ends the long polls of open pages, for which stop would wait
	stop()
	return nil
}

// listenOn listens where a flag says.
func listenOn(addr string) (net.Listener, error) {
	if _, err := net.ResolveTCPAddr("tcp", addr); err != nil {
		return nil, usageError{fmt.Errorf("--listen: %w", err)}
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w (another one can be chosen with --listen)", err)
	}
	return l, nil
}

// baseURL is how this machine reaches a listener.
func baseURL(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// serveAlone serves a handler until ctx ends.
func serveAlone(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		stopServers([]*http.Server{s})
		return nil
	}
}
