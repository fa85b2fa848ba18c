// Fills the places that the theme's blocks left, once the page is loaded and idle: nothing waits for it, and without an
// answer the page stays as it is. Who the shopper is, Shopify's proxy signs; nothing here is a secret or believed for one.
// What the server answers is text; none of it is read as markup.
(function () {
  "use strict";

  if (window.laurelTheme) return; // an embed and five blocks ask for the same file
  window.laurelTheme = true;

  const READ_MS = 8000;
  const WRITE_MS = 20000;
  const KEEP_MS = 5 * 60 * 1000; // how long an answer about a basket is good
  const FRIEND_MS = 30 * 24 * 60 * 60 * 1000; // how long a friend's link is remembered
  const FRIEND = "laurel-friend";
  const NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ");
  const THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND".split(" ");

  const all = (kind) => [...document.querySelectorAll(`[data-laurel=${kind}]`)];
  const filled = (text, value) => (text || "").replace("%s", () => value);

  // --- Laurel, by the shop's own address -----------------------------------------------------------------------

  /** The launcher's block holds what the whole page needs; without it the app's own address stands. */
  function page() {
    const told = (all("launcher")[0] || {}).dataset || {};
    const any = (document.querySelector("[data-laurel]") || {}).dataset || {};
    const proxy = /^\/[a-z]{1,20}\/[A-Za-z0-9_-]{1,60}$/.test(told.proxy || "") ? told.proxy : "/apps/laurel";
    return { proxy, shop: told.shop || "", lang: any.lang || document.documentElement.lang || "en", customer: any.customer || "" };
  }

  /** The answer's JSON; null for no answer, a refusal, or a page of somebody else's. */
  async function ask(path, query, body) {
    const { proxy, shop, lang } = page();
    const url = new URL(`${proxy}/${path}`, location.origin);
    const params = Object.assign(shop ? { key: shop } : {}, { lang }, query);
    Object.keys(params).forEach((name) => url.searchParams.set(name, params[name]));
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), body ? WRITE_MS : READ_MS);
    const options = { headers: { Accept: "application/json" }, cache: "no-store", credentials: "same-origin", signal: stop.signal };
    if (body) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    try {
      const answer = await fetch(url, options);
      return { status: answer.status, told: answer.ok ? await answer.json() : null };
    } catch (error) {
      return { status: 0, told: null };
    } finally {
      clearTimeout(timer);
    }
  }

  let reading = null;

  /** /me, asked once a page. */
  function me() {
    reading = reading || ask("me").then(({ told }) => told);
    return reading;
  }

  // --- Parts of the page -----------------------------------------------------------------------------------------

  function h(tag, props, ...children) {
    const node = document.createElement(tag);
    Object.keys(props).forEach((name) => {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), props[name]);
      else if (props[name]) node.setAttribute(name, props[name]);
    });
    node.append(...children.filter(Boolean));
    return node;
  }

  const put = (place, ...children) => place.replaceChildren(...children.filter(Boolean));

  // Colour and corners come from the block's settings and are set here, not in the page's markup, so that a policy
  // against inline styles stops nothing.

  /** The colour's parts; null for none, or one that is not written as Shopify's picker writes it. */
  function parts({ accent }) {
    return /^#[0-9a-f]{6}$/i.test(accent || "") ? [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16)) : null;
  }

  /** Relative luminance, 0 to 1. Source: WCAG 2.2. */
  function light(colour) {
    const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  const contrast = (one, other) => (Math.max(light(one), light(other)) + 0.05) / (Math.min(light(one), light(other)) + 0.05);
  const css = (colour) => `rgb(${colour.join(" ")})`;
  const upon = (colour) => (light(colour) > 0.179 ? "#000" : "#fff");

  /** The colour, moved towards black or white until text of it can be read on `paper`. */
  function readable(colour, paper) {
    const end = light(paper) > 0.5 ? 0 : 255;
    for (let share = 0; share < 1; share += 0.05) {
      const moved = colour.map((part) => Math.round(part + (end - part) * share));
      if (contrast(moved, paper) >= 4.6) return moved;
    }
    return [end, end, end];
  }

  function dress(place) {
    const colour = parts(place.dataset);
    if (colour) {
      place.style.setProperty("--laurel-accent", css(colour));
      place.style.setProperty("--laurel-on-accent", upon(colour));
    }
    if (/^\d{1,2}$/.test(place.dataset.radius || "")) place.style.setProperty("--laurel-radius", `${place.dataset.radius}px`);
  }

  /** The same for button and panel, over what the server says: their own light and dark surfaces are near these two. */
  function dressWidgets(place) {
    const colour = parts(place.dataset);
    const rules = /^\d{1,2}$/.test(place.dataset.radius || "") ? [`--radius: ${place.dataset.radius}px !important;`] : [];
    if (colour) {
      const text = `light-dark(${css(readable(colour, [238, 242, 240]))}, ${css(readable(colour, [31, 39, 35]))})`;
      rules.push(`--accent: ${css(colour)} !important; --on-accent: ${upon(colour)} !important; --accent-text: ${text} !important;`);
    }
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`laurel-widget { ${rules.join(" ")} }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }

  const link = (text, href) => text && href && h("a", { class: "laurel-button", href }, text);
  const button = (text, act) => h("button", { class: "laurel-button", type: "button", onclick: act }, text);

  // --- The launcher and the panel ----------------------------------------------------------------------------------

  function widget(place, mode) {
    const { proxy, shop, lang, customer } = page();
    const { signinUrl, joinUrl, applyUrl, position } = place.dataset;
    const props = { api: proxy, shop, lang, customer, mode, position, "signin-url": signinUrl, "join-url": joinUrl, "apply-url": applyUrl };
    return h("laurel-widget", props);
  }

  function mount() {
    all("panel").filter((place) => !place.firstChild).forEach((place) => place.append(widget(place, "inline")));
    all("launcher").slice(0, 1).forEach((place) => {
      if (!place.dataset.filled) dressWidgets(place);
      place.dataset.filled = "1";
      // A page that shows the panel itself needs no door to it.
      if (!document.querySelector("laurel-widget")) place.after(widget(place, null));
    });
    if (document.querySelector("laurel-widget") && !document.querySelector("script[data-laurel-widget]")) {
      document.head.append(h("script", { type: "module", src: `${page().proxy}/widget/laurel.js`, "data-laurel-widget": "1" }));
    }
  }

  function openPanel() {
    const element = document.querySelector("laurel-widget");
    if (element && element.open) element.open();
  }

  // --- What it earns -----------------------------------------------------------------------------------------------

  /**
   * A basket as the server wants it, and how sure it is. Liquid counts every currency in hundredths, shows the
   * shopper's currency, and knows no tax: points are counted in the shop's own currency and without tax.
   */
  function basket(place, lines, off) {
    const { currency, shown, taxed, tax } = place.dataset;
    const rate = shown === currency ? 1 : Number(((window.Shopify || {}).currency || {}).rate);
    if (!lines.length || !(rate > 0)) return null;
    const digits = NO_DECIMALS.includes(currency) ? 0 : THREE_DECIMALS.includes(currency) ? 3 : 2;
    const percent = taxed === "true" ? Number(tax) || 0 : 0;
    const minor = (amount) => Math.floor((amount / rate) * 10 ** (digits - 2) + 1e-9);
    const net = (amount) => minor((amount * 100) / (100 + percent));
    const texts = lines.map(({ product, variant, pieces, goods, less, gift }) =>
      [product, variant, pieces, net(goods), net(less), minor(goods) - net(goods), gift].join("."));
    const sure = taxed === "true" && !percent ? "UpTo" : percent || rate !== 1 ? "About" : "";
    return { sure, wish: Object.assign({ currency, lines: texts.join(","), channel: "web" }, off ? { fees: String(net(off)) } : {}) };
  }

  const known = new Map(); // questions of this page, asked once

  function estimate(wish) {
    const { proxy, shop, lang, customer } = page();
    const name = ["laurel", proxy, shop, lang, customer, JSON.stringify(wish)].join(" ");
    if (!known.has(name)) {
      const kept = recall(name);
      known.set(name, kept ? Promise.resolve(kept) : ask("estimate", wish).then(({ told }) => remember(name, told)));
      setTimeout(() => known.delete(name), KEEP_MS);
    }
    return known.get(name);
  }

  function recall(name) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(name));
      return kept && Date.now() - kept.at < KEEP_MS ? kept.told : null;
    } catch (error) {
      return null;
    }
  }

  function remember(name, told) {
    try {
      if (told) sessionStorage.setItem(name, JSON.stringify({ at: Date.now(), told }));
      else known.delete(name); // no answer is no answer to keep
    } catch (error) { /* full or switched off: asked again next time */ }
    return told;
  }

  async function fillPoints(place) {
    const asked = place.dataset.cart === undefined ? product(place) : cart(place);
    const mark = JSON.stringify(asked);
    if (place.dataset.filled === mark) return;
    place.dataset.filled = mark;
    const told = asked && (await estimate(asked.wish));
    if (place.dataset.filled !== mark) return; // it is about something else by now
    const sure = asked && asked.sure ? asked.sure : told && told.about ? "About" : "";
    const sentence = place.dataset[`${place.dataset.customer ? "earn" : "guest"}${sure}`];
    place.textContent = told && told.points ? filled(sentence, told.text) : "";
  }

  function cart(place) {
    const lines = place.dataset.cart.split(",").filter(Boolean).map((line) => {
      const [product, variant, pieces, goods, less, gift] = line.split(".").map(Number);
      return { product, variant, pieces, goods, less, gift };
    });
    return basket(place, lines, Number(place.dataset.off) || 0);
  }

  /** One product: the variant and number of pieces that the form beside it holds; nothing while a subscription's price counts. */
  function product(place) {
    const prices = new Map((place.dataset.variants || "").split(",").filter(Boolean).map((pair) => pair.split(":")));
    const form = [...document.querySelectorAll('form[action*="/cart/add"]')].find((one) => prices.has(valueOf(one, "id")));
    if (form && valueOf(form, "selling_plan")) return null;
    const variant = form ? valueOf(form, "id") : place.dataset.variant;
    const pieces = Math.min(Math.max(parseInt(form ? valueOf(form, "quantity") : "1", 10) || 1, 1), 9999);
    if (!prices.has(variant)) return null;
    const goods = Number(prices.get(variant)) * pieces;
    return basket(place, [{ product: place.dataset.product, variant, pieces, goods, less: 0, gift: place.dataset.gift === "true" ? 1 : 0 }], 0);
  }

  function valueOf(form, name) {
    const field = [...form.elements].find((one) => one.name === name && (one.type !== "radio" || one.checked)); // with form="…" too
    return field ? field.value : "";
  }

  // --- Points and rewards --------------------------------------------------------------------------------------------

  async function fillRewards(place) {
    if (place.dataset.filled) return;
    place.dataset.filled = "1";
    dress(place);
    const words = place.dataset;
    const told = await me();
    if (!told) return;
    if (!told.member) {
      put(place, h("p", {}, words.join), h("p", { class: "laurel-row" }, !told.signed_in && link(words.signIn, words.signinUrl), told.signed_in && seeRewards(words)));
      return;
    }
    const many = Number(words.rewards) || 0;
    const { told: listed } = many ? await ask("rewards") : { told: null };
    const rewards = ((listed && listed.rewards) || []).slice(0, many);
    const tier = told.member.tier ? ` · ${told.member.tier.name}` : "";
    put(place,
      h("p", { class: "laurel-have" }, filled(words.have, told.member.balance.available_text) + tier),
      rewards.length > 0 && h("ul", {}, ...rewards.map((one) => h("li", { class: `laurel-${one.state}` },
        h("span", {}, one.title), h("span", {}, one.state === "ready" ? words.ready : one.reason || one.cost_text || String(one.cost))))),
      seeRewards(words));
  }

  const seeRewards = (words) => document.querySelector("laurel-widget:not([mode=inline])") && button(words.see, openPanel);

  // --- Joining and inviting ------------------------------------------------------------------------------------------

  async function fillInvite(place) {
    if (place.dataset.filled) return;
    place.dataset.filled = "1";
    dress(place);
    const words = place.dataset;
    const told = await me();
    if (!told) return;
    const wanted = told.member ? "invite" : "join";
    if (words.show !== "both" && words.show !== wanted) return;
    const title = h("p", { class: "laurel-have" }, told.member ? words.inviteTitle : words.title);
    const text = h("p", {}, told.member ? words.inviteText : words.text);
    const said = h("p", { role: "status" });
    const acts = told.member
      ? [button(words.inviteButton, (event) => invite(event.currentTarget, said, words))]
      : told.signed_in
        ? [seeRewards(words)]
        : [link(words.joinButton, words.joinUrl), link(words.signIn, words.signinUrl)];
    put(place, title, text, h("p", { class: "laurel-row" }, ...acts), said);
  }

  async function invite(clicked, said, words) {
    clicked.disabled = true;
    const { told } = await ask("referral-code", {}, {});
    clicked.disabled = false;
    if (!told || typeof told.code !== "string") {
      said.textContent = words.later;
      return;
    }
    const address = `${location.origin}/?laurel_friend=${encodeURIComponent(told.code)}`;
    said.replaceChildren(h("bdi", {}, address));
    try {
      await navigator.clipboard.writeText(address);
      said.append(` ${words.copied}`);
    } catch (error) { /* not allowed: the address stands there to be copied by hand */ }
  }

  /** A friend's link is remembered until the visitor is a member; then it is told once. Whether it counts, the server says. */
  async function friend() {
    try {
      const code = new URLSearchParams(location.search).get("laurel_friend") || "";
      if (/^[A-Za-z0-9_-]{1,64}$/.test(code)) localStorage.setItem(FRIEND, JSON.stringify({ code, at: Date.now() }));
      const kept = JSON.parse(localStorage.getItem(FRIEND));
      if (!kept) return;
      if (!(Date.now() - kept.at < FRIEND_MS)) localStorage.removeItem(FRIEND);
      else if (page().customer) {
        const told = await me();
        const { status } = told && told.member ? await ask("referrals", {}, { code: kept.code }) : { status: 0 };
        if (status >= 200 && status < 500 && status !== 401 && status !== 429) localStorage.removeItem(FRIEND);
      }
    } catch (error) { /* no storage: a link then counts for nobody */ }
  }

  // --- When ------------------------------------------------------------------------------------------------------------

  function scan() {
    mount();
    all("points").forEach(fillPoints);
    all("rewards").forEach(fillRewards);
    all("invite").forEach(fillInvite);
  }

  let planned = 0;

  /** Themes put whole sections anew when a variant is chosen or the cart changes; each place is filled once. */
  function soon() {
    clearTimeout(planned);
    planned = setTimeout(scan, 50);
  }

  function start() {
    if (!document.querySelector("[data-laurel]")) return;
    scan();
    friend();
    document.addEventListener("change", soon);
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  }

  const whenIdle = () => (window.requestIdleCallback ? requestIdleCallback(start, { timeout: 2000 }) : setTimeout(start, 200));
  if (document.readyState === "complete") whenIdle();
  else addEventListener("load", whenIdle, { once: true });
})();
