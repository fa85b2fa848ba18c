// What a product or a basket earns, points and rewards, joining and inviting: fetched by laurel-loyalty.js where a page has
// a place for one of them. Apart, so that the launcher alone stays as small as Shopify's theme check asks.

const KEEP_MS = 5 * 60 * 1000; // how long an answer about a basket is good
const NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ");
const THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND".split(" ");

const filled = (text, value) => (text || "").replace("%s", () => value);
const put = (place, ...children) => place.replaceChildren(...children.filter(Boolean));

/** Kind of place -> what fills one. `give`: what the other file has already. */
export function fillers(give) {
  const { ask, me, page, h, dress, openPanel } = give;
  const link = (text, href) => text && href && h("a", { class: "laurel-button", href }, text);
  const button = (text, act) => h("button", { class: "laurel-button", type: "button", onclick: act }, text);

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
    dress(place, told.look);
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
    dress(place, told.look);
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
    if (clicked.ariaDisabled) return; // and not `disabled`, which takes the focus away from whoever pressed it by a key
    clicked.ariaDisabled = "true";
    const { told } = await ask("referral-code", {}, {});
    clicked.ariaDisabled = null;
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

  return { points: fillPoints, rewards: fillRewards, invite: fillInvite };
}
