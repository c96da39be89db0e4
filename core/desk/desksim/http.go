package desksim

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// question is what both ways tell of a question or a file.
type question struct {
	TicketID    string `json:"ticketId"`
	Reference   string `json:"reference"`
	CustomerUID string `json:"customerUid"`
	OrderCode   string `json:"orderCode"`
	Subject     string `json:"subject"`
	Text        string `json:"text"`
	Category    string `json:"category"`
	Name        string `json:"name"`
	Data        []byte `json:"data"`
}

type object map[string]any

// nobody takes the answer of a path that is none.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) WriteHeader(int)             {}

// ServeHTTP is the endpoint below /endpoint and the callback at /callback.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	status, answer, held := d.serve(r, body)
	if held {
		<-r.Context().Done()
		status = 0
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// serve decides about a request; status 0 is no answer at all.
func (d *Desk) serve(r *http.Request, body []byte) (status int, answer any, held bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		return 0, nil, false
	}
	if !d.signed(r, body) {
		d.faultf("%s without a valid signature", r.Method)
		return http.StatusUnauthorized, object{}, false
	}
	status, answer = d.answer(r, body)
	if r.Method != http.MethodPost {
		return status, answer, false
	}
	if d.swallow() {
		status = 0
	}
	return status, answer, d.holds()
}

// signed checks the signature as Standard Webhooks has it, and the time.
func (d *Desk) signed(r *http.Request, body []byte) bool {
	content := body
	if len(body) == 0 {
		content = []byte(r.URL.RequestURI())
	}
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := d.now().Sub(time.Unix(seconds, 0)); err != nil || age.Abs() > 5*time.Minute || id == "" {
		return false
	}
	mac := hmac.New(sha256.New, d.secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(content)
	return hmac.Equal([]byte("v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(r.Header.Get("webhook-signature")))
}

// answer gives a key that was seen the first one's answer.
func (d *Desk) answer(r *http.Request, body []byte) (int, any) {
	mux := http.NewServeMux()
	status, answer := http.StatusNotFound, any(object{})
	on := func(pattern string, serve func(r *http.Request, body []byte) (int, any)) {
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) { status, answer = serve(r, body) })
	}
	on("GET /endpoint/tickets/{id}/notes", d.notes)
	on("POST /endpoint/tickets", d.create)
	on("POST /endpoint/tickets/{id}/entries", d.entry)
	on("POST /endpoint/tickets/{id}/files", d.file)
	on("POST /callback", d.told)
	if r.Method == http.MethodGet {
		mux.ServeHTTP(nobody{}, r)
		return status, answer
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" || key != r.Header.Get("webhook-id") {
		d.faultf("a POST without a key")
	}
	if known, ok := d.seen[key]; ok {
		return http.StatusOK, known
	}
	mux.ServeHTTP(nobody{}, r)
	if status < 300 {
		d.seen[key] = answer
	}
	return status, answer
}

func read(body []byte) (q question) {
	_ = json.Unmarshal(body, &q)
	return q
}

func (d *Desk) create(_ *http.Request, body []byte) (int, any) {
	q := read(body)
	if q.OrderCode == "foreign" {
		return http.StatusNotFound, object{}
	}
	t := d.open(Ticket{Reference: q.Reference, CustomerUID: q.CustomerUID, Order: q.OrderCode, Subject: q.Subject, Category: q.Category}, q.Text)
	return http.StatusCreated, object{"id": t.ID, "entryId": t.Entries[0].ID}
}

func (d *Desk) entry(r *http.Request, body []byte) (int, any) {
	t := d.byID(r.PathValue("id"))
	if t == nil {
		return http.StatusNotFound, object{}
	}
	return http.StatusCreated, object{"id": d.add(t, read(body).Text)}
}

func (d *Desk) file(r *http.Request, body []byte) (int, any) {
	t := d.byID(r.PathValue("id"))
	if t == nil {
		return http.StatusNotFound, object{}
	}
	q := read(body)
	t.attach(File{q.Name, q.Data})
	return http.StatusCreated, object{}
}

// notes come newest first.
func (d *Desk) notes(r *http.Request, _ []byte) (int, any) {
	t := d.byID(r.PathValue("id"))
	if t == nil {
		return http.StatusNotFound, object{}
	}
	since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	all := []object{}
	for _, n := range slices.Backward(t.notes) {
		if n.CreatedAt.Before(since) {
			continue
		}
		all = append(all, object{"id": n.ID, "text": n.Text, "createdAt": n.CreatedAt, "public": n.Public})
	}
	return http.StatusOK, object{"status": t.Status, "notes": all}
}

// told takes a CloudEvent.
func (d *Desk) told(r *http.Request, body []byte) (int, any) {
	var e struct {
		SpecVersion string   `json:"specversion"`
		ID          string   `json:"id"`
		Source      string   `json:"source"`
		Type        string   `json:"type"`
		Data        question `json:"data"`
	}
	_ = json.Unmarshal(body, &e)
	if e.SpecVersion != "1.0" || e.ID != r.Header.Get("webhook-id") || e.Source == "" || r.Header.Get("Content-Type") != "application/cloudevents+json" {
		d.faultf("a callback that is no CloudEvent")
	}
	q, t := e.Data, d.byReference(e.Data.TicketID)
	switch {
	case e.Type == "question.file_received" && t != nil:
		t.attach(File{q.Name, q.Data})
	case e.Type == "question.received" && t != nil:
		d.add(t, q.Text)
	case e.Type == "question.received":
		d.open(Ticket{Reference: cmp.Or(q.TicketID, q.Reference), CustomerUID: q.CustomerUID, Order: q.OrderCode, Subject: q.Subject, Category: q.Category}, q.Text)
	default:
		d.faultf("a callback of type %q for nothing", e.Type)
	}
	return http.StatusNoContent, nil
}
