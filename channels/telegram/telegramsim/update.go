package telegramsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"tidings/channels/emulator"
)

// update is one thing that happened, as a webhook or getUpdates tells it.
type update struct {
	id   int
	kind string
	chat int64
	body json.RawMessage
}

var (
	secretToken  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	webhookPorts = []string{"", "443", "80", "88", "8443"}
)

// tell sends an update to the webhook, or keeps it for getUpdates. The caller
// holds the lock.
func (s *Sim) tell(kind string, chatID int64, content any) {
	if len(s.allowed) > 0 && !slices.Contains(s.allowed, kind) {
		return
	}
	s.updateID++
	fields := map[string]any{"update_id": s.updateID, kind: content}
	if s.opt.StrangeFields {
		fields["strange_update"] = map[string]any{"since": 2030}
	}
	u := update{s.updateID, kind, chatID, rawJSON(fields)}
	if s.hooks.URL() == "" {
		s.queue = append(s.queue, u)
		close(s.news)
		s.news = make(chan struct{})
		return
	}
	s.deliver(u)
}

func (s *Sim) deliver(u update) {
	s.hooks.Deliver(emulator.Delivery{
		Key: key(u.chat), What: u.kind,
		Request: func(t emulator.Try) (*http.Request, error) { return s.request(u, t) },
		Done:    s.carryOut,
	})
}

func (s *Sim) request(u update, t emulator.Try) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, s.hooks.URL(), bytes.NewReader(u.body))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	secret := s.secret
	s.mu.Unlock()
	if t.Forge {
		secret = "forged" + secret
	}
	req.Header.Set("Content-Type", "application/json")
	if secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	}
	return req, nil
}

// carryOut makes the method call that an answer to a webhook may be.
func (s *Sim) carryOut(header http.Header, body []byte) {
	if len(bytes.TrimSpace(body)) == 0 {
		return
	}
	req, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header = http.Header{"Content-Type": header["Content-Type"]}
	c, failed := readCall(s, req)
	if failed != nil {
		return // an answer that is no call is ignored
	}
	m := s.method(c.params["method"])
	if m == nil {
		return
	}
	if a := s.run(m, c); a.Code != "" {
		s.log.Reject(emulator.Rejection{To: c.params["chat_id"], Method: m.name, Code: a.Code, Text: a.Problem, At: s.opt.Now()})
	}
}

func setWebhook(c call) (any, *apiError) {
	s := c.sim
	target := c.params["url"]
	if target == "" {
		return deleteWebhook(c)
	}
	if err := s.checkWebhook(target); err != nil {
		return nil, err
	}
	secret := c.params["secret_token"]
	if secret != "" && !secretToken.MatchString(secret) {
		return nil, badRequest("secret token contains unallowed characters")
	}
	conns := c.number("max_connections")
	if conns < 0 || conns > 100 {
		return nil, badRequest("max_connections must be between 1 and 100")
	}
	if raw, given := c.params["allowed_updates"]; given {
		var allowed []string
		if json.Unmarshal([]byte(raw), &allowed) != nil {
			return nil, badRequest("can't parse allowed_updates")
		}
		s.allowed = allowed
	}
	s.secret, s.maxConns = secret, conns
	s.hooks.SetURL(target)
	s.endPoll("terminated by setWebhook request")
	if c.flag("drop_pending_updates") {
		s.queue = nil
	}
	for _, u := range s.queue {
		s.deliver(u)
	}
	s.queue = nil
	return true, nil
}

// checkWebhook refuses a URL that Telegram would not call.
func (s *Sim) checkWebhook(target string) *apiError {
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Host == "":
		return badRequest("bad webhook: invalid URL")
	case s.opt.Local:
		return nil
	case u.Scheme != "https":
		return badRequest("bad webhook: An HTTPS URL must be provided for webhook")
	case !slices.Contains(webhookPorts, u.Port()):
		return badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	}
	return nil
}

func deleteWebhook(c call) (any, *apiError) {
	c.sim.hooks.SetURL("")
	c.sim.secret = ""
	if c.flag("drop_pending_updates") {
		c.sim.hooks.Reset()
		c.sim.queue = nil
	}
	return true, nil
}

