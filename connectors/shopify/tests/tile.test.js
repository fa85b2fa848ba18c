/** On the till's home. */

import {expect, test, vi} from 'vitest';

import {all, stage} from './stage.js';

const {extension} = stage('pos.home.tile.render', 'laurel-pos');

test('says whether a customer is in the cart, and opens the window', async () => {
  const {cart} = extension.shopify;
  cart.current.value = {...cart.current.value, customer: undefined};
  extension.shopify.action.presentModal = vi.fn();
  await extension.render();
  const [tile] = all('s-tile');
  expect(tile.getAttribute('subheading')).toBe('tile_card');
  tile.dispatchEvent(new Event('click'));
  expect(extension.shopify.action.presentModal).toHaveBeenCalled();
});

test('with a customer in the cart it is theirs', async () => {
  const {cart} = extension.shopify;
  cart.current.value = {...cart.current.value, customer: {id: 7}};
  await extension.render();
  expect(all('s-tile')[0].getAttribute('subheading')).toBe('tile_customer');
});
