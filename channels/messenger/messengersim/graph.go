package messengersim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// params are a request's parameters, from the query and a JSON or form body.
type params map[string]json.RawMessage

// readParams reads a request. What stands in the body wins over the query.
func readParams(r *http.Request) (params, *graphError) {
	p := params{}
	p.addForm(r.URL.Query())
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && !p.has("access_token") {
		p["access_token"] = quoted(token)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || len(body) == 0 {
		return p, nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		if err := json.Unmarshal(body, &p); err != nil {
			return nil, errorf(100, 0, "Invalid parameter: the body is not JSON")
		}
		return p, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errorf(100, 0, "Invalid parameter: the body is not a form")
	}
	p.addForm(form)
	return p, nil
}

func (p params) addForm(form url.Values) {
	for k := range form {
		v := form.Get(k)
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			p[k] = json.RawMessage(v)
			continue
		}
		p[k] = quoted(v)
	}
}

func (p params) has(key string) bool {
	v, ok := p[key]
	return ok && string(v) != "null" && string(v) != `""`
}

// text returns a parameter as a string, numbers and booleans as written.
func (p params) text(key string) string {
	var s string
	if json.Unmarshal(p[key], &s) == nil {
		return s
	}
	return string(p[key])
}

func quoted(s string) json.RawMessage {
	raw, _ := json.Marshal(s) // a string can always be encoded
	return raw
}

// graphError is an error as the Graph API tells it.
type graphError struct {
	status    int
	code, sub int
	message   string
}

// errorf returns an error with the status that belongs to its code.
func errorf(code, sub int, format string, args ...any) *graphError {
	return &graphError{status: statusOf(code), code: code, sub: sub, message: fmt.Sprintf("(#%d) ", code) + fmt.Sprintf(format, args...)}
}

// noObject is the answer to a method on an object that is not there, or not the
// caller's to see.
func noObject(method, id string) *graphError {
	const format = "Unsupported %s request. Object with ID '%s' does not exist, " +
		"cannot be loaded due to missing permissions, or does not support this operation."
	return errorf(100, 33, format, method, id)
}

func (e *graphError) id() string {
	if e.sub == 0 {
		return strconv.Itoa(e.code)
	}
	return fmt.Sprintf("%d/%d", e.code, e.sub)
}

// statusOf follows Meta's own OpenAPI document; clients must go by the code.
func statusOf(code int) int {
	switch code {
	case 190, 102, 104:
		return http.StatusUnauthorized
	case 3, 10, 200, 368:
		return http.StatusForbidden
	case 4, 17, 32:
		return http.StatusTooManyRequests
	case 803:
		return http.StatusNotFound
	case 1, 2:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

func answer(e *graphError) emulator.Answer {
	body := map[string]any{"message": e.message, "type": "OAuthException", "code": e.code, "fbtrace_id": "AxEmulatedTrace0"}
	if e.sub != 0 {
		body["error_subcode"] = e.sub
	}
	if e.code == 1 || e.code == 2 || e.code == 4 {
		body["is_transient"] = true
	}
	a := emulator.JSON(e.status, map[string]any{"error": body})
	a.Code, a.Problem = e.id(), e.message
	return a
}

// words are the platform's own for the codes that faults may ask for.
var words = map[string]string{
	"1":          "An unknown error occurred",
	"2":          "Service temporarily unavailable",
	"4":          "Application request limit reached",
	"10":         "Application does not have permission for this action",
	"10/2018278": "This message is sent outside of allowed window.",
	"10/2018108": "This person can't receive your messages right now.",
	"17":         "User request limit reached",
	"32":         "Page request limit reached",
	"100":        "Invalid parameter",
	"190":        "Error validating access token: Session has expired",
	"200":        "Permissions error",
	"368":        "The action attempted has been deemed abusive or is otherwise disallowed",
	"551":        "This person isn't available right now.",
	"613":        "Calls to this api have exceeded the rate limit.",
	"1200":       "Temporary send message failure. Please try again later.",
}

func coded(code string) *graphError {
	main, sub, _ := strings.Cut(code, "/")
	c, _ := strconv.Atoi(main)
	sc, _ := strconv.Atoi(sub)
	text := words[code]
	if text == "" {
		text = words[main]
	}
	if text == "" {
		text = "Error " + code
	}
	return errorf(c, sc, "%s", text)
}

// refuse words the faults that were asked for.
func refuse(page string) func(emulator.Fault) emulator.Answer {
	return func(f emulator.Fault) emulator.Answer {
		switch f.Kind {
		case emulator.Throttle:
			a := answer(coded("613"))
			if f.RetryAfter > 0 && f.RetryAfter%time.Minute == 0 {
				a.Header.Set("X-Business-Use-Case-Usage", businessUsage(page, 100, f.RetryAfter))
				return a
			}
			if f.RetryAfter > 0 {
				a.Header.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
			}
			return a
		case emulator.ServerError:
			return answer(coded("2"))
		}
		return answer(coded(f.Code))
	}
}

// authorize checks the Page's token.
func (s *Sim) authorize(p params) *graphError {
	if !p.has("access_token") {
		return errorf(104, 0, "An access token is required to request this resource.")
	}
	token := p.text("access_token")
	if !hmac.Equal([]byte(token), []byte(s.opt.PageToken)) {
		return errorf(190, 0, "Invalid OAuth access token - Cannot parse access token")
	}
	if s.faults.Expired() {
		return errorf(190, 463, "Error validating access token: Session has expired")
	}
	return s.checkProof(p, token)
}

// authorizeApp checks the app's token, APPID|SECRET.
func (s *Sim) authorizeApp(p params) *graphError {
	token := p.text("access_token")
	if !hmac.Equal([]byte(token), []byte(s.opt.AppID+"|"+s.opt.AppSecret)) {
		return errorf(190, 0, "Invalid OAuth access token signature.")
	}
	return s.checkProof(p, token)
}

// checkProof checks appsecret_proof, where it is given or the app requires it.
func (s *Sim) checkProof(p params, token string) *graphError {
	if !p.has("appsecret_proof") {
		if s.opt.RequireProof {
			return errorf(100, 0, "API calls from the server require an appsecret_proof argument")
		}
		return nil
	}
	mac := hmac.New(sha256.New, []byte(s.opt.AppSecret))
	mac.Write([]byte(token))
	if !hmac.Equal([]byte(p.text("appsecret_proof")), []byte(hex.EncodeToString(mac.Sum(nil)))) {
		return errorf(100, 0, "Invalid appsecret_proof provided in the API argument")
	}
	return nil
}
