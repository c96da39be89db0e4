package sandbox

import (
	"errors"
	"net/http"
	"net/mail"

	"tidings/core/hybris/hybrissim"
)

// postCheckout is the storefront's last button: an order of a customer, or of
// somebody without an account, who becomes one of the people with it.
func (s *Sandbox) postCheckout(w http.ResponseWriter, r *http.Request) {
	in, err := read(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	who, code, err := s.checkout(r, in)
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusCreated, map[string]any{"person": who, "order": code})
}

func (s *Sandbox) checkout(r *http.Request, in wish) (who Person, code string, err error) {
	if in.Customer != "" {
		if who, err = s.people.find(in.Customer); err != nil {
			return who, "", err
		}
		o, err := s.shop.Checkout(r.Context(), hybrissim.Purchase{UID: who.UID, Name: who.Name, Lines: in.Lines})
		return who, o.Code, err
	}
	name, err := checkPerson(in.Name, in.Locale)
	if err != nil {
		return who, "", err
	}
	if a, err := mail.ParseAddress(in.Email); err != nil || a.Address != in.Email {
		return who, "", errors.New("email: must be an e-mail address")
	}
	o, err := s.shop.Checkout(r.Context(), hybrissim.Purchase{Guest: in.Email, Name: name, Lines: in.Lines})
	if err != nil {
		return who, "", err
	}
	who, err = s.join(name, in.Locale, o.UserUID)
	return who, o.Code, err
}
