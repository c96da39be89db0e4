package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the margin of a QR code in modules (ISO/IEC 18004: four).
const quiet = 4

// qrCode is a QR code as a path of SVG: no picture to load, no script to run.
type qrCode struct {
	Size int // with the margin
	Path string
}

// newQR returns the code of a text; nil where there is none or it is too long.
func newQR(text string) *qrCode {
	if text == "" {
		return nil
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				_, _ = fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return &qrCode{Size: code.Size + 2*quiet, Path: path.String()}
}
