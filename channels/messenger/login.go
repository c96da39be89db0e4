package messenger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"tidings/core"
)

// Facebook Login, the matching of ids and the callbacks of a login that is taken back:
//
//   - https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow
//   - https://developers.facebook.com/docs/graph-api/reference/user/ids_for_pages
//   - https://developers.facebook.com/docs/messenger-platform/identity/id-matching (ids_for_apps)
//   - https://developers.facebook.com/docs/messenger-platform/identity/account-linking (unlink_accounts)
//   - https://developers.facebook.com/docs/graph-api/guides/secure-requests (appsecret_proof)
//   - https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
//
// All read 2026-11-25.

// proof is appsecret_proof: whoever has only the token cannot make it.
func proof(secret core.Secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

// facebook is the one login there is.
const facebook = "facebook"

// HasLogin reports whether the stanza asks for it.
func (c *channel) HasLogin() bool { return c.config.Login == facebook }

// BeginLogin leads to Facebook's dialog. Nothing is asked for but who it is.
func (c *channel) BeginLogin(a core.LoginAttempt) core.LoginStep {
	q := url.Values{
		"client_id": {c.config.AppID}, "redirect_uri": {a.RedirectURI}, "state": {a.State},
		"response_type": {"code"}, "scope": {"public_profile"},
	}
	return core.LoginStep{URL: strings.TrimRight(c.config.LoginURL, "/") + "/dialog/oauth?" + q.Encode()}
}

// FinishLogin proves the app-scoped id of who came back, and looks up who that is
// in our Page's chats. Somebody who never wrote to the Page has no id there yet.
func (c *channel) FinishLogin(ctx context.Context, a core.LoginAttempt, query map[string][]string) (core.Identity, error) {
	if url.Values(query).Get("error") == "access_denied" {
		return core.Identity{}, core.ErrDeclined
	}
	codes := query["code"]
	if len(codes) != 1 || codes[0] == "" {
		return core.Identity{}, core.ErrUnproven
	}
	token, err := c.exchangeCode(ctx, codes[0], a.RedirectURI)
	if err != nil {
		return core.Identity{}, err
	}
	asid, err := c.appScoped(ctx, token)
	if err != nil {
		return core.Identity{}, err
	}
	psid, err := c.pageScoped(ctx, asid)
	if err != nil {
		return core.Identity{}, err
	}
	id := core.Identity{Subject: asid, Proof: "Facebook Login: app-scoped id " + asid + " of app " + c.config.AppID}
	if psid != "" {
		id.Address = core.Address{Value: psid}
		id.Proof += ", page-scoped id " + psid + " of Page " + c.config.PageID + " by ids_for_pages"
	}
	return id, nil
}

// exchangeCode turns a code into the person's access token.
func (c *channel) exchangeCode(ctx context.Context, code, redirectURI string) (string, error) {
	var got struct {
		Token string `json:"access_token"`
	}
	err := c.graph(ctx, http.MethodGet, "/oauth/access_token", url.Values{
		"client_id": {c.config.AppID}, "client_secret": {c.config.AppSecret.Reveal()}, "redirect_uri": {redirectURI}, "code": {code},
	}, &got)
	if err == nil && got.Token == "" {
		err = errors.New("messenger: login: no access token in the answer")
	}
	return got.Token, err
}

// appScoped returns whose a token is, after making sure that it is one of our app.
func (c *channel) appScoped(ctx context.Context, token string) (string, error) {
	var about struct {
		Data struct {
			AppID   ident `json:"app_id"`
			UserID  ident `json:"user_id"`
			IsValid bool  `json:"is_valid"`
		} `json:"data"`
	}
	if err := c.graph(ctx, http.MethodGet, "/debug_token", c.asApp(url.Values{"input_token": {token}}), &about); err != nil {
		return "", err
	}
	if !about.Data.IsValid || string(about.Data.AppID) != c.config.AppID {
		return "", core.ErrUnproven
	}
	var me struct {
		ID ident `json:"id"`
	}
	if err := c.graph(ctx, http.MethodGet, "/me", c.with(token, url.Values{"fields": {"id"}}), &me); err != nil {
		return "", err
	}
	if me.ID == "" || me.ID != about.Data.UserID {
		return "", core.ErrUnproven
	}
	return string(me.ID), nil
}

// pageScoped returns who a person is in our Page's chats, "" while they have none.
func (c *channel) pageScoped(ctx context.Context, asid string) (string, error) {
	var ids struct {
		Data []struct {
			ID   ident `json:"id"`
			Page struct {
				ID ident `json:"id"`
			} `json:"page"`
		} `json:"data"`
	}
	err := c.graph(ctx, http.MethodGet, "/"+url.PathEscape(asid)+"/ids_for_pages", c.asApp(url.Values{"page": {c.config.PageID}}), &ids)
	if err != nil {
		return "", err
	}
	for _, x := range ids.Data {
		if string(x.Page.ID) == c.config.PageID {
			return string(x.ID), nil
		}
	}
	return "", nil
}

// AddressOf returns who an app-scoped id is in our Page's chats.
func (c *channel) AddressOf(ctx context.Context, asid string) (core.Address, error) {
	psid, err := c.pageScoped(ctx, asid)
	return core.Address{Value: psid}, err
}

// IdentityOf returns the app-scoped id of whom our Page's chats know by a
// page-scoped one. Somebody who never logged in to the app has none.
func (c *channel) IdentityOf(ctx context.Context, a core.Address) (core.Identity, error) {
	if !c.HasLogin() || a.Kind != "" {
		return core.Identity{}, nil
	}
	var ids struct {
		Data []struct {
			ID  ident `json:"id"`
			App struct {
				ID ident `json:"id"`
			} `json:"app"`
		} `json:"data"`
	}
	err := c.graph(ctx, http.MethodGet, "/"+url.PathEscape(a.Value)+"/ids_for_apps", c.asPage(url.Values{"app": {c.config.AppID}}), &ids)
	if err != nil {
		return core.Identity{}, err
	}
	for _, x := range ids.Data {
		if string(x.App.ID) == c.config.AppID && x.ID != "" {
			return core.Identity{
				Address: a, Subject: string(x.ID),
				Proof: "app-scoped id " + string(x.ID) + " of app " + c.config.AppID + " by ids_for_apps",
			}, nil
		}
	}
	return core.Identity{}, nil
}

// asApp adds the app's own token, with its proof.
func (c *channel) asApp(q url.Values) url.Values {
	return c.with(c.config.AppID+"|"+c.config.AppSecret.Reveal(), q)
}

// asPage adds the Page's token, with its proof.
func (c *channel) asPage(q url.Values) url.Values { return c.with(c.config.PageToken.Reveal(), q) }

func (c *channel) with(token string, q url.Values) url.Values {
	q.Set("access_token", token)
	q.Set("appsecret_proof", proof(c.config.AppSecret, token))
	return q
}

// graph asks the Graph API. Its errors hold neither the URL, which is full of
// secrets, nor Meta's words. What Meta refuses as a wrong code or token is not
// proved; other refusals are about the app.
func (c *channel) graph(ctx context.Context, method, path string, q url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.config.APIURL, "/")+path+"?"+q.Encode(), nil)
	if err != nil {
		return errors.New("messenger: login: api_url is no URL")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return errors.New("messenger: login: the Graph API does not answer")
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes))
	if err != nil {
		return errors.New("messenger: login: the Graph API's answer broke off")
	}
	if e := parseError(body); e != nil {
		return e.ofLogin(path)
	}
	if res.StatusCode != http.StatusOK || json.Unmarshal(body, out) != nil {
		return fmt.Errorf("messenger: login: the Graph API's answer cannot be read (HTTP status %d)", res.StatusCode)
	}
	return nil
}

