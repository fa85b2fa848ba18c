/** In the checkout: what can be used there is put in, or said to be copied. */

import {expect, test, vi} from 'vitest';

import {all, kept, press, saying, shown, stage, text} from './stage.js';

const {extension, laurel} = stage('purchase.checkout.block.render', 'laurel-checkout');

async function opened(code = {}) {
  const issued = kept('GET v1/redemptions/<id>', code);
  laurel.answers['GET v1/redemptions'] = [200, {redemptions: [issued]}];
  await extension.render();
  await shown(() => expect(text()).toContain(issued.code));
  return issued;
}

function allowing(may) {
  extension.shopify.instructions.value.discounts.canUpdateDiscountCodes = may;
}

test('a code is put into the order by one press', async () => {
  allowing(true);
  const apply = vi.fn(async () => ({type: 'success'}));
  extension.shopify.applyDiscountCodeChange = apply;
  const {code} = await opened();
  await press('use_now');
  await shown(() => expect(text()).toContain('in_use'));
  expect(apply).toHaveBeenCalledWith({type: 'addDiscountCode', code});
});

test('a gift card is one, and no discount', async () => {
  allowing(true);
  const apply = vi.fn(async () => ({type: 'success'}));
  extension.shopify.applyGiftCardChange = apply;
  const {code} = await opened({reward: {kind: 'gift_card'}});
  await press('use_now');
  await shown(() => expect(apply).toHaveBeenCalledWith({type: 'addGiftCard', code}));
});

test('what Shopify says against it is shown', async () => {
  allowing(true);
  extension.shopify.applyDiscountCodeChange = vi.fn(async () => ({type: 'error', message: 'It cannot be combined.'}));
  await opened();
  await press('use_now');
  await shown(() => expect(text()).toContain('It cannot be combined.'));
});

test('where codes cannot be put in, it is there to be copied', async () => {
  allowing(false);
  await opened();
  saying('s-button', 'copy');
  expect(all('s-button').filter((one) => one.textContent === 'use_now')).toEqual([]);
});

test('what has no code to type in is not offered here', async () => {
  allowing(true);
  const {rewards} = kept('GET v1/rewards');
  laurel.answers['GET v1/rewards'] = [200, {rewards: rewards.map((one) => ({...one, has_code: false}))}];
  await opened();
  expect(text()).toContain('no_rewards');
});

test('a guest is told what there is, and to sign in', async () => {
  allowing(true);
  laurel.answers['GET v1/me'] = 'nobody GET v1/me';
  await extension.render();
  await shown(() => expect(text()).toContain('sign_in'));
});
