// Package sandbox is a world for the gateway to live in: every emulated
// platform, an emulated shop, and one page on which to be the customer, the
// shop and its agent.
//
// It promises that nothing in it is a short cut. The gateway is reached over
// HTTP only, with its own configuration (Config), signed webhooks and an API
// key; what the page shows is what the emulated platforms show. The world is in
// memory and begins anew with each New, so the gateway's database should, too.
//
// What the gateway does is left to the gateway, and what a platform accepts to
// its emulator. Listening is left to the caller.
//
// # What Handler serves
//
//	/                 the page, with /assets/
//	/storefront       a small shop: catalogue, checkout as a customer or a guest, the confirmation with its buttons
//	/messenger/…      the Graph API   (api_url  BASE/messenger/v25.0)
//	/telegram/…       the Bot API     (api_url  BASE/telegram)
//	/slack/…          the Web API     (api_url  BASE/slack/api)
//	/hybris/…         the shop        (base_url BASE/hybris/occ/v2, token_url BASE/hybris/authorizationserver/oauth/token)
//	/_sandbox/messenger/…, telegram/…, slack/…   emulator.Control of each platform
//	/_sandbox/shop/…  hybrissim's control
//
// and for the page, in JSON; errors are {"error":"…"}:
//
//	GET  /_sandbox/world                  {"people":[Person…],"channels":[{"name","title","way",…}…]}
//	POST /_sandbox/people                 {"name","locale"}  201 with the Person: a new customer
//	POST /_sandbox/checkout               {"customer" or "name","email","locale" of a guest,"lines":[{"code","quantity"}…]}
//	                                      201 {"person":Person,"order":code}
//	GET  /_sandbox/feed?customer=&cursor= {"items":[…],"cursor"}  what the customer's chats show since; waits up to 25 s
//	POST /_sandbox/optin                  {"customer","order"}  the gateway's answer to POST /v1/opt-ins
//	POST /_sandbox/message                {"customer","order"?,"text"}  {"id","type",…}  a message.requested
//	GET  /_sandbox/events/{id}            the gateway's answer to GET /v1/events/{id}
package sandbox
