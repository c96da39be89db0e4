package hybrissim

import (
	"net/http"
	"slices"
	"strings"
)

// role is the authority a token carries.
type role string

const (
	application role = "ROLE_CLIENT"
	trusted     role = "ROLE_TRUSTED_CLIENT"
	customer    role = "ROLE_CUSTOMERGROUP"
	manager     role = "ROLE_CUSTOMERMANAGERGROUP"
)

// principal is who asks.
type principal struct {
	role role
	uid  string // customers and managers
}

// Customer is somebody the shop knows.
type Customer struct {
	UID, Name string
	ID        string // the customerId, a UUID
	Closed    bool   // has closed the account and cannot log in

	channels map[string]bool // notification channels switched on or off
}

// mailOf returns the e-mail address in a uid.
func mailOf(uid string) string {
	if _, mail, ok := strings.Cut(uid, "|"); ok {
		return mail
	}
	return uid
}

// guest reports whether it is somebody who ordered without an account: the uid
// is "guid|email".
func (c *Customer) guest() bool { return strings.Contains(c.UID, "|") }

const anonymous = "anonymous"

// authenticate returns who asks. Without a token it is nobody, which some
// resources take; a token that is no good is refused everywhere.
func (s *Sim) authenticate(r *http.Request) (*principal, *failure) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return nil, nil
	}
	who, ok := s.auth.lookup(token, s.opt.Now())
	if !ok {
		return nil, s.invalidToken(token)
	}
	return &who, nil
}

// allow checks a resource's roles.
func allow(who *principal, roles []role) *failure {
	switch {
	case who == nil:
		return unauthorized()
	case !slices.Contains(roles, who.role):
		return accessDenied()
	}
	return nil
}

// session returns the user that {userId} stands for: trusted clients and
// managers act for anybody, a customer for themselves, others for nobody.
func (s *Sim) session(who principal, userID string) (*Customer, *failure) {
	if userID == anonymous {
		return &Customer{UID: anonymous}, nil
	}
	switch who.role {
	case trusted, manager:
		if c := s.find(userID); c != nil {
			return c, nil
		}
		return nil, s.unknownUser(userID)
	case customer:
		if c := s.find(who.uid); c != nil && (userID == "current" || userID == c.UID || userID == c.ID) {
			return c, nil
		}
	}
	return nil, forbidden()
}

// find returns a customer by uid or, in newer releases, by customerId.
func (s *Sim) find(userID string) *Customer {
	if c, ok := s.customers[userID]; ok {
		return c
	}
	if s.opt.Mode2105 {
		return nil
	}
	for _, c := range s.customers {
		if c.ID == userID {
			return c
		}
	}
	return nil
}

func (s *Sim) unknownUser(userID string) *failure {
	property := "propertyValue"
	if s.opt.Mode2105 {
		property = "uid"
	}
	return fail(http.StatusBadRequest, "UnknownIdentifierError", "Cannot find user with "+property+" '"+userID+"'")
}
