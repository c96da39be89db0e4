package desk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/desk"
)

func box(t testing.TB) *desk.Mailbox {
	t.Helper()
	m, err := desk.NewMailbox(desk.Mail{SMTPURL: "smtp://mail.test", From: "chat@shop.test", To: "desk@shop.test", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answer is an agent's e-mail; $ID is the Message-ID it answers, $SUBJECT a subject that proves.
func answer(m *desk.Mailbox, text string) []byte {
	proof := m.ThreadID("T17-K3QZ")
	code, _, _ := strings.Cut(proof, "@")
	text = strings.NewReplacer("\n", "\r\n", "$ID", "<"+proof+">", "$SUBJECT", "Re: Order 1001 ["+code+"]").Replace(text)
	return []byte(text)
}

const good = "From: Kim <kim@shop.test>\nIn-Reply-To: $ID\nMessage-ID: <a1@shop.test>\n"

func TestAgentsAnswersAreRead(t *testing.T) {
	m := box(t)
	for name, x := range map[string]struct{ mail, want, state string }{
		"plain":           {good + "\nIt left.", "It left.", ""},
		"by its subject":  {"From: kim@SHOP.test\nSubject: $SUBJECT\n\nIt left.", "It left.", ""},
		"an entry's id":   {"From: kim@shop.test\nReferences: <x@y> " + "$ID" + "\n\nIt left.", "It left.", ""},
		"quoted":          {good + "\nIt left.\n\nOn Mon, 23 Nov 2026 at 10:00, Chat <chat@shop.test>\nwrote:\n> Where is it?\n", "It left.", ""},
		"zitiert":         {good + "\nIst unterwegs.\n\nAm 23.11.26 um 10:00 schrieb Chat:\n> Wo?\n", "Ist unterwegs.", ""},
		"a signature":     {good + "\nIt left.\n-- \nKim, Service\n", "It left.", ""},
		"Outlook":         {good + "\nIt left.\n\n-----Original Message-----\nFrom: Chat\n", "It left.", ""},
		"state":           {good + "\nDone.\n\n#closed\n", "Done.", "closed"},
		"state alone":     {good + "\n#in_process", "", "in_process"},
		"no state":        {good + "\nSee #closedcase\n", "See #closedcase", ""},
		"base64":          {good + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n", "Grüße", ""},
		"quoted western":  {good + "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe =80 5\n", "Grüße € 5", ""},
		"an alternative":  {good + "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b\nContent-Type: text/plain\n\nplain\n--b--\n", "plain", ""},
		"HTML only":       {good + "Content-Type: text/html\n\n<html><head><style>p{}</style></head><p>It&nbsp;left &amp; flew.<br>Bye</p><blockquote>quoted</blockquote></html>", "It\u00a0left & flew.\nBye", ""},
		"an attachment":   {good + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\nfile\n--b\nContent-Type: text/plain\n\nwords\n--b--\n", "words", ""},
		"its own answers": {good + "Auto-Submitted: no\n\nIt left.", "It left.", ""},
	} {
		got, err := m.Read(answer(m, x.mail), time.Unix(1764000000, 0))
		text, state := "", ""
		for _, e := range got.Events {
			if e.Data.TicketID != "T17-K3QZ" || e.Source != desk.MailSource {
				t.Errorf("%s: got %+v", name, e)
			}
			if n := e.Data.Note; n != nil {
				public, _ := n.Split()
				text = public.Text
			}
			state += e.Data.Status
		}
		if err != nil || text != x.want || state != x.state {
			t.Errorf("%s: got %q, state %q, %q, %v; want %q, %q", name, text, state, got.Why, err, x.want, x.state)
		}
	}
}

func TestWhatIsNoAnswerTellsNobodyAnything(t *testing.T) {
	m := box(t)
	other, err := desk.NewMailbox(desk.Mail{SMTPURL: "smtp://mail.test", From: "chat@shop.test", To: "desk@shop.test", Secret: "another secret of 24 bytes or more"})
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		mail    string
		refused bool
	}{
		"no proof":            {"From: kim@shop.test\nSubject: Re: [T17-K3QZ]\n\nforged", true},
		"a wrong proof":       {"From: kim@shop.test\nSubject: Re: [T17-K3QZ.aaaaaaaaaaaaaaaaaaaaaaaa]\n\nforged", true},
		"proof of another":    {"From: kim@shop.test\nIn-Reply-To: <" + other.ThreadID("T17-K3QZ") + ">\n\nforged", true},
		"a moved proof":       {"From: kim@shop.test\nSubject: Re: [T18" + m.ThreadID("T17-K3QZ")[3:] + "]\n\nforged", true},
		"a stranger":          {"From: kim@elsewhere.test\nIn-Reply-To: $ID\n\nforged", true},
		"a similar domain":    {"From: kim@evilshop.test\nIn-Reply-To: $ID\n\nforged", true},
		"nobody":              {"In-Reply-To: $ID\n\nforged", true},
		"no mail":             {"\x00\x01", true},
		"internal":            {"From: kim@shop.test\nSubject: Re: [Internal] $SUBJECT\n\nsecret", false},
		"intern, encoded":     {"From: kim@shop.test\nIn-Reply-To: $ID\nSubject: =?utf-8?q?AW:_[intern]_x?=\n\nsecret", false},
		"out of office":       {good + "Auto-Submitted: auto-replied\n\nI am away.", false},
		"a bounce":            {good + "Content-Type: multipart/report; boundary=b\n\n--b--\n", false},
		"a circular":          {good + "Precedence: bulk\n\nNews", false},
		"our own":             {"From: chat@shop.test\nIn-Reply-To: $ID\n\nloop", false},
		"nothing but a quote": {good + "\n> quoted", false},
	} {
		got, err := m.Read(answer(m, x.mail), time.Now())
		if len(got.Events) > 0 || errors.Is(err, desk.ErrNoAnswer) != x.refused || !x.refused && got.Why == "" {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	m := box(f)
	for _, seed := range []string{good + "\nIt left.", good + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--", "From: a@b\n\n"} {
		f.Add(answer(m, seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := m.Read(raw, time.Unix(0, 0))
		if err != nil && len(a.Events) > 0 {
			t.Error("an error and events")
		}
		for _, e := range a.Events {
			if !strings.Contains(string(raw), e.Data.TicketID) {
				t.Errorf("a question that is not named: %q", e.Data.TicketID)
			}
			if e.Type == core.TicketNoteAdded && strings.TrimSpace(e.Data.Note.Text) == "" {
				t.Error("a blank note")
			}
		}
	})
}
