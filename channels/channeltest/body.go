package channeltest

import (
	"fmt"
	"strings"

	"tidings/core"
)

// sample is something to say.
type sample struct {
	name string
	body core.Body
	// long texts may be shown as several blocks, which is seen as white space.
	long bool
}

const (
	trackURL   = "https://shop.example/track?order=00417003&lang=de#parcel"
	pictureURL = "https://shop.example/media/lamp.jpg"
)

func text(name string, t ...core.Run) sample {
	return sample{name: name, body: core.Body{Blocks: []core.Block{{Text: t}}}}
}

func plain(name, s string) sample { return text(name, core.Run{Text: s}) }

func long(s sample) sample { s.long = true; return s }

// samples are bodies of all kinds.
func samples() []sample {
	all := []sample{
		plain("a line", "Your order 00417003 is on its way."),
		plain("paragraphs", "Good day, Ines!\n\nYour order\tis  on its way:\n- one lamp\n- two chairs, 39.90 EUR each\n\nSee you soon."),
		text("emphasis", core.Run{Text: "Order "}, core.Run{Text: "00417003", Style: core.Bold}, core.Run{Text: " is "},
			core.Run{Text: "on its way", Style: core.Italic}, core.Run{Text: ", not "}, core.Run{Text: "lost", Style: core.Strike},
			core.Run{Text: ". Quote "}, core.Run{Text: "AB-1_2*3", Style: core.Code}, core.Run{Text: "."}),
		text("emphases that touch and nest", core.Run{Text: "all", Style: core.Bold | core.Italic | core.Strike | core.Code},
			core.Run{Text: "of", Style: core.Bold}, core.Run{Text: "it", Style: core.Bold | core.Italic}, core.Run{Text: "!", Style: core.Strike}),
		text("a link", core.Run{Text: "Follow your "}, core.Run{Text: "parcel", Link: trackURL}, core.Run{Text: " here."}),
		text("a bare link", core.Run{Text: "See "}, core.Run{Text: "https://shop.example/orders", Link: "https://shop.example/orders"}),
		text("an emphasised link", core.Run{Text: "your parcel", Style: core.Bold | core.Italic, Link: `https://shop.example/?q="a"&b=<c>`}),
		buttons("buttons", 2, 1),
		buttons("more buttons than fit a screen", 9, 8),
		long(buttonsBelow("buttons below a long text", strings.Repeat("A sentence about your order. ", 400))),
		{name: "a picture", body: core.Body{Blocks: []core.Block{picture("The lamp")}}},
		{name: "a picture without words", body: core.Body{Blocks: []core.Block{{Picture: &core.Picture{URL: pictureURL}}}}},
		{name: "a picture with much to say", body: core.Body{Blocks: []core.Block{picture(strings.Repeat("A lamp like no other. ", 300))}}, long: true},
		{name: "an order", body: core.Body{Blocks: []core.Block{{Text: core.PlainText("Thank you!")}, {Order: order(3)}}, Buttons: someButtons(1, 1)}},
		{name: "an order of 120 lines", body: core.Body{Blocks: []core.Block{{Order: order(120)}}}, long: true},
		{name: "an order that no form can show", body: core.Body{Blocks: []core.Block{{Order: &core.OrderSummary{
			Order: core.Order{Code: "1"}, Text: core.PlainText("Order 1, in words"),
		}}}}},
		long(plain("9000 Chinese characters", strings.Repeat("您的订单已经发货了，", 900))),
		long(plain("700 families", strings.Repeat("👨‍👩‍👧‍👦", 700))),
		long(plain("5000 accents on one letter", "e"+strings.Repeat("\u0301", 5000))),
		long(plain("5000 accented letters", strings.Repeat("e\u0301", 5000))),
		long(plain("code", strings.Repeat("if a < b && *p != `x` { return arr[i]->_next; } // <!here>\n", 200))),
		long(manyLinks()),
		long(manyStyles()),
	}
	for i, s := range nasty {
		all = append(all,
			plain(fmt.Sprintf("nasty data %d", i+1), s),
			text(fmt.Sprintf("nasty data %d, emphasised", i+1), core.Run{Text: "See "}, core.Run{Text: s, Style: core.Bold}, core.Run{Text: " and "},
				core.Run{Text: s, Style: core.Italic | core.Strike}, core.Run{Text: ", or "}, core.Run{Text: s, Style: core.Code}),
			text(fmt.Sprintf("nasty data %d, linked", i+1), core.Run{Text: "See "}, core.Run{Text: s, Link: trackURL}),
		)
	}
	return all
}

