// A friend's link: remembered until whoever followed it is a member, then told once; and a member's own, to hand on.
// Whether it counts, the server says. The name is also that of themes and plugins, which may see the link before us.

import { h, writeClipboard } from "./parts.js";

const KEPT = "laurel-friend";
const KEEP_MS = 30 * 24 * 60 * 60 * 1000;
const COPIED_MS = 2000;
let telling = false;

export function keepFriend() {
  try {
    const code = new URLSearchParams(location.search).get("laurel_friend") ?? "";
    if (/^[\w-]{1,60}$/.test(code)) localStorage.setItem(KEPT, JSON.stringify({ code, at: Date.now() }));
  } catch { /* no storage: a link then counts for nobody */ }
}

export async function tellFriend(client) {
  if (telling) return;
  telling = true;
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    if (kept && Date.now() - kept.at < KEEP_MS) await client.post("referrals", { code: kept.code });
    localStorage.removeItem(KEPT);
  } catch (problem) {
    telling = problem.kind === "refused";
    // a definite no
    if (telling) localStorage.removeItem(KEPT);
  }
}

export function friendBox({ client, words, say }) {
  const link = h("bdi");
  const button = h("button", { class: "lw-btn", type: "button", "data-key": "friend" }, words.t("friend_copy"));
  const tell = (text) => { say(button.textContent = text); };
  button.addEventListener("click", async () => {
    try {
      link.textContent ||= (await client.post("referral-code")).link;
      tell(words.t((await writeClipboard(link.textContent, link)) ? "copied" : "copy_marked"));
      setTimeout(() => { button.textContent = words.t("friend_copy"); }, COPIED_MS);
    } catch (problem) {
      tell(problem.detail || words.t("trouble_title"));
    }
  });
  return h("div", { class: "lw-group" }, h("h3", {}, words.t("friend")), h("div", { class: "lw-stack" }, h("p", { class: "lw-muted" }, words.t("friend_text")), button, h("p", { class: "lw-muted lw-small" }, link)));
}
