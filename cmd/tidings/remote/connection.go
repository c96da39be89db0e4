package remote

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// defaultServer is the API of a gateway on this machine, as config.example.yaml has it.
const defaultServer = "http://127.0.0.1:9090"

// The environment in place of flags.
const (
	serverVariable = "TIDINGS_SERVER"
	keyVariable    = "TIDINGS_KEY"
)

// maxKeyFile is more than any key has.
const maxKeyFile = 4 << 10

// UsageError is a wrong command, or a request that the gateway refuses and would
// refuse again.
type UsageError struct{ error }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.error }

func wrongUsage(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// Commands returns the commands that talk to a running gateway.
func Commands() []*cobra.Command {
	return []*cobra.Command{sendCommand(), messagesCommand(), customersCommand(), doctorCommand()}
}

// connection is how a command reaches the gateway, and how it prints.
type connection struct {
	server, key, keyFile string
	timeout              time.Duration
	json                 bool
}

// flags adds the flags that all commands have. What the environment holds is no
// default of a flag: help would print it.
func (x *connection) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&x.server, "server", "", "the gateway's API, as a `URL` (default: "+serverVariable+" in the environment, else "+defaultServer+")")
	f.StringVar(&x.key, "key", "", "an API `key`, which others on this machine can see here (default: "+keyVariable+" in the environment)")
	f.StringVar(&x.keyFile, "key-file", "", "a `file` that holds the API key")
	f.DurationVar(&x.timeout, "timeout", time.Minute, "how long the gateway may take for one answer")
	f.BoolVar(&x.json, "json", false, "print what the gateway answered, as JSON")
}

// open returns a client of the gateway.
func (x *connection) open() (*client, error) {
	key, err := x.readKey()
	if err != nil {
		return nil, err
	}
	base, err := x.readServer()
	if err != nil {
		return nil, err
	}
	return &client{base: base, key: key, http: &http.Client{
		Timeout: x.timeout,
		// The API does not redirect: whatever does is not the gateway, and gets no key.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (x *connection) readKey() (string, error) {
	key := x.key
	switch {
	case x.key != "" && x.keyFile != "":
		return "", wrongUsage("--key and --key-file exclude each other")
	case x.keyFile != "":
		raw, err := os.ReadFile(x.keyFile)
		if err != nil {
			return "", wrongUsage("--key-file: %w", err)
		}
		key = strings.TrimSpace(string(raw[:min(len(raw), maxKeyFile)]))
	case x.key == "":
		key = strings.TrimSpace(os.Getenv(keyVariable))
	}
	if key == "" {
		return "", wrongUsage("an API key is needed: --key-file FILE, or %s in the environment", keyVariable)
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", wrongUsage("the API key holds a control character: more than one line in its file?")
	}
	return key, nil
}

func (x *connection) readServer() (string, error) {
	server := x.server
	if server == "" {
		server = os.Getenv(serverVariable)
	}
	if server == "" {
		server = defaultServer
	}
	u, err := url.Parse(server)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https", u.RawQuery != "", u.Fragment != "":
		return "", wrongUsage("--server must be a URL such as %s", defaultServer)
	case u.User != nil:
		return "", wrongUsage("--server must not hold a password; the key goes into --key-file or %s", keyVariable)
	}
	return strings.TrimRight(server, "/"), nil
}

// group is a command that has only subcommands.
func group(use, short, long string, x *connection, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	x.flags(cmd)
	cmd.AddCommand(subs...)
	return cmd
}

// each does something for every one of a command's arguments, tells what went
// wrong with some, and goes on with the others.
func each(cmd *cobra.Command, args []string, do func(arg string) error) error {
	var failed []error
	for _, arg := range args {
		if err := do(arg); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 || len(args) == 1 {
		return errors.Join(failed...)
	}
	for _, err := range failed {
		cmd.PrintErrln(err)
	}
	return fmt.Errorf("%d of %d failed", len(failed), len(args))
}
