package inbound_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/lane"
)

// sentMessage is a message of n parts to Ada, sent with the platform's ids "p1" and so on.
func (r *rig) sentMessage(n int) int64 {
	r.t.Helper()
	return r.written(ada, core.MessageSent, n, func(p *core.StoredPart) {
		p.State, p.PlatformID, p.SentAt = core.PartSent, "p"+string(rune('0'+p.N)), time.Now()
	})
}

// written writes a message of n parts as it would be found on disk.
func (r *rig) written(w who, state core.MessageState, n int, change func(*core.StoredPart)) int64 {
	r.t.Helper()
	var id int64
	r.do(func(tx *lane.Tx) error {
		a, err := tx.EnsureAddress(w.channel, core.Address{Value: w.address}, time.Now())
		if err != nil {
			return err
		}
		parts := make([]core.Part, n)
		for i := range parts {
			parts[i] = core.Part{N: i + 1, Of: n, Text: core.PlainText("x")}
		}
		id, err = tx.InsertMessage(core.Message{Channel: w.channel, AddressID: a.ID, State: state, CreatedAt: time.Now()}, parts)
		if err != nil {
			return err
		}
		stored, err := tx.Parts(id)
		for _, p := range stored {
			p.Watched = true // as what goes out by Messenger is
			change(&p)
			err = errors.Join(err, tx.SavePart(p))
		}
		return err
	})
	return id
}

// wantStates checks a message's state and those of its parts.
func (r *rig) wantStates(id int64, message core.MessageState, parts ...core.PartState) {
	r.t.Helper()
	r.view(func(tx core.Tx) error {
		m, err := tx.Message(id)
		if err != nil {
			return err
		}
		if m.State != message {
			r.t.Errorf("message: got %s, want %s", m.State, message)
		}
		stored, err := tx.Parts(id)
		var got []core.PartState
		for _, p := range stored {
			got = append(got, p.State)
			if p.State == core.PartRead && (p.ReadAt.IsZero() || p.DeliveredAt.IsZero()) {
				r.t.Errorf("part %d is read: got times %v, %v", p.N, p.DeliveredAt, p.ReadAt)
			}
		}
		if diff := cmp.Diff(parts, got); diff != "" {
			r.t.Errorf("parts (-want +got):\n%s", diff)
		}
		return err
	})
}

func ids(all ...string) []string { return all }

func TestReceiptsByID(t *testing.T) {
	inRig(t, func(r *rig) {
		id := r.sentMessage(2)
		r.accept(who{"b", "ada"}, core.Update{Kind: core.UpdateRead, PlatformIDs: ids("p1")}) // another platform's p1
		r.wantStates(id, core.MessageSent, core.PartSent, core.PartSent)
		r.accept(ada, core.Update{Kind: core.UpdateDelivered, PlatformIDs: ids("p1")})
		r.wantStates(id, core.MessageSent, core.PartDelivered, core.PartSent)
		r.accept(ada, core.Update{Kind: core.UpdateRead, PlatformIDs: ids("p2")}) // read implies delivered
		r.wantStates(id, core.MessageDelivered, core.PartDelivered, core.PartRead)
		r.accept(ada, core.Update{Kind: core.UpdateRead, PlatformIDs: ids("p1", "unknown")})
		r.wantStates(id, core.MessageRead, core.PartRead, core.PartRead)
		first := time.Now()
		r.wait(time.Minute)
		r.accept(ada, core.Update{Kind: core.UpdateDelivered, PlatformIDs: ids("p1", "p2")}) // never back
		r.accept(ada, core.Update{Kind: core.UpdateRead, PlatformIDs: ids("p1")})            // nor later
		r.wantStates(id, core.MessageRead, core.PartRead, core.PartRead)
		r.view(func(tx core.Tx) error {
			p, err := tx.Part(id, 1)
			if p.ReadAt.After(first) {
				t.Errorf("got a reading at %v, want the first", p.ReadAt)
			}
			return err
		})
	})
}

func TestReceiptsByWatermark(t *testing.T) {
	inRig(t, func(r *rig) {
		first := r.sentMessage(2)
		r.wait(time.Minute)
		mark := time.Now()
		r.wait(time.Minute)
		second := r.sentMessage(1)
		other := r.written(bob, core.MessageSent, 1, func(p *core.StoredPart) {
			p.State, p.PlatformID, p.SentAt = core.PartSent, "q", mark
		})
		r.accept(ada, core.Update{Kind: core.UpdateDelivered, Watermark: mark})
		r.wantStates(first, core.MessageDelivered, core.PartDelivered, core.PartDelivered)
		r.wantStates(second, core.MessageSent, core.PartSent)
		r.accept(ada, core.Update{Kind: core.UpdateRead, Watermark: mark})
		r.accept(ada, core.Update{Kind: core.UpdateDelivered, Watermark: mark})
		r.wantStates(first, core.MessageRead, core.PartRead, core.PartRead)
		r.wantStates(second, core.MessageSent, core.PartSent)
		r.wantStates(other, core.MessageSent, core.PartSent)
	})
}

func TestReceiptBeforeTheAnswerIsKept(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "") // the thank-you is a-1
		r.accept(ada, core.Update{Kind: core.UpdateDelivered, PlatformIDs: ids("a-2")})
		r.accept(ada, core.Update{Kind: core.UpdateRead, PlatformIDs: ids("a-3")})
		r.say(ada, "help")
		r.say(ada, "help")
		r.wantStates(2, core.MessageDelivered, core.PartDelivered)
		r.view(func(tx core.Tx) error {
			m, err := tx.Message(3)
			if err == nil && m.State != core.MessageRead {
				t.Errorf("got %s, want read", m.State)
			}
			return err
		})
	})
}

func TestEchoSettlesAnUncertainPart(t *testing.T) {
	inRig(t, func(r *rig) {
		id := r.written(ada, core.MessageSending, 2, func(p *core.StoredPart) {
			p.State = []core.PartState{core.PartUncertain, core.PartMarked}[p.N-1]
		})
		echo := func(w who, key, platformID string) {
			r.accept(w, core.Update{Kind: core.UpdateEcho, Key: key, PlatformID: platformID})
		}
		key := func(n string) string { return "m" + string(rune('0'+id)) + "-" + n }
		for _, foreign := range []string{"", "m", "m1", "x1-1", "m1-x", "mx-1", "m99-1", key("9")} {
			echo(ada, foreign, "e0")
		}
		echo(bob, key("1"), "e0") // a right key in a wrong chat proves nothing
		r.wantStates(id, core.MessageSending, core.PartUncertain, core.PartMarked)

		r.accept(ada, core.Update{Kind: core.UpdateDelivered, PlatformIDs: ids("e1")}) // faster than the echo
		echo(ada, key("1"), "e1")
		echo(ada, key("2"), "e2")
		r.wantStates(id, core.MessageSending, core.PartDelivered, core.PartSent)
		r.accept(ada, core.Update{Kind: core.UpdateRead, PlatformIDs: ids("e1")})
		echo(ada, key("1"), "e7")
		r.wantStates(id, core.MessageSending, core.PartRead, core.PartSent)
		r.view(func(tx core.Tx) error {
			p, err := tx.Part(id, 1)
			if p.PlatformID != "e1" || p.SentAt.IsZero() {
				t.Errorf("got id %q, sent at %v; want e1 and a time", p.PlatformID, p.SentAt)
			}
			return err
		})
	})
}
