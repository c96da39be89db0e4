package telegram_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// capture keeps the form of the last request and says yes.
func capture(into *url.Values, path *string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		*into, *path = r.PostForm, r.URL.Path
		return yes(r)
	}
}

// A golden file of encode shows a part and the request it becomes.
type encodeCase struct {
	Part   core.Part         `json:"part"`
	Method string            `json:"method"`
	Params map[string]string `json:"params"`
}

func TestPartsBecomeRequests(t *testing.T) {
	for name, c := range cases[encodeCase](t, "encode") {
		t.Run(name, func(t *testing.T) {
			var form url.Values
			var path string
			if _, err := open(t, capture(&form, &path)).Send(t.Context(), ines, c.Part); err != nil {
				t.Fatalf("Send() = %v", err)
			}
			got := map[string]string{}
			for key := range form {
				got[key] = form.Get(key)
			}
			if diff := cmp.Diff(c.Params, got); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if want := "/bot" + testToken + "/" + c.Method; path != want {
				t.Errorf("path: got %q, want %q", path, want)
			}
		})
	}
}

// Data is never markup: what is sent is this, to the character.
func TestNastyDataIsShownAsItStands(t *testing.T) {
	for _, c := range []struct {
		name string
		run  core.Run
		want string
	}{
		{"markup", core.Run{Text: "1 < 2 & <b>bold</b>"}, "1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;"},
		{"an entity", core.Run{Text: "&lt; &amp;amp;"}, "&amp;lt; &amp;amp;amp;"},
		{"quotes in text", core.Run{Text: `"a" 'b'`}, `"a" 'b'`},
		{"markdown", core.Run{Text: "*_[x](y)`~"}, "*_[x](y)`~"},
		{"quotes in a link", core.Run{Text: "go", Link: `https://x.example/?a="1"&b=<2>`},
			`<a href="https://x.example/?a=&quot;1&quot;&amp;b=&lt;2&gt;">go</a>`},
		{"emoji", core.Run{Text: "👨‍👩‍👧 ok", Style: core.Bold}, "<b>👨‍👩‍👧 ok</b>"},
		{"right to left", core.Run{Text: "שלום <עולם>", Style: core.Italic}, "<i>שלום &lt;עולם&gt;</i>"},
		{"no UTF-8", core.Run{Text: "a\xffb"}, "a\uFFFDb"},
		{"script link", core.Run{Text: "x", Link: "javascript:alert(1)"}, "x"},
		{"relative link", core.Run{Text: "x", Link: "/a"}, "x"},
		{"link to nowhere", core.Run{Text: "x", Link: "https://"}, "x"},
		{"bot link", core.Run{Text: "x", Link: "tg://resolve?domain=a"}, `<a href="tg://resolve?domain=a">x</a>`},
		{"mail link", core.Run{Text: "x", Link: "mailto:a@x.example"}, `<a href="mailto:a@x.example">x</a>`},
		{"all emphases and a link", core.Run{Text: "x", Style: core.Bold | core.Italic | core.Strike | core.Code, Link: "http://x.example"},
			`<a href="http://x.example"><b><i><s>x</s></i></b></a>`},
		{"code stands alone", core.Run{Text: "<x>", Style: core.Bold | core.Code}, "<code>&lt;x&gt;</code>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var form url.Values
			var path string
			part := core.Part{Text: core.Text{c.run}}
			if _, err := open(t, capture(&form, &path)).Send(t.Context(), ines, part); err != nil {
				t.Fatalf("Send() = %v", err)
			}
			if got := form.Get("text"); got != c.want {
				t.Errorf("text: got %q, want %q", got, c.want)
			}
		})
	}
}

