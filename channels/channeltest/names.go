package channeltest

import (
	"context"
	"slices"
	"testing"
	"time"

	"tidings/core"
)

// longestKey is a Part.Key with everything that a key may have.
const longestKey = "m-0123456789-abcdefghijklmnopqrstuvwxy-z"

// namesAgree is point 5.
func (x Exam) namesAgree(t *testing.T) {
	x.point(t, "every message has an id of its own", idsDiffer)
	x.point(t, "another attempt is the same request", attemptsAgree)
	x.point(t, "a reply names what was sent", replyNames)
	x.point(t, "a pressed button names what was sent", pressNames)
	x.point(t, "receipts name what was sent", receiptsName)
	x.point(t, "an echo brings the key back", echoBringsKey)
	x.point(t, "an echo comes even if the answer was lost", echoAfterLoss)
}

func idsDiffer(t *testing.T, w *world) {
	seen := map[string]bool{}
	for range 5 {
		sent := w.mustSend(words("m-1-1", "the same words, under the same key"))
		if sent.ID == "" || seen[sent.ID] {
			t.Errorf("Sent.ID: got %q, want one of its own", sent.ID)
		}
		if sent.Moved != nil {
			t.Errorf("Sent.Moved: got %+v of an address that is where it was", sent.Moved)
		}
		seen[sent.ID] = true
	}
}

// attemptsAgree holds the requests of two attempts against each other: a key
// that changes on the way would tell the platform that they are two messages.
func attemptsAgree(t *testing.T, w *world) {
	for _, p := range []core.Part{words(longestKey, "hello"), {Key: "m-2-1", Order: order(2)}, {Key: "m-3-1", Picture: picture("A lamp").Picture}} {
		before := w.wire.count()
		w.mustSend(p)
		w.mustSend(p)
		w.wire.mu.Lock()
		first, second := w.wire.requests[before], w.wire.requests[before+1]
		w.wire.mu.Unlock()
		if first != second {
			t.Errorf("two attempts:\n%s\n%s", clip(first), clip(second))
		}
	}
}

func replyNames(t *testing.T, w *world) {
	if !w.listens() {
		return
	}
	first := w.mustSend(words("m-1-1", "one"))
	w.mustSend(words("m-1-2", "two"))
	shown := w.news()[0]
	u := w.only(core.UpdateText, w.told(func() error { return w.platform.Answer(t.Context(), w.to.Value, shown, nastyQuestion) }))
	if u.ReplyTo != first.ID {
		t.Errorf("ReplyTo: got %q, want %q", u.ReplyTo, first.ID)
	}
	if u.Text != nastyQuestion {
		t.Errorf("text: got %q, want %q as it was typed", u.Text, nastyQuestion)
	}
}

func pressNames(t *testing.T, w *world) {
	if !w.listens() || w.channel.Limits().ButtonValue.Max == 0 {
		return
	}
	p := words("m-1-1", "Choose.")
	p.Buttons = someButtons(1, 2)
	first := w.mustSend(p)
	w.mustSend(words("m-1-2", "and then?"))
	shown, value := w.news()[0], p.Buttons[2].Value
	u := w.only(core.UpdateButton, w.told(func() error { return w.platform.Press(t.Context(), w.to.Value, shown, value) }))
	if u.Payload != value {
		t.Errorf("payload: got %q, want %q", u.Payload, value)
	}
	if u.ReplyTo != "" && u.ReplyTo != first.ID {
		t.Errorf("ReplyTo: got %q, want %q or nothing", u.ReplyTo, first.ID)
	}
}

func receiptsName(t *testing.T, w *world) {
	lim := w.channel.Limits()
	var sent core.Sent
	began := time.Now().Truncate(time.Second)
	updates := all(w.told(func() error { sent = w.mustSend(words("m-1-1", "hello")); return nil }))
	for kind, given := range map[core.UpdateKind]bool{core.UpdateDelivered: lim.Delivered, core.UpdateRead: lim.Read} {
		named := slices.ContainsFunc(updates, func(u core.Update) bool {
			return u.Kind == kind && u.From.Value == w.to.Value &&
				(slices.Contains(u.PlatformIDs, sent.ID) || !u.Watermark.IsZero() && !u.Watermark.Before(began))
		})
		if named != given {
			t.Errorf("%s, as Limits say: %v; told of %s: %v", kind, given, sent.ID, named)
		}
	}
}

