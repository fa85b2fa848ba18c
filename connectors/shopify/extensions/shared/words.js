/** Numbers, money and dates in the reader's way of writing. Text comes from locales/, or ready made from the server. */

/** {minor, currency} as money; the exponent is the currency's own. */
export function money(i18n, {minor, currency}) {
  const places = new Intl.NumberFormat('en', {style: 'currency', currency}).resolvedOptions().maximumFractionDigits;
  return i18n.formatCurrency(minor / 10 ** places, {currency});
}

/** So many of what the program counts: points, or the smallest units of a currency. */
export function counted(i18n, unit, number) {
  return unit === 'points' ? i18n.formatNumber(number) : money(i18n, {minor: number, currency: unit});
}

/** The day of an instant, where the program is. */
export function day(i18n, instant, timeZone) {
  return i18n.formatDate(new Date(instant), {day: 'numeric', month: 'long', year: 'numeric', timeZone});
}

/** What a Problem says to whoever meets it. */
export function said(i18n, problem) {
  return problem.detail ?? i18n.translate(problem.code === 'no_token' ? 'problem.no_token' : 'problem.offline');
}
