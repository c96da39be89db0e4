package hybris

import (
	"strconv"
	"strings"

	"tidings/core"
)

// minorUnits are the currencies whose amounts are not written with two decimals
// (the minor units of ISO 4217).
var minorUnits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0,
	"PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

func decimalsOf(currency string) int {
	if n, ok := minorUnits[currency]; ok {
		return n
	}
	return 2
}

// money reads OCC's Price. The amount is exactly the shop's, written with at
// least the currency's own number of decimals: 83.8 becomes "83.80", 1.2E+3 yen
// become "1200", 0.125 stays "0.125".
func money(price node, currency string) core.Money {
	if own := price.get("currencyIso").code(); own != "" {
		currency = own
	}
	amount, ok := decimal(price.get("value").text(), decimalsOf(currency))
	if !ok {
		return core.Money{}
	}
	return core.Money{Amount: amount, Currency: currency}
}

// maxExponent bounds how far a number is written out.
const maxExponent = 30

// decimal writes a JSON number in plain form with at least the given decimals.
// It moves digits and never calculates, so nothing is rounded.
func decimal(s string, least int) (string, bool) {
	if len(s) == 0 || len(s) > 2*maxExponent {
		return "", false
	}
	s, negative := strings.CutPrefix(s, "-")
	mantissa, exponent, ok := cutExponent(s)
	if !ok {
		return "", false
	}
	whole, fraction, dotted := strings.Cut(mantissa, ".")
	if !digits(whole) || dotted && !digits(fraction) {
		return "", false
	}
	whole, fraction = shift(whole, fraction, exponent)
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	zero := whole == "" && fraction == ""
	if whole == "" {
		whole = "0"
	}
	if missing := least - len(fraction); missing > 0 {
		fraction += strings.Repeat("0", missing)
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && !zero {
		whole = "-" + whole
	}
	return whole, true
}

// cutExponent takes off what Java writes behind large and small numbers (1.0E7).
func cutExponent(s string) (mantissa string, exponent int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	exponent, err := strconv.Atoi(s[i+1:])
	if err != nil || exponent > maxExponent || exponent < -maxExponent {
		return "", 0, false
	}
	return s[:i], exponent, true
}

// shift moves the point by the exponent.
func shift(whole, fraction string, exponent int) (string, string) {
	point := len(whole) + exponent
	all := whole + fraction
	if point < 0 {
		all, point = strings.Repeat("0", -point)+all, 0
	}
	if point > len(all) {
		all += strings.Repeat("0", point-len(all))
	}
	return all[:point], all[point:]
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}
