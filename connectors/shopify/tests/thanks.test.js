/** After the order. */

import {expect, test} from 'vitest';

import {press, shown, stage, text} from './stage.js';

const {extension, laurel} = stage('purchase.thank-you.block.render', 'laurel-checkout');

test('a member sees their points, and that those of the order come', async () => {
  await extension.render();
  await shown(() => expect(text()).toContain('120 points'));
  expect(text()).toContain('this_order_later');
});

test('a guest is told how the order’s points become theirs', async () => {
  laurel.answers['GET v1/me'] = 'nobody GET v1/me';
  await extension.render();
  await shown(() => expect(text()).toContain('guest_order'));
});

test('a failure can be tried again', async () => {
  laurel.answers['GET v1/me'] = ['in turn', [503, {}], 'GET v1/me'];
  await extension.render();
  await shown(() => expect(text()).toContain('problem.offline'));
  await press('again');
  await shown(() => expect(text()).toContain('120 points'));
});
