package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	var x connection
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a running gateway: is anything lost, broken or waiting, and what to do",
		Long: `Examine a running gateway and say in words what is wrong with it and what to do.

  conservation  events and messages that were accepted, and what became of them: the
                difference is always 0
  health        readiness, channels, lanes, the queue and how long its oldest has waited
  dead letters  what did not arrive, by class

The exit code is 0 when all is well, and 1 when the difference is not 0, something
is broken, or the gateway does not answer: good for a monitoring check. What is only
to be known of, such as dead letters or a pause that a platform asked for, is told and
does not count. Needs a key of scope admin.`,
		Example: `  tidings doctor
  tidings doctor --server http://10.0.0.7:9090 --key-file /etc/tidings/admin.key
  tidings doctor --json | jq .findings`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := x.open()
			if err != nil {
				return err
			}
			return examine(cmd, c, x.json)
		},
	}
	x.flags(cmd)
	return cmd
}

// examination is how a gateway is.
type examination struct {
	Healthy bool
	At      time.Time
	Version string
	Ready   struct {
		OK  bool
		Why string
	}
	Conservation *struct {
		Difference int64
		Events     struct{ Accepted, Routed, Suppressed, Ignored, Waiting, Difference int64 }
		Messages   struct {
			Accepted, Sent, Failed, Expired, Suppressed, Cancelled, Parked, Waiting, Difference int64
		}
	}
	Waiting *struct {
		Messages int64
		Complete bool
		Oldest   *struct {
			ID, Channel string
			AgeSeconds  int64
		}
	}
	DeadLetters *struct {
		Complete bool
		Items    []struct {
			State, Class string
			Count        int64
		}
	}
	Channels []struct {
		Name, Type, Why              string
		Works                        bool
		PausedUntil, OldestWaitingAt *time.Time
		Waiting                      int64
	}
	Lanes struct {
		Loaded int64
		Pools  []struct {
			Name string
			Busy int64
		}
	}
	Replicas []struct {
		ID, Version string
		Self        bool
		Shards      struct{ Owned, All int64 }
		HeardAt     *time.Time
	}
	Findings []struct{ Level, Says, Do string }
}

func examine(cmd *cobra.Command, c *client, asJSON bool) error {
	var e examination
	raw, err := c.tell(cmd.Context(), request{method: http.MethodGet, path: "/v1/doctor"}, &e)
	if status(err) == http.StatusNotFound {
		return fmt.Errorf("the gateway at %s cannot be examined: it is of an earlier version, or this is its public side", c.base)
	}
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), raw)
	} else {
		_, err = io.WriteString(cmd.OutOrStdout(), e.describe(c.base))
	}
	if err == nil && !e.Healthy {
		err = errors.New("the gateway is not well")
	}
	return err
}
