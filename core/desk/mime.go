package desk

import (
	"encoding/base64"
	"errors"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds on what is read of an e-mail's structure.
const (
	maxNesting = 8
	maxText    = 1 << 20 // bytes
)

var errNoText = errors.New("no text")

// textOf is the text of an e-mail or of a part of one: the first plain one, else
// the first page of HTML, without its markup and its quotations.
func textOf(contentType, encoding string, body io.Reader, depth int) (string, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media == "" {
		media, params = "text/plain", map[string]string{}
	}
	switch {
	case strings.HasPrefix(media, "multipart/"):
		return textOfParts(multipart.NewReader(body, params["boundary"]), depth)
	case media != "text/plain" && media != "text/html":
		return "", errNoText
	}
	raw, err := io.ReadAll(io.LimitReader(transferred(encoding, body), maxText))
	if err != nil {
		return "", err
	}
	text := inUTF8(raw, params["charset"])
	if media == "text/html" {
		text = withoutMarkup(text)
	}
	return text, nil
}

func textOfParts(parts *multipart.Reader, depth int) (string, error) {
	if depth >= maxNesting {
		return "", errNoText
	}
	page := ""
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if disposition, _, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition")); disposition == "attachment" {
			continue
		}
		kind := p.Header.Get("Content-Type")
		text, err := textOf(kind, p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		switch {
		case err != nil || strings.TrimSpace(text) == "":
		case strings.HasPrefix(strings.ToLower(kind), "text/html"):
			if page == "" {
				page = text
			}
		default:
			return text, nil
		}
	}
	if page == "" {
		return "", errNoText
	}
	return page, nil
}

func transferred(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	}
	return body
}

// windows1252 are the characters 0x80 to 0x9F of that charset, which is what mail
// programs mean by ISO-8859-1 too. https://encoding.spec.whatwg.org/#legacy-single-byte-encodings, read 2026-11-22.
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

// inUTF8 decodes what is no UTF-8 as the western charset; a character of another
// one is wrong then, and none is lost.
func inUTF8(raw []byte, charset string) string {
	declared := strings.ToLower(charset)
	western := strings.HasPrefix(declared, "iso-8859") || strings.HasPrefix(declared, "windows-125")
	if !western && utf8.Valid(raw) {
		return string(raw)
	}
	table := []rune(windows1252)
	var b strings.Builder
	for _, c := range raw {
		switch {
		case c >= 0x80 && c < 0xa0:
			b.WriteRune(table[c-0x80])
		case c == 0xa4 && declared == "iso-8859-15":
			b.WriteRune('€')
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// decoded is a header in words.
func decoded(header string) string {
	d := mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
		raw, err := io.ReadAll(in)
		return strings.NewReader(inUTF8(raw, charset)), err
	}}
	if words, err := d.DecodeHeader(header); err == nil {
		return words
	}
	return header
}

var (
	hidden = regexp.MustCompile(`(?is)<(script|style|head|title)\b.*?</(script|style|head|title)\s*>|<!--.*?-->`)
	quoted = regexp.MustCompile(`(?is)<(blockquote\b|div[^>]*\b(class|id)="?(gmail_quote|yahoo_quoted|divRplyFwdMsg|appendonsend)).*`)
	breaks = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>`)
	markup = regexp.MustCompile(`(?s)<[^>]*>`)
	spaces = regexp.MustCompile(`[ \t\r\n]+`)
	empty  = regexp.MustCompile(`\n{3,}`)
)

// withoutMarkup is what a page says before it quotes.
func withoutMarkup(page string) string {
	page = quoted.ReplaceAllString(hidden.ReplaceAllString(page, ""), "")
	page = spaces.ReplaceAllString(page, " ")
	page = markup.ReplaceAllString(breaks.ReplaceAllString(page, "\n"), "")
	lines := strings.Split(html.UnescapeString(page), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return empty.ReplaceAllString(strings.Join(lines, "\n"), "\n\n")
}
