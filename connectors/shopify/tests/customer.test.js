/** Beside a customer at the till. */

import {expect, test, vi} from 'vitest';

import {press, shown, stage, text} from './stage.js';

const {extension, laurel} = stage('pos.customer-details.block.render', 'laurel-pos');

test('shows the customer’s points, and opens what they buy', async () => {
  extension.shopify.customer.id = 7614320911;
  extension.shopify.action.presentModal = vi.fn();
  laurel.answers['POST till/v1/find'] = 'customer POST till/v1/find';
  await extension.render();
  await shown(() => expect(text()).toContain('905 points'));
  expect(laurel.asked[0].body).toEqual({customer: '7614320911'});
  await press('rewards');
  expect(extension.shopify.action.presentModal).toHaveBeenCalled();
});

test('says that a customer is no member', async () => {
  laurel.answers['POST till/v1/find'] = 'nobody POST till/v1/find';
  await extension.render();
  await shown(() => expect(text()).toContain('no_member'));
});

test('a failure can be tried again', async () => {
  laurel.answers['POST till/v1/find'] = ['in turn', 'offline', 'customer POST till/v1/find'];
  await extension.render();
  await shown(() => expect(text()).toContain('problem.offline'));
  await press('again');
  await shown(() => expect(text()).toContain('905 points'));
});
