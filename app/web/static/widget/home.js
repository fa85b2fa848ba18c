// A member's view: the balance, the tier, and three tabs. Lists are read when the panel opens and when the balance moves.

import { heading, line, note, retryButton, waitingList } from "./door.js";
import { friendBox } from "./friend.js";
import { historyList } from "./history.js";
import { kindIcon } from "./icons.js";
import { fill, h, icon, turn } from "./parts.js";
import { Redeeming } from "./redeeming.js";

const TABS = ["rewards", "earn", "history"];
const OPEN_STATES = ["requested", "issued", "cancelling"];

export class Home {
  #app;
  #panel;
  #view = null;
  #boxes = { note: h("div"), balance: h("div", { class: "lw-balance" }), tier: h("div"), tabs: h("div", { class: "lw-stack" }) };
  #tab = "rewards";
  // rewards, codes, history and next; a missing one has not been read yet
  #lists = {};
  // which of them could not be read
  #failed = {};
  // the balance that was shown last
  #known = null;

  constructor(app, panel) {
    this.#app = app;
    this.#panel = panel;
  }

  view() {
    const { words } = this.#app;
    this.#boxes.tabs.replaceChildren(this.#tabBar(), ...TABS.map((name) =>
      h("div", { class: "lw-stack", role: "tabpanel", id: `lw-${name}`, "aria-labelledby": `lw-tab-${name}` })));
    for (const box of [this.#boxes.note, this.#boxes.balance, this.#boxes.tier, ...this.#panels()]) delete box.shows;
    this.#view = { name: "home", title: heading(this.#app), nodes: Object.values(this.#boxes) };
    this.#boxes.tabs.firstChild.setAttribute("aria-label", words.t("your_points"));
    this.#select(this.#tab);
    turn().then(() => this.reload());
    return this.#view;
  }

  /** Brings every box into agreement with what is known; boxes that agree already are left alone. */
  update() {
    const { store } = this.#app;
    this.#noticeBalance();
    const { balance, tier, next_tier: next, email_proof: proof, stopped } = store.me.member;
    fill(this.#boxes.note, [store.old, navigator.onLine, store.old && store.at, proof, stopped], () => this.#notes(proof, stopped));
    fill(this.#boxes.balance, [balance, this.#nearest()], () => this.#balance(balance));
    fill(this.#boxes.tier, [tier, next], () => tier && this.#tierBox(tier, next));
    turn().then(() => this.#shown() && this.#fillTabs());
  }

  /** Reads the lists again; what is shown stays until then. */
  async reload() {
    if (!this.#app.store.me?.member) return;
    await Promise.all([this.#read("rewards", "rewards"), this.#read("codes", "redemptions"), this.#lists.history && this.#readHistory()]);
  }

  async #read(list, path) {
    try {
      const answer = await this.#app.client.get(path);
      this.#lists[list] = answer[path];
      this.#failed[list] = false;
    } catch {
      this.#failed[list] = true;
    }
    if (this.#shown()) this.update();
  }

  async #readHistory(cursor = null) {
    try {
      const { items, next } = await this.#app.client.get("history", { cursor });
      this.#lists.history = cursor ? [...this.#lists.history, ...items] : items;
      this.#lists.next = next;
      this.#failed.history = false;
    } catch {
      this.#failed.history = true;
    }
    if (this.#shown()) this.update();
  }

  #shown() {
    return this.#view && this.#panel.showing(this.#view) && this.#app.store.me?.member;
  }

  /** A changed amount is told once, in words; the lists that hang on it are read again. */
  #noticeBalance() {
    const { available, pending } = this.#app.store.me.member.balance;
    const now = `${available} ${pending}`;
    const moved = this.#known !== null && this.#known !== now;
    this.#known = now;
    if (!moved) return;
    this.#app.say(this.#app.words.t("balance_now", { points: this.#app.words.points(available) }));
    this.reload();
  }

  #notes(proof, stopped) {
    const { store, words } = this.#app;
    const warn = (name, title, text) => note(name, [h("strong", {}, title), " ", text], "warn", "status");
    if (store.old) {
      const time = store.at && words.moment(store.at);
      if (navigator.onLine) return warn("alert", words.t("old_title"), words.t("old_text", { time }));
      return warn("offline", words.t("offline_title"), words.t("offline_text", { time }));
    }
    if (stopped) return warn("info", stopped.title, stopped.sentence);
    if (proof === "sent") return note("info", words.t("proof_sent"), "", "status");
    return proof === "wanted" && note("info", words.t("proof_wanted"), "", null, this.#proofButton());
  }

  #proofButton() {
    const { client, store, words } = this.#app;
    const send = async () => {
      try {
        await client.post("email-proof");
        await store.refresh();
      } catch (problem) {
        this.#app.say(problem.detail || words.t("trouble_title"));
      }
    };
    const button = retryButton(words, send, "lw-btn");
    button.textContent = words.t("proof_send");
    return button;
  }

  #balance({ available, pending, pending_next: next, deficit, worth, expiring }) {
    const { words } = this.#app;
    const strong = (text) => h("strong", { class: "lw-num" }, text);
    const day = (iso, year) => h("time", { datetime: iso }, words.day(iso, { year }));
    const rest = pending - (next?.points ?? 0);
    return [
      h("p", {}, h("b", { class: "lw-num" }, words.amount(available), " ", words.unit(available) && h("small", {}, words.unit(available)))),
      h("p", { class: "lw-muted" }, this.#belowBalance(worth)),
      h("ul", { class: "lw-lines" },
        deficit > 0 && line("info", words.rich("deficit", { n: deficit, points: strong(words.points(deficit)) })),
        next && line("clock", words.rich("pending_next", { n: next.points, more: strong(words.t("more", { units: next.points })), date: day(next.at) })),
        rest > 0 && line("clock", words.rich("pending_rest", { n: rest, more: strong(words.t("more", { units: rest })) })),
        expiring && line("info", words.rich("expiring", { n: expiring.points, points: strong(words.points(expiring.points)), date: day(expiring.at, true) }))),
    ];
  }

  /** One line, always: what the points are worth, or how far the first reward is. */
  #belowBalance(worth) {
    const { words } = this.#app;
    if (worth?.minor > 0) return words.rich("worth", { amount: h("span", { class: "lw-num" }, words.money(worth)) });
    const nearest = this.#nearest();
    return nearest ? words.rich("first_reward", { n: nearest, points: words.points(nearest) }) : "\u00a0";
  }

  /** Points to the cheapest reward, while none can be had. */
  #nearest() {
    const rewards = this.#lists.rewards ?? [];
    if (rewards.some(({ state }) => state === "ready")) return null;
    const missing = rewards.filter(({ state }) => state === "short").map((reward) => reward.missing);
    return missing.length ? Math.min(...missing) : null;
  }

  #tierBox(tier, next) {
    const { words, store } = this.#app;
    const { tiers = [] } = store.me.program;
    return h("div", { class: "lw-tier" },
      h("div", { class: "lw-row" },
        icon(sprig(tiers, tier.key)),
        h("strong", { class: "grow" }, tier.name),
        h("span", { class: "lw-muted" }, words.t("earns", { percent: words.percent(tier.earn_percent) }))),
      next ? this.#progress(next, tiers) : tiers.length > 1 && h("p", { class: "lw-muted" }, words.t("top_tier")));
  }

  #progress(next, tiers) {
    const { words, store } = this.#app;
    const { threshold, spent, missing } = next;
    const share = next.progress_percent ?? (threshold?.minor ? (100 * spent.minor) / threshold.minor : 0);
    const reached = threshold ? words.t("of", { part: words.money(spent), all: words.money(threshold) }) : next.sentence;
    const percent = tiers.find(({ key }) => key === next.key)?.earn_percent;
    const period = store.me.program.tier_period ?? "any";
    return [
      bar(share, words.t("towards", { name: next.name }), reached),
      h("p", { class: "lw-muted" }, next.sentence ?? words.rich(`next_tier_${period}`, {
        amount: h("strong", { class: "lw-num" }, words.money(missing)),
        tier: h("strong", {}, h("bdi", {}, next.name)),
        percent: words.percent(percent ?? 100),
      })),
    ];
  }

  #tabBar() {
    const { words } = this.#app;
    const tab = (name) => h("button", {
      type: "button", role: "tab", id: `lw-tab-${name}`, "aria-controls": `lw-${name}`, onclick: () => this.#select(name),
    }, words.t(`tab_${name}`));
    return h("div", { class: "lw-tabs", role: "tablist", onkeydown: (event) => this.#arrow(event) }, TABS.map(tab));
  }

  #arrow(event) {
    const forward = this.#app.frame.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const at = TABS.indexOf(this.#tab);
    const to = { [forward]: at + 1, [back]: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#select(TABS.at(to % TABS.length));
    this.#boxes.tabs.querySelector("[aria-selected=true]").focus();
  }

  #select(name) {
    this.#tab = name;
    this.#boxes.tabs.querySelectorAll("[role=tab]").forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(TABS[i] === name));
      tab.tabIndex = TABS[i] === name ? 0 : -1;
    });
    this.#panels().forEach((panel, i) => { panel.hidden = TABS[i] !== name; });
    if (name === "history" && !this.#lists.history) this.#readHistory();
    if (this.#shown()) this.#fillTabs();
  }

  #panels() {
    return [...this.#boxes.tabs.querySelectorAll("[role=tabpanel]")];
  }

  #fillTabs() {
    const { store } = this.#app;
    const [rewards, earn, history] = this.#panels();
    // last known values are the balance and the tier
    this.#boxes.tabs.hidden = store.old && !this.#lists.rewards;
    fill(rewards, [this.#lists.rewards, this.#lists.codes, this.#failed.rewards, store.old, store.me.member.stopped], () => this.#rewards());
    fill(earn, store.me.program, () => this.#earn());
    fill(history, [this.#lists.history, this.#lists.next, this.#failed.history], () => this.#history());
  }

  #rewards() {
    const { words } = this.#app;
    const { rewards, codes = [] } = this.#lists;
    if (!rewards) return this.#failed.rewards ? this.#failedList("rewards_failed", () => this.reload()) : waitingList(3);
    const group = (state) => rewards.filter((reward) => reward.state === state).map((reward) => this.#reward(reward));
    const groups = [
      ["your_codes", codes.filter(({ state }) => OPEN_STATES.includes(state)).map((code) => this.#code(code))],
      ["ready", group("ready")],
      ["almost", group("short")],
      ["locked", group("locked")],
    ].filter(([, items]) => items.length);
    if (!groups.length) return empty("gift", words.t("no_rewards_title"), words.t("no_rewards_text"));
    return groups.map(([title, items]) => h("div", { class: "lw-group" }, h("h3", {}, words.t(title)), h("ul", {}, items)));
  }

  #reward(reward) {
    const { words } = this.#app;
    const ready = reward.state === "ready";
    return h("li", { class: `lw-item ${ready ? "can" : ""}` },
      icon(reward.state === "locked" ? "lock" : kindIcon(reward.kind)),
      h("div", {}, h("b", {}, h("bdi", {}, reward.title)), h("p", {}, this.#rewardLine(reward)), reward.state === "short" && this.#rewardBar(reward)),
      ready && !this.#app.store.me.member.stopped && this.#getButton(reward));
  }

  #rewardLine(reward) {
    const { words } = this.#app;
    if (reward.state === "locked" && reward.reason) return reward.reason;
    const parts = [words.points(reward.cost)];
    if (reward.state === "short" && reward.missing < reward.cost) parts.push(words.t("to_go", { units: reward.missing }));
    if (reward.minimum_spend) parts.push(words.t("orders_from", { amount: words.money(reward.minimum_spend) }));
    if (reward.reason) parts.push(reward.reason);
    return parts.map((part, i) => [i > 0 && words.t("comma"), h("bdi", {}, part)]);
  }

  #rewardBar({ cost, missing, title }) {
    const { words } = this.#app;
    return bar((100 * (cost - missing)) / cost, words.t("towards", { name: title }), words.t("of", { part: words.amount(cost - missing), all: words.points(cost) }));
  }

  #getButton(reward) {
    const { words, store } = this.#app;
    return h("button", {
      class: "lw-btn", type: "button", "data-key": `get ${reward.key}`,
      "aria-label": words.t("get_named", { title: reward.title }),
      // the note above says why
      "aria-disabled": store.old && "true",
      onclick: () => store.old || new Redeeming(this.#app, this.#panel, reward).confirm(),
    }, words.t("get"));
  }

  #code(redemption) {
    const { words } = this.#app;
    const { state, reward, expires_at: until, left_text: rest } = redemption;
    const text = state === "issued" && until ? words.t("use_by", { date: words.day(until, { year: true }) }) : words.t(`code_${state}`);
    return h("li", { class: "lw-item can" },
      icon("ticket"),
      h("div", {}, h("b", {}, h("bdi", {}, reward.title)), rest && h("p", {}, rest), h("p", {}, text)),
      h("button", {
        class: "lw-btn", type: "button", "data-key": `code ${redemption.id}`,
        "aria-label": words.t("show_named", { title: reward.title }),
        onclick: () => new Redeeming(this.#app, this.#panel, reward).show(redemption),
      }, words.t("show")));
  }

  #earn() {
    const { words, store } = this.#app;
    const { earn_sentence: sentence, ways, tiers = [], referral } = store.me.program;
    const mine = store.me.member.tier?.key;
    const all = ways ?? [{ kind: "shop", title: words.t("shop"), sentence }];
    return [
      h("ul", {}, all.map((way) => entry(kindIcon(way.kind), way.title, way.sentence))),
      referral && friendBox(this.#app),
      tiers.length > 1 && h("div", { class: "lw-group" }, h("h3", {}, words.t("tiers")), h("ul", {}, tiers.map((tier) =>
        entry(sprig(tiers, tier.key), tier.name, this.#tierLine(tier), tier.key === mine && words.t("your_tier"))))),
    ];
  }

  #tierLine({ from, earn_percent: percent }) {
    const { words } = this.#app;
    const earns = words.t("tier_earns_each", { percent: words.percent(percent) });
    return from?.minor ? `${words.t("from", { amount: words.money(from) })}${words.t("comma")}${earns}` : earns;
  }

  #history() {
    const { words } = this.#app;
    const { history, next } = this.#lists;
    if (!history) return this.#failed.history ? this.#failedList("history_failed", () => this.#readHistory()) : waitingList(4);
    if (!history.length) return empty("bag", words.t("no_history_title"), words.t("no_history_text"));
    return [historyList(words, history), next && this.#earlier(next)];
  }

  #earlier(next) {
    const button = retryButton(this.#app.words, () => this.#readHistory(next), "lw-btn wide");
    button.dataset.key = "earlier";
    button.textContent = this.#app.words.t("show_earlier");
    return button;
  }

  #failedList(message, work) {
    const { words } = this.#app;
    return h("div", { class: "lw-empty" }, h("p", { class: "lw-muted" }, words.t(message)), retryButton(words, work, "lw-btn"));
  }
}

function entry(name, title, text, aside = null) {
  return h("li", { class: "lw-item can" }, icon(name), h("div", {}, h("b", {}, h("bdi", {}, title)), h("p", {}, text)), aside && h("span", { class: "lw-small lw-muted" }, aside));
}

function empty(name, title, text) {
  return h("div", { class: "lw-empty" }, icon(name), h("p", { class: "lw-h" }, title), h("p", { class: "lw-muted" }, text));
}

function bar(percent, label, reached) {
  const at = Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10;
  const node = h("div", { class: "lw-bar", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": at, "aria-valuetext": reached }, h("i"));
  node.firstChild.style.setProperty("--at", `${at}%`);
  return node;
}

/** One pair of leaves more for each tier, so that it reads without colour or word. */
function sprig(tiers, key) {
  const place = tiers.findIndex((tier) => tier.key === key);
  return `sprig${Math.min(3, Math.max(1, place + 1))}`;
}