// nasty is data that some platform would take for markup, mentions or the like.
var nasty = []string{
	`1 < 2 & <b>bold</b> &lt; &amp;`, `*x* **x** * x *`, `_y_ __y__ snake_case_name`, "`z` ``` zz ```", `~s~ ~~s~~ ||spoiler||`,
	`"double" 'single' «angle» „low“`, "שלום עולם, طلب رقم ٤٢", "abc \u202Eevil\u202C \u200Bzero\u200Bwidth\u2060", `<!here> <@U1> <#C1|x> @everyone #x`,
	`[a](b) ![i](j) [a]: b`, `<https://evil.example|click>`, `> quote`, `:smile: :+1::skin-tone-2: :warning:`, `{{1}} %s %d {0} $1 \n \u0041`,
	`C:\temp\new \* \_ \\`, `# head - list + list 1. list = - . !`, `tg://user?id=1 mailto:a@b.example a.b.example`, `<a href="x">y</a> <code>`,
	"line one\r\nline two", `100 % & 50 ¢ © ™ ½ ﷽`, "🏳️‍🌈 👩🏽‍🚀 1️⃣ 🇩🇪", "&", "<", ">", "*", "_", "`",
}

func buttons(name string, links, values int) sample {
	s := plain(name, "Choose one.")
	s.body.Buttons = someButtons(links, values)
	return s
}

func buttonsBelow(name, above string) sample {
	s := plain(name, above)
	s.body.Buttons = someButtons(1, 2)
	return s
}

func someButtons(links, values int) []core.Button {
	var all []core.Button
	for i := range links {
		all = append(all, core.Button{Title: fmt.Sprintf("Parcel & <%d>", i), URL: fmt.Sprintf("https://shop.example/track?parcel=%d&lang=en", i)})
	}
	for i := range values {
		all = append(all, core.Button{Title: fmt.Sprintf("Answer *%d*", i), Value: fmt.Sprintf("answer:<%d>&", i)})
	}
	return all
}

func picture(caption string) core.Block {
	return core.Block{Picture: &core.Picture{URL: pictureURL, Alt: "a lamp", Caption: core.PlainText(caption)}}
}

// order is one that has all that a form could need.
func order(lines int) *core.OrderSummary {
	eur := func(amount string) core.Money { return core.Money{Amount: amount, Currency: "EUR"} }
	o := core.Order{
		Code: fmt.Sprintf("0041%04d", lines), Site: "electronics", CustomerName: "Ines Vidal", Payment: "Visa ****4242",
		Subtotal: eur("10.00"), Shipping: eur("4.95"), Tax: eur("1.60"), Discount: eur("-1.00"), Total: eur("1234.56"),
		ShipTo: &core.PostAddress{Name: "Ines Vidal", Street: "Calle Mayor 1", PostalCode: "28013", City: "Madrid", State: "M", Country: "ES"},
	}
	words := "Order " + o.Code + "\n"
	for i := range lines {
		line := core.OrderLine{Number: i, Code: fmt.Sprintf("P-%d", i), Name: fmt.Sprintf("Lamp <%d> & *co*", i), Quantity: 2, Unit: eur("5.00"), Total: eur("10.00")}
		o.Lines = append(o.Lines, line)
		words += fmt.Sprintf("2 × %s: 10.00 EUR\n", line.Name)
	}
	return &core.OrderSummary{Order: o, Text: core.PlainText(words + "Total: 1234.56 EUR")}
}

func manyLinks() sample {
	var t core.Text
	for i := range 300 {
		t = append(t, core.Run{Text: "Whoever has bought a lamp like this one has also looked at "}, core.Run{Text: fmt.Sprintf("page %d", i), Link: fmt.Sprintf("https://shop.example/page/%d?a=1&b=2", i)}, core.Run{Text: ".\n"})
	}
	return text("300 links", t...)
}

func manyStyles() sample {
	var t core.Text
	for i := range 600 {
		t = append(t, core.Run{Text: fmt.Sprintf("word %d", i), Style: core.Style(i % 16)}, core.Run{Text: " & "})
	}
	return text("600 changes of style", t...)
}
