// How the page talks with its sandbox, and with whoever looks at it.

export const $ = (id) => document.getElementById(id);

// copyOf makes a node of a template of the page.
export function copyOf(template) {
  return $(template).content.firstElementChild.cloneNode(true);
}

export async function api(method, path, body, signal) {
  const res = await fetch("/_sandbox/" + path, {
    method, signal, headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch((err) => {
    if (signal?.aborted) throw err;
    away(true);
    throw new Error("the sandbox does not answer");
  });
  away(false);
  const answer = await res.json().catch(() => ({}));
  if (res.ok) return answer;
  const fault = (answer.errors || []).map((e) => [e.pointer, e.detail].filter(Boolean).join(" ")).join("; ");
  throw Object.assign(new Error(answer.error || fault || answer.detail || answer.title || "status " + res.status), { status: res.status });
}

export function notice(text, alarm = false) {
  $("notice").textContent = text;
  $("notice").classList.toggle("alarm", alarm);
}

// away says for as long as it lasts that nobody answers.
function away(is) {
  $("away").hidden = !is;
}

// act runs what somebody asked for and says when it does not work.
export async function act(what, run) {
  try {
    notice("");
    await run();
  } catch (err) {
    notice(what + ": " + err.message, true);
  }
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
