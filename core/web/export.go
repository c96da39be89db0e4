package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
)

// exportAnswer is what the gateway holds of a customer.
type exportAnswer struct {
	Customer     customerAnswer      `json:"customer"`
	CreatedAt    *time.Time          `json:"createdAt"`
	ClosedAt     *time.Time          `json:"closedAt"`
	Orders       []exportOrder       `json:"orders"`
	Consents     []exportConsent     `json:"consents"`
	Messages     []messageAnswer     `json:"messages"`
	Conversation *exportConversation `json:"conversation"`
	NotIncluded  []string            `json:"notIncluded"`
}

type exportOrder struct {
	Site string `json:"site"`
	Code string `json:"code"`
}

// exportConsent is what a customer agreed to with a link, and how we know.
type exportConsent struct {
	Channel  string         `json:"channel"`
	Address  string         `json:"address"`
	Name     *string        `json:"name"`
	Purpose  core.Purpose   `json:"purpose"`
	State    core.LinkState `json:"state"`
	Evidence string         `json:"evidence"`
	Text     *string        `json:"text"`
	Version  *string        `json:"version"`
	Order    *string        `json:"order"`
	Since    *time.Time     `json:"since"`
	Changed  *time.Time     `json:"changed"`
}

// exportConversation is the newest thing the customer asked.
type exportConversation struct {
	Order       *string    `json:"order"`
	Ticket      *string    `json:"ticket"`
	Reference   string     `json:"reference"`
	Closed      bool       `json:"closed"`
	LastWroteAt *time.Time `json:"lastWroteAt"`
	CreatedAt   *time.Time `json:"createdAt"`
}

// maxOrders is more orders than any customer has.
const maxOrders = 100_000

// exportCustomer tells all that can be read of a customer, and names what cannot.
func (s *Server) exportCustomer(c *gin.Context) {
	uid, err := param(c, "uid")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	a := exportAnswer{
		Orders: []exportOrder{}, Consents: []exportConsent{}, Messages: []messageAnswer{},
		NotIncluded: []string{"conversations before the newest", "what the customer wrote (it stands in the shop's tickets)"},
	}
	err = s.view(c.Request.Context(), func(tx core.Tx) error {
		who, err := tx.CustomerByUID(uid)
		if err != nil {
			return err
		}
		a.CreatedAt, a.ClosedAt = orNull(who.CreatedAt), orNull(who.ClosedAt)
		if a.Customer, err = s.customer(tx, who); err != nil {
			return err
		}
		for _, add := range []func(core.Tx, core.Customer) error{a.addOrders, a.addConsents, a.addConversation} {
			if err := add(tx, who); err != nil {
				return err
			}
		}
		return s.addMessages(tx, &a, uid)
	})
	if err != nil {
		s.failRead(c, err)
		return
	}
	c.JSON(http.StatusOK, a)
}

func (a *exportAnswer) addOrders(tx core.Tx, who core.Customer) error {
	orders, err := tx.OrdersOf(who.ID, maxOrders)
	for _, o := range orders {
		a.Orders = append(a.Orders, exportOrder{Site: o.Site, Code: o.Code})
	}
	return err
}

func (a *exportAnswer) addConsents(tx core.Tx, who core.Customer) error {
	links, err := tx.LinkHistory(who.ID)
	for _, l := range links {
		a.Consents = append(a.Consents, exportConsent{
			Channel: l.Link.Channel, Address: l.Address.Value, Name: orNull(l.Address.Name), Purpose: l.Link.Purpose, State: l.Link.State,
			Evidence: l.Link.Evidence, Text: orNull(l.Link.Consent), Version: orNull(l.Link.ConsentVer), Order: orNull(l.Link.OrderCode),
			Since: orNull(l.Link.CreatedAt), Changed: orNull(l.Link.ChangedAt),
		})
	}
	return err
}

func (a *exportAnswer) addConversation(tx core.Tx, who core.Customer) error {
	v, err := tx.LastConversation(who.ID)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	a.Conversation = &exportConversation{
		Order: orNull(v.OrderCode), Ticket: orNull(v.TicketID), Reference: v.Reference, Closed: v.Closed,
		LastWroteAt: orNull(v.LastInAt), CreatedAt: orNull(v.CreatedAt),
	}
	return err
}

func (s *Server) addMessages(tx core.Tx, a *exportAnswer, uid string) error {
	for before := int64(0); ; {
		all, err := tx.ListMessages(core.MessageFilter{Customer: uid, Before: before, Limit: pageMax})
		if err != nil || len(all) == 0 {
			return err
		}
		more, err := s.messages(tx, all)
		if err != nil {
			return err
		}
		a.Messages = append(a.Messages, more...)
		before = all[len(all)-1].ID
	}
}
