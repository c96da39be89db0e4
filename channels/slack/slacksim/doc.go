// Package slacksim is an emulated Slack workspace: the Web API's methods that a
// notifying app needs, the app's events, interactions and slash commands, and
// the members who chat with it.
//
// It is written from Slack's public documents (read 2026-11-22). What it shows
// is what a member sees: mrkdwn with its markup taken away and its escapes
// undone, blocks instead of text where there are any, a text over 4,040
// characters as several messages, a text over 40,000 cut off. It leaves out
// emoji names in colons, threads' own views and modals.
//
//   - https://docs.slack.dev/reference/methods/chat.postMessage
//   - https://docs.slack.dev/reference/block-kit/blocks
//   - https://docs.slack.dev/apis/events-api
//   - https://docs.slack.dev/apis/web-api/rate-limits
//   - https://docs.slack.dev/messaging/formatting-message-text
//
// A customer is a user id (U…); what goes to a user's direct message channel is
// recorded under the user. Ways to opt in (Sim.OptIn): "slash" types
// /link CODE, "dm" sends the code to the app.
//
// Codes of faults are Slack's error words, e.g. "channel_not_found".
package slacksim
