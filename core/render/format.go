package render

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/currency"

	"tidings/core"
)

// nbsp keeps a number and its sign on one line.
const nbsp = "\u00a0"

// format is how a locale writes amounts and dates.
type format struct {
	locale   string // "" is the neutral one
	decimal  string
	group    string // between thousands; "" for none
	positive string // "¤" is the currency's sign, "#" the number
	negative string
	signs    map[string]string // currencies that have a sign of their own there
	months   *[12]string
	date     func(months *[12]string, t time.Time) string
	clock    string // layout of package time
	between  string // date and time
}

// formats is the table of what is known of locales, after the Unicode CLDR 48
// (https://github.com/unicode-org/cldr-json, cldr-numbers-full and
// cldr-dates-full, read 2026-11-22). The first entry of a language serves all
// its regions that are not listed, and is European English for en; a language
// that is not listed gets the last.
var formats = []format{
	{
		locale: "en", decimal: ".", group: ",", positive: "¤#", negative: "-¤#",
		signs:  map[string]string{"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CAD": "CA$", "AUD": "A$"},
		months: &englishMonths, date: dayMonthYear, clock: "15:04", between: " at ",
	},
	{
		locale: "en_US", decimal: ".", group: ",", positive: "¤#", negative: "-¤#",
		signs:  map[string]string{"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CAD": "CA$", "AUD": "A$"},
		months: &englishMonths, date: monthDayYear, clock: "3:04" + nbsp + "PM", between: " at ",
	},
	{
		locale: "en_GB", decimal: ".", group: ",", positive: "¤#", negative: "-¤#",
		signs:  map[string]string{"EUR": "€", "GBP": "£", "USD": "US$", "JPY": "JP¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CAD": "CA$", "AUD": "A$"},
		months: &englishMonths, date: dayMonthYear, clock: "15:04", between: " at ",
	},
	{
		locale: "de", decimal: ",", group: ".", positive: "#" + nbsp + "¤", negative: "-#" + nbsp + "¤",
		signs:  map[string]string{"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CAD": "CA$", "AUD": "AU$"},
		months: &germanMonths, date: dayDotMonthYear, clock: "15:04 Uhr", between: " um ",
	},
	{
		locale: "de_AT", decimal: ",", group: ".", positive: "¤" + nbsp + "#", negative: "-¤" + nbsp + "#",
		signs:  map[string]string{"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CAD": "CA$", "AUD": "AU$"},
		months: &austrianMonths, date: dayDotMonthYear, clock: "15:04 Uhr", between: " um ",
	},
	{
		locale: "de_CH", decimal: ".", group: "'", positive: "¤" + nbsp + "#", negative: "¤-#",
		signs:  map[string]string{"GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CAD": "CA$", "AUD": "AU$"},
		months: &germanMonths, date: dayDotMonthYear, clock: "15:04 Uhr", between: " um ",
	},
	// A language nobody has described: codes instead of signs and ISO dates
	// are nowhere usual and everywhere understood.
	{decimal: ".", positive: "#" + nbsp + "¤", negative: "-#" + nbsp + "¤", date: isoDate, clock: "15:04", between: " "},
}

var (
	englishMonths  = [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	germanMonths   = [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
	austrianMonths = [12]string{"Jänner", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
)

// formatFor returns how a canonical locale writes.
func formatFor(locale string) *format {
	for _, l := range lineage(locale) {
		for i := range formats {
			if formats[i].locale == l {
				return &formats[i]
			}
		}
	}
	return &formats[len(formats)-1]
}

// formatsOf returns all the ways in which a language is written.
func formatsOf(lang string) []*format {
	var list []*format
	for i := range formats {
		if f := &formats[i]; f.locale != "" && language(f.locale) == lang {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		list = []*format{&formats[len(formats)-1]}
	}
	return list
}

func dayMonthYear(months *[12]string, t time.Time) string {
	return strconv.Itoa(t.Day()) + " " + months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

func dayDotMonthYear(months *[12]string, t time.Time) string {
	return strconv.Itoa(t.Day()) + ". " + months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

func monthDayYear(months *[12]string, t time.Time) string {
	return months[t.Month()-1] + " " + strconv.Itoa(t.Day()) + ", " + strconv.Itoa(t.Year())
}

func isoDate(_ *[12]string, t time.Time) string { return t.Format(time.DateOnly) }

// day writes a date; no time is no text.
func (f *format) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return f.date(f.months, t)
}

// moment writes a date and the time of day.
func (f *format) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return f.day(t) + f.between + t.Format(f.clock)
}

// money writes an amount with its currency; no amount is no text. What is not
// a decimal number is shown as the shop stated it.
func (f *format) money(m core.Money) string {
	if m.IsZero() {
		return ""
	}
	digits, negative, ok := decimalDigits(m.Amount)
	if !ok {
		return strings.TrimSpace(m.Amount + nbsp + m.Currency)
	}
	number := f.number(atLeast(digits, decimals(m.Currency)))
	pattern := f.positive
	if negative {
		pattern = f.negative
	}
	return f.fill(pattern, number, m.Currency)
}

// fill puts a number and a currency into a pattern.
func (f *format) fill(pattern, number, code string) string {
	if code == "" {
		sign := ""
		if strings.Contains(pattern, "-") {
			sign = "-"
		}
		return sign + number
	}
	sign := f.signs[code]
	if sign == "" {
		sign = code
		// Letters and digits must not touch.
		pattern = strings.Replace(pattern, "¤#", "¤"+nbsp+"#", 1)
	}
	i := strings.Index(pattern, "¤")
	before, after := pattern[:i], pattern[i+len("¤"):]
	return strings.Replace(before, "#", number, 1) + sign + strings.Replace(after, "#", number, 1)
}

// number groups and separates a plain decimal number.
func (f *format) number(digits string) string {
	whole, fraction, _ := strings.Cut(digits, ".")
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(f.group)
		}
		b.WriteByte(whole[i])
	}
	if fraction != "" {
		b.WriteString(f.decimal + fraction)
	}
	return b.String()
}

// quantity writes a whole number.
func (f *format) quantity(n int) string {
	if n < 0 {
		return "-" + f.number(strconv.Itoa(n)[1:])
	}
	return f.number(strconv.Itoa(n))
}

// decimalDigits splits a plain decimal number into digits (with "." if there
// is a fraction, without leading zeros) and sign. Zero has no sign.
func decimalDigits(amount string) (digits string, negative, ok bool) {
	digits, negative = strings.CutPrefix(amount, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !isDigits(whole) || (point && !isDigits(fraction)) {
		return "", false, false
	}
	whole = strings.TrimLeft(whole[:len(whole)-1], "0") + whole[len(whole)-1:]
	if point {
		whole += "." + fraction
	}
	return whole, negative && strings.Trim(whole, "0.") != "", true
}

// atLeast writes a number with n decimals: zeros are added or taken away, any
// other digit stays.
func atLeast(digits string, n int) string {
	whole, fraction, _ := strings.Cut(digits, ".")
	for len(fraction) > n && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if missing := n - len(fraction); missing > 0 {
		fraction += strings.Repeat("0", missing)
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// decimals is how many decimals a currency has, 2 for an unknown one.
func decimals(code string) int {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	scale, _ := currency.Standard.Rounding(unit)
	return scale
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
