// <laurel-widget>: the launcher, and the door to the panel. docs/storefront-api.md tells its attributes and events.

import { makeClient } from "./client.js";
import { keepFriend, tellFriend } from "./friend.js";
import { fill, h, icon, webAddress } from "./parts.js";
import { Store } from "./store.js";
import { styleSheet, themes } from "./style.js";
import { loadWords } from "./words.js";

const TOKEN_WAIT_MS = 2000;
const PHONE = "(max-width: 480px)";

class LaurelWidget extends HTMLElement {
  static observedAttributes = ["token"];
  // what the panel works with, once we have started
  #app = null;
  // a promise of the panel
  #panel = null;
  // what failed to load is asked for by another address: many browsers remember that it failed
  #again = "";
  #frame = null;
  #launcher = null;
  #renewing = null;

  get token() { return this.getAttribute("token"); }
  set token(value) { this.setAttribute("token", value); }

  connectedCallback() {
    if (this.#app) this.#app.store.refresh();
    // without its words there is nothing to show
    else this.#start().catch(() => {});
  }

  disconnectedCallback() {
    this.#app?.store.watch(false);
  }

  attributeChangedCallback() {
    this.dispatchEvent(new Event("laurel:token-changed"));
  }

  /** Opens the panel; the page may call it from its own button. */
  async open() {
    if (!this.#app) await this.#start();
    if (!this.#launcher) return;
    const panel = await this.#loadPanel().catch(() => null);
    // the next click tries again
    if (!panel) return this.#label("trouble_title");
    this.#label();
    await panel.open(matchMedia(PHONE).matches);
    this.#launcher.setAttribute("aria-expanded", "true");
  }

  close() {
    this.#panel?.then((panel) => panel.close());
  }

  async #start() {
    if (!this.isConnected || this.#app || this.shadowRoot) return;
    keepFriend();
    const mode = this.getAttribute("mode");
    const inline = mode === "inline" || mode === "page";
    const client = makeClient(settingsOf(this), () => this.#renewToken());
    const store = new Store(client, cacheKeyOf(this), mode === "page");
    this.#app = { host: this, client, store, inline, words: null, frame: null, say: null };
    const reading = store.refresh();
    this.#app.words = await loadWords(langOf(this));
    this.#build();
    // before the panel listens: it shows what we learn here
    store.addEventListener("change", () => this.#learn());
    if (inline) await this.#loadPanel().catch(() => {});
    await reading;
    this.#learn();
    if (!inline) this.#reveal();
  }

  #build() {
    const { words, inline } = this.#app;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
    const status = h("p", { class: "lw-hidden", role: "status" });
    const dir = this.getAttribute("dir") || words.dir;
    const theme = this.getAttribute("theme");
    if (theme) this.style.colorScheme = theme === "auto" ? "light dark" : theme;
    this.#frame = h(inline ? "section" : "aside", {
      class: inline ? "lw lw-inside" : "lw lw-float",
      lang: words.language,
      dir,
      "data-font": this.getAttribute("font"),
      "aria-label": words.t("your_points"),
    }, status);
    this.#app.frame = this.#frame;
    this.#app.say = (text) => { status.textContent = text; };
    root.append(this.#frame);
  }

  /** Takes over what /me says about the program: words, look, and the number on the launcher. */
  #learn() {
    const { client, store, words } = this.#app;
    if (store.me) {
      if (store.me.member && !store.problem) tellFriend(client);
      words.program = store.me.program;
      applyLook(this, store.me.look ?? {});
      this.#frame.ariaLabel = words.t("your_points");
      this.#frame.dataset.at = this.getAttribute("position") ?? store.me.look?.position ?? "end";
      this.#frame.dataset.font = this.getAttribute("font") ?? store.me.look?.font ?? "";
    }
    if (this.#launcher) this.#label();
    this.dispatchEvent(new CustomEvent("laurel:change", { detail: store.me }));
  }

  /** The launcher comes with its number, or without one when there is none: never first one, then the other. */
  #reveal() {
    // no such program: a button would lead nowhere
    if (this.#app.store.problem?.kind === "gone") return;
    // while the finger is on its way
    const prepare = () => this.#loadPanel().catch(() => {});
    this.#launcher = h("button", {
      class: "lw-launch",
      type: "button",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      onclick: () => this.#toggle(),
      onpointerenter: prepare,
      onfocus: prepare,
    });
    this.#label();
    this.#frame.append(this.#launcher);
  }

  #label(trouble = null) {
    const { store, words } = this.#app;
    const available = store.me?.member?.balance.available;
    const text = trouble || available === undefined ? words.t(trouble ?? "launcher") : words.points(available);
    fill(this.#launcher, text, () => {
      const width = this.#launcher.offsetWidth;
      // A shorter number leaves the button as wide as it was, so that nothing on the page moves.
      if (width) this.#launcher.style.minInlineSize = `${width}px`;
      return [icon("mark"), h("span", { class: "lw-num" }, text)];
    });
  }

  #toggle() {
    if (this.#launcher.getAttribute("aria-expanded") === "true") this.close();
    else this.open();
  }

  #loadPanel() {
    this.#panel ??= import(`./panel.js${this.#again}`).then(
      ({ makePanel }) => makePanel(this.#app, () => this.#closed()),
      (error) => { this.#panel = null; this.#again += "?"; throw error; },
    );
    return this.#panel;
  }

  #closed() {
    this.#launcher.setAttribute("aria-expanded", "false");
    // Else the browser has given the focus back to what opened us, which may be the page's own button.
    if (document.activeElement === document.body) this.#launcher.focus();
  }

  /** True once the page has given us another token: by the event, the attribute, or `refresh-url`. */
  #renewToken() {
    this.#renewing ??= this.#askForToken().finally(() => { this.#renewing = null; });
    return this.#renewing;
  }

  async #askForToken() {
    const before = this.token;
    const changed = new Promise((done) => {
      this.addEventListener("laurel:token-changed", done, { once: true });
      setTimeout(done, TOKEN_WAIT_MS);
    });
    this.dispatchEvent(new CustomEvent("laurel:token", { bubbles: true, composed: true }));
    const url = webAddress(this.getAttribute("refresh-url"));
    if (url) await this.#fetchToken(url);
    else if (before !== null) await changed;
    return this.token !== before;
  }

  async #fetchToken(url) {
    try {
      const response = await fetch(url, { cache: "no-store", credentials: "same-origin", headers: { Accept: "application/json" } });
      const { token } = response.ok ? await response.json() : {};
      if (typeof token === "string") this.token = token;
    } catch { /* no new token: the panel says what to do */ }
  }
}

