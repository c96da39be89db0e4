package render

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// withData is an example in which every free text is s.
func withData(name, s string) Input {
	in := example(name)
	in.Event.ReturnCode, in.Event.TicketID, in.Note.Text = s, s, s
	in.Order.Code, in.Order.Delivery = s, s
	in.Order.ShipTo.City, in.Order.ShipTo.PostalCode = s, s
	for i := range in.Order.Lines {
		in.Order.Lines[i].Name = s
	}
	in.Consignment.TrackingID, in.Consignment.Carrier, in.Consignment.PickupPoint = s, s, s
	orders := in.Vars["orders"].([]core.Order)
	orders[0].Code = s
	in.Vars["name"], in.Vars["text"] = s, s
	return in
}

const placeholder = "Ⓟ"

// sameBut replaces the placeholder in everything a customer sees.
func sameBut(b core.Body, s string) core.Body {
	replace := func(text core.Text) core.Text {
		out := slices.Clone(text)
		for i := range out {
			out[i].Text = strings.ReplaceAll(out[i].Text, placeholder, s)
		}
		return out
	}
	out := core.Body{Buttons: b.Buttons}
	for _, block := range b.Blocks {
		block.Text = replace(block.Text)
		if block.Order != nil {
			block.Order = &core.OrderSummary{Text: replace(block.Order.Text)}
		}
		out.Blocks = append(out.Blocks, block)
	}
	return out
}

// FuzzDataComesOutAsItWentIn is promise 1 for the texts of the program: data
// changes neither styles nor links nor the words around it.
func FuzzDataComesOutAsItWentIn(f *testing.F) {
	for _, seed := range []string{"x", "**b**", "1 < 2 & <b>", "[a](https://x.example)", "a_b_c", "`", "\\", "\n\n x \n", "\xff\xfe\xf8\n", "\x00", "{{.}}", "家庭 👨‍👩‍👧", "é́", " ]( ", "\ufffd"} {
		f.Add(seed)
	}
	texts := mustNew(f)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.TrimSpace(s) == "" || strings.Contains(s, placeholder) {
			t.Skip("blank data counts as missing")
		}
		for _, name := range textNames() {
			in, like := withData(name, s), withData(name, placeholder)
			in.Locale, like.Locale = "de", "de"
			got := sameBut(mustRender(t, texts, in), placeholder)
			want := sameBut(mustRender(t, texts, like), clean(s))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s with %q (-want +got):\n%s", name, s, diff)
			}
		}
		if got := words(mustRender(t, texts, withData("ticket.note_added", s))); !strings.Contains(got, clean(s)) {
			t.Errorf("got %q, want the note %q in it", got, s)
		}
	})
}

// FuzzMarkup feeds literal text and data to a shop's own template: nothing
// panics, no data is lost and no mark of ours is left.
func FuzzMarkup(f *testing.F) {
	for _, seed := range []string{"a ** b", "[x](https://x.example)", "`_**~~", "\\", "[", "](", "a\n\n**b", "_**_**", "[[](](", `_a\ b_`} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, literal, data string) {
		half := len(literal) / 2
		a, b := strings.ToValidUTF8(literal[:half], ""), strings.ToValidUTF8(literal[half:], "")
		pieces := parseMarkup(a + string(dataMarkup(data)) + b)
		text := textOnly(pieces)
		plain := text.Plain()
		for _, mark := range []byte{dataStart, objectStart, fieldStart, segmentEnd, standalone[0]} {
			if strings.IndexByte(plain, mark) >= 0 {
				t.Errorf("got a mark %#x in %q", mark, plain)
			}
		}
		inAddress := strings.Contains(a, "](") // there data is an address, not a text
		if !inAddress && !strings.Contains(plain, clean(data)) {
			t.Errorf("got %q from %q and %q, want the data %q in it", plain, a, b, data)
		}
	})
}
