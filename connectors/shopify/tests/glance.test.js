/** The balance that stands at the shop's customer: at once, until the server's answer replaces it, and beside an outage. */

import {describe, expect, test} from 'vitest';

import {all, beside, FIELDS, saying, shown, stage, text, told} from './stage.js';

describe('on the profile, which asks Shopify', () => {
  const {extension, laurel} = stage('customer-account.profile.block.render', 'laurel-account');

  test('it is shown before the server has answered', async () => {
    laurel.answers['GET v1/me'] = 'never';
    laurel.account = told(FIELDS);
    await extension.render();
    await shown(() => saying('s-heading', '85'));
    saying('s-badge', 'Silver');
    expect(text()).toContain('pending');
    expect(all('s-skeleton-paragraph')).toHaveLength(0);
    expect(all('s-button')).toHaveLength(0); // nothing is bought by it
  });

  test('the server’s answer replaces it', async () => {
    laurel.account = told(FIELDS);
    await extension.render();
    await shown(() => expect(text()).toContain('120 points'));
    expect(all('s-heading').map((one) => one.textContent)).not.toContain('85');
    expect(all('s-badge').map((one) => one.textContent)).not.toContain('Silver');
  });

  test('it stays beside a failure', async () => {
    laurel.answers['GET v1/me'] = 'offline';
    laurel.account = told(FIELDS);
    await extension.render();
    await shown(() => expect(text()).toContain('problem.offline'));
    await shown(() => saying('s-heading', '85'));
  });

  test('cashback is shown as money', async () => {
    laurel.answers['GET v1/me'] = 'never';
    laurel.account = told({...FIELDS, points: '1250', pending: '0', unit: 'EUR'});
    await extension.render();
    await shown(() => expect(all('s-heading')[0]?.textContent).toBe('12.5'));
    expect(text()).not.toContain('pending');
  });

  test.each([
    ['nothing is written there', told({points: null, pending: null, tier_name: null, unit: null})],
    ['its unit is not known', told({...FIELDS, unit: null})],
    ['its points are none', told({...FIELDS, points: '-5'})],
    ['nobody is signed in', {data: {customer: null}}],
    ['Shopify refuses', {errors: [{message: 'x'}]}],
    ['Shopify does not answer', 'offline'],
  ])('as before where %s', async (_, account) => {
    laurel.answers['GET v1/me'] = 'never';
    laurel.account = account;
    await extension.render();
    await new Promise((later) => setTimeout(later, 20));
    expect(all('s-skeleton-paragraph').length).toBeGreaterThan(0);
    expect(all('s-heading').map((one) => one.textContent)).not.toContain('85');
  });
});

describe.each([
  ['customer-account.order-status.block.render', 'laurel-account'],
  ['purchase.checkout.block.render', 'laurel-checkout'],
  ['purchase.thank-you.block.render', 'laurel-checkout'],
])('on %s, which brings it along', (target, folder) => {
  const {extension, laurel} = stage(target, folder);

  test('it is shown before the server has answered', async () => {
    laurel.answers['GET v1/me'] = 'never';
    laurel.account = told({...FIELDS, points: '1'}); // not asked
    extension.shopify.appMetafields.value = beside(FIELDS);
    await extension.render();
    await shown(() => saying('s-heading', '85'));
  });

  test('another’s field is nobody’s balance', async () => {
    laurel.answers['GET v1/me'] = 'never';
    extension.shopify.appMetafields.value = [...beside(FIELDS, 'shop'), ...beside({points: '85'})];
    await extension.render();
    await new Promise((later) => setTimeout(later, 20));
    expect(all('s-skeleton-paragraph').length).toBeGreaterThan(0);
  });
});
