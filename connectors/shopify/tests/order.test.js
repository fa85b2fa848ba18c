/** On an order's page. */

import {expect, test} from 'vitest';

import {kept, press, shown, stage, text} from './stage.js';

const {extension, laurel} = stage('customer-account.order-status.block.render', 'laurel-account');

function ordered(name) {
  extension.shopify.order.value = {id: 'gid://shopify/Order/1', name, cancelledAt: undefined, processedAt: undefined};
}

test('what this order brought is shown with its sentence', async () => {
  ordered('#1042');
  const [item] = kept('GET v1/history').items;
  laurel.answers['GET v1/history'] = [200, {items: [{...item, title: 'Order #1042', points_text: '29 points', sentence: '29.98 of goods'}], next: null}];
  await extension.render();
  await shown(() => expect(text()).toContain('this_order'));
  expect(text()).toContain('29.98 of goods');
});

test('one that is not counted yet says when it will be', async () => {
  ordered('#1043');
  await extension.render();
  await shown(() => expect(text()).toContain('this_order_later'));
});

test('whoever looks without having signed in is told to', async () => {
  ordered('#1042');
  laurel.answers['GET v1/me'] = 'nobody GET v1/me';
  await extension.render();
  await shown(() => expect(text()).toContain('sign_in'));
  expect(laurel.asked.map(({name}) => name)).toEqual(['GET v1/me']);
});

test('who is signed in and no member joins', async () => {
  ordered('#1042');
  laurel.answers['GET v1/me'] = ['in turn', [200, {...kept('GET v1/me'), member: null}], 'GET v1/me'];
  await extension.render();
  await shown(() => expect(text()).toContain('join'));
  await press('join');
  await shown(() => expect(text()).toContain('120 points'));
});
