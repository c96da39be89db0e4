package hybris

import (
	"math/big"
	"testing"
)

func TestDecimal(t *testing.T) {
	for _, test := range []struct {
		in    string
		least int
		want  string
	}{
		{"83.8", 2, "83.80"},
		{"29.0", 2, "29.00"},
		{"29", 2, "29.00"},
		{"0", 2, "0.00"},
		{"-4.9", 2, "-4.90"},
		{"-0.00", 2, "0.00"},
		{"0.125", 2, "0.125"},
		{"0.1250", 2, "0.125"},
		{"1200.0", 0, "1200"},
		{"1.5", 0, "1.5"},
		{"1.2", 3, "1.200"},
		{"1.234567E7", 2, "12345670.00"},
		{"1e-3", 2, "0.001"},
		{"12.5e-4", 2, "0.00125"},
		{"1.5E+2", 2, "150.00"},
		{"00012.50", 2, "12.50"},
		{"12345678901234567890.12", 2, "12345678901234567890.12"},
	} {
		got, ok := decimal(test.in, test.least)
		if !ok || got != test.want {
			t.Errorf("decimal(%q, %d): got %q, %t, want %q", test.in, test.least, got, ok, test.want)
		}
	}
	for _, in := range []string{"", "-", ".", "1.", ".5", "1,5", "1e", "1e99", "1e-99", "NaN", "--1", "+1", "1.2.3", "0x1", "١"} {
		if got, ok := decimal(in, 2); ok {
			t.Errorf("decimal(%q): got %q, want none", in, got)
		}
	}
}

// What is written is worth what was read.
func FuzzDecimal(f *testing.F) {
	f.Add("83.8", 2)
	f.Add("1.0E7", 0)
	f.Add("-12e-5", 3)
	f.Fuzz(func(t *testing.T, in string, least int) {
		got, ok := decimal(in, least%4)
		if !ok {
			return
		}
		want, valid := new(big.Rat).SetString(in)
		have, written := new(big.Rat).SetString(got)
		if !valid || !written || want.Cmp(have) != 0 {
			t.Fatalf("decimal(%q): got %q", in, got)
		}
	})
}
