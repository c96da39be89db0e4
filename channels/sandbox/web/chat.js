// Chat windows, and the buttons of a storefront that lead into them.

import { anchor, content, el } from "/assets/format.js";
import { act, api, notice, wait } from "/assets/talk.js";

const state = { person: null, chats: new Map(), follower: null, blocked: new Set() };

// openWindows makes a window for each channel.
export function openWindows(box, channels) {
  channels.forEach((info) => openWindow(box, info));
}

function openWindow(box, info) {
  const node = emptyWindow();
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
  box.append(node);
}

function emptyWindow() {
  return el("article", { className: "window card" },
    el("div", { className: "bar" }, el("h3"), el("div", { className: "tools" })),
    el("div", { className: "bubbles", role: "log", ariaLive: "polite", tabIndex: 0 }),
    el("form", { className: "composer" },
      el("p", { className: "answering", hidden: true }, el("span"), " ", el("button", { type: "button" }, "Do not reply to it")),
      el("label", { className: "quiet" }),
      el("textarea", { name: "text", rows: 2, required: true }),
      el("button", {}, "Send")));
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

// follow shows what happens in a customer's chats until another is chosen.
export async function follow(person) {
  state.person = person;
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
      const news = await api("GET", "feed?" + new URLSearchParams({ customer: person.uid, cursor }), undefined, signal);
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

// invite shows the buttons that bring an order's news into a chat, unless
// another order has been chosen meanwhile.
export async function invite(box, person, order, wanted = () => true, pressed = () => {}) {
  box.replaceChildren(el("p", { className: "hint" }, "Asking the gateway for links…"));
  try {
    const offer = await api("POST", "optin", { customer: person.uid, order });
    if (!wanted()) return;
    const inOrder = [...state.chats.keys()].flatMap((name) => offer.links.filter((l) => l.channel === name));
    box.replaceChildren(...inOrder.map((l) => invitation(l, pressed)),
      offer.page ? el("p", { className: "hint" }, anchor(offer.page, "The gateway’s own page with these links")) : "");
  } catch (err) {
    if (!wanted()) return;
    const again = el("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => invite(box, person, order, wanted, pressed));
    box.replaceChildren(el("p", {}, "The gateway gave no links: " + err.message), again);
  }
}

function invitation(link, pressed) {
  const chat = state.chats.get(link.channel);
  const { info } = chat;
  const ref = link.dataRef || link.token || link.code;
  const b = el("button", { type: "button", className: "primary" }, "Send to " + info.title);
  b.addEventListener("click", () => act(b.textContent, async () => {
    await api("POST", info.name + "/optin", { user: me(info), ref, way: info.way });
    state.blocked.delete(me(info)); // who presses Start has unblocked the shop
    chat.showBlocked?.();
    notice("Pressed: the reference is on its way through " + info.title + ".");
    pressed(chat.node);
  }));
  return el("div", { className: "stack" }, b, el("span", { className: "ref", title: link.url || link.how || "" }, ref));
}
