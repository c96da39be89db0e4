package messengersim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// cdnPath is the folder of what people send.
const cdnPath = "/v/t1.15752-9/"

// cdnLife is for how long an address is good; Meta says that they end and not
// when. This emulator's choice.
const cdnLife = 7 * 24 * time.Hour

// maxFile is the largest attachment (send-messages, read 2026-11-22).
const maxFile = 25 << 20

// cdnFile is what lies at a path.
type cdnFile struct {
	data  []byte
	until time.Time
}

// SendFile sends a file, and the text as a message after it. What the Page is
// told is an address that is open to whoever has it, until it ends.
func (s *Sim) SendFile(ctx context.Context, user string, f emulator.File, text string) (string, error) {
	if len(f.Data) > maxFile {
		return "", errTooLarge
	}
	s.mu.Lock()
	path := cdnPath + s.nextID("") + "_n/" + url.PathEscape(f.Name)
	until := s.opt.Now().Add(cdnLife)
	s.files[path] = cdnFile{data: f.Data, until: until}
	s.mu.Unlock()
	end := strconv.FormatInt(until.Unix(), 16)
	address := strings.TrimSuffix(s.opt.FilesURL, "/") + path + "?" + url.Values{"oe": {end}, "oh": {s.cdnProof(path, end)}}.Encode()
	id, err := s.SendAttachment(ctx, user, f.Kind(), address)
	if err != nil || text == "" {
		return id, err
	}
	_, err = s.Say(ctx, user, text)
	return id, err
}

// cdnProof is the part of an address that nobody else can make.
func (s *Sim) cdnProof(path, end string) string {
	mac := hmac.New(sha256.New, []byte(s.opt.AppSecret))
	mac.Write([]byte("cdn\x00" + path + "\x00" + end))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// serveFile is the CDN. A token has no business there: it is refused, so that a
// caller who gives it away is found.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) bool {
	i := strings.Index(r.URL.EscapedPath(), cdnPath)
	if i < 0 || r.Method != http.MethodGet {
		return false
	}
	path, q := r.URL.EscapedPath()[i:], r.URL.Query()
	s.cdn.Serve(w, r, emulator.Call{Method: "file", Do: func() emulator.Answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		f, ok := s.files[path]
		switch {
		case r.Header.Get("Authorization") != "" || q.Has("access_token"):
			return noFile(http.StatusBadRequest, "a token for the CDN")
		case !hmac.Equal([]byte(s.cdnProof(path, q.Get("oe"))), []byte(q.Get("oh"))):
			return noFile(http.StatusForbidden, "Bad URL hash")
		case !ok:
			return noFile(http.StatusNotFound, "Content not found")
		case !s.opt.Now().Before(f.until):
			return noFile(http.StatusForbidden, "URL signature expired")
		}
		return emulator.Answer{Header: http.Header{"Content-Type": {http.DetectContentType(f.data)}}, Body: f.data}
	}})
	return true
}

func noFile(status int, why string) emulator.Answer {
	return emulator.Answer{
		Status: status, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte(why), Code: strconv.Itoa(status), Problem: why,
	}
}

// refuseFile words the faults that were asked for: the CDN is no part of the Graph API.
func refuseFile(f emulator.Fault) emulator.Answer {
	if f.Kind != emulator.Throttle {
		return noFile(http.StatusServiceUnavailable, "Service Unavailable")
	}
	a := noFile(http.StatusTooManyRequests, "Too Many Requests")
	if f.RetryAfter > 0 {
		a.Header.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	return a
}
