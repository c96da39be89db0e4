package channeltest

import (
	"fmt"
	"strings"
	"testing"

	"tidings/core"
)

// invitationsArrive is point 7.
func (x Exam) invitationsArrive(t *testing.T) {
	for _, token := range x.Tokens {
		x.point(t, token, func(t *testing.T, w *world) { invited(t, w, token) })
	}
	x.point(t, "there are tokens to try", func(t *testing.T, w *world) {
		if _, ok := w.channel.(core.Inviter); ok && len(x.Tokens) == 0 {
			t.Error("the channel invites, and the exam has no tokens")
		}
	})
}

func invited(t *testing.T, w *world, token string) {
	inviter, ok := w.channel.(core.Inviter)
	if !ok {
		t.Fatal("the exam has tokens, and the channel does not invite")
	}
	inv := inviter.Invite(token)
	survivesJSON(t, inv)
	if inv.URL == "" && (!inv.TakesCode || inv.How == "") {
		t.Fatalf("got %+v, want a URL, or a code and where to type it", inv)
	}
	for language, how := range inv.HowIn {
		if said := fmt.Sprintf(how, token); !strings.Contains(said, token) || strings.Contains(said, "%!") {
			t.Errorf("in %s: got %q, want where to type the code", language, said)
		}
	}
	ways := w.platform.Arrivals(inv, token)
	if len(ways) == 0 {
		t.Fatalf("nobody can follow %+v", inv)
	}
	for _, way := range ways {
		updates := w.plays(way)
		last := updates[len(updates)-1]
		came := last.Kind == core.UpdateOptIn && last.Ref == token ||
			last.Kind == core.UpdateText && inv.TakesCode && last.Text == token
		if !came {
			t.Errorf("%s: got %+v, want the token %s", way.Name, last, token)
		}
	}
}
