package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Person is a customer of the emulated shop with an account on each platform.
type Person struct {
	UID    string            `json:"uid"`
	Name   string            `json:"name"`
	Locale string            `json:"locale"`
	Guest  bool              `json:"guest"` // has ordered without an account
	Chats  map[string]string `json:"chats"` // who they are on a platform, by channel
}

// people is everybody there is, in the order in which they came.
type people struct {
	mu  sync.Mutex
	all []Person
}

// add lets somebody into the world: a customer, or a guest by the uid that the
// shop has made.
func (p *people) add(name, locale, guest string) (Person, error) {
	name, err := checkPerson(name, locale)
	if err != nil {
		return Person{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.all) + 1
	made := Person{
		UID: cmp.Or(guest, p.uid(name)), Name: name, Locale: locale, Guest: guest != "",
		Chats: map[string]string{
			"messenger": fmt.Sprintf("24680000000000%02d", n),
			"telegram":  fmt.Sprintf("50010%02d", n),
			"slack":     fmt.Sprintf("UBOX%04d", n),
		},
	}
	p.all = append(p.all, made)
	return made, nil
}

// checkPerson returns the name as it is written.
func checkPerson(name, locale string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || len([]rune(name)) > 60 {
		return "", errors.New("name: must have 1 to 60 characters")
	}
	if locale != "en" && locale != "de" {
		return "", errors.New("locale: must be en or de")
	}
	return name, nil
}

// uid makes an e-mail address of a name. The caller holds the lock.
func (p *people) uid(name string) string {
	local := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ' ' || r == '-':
			return '.'
		}
		return -1
	}, strings.ToLower(name))
	if local = strings.Trim(local, "."); local == "" {
		local = "customer"
	}
	uid := local + "@example.com"
	for n := 2; slices.ContainsFunc(p.all, func(o Person) bool { return o.UID == uid }); n++ {
		uid = fmt.Sprintf("%s.%d@example.com", local, n)
	}
	return uid
}

// find returns the person of a uid.
func (p *people) find(uid string) (Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.all, func(o Person) bool { return o.UID == uid })
	if i < 0 {
		return Person{}, errNobody
	}
	return p.all[i], nil
}

// list returns everybody.
func (p *people) list() []Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

var errNobody = errors.New("customer: there is nobody of this uid")
