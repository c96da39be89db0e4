package split

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// currencies are the codes of ISO 4217 (list one,
// https://www.six-group.com/en/products-services/financial-information/market-reference-data/data-standards.html,
// read 2026-11-22) and the words that shops write instead.
var currencies = set(`
	AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
	CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
	IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
	MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
	RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
	UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
	zł Kč kr Ft lei лв руб грн SFr Fr TL Rs Euro Euros euro euros`)

// longestCurrency is the length of the longest word of currencies.
const longestCurrency = 5

func set(words string) map[string]bool {
	s := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		s[w] = true
	}
	return s
}

// prices finds the prices of a text: a number and a currency on either side,
// with at most one space between. A currency belongs to one number: to the one
// it touches, else to the first. Because nobody can tell which number of "Order
// 417003 € 83.80" is the price, doubtful has each number with all currencies
// beside it.
func prices(s string) (sure, doubtful []stretch) {
	claimed := 0 // end of the last currency that belongs to a number
	for at := nextDigit(s, 0); at < len(s); {
		number := stretch{at, numberEnd(s, at)}
		left, touchesLeft := currencyBefore(s, number.from)
		right, touchesRight := currencyBehind(s, number.to)
		at = nextDigit(s, number.to)
		if left == number.from && right == number.to || !touchesLeft && isCode(s, number.from) {
			continue
		}
		doubtful = append(doubtful, stretch{left, right})

		hasLeft := left < number.from && left >= claimed
		hasRight := right > number.to && (touchesRight || right != at)
		switch {
		case hasLeft && (touchesLeft || !touchesRight):
			sure = append(sure, stretch{left, number.to})
		case hasRight:
			sure = append(sure, stretch{number.from, right})
			claimed = right
		}
	}
	return sure, doubtful
}

// isCode reports whether a number is the end of a word such as "A4711".
func isCode(s string, number int) bool {
	return suffix(s[:number], unicode.IsLetter, 1) > 0
}

// nextDigit returns where the next digit is, len(s) for nowhere.
func nextDigit(s string, from int) int {
	if i := strings.IndexFunc(s[from:], unicode.IsDigit); i >= 0 {
		return from + i
	}
	return len(s)
}

// numberEnd returns the end of a number that starts with a digit: "1.234,50",
// "1'234.50", "1 234,50", "12,-", "10–20".
func numberEnd(s string, from int) int {
	end := from + prefix(s[from:], isNumeral)
	for groups := end - from; groups > 0 && groups <= 3; groups = 3 {
		space, n := utf8.DecodeRuneInString(s[end:])
		if !isBlankRune(space) || prefix(s[end+n:], unicode.IsDigit) != 3 {
			break
		}
		end += n + 3
		if decimals := prefix(s[end:], isNumeral); decimals > 0 {
			return end + decimals
		}
	}
	return end
}

// currencyBefore returns where the currency in front of a number starts, and
// whether the two touch; the number's own start where there is none.
func currencyBefore(s string, number int) (start int, touches bool) {
	end := number - suffix(s[:number], isSign, 1)
	gap := suffix(s[:end], isBlankRune, 1)
	end -= gap
	if sign := suffix(s[:end], isCurrencySign, 1); sign > 0 {
		return end - sign, gap == 0
	}
	end -= suffix(s[:end], func(r rune) bool { return r == '.' }, 1) // "Fr. 12"
	if word := suffix(s[:end], unicode.IsLetter, longestCurrency+1); currencies[s[end-word:end]] {
		return end - word, gap == 0
	}
	return number, false
}

// currencyBehind is currencyBefore for the end of a currency behind a number.
func currencyBehind(s string, number int) (end int, touches bool) {
	start := number
	if r, n := utf8.DecodeRuneInString(s[start:]); isBlankRune(r) {
		start += n
	}
	word := 0
	for range longestCurrency + 1 {
		r, n := utf8.DecodeRuneInString(s[start+word:])
		if isCurrencySign(r) && word <= len("US") {
			return start + word + n, start == number
		}
		if !unicode.IsLetter(r) {
			break
		}
		word += n
	}
	if currencies[s[start:start+word]] {
		return start + word, start == number
	}
	return number, false
}

// prefix returns how many bytes at the start of s are such characters.
func prefix(s string, is func(rune) bool) int {
	for i, r := range s {
		if !is(r) {
			return i
		}
	}
	return len(s)
}

// suffix returns how many bytes at the end of s are such characters, at most
// so many characters.
func suffix(s string, is func(rune) bool, most int) int {
	end := len(s)
	for range most {
		r, n := utf8.DecodeLastRuneInString(s[:end])
		if n == 0 || !is(r) {
			break
		}
		end -= n
	}
	return len(s) - end
}

func isNumeral(r rune) bool { return unicode.IsDigit(r) || strings.ContainsRune(".,'’-–", r) }

func isSign(r rune) bool { return r == '-' || r == '+' || r == '−' }

func isCurrencySign(r rune) bool { return unicode.Is(unicode.Sc, r) }

// isBlankRune reports the spaces that people put into prices.
func isBlankRune(r rune) bool {
	switch r {
	case ' ', '\t', '\u00a0', '\u2007', '\u2009', '\u202f':
		return true
	}
	return false
}
