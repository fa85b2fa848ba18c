// What the page does beside the element: the card, signing out, and what stays on this device.
// Whatever is kept here is under the mark of the session that it belongs to: another session, another mark.

const widget = document.querySelector("laurel-widget");
const base = widget.getAttribute("api");
const mark = document.cookie.split("; ").find((one) => one.startsWith("laurel_member_mark="))?.split("=")[1] ?? "";
const cardKey = `laurel-card ${base} ${mark}`;
const byId = (id) => document.getElementById(id);

forget((name) => !mark || !name.endsWith(` ${mark}`));
if (mark) widget.setAttribute("customer", mark);
document.documentElement.dataset.is = mark ? "member" : "stranger";
navigator.serviceWorker?.register(widget.dataset.worker).catch(() => { /* then it needs a network, and that is all */ });

/** Drops what is kept for this page under the names that `which` says. */
function forget(which) {
  try {
    Object.keys(localStorage)
      .filter((name) => name.startsWith(`laurel ${base} `) || name.startsWith(`laurel-card ${base} `))
      .filter(which)
      .forEach((name) => localStorage.removeItem(name));
  } catch { /* no storage: nothing is kept */ }
}

document.querySelector("form[action$=sign-out]").addEventListener("submit", () => forget(() => true));

widget.addEventListener("laurel:change", ({ detail }) => {
  // Without an answer nobody knows whether the session is good: what is kept shows itself, the rest waits.
  document.documentElement.dataset.is = detail?.member ? "member" : mark ? "waiting" : "stranger";
  if (detail?.member && location.hash === "#card" && !card.open) showCard();
});

async function ask(path, method = "GET") {
  const response = await fetch(`${base}/${path}`, {
    method,
    cache: "no-store",
    headers: { Accept: "application/json", ...(method === "POST" && { "Content-Type": "application/json" }) },
    body: method === "POST" ? "{}" : null,
    signal: AbortSignal.timeout(10_000),
  });
  if (response.status === 401) forget(() => true);
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

// --- The card ---

const card = byId("card");
let awake = null;

byId("show-card").addEventListener("click", showCard);
byId("card-replace").addEventListener("click", () => loadCard("POST"));
card.addEventListener("close", () => {
  awake?.release().catch(() => {});
  awake = null;
  card.querySelector("details").open = false;
  byId("card-status").textContent = "";
  if (location.hash === "#card") history.replaceState(null, "", location.pathname + location.search);
});

async function showCard() {
  card.showModal();
  byId("card-title").focus();
  const last = keptCard();
  if (last) draw(last);
  navigator.wakeLock?.request("screen").then((lock) => { if (card.open) awake = lock; else lock.release(); }).catch(() => {});
  await loadCard();
}

async function loadCard(method = "GET") {
  const failed = byId("card-failed");
  failed.hidden = true;
  try {
    const found = await ask("card", method);
    draw(found);
    try { localStorage.setItem(cardKey, JSON.stringify(found)); } catch { /* as above */ }
    if (method === "POST") byId("card-status").textContent = byId("card-status").dataset.replaced;
  } catch {
    failed.hidden = method === "GET" && Boolean(keptCard());
    if (!keptCard()) byId("card-shown").hidden = true;
  }
}

function keptCard() {
  try {
    return mark ? JSON.parse(localStorage.getItem(cardKey)) : null;
  } catch {
    return null;
  }
}

function draw({ code, qr }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", `-4 -4 ${qr.size + 8} ${qr.size + 8}`); // readers need four light modules around
  svg.setAttribute("aria-hidden", "true"); // the number says the same
  svg.setAttribute("shape-rendering", "crispEdges");
  path.setAttribute("d", qr.path);
  path.setAttribute("stroke", "#000");
  svg.append(path);
  card.querySelector(".qr").replaceChildren(svg);
  byId("card-code").textContent = code;
  byId("card-shown").hidden = false;
}
