package hybrissim

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// Purchase is an order as somebody wishes it.
type Purchase struct {
	UID   string `json:"uid"`   // a customer's,
	Guest string `json:"guest"` // or a guest's e-mail address
	Name  string `json:"name"`
	Code  string `json:"code"` // default: the next of the series
	Site  string `json:"site"` // default: the first
	Lines []Pick `json:"lines"`
}

// Pick is so many of a product.
type Pick struct {
	Code     string `json:"code"`
	Quantity int    `json:"quantity"`
}

// catalogue is what the shop sells; a sample order has the first three, in
// these quantities.
var catalogue = []Line{
	{Code: "LAMP-40", Name: "Reading lamp, brass", Quantity: 1, Unit: 6490},
	{Code: "MUG-330", Name: "Stoneware mug 330 ml", Quantity: 4, Unit: 895},
	{Code: "TEA-OOL", Name: "Oolong <spring> & Friends, 100 g", Quantity: 2, Unit: 1250},
	{Code: "KETTLE-17", Name: "Enamel kettle 1.7 l", Quantity: 1, Unit: 4990},
	{Code: "TIMER-3", Name: "Sand timer, three minutes", Quantity: 1, Unit: 790},
}

// Checkout places the order and reports order.placed.
func (s *Sim) Checkout(ctx context.Context, in Purchase) (Order, error) {
	o, err := s.bought(in)
	if err != nil {
		return Order{}, err
	}
	return s.Place(ctx, o), nil
}

// bought is the sample order made into the one that is wished for.
func (s *Sim) bought(in Purchase) (Order, error) {
	if (in.UID == "") == (in.Guest == "") {
		return Order{}, errors.New("uid: an order needs a customer, or a guest with an e-mail address")
	}
	if _, taken := s.Order(in.Code); taken {
		return Order{}, errors.New("code: there is such an order already")
	}
	if in.Guest != "" {
		in.UID = GuestUID(in.Guest)
	}
	if in.Code == "" {
		in.Code = s.freshOrderCode()
	}
	o := SampleOrder(in.Code, in.UID, cmp.Or(in.Site, s.opt.BaseSites[0]))
	o.Guest, o.UserName = strings.Contains(in.UID, "|"), cmp.Or(in.Name, o.UserName)
	if len(in.Lines) == 0 {
		return o, nil
	}
	o.Lines = nil
	for _, pick := range in.Lines {
		i := slices.IndexFunc(catalogue, func(l Line) bool { return l.Code == pick.Code })
		if i < 0 || pick.Quantity < 1 || pick.Quantity > 99 {
			return Order{}, errors.New("lines: products of the catalogue, each 1 to 99 times")
		}
		line := catalogue[i]
		line.Quantity = pick.Quantity
		o.Lines = append(o.Lines, line)
	}
	o.pack()
	return o, nil
}

// freshOrderCode returns the next code of the series that is not taken.
func (s *Sim) freshOrderCode() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextOrderCode()
}
