package hybrissim_test

import (
	"context"
	"testing"

	"tidings/core/hybris/hybrissim"
)

// Whoever registers with the uid of a closed account is somebody else: the orders
// and the customerId of the account before are not theirs.
func TestTheUIDOfAClosedAccountIsGivenAgain(t *testing.T) {
	s := newShop(t, hybrissim.Options{BaseSites: []string{site}})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	before := s.AddCustomer(ines, "")
	if _, err := s.Register(context.Background(), ines, "Ines"); err == nil {
		t.Error("a living account's uid was given twice")
	}
	if err := s.ChangeCustomer(context.Background(), ines, "closed"); err != nil {
		t.Fatal(err)
	}
	made, err := s.Register(context.Background(), ines, "Ines")
	if err != nil || made.Closed || made.ID == before.ID {
		t.Fatalf("got %+v, %v, want another customer", made, err)
	}
	if got := s.get("/occ/v2/" + site + "/users/" + ines + "/orders/1"); got.status != 400 {
		t.Errorf("the order before: got status %d, want 400", got.status)
	}
	if got := s.get("/occ/v2/" + site + "/orders/1"); got.status != 200 {
		t.Errorf("the order itself: got status %d, want 200", got.status)
	}
}

// A renamed customer and whoever registers with their former uid are two.
func TestTheFormerUIDOfARenamedCustomer(t *testing.T) {
	s := newShop(t, hybrissim.Options{BaseSites: []string{site}})
	before := s.AddCustomer(ines, "")
	if err := s.Rename(context.Background(), ines, "ines.lang@example.com"); err != nil {
		t.Fatal(err)
	}
	if made, err := s.Register(context.Background(), ines, "Ines"); err != nil || made.ID == before.ID {
		t.Errorf("got the customerId %s, %v, want another than %s", made.ID, err, before.ID)
	}
}
