// The sandbox's page. It shows what the emulated platforms and the emulated shop
// show, and does what a customer, an agent or the shop would do.

import { el, money } from "/assets/format.js";
import { $, act, api, copyOf, notice, wait } from "/assets/talk.js";
import { follow, invite as inviteTo, openWindows } from "/assets/chat.js";

const state = { world: null, person: null, order: null, offered: "" };

// ---- The shop ----

// reports are what the shop's people can do, and what its platform then tells.
const reports = [
  ["split", "Split into parcels"], ["ship", "Shipped"], ["out_for_delivery", "Out for delivery"], ["deliver", "Delivered"], ["delivery_failed", "Delivery failed"],
  ["ready_for_pickup", "Ready for pick-up"], ["pick_up", "Picked up"], ["hold", "On hold"], ["payment_failed", "Payment failed"],
  ["approval_needed", "Approval needed"], ["approve", "Approved"], ["reject", "Rejected"],
  ["part_cancel", "Partly cancelled"], ["cancel", "Cancelled"],
  ["return", "Return created"], ["receive_return", "Return received"], ["part_refund", "Partly refunded"], ["refund", "Refunded"],
  ["complete", "Completed"],
];

function reportButton([action, label]) {
  const b = el("button", { type: "button" }, label);
  b.addEventListener("click", () => act(label, async () => {
    if (!state.order) throw new Error("there is no order");
    await api("POST", "shop/orders/" + encodeURIComponent(state.order.code) + "/" + action, {});
    await Promise.all([loadOrders(state.order.code), loadPushes()]);
  }));
  return b;
}

function showOrder() {
  const o = state.order;
  if (!o) {
    $("confirmation").replaceChildren(el("p", { className: "hint" }, "This customer has no order yet."));
    return;
  }
  const lines = o.lines.map((l) => el("tr", {}, el("td", {}, l.name), el("td", {}, "× " + l.quantity)));
  const parcels = (o.consignments || []).map((c) => el("p", { className: "hint" }, "Parcel " + [c.code, c.status, c.carrier, c.trackingId].filter(Boolean).join(" · ")));
  const returns = (o.returns || []).map((r) => el("p", { className: "hint" }, "Return " + r.code + " · " + r.status));
  $("confirmation").replaceChildren(
    el("h3", {}, "Thank you for your order, " + state.person.name + "!"),
    el("p", { className: "hint" }, "Order " + o.code + " · " + o.status),
    el("table", {}, el("tbody", {}, ...lines, el("tr", { className: "total" }, el("td", {}, "Total"), el("td", {}, money(o.total, o.currency, state.person.locale))))),
    ...parcels, ...returns);
}

// invite shows the storefront's buttons for the chosen order.
async function invite() {
  const order = state.order?.code || "";
  state.offered = order;
  if (!order) return $("invitations").replaceChildren(el("p", { className: "hint" }, "There is no order to be told about."));
  await inviteTo($("invitations"), state.person, order, () => state.order?.code === order);
}

// loadOrders fetches the customer's orders and chooses one; the newest by default.
async function loadOrders(code) {
  const { uid } = state.person;
  const items = (await api("GET", "shop/orders")).items.filter((o) => o.customer.uid === uid);
  if (uid !== state.person.uid) return;
  state.order = items.find((o) => o.code === code) || items[0] || null;
  remember();
  $("order").replaceChildren(...items.map((o) => el("option", { value: o.code, selected: o === state.order }, o.code + " · " + o.status)));
  showOrder();
  if (state.order?.code !== state.offered) invite();
}

// remember keeps over a reload of the page who and what was chosen in it.
const kept = "chosen";

function remember() {
  sessionStorage.setItem(kept, JSON.stringify({ uid: state.person.uid, order: state.order?.code }));
}

async function choosePerson(uid, order) {
  state.person = state.world.people.find((p) => p.uid === uid) || state.world.people[0];
  state.order = null;
  state.offered = null;
  $("person").value = state.person.uid;
  follow(state.person);
  await loadOrders(order);
}

async function loadWorld(uid, order) {
  state.world = await api("GET", "world");
  $("person").replaceChildren(...state.world.people.map((p) => el("option", { value: p.uid }, p.name + " (" + (p.guest ? "guest, " : "") + p.locale + ")")));
  if (!$("reports").childElementCount) {
    openWindows($("windows"), state.world.channels);
    $("reports").replaceChildren(...reports.map(reportButton));
  }
  await choosePerson(uid, order);
}

// ---- What the gateway did ----

const settled = new Set(["sent", "delivered", "read", "failed", "expired", "suppressed", "cancelled", "parked"]);

// trace shows an event and looks again until nothing more will happen to it.
async function trace(done) {
  const line = el("li");
  $("log").querySelector(".hint")?.remove();
  $("log").prepend(line);
  while ($("log").children.length > 6) $("log").lastElementChild.remove();
  const say = (rest, ...more) => line.replaceChildren(el("b", {}, done.type), [" ", done.order, " → ", rest].filter(Boolean).join(""), ...more);
  say([done.state || "reported", ...(done.warnings || [])].join(" · "));
  for (let i = 0; i < 40 && line.isConnected; i++) {
    await wait(i < 10 ? 300 : 1500);
    let event;
    try {
      event = await api("GET", "events/" + encodeURIComponent(done.id));
    } catch (err) {
      continue; // the gateway may be away; it is asked again
    }
    const told = event.messages.map((m) =>
      [m.channel + ": " + m.state, m.class, m.reason, m.why, m.parts.length > 1 ? m.parts.length + " parts" : ""].filter(Boolean).join(" · "));
    const why = [event.reason, ...(told.length ? [] : event.reasons.map((r) => [r.channel, r.why].filter(Boolean).join(": ")))].filter(Boolean);
    say(event.state + (event.route ? " by route " + event.route : ""), el("ul", {}, ...[...why, ...told].map((w) => el("li", {}, w))));
    if (event.state !== "waiting" && event.state !== "accepted" && event.messages.every((m) => settled.has(m.state))) return;
  }
}