// What Telegram would refuse as a whole is refused without asking it.
func TestBadPartsAreRejectedWithoutARequest(t *testing.T) {
	text := core.PlainText("Private words")
	buttons := func(b ...core.Button) core.Part { return core.Part{Text: text, Buttons: b} }
	for _, c := range []struct {
		name string
		to   core.Address
		part core.Part
	}{
		{"no text", ines, core.Part{}},
		{"blank text", ines, core.Part{Text: core.PlainText(" \n\t")}},
		{"template", ines, core.Part{Template: &core.Template{Name: "n"}}},
		{"channel name", core.Address{Value: "@news"}, hello},
		{"empty address", core.Address{}, hello},
		{"chat zero", core.Address{Value: "0"}, hello},
		{"chat with a plus", core.Address{Value: "+42"}, hello},
		{"chat beyond 64 bits", core.Address{Value: "9223372036854775808"}, hello},
		{"address of another kind", core.Address{Value: "42", Kind: "user_ref"}, hello},
		{"picture by file id", ines, core.Part{Picture: &core.Picture{URL: "AgACAgIAAxkBAAI"}}},
		{"picture by attachment", ines, core.Part{Picture: &core.Picture{URL: "attach://x"}}},
		{"button without title", ines, buttons(core.Button{Value: "v"})},
		{"button without aim", ines, buttons(core.Button{Title: "t"})},
		{"button with two aims", ines, buttons(core.Button{Title: "t", Value: "v", URL: "https://x.example"})},
		{"button with a script", ines, buttons(core.Button{Title: "t", URL: "javascript:x"})},
		{"button value of 65 bytes", ines, buttons(core.Button{Title: "t", Value: strings.Repeat("é", 32) + "x"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := false
			channel := open(t, roundTrip(func(r *http.Request) (*http.Response, error) { asked = true; return yes(r) }))
			_, err := channel.Send(t.Context(), c.to, c.part)
			var e *core.SendError
			if !errors.As(err, &e) || e.Class != core.Rejected {
				t.Fatalf("Send() = %v, want Rejected", err)
			}
			if asked {
				t.Error("a request was made")
			}
			if strings.Contains(err.Error(), "Private") {
				t.Errorf("the error holds the text: %v", err)
			}
		})
	}
}

func TestButtonValueOf64BytesIsTaken(t *testing.T) {
	part := core.Part{Text: core.PlainText("x"), Buttons: []core.Button{{Title: "t", Value: strings.Repeat("é", 32)}}}
	if _, err := open(t, yes).Send(t.Context(), ines, part); err != nil {
		t.Fatalf("Send() = %v", err)
	}
}

// Telegram's own reading of the HTML, as far as we use it: ok is false where
// it would answer "can't parse entities".
func parsed(s string) (text string, ok bool) {
	var b strings.Builder
	var stack []string
	for s != "" {
		if s[0] != '<' {
			end := strings.IndexByte(s, '<')
			if end < 0 {
				end = len(s)
			}
			if strings.ContainsRune(s[:end], '>') {
				return "", false
			}
			b.WriteString(html.UnescapeString(s[:end]))
			s = s[end:]
			continue
		}
		tag, rest, found := strings.Cut(s[1:], ">")
		if !found {
			return "", false
		}
		s = rest
		if name, closing := strings.CutPrefix(tag, "/"); closing {
			if len(stack) == 0 || stack[len(stack)-1] != name {
				return "", false
			}
			stack = stack[:len(stack)-1]
			continue
		}
		name, attribute, _ := strings.Cut(tag, " ")
		if strings.Count(attribute, `"`) != 2*strings.Count(name, "a") {
			return "", false
		}
		stack = append(stack, name)
	}
	return b.String(), len(stack) == 0
}

// FuzzEncode: whatever the data, Telegram shows its characters, and the text
// costs no more than Limits say.
func FuzzEncode(f *testing.F) {
	f.Add("1 < 2 & <b>", "https://x.example/?q=\"<&>", uint8(3), "and &quot; more")
	f.Add("👨‍👩‍👧\x00\xff", "tg://x", uint8(15), "</a>")
	f.Add("x", "mailto:a@b", uint8(8), "")
	var form url.Values
	var path string
	channel := open(f, capture(&form, &path))
	limits := channel.Limits()
	f.Fuzz(func(t *testing.T, a, link string, style uint8, b string) {
		part := core.Part{Text: core.Text{{Text: a, Style: core.Style(style) & 15, Link: link}, {Text: b}}}
		if strings.TrimSpace(part.Plain()) == "" {
			return
		}
		if _, err := channel.Send(t.Context(), ines, part); err != nil {
			t.Fatalf("Send() = %v", err)
		}
		sent := form.Get("text")
		shown, ok := parsed(sent)
		want := strings.ToValidUTF8(a, "\uFFFD") + strings.ToValidUTF8(b, "\uFFFD")
		if !ok || shown != want {
			t.Errorf("shown: got %q, %v, want %q, from %q", shown, ok, want, sent)
		}
		if !utf8.ValidString(sent) {
			t.Errorf("no UTF-8: %q", sent)
		}
		if bound := cost(limits, a, b, link) + limits.RunOverhead; len(sent) > bound {
			t.Errorf("%d bytes, Limits allow for %d: %q", len(sent), bound, sent)
		}
	})
}

// cost counts bytes as Limits describe them; a byte that is no UTF-8 costs
// as much as the replacement character.
func cost(limits core.Limits, texts ...string) int {
	n := 0
	for _, text := range texts {
		for _, r := range text {
			n += max(utf8.RuneLen(r), len(limits.Escape[string(r)]))
		}
	}
	return n
}
