package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
	"tidings/cmd/torture/history"
	"tidings/core/hybris/hybrissim"
)

// What shop and configuration of a stage agree on.
const (
	site         = "electronics"
	clientSecret = "client-secret"
)

// partLife bounds each part of a performance: the act, the calm after it, and the
// reading of what came of it.
const partLife = 15 * time.Second

// stage is a gateway that dies at its point, with everything around it that
// lives on and tries again, as shops and platforms do.
type stage struct {
	platforms *platforms
	shop      *hybrissim.Sim
	api       api
	replica   *replica
	settings  stageSettings
	probes    bool // a lane is left that looks, once a minute, whether its channel works again
	restarts  chan chan error
	quit      chan chan bool // asks whether it died of being stopped
	ended     chan struct{}

	mu     sync.Mutex
	lives  []string        // the points at which the next lives end
	cuts   []history.Cut   // the deaths
	purged bool            // nothing is known any more of what was accepted
	maybe  map[string]bool // texts that may be shown and need not
	events []string        // accepted ones
	ids    int
	chats  []chatName
	faults []string
}

type chatName struct{ channel, address string }

// newStage opens a stage. The first lives of its gateway end at points, each
// written as for the environment.
func newStage(ctx context.Context, r *replica, store string, points []string) (s *stage, err error) {
	s = &stage{
		api: newAPI(), replica: r, lives: slices.Clone(points), maybe: map[string]bool{},
		restarts: make(chan chan error), quit: make(chan chan bool), ended: make(chan struct{}),
	}
	how := mood{wait: s.wait, templates: []messengersim.Template{{
		ID: "1", Name: "order_shipped", Language: "en_US", Category: "UTILITY",
		Components: []messengersim.TemplateComponent{{Type: "BODY", Text: "Order {{1}} has left us."}},
	}}}
	if s.platforms, err = openPlatforms(how, []string{s.replica.listen}); err != nil {
		return s, err
	}
	s.shop = hybrissim.New(hybrissim.Options{
		BaseSites: []string{site}, ClientID: "tidings", ClientSecret: clientSecret, AllowTrustedTickets: true, Client: s.platforms.client,
	})
	if err := s.platforms.serve("shop", s.shop); err != nil {
		return s, err
	}
	s.settings = stageSettings{
		settings: settings{Listen: s.replica.listen, Internal: s.replica.internal, Store: store, URLs: s.platforms.urls},
		Telegram: telegramName, Retention: "100d", Every: "0",
	}
	if err := writeStageConfig(s.replica.config, s.settings); err != nil {
		return s, err
	}
	if err := s.live(); err != nil {
		return s, err
	}
	go s.watch(context.WithoutCancel(ctx))
	return s, nil
}

// live starts the gateway's next life.
func (s *stage) live() error {
	s.replica.env = []string{"TIDINGS_POINTS_FILE=" + filepath.Join(filepath.Dir(s.replica.config), "points")}
	s.mu.Lock()
	if len(s.lives) > 0 {
		s.replica.env = append(s.replica.env, "TIDINGS_DIE_AT="+s.lives[0])
	}
	s.mu.Unlock()
	return s.replica.start()
}

// watch starts the gateway again whenever it has died, until the stage closes.
func (s *stage) watch(ctx context.Context) {
	defer close(s.ended)
	for {
		if err := s.replica.ready(ctx); err != nil && !errors.Is(err, errEnded) {
			s.faultf("%v", err)
			return
		}
		select {
		case <-s.replica.gone:
			if err := s.rise(); err != nil {
				s.faultf("%v: %s", err, s.replica.tail())
				return
			}
		case done := <-s.restarts:
			err := s.stop()
			if err == nil {
				err = s.live()
			}
			done <- err
		case died := <-s.quit:
			before := s.deaths()
			if err := s.stop(); err != nil {
				s.faultf("%v: %s", err, s.replica.tail())
			}
			if s.deaths() == before {
				died <- false
				return
			}
			if err := s.live(); err != nil {
				s.faultf("%v", err)
			}
			died <- true
		}
	}
}

// stop ends the gateway in good order, unless it dies of that.
func (s *stage) stop() error {
	err := s.replica.stop()
	if err != nil && s.diedByItself() {
		return s.bury()
	}
	return err
}

func (s *stage) diedByItself() bool {
	status, ok := s.replica.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// bury notes a death.
func (s *stage) bury() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lives) == 0 || !s.diedByItself() {
		return fmt.Errorf("the gateway %w: %s", errEnded, s.replica.cmd.ProcessState)
	}
	s.lives = s.lives[1:]
	now := time.Now()
	s.cuts = append(s.cuts, history.Cut{From: now.Add(-200 * time.Millisecond), To: now})
	return nil
}

func (s *stage) rise() error {
	if err := s.bury(); err != nil {
		return err
	}
	return s.live()
}

// deaths is how often the gateway has died.
func (s *stage) deaths() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cuts)
}

// again starts the gateway again with other settings.
func (s *stage) again(change func(*stageSettings)) error {
	change(&s.settings)
	if err := writeStageConfig(s.replica.config, s.settings); err != nil {
		return err
	}
	done := make(chan error)
	select {
	case s.restarts <- done:
		return <-done
	case <-s.ended:
		return errors.New("the gateway is gone")
	}
}

// wait is how platforms wait: not long, but for a gateway that answers. One of
// them tries four times within six minutes, and never again.
func (s *stage) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	for d = min(d, 10*time.Millisecond); ; d = 5 * time.Millisecond {
		if err := emulator.Sleep(ctx, d); err != nil || s.replica.answers(ctx) {
			return err
		}
	}
}

func (s *stage) faultf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// end stops the gateway in good order, and reports whether it died of that; then
// it lives again.
func (s *stage) end() (died bool) {
	ask := make(chan bool)
	select {
	case s.quit <- ask:
		return <-ask
	case <-s.ended:
		return false
	}
}

// close ends what is still there.
func (s *stage) close() {
	if s.replica.cmd != nil {
		s.replica.kill()
		lines, err := s.replica.stumbles()
		if err != nil {
			s.faultf("%v", err)
		}
		s.mu.Lock()
		s.faults = append(s.faults, lines...)
		s.mu.Unlock()
	}
	_ = s.replica.log.Close()
	if s.platforms != nil {
		s.platforms.closeAll()
	}
	s.api.client.CloseIdleConnections()
}

// met are the points that the gateway came by, with how often.
func (s *stage) met() (map[string]int, error) {
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(s.replica.config), "points"))
	all := map[string]int{}
	for line := range strings.Lines(string(raw)) {
		all[strings.TrimSpace(line)]++
	}
	return all, err
}
