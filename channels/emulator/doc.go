// Package emulator is what the emulated platforms have in common: the record
// of what customers see (Log), scripted misfortune (Faults), the way a request
// is served (Desk), webhooks with a platform's retry rules (Caller), a
// transport that needs no network (Transport) and a control surface for other
// processes and web pages (Control).
//
// It promises that a message is shown when its request ends, so that requests
// that overlap really shuffle, that requests to one recipient under way at
// once are counted, and that nothing here blocks on the program under test.
// What a platform accepts, and in which words it refuses, is left to the
// emulators of the platforms.
//
// An emulator is an independent reading of the platform's public documents. It
// must not import the adapter it examines.
//
// # The control surface
//
// Control serves the same routes for every emulator. Bodies and answers are
// JSON; an unknown field or an impossible wish is answered 400 with
// {"error":"…"}, a wish that the platform has no form of 404.
//
//	GET  /shown?to=&after=&wait=1&own=1  {"items":[Shown…],"cursor":n}
//	     what is shown since the cursor, oldest change first. to: one recipient
//	     only. wait=1: waits up to 25 s for something new. own=1: the customer's
//	     own messages too ("own":true). An edited or deleted message comes again
//	     under its id, with "edited" or "deleted".
//	GET  /stats      {"requests","shown","overlaps","tooFast","early","injected","rejected":[…],"webhooks":[…],"pending"}
//	POST /say        {"user","text","replyTo"?}          {"id"}
//	POST /press      {"user","message","value"}          value: a button's value or title; message "" looks at all
//	POST /optin      {"user","ref","way"?}               way: as the platform's emulator documents
//	POST /block      {"user"}
//	POST /unblock    {"user"}
//	POST /photo      {"user","url","text"?}              {"id"}  a picture that lies somewhere else
//	POST /file       {"user","file":{"name","type","data"},"text"?}   {"id"}  data in base64: the platform keeps it
//	POST /edit       {"user","message","text"}
//	POST /react      {"user","message","emoji"}          emoji "" takes the reaction back
//	POST /read       {"user"}                            where the platform has read receipts
//	POST /know       {"user","at"?}                      makes the platform know someone who has not written; at: when they
//	                 last opened the platform's reply window (RFC 3339), where there is one
//	POST /faults     {"kind","to"?,"method"?,"times"?,"skip"?,"probability"?,"delay"?,"delayMax"?,"retryAfter"?,"code"?,"status"?}
//	                 or an array of them; "clear":true in the first forgets all before. Durations as in "1.5s".
//	POST /webhooks   {"times","copies"?,"late"?,"forge"?,"hold"?}   mischief for the next webhooks (Twist)
//	POST /settle     waits until no webhook is under way, at most 25 s  {"pending":n}
//	POST /reset      forgets messages, counters, faults and customers
package emulator
