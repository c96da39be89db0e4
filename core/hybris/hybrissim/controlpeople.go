package hybrissim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

func (s *Sim) customerList() []Customer {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Customer, 0, len(s.customers))
	for _, c := range s.customers {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Customer) int { return strings.Compare(a.UID, b.UID) })
	return out
}

func customerView(c Customer) object {
	return object{"uid": c.UID, "name": c.Name, "customerId": c.ID, "guest": c.guest(), "closed": c.Closed}
}

func (c control) customers(*http.Request) (int, any, error) {
	items := []object{}
	for _, known := range c.sim.customerList() {
		items = append(items, customerView(known))
	}
	return http.StatusOK, object{"items": items}, nil
}

func (c control) customer(r *http.Request) (int, any, error) {
	var in struct {
		UID, Name string
		Register  bool
	}
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	if in.UID == "" {
		return 0, nil, errors.New("uid: missing")
	}
	if in.Register {
		made, err := c.sim.Register(r.Context(), in.UID, in.Name)
		return http.StatusCreated, customerView(made), err
	}
	return http.StatusCreated, customerView(c.sim.AddCustomer(in.UID, in.Name)), nil
}

// changeCustomer renames a customer, or reports a change of the account or an
// event of the shop's catalogue.
func (c control) changeCustomer(r *http.Request) (int, any, error) {
	var in struct{ To, Name string }
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	uid, what := r.PathValue("uid"), r.PathValue("change")
	switch what {
	case "report":
		return http.StatusOK, object{"uid": uid}, c.sim.Push(r.Context(), Event{Name: in.Name, CustomerUID: uid})
	case "rename":
		return http.StatusOK, object{"uid": in.To}, c.sim.Rename(r.Context(), uid, in.To)
	}
	return http.StatusOK, object{"uid": uid}, c.sim.ChangeCustomer(r.Context(), uid, what)
}

// token gives a token without a login: the customer's, or an agent's.
func (c control) token(r *http.Request) (int, any, error) {
	var in struct{ UID, Agent string }
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.UID != "":
		return http.StatusCreated, object{"access_token": c.sim.CustomerToken(in.UID), "token_type": "bearer"}, nil
	case in.Agent != "":
		return http.StatusCreated, object{"access_token": c.sim.ManagerToken(in.Agent), "token_type": "bearer"}, nil
	}
	return 0, nil, errors.New("uid or agent: whose token")
}

func (c control) doubts(*http.Request) (int, any, error) {
	items := []object{}
	for _, d := range doubts {
		items = append(items, object{"name": d.Name, "about": d.About, "answers": d.Answers, "answer": c.sim.answer(d.Name)})
	}
	return http.StatusOK, object{"items": items}, nil
}

func (c control) settle(r *http.Request) (int, any, error) {
	var in map[string]string
	if err := wish(r, &in); err != nil {
		return 0, nil, err
	}
	if err := c.sim.Answer(in); err != nil {
		return 0, nil, err
	}
	return c.doubts(r)
}

func (c control) restart(*http.Request) (int, any, error) {
	c.sim.Restart()
	return http.StatusOK, object{}, nil
}
