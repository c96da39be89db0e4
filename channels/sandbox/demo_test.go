package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// walker is as much of a gateway as a demonstration needs.
type walker struct {
	*world
	psid, uid string

	mu     sync.Mutex
	order  string
	ticket string
	told   int // notes
}

func (g *walker) answer(rw http.ResponseWriter, r request) {
	switch r.Path {
	case "/v1/opt-ins":
		answerJSON(rw, http.StatusCreated, `{"links":[{"channel":"messenger","token":"sealed"},{"channel":"slack","code":"X"}]}`)
	case "/v1/events":
		rw.WriteHeader(http.StatusAccepted)
		g.event(r.Body)
	case "/webhooks/messenger":
		go g.update(r.Body)
	}
}

func (g *walker) event(body []byte) {
	var e struct {
		Type string
		Data struct{ OrderCode string }
	}
	_ = json.Unmarshal(body, &e)
	g.mu.Lock()
	g.order = e.Data.OrderCode
	g.mu.Unlock()
	if e.Type != "order.placed" {
		go g.sendMessenger(g.psid, e.Type)
	}
}

func (g *walker) update(body []byte) {
	switch {
	case bytes.Contains(body, []byte(`"ref":"sealed"`)):
		g.sendMessenger(g.psid, "Thank you")
	case bytes.Contains(body, []byte("neighbour")) && bytes.Contains(body, []byte(`"reply_to"`)):
		g.sendMessenger(g.psid, "We received your request")
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ticket = g.world.ticket(g.uid, g.order, "neighbour?")
	}
}

// poll relays an agent's public notes, as the gateway does.
func (g *walker) poll(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		g.mu.Lock()
		id, told := g.ticket, g.told
		g.mu.Unlock()
		if id == "" {
			continue
		}
		t, err := g.shopClient().Ticket(ctx, core.TicketAt{Site: "electronics", CustomerUID: g.uid, TicketID: id})
		if err != nil {
			continue
		}
		for _, n := range t.Notes[told:] {
			g.sendMessenger(g.psid, n.Text)
		}
		g.mu.Lock()
		g.told = len(t.Notes)
		g.mu.Unlock()
	}
}

func TestDemoWalksTheWholeWay(t *testing.T) {
	inWorld(t, func(w *world) {
		who := w.box.People()[0]
		g := &walker{world: w, psid: who.Chats["messenger"], uid: who.UID}
		w.gateway.answer = g.answer
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		go g.poll(ctx)

		if err := w.box.Demo(ctx); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range w.box.Messenger().Log().Shown(g.psid) {
			got = append(got, m.Text)
		}
		want := []string{
			"Thank you", "order.shipped", "order.out_for_delivery", "order.delivered",
			"We received your request", "Of course: we have told the carrier.",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the chat shows (-want +got):\n%s", diff)
		}
	})
}

func TestDemoSaysWhereItStops(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gateway.answer = func(rw http.ResponseWriter, r request) { answerJSON(rw, http.StatusServiceUnavailable, `{}`) }
		err := w.box.Demo(w.Context())
		if err == nil || !strings.Contains(err.Error(), "Messenger") {
			t.Errorf("got %v, want an error that names the step", err)
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if err := w.box.Demo(ctx); err == nil {
			t.Error("got no error after the end of the context")
		}
	})
}
