// How messages look: the formatting of each platform, made into nodes. Data is
// only ever put into text nodes.

// el makes an element; children are nodes or texts.
export function el(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

// money writes an amount as the locale does.
export function money(value, currency, locale) {
  const n = Number(value);
  if (!currency || !Number.isFinite(n)) return [value, currency].filter(Boolean).join(" ");
  return new Intl.NumberFormat(locale, { style: "currency", currency }).format(n);
}

// linked shows addresses in a text as links, as all three platforms do.
function linked(text) {
  const out = document.createDocumentFragment();
  let at = 0;
  for (const m of text.matchAll(/https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]]/g)) {
    out.append(text.slice(at, m.index), anchor(m[0], m[0]));
    at = m.index + m[0].length;
  }
  out.append(text.slice(at));
  return out;
}

// anchor leads out of the page.
export function anchor(url, ...children) {
  const a = el("a", { target: "_blank", rel: "noopener noreferrer" }, ...children);
  if (/^https?:\/\//i.test(url)) a.href = url;
  return a;
}

const telegramTags = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "q" };

// telegramText applies entities, whose offsets count UTF-16 units as strings here do.
function telegramText(text, entities) {
  const cuts = [...new Set([0, text.length, ...entities.flatMap((e) => [e.offset, e.offset + e.length])])].sort((a, b) => a - b);
  const out = document.createDocumentFragment();
  for (let i = 0; i + 1 < cuts.length; i++) {
    const over = entities.filter((e) => e.offset <= cuts[i] && e.offset + e.length >= cuts[i + 1]);
    const piece = text.slice(cuts[i], cuts[i + 1]);
    const link = over.find((e) => e.type === "text_link");
    let node = link ? anchor(link.url, piece) : linked(piece);
    for (const e of over) if (telegramTags[e.type]) node = el(telegramTags[e.type], {}, node);
    out.append(node);
  }
  return out;
}

const slackPatterns = [
  [/```\n?([\s\S]+?)```/, (m) => el("pre", {}, unescapeSlack(m[1]))],
  [/`([^`\n]+)`/, (m) => el("code", {}, unescapeSlack(m[1]))],
  [/<(https?:[^|<>\n]+|mailto:[^|<>\n]+)(?:\|([^<>\n]*))?>/, (m) => anchor(unescapeSlack(m[1]), unescapeSlack(m[2] || m[1]))],
  [/<[@#!]([^|<>\n]+)(?:\|([^<>\n]*))?>/, (m) => document.createTextNode(unescapeSlack(m[2] || "@" + m[1]))],
  [/(?<![\p{L}\p{N}])\*(?![\s*])([^*\n]*[^*\s])\*(?![\p{L}\p{N}])/u, (m) => el("b", {}, slackText(m[1]))],
  [/(?<![\p{L}\p{N}])_(?![\s_])([^_\n]*[^_\s])_(?![\p{L}\p{N}])/u, (m) => el("i", {}, slackText(m[1]))],
  [/(?<![\p{L}\p{N}])~(?![\s~])([^~\n]*[^~\s])~(?![\p{L}\p{N}])/u, (m) => el("s", {}, slackText(m[1]))],
];

const unescapeSlack = (text) => text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);

// slackText shows mrkdwn.
function slackText(text) {
  const out = document.createDocumentFragment();
  while (text) {
    let first = null;
    for (const [pattern, make] of slackPatterns) {
      const m = pattern.exec(text);
      if (m && (!first || m.index < first.m.index)) first = { m, make };
    }
    if (!first) break;
    out.append(unescapeSlack(text.slice(0, first.m.index)), first.make(first.m));
    text = text.slice(first.m.index + first.m[0].length);
  }
  out.append(unescapeSlack(text));
  return out;
}

function slackBlocks(blocks) {
  const out = document.createDocumentFragment();
  const text = (t) => (t.type === "plain_text" ? t.text : slackText(t.text));
  for (const b of blocks) {
    if (b.type === "image") out.append(el("div", {}, picture(b.image_url, b.alt_text)));
    else if (b.type === "divider") out.append(el("hr"));
    else if (b.type === "header" || b.type === "section") {
      for (const t of [b.text, ...(b.fields || [])].filter(Boolean)) out.append(el(b.type === "header" ? "b" : "div", {}, text(t)));
    } else if (b.type === "context") {
      for (const t of b.elements || []) out.append(el("small", {}, t.type === "image" ? picture(t.image_url, t.alt_text) : text(t)));
    }
  }
  return out;
}

// picture stands for one: the page loads nothing from elsewhere.
function picture(url, alt) {
  return anchor(url || "", "🖼 " + (alt || url || "picture"));
}

function receipt(f, locale) {
  const rows = (f.elements || []).map((e) => el("tr", {},
    el("td", {}, (e.quantity ? e.quantity + " × " : "") + e.title, e.subtitle ? el("div", { className: "hint" }, e.subtitle) : null),
    el("td", {}, money(e.price, e.currency || f.currency, locale))));
  const line = (name, value, className = "") => value === undefined || value === "" ? null
    : el("tr", { className }, el("td", {}, name), el("td", {}, money(value, f.currency, locale)));
  const sum = f.summary || {};
  const to = f.address;
  return el("div", { className: "receipt" },
    el("h4", {}, "Receipt · " + (f.merchant_name ? f.merchant_name + " · " : "") + f.order_number),
    el("table", {}, el("tbody", {}, ...rows,
      line("Subtotal", sum.subtotal), line("Shipping", sum.shipping_cost), line("Tax", sum.total_tax),
      ...(f.adjustments || []).map((a) => line(a.name || "Discount", a.amount === undefined ? "" : -a.amount)),
      line("Total", sum.total_cost, "total"))),
    el("p", { className: "hint" }, [f.recipient_name, f.payment_method].filter(Boolean).join(" · ")),
    to ? el("p", { className: "hint" }, [to.street_1, to.street_2, [to.postal_code, to.city].filter(Boolean).join(" "), to.country].filter(Boolean).join(", ")) : null,
    f.order_url ? el("p", { className: "hint" }, anchor(f.order_url, "Order details")) : null);
}

// content is what stands in a bubble.
export function content(m, locale) {
  if (m.deleted) return el("div", {}, "This message was deleted.");
  if (m.kind === "receipt") return receipt(m.fields || {}, locale);
  const raw = m.raw || {};
  if (m.channel === "telegram") {
    const text = telegramText(m.text, raw.entities || raw.caption_entities || []);
    return el("div", { className: "text" }, m.kind === "image" ? el("div", {}, "🖼 picture") : null, text);
  }
  if (m.channel === "slack" && raw.blocks) return el("div", { className: "text" }, slackBlocks(raw.blocks));
  // What a member reads to the letter has no markup in it (mrkdwn: false).
  const marked = m.channel === "slack" && typeof raw.text === "string" && unescapeSlack(raw.text) !== m.text;
  if (marked) return el("div", { className: "text" }, slackText(raw.text));
  if (m.kind === "image") return el("div", { className: "text" }, picture(raw.attachment?.payload?.url || m.text, m.text));
  return el("div", { className: "text" }, linked(m.text));
}
