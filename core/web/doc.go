// Package web is the gateway over HTTP: the API of the shop, the platforms'
// webhooks, the page on which a customer links a chat, health and figures.
//
// It promises that an answer of 2xx to an event or a webhook means that it is on
// disk, that every fault of a request is told at once and never with the value
// that is wrong, and that whoever is not let in learns nothing. What it answers
// is described by openapi.json, which is part of the program and tested against
// it in both directions.
//
// What an event, a message or an update means is left to core/intake,
// core/dispatch and core/inbound; listening, deadlines of connections and TLS to
// whoever serves the handlers. This is the only home of gin and of the
// Prometheus client.
package web
