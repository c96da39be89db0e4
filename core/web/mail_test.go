package web_test

import (
	"fmt"
	"strings"
	"testing"

	"tidings/core"
)

func TestAnAgentsMailBecomesANote(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		const at = "/v1/mail"
		r.call("POST", at, "T1\nIt left.", "Content-Type", "message/rfc822").want(202).is(1.0, "accepted")
		r.call("POST", at, "T1\nIt left.").want(202).is(1.0, "duplicates")
		r.call("POST", at, "T1\ninternal").want(202).is(1.0, "ignored")
		r.call("POST", at, "T1\nforged").want(422)
		r.on(r.internal, "POST", at, "T1\nIt left.").want(401)
		r.settings.Mail = nil
		r.server.Set(r.settings)
		r.call("POST", at, "T1\nIt left.").want(503)
	})
}

func TestCustomersTokensAreTakenWhereTheyAreWantedOnly(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		body := func(token string) string { return `{"customerUid":"ines","customerToken":` + token + `}` }
		const good = `{"accessToken":"sesame","refreshToken":"again","expiresIn":300}`
		r.call("POST", "/v1/opt-ins", body(good)).want(422)
		r.settings.CustomerTokens = true
		r.server.Set(r.settings)
		r.call("POST", "/v1/opt-ins", body("null")).want(201)
		for _, bad := range []string{`{}`, `{"accessToken":""}`, `{"accessToken":"x","expiresIn":0}`, `{"accessToken":"x","expiresIn":1e12}`, `{"accessToken":7}`, `"x"`, `{"accessToken":"x","scope":"all"}`} {
			r.call("POST", "/v1/opt-ins", body(bad)).want(422)
		}
		if a := r.call("POST", "/v1/opt-ins", body(good)).want(201); strings.Contains(fmt.Sprint(a), "sesame") || strings.Contains(fmt.Sprint(a), "again\"") {
			t.Errorf("the token is told: %s", a.body)
		}
		err := r.engine.View(t.Context(), func(tx core.Tx) error {
			c, err := tx.CustomerByUID("ines")
			if err != nil {
				return err
			}
			box, err := tx.ShopToken(c.ID)
			if err == nil && len(box) < 20 {
				t.Errorf("got a box of %d bytes", len(box))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
