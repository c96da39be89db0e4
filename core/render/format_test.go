package render

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/core"
)

func TestMoney(t *testing.T) {
	tests := []struct{ locale, amount, currency, want string }{
		{"en", "83.80", "EUR", "€83.80"},
		{"en", "-4.9", "EUR", "-€4.90"},
		{"en", "1234567.5", "USD", "$1,234,567.50"},
		{"en", "1234.5", "CHF", "CHF\u00a01,234.50"},
		{"en", "-1234.5", "CHF", "-CHF\u00a01,234.50"},
		{"en_GB", "83.80", "USD", "US$83.80"},
		{"en_US", "83.80", "USD", "$83.80"},
		{"de", "83.80", "EUR", "83,80\u00a0€"},
		{"de", "-1234.5", "EUR", "-1.234,50\u00a0€"},
		{"de", "999", "PLN", "999,00\u00a0PLN"},
		{"de_LU", "1000", "EUR", "1.000,00\u00a0€"},
		{"de_AT", "1234.5", "EUR", "€\u00a01.234,50"},
		{"de_AT", "-1234.5", "EUR", "-€\u00a01.234,50"},
		{"de_CH", "1234.5", "CHF", "CHF\u00a01'234.50"},
		{"de_CH", "-1234.5", "CHF", "CHF-1'234.50"},
		{"de_CH", "1234.5", "EUR", "EUR\u00a01'234.50"},
		{"fr", "1234.5", "EUR", "1234.50\u00a0EUR"},
		{"en", "1500", "JPY", "¥1,500"},
		{"en", "1500.00", "JPY", "¥1,500"},
		{"en", "1500.25", "JPY", "¥1,500.25"},
		{"de", "1.5", "KWD", "1,500\u00a0KWD"},
		{"en", "14.505", "EUR", "€14.505"},
		{"en", "14.5000", "EUR", "€14.50"},
		{"en", "007.10", "EUR", "€7.10"},
		{"en", "-0.00", "EUR", "€0.00"},
		{"en", "99999999999999999999.99", "EUR", "€99,999,999,999,999,999,999.99"},
		{"en", "5", "", "5.00"},
		{"en", "-5", "", "-5.00"},
		{"en", "5", "XQQ", "XQQ\u00a05.00"},
		{"en", "1e3", "EUR", "1e3\u00a0EUR"},
		{"en", "", "EUR", ""},
	}
	for _, tt := range tests {
		if got := formatFor(tt.locale).money(core.Money{Amount: tt.amount, Currency: tt.currency}); got != tt.want {
			t.Errorf("%s %q %s: got %q, want %q", tt.locale, tt.amount, tt.currency, got, tt.want)
		}
	}
}

// TestMoneyIsExact is promise 4 of the package: the digits come out as they
// went in, but for zeros at the ends.
func TestMoneyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{1,6})?`).Draw(t, "amount")
		f := rapid.SampledFrom([]*format{formatFor("en"), formatFor("de"), formatFor("de_CH"), formatFor("fr")}).Draw(t, "format")
		shown := f.money(core.Money{Amount: amount, Currency: rapid.SampledFrom([]string{"EUR", "JPY", "KWD", "CHF"}).Draw(t, "currency")})

		number := strings.Map(func(r rune) rune {
			switch {
			case r == '-' || (r >= '0' && r <= '9'):
				return r
			case string(r) == f.decimal:
				return '.'
			}
			return -1
		}, shown)
		if got, want := bare(number), bare(amount); got != want {
			t.Errorf("%q is shown as %q: got the number %q, want %q", amount, shown, got, want)
		}
	})
}

// bare is a decimal number without the zeros that mean nothing.
func bare(s string) string {
	minus := ""
	if strings.HasPrefix(s, "-") {
		minus, s = "-", s[1:]
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s = strings.TrimLeft(s, "0"); strings.TrimLeft(s, ".0") == "" {
		return "0"
	}
	return minus + s
}

func TestDates(t *testing.T) {
	at := time.Date(2025, time.January, 4, 15, 5, 0, 0, time.UTC)
	tests := []struct{ locale, date, datetime string }{
		{"en", "4 January 2025", "4 January 2025 at 15:05"},
		{"en_US", "January 4, 2025", "January 4, 2025 at 3:05\u00a0PM"},
		{"en_GB", "4 January 2025", "4 January 2025 at 15:05"},
		{"de", "4. Januar 2025", "4. Januar 2025 um 15:05 Uhr"},
		{"de_AT", "4. Jänner 2025", "4. Jänner 2025 um 15:05 Uhr"},
		{"de_CH", "4. Januar 2025", "4. Januar 2025 um 15:05 Uhr"},
		{"fr", "2025-01-04", "2025-01-04 15:05"},
	}
	for _, tt := range tests {
		f := formatFor(tt.locale)
		if got := f.day(at); got != tt.date {
			t.Errorf("%s date: got %q, want %q", tt.locale, got, tt.date)
		}
		if got := f.moment(at); got != tt.datetime {
			t.Errorf("%s datetime: got %q, want %q", tt.locale, got, tt.datetime)
		}
		if got := f.day(time.Time{}) + f.moment(time.Time{}); got != "" {
			t.Errorf("%s: got %q for no time, want nothing", tt.locale, got)
		}
	}
	if got, want := formatFor("de").day(at.AddDate(0, 2, 0)), "4. März 2025"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuantity(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1.000", -1234567: "-1.234.567"} {
		if got := formatFor("de").quantity(n); got != want {
			t.Errorf("quantity(%d): got %q, want %q", n, got, want)
		}
	}
}