func echoBringsKey(t *testing.T, w *world) {
	if w.channel.Limits().Echo == 0 {
		return
	}
	var sent core.Sent
	for _, p := range []core.Part{words(longestKey, "hello"), {Key: "m-2-1", Order: order(2)}, {Key: "m-3-1", Picture: &core.Picture{URL: pictureURL}}} {
		echo := w.only(core.UpdateEcho, w.told(func() error { sent = w.mustSend(p); return nil }))
		if echo.Key != p.Key || echo.PlatformID != sent.ID || echo.From.Value != w.to.Value {
			t.Errorf("echo: got %+v, want key %s of %s to %s", echo, p.Key, sent.ID, w.to.Value)
		}
	}
}

func echoAfterLoss(t *testing.T, w *world) {
	if w.channel.Limits().Echo == 0 {
		return
	}
	w.platform.Cause(Fault{Kind: DropAfter})
	echo := w.only(core.UpdateEcho, w.told(func() error { _, _ = w.send(words("m-1-1", "hello")); return nil }))
	if echo.Key != "m-1-1" {
		t.Errorf("echo: got key %q, want m-1-1", echo.Key)
	}
}

// only returns the one update of a kind.
func (w *world) only(kind core.UpdateKind, heard []heard) core.Update {
	w.t.Helper()
	var found []core.Update
	for _, u := range all(heard) {
		if u.Kind == kind {
			found = append(found, u)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("updates of kind %s: got %d, want 1, in %+v", kind, len(found), all(heard))
	}
	return found[0]
}

func all(heard []heard) []core.Update {
	var updates []core.Update
	for _, h := range heard {
		updates = append(updates, h.updates...)
	}
	return updates
}

const nastyQuestion = "1 < 2 & <b>*x*</b> \"q\" 👨‍👩‍👧 שלום\nsecond line &lt; @here"

// listens reports whether the channel's platform calls back.
func (w *world) listens() bool {
	_, ok := w.channel.(core.Listener)
	return ok
}

// scenes are what happens on every platform, and what happens on this one.
func (w *world) scenes() []Scene {
	say := func(name, text string) Scene {
		return Scene{Name: name, Want: []core.UpdateKind{core.UpdateText}, Do: func(ctx context.Context, person string) error {
			return w.platform.Say(ctx, person, text)
		}}
	}
	scenes := []Scene{say("a text", "Where is my order?"), say("a text that looks like markup", nastyQuestion), say("a command as a text", "stop")}
	if w.channel.Limits().ButtonValue.Max > 0 {
		scenes = append(scenes, Scene{Name: "a pressed button", Want: []core.UpdateKind{core.UpdateButton}, Do: w.pressNewest})
	}
	return append(scenes, w.platform.Scenes()...)
}

// pressNewest sends a button before the scene and presses it.
func (w *world) pressNewest(ctx context.Context, person string) error {
	shown := w.platform.Shown(person)
	for _, s := range slices.Backward(shown) {
		for _, b := range s.Buttons {
			if b.Value != "" {
				return w.platform.Press(ctx, person, s, b.Value)
			}
		}
	}
	return context.Canceled
}

// offer shows a button that can be pressed.
func (w *world) offer() {
	w.t.Helper()
	if w.channel.Limits().ButtonValue.Max == 0 {
		return
	}
	p := words("m-9-1", "Choose.")
	p.Buttons = someButtons(1, 1)
	w.mustSend(p)
	w.settle()
}

// record plays all scenes and returns what was heard.
func (w *world) record() []heard {
	w.t.Helper()
	w.offer()
	for _, s := range w.scenes() {
		heard := w.told(func() error { return s.Do(w.t.Context(), w.to.Value) })
		if len(heard) == 0 {
			w.t.Fatalf("%s: no callback came", s.Name)
		}
	}
	return w.hook.all()
}