// loadPushes traces what the shop has reported since the last look.
const traced = new Set();

async function loadPushes() {
  const { items } = await api("GET", "shop/pushes");
  for (const p of items) {
    if (traced.has(p.id)) continue;
    traced.add(p.id);
    trace({ ...p, state: p.error ? "not delivered" : "reported" });
  }
}

// ---- The agent's desk ----

const tickets = new Map();

function openTicket(t) {
  const node = copyOf("ticket");
  const card = { node, seen: "", moves: node.querySelector(".moves"), entries: node.querySelector(".entries") };
  const form = node.querySelector("form");
  for (const r of form.querySelectorAll("input[type=radio]")) r.name = "public-" + t.id;
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const area = form.querySelector("textarea");
    const isPublic = form.querySelector("input[type=radio]:checked").value === "yes";
    act("Add note", async () => {
      await api("POST", "shop/tickets/" + encodeURIComponent(t.id) + "/notes", { text: area.value, public: isPublic });
      area.value = "";
      await loadTickets();
    });
  });
  tickets.set(t.id, card);
  $("tickets").prepend(node);
  return card;
}

const statusNames = { OPEN: "open", INPROCESS: "in process", CLOSED: "closed", COMPLETED: "completed" };

// moves are what an agent can make of a ticket's state.
const moves = {
  OPEN: [["INPROCESS", "Take"], ["CLOSED", "Close"]], INPROCESS: [["CLOSED", "Close"]],
  CLOSED: [["INPROCESS", "Reopen"]], COMPLETED: [["INPROCESS", "Reopen"]],
};

function move(t, status, label) {
  const b = el("button", { type: "button", ariaLabel: label + " ticket " + t.id }, label);
  b.addEventListener("click", () => act(label, async () => {
    await api("POST", "shop/tickets/" + encodeURIComponent(t.id) + "/status", { status });
    await loadTickets();
  }));
  return b;
}

function entry(ticket, e) {
  const who = [e.author || (e.agent ? "Agent" : "Customer"), e.agent && !e.public ? "internal" : "", new Date(e.createdAt).toLocaleTimeString(), e.status ? "status " + e.status : ""];
  return el("li", { className: e.agent ? (e.public ? "agent" : "internal") : "" }, el("small", {}, who.filter(Boolean).join(" · ")), e.text,
    ...(e.files || []).map((f) => el("small", {}, el("a", { href: "/_sandbox/shop/tickets/" + encodeURIComponent(ticket) + "/files/" + f.id, download: f.name },
      "attachment " + f.name + " (" + Math.ceil(f.bytes / 1024) + " KB)"))));
}

function showTicket(t) {
  const card = tickets.get(t.id) || openTicket(t);
  const now = JSON.stringify(t);
  if (card.seen === now) return;
  card.seen = now;
  card.node.querySelector("h3").textContent = t.id + " · " + t.subject;
  card.node.querySelector(".about").textContent = [t.customer.name || t.customer.uid, t.order ? "order " + t.order : "no order"].join(" · ");
  card.node.querySelector(".status").textContent = statusNames[t.status] || t.status;
  card.moves.replaceChildren(...(moves[t.status] || []).map(([status, label]) => move(t, status, label)));
  card.entries.replaceChildren(...t.entries.map((e) => entry(t.id, e)));
  card.entries.scrollTop = card.entries.scrollHeight;
}

async function loadTickets() {
  const { items } = await api("GET", "shop/tickets");
  $("no-tickets").hidden = items.length > 0;
  items.forEach(showTicket);
}

async function watchDesk() {
  for (;;) {
    if (!document.hidden) await Promise.all([loadTickets(), loadPushes()]).catch(() => {}); // asked again in a second
    await wait(1000);
  }
}

// ---- Start ----

$("who").addEventListener("submit", (e) => e.preventDefault());
$("person").addEventListener("change", () => act("Customer", () => choosePerson($("person").value)));
$("order").addEventListener("change", () => act("Order", () => loadOrders($("order").value)));
$("new-order").addEventListener("click", () => act("New order", async () => {
  const made = await api("POST", "shop/orders", { uid: state.person.uid, name: state.person.name });
  await Promise.all([loadOrders(made.code), loadPushes()]);
}));
$("new-person").addEventListener("click", () => {
  $("join").hidden = !$("join").hidden;
  $("new-person").setAttribute("aria-expanded", String(!$("join").hidden));
  if (!$("join").hidden) $("join").elements.name.focus();
});
$("join").addEventListener("submit", (e) => {
  e.preventDefault();
  act("New customer", async () => {
    const made = await api("POST", "people", Object.fromEntries(new FormData(e.target)));
    e.target.reset();
    $("join").hidden = true;
    $("new-person").setAttribute("aria-expanded", "false");
    await loadWorld(made.uid);
  });
});
$("free").addEventListener("submit", (e) => {
  e.preventDefault();
  const area = e.target.elements.text;
  act("Send message", async () => {
    trace(await api("POST", "message", { customer: state.person.uid, order: state.order?.code || "", text: area.value }));
    area.value = "";
  });
});

// What was reported before this page was opened is no news.
act("Start", async () => {
  const asked = Object.fromEntries(new URLSearchParams(location.search)); // by the storefront
  const { uid, order } = asked.uid ? asked : JSON.parse(sessionStorage.getItem(kept) || "{}");
  await loadWorld(uid, order);
  (await api("GET", "shop/pushes")).items.forEach((p) => traced.add(p.id));
}).then(watchDesk);
