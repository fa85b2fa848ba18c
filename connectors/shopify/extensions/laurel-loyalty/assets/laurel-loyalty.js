// Fills the places that the theme's blocks left, once the page is loaded and idle: nothing waits for it, and without an
// answer the page stays as it is. Who the shopper is, Shopify's proxy signs; nothing here is a secret or believed for one.
// What the server answers is text; none of it is read as markup.
(function () {
  "use strict";

  if (window.laurelTheme) return; // an embed and five blocks ask for the same file
  window.laurelTheme = true;
  const here = document.currentScript.src;

  const READ_MS = 8000;
  const WRITE_MS = 20000;
  const FRIEND_MS = 30 * 24 * 60 * 60 * 1000; // how long a friend's link is remembered
  const FRIEND = "laurel-friend";

  const all = (kind) => [...document.querySelectorAll(`[data-laurel=${kind}]`)];

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

  /** A box's button: by its own settings, else by the program's `look` once that is known. */
  function dress(place, look) {
    const own = parts(place.dataset);
    const theirs = !own && look && parts({ accent: look.accent.light });
    if (own || theirs) {
      place.style.setProperty("--laurel-accent", css(own || theirs));
      place.style.setProperty("--laurel-on-accent", own ? upon(own) : css(parts({ accent: look.on_accent.light })));
    }
    const radius = place.dataset.radius || (look ? String(look.radius) : "");
    if (/^\d{1,2}$/.test(radius)) place.style.setProperty("--laurel-radius", `${radius}px`);
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

  // --- The launcher and the panel ----------------------------------------------------------------------------------

  function widget(place, mode) {
    const { proxy, shop, lang, customer } = page();
    const { signinUrl, joinUrl, applyUrl } = place.dataset;
    const position = place.dataset.position === "program" ? null : place.dataset.position;
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
    // Somebody may be quicker than the element, which waits for the page.
    if (element) customElements.whenDefined("laurel-widget").then(() => element.open());
  }

  // --- A friend's link -------------------------------------------------------------------------------------------------

  /** A friend's link is remembered until the visitor is a member; then it is told once. Whether it counts, the server says. */
  async function friend() {
    try {
      const code = new URLSearchParams(location.search).get("laurel_friend") || "";
      if (/^[A-Za-z0-9_-]{1,64}$/.test(code)) localStorage.setItem(FRIEND, JSON.stringify({ code, at: Date.now() }));
      const kept = JSON.parse(localStorage.getItem(FRIEND));
      if (!kept) return;
      if (!(Date.now() - kept.at < FRIEND_MS)) localStorage.removeItem(FRIEND);
      else if (page().customer && !document.querySelector("laurel-widget")) { // which tells it by itself
        const told = await me();
        const { status } = told && told.member ? await ask("referrals", {}, { code: kept.code }) : { status: 0 };
        if (status >= 200 && status < 500 && status !== 401 && status !== 429) localStorage.removeItem(FRIEND);
      }
    } catch (error) { /* no storage: a link then counts for nobody */ }
  }

  // --- When ------------------------------------------------------------------------------------------------------------

  let places = null;

  /** What fills points, rewards and invitations, where the page has any; a file that did not come is asked for again. */
  function fillers() {
    const give = { ask, me, page, h, dress, openPanel };
    places = places || import(new URL("laurel-places.js", here)).then((told) => told.fillers(give)).catch(() => (places = null));
    return places;
  }

  async function scan() {
    mount();
    const kinds = ["points", "rewards", "invite"].filter((kind) => all(kind).length);
    const fill = kinds.length ? await fillers() : null;
    if (fill) kinds.forEach((kind) => all(kind).forEach(fill[kind]));
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
