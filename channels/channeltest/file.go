package channeltest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/core"
)

// Filer is a platform on which people send files.
type Filer interface {
	// SendFile sends one; false where the platform has no form of it.
	SendFile(t *testing.T, person string, f emulator.File) bool
	// CauseAny makes the next request go wrong, whomever it is about.
	CauseAny(Fault)
}

// SendFile sends a file.
func (e Emulated) SendFile(t *testing.T, person string, f emulator.File) bool {
	filer, ok := e.Sim.(emulator.Filer)
	if !ok {
		return false
	}
	if _, err := filer.SendFile(t.Context(), person, f, ""); err != nil {
		t.Fatal(err)
	}
	return true
}

// CauseAny makes the next request go wrong.
func (e Emulated) CauseAny(f Fault) {
	e.Sim.Faults().Add(emulator.Fault{Kind: emulated[f.Kind], Method: "*", Times: 1, RetryAfter: f.RetryAfter, Code: f.Code})
}

var (
	mug   = emulator.File{Name: "broken mug ü.png", Type: "image/png", Data: []byte("\x89PNG\r\n\x1a\n a picture of a mug")}
	paper = emulator.File{Name: "invoice.pdf", Type: "application/pdf", Data: []byte("%PDF-1.7 an invoice")}
)

// filesAreFetched is point 10: what a person sends is fetched as it is, and not
// beyond the limit.
func filesAreFetched(t *testing.T, w *world) {
	fetcher, ok := w.channel.(core.Fetcher)
	if !ok {
		return
	}
	for kind, f := range map[string]emulator.File{"image": mug, "file": paper} {
		m := w.sent(f)
		if m.Kind != kind {
			t.Errorf("%s: got kind %q, want %q", f.Name, m.Kind, kind)
		}
		size := int64(len(f.Data))
		got, err := fetcher.Fetch(t.Context(), m, size)
		if err != nil || !bytes.Equal(got.Data, f.Data) {
			t.Errorf("%s: got %q, %v; want %q", f.Name, got.Data, err, f.Data)
		}
		if _, err := fetcher.Fetch(t.Context(), m, size-1); core.ClassOf(err) != core.Rejected {
			t.Errorf("%s, one byte over the limit: got %v, want it rejected", f.Name, err)
		}
	}
	gone := w.sent(mug)
	gone.ID, gone.URL = gone.ID+"X", strings.Replace(gone.URL, "?", "X?", 1)
	if _, err := fetcher.Fetch(t.Context(), gone, 1<<20); core.ClassOf(err) != core.Rejected {
		t.Errorf("a file that is not there: got %v, want it rejected", err)
	}
}

// filesThatFail is the rest of it: each failure has its class and holds no secret.
func filesThatFail(t *testing.T, w *world) {
	fetcher, ok := w.channel.(core.Fetcher)
	if !ok {
		return
	}
	m := w.sent(mug)
	for kind, want := range map[Kind]core.Class{
		ServerError: core.Temporary, BadGateway: core.Temporary, DropBefore: core.Temporary, DropAfter: core.Temporary, Throttled: core.Throttled,
	} {
		w.platform.(Filer).CauseAny(Fault{Kind: kind, RetryAfter: 7 * time.Second})
		_, err := fetcher.Fetch(t.Context(), m, 1<<20)
		e := sendError(t, err)
		if e.Class != want || want == core.Throttled && e.RetryAfter != 7*time.Second {
			t.Errorf("%s: got %v (after %s), want %s", kind, err, e.RetryAfter, want)
		}
		w.discreet(err)
	}
	wrong := w.x.OpenWrong(t, w.wire)
	defer func() { _ = wrong.Close() }()
	// Where files lie open no token is needed.
	if f, err := wrong.(core.Fetcher).Fetch(t.Context(), m, 1<<20); err != nil {
		if sendError(t, err).Class != core.Misconfigured {
			t.Errorf("a wrong token: got %v, want it misconfigured", err)
		}
		w.discreet(err)
	} else if m.URL == "" {
		t.Errorf("a wrong token: got %q", f.Data)
	}
	if _, err := fetcher.Fetch(t.Context(), m, 1<<20); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

// sent has the person send a file, and returns what came with the callback.
func (w *world) sent(f emulator.File) core.Media {
	w.t.Helper()
	filer, ok := w.platform.(Filer)
	if !ok {
		w.t.Fatal("the channel fetches files, and nobody can send one on its platform")
	}
	all := w.told(func() error {
		if !filer.SendFile(w.t, w.to.Value, f) {
			w.t.Fatal("the channel fetches files, and its platform has no form of them")
		}
		return nil
	})
	for _, h := range all {
		for _, u := range h.updates {
			if len(u.Media) == 1 {
				return u.Media[0]
			}
		}
	}
	w.t.Fatalf("%s: got %+v, want an update with one medium", f.Name, all)
	return core.Media{}
}
