// What we know of the shopper, how old it is, and keeping it fresh while somebody looks.

const EVERY_MS = 5000;
const SLOWEST_MS = 60_000;
const KEEP_MS = 12 * 60 * 60 * 1000;
// on our own page, which may be an app on somebody's phone
const KEEP_HERE_MS = 30 * 24 * 60 * 60 * 1000;

/** Fires `change` whenever `me`, `problem` or `at` changed. */
export class Store extends EventTarget {
  me = null;
  // when `me` was read, in milliseconds
  at = null;
  // why the last reading failed
  problem = null;
  #client;
  #cache;
  #reading = null;
  #watching = false;
  #timer = 0;
  #failures = 0;

  /** `cacheKey` is null when nothing tells one shopper from another: then nothing is kept. */
  constructor(client, cacheKey, here = false) {
    super();
    this.#client = client;
    this.#cache = { key: cacheKey, here };
    document.addEventListener("visibilitychange", () => document.hidden || this.#soon(0));
    addEventListener("online", () => this.#soon(0));
    addEventListener("offline", () => this.dispatchEvent(new Event("change")));
  }

  /** True when what we show is not what the server says now. */
  get old() {
    return this.me !== null && (this.problem !== null || !navigator.onLine);
  }

  refresh() {
    this.#reading ??= this.#read().finally(() => { this.#reading = null; });
    return this.#reading;
  }

  /** Reads again every few seconds while `on`, and only while the page is visible. */
  watch(on) {
    this.#watching = on;
    this.#soon(this.#pause());
  }

  /** Takes an answer that already carries all of /me. */
  take(me) {
    Object.assign(this, { me, at: Date.now(), problem: null });
    keep(this.#cache, { me, at: this.at });
    this.dispatchEvent(new Event("change"));
  }

  async #read() {
    try {
      const me = await this.#client.get("me");
      this.#failures = 0;
      this.take(me);
    } catch (problem) {
      this.#fail(problem);
    }
    this.#soon(this.#pause());
  }

  #fail(problem) {
    this.#failures += 1;
    this.problem = problem;
    if (problem.kind === "unreachable") Object.assign(this, this.me ? {} : kept(this.#cache));
    else this.#forget();
    this.dispatchEvent(new Event("change"));
  }

  /** Nobody is proven any more: what we knew may be another person's. */
  #forget() {
    this.me = null;
    keep(this.#cache, { me: { member: null } });
  }

  #pause() {
    const wait = Math.min(EVERY_MS * 2 ** this.#failures, SLOWEST_MS) * (0.9 + Math.random() * 0.2);
    return Math.max(wait, (this.problem?.retryAfterS ?? 0) * 1000);
  }

  #soon(wait) {
    clearTimeout(this.#timer);
    if (!this.#watching || document.hidden || this.problem?.kind === "gone") return;
    this.#timer = setTimeout(() => this.refresh(), wait);
  }
}

// Storage may be full, switched off or edited: then there are no last known values, and that is all.
function keep({ key, here }, value) {
  try {
    if (key && value.me.member) storage(here).setItem(key, JSON.stringify(value));
    else if (key) storage(here).removeItem(key);
  } catch { /* as above */ }
}

function kept({ key, here }) {
  try {
    const value = JSON.parse(key && storage(here).getItem(key));
    return value?.me?.member && Date.now() - value.at < (here ? KEEP_HERE_MS : KEEP_MS) ? value : {};
  } catch {
    return {};
  }
}

function storage(here) {
  return here ? localStorage : sessionStorage;
}
