package web

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"
)

// The path paints the modules of the code, and no others, inside the margin.
func TestQR(t *testing.T) {
	text := "https://chat.example/start?ref=" + strings.Repeat("Ab1_", 15)
	want, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	got := newQR(text)
	if got.Size != want.Size+8 {
		t.Fatalf("size: got %d, want %d", got.Size, want.Size+8)
	}
	black := map[string]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(got.Path, -1) {
		x, _ := strconv.Atoi(m[1])
		n, _ := strconv.Atoi(m[3])
		for i := range n {
			black[fmt.Sprint(x+i, " ", m[2])] = true
		}
	}
	for y := range got.Size {
		for x := range got.Size {
			if g, w := black[fmt.Sprint(x, " ", y)], want.Black(x-4, y-4); g != w {
				t.Fatalf("module %d,%d: got %v, want %v", x, y, g, w)
			}
		}
	}
	if newQR("") != nil || newQR(strings.Repeat("x", 5000)) != nil {
		t.Error("no text, and one that is too long, have no code")
	}
}