func getWebhookInfo(c call) (any, *apiError) {
	s := c.sim
	info := map[string]any{
		"url": s.hooks.URL(), "has_custom_certificate": false,
		"pending_update_count": s.hooks.Pending() + len(s.queue), "max_connections": 40,
	}
	if s.maxConns > 0 {
		info["max_connections"] = s.maxConns
	}
	if len(s.allowed) > 0 {
		info["allowed_updates"] = s.allowed
	}
	for _, a := range slices.Backward(s.hooks.Attempts()) {
		if a.Reason != "" {
			info["last_error_date"] = a.At.Unix()
			info["last_error_message"] = fmt.Sprintf("Wrong response from the webhook: %d %s", a.Status, http.StatusText(a.Status))
			break
		}
	}
	return info, nil
}

// endPoll ends a getUpdates that waits. The caller holds the lock.
func (s *Sim) endPoll(reason string) {
	if s.poll != nil {
		s.poll <- reason
		s.poll = nil
	}
}

// await makes a getUpdates wait for something to tell, as long as it asked to.
// What ends it early is left in the parameter "conflict".
func (s *Sim) await(ctx context.Context, c call) {
	s.mu.Lock()
	if s.hooks.URL() != "" {
		s.mu.Unlock()
		return
	}
	s.endPoll("terminated by other getUpdates request; make sure that only one bot instance is running")
	ended := make(chan string, 1)
	s.poll = ended
	s.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.number("timeout"))*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		news := s.news
		if len(s.pending(c.number("offset"))) > 0 || ctx.Err() != nil {
			if s.poll == ended {
				s.poll = nil
			}
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		select {
		case reason := <-ended:
			c.params["conflict"] = reason
			return
		case <-news:
		case <-ctx.Done():
		}
	}
}

// pending returns what getUpdates has to tell from an offset on. The caller
// holds the lock.
func (s *Sim) pending(offset int) []update {
	if offset < 0 {
		return s.queue[max(0, len(s.queue)+offset):]
	}
	i := slices.IndexFunc(s.queue, func(u update) bool { return u.id >= offset })
	if i < 0 {
		return nil
	}
	return s.queue[i:]
}

func getUpdates(c call) (any, *apiError) {
	s := c.sim
	if s.hooks.URL() != "" {
		return nil, &apiError{code: http.StatusConflict,
			text: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if reason := c.params["conflict"]; reason != "" {
		return nil, &apiError{code: http.StatusConflict, text: "Conflict: " + reason}
	}
	s.queue = s.pending(c.number("offset")) // what lies before is confirmed
	limit := c.number("limit")
	if limit < 1 || limit > 100 {
		limit = 100
	}
	out := []json.RawMessage{}
	for _, u := range s.queue[:min(limit, len(s.queue))] {
		out = append(out, u.body)
	}
	return out, nil
}

// keep stores a file and returns its id. The caller holds the lock.
func (s *Sim) keep(folder string, data []byte) string {
	n := len(s.files)
	id := "file" + strconv.Itoa(n)
	s.files[id] = file{path: fmt.Sprintf("%s/file_%d", folder, n), data: data}
	return id
}

// maxDownload is the largest file that a bot may fetch (getFile, read 2026-11-22).
const maxDownload = 20_000_000

func getFile(c call) (any, *apiError) {
	id := c.params["file_id"]
	f, ok := c.sim.files[id]
	if !ok {
		return nil, badRequest("invalid file_id")
	}
	if len(f.data) > maxDownload {
		return nil, badRequest("file is too big")
	}
	return map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_size": len(f.data), "file_path": f.path}, nil
}

// download is GET /file/bot<token>/<file_path>. What a file is, Telegram does not
// tell there.
func (s *Sim) download(w http.ResponseWriter, r *http.Request, token, path string) {
	s.desk.Serve(w, r, emulator.Call{Method: "file", Do: func() emulator.Answer {
		if err := s.authorize(token); err != nil {
			return refusal(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.files {
			if f.path == path && len(f.data) <= maxDownload {
				return emulator.Answer{Header: http.Header{"Content-Type": {"application/octet-stream"}}, Body: f.data}
			}
		}
		return refusal(&apiError{code: http.StatusNotFound, text: "Not Found"})
	}})
}
