// The storefront: a basket, a checkout as a customer or as a guest, and the
// confirmation with the buttons that a real one would have.

import { el, money } from "/assets/format.js";
import { $, act, api } from "/assets/talk.js";
import { follow, invite, openWindows } from "/assets/chat.js";

const form = $("buy");

function row(p, i) {
  const quantity = el("input", { type: "number", name: p.code, min: 0, max: 99, value: i ? 0 : 1, ariaLabel: "How many: " + p.name });
  return el("tr", {}, el("td", {}, p.name), el("td", {}, money(p.price, p.currency, "en")), el("td", {}, quantity));
}

// asGuest shows what is asked of a guest, or of a customer.
function asGuest(guest) {
  for (const label of form.querySelectorAll("[data-for]")) {
    label.hidden = (label.dataset.for === "guest") !== guest;
    label.querySelector("input, select").required = !label.hidden;
  }
}

const buysAsGuest = () => form.elements.as.value === "guest";

async function load() {
  const [world, shop] = await Promise.all([api("GET", "world"), api("GET", "shop/products")]);
  $("products").replaceChildren(...shop.items.map(row));
  $("customer").replaceChildren(...world.people.filter((p) => !p.guest).map((p) => el("option", { value: p.uid }, p.name + " (" + p.locale + ")")));
  openWindows($("windows"), world.channels);
  $("place").disabled = false;
  show(null);
}

function basket() {
  return [...$("products").querySelectorAll("input")].map((i) => ({ code: i.name, quantity: Number(i.value) })).filter((l) => l.quantity > 0);
}

async function place() {
  const lines = basket();
  if (!lines.length) throw new Error("the basket is empty");
  const { customer, name, email, locale } = form.elements;
  const who = buysAsGuest() ? { name: name.value, email: email.value, locale: locale.value } : { customer: customer.value };
  const made = await api("POST", "checkout", { ...who, lines });
  const order = await api("GET", "shop/orders/" + encodeURIComponent(made.order));
  confirm(made.person, order);
}

// confirm is the order-confirmation page.
function confirm(person, order) {
  $("thanks-title").textContent = "Thank you for your order, " + person.name + "!";
  $("about").textContent = "Order " + order.code + (person.guest ? " · ordered as a guest" : "");
  $("bought").replaceChildren(...order.lines.map((l) => el("tr", {}, el("td", {}, l.name), el("td", {}, "× " + l.quantity))),
    el("tr", { className: "total" }, el("td", {}, "Total, with delivery"), el("td", {}, money(order.total, order.currency, person.locale))));
  $("behind").href = "/?" + new URLSearchParams({ uid: person.uid, order: order.code });
  show(order);
  follow(person);
  invite($("invitations"), person, order.code, () => !$("thanks").hidden, showChat);
}

// showChat shows the window of the chat whose button was pressed.
function showChat(window) {
  $("chats").hidden = false;
  window.hidden = false;
  window.scrollIntoView({ block: "nearest" });
}

// show turns between the basket and the confirmation.
function show(order) {
  form.hidden = !!order;
  $("thanks").hidden = !order;
  $("chats").hidden = true;
  for (const window of $("windows").children) window.hidden = true;
  if (order) $("thanks-title").focus();
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  act("Place order", place);
});
$("buyer").addEventListener("change", () => asGuest(buysAsGuest()));
$("again").addEventListener("click", () => show(null));
asGuest(buysAsGuest()); // a browser may have kept what was chosen before a reload
act("Start", load);
