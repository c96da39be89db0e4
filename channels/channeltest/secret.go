package channeltest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// secretsAreHidden is point 8.
func (x Exam) secretsAreHidden(t *testing.T) {
	if len(x.Secrets) == 0 {
		t.Fatal("Exam.Secrets is empty")
	}
	if faults := x.Config.Validate(); len(faults) != 0 {
		t.Errorf("Validate of a valid configuration: got %v, want none", faults)
	}
	asJSON, err := json.Marshal(x.Config)
	if err != nil {
		t.Errorf("json: %v", err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("opened", "config", x.Config)
	shown := map[string]string{"json": string(asJSON), "slog": log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown[verb] = fmt.Sprintf(verb, x.Config)
	}
	for how, text := range shown {
		for _, secret := range x.Secrets {
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of the configuration shows a secret: %s", how, text)
			}
		}
	}
}
