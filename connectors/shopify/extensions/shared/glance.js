/**
 * What stands of a member at the shop's own customer: shown before the server has answered, and beside an outage.
 *
 * Laurel writes it there a minute after each change (docs/shopify-app.md), so it may be a little old: the server's
 * answer replaces it, and nothing is bought by it.
 */

const NAMESPACE = '$app:laurel';
const KEYS = ['points', 'pending', 'tier_name', 'unit'];
const ACCOUNT = 'shopify://customer-account/api/2026-07/graphql.json';
const QUERY = `query Glance { customer { ${KEYS.map((key) => `${key}: metafield(namespace: "${NAMESPACE}", key: "${key}") { value }`).join(' ')} } }`;

/** {points, pending, tier, unit}; null: nothing of ours stands there, or nobody is signed in. Never fails. */
export async function glance(shopify) {
  try {
    const found = 'appMetafields' in shopify ? beside(shopify.appMetafields.value) : await inAccount();
    return read(found);
  } catch {
    return null;
  }
}

/** What the target itself brings along, as shopify.extension.toml asks for it. */
function beside(entries) {
  const ours = entries.filter(({target, metafield}) => target.type === 'customer' && metafield.namespace === NAMESPACE);
  return Object.fromEntries(ours.map(({metafield}) => [metafield.key, String(metafield.value)]));
}

/** The account's other targets bring nothing along: they may ask Shopify, which knows who is signed in. */
async function inAccount() {
  const answer = await fetch(ACCOUNT, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query: QUERY}),
  });
  const {data} = await answer.json();
  return Object.fromEntries(KEYS.map((key) => [key, data.customer[key]?.value]));
}

const WHOLE = /^\d{1,15}$/;

/** @param {Record<string, string>} fields */
function read({points, pending = '0', tier_name: tier, unit}) {
  if (!WHOLE.test(points ?? '') || !WHOLE.test(pending) || !/^(points|[A-Z]{3})$/.test(unit ?? '')) return null;
  return {points: Number(points), pending: Number(pending), tier: tier ?? null, unit};
}
