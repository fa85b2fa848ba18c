// Each entry: what, when, how many points, one sentence, and on demand the facts behind the number. Zero included.

import { h, icon } from "./parts.js";

export function historyList(words, items) {
  return h("ul", {}, items.map((item) => entry(words, item)));
}

function entry(words, item) {
  return h("li", { class: "lw-entry" },
    h("span", {}, h("bdi", {}, item.title), " ", when(words, item.at)),
    h("span", { class: `lw-num ${item.points > 0 ? "lw-plus" : ""}` }, words.signed(item.points)),
    h("p", {}, h("bdi", {}, item.sentence), pendingUntil(words, item)),
    item.facts?.length > 0 && facts(words, item));
}

function when(words, iso) {
  const full = words.day(iso, { year: true });
  return h("span", { class: "lw-muted lw-small" }, "· ", h("time", { datetime: iso, title: full }, words.ago(iso)));
}

function pendingUntil(words, { state, available_at: at }) {
  if (state !== "pending") return null;
  return [" ", at ? words.t("pending_until", { date: words.day(at) }) : words.t("pending")];
}

function facts(words, { id, title, facts: rows }) {
  const arrow = icon("more");
  arrow.setAttribute("class", "flip");
  return h("details", {},
    h("summary", { "data-key": `facts ${id}` }, words.t("how_counted"), h("span", { class: "lw-hidden" }, title), arrow),
    h("dl", {}, rows.map(({ label, value }) => h("div", {}, h("dt", {}, label), h("dd", {}, h("bdi", {}, String(value)))))));
}
