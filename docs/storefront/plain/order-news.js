// Shows a customer the ways to have news of their order in a messenger.
//
// The page asks one address with fetch: the gateway's /v1/opt-ins with the
// customer's own access token, or an endpoint of the shop that asks the gateway
// server to server. Nothing is loaded from a messenger: the answer is shown as
// plain links.

/**
 * @param {HTMLElement} section holds a button, an element with role=status and a list; see order-news.html
 * @param {object} options
 * @param {string} options.endpoint the gateway's "https://notify.example.com/v1/opt-ins", or the shop's own
 * @param {() => Promise<string>} [options.accessToken] the customer's OCC token; left out where the shop's own endpoint knows its session
 * @param {string} [options.orderCode] of a customer who is logged in
 * @param {string} [options.orderGuid] of a guest's order, instead of orderCode
 * @param {string} [options.site] the base site, where there are several
 */
export function orderNews(section, options) {
  const button = section.querySelector("button");
  const status = section.querySelector("[role=status]");
  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = section.dataset.wait;
    try {
      show(section, await ask(section, options));
      status.textContent = "";
      button.hidden = true;
    } catch {
      status.textContent = section.dataset.failed;
      button.disabled = false;
    }
  });
  section.hidden = false;
}

async function ask(section, options) {
  const consent = section.querySelector("[data-consent-version]");
  const headers = { "Content-Type": "application/json" };
  if (options.accessToken) {
    headers.Authorization = "Bearer " + (await options.accessToken());
  }
  const answer = await fetch(options.endpoint, {
    method: "POST",
    headers,
    referrerPolicy: "no-referrer",
    body: JSON.stringify({
      orderCode: options.orderCode,
      orderGuid: options.orderGuid,
      site: options.site,
      locale: document.documentElement.lang || undefined,
      // What the customer has just read and agreed to by pressing the button.
      consent: { text: consent.textContent.trim(), version: consent.dataset.consentVersion },
    }),
  });
  if (!answer.ok) {
    throw new Error("status " + answer.status);
  }
  return answer.json();
}

function show(section, offer) {
  const list = section.querySelector("ul");
  list.replaceChildren();
  for (const link of offer.links) {
    const item = document.createElement("li");
    if (link.url) {
      item.append(anchor(link.url, name(link.channel)));
    } else {
      item.textContent = name(link.channel) + ": " + link.how;
    }
    list.append(item);
  }
  const item = document.createElement("li");
  item.append(anchor(offer.page, section.dataset.page));
  list.append(item);
  list.hidden = false;
  list.querySelector("a")?.focus();
}

function anchor(url, text) {
  const a = document.createElement("a");
  if (/^https?:\/\//.test(url)) {
    a.href = url;
  }
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  a.textContent = text;
  return a;
}

function name(channel) {
  return channel.charAt(0).toUpperCase() + channel.slice(1);
}
