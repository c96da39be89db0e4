package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"tidings/core"
)

//go:embed page
var pageFiles embed.FS

// parsePages reads the pages. They are part of the program: that they can be
// read is a matter of its tests.
func parsePages() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "page/*.html"))
}

// linkWords are what the page says in one language.
type linkWords struct {
	Title, Lead, Open, Scan, QR, Code, Login, Until, Gone, GoneLead string
}

// linkPageData is what the page shows.
type linkPageData struct {
	Lang, Nonce string
	Words       linkWords
	Found       bool
	Order       string
	Consent     string
	Until       string
	Chats       []linkChat
}

// linkChat is one way to link.
type linkChat struct {
	Name, URL, Code, How string
	Login                string // URL at which a login on the platform begins
	QR                   *qrCode
}

// wordsFor are the page's words in a language that is one of linkLanguages.
func wordsFor(lang string) linkWords {
	if lang == "de" {
		return linkWords{
			Title: "Nachrichten in Ihrem Messenger", Lead: "Wählen Sie, wo wir Ihnen schreiben dürfen.",
			Open: "Öffnen", Scan: "Oder mit dem Handy scannen", QR: "QR-Code für", Code: "Ihr Code", Login: "Anmelden mit", Until: "Gültig bis",
			Gone:     "Dieser Link gilt nicht mehr",
			GoneLead: "Er ist abgelaufen, oder die Adresse stimmt nicht. Im Shop bekommen Sie einen neuen.",
		}
	}
	return linkWords{
		Title: "Messages in your messenger", Lead: "Choose where we may write to you.",
		Open: "Open", Scan: "Or scan with your phone", QR: "QR code for", Code: "Your code", Login: "Log in with", Until: "Valid until",
		Gone:     "This link is no longer valid",
		GoneLead: "It has expired, or its address is not right. You get a new one in the shop.",
	}
}

// linkLanguages are the languages of the page; the first one is for everybody else.
func linkLanguages() []string { return []string{"en", "de"} }

// linkPage shows the ways in which a customer can link a chat. A reference that
// does not count shows the same page whatever is wrong with it.
func (s *Server) linkPage(c *gin.Context) {
	token, err := param(c, "token")
	if err != nil || !s.optIns() {
		s.showLinkPage(c, http.StatusNotFound, "", linkPageData{})
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), readTimeout)
	defer cancel()
	offer, err := s.Inbound.Page(ctx, token, s.invites())
	switch {
	case errors.Is(err, core.ErrNotFound):
		s.showLinkPage(c, http.StatusNotFound, "", linkPageData{})
		return
	case err != nil:
		s.failRead(c, err)
		return
	}
	data := linkPageData{Found: true, Order: offer.OrderCode, Consent: offer.Consent, Until: offer.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC")}
	for _, l := range offer.Links {
		login := loginURL(s.settings.Load().PublicURL, l)
		data.Chats = append(data.Chats, linkChat{Name: chatName(l.Channel), URL: l.URL, Code: l.Code, How: l.How, Login: login, QR: newQR(l.URL)})
	}
	s.showLinkPage(c, http.StatusOK, offer.Locale, data)
}

// chatName is a channel's name as a heading.
func chatName(channel string) string {
	first, size := utf8.DecodeRuneInString(channel)
	return string(unicode.ToUpper(first)) + channel[size:]
}

func (s *Server) showLinkPage(c *gin.Context, status int, locale string, data linkPageData) {
	data.Lang = pickLanguage(linkLanguages(), locale, c.GetHeader("Accept-Language"), s.settings.Load().DefaultLocale)
	data.Words = wordsFor(data.Lang)
	data.Nonce = rand.Text()
	s.showPage(c, status, "link.html", data.Nonce, data)
}

// showPage writes a page of ours that runs no script and loads nothing, but for
// what more allows (directives of a content security policy).
func (s *Server) showPage(c *gin.Context, status int, name, nonce string, data any, more ...string) {
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name, data); err != nil {
		s.failWith(c, err, 0)
		return
	}
	policy := append([]string{"default-src 'none'", "style-src 'nonce-" + nonce + "'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}, more...)
	c.Header("Content-Security-Policy", strings.Join(policy, "; "))
	c.Header("X-Robots-Tag", "noindex, nofollow")
	c.Data(status, "text/html; charset=utf-8", body.Bytes())
}
