// The sandbox's page. It shows what the emulated platforms and the emulated shop
// show, and does what a customer, an agent or the shop would do.

import { anchor, content, el, money } from "/assets/format.js";
import { $, act, api, notice, wait } from "/assets/talk.js";

const state = { world: null, person: null, order: null, offer: null, chats: new Map(), follower: null, blocked: new Set() };

function copyOf(template) {
  return $(template).content.firstElementChild.cloneNode(true);
}

// ---- Chat windows ----

function openWindow(info) {
  const node = copyOf("window");
  const chat = { info, node, bubbles: new Map(), replyTo: "", box: node.querySelector(".bubbles"), form: node.querySelector("form") };
  node.querySelector("h3").textContent = info.title;
  chat.box.setAttribute("aria-label", info.title + " messages");
  const area = chat.form.querySelector("textarea");
  area.id = "say-" + info.name;
  Object.assign(chat.form.querySelector("label"), { htmlFor: area.id, textContent: "Write to the shop in " + info.title });
  area.placeholder = "Write to the shop";
  area.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); chat.form.requestSubmit(); }
    if (e.key === "Escape") aim(chat, "");
  });
  chat.form.addEventListener("submit", (e) => { e.preventDefault(); say(chat, area); });
  chat.form.querySelector(".answering button").addEventListener("click", () => aim(chat, ""));
  const tools = node.querySelector(".tools");
  if (info.reads) tools.append(reader(info));
  if (info.blocks) tools.append(blocker(chat));
  state.chats.set(info.name, chat);
  $("windows").append(node);
}

const me = (info) => state.person.chats[info.name];

function reader(info) {
  const b = el("button", { type: "button" }, "Mark as read");
  b.addEventListener("click", () => act(b.textContent, async () => {
    await api("POST", info.name + "/read", { user: me(info) });
    notice("The customer has read everything in " + info.title + ".");
  }));
  return b;
}

// blocker lets the chosen customer block the shop and take that back.
function blocker(chat) {
  const b = el("button", { type: "button" });
  chat.showBlocked = () => {
    const blocked = state.blocked.has(me(chat.info));
    b.textContent = blocked ? "Unblock the shop" : "Block the shop";
  };
  b.addEventListener("click", () => act(b.textContent, async () => {
    const user = me(chat.info);
    const blocked = state.blocked.has(user);
    await api("POST", chat.info.name + (blocked ? "/unblock" : "/block"), { user });
    if (blocked) state.blocked.delete(user);
    else state.blocked.add(user);
    chat.showBlocked();
  }));
  return b;
}

async function say(chat, area) {
  const text = area.value.trim();
  if (!text) return;
  await act("Send", async () => {
    await api("POST", chat.info.name + "/say", { user: me(chat.info), text, ...(chat.replyTo ? { replyTo: chat.replyTo } : {}) });
    area.value = "";
    aim(chat, "");
  });
}

// aim chooses the message that the next text answers; none when id is empty.
function aim(chat, id, text = "") {
  chat.bubbles.get(chat.replyTo)?.classList.remove("aimed");
  chat.replyTo = id;
  chat.bubbles.get(id)?.classList.add("aimed");
  const p = chat.form.querySelector(".answering");
  p.hidden = !id;
  p.querySelector("span").textContent = "Reply to: " + text.slice(0, 60) + (text.length > 60 ? "…" : "");
  if (id) chat.form.querySelector("textarea").focus();
}

function choice(chat, m, b) {
  if (b.url) return Object.assign(anchor(b.url, b.title), { className: "button" });
  const node = el("button", { type: "button" }, b.title);
  node.addEventListener("click", (e) => {
    e.stopPropagation();
    act(b.title, () => api("POST", chat.info.name + "/press", { user: m.to, message: m.id, value: b.value || b.title }));
  });
  return node;
}

