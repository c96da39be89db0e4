package main_test

import (
	"strings"
	"testing"
)

// TestStorefront is a visitor's whole way, in a real browser: an order as a
// guest, Send to Messenger, the shop's news, a question, the agent's desk.
func TestStorefront(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := openSandbox(t)
	b.open(s.base + "/storefront")
	b.press("#buyer", "as a guest")
	b.fill(`#buyer [name="name"]`, "Walk In")
	b.fill(`#buyer [name="email"]`, "walk.in@example.com")
	b.fill(`#products [name="KETTLE-17"]`, "2")
	b.press("#buy", "Place order")
	b.sees("#thanks", "Thank you for your order, Walk In!")
	b.sees("#bought", "Enamel kettle 1.7 l")
	b.press("#invitations", "Send to Messenger")
	b.sees("#windows .bubbles", "Enamel kettle 1.7 l") // what was ordered, told in the chat

	b.press("#thanks", "Ship it, bring it, answer it: the shop and its agent’s desk")
	b.sees("#confirmation", "Walk In")
	b.press("#reports", "Shipped")
	b.sees("#windows .bubbles", "on its way")
	b.press("#reports", "Delivered")
	b.sees("#windows .bubbles", "delivered")
	b.press("#reports", "Return created")
	b.sees("#confirmation", "APPROVAL_PENDING")

	b.fill("#say-messenger", "The lid is missing")
	b.press(".window:has(#say-messenger) .composer", "Send")
	b.sees("#desk .entries", "The lid is missing")
	agentsDesk(b)
	b.clean(s.base)
}

// agentsDesk answers the one ticket: with an internal note, with a public one,
// and by closing and reopening it.
func agentsDesk(b *browser) {
	b.t.Helper()
	b.press("#desk .ticket", "internal: stays here")
	b.fill("#desk .ticket textarea", "Lids are in stock")
	b.press("#desk .ticket", "Add note")
	b.sees("#desk .entries .internal", "Lids are in stock")
	b.press("#desk .ticket", "public: goes to the chat")
	b.fill("#desk .ticket textarea", "A lid is coming")
	b.press("#desk .ticket", "Add note")
	b.sees("#windows .bubbles", "A lid is coming")
	b.press("#desk .moves", "Close")
	b.sees("#desk .ticket .status", "closed")
	b.press("#desk .moves", "Reopen")
	b.sees("#desk .ticket .status", "in process")
	if chat := b.shows("#windows .bubbles"); strings.Contains(chat, "Lids are in stock") {
		b.t.Errorf("the chat shows the internal note: %s", chat)
	}
}

// TestStorefrontAsCustomer: with an account, and a chat that is linked already.
func TestStorefrontAsCustomer(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := openSandbox(t)
	b.open(s.base + "/storefront")
	b.press("#buy", "Place order")
	b.sees("#thanks", "Thank you for your order, Ines Vidal!")
	b.press("#invitations", "Send to Telegram")
	b.sees("#windows .bubbles", "Reading lamp, brass")
	b.press("#thanks", "Buy something else")
	b.press("#buy", "Place order")
	b.sees("#thanks", "Thank you for your order, Ines Vidal!")
	b.press("#thanks", "Ship it, bring it, answer it: the shop and its agent’s desk")
	b.sees("#confirmation", "Order 00417101")
	b.press("#reports", "Cancelled")
	b.sees("#windows .bubbles", "cancelled")
	b.clean(s.base)
}
