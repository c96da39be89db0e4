package web

import (
	"crypto/rand"
	"html"
	"html/template"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"tidings/core"
)

// loginEnd is how a login ended.
type loginEnd string

// The ends of a login.
const (
	loginDone      loginEnd = "linked"
	loginElsewhere loginEnd = "in_the_chat" // the account is known, but its chat has to be opened first
	loginDeclined  loginEnd = "declined"
	loginRefused   loginEnd = "refused"
	loginAway      loginEnd = "platform_away"
	loginDeleted   loginEnd = "deleted"
)

// status is the HTTP status of the page about it.
func (e loginEnd) status() int {
	switch e {
	case loginRefused:
		return http.StatusForbidden
	case loginAway:
		return http.StatusBadGateway
	}
	return http.StatusOK
}

// loginWords are what the page says of one end.
type loginWords struct{ Title, Lead, Open, Again string }

// wordsOfLogin are the page's words in a language that is one of linkLanguages.
func wordsOfLogin(lang string, end loginEnd) loginWords {
	if lang == "de" {
		return map[loginEnd]loginWords{
			loginDone:      {Title: "Verbunden", Lead: "Von jetzt an schreiben wir Ihnen dort. Sie können diese Seite schließen."},
			loginElsewhere: {Title: "Noch ein Schritt", Lead: "Öffnen Sie den Chat einmal selbst: Erst dann dürfen wir Ihnen dort schreiben.", Open: "Öffnen"},
			loginDeclined:  {Title: "Nicht verbunden", Lead: "Sie haben die Anmeldung abgebrochen. Es wurde nichts verbunden.", Again: "Noch einmal"},
			loginRefused:   {Title: "Nicht verbunden", Lead: "Die Anmeldung gilt nicht oder nicht mehr. Im Shop können Sie neu beginnen."},
			loginAway:      {Title: "Nicht verbunden", Lead: "Die Anmeldung geht gerade nicht. Bitte versuchen Sie es später noch einmal.", Open: "Öffnen", Again: "Noch einmal"},
			loginDeleted:   {Title: "Gelöscht", Lead: "Was wir durch Ihre Anmeldung wussten, ist gelöscht, und die Verbindung ist beendet."},
		}[end]
	}
	return map[loginEnd]loginWords{
		loginDone:      {Title: "Connected", Lead: "From now on we write to you there. You can close this page."},
		loginElsewhere: {Title: "One more step", Lead: "Open the chat once yourself: only then may we write to you there.", Open: "Open"},
		loginDeclined:  {Title: "Not connected", Lead: "You have cancelled the login. Nothing has been connected.", Again: "Try again"},
		loginRefused:   {Title: "Not connected", Lead: "The login does not count, or not any more. You can begin again in the shop."},
		loginAway:      {Title: "Not connected", Lead: "Logging in is not possible at the moment. Please try again later.", Open: "Open", Again: "Try again"},
		loginDeleted:   {Title: "Deleted", Lead: "What we knew by your login has been deleted, and the connection has ended."},
	}[end]
}

// loginPageData is what the page shows.
type loginPageData struct {
	Lang, Nonce, Name string
	End               loginEnd
	Words             loginWords
	URL, Again        string
	QR                *qrCode
	Widget            template.HTML // the platform's button, instead of an end
}

// showLoginPage tells how a login ended.
func (s *Server) showLoginPage(c *gin.Context, locale string, data loginPageData) {
	data.Lang = pickLanguage(linkLanguages(), locale, c.GetHeader("Accept-Language"), s.settings.Load().DefaultLocale)
	data.Words, data.Nonce = wordsOfLogin(data.Lang, data.End), rand.Text()
	data.QR = newQR(data.URL)
	s.showPage(c, data.End.status(), "login.html", data.Nonce, data)
}

// showWidget shows the platform's own button. It is the one page that runs a
// script, the platform's, and it holds nothing but that button.
func (s *Server) showWidget(c *gin.Context, channel string, w core.Widget) {
	data := loginPageData{Name: chatName(channel), Nonce: rand.Text(), Widget: scriptElement(w)}
	data.Lang = pickLanguage(linkLanguages(), c.GetHeader("Accept-Language"), s.settings.Load().DefaultLocale)
	data.Words.Title = wordsFor(data.Lang).Login + " " + data.Name
	c.Header("Referrer-Policy", "strict-origin") // the platform looks whether the page is the bot's domain
	source, _, _ := strings.Cut(w.Script, "?")
	s.showPage(c, http.StatusOK, "login.html", data.Nonce, data, "script-src "+source, "frame-src "+w.Frame)
}

var dataAttribute = regexp.MustCompile(`^data-[a-z-]+$`)

// scriptElement writes an adapter's script. A template cannot: it takes
// attributes whose names it does not know for dangerous.
func scriptElement(w core.Widget) template.HTML {
	var b strings.Builder
	b.WriteString(`<script async src="` + html.EscapeString(w.Script) + `"`)
	for _, name := range slices.Sorted(maps.Keys(w.Attributes)) {
		if dataAttribute.MatchString(name) {
			b.WriteString(` ` + name + `="` + html.EscapeString(w.Attributes[name]) + `"`)
		}
	}
	b.WriteString(`></script>`)
	return template.HTML(b.String()) //nolint:gosec // escaped above, names by a pattern
}
