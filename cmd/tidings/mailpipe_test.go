package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tidings/core/desk/desksim"
)

// TestMailPipe: the script of the docs says in mail's own way what has become of
// an e-mail, so that the mail server keeps, returns or forgets it.
func TestMailPipe(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed: the script of the docs is not tried")
	}
	_, script, _ := strings.Cut(readFile(t, "../../docs/hybris/tickets-desks.md"), "```sh\n#!/bin/sh\n# Hands the e-mail")
	script, _, found := strings.Cut(script, "```")
	if !found {
		t.Fatal("the docs have no script any more")
	}
	w, a := atDesk(t, "mailbox", "")
	settings := filepath.Join(t.TempDir(), "to-chat")
	pipe := func(key, raw string) int {
		t.Helper()
		content := fmt.Sprintf("url = %q\nheader = \"Authorization: Bearer %s\"\n", w.api("/v1/mail"), key)
		if err := os.WriteFile(settings, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "#"+script)
		cmd.Env, cmd.Stdin = append(os.Environ(), "TO_CHAT="+settings), strings.NewReader(raw)
		if out, err := cmd.CombinedOutput(); len(out) > 0 || err != nil && cmd.ProcessState == nil {
			t.Fatalf("the script says %q, %v", out, err)
		}
		return cmd.ProcessState.ExitCode()
	}
	if got := pipe(apiKey, "From: kim@shop.test\n\nEarly."); got != 75 {
		t.Errorf("the gateway away: got exit code %d, want 75", got)
	}
	w.startGateway()
	p := w.customer(1)
	w.link(telegramName, p)
	w.say(telegramName, p, "Where is it?")
	w.wantTickets(a, fmt.Sprintf("%s/%s  open: Where is it?", p.uid, p.order))
	thread := a.(simAgents).sim.Tickets()[0]
	for _, x := range []struct {
		key, mail string
		want      int
	}{
		{apiKey, "From: kim@shop.test\r\nMessage-ID: <1@shop.test>\r\n\r\nAbout nothing.\r\n", 65},
		{readerKey, reply(thread, "It left."), 75},
		{apiKey, reply(thread, "It left."), 0},
		{apiKey, reply(thread, "It left."), 0},
	} {
		if got := pipe(x.key, x.mail); got != x.want {
			t.Errorf("%s: got exit code %d, want %d", x.mail, got, x.want)
		}
	}
	w.awaitText(telegramName, p, "It left.")
	w.quiet()
	w.wantTold(telegramName, p, "Thank you", confirmation, "It left.")
}

func reply(t desksim.Ticket, text string) string {
	return "From: Kim <kim@shop.test>\r\nTo: chat@shop.test\r\nSubject: Re: your question\r\nIn-Reply-To: " + t.Reference + "\r\nMessage-ID: <2@shop.test>\r\n\r\n" + text + "\r\n"
}
