/** What the till asks: staff's addresses, behind Shopify's token of whoever is signed in at the device. */

import {asker} from '../../shared/ask.js';

export function till(shopify) {
  const ask = asker({
    door: 'till/v1',
    // Nothing for somebody whom the shop does not let into this app.
    getToken: () => shopify.session.getSessionToken(),
    language: shopify.locale.current.value,
  });
  return {
    byCard: (card) => ask('find', {body: {card}}),
    byCustomer: (id) => ask('find', {body: {customer: String(id)}}),
    join: (id) => ask('join', {body: {customer: String(id)}}),
    member: (number) => ask(`members/${number}`),
    send: (number, {reward, points, key}, customer) =>
      ask(`members/${number}/redemptions`, {
        body: {
          reward: reward.key,
          ...(points === null ? {} : {points}),
          ...(customer === null ? {} : {customer}),
        },
        key,
      }),
    look: (number, {id}) => ask(`members/${number}/redemptions/${bare(id)}`),
    withdraw: (number, {id}) => ask(`members/${number}/redemptions/${bare(id)}/cancel`, {body: {}}),
  };
}

const bare = (id) => id.replace(/^r_/, '');

/** The customer who is to have the code: the one in the cart if it is the member's, else any of theirs here. */
export function customerFor(member, cart) {
  const chosen = cart.customer ? String(cart.customer.id) : null;
  if (member.customers.includes(chosen)) return chosen;
  return member.customers[0] ?? null;
}

/** Put the code into the cart, with the customer whom it is bound to: without them the shop would refuse it. */
export async function useInCart(shopify, code, customer) {
  const {cart} = shopify;
  if (customer !== null && String(cart.current.value.customer?.id) !== customer) {
    await cart.setCustomer({id: Number(customer)});
  }
  await cart.addCartCodeDiscount(code);
}