function bubble(chat, m) {
  const when = new Date(m.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const answer = el("button", { type: "button", ariaLabel: "Reply to: " + m.text.slice(0, 40) }, "Reply");
  const node = el("div", { className: ["bubble", m.own && "own", m.deleted && "gone", m.kind === "ephemeral" && "ephemeral"].filter(Boolean).join(" ") },
    el("span", { className: "quiet" }, m.own ? "You: " : "Shop: "),
    content(m, state.person.locale),
    m.buttons?.length && !m.deleted ? el("div", { className: "choices" }, ...m.buttons.map((b) => choice(chat, m, b))) : null,
    el("div", { className: "meta" },
      el("span", {}, [when, m.edited ? "edited" : "", m.kind === "ephemeral" ? "only you see this" : ""].filter(Boolean).join(" · ")),
      m.deleted || m.kind === "ephemeral" ? null : answer));
  const reply = () => aim(chat, m.id, m.text);
  answer.addEventListener("click", (e) => { e.stopPropagation(); reply(); });
  node.addEventListener("click", (e) => {
    if (answer.isConnected && !e.target.closest("a, button") && getSelection().isCollapsed) reply();
  });
  return node;
}

function show(m) {
  const chat = state.chats.get(m.channel);
  const old = chat.bubbles.get(m.id);
  const node = bubble(chat, m);
  const atEnd = chat.box.scrollHeight - chat.box.scrollTop - chat.box.clientHeight < 80;
  chat.bubbles.set(m.id, node);
  if (old) old.replaceWith(node);
  else chat.box.append(node);
  if (atEnd) chat.box.scrollTop = chat.box.scrollHeight;
}

// follow shows what happens in the customer's chats until another is chosen.
async function follow() {
  state.follower?.abort();
  const { signal } = (state.follower = new AbortController());
  for (const chat of state.chats.values()) {
    chat.box.replaceChildren();
    chat.bubbles.clear();
    aim(chat, "");
    chat.showBlocked?.();
  }
  let cursor = "";
  while (!signal.aborted) {
    try {
      const news = await api("GET", "feed?" + new URLSearchParams({ customer: state.person.uid, cursor }), undefined, signal);
      if (signal.aborted) return;
      news.items.forEach(show);
      cursor = news.cursor;
    } catch (err) {
      if (signal.aborted) return;
      if (err.status === 400 || err.status === 404) return location.reload(); // another sandbox has begun
      await wait(1500);
    }
  }
}

// ---- The shop ----

// reports are what the shop's people can do, and what its platform then tells.
const reports = [
  ["ship", "Shipped"], ["out_for_delivery", "Out for delivery"], ["deliver", "Delivered"], ["delivery_failed", "Delivery failed"],
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

async function invite() {
  state.offer = null;
  $("invitations").replaceChildren(el("p", { className: "hint" }, "Asking the gateway for links…"));
  const order = state.order;
  if (!order) return $("invitations").replaceChildren(el("p", { className: "hint" }, "There is no order to be told about."));
  try {
    const offer = await api("POST", "optin", { customer: state.person.uid, order: order.code });
    if (state.order !== order) return;
    state.offer = offer;
    const inOrder = state.world.channels.flatMap((c) => offer.links.filter((l) => l.channel === c.name));
    $("invitations").replaceChildren(...inOrder.map(invitation), offer.page ? el("p", { className: "hint" }, anchor(offer.page, "The gateway’s own page with these links")) : "");
  } catch (err) {
    if (state.order !== order) return;
    const again = el("button", { type: "button" }, "Try again");
    again.addEventListener("click", invite);
    $("invitations").replaceChildren(el("p", {}, "The gateway gave no links: " + err.message), again);
  }
}

function invitation(link) {
  const info = state.world.channels.find((c) => c.name === link.channel);
  const ref = link.dataRef || link.token || link.code;
  const b = el("button", { type: "button", className: "primary" }, "Send to " + (info?.title || link.channel));
  b.addEventListener("click", () => act(b.textContent, async () => {
    await api("POST", info.name + "/optin", { user: me(info), ref, way: info.way });
    state.blocked.delete(me(info)); // who presses Start has unblocked the shop
    state.chats.get(info.name).showBlocked?.();
    notice("Pressed: the reference is on its way through " + info.title + ".");
  }));
  return el("div", { className: "stack" }, b, el("span", { className: "ref", title: link.url || link.how || "" }, ref));
}

// loadOrders fetches the customer's orders and chooses one; the newest by default.
async function loadOrders(code) {
  const { uid } = state.person;
  const items = (await api("GET", "shop/orders")).items.filter((o) => o.customer.uid === uid);
  if (uid !== state.person.uid) return;
  const before = state.order?.code;
  state.order = items.find((o) => o.code === code) || items[0] || null;
  remember();
  $("order").replaceChildren(...items.map((o) => el("option", { value: o.code, selected: o === state.order }, o.code + " · " + o.status)));
  showOrder();
  if (state.order?.code !== before || !state.offer) invite();
}

// remember keeps over a reload of the page who and what was chosen in it.
const kept = "chosen";

function remember() {
  sessionStorage.setItem(kept, JSON.stringify({ uid: state.person.uid, order: state.order?.code }));
}

async function choosePerson(uid, order) {
  state.person = state.world.people.find((p) => p.uid === uid) || state.world.people[0];
  state.order = null;
  state.offer = null;
  $("person").value = state.person.uid;
  follow();
  await loadOrders(order);
}

async function loadWorld(uid, order) {
  state.world = await api("GET", "world");
  $("person").replaceChildren(...state.world.people.map((p) => el("option", { value: p.uid }, p.name + " (" + p.locale + ")")));
  if (!state.chats.size) {
    state.world.channels.forEach(openWindow);
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
  const card = { node, seen: "", status: node.querySelector(".status"), entries: node.querySelector(".entries") };
  card.status.addEventListener("change", () => act("Status", () => api("POST", "shop/tickets/" + encodeURIComponent(t.id) + "/status", { status: card.status.value })));
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

function entry(e) {
  const who = [e.author || (e.agent ? "Agent" : "Customer"), e.agent && !e.public ? "internal" : "", new Date(e.createdAt).toLocaleTimeString(), e.status ? "status " + e.status : ""];
  return el("li", { className: e.agent ? (e.public ? "agent" : "internal") : "" }, el("small", {}, who.filter(Boolean).join(" · ")), e.text,
    ...(e.attachments || []).map((name) => el("small", {}, "attachment " + name)));
}

function showTicket(t) {
  const card = tickets.get(t.id) || openTicket(t);
  const now = JSON.stringify(t);
  if (card.seen === now) return;
  card.seen = now;
  card.node.querySelector("h3").textContent = t.id + " · " + t.subject;
  card.node.querySelector(".about").textContent = [t.customer.name || t.customer.uid, t.order ? "order " + t.order : "no order"].join(" · ");
  if (document.activeElement !== card.status) card.status.value = t.status;
  card.entries.replaceChildren(...t.entries.map(entry));
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
  const { uid, order } = JSON.parse(sessionStorage.getItem(kept) || "{}");
  await loadWorld(uid, order);
  (await api("GET", "shop/pushes")).items.forEach((p) => traced.add(p.id));
}).then(watchDesk);
