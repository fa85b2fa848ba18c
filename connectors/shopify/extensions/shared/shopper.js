/** What the account and the checkout ask: the storefront's addresses, behind Shopify's session token. */

import {asker} from './ask.js';
import {glance} from './glance.js';

export function shopper(shopify) {
  const ask = asker({
    door: 'v1',
    getToken: () => shopify.sessionToken.get(),
    language: shopify.localization?.language?.value?.isoCode,
  });
  return {
    me: () => ask('me'),
    glance: () => glance(shopify),
    join: () => ask('join', {body: {}}),
    rewards: async () => (await ask('rewards')).rewards,
    redemptions: async () => (await ask('redemptions')).redemptions,
    history: () => ask('history'),
    send: ({reward, points, key}) =>
      ask('redemptions', {body: {reward: reward.key, ...(points === null ? {} : {points})}, key}),
    look: ({id}) => ask(`redemptions/${id}`),
    withdraw: ({id}) => ask(`redemptions/${id}/cancel`, {body: {}}),
  };
}

/** Everything that the blocks show, in one go; without a member, of the program alone. */
export async function readAll(laurel) {
  const me = await laurel.me();
  if (!me.member) return {me, rewards: [], redemptions: []};
  const [rewards, redemptions] = await Promise.all([laurel.rewards(), laurel.redemptions()]);
  return {me, rewards, redemptions};
}