// Codes of the Graph API's errors (guides/error-handling, read 2026-11-22).
const (
	badParameter = 100 // a code that is wrong, used or too old comes with this one and subcode 36009 or 36007
	badToken     = 190
)

// ofLogin says what an error means to a login.
func (e *graphError) ofLogin(path string) error {
	if path == "/oauth/access_token" && e.Code == badParameter || path == "/me" && e.Code == badToken {
		return core.ErrUnproven
	}
	return fmt.Errorf("messenger: login: the Graph API refuses %s with code %s", lastOf(path), e.id())
}

// lastOf is the end of a path: what stands before it may be a person's id.
func lastOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// Revocation reads a signed_request, with which Meta tells that somebody has
// removed the app, or wants their data deleted.
func (c *channel) Revocation(form map[string][]string) (string, error) {
	given := form["signed_request"]
	if len(given) != 1 {
		return "", core.ErrUnauthorized
	}
	var request struct {
		Algorithm string `json:"algorithm"`
		UserID    ident  `json:"user_id"`
	}
	payload, ok := signedPayload(c.config.AppSecret, given[0])
	if !ok || json.Unmarshal(payload, &request) != nil || !strings.EqualFold(request.Algorithm, "HMAC-SHA256") || request.UserID == "" {
		return "", core.ErrUnauthorized
	}
	return string(request.UserID), nil
}

// signedPayload returns what stands behind a signature over its own encoding.
func signedPayload(secret core.Secret, request string) (payload []byte, ok bool) {
	signature, body, _ := strings.Cut(request, ".")
	got, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(signature, "="))
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(body))
	if err != nil || secret == "" || !hmac.Equal(got, mac.Sum(nil)) {
		return nil, false
	}
	payload, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(body, "="))
	return payload, err == nil
}

// AccountLinkingURL is the shop's login, which Messenger opens from the chat.
func (c *channel) AccountLinkingURL() string { return c.config.AccountLinkingURL }

// UnlinkAccount has Messenger show the chat's account as logged out of the shop.
func (c *channel) UnlinkAccount(ctx context.Context, a core.Address) error {
	if c.config.AccountLinkingURL == "" || a.Kind != "" {
		return nil
	}
	return c.graph(ctx, http.MethodPost, "/me/unlink_accounts", c.asPage(url.Values{"psid": {a.Value}}), &struct{}{})
}