/** Read each time, so that a changed attribute counts from the next request on. */
function settingsOf(host) {
  return {
    get api() { return host.getAttribute("api") ?? ""; },
    get shop() { return host.getAttribute("shop") ?? ""; },
    get token() { return host.token; },
    get lang() { return langOf(host); },
  };
}

function langOf(host) {
  return (host.getAttribute("lang") || host.closest("[lang]")?.getAttribute("lang") || navigator.language).replace("_", "-");
}

/**
 * Last known values are kept for one person only: by the token's subject or the page's `customer`. Neither is
 * believed for anything else, and without them nothing is kept, since the next visitor may be someone else.
 */
function cacheKeyOf(host) {
  const person = host.getAttribute("customer") || subjectOf(host.token);
  return person && ["laurel", host.getAttribute("api"), host.getAttribute("shop"), person].join(" ");
}

function subjectOf(token) {
  try {
    return String(JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub ?? "");
  } catch {
    return "";
  }
}

function applyLook(host, look) {
  const colour = /^#[0-9a-f]{3,8}$/i;
  for (const [property, pair] of [["--accent", look.accent], ["--on-accent", look.on_accent], ["--accent-text", look.accent_text]]) {
    if (!colour.test(pair?.light) || !colour.test(pair?.dark)) continue;
    host.style.setProperty(property, themes ? `light-dark(${pair.light}, ${pair.dark})` : pair.light);
  }
  if (Number.isFinite(look.radius)) host.style.setProperty("--radius", `${Math.min(24, Math.max(0, look.radius))}px`);
}

// Twice on one page (a theme's block and a plug-in's) is not an error.
if (!customElements.get("laurel-widget")) customElements.define("laurel-widget", LaurelWidget);
