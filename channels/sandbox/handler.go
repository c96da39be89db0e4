package sandbox

import (
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"tidings/channels/emulator"
	"tidings/core/hybris/hybrissim"
)

//go:embed web
var web embed.FS

// policy lets the page load nothing from elsewhere and be shown in no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const maxBody = 1 << 20

// Handler serves the page, the emulators and their control (see the package
// comment).
func (s *Sandbox) Handler() http.Handler { return s.mux() }

// Beside serves the sandbox, and what is not its own with the gateway's handler.
func (s *Sandbox) Beside(gateway http.Handler) http.Handler {
	mux := s.mux()
	mux.Handle("/", gateway)
	return mux
}

// ours keeps other sites' pages from acting here in the name of whoever looks
// at both.
func ours(h http.Handler) http.Handler { return http.NewCrossOriginProtection().Handler(h) }

func (s *Sandbox) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page("index.html"))
	mux.Handle("GET /storefront", page("storefront.html"))
	mux.Handle("GET /assets/", assets())
	for _, p := range s.platforms {
		mux.Handle("/"+p.Name+"/", p.sim)
		mountControl(mux, p.Name, emulator.Control(p.sim))
	}
	mux.Handle("/hybris/", http.StripPrefix("/hybris", s.shop))
	mountControl(mux, "shop", s.shop.Control())
	mux.Handle("/_sandbox/", ours(http.StripPrefix("/_sandbox", s.pageAPI())))
	return mux
}

func mountControl(mux *http.ServeMux, name string, control http.Handler) {
	at := "/_sandbox/" + name
	mux.Handle(at+"/", ours(http.StripPrefix(at, control)))
}

// pageAPI is what the page needs beyond the emulators' control.
func (s *Sandbox) pageAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /world", s.world)
	mux.HandleFunc("GET /feed", s.feed)
	mux.HandleFunc("POST /people", s.postPerson)
	mux.HandleFunc("POST /optin", s.postOptIn)
	mux.HandleFunc("POST /message", s.postMessage)
	mux.HandleFunc("POST /checkout", s.postCheckout)
	mux.HandleFunc("GET /events/{id}", s.getEvent)
	return mux
}

// secured adds the headers that keep a page to itself.
func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Security-Policy": policy,
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
			"Cache-Control":           "no-cache",
		} {
			w.Header().Set(name, value)
		}
		h.ServeHTTP(w, r)
	})
}

func page(name string) http.Handler {
	return secured(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, web, "web/"+name)
	}))
}

func assets() http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic("sandbox: the embedded files are gone: " + err.Error())
	}
	return secured(http.StripPrefix("/assets", http.FileServerFS(files)))
}

func (s *Sandbox) world(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"people": s.people.list(), "channels": s.platforms})
}

// wish is the union of what the page asks for.
type wish struct {
	Name     string           `json:"name"`
	Locale   string           `json:"locale"`
	Customer string           `json:"customer"`
	Order    string           `json:"order"`
	Text     string           `json:"text"`
	Email    string           `json:"email"`
	Lines    []hybrissim.Pick `json:"lines"`
}

func read(w http.ResponseWriter, r *http.Request) (wish, error) {
	var in wish
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	return in, dec.Decode(&in)
}

// readFor reads a wish that concerns a customer.
func (s *Sandbox) readFor(w http.ResponseWriter, r *http.Request) (wish, Person, error) {
	in, err := read(w, r)
	if err != nil {
		return in, Person{}, err
	}
	who, err := s.people.find(in.Customer)
	return in, who, err
}

func (s *Sandbox) postPerson(w http.ResponseWriter, r *http.Request) {
	in, err := read(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	made, err := s.join(in.Name, in.Locale, "")
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusCreated, made)
}

// postOptIn is the shop's server, which asks the gateway for the links on the
// order-confirmation page.
func (s *Sandbox) postOptIn(w http.ResponseWriter, r *http.Request) {
	in, who, err := s.readFor(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	a, err := s.gateway.optIn(r.Context(), who, in.Order)
	pass(w, a, err)
}

func (s *Sandbox) postMessage(w http.ResponseWriter, r *http.Request) {
	in, who, err := s.readFor(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	event, a, err := s.gateway.say(r.Context(), who, in.Order, in.Text)
	if err != nil || a.status != http.StatusAccepted {
		pass(w, a, err)
		return
	}
	reply(w, http.StatusOK, event)
}

func (s *Sandbox) getEvent(w http.ResponseWriter, r *http.Request) {
	a, err := s.gateway.event(r.Context(), r.PathValue("id"))
	pass(w, a, err)
}

// pass hands the gateway's answer on as it is.
func pass(w http.ResponseWriter, a answer, err error) {
	if err != nil {
		reply(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // who has gone does not hear it
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, errNobody) {
		status = http.StatusNotFound
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the request has no body")
	}
	reply(w, status, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who has gone does not hear it
}
