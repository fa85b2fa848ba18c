// What stands in the panel before there is a member: guests, joining, waiting, and when nothing can be shown.

import { h, icon, webAddress } from "./parts.js";

/** The program's name, with the word for its points unless the name has it already. */
export function heading({ words, store }) {
  const program = store.me?.program?.name;
  if (!program) return words.t("your_points");
  const unit = words.unitInTitle();
  return program.toLowerCase().includes(unit.toLowerCase()) ? program : words.t("heading", { program, unit });
}

export function guestView(app) {
  const { words, host } = app;
  const join = webAddress(host.getAttribute("join-url")) ?? webAddress(host.getAttribute("signin-url"));
  return {
    name: "guest",
    title: heading(app),
    nodes: [
      ...promise(app),
      h("div", { class: "lw-stack" },
        join && h("a", { class: "lw-btn main wide", href: join }, words.t("join")),
        signIn(app)),
      note("info", words.t("guest_orders")),
    ],
  };
}

/** Signed in, not a member yet: one click. */
export function joinView(app, panel) {
  const { words } = app;
  const failed = h("div");
  const button = h("button", { class: "lw-btn main wide", type: "button" }, words.t("join"));
  button.addEventListener("click", () => join(app, panel, button, failed));
  return { name: "join", title: heading(app), nodes: [...promise(app), failed, button, note("info", words.t("guest_orders"))] };
}

async function join({ client, store, words, say }, panel, button, failed) {
  if (button.ariaDisabled) return;
  busy(button, words.t("joining"));
  try {
    store.take(await client.post("join"));
    say(words.t("joined"));
  } catch (problem) {
    idle(button, words.t("join"));
    failed.replaceChildren(note("alert", problem.detail || words.t("join_failed"), "bad", "alert"));
  }
}

function promise({ words, store }) {
  const { program } = store.me;
  const next = program.tiers?.[1];
  return [
    h("div", { class: "lw-empty slim" }, icon("mark"), h("p", { class: "lw-h lw-xl" }, words.t("guest_title")), h("p", { class: "lw-muted" }, words.t("guest_text"))),
    h("ul", {},
      item("bag", program.earn_sentence, words.t("guest_each")),
      next?.from && item("sprig2", words.t("tier_from", { tier: next.name, amount: words.money(next.from) }), words.t("tier_earns_each", { percent: words.percent(next.earn_percent) })),
      item("undo", words.t("guest_safe_title"), words.t("guest_safe"))),
  ];
}

function item(name, title, text) {
  return h("li", { class: "lw-item can" }, icon(name), h("div", {}, h("b", {}, title), h("p", {}, text)));
}

function signIn({ words, host }) {
  const url = webAddress(host.getAttribute("signin-url"));
  return url && h("p", { class: "lw-end" }, words.t("already_member"), " ", h("a", { class: "lw-link", href: url }, words.t("sign_in")));
}

/** No answer, or no proof of who asks. Never an alarm: shop and points are fine. */
export function troubleView(app, name) {
  const unproven = name === "trouble-unproven";
  return { name, title: heading(app), nodes: [unproven ? unprovenBox(app) : unreachableBox(app)] };
}

function unprovenBox({ words, host, store }) {
  const url = webAddress(host.getAttribute("signin-url"));
  return h("div", { class: "lw-empty" },
    icon("lock"),
    h("p", { class: "lw-h" }, words.t("unproven_title")),
    h("p", { class: "lw-muted" }, words.t("unproven_text")),
    url ? h("a", { class: "lw-btn main", href: url }, words.t("sign_in")) : retryButton(words, () => store.refresh()));
}

function unreachableBox({ words, store }) {
  const { ref } = store.problem;
  return h("div", { class: "lw-empty" },
    icon(navigator.onLine ? "alert" : "offline"),
    h("p", { class: "lw-h" }, words.t(navigator.onLine ? "trouble_title" : "offline_title")),
    h("p", { class: "lw-muted" }, words.t("trouble_text")),
    retryButton(words, () => store.refresh()),
    ref && h("p", { class: "lw-muted lw-small" }, words.rich("tell_the_shop", { ref: h("bdi", { class: "lw-num" }, ref) })));
}

/** A button that works until `work` is done, keeping its place and its width. */
export function retryButton(words, work, className = "lw-btn main") {
  const button = h("button", { class: className, type: "button" }, words.t("try_again"));
  button.addEventListener("click", async () => {
    if (button.ariaDisabled) return;
    busy(button, words.t("trying"));
    await work();
    idle(button, words.t("try_again"));
  });
  return button;
}

export function busy(button, label) {
  button.style.minInlineSize = `${button.offsetWidth}px`;
  button.ariaDisabled = "true";
  button.textContent = label;
}

export function idle(button, label) {
  button.ariaDisabled = null;
  button.textContent = label;
}

/** A fact about the whole view. `text` is a string or nodes. */
export function note(name, text, tone = "", role = null, more = null) {
  return h("div", { class: `lw-note ${tone}`, role }, icon(name), h("div", {}, h("p", {}, text), more));
}

/** A line of a `lw-lines` list. */
export function line(name, content) {
  return h("li", {}, icon(name), h("span", {}, content));
}

/** Text-shaped boxes with the line heights of the real thing. */
export function waitingView(app) {
  const { words } = app;
  return {
    name: "waiting",
    title: heading(app),
    nodes: [
      h("p", { class: "lw-hidden", role: "status" }, words.t("loading")),
      h("div", { class: "lw-balance", "aria-hidden": "true" },
        h("p", {}, h("b", { class: "lw-num" }, bone("1,254"), " ", h("small", {}, bone("points")))),
        h("p", {}, bone("Worth up to 62.00 off"))),
      h("div", { class: "lw-tier lw-ghost", "aria-hidden": "true" },
        h("div", { class: "lw-row" }, bone("Silver")),
        h("div", { class: "lw-bar" }),
        h("p", {}, bone("687.60 more in 12 months brings Gold: 150 % points and free shipping"))),
      waitingList(4),
    ],
  };
}

export function waitingList(count) {
  return h("ul", { "aria-hidden": "true" }, Array.from({ length: count }, () =>
    h("li", { class: "lw-item" }, h("span", { class: "lw-box lw-wait" }), h("div", {}, h("b", {}, bone("Free shipping")), h("p", {}, bone("150 points, from 20.00"))), h("span", { class: "lw-btn lw-wait" }, "Get"))));
}

function bone(text) {
  return h("span", { class: "lw-wait" }, text);
}
