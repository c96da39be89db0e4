package main_test

import (
	"fmt"
	"strings"
	"testing"

	"tidings/channels/emulator"
)

// pictureOf is a small picture; the words are told apart in it.
func pictureOf(words string) emulator.File {
	return emulator.File{Name: words + ".png", Type: "image/png", Data: []byte("\x89PNG\r\n\x1a\n" + words)}
}

// sendFile lets the customer send a file, and waits until the gateway has it.
func (w *world) sendFile(channel string, p person, f emulator.File, text string) {
	w.Helper()
	if _, err := w.sims[channel].(emulator.Filer).SendFile(w.Context(), p.chats[channel], f, text); err != nil {
		w.Fatal(err)
	}
	w.settle()
}

// TestFilesOfEachPlatform: what a customer sends is fetched from its platform and
// attached to the entry it came with; what is too large, of another type or not
// what it says stays a line.
func TestFilesOfEachPlatform(t *testing.T) {
	t.Parallel()
	w, a := atDesk(t, "trusted", ", attachments: {max_size: 1kB, types: [image/*, application/pdf]}", atFullSpeed)
	w.startGateway()
	large := pictureOf("large")
	large.Data = append(large.Data, make([]byte, 1000)...)
	want := []string{}
	for i, channel := range allChannels {
		p := w.customer(i)
		w.link(channel, p)
		w.sendFile(channel, p, pictureOf("mug"), "")
		w.sendFile(channel, p, large, "")
		w.sendFile(channel, p, emulator.File{Name: "page.png", Type: "image/png", Data: []byte("<html><script>")}, "")
		w.sendFile(channel, p, emulator.File{Name: "invoice.pdf", Type: "application/pdf", Data: []byte("%PDF-1.7")}, "")
		w.say(channel, p, "That is all.")
		w.rest()
		got := a.tickets()
		if len(got) != i+1 {
			t.Fatalf("got %q, want %d tickets", got, i+1)
		}
		lines := strings.Split(strings.SplitN(got[i], ": ", 2)[1], "| ")
		if len(lines) != 5 {
			t.Fatalf("%s: got entries %q, want 5", channel, lines)
		}
		for k, attached := range []string{`\x89PNG\r\n\x1a\nmug`, "", "", "%PDF-1.7", ""} {
			if strings.Contains(lines[k], `")`) != (attached != "") || !strings.Contains(lines[k], attached) {
				t.Errorf("%s: got entry %q, want %q attached", channel, lines[k], attached)
			}
			if k < 4 && !strings.HasPrefix(lines[k], "["+[]string{"image", "image", "image", "file"}[k]) {
				t.Errorf("%s: got entry %q, want a line that tells of the file", channel, lines[k])
			}
		}
		for _, r := range w.sims[channel].Log().Rejected() {
			t.Errorf("%s refused %+v", channel, r)
		}
		want = append(want, channel)
	}
	if got := w.figure("tidings_files_attached_total"); got != float64(2*len(want)) {
		t.Errorf("got %v files attached, want %d", got, 2*len(want))
	}
	if got := w.figure(`tidings_files_left_out_total{class="Rejected"}`); got != float64(2*len(want)) {
		t.Errorf("got %v files left out, want %d", got, 2*len(want))
	}
}

// TestFilesAtEachDesk: a file reaches every desk that takes files, once, although
// its platform and its desk falter.
func TestFilesAtEachDesk(t *testing.T) {
	t.Parallel()
	for _, d := range deskStanzas {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			w, a := atDesk(t, d.name, "", atFullSpeed)
			w.startGateway()
			p := w.customer(1)
			w.linkAt(d.name, slackName, p)
			w.slack.Faults().Add(emulator.Fault{Kind: emulator.ServerError, Method: "files.info", Times: 1}, emulator.Fault{Kind: emulator.DropBefore, Method: "file", Times: 1})
			a.lose(1)
			w.sendFile(slackName, p, pictureOf("mug"), "Look at this.")
			w.say(slackName, p, "And?")
			name := `mug (2).png "\x89PNG\r\n\x1a\nmug"`
			w.wantTickets(a, fmt.Sprintf("%s/%s  open: Look at this.\n[image: mug.png: image/png] (%s)| And?", p.uid, p.order, name))
			for _, f := range a.faults() {
				t.Errorf("the desk complains: %s", f)
			}
		})
	}
}
