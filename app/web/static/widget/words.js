// Sentences, numbers, dates and money in the shopper's language. Nothing here is formatted by hand.

// one file each in messages/; a new one is a file and its name here
const LANGUAGES = ["en", "de", "fr", "es", "pl", "et", "ru", "ar"];
const RIGHT_TO_LEFT = ["ar"];
const YEAR_MS = 350 * 86_400_000;

/** The words for `wanted` (a language tag), or English. Rejects when they cannot be read. */
export async function loadWords(wanted) {
  const language = LANGUAGES.find((known) => known === wanted.split(/[-_]/)[0].toLowerCase()) ?? "en";
  const response = await fetch(new URL(`messages/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`messages/${language}.json: ${response.status}`);
  return new Words(localeFor(language, wanted), language, await response.json());
}

/** The page's language tag, made a locale whose digits and dates fit the words. */
function localeFor(language, wanted) {
  // the digits of the server's sentences and of the prices beside us
  if (language === "ar") return "ar-u-nu-latn";
  const tag = wanted.replace("_", "-");
  const own = tag.includes("-") ? tag : navigator.languages.find((name) => name.startsWith(`${language}-`));
  try {
    if (own?.startsWith(language)) return Intl.getCanonicalLocales(own)[0];
  } catch { /* not a language tag */ }
  return language === "en" ? "en-GB" : language;
}

export class Words {
  // until /me has told
  program = { points_name: null, timezone: "UTC" };
  #formats = {};

  constructor(locale, language, messages) {
    this.locale = locale;
    this.language = language;
    this.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
    this.messages = messages;
    this.rules = new Intl.PluralRules(locale);
  }

  /**
   * The sentence as one string. `n` chooses the plural; so does `units`, of what the program counts, and either fills
   * the place {n}. Where the program counts in money, a sentence may have a form of its own: "money".
   */
  t(key, values = {}) {
    return this.#pieces(key, values).join("");
  }

  /** The sentence as nodes; values that are nodes stay nodes, others are isolated for mixed directions. */
  rich(key, values = {}) {
    return this.#pieces(key, values, (value) => (value instanceof Node ? value : isolated(value)));
  }

  #pieces(key, values, wrap = String) {
    const found = this.messages[key] ?? key;
    const { units, n = units ?? 0 } = values;
    const form = (this.#countsMoney() && found.money) || (found[this.rules.select(n)] ?? found.other);
    const sentence = typeof found === "string" ? found : form;
    const pieces = sentence.split(/\{(\w+)\}/);
    const written = () => (units === undefined ? this.number(n) : this.amount(units));
    return pieces.map((piece, i) => (i % 2 ? wrap(piece === "n" ? written() : (values[piece] ?? "")) : piece));
  }

  /** "1,254 points", with the merchant's own word if there is one. */
  points(n) {
    if (this.#countsMoney()) return this.amount(n);
    const own = this.program.points_name;
    return own ? this.t("points_own", { n, unit: this.#own(n) }) : this.t("points", { n });
  }

  /** The same without the word: "1,254", "€12.54". */
  amount(n) {
    return this.#countsMoney() ? this.money({ minor: n, currency: this.program.unit }) : this.number(n);
  }

  /** The word alone, as it stands beside `n`; null: an amount of money needs none. */
  unit(n) {
    if (this.#countsMoney()) return null;
    return this.program.points_name ? this.#own(n) : this.t("unit", { n });
  }

  unitInTitle() {
    return (!this.#countsMoney() && this.program.points_name?.other) || this.t("unit_title");
  }

  #own(n) {
    const name = this.program.points_name;
    return name[this.rules.select(n)] ?? name.other ?? "";
  }

  #countsMoney() {
    // cashback: the ledger's unit is the currency's smallest
    return (this.program.unit ?? "points") !== "points";
  }

  number(n) {
    return this.#numbers().format(n);
  }

  /** "+37", "−100", "0". */
  signed(n) {
    if (this.#countsMoney()) return `${n > 0 ? "+" : n < 0 ? "\u2212" : ""}${this.amount(Math.abs(n))}`;
    return this.#numbers({ signDisplay: "exceptZero" }).format(n).replace("-", "\u2212");
  }

  money({ minor, currency }) {
    const format = this.#numbers({ style: "currency", currency });
    const { maximumFractionDigits: digits } = format.resolvedOptions();
    return format.format(minor / 10 ** digits);
  }

  percent(n) {
    const text = this.#numbers({ style: "percent" }).format(n / 100);
    // our English sets a no-break space
    return this.language === "en" ? text.replace("%", "\u00a0%") : text;
  }

  /** "5 December"; with the year when it is far or when a contract hangs on it. */
  day(iso, { year = false, month = "long" } = {}) {
    const date = new Date(iso);
    const far = Math.abs(date - Date.now()) > YEAR_MS;
    return this.#date(date, { day: "numeric", month, ...(year || far ? { year: "numeric" } : {}) });
  }

  /** "14:32" today, else the day as well. */
  moment(when) {
    const date = new Date(when);
    const day = { day: "numeric", month: "long" };
    const time = this.#date(date, { hour: "numeric", minute: "2-digit" });
    const today = this.#date(date, day) === this.#date(new Date(), day);
    return today ? this.t("today_at", { time }) : this.t("day_at", { day: this.#date(date, day), time });
  }

  /** For dense lists: "3 hours ago" under a day, else "21 Nov". */
  ago(iso) {
    const minutes = Math.round((Date.now() - new Date(iso)) / 60_000);
    if (minutes < 0 || minutes >= 24 * 60) return this.day(iso, { month: "short" });
    const format = new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" });
    return minutes < 60 ? format.format(-minutes, "minute") : format.format(-Math.round(minutes / 60), "hour");
  }

  /** Made once each: that takes longer than all their writing. */
  #numbers(options = {}) {
    // The server's English: "$5.00", where Britain's own writes "US$5.00".
    const locale = options.currency && this.language === "en" ? "en" : this.locale;
    return (this.#formats[JSON.stringify(options)] ??= new Intl.NumberFormat(locale, options));
  }

  #date(date, options) {
    return new Intl.DateTimeFormat(this.locale, { timeZone: this.program.timezone, ...options }).format(date);
  }
}

function isolated(value) {
  const node = document.createElement("bdi");
  node.textContent = value;
  return node;
}
