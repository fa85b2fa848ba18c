// One purchase of a reward, step by step: what it costs, the code, giving it back. Every step says where the points are.

import { busy, line, note, retryButton } from "./door.js";
import { kindIcon } from "./icons.js";
import { h, icon, webAddress, writeClipboard } from "./parts.js";

// there is nothing to type in at the checkout
const CODELESS = ["perk", "store_credit"];
const BETWEEN = ["requested", "cancelling"];
const WAITS_S = [1, 2, 3, 5, 8, 10];
// the code is then found under the rewards
const GIVE_UP_S = 300;
const COPIED_MS = 2000;

export class Redeeming {
  #app;
  #panel;
  #reward;
  #redemption = null;
  // one for each decision: a retry of the same click never pays twice
  #key = crypto.randomUUID();
  #step = null;
  // how many, of a reward in steps
  #points = null;
  // points left, as the shopper was told before
  #after = null;

  constructor(app, panel, reward) {
    this.#app = app;
    this.#panel = panel;
    this.#reward = reward;
  }

  /** Before: what it costs, what is left, what holds for the code. */
  confirm() {
    const { words } = this.#app;
    const { title, steps } = this.#reward;
    this.#points ??= steps?.minimum ?? null;
    const go = h("button", { class: "lw-btn main", type: "button" }, words.t(this.#reward.has_code ?? !CODELESS.includes(this.#reward.kind) ? "get_code" : "get_it"));
    go.addEventListener("click", () => this.#order(go));
    const told = h("div", {}, this.#price());
    this.#show(title, [
      h("div", { class: "lw-empty slim" }, icon(kindIcon(this.#reward.kind)), told),
      steps && this.#howMany(told),
      h("ul", { class: "lw-lines" }, this.#conditions()),
      h("div", { class: "lw-two" }, this.#button("not_now", () => this.#panel.home()), go),
    ]);
  }

  #price() {
    const { words } = this.#app;
    const cost = this.#cost;
    return [
      h("p", { class: "lw-h lw-xl" }, words.rich("confirm", { n: cost, title: this.#what, points: words.points(cost) })),
      h("p", { class: "lw-muted" }, words.rich("will_be_left", { n: this.#left(), points: h("span", { class: "lw-num" }, words.points(this.#left())) })),
    ];
  }

  /** A slider over whole steps, no further than there is; the price follows it. Nothing where there is no choice. */
  #howMany(told) {
    const { words, store, say } = this.#app;
    const { points: step, minimum: min, maximum } = this.#reward.steps;
    const all = Math.min(store.me.member.balance.available, maximum ?? Infinity);
    const max = all - all % step;
    if (max <= min) return null;
    const input = h("input", { type: "range", id: "lw-many", min, max, step, value: this.#points });
    const take = () => {
      this.#points = input.valueAsNumber;
      input.ariaValueText = words.t("confirm", { n: this.#cost, title: this.#what, points: words.points(this.#cost) });
      input.style.setProperty("--at", `${(100 * (this.#points - min)) / (max - min)}%`);
      told.replaceChildren(...this.#price());
    };
    const nudge = (key, sign, by) => h("button", {
      class: "lw-icon", type: "button", "aria-label": words.t(key), title: words.t(key),
      onclick: () => {
        input.valueAsNumber += by;
        take();
        // of the slider itself the browser tells
        say(input.ariaValueText);
      },
    }, h("span", { "aria-hidden": "true" }, sign));
    input.addEventListener("input", take);
    take();
    return h("div", { class: "lw-pick" },
      h("label", { for: "lw-many" }, words.t("how_many")),
      h("div", { class: "lw-row" }, nudge("less", "\u2212", -step), input, nudge("larger", "+", step)),
      h("p", { class: "lw-muted lw-small" }, words.rich("how_many_range", { min: words.amount(min), max: words.amount(max), step: words.amount(step) })));
  }

  /** What is bought: of a reward in steps, its worth for so many. */
  get #what() {
    const { title, steps } = this.#reward;
    return steps?.amount ? this.#app.words.money({ ...steps.amount, minor: this.#cost / steps.points * steps.amount.minor }) : title;
  }

  get #cost() {
    return this.#points ?? this.#reward.cost;
  }

  /** A redemption that is known already, as it stands. */
  show(redemption) {
    this.#redemption = redemption;
    const { state } = redemption;
    if (state === "issued" || (state === "used" && this.#isPaidOut())) return this.#ready();
    if (!BETWEEN.includes(state)) return this.#over(state);
    if (state === "requested") this.#making();
    else this.#givingBack();
    return this.#follow();
  }

  #kind() {
    return this.#redemption?.reward?.kind ?? this.#reward.kind;
  }

  /** Store credit without a code is in the shopper's account; with one, used is used. */
  #isPaidOut() {
    return this.#kind() === "store_credit" && !this.#redemption.code;
  }

  #left() {
    return this.#app.store.me.member.balance.available - this.#cost;
  }

  #conditions() {
    const { words } = this.#app;
    const { minimum_spend: minimum, valid_days: days, returns_unused: returns } = this.#reward;
    return [
      !CODELESS.includes(this.#reward.kind) && this.#reward.kind !== "gift_card" && line("check", words.t("one_order")),
      minimum && line("check", words.t("orders_from_long", { amount: words.money(minimum) })),
      days && line("clock", words.t(returns === false ? "valid_days" : "valid_days_back", { n: days })),
    ].filter(Boolean);
  }

  async #order(button) {
    if (button?.ariaDisabled) return;
    this.#after ??= this.#left();
    if (button) busy(button, this.#app.words.t("making"));
    try {
      this.#took(await this.#app.client.post("redemptions", { reward: this.#reward.key, ...this.#points && { points: this.#points } }, this.#key));
    } catch (problem) {
      this.#failed(problem);
    }
  }

  #took(redemption) {
    this.#redemption = redemption;
    return this.#settle();
  }

  #failed(problem) {
    if (problem.kind === "unproven") return this.#panel.home();
    if (problem.kind === "refused") return this.#refused(problem);
    return this.#unsure(problem);
  }

  /** The same boxes as the finished code, so that nothing moves when it comes. */
  #making() {
    const { words } = this.#app;
    const dead = (key) => h("button", { class: "lw-btn", type: "button", "aria-disabled": "true" }, key === "copy" && icon("copy"), h("span", {}, words.t(key)));
    this.#show(words.t("your_code"), [
      h("div", { class: "lw-empty slim" }, h("p", { class: "lw-h lw-xl" }, words.t("making")), h("p", { class: "lw-muted", role: "status" }, words.t("making_text"))),
      h("div", { class: "lw-code" },
        h("code", { "aria-hidden": "true" }, h("span", { class: "lw-wait" }, "XXXX-XXXX-XXXX")),
        h("div", { class: "lw-two" }, dead("copy"), this.#applyUrl("x") && dead("apply"))),
      h("ul", { class: "lw-lines" },
        line("check", words.t("set_aside", { n: this.#redemption.cost, points: words.points(this.#redemption.cost) })),
        line("ticket", words.t("making_close"))),
    ]);
  }

  #ready() {
    const { words } = this.#app;
    const { code, cost, back = cost, left_text: rest, expires_at: until, reward } = this.#redemption;
    const url = code && this.#applyUrl(code);
    const title = reward?.title ?? this.#reward.title;
    this.#show(code ? words.t("your_code") : title, [
      h("div", { class: "lw-empty slim" },
        h("p", { class: "lw-h lw-xl" }, words.rich(code ? "is_ready" : "is_yours", { title })),
        h("p", { class: "lw-muted" }, this.#usedLine(cost))),
      code && h("div", { class: "lw-code" },
        h("code", {}, code),
        h("div", { class: "lw-two" }, this.#copyButton(code, url ? "" : "main"), url && h("a", { class: "lw-btn main", href: url }, words.t("apply")))),
      h("ul", { class: "lw-lines" },
        rest && line("ticket", rest),
        until && line("clock", words.rich(this.#reward.returns_unused === false ? "use_by_short" : "use_by_long", {
          n: back, date: h("strong", {}, h("time", { datetime: until }, words.day(until, { year: true }))), points: words.points(back),
        })),
        this.#reward.minimum_spend && line("bag", words.t("orders_from_long", { amount: words.money(this.#reward.minimum_spend) }))),
      this.#redemption.state === "issued" && h("button", { class: "lw-link", type: "button", onclick: () => this.#askBack() }, words.t("give_back", { n: back, points: words.points(back) })),
    ]);
  }

  #usedLine(cost) {
    const { words } = this.#app;
    const points = words.points(cost);
    return this.#after === null ? words.t("used_for", { n: cost, points }) : words.t("used_left", { n: cost, points, left: words.amount(this.#after) });
  }

  /** `apply-url` is the page's own pattern, such as /discount/{code}. */
  #applyUrl(code) {
    const pattern = this.#app.host.getAttribute("apply-url");
    return pattern && webAddress(pattern.replaceAll("{code}", encodeURIComponent(code)));
  }

  #copyButton(code, className) {
    const { words, say } = this.#app;
    const label = h("span", {}, words.t("copy"));
    const copy = async () => {
      const copied = await writeClipboard(code, button.closest(".lw-code").querySelector("code"));
      label.textContent = words.t(copied ? "copied" : "copy_marked");
      say(label.textContent);
      setTimeout(() => { label.textContent = words.t("copy"); }, COPIED_MS);
    };
    const button = h("button", { class: `lw-btn ${className}`, type: "button", onclick: copy }, icon("copy"), label);
    return button;
  }

  /** A definite no. Points were never taken, or are back: the server's sentence says which. */
  #refused(problem) {
    const { words, store } = this.#app;
    // the old one would repeat the old answer
    this.#key = crypto.randomUUID();
    this.#after = null;
    store.refresh();
    this.#show(this.#reward.title, [
      note("alert", [h("strong", {}, problem.title || words.t("refused_title")), " ", problem.detail || words.t("refused_text")], "bad", "alert"),
      h("div", { class: "lw-two" }, this.#button("other_rewards", () => this.#panel.home(), "main")),
    ]);
  }

  /** No answer: nobody knows the outcome, so the same request goes out again under the same key. */
  #unsure(problem) {
    const { words } = this.#app;
    const again = async () => {
      await seconds(Math.min(problem.retryAfterS, 30));
      await this.#order();
    };
    this.#show(this.#reward.title, [
      note("alert", [h("strong", {}, words.t("unsure_title")), " ", words.t("unsure_text")], "warn", "alert"),
      h("div", { class: "lw-two" }, this.#button("other_rewards", () => this.#panel.home()), retryButton(words, again)),
    ]);
  }

  #askBack() {
    const { words } = this.#app;
    const { cost, back = cost } = this.#redemption;
    const points = words.points(back);
    const go = h("button", { class: "lw-btn main", type: "button" }, words.t("give_back_do"));
    go.addEventListener("click", () => this.#giveBack(go));
    this.#show(words.t("your_code"), [
      h("div", { class: "lw-empty slim" }, icon("undo"),
        h("p", { class: "lw-h lw-xl" }, words.t("give_back_title")),
        h("p", { class: "lw-muted" }, words.t("give_back_text", { n: back, points }))),
      h("div", { class: "lw-two" }, this.#button("keep_code", () => this.#ready()), go),
    ], () => this.#ready());
  }

  async #giveBack(button) {
    if (button?.ariaDisabled) return;
    if (button) busy(button, this.#app.words.t("giving_back"));
    try {
      const answer = await this.#app.client.post(`redemptions/${encodeURIComponent(this.#redemption.id)}/cancel`);
      Object.assign(this.#redemption, answer);
      this.#settle();
    } catch (problem) {
      if (problem.kind === "unproven") this.#panel.home();
      else this.#notGivenBack(problem);
    }
  }

  #notGivenBack(problem) {
    const { words } = this.#app;
    this.#show(words.t("your_code"), [
      note("alert", [h("strong", {}, problem.title || words.t("not_back_title")), " ", problem.detail || words.t("not_back_text")], "warn", "alert"),
      h("div", { class: "lw-two" }, this.#button("keep_code", () => this.#ready()), retryButton(words, () => this.#giveBack())),
    ]);
  }

  #givingBack() {
    const { words } = this.#app;
    const { cost, back = cost } = this.#redemption;
    this.#show(words.t("your_code"), [
      h("div", { class: "lw-empty slim" }, icon("clock"),
        h("p", { class: "lw-h lw-xl" }, words.t("giving_back")),
        h("p", { class: "lw-muted", role: "status" }, words.t("giving_back_text", { n: back, points: words.points(back) }))),
      h("div", { class: "lw-two" }, this.#button("other_rewards", () => this.#panel.home())),
    ]);
  }

  /** Shows the state the server told last, and goes on asking while it is in between. */
  async #settle() {
    const { state } = this.#redemption;
    const reading = this.#app.store.refresh();
    // what follows names the balance
    if (state !== "issued" && !BETWEEN.includes(state)) await reading;
    if (this.#panel.showing(this.#step)) return this.show(this.#redemption);
    const mine = CODELESS.includes(this.#kind()) && !this.#redemption.code && (state === "issued" || state === "used");
    this.#app.say(this.#app.words.t(mine ? "is_yours" : `code_${state}`, { title: this.#redemption.reward?.title ?? this.#reward.title })); // the shopper went elsewhere: told, not pulled back
    return BETWEEN.includes(state) && this.#follow();
  }

  #over(state) {
    const { words, store } = this.#app;
    const { cost, back = cost, detail } = this.#redemption;
    const points = words.points(back);
    const balance = store.me?.member?.balance.available;
    const now = balance !== undefined && !store.old && words.t("you_have", { n: balance, points: words.points(balance) });
    this.#key = crypto.randomUUID();
    this.#after = null;
    const [tone, name] = { failed: ["bad", "alert"], cancelled: ["good", "check"] }[state] ?? ["", "info"];
    this.#show(state === "failed" ? this.#reward.title : words.t("your_code"), [
      note(name, [h("strong", {}, words.t(`${state}_title`)), " ", detail || words.t(`${state}_text`, { n: back, points }), " ", now], tone, state === "failed" ? "alert" : "status"),
      h("div", { class: "lw-two" },
        this.#button("other_rewards", () => this.#panel.home(), state === "failed" ? "" : "main"),
        state === "failed" && this.#reward.key && this.#button("try_again", () => this.confirm(), "main")),
    ]);
  }

  /** Asks how it went, slower and slower, and not while nobody looks at the page. */
  async #follow() {
    const before = this.#redemption.state;
    const started = performance.now();
    for (let turn = 0; this.#redemption.state === before; turn += 1) {
      if (performance.now() - started > GIVE_UP_S * 1000) return;
      await seconds(WAITS_S[Math.min(turn, WAITS_S.length - 1)]);
      await pageVisible();
      await this.#ask();
    }
    this.#settle();
  }

  async #ask() {
    try {
      const answer = await this.#app.client.get(`redemptions/${encodeURIComponent(this.#redemption.id)}`);
      Object.assign(this.#redemption, answer);
    } catch (problem) {
      // the next turn asks again; nothing is decided by silence
      await seconds(problem.retryAfterS);
    }
  }

  #button(key, onclick, className = "") {
    return h("button", { class: `lw-btn ${className}`, type: "button", onclick }, this.#app.words.t(key));
  }

  #show(title, nodes, back = () => this.#panel.home()) {
    // the shopper went elsewhere: do not pull them back
    if (this.#step && !this.#panel.showing(this.#step)) return;
    this.#step = { name: "step", title, nodes, back };
    this.#panel.show(this.#step);
  }
}

function seconds(count) {
  return new Promise((done) => { setTimeout(done, count * 1000); });
}

function pageVisible() {
  if (!document.hidden) return null;
  return new Promise((done) => { document.addEventListener("visibilitychange", done, { once: true }); });
}
