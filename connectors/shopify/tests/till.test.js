/** The window at the till: who stands there, what they get, and that it reaches the cart. */

import {beforeEach, describe, expect, test, vi} from 'vitest';

import {all, kept, press, saying, shown, stage, text} from './stage.js';

const {extension, laurel} = stage('pos.home.modal.render', 'laurel-pos');
const MEMBER = kept('card POST till/v1/find');
const [CUSTOMER] = MEMBER.member.customers;
const issued = kept('GET till/v1/members/<id>/redemptions/<id>', {state: 'issued', code: 'LRL-ABC'});

let scan;

beforeEach(() => {
  const {shopify} = extension;
  scan = null;
  shopify.session.getSessionToken = vi.fn(async () => 'staff.token');
  shopify.cart.current.value = {...shopify.cart.current.value, customer: undefined};
  shopify.cart.setCustomer = vi.fn(async () => undefined);
  shopify.cart.addCartCodeDiscount = vi.fn(async () => undefined);
  shopify.toast.show = vi.fn();
  shopify.scanner.sources.current.value = ['camera'];
  shopify.scanner.scannerData.current.subscribe = (seen) => {
    scan = seen;
    return () => {};
  };
  laurel.answers['POST till/v1/find'] = 'card POST till/v1/find';
});

function inCart(id) {
  extension.shopify.cart.current.value = {...extension.shopify.cart.current.value, customer: {id: Number(id)}};
}

async function found() {
  await extension.render();
  await shown(() => expect(scan).not.toBeNull());
  scan({data: 'ABCD EFGH JKMN', source: 'camera'});
  await shown(() => expect(text()).toContain('905 points'));
}

describe('finding', () => {
  test('a scanned card', async () => {
    await found();
    expect(laurel.asked[0].body).toEqual({card: 'ABCD EFGH JKMN'});
    expect(laurel.asked[0].headers.Authorization).toBe('Bearer staff.token');
    expect(text()).toContain(MEMBER.member.name);
  });

  test('a scan of nothing is none', async () => {
    await extension.render();
    await shown(() => expect(scan).not.toBeNull());
    scan({});
    expect(laurel.asked).toEqual([]);
  });

  test('a typed card', async () => {
    await extension.render();
    const [field] = all('s-text-field');
    field.value = ' abcd ';
    field.dispatchEvent(new Event('input'));
    await shown(() => expect(saying('s-button', 'find').hasAttribute('disabled')).toBe(false));
    await press('find');
    await shown(() => expect(laurel.asked[0]?.body).toEqual({card: 'abcd'}));
  });

  test('the customer who is in the cart, without a scan', async () => {
    inCart(CUSTOMER);
    laurel.answers['POST till/v1/find'] = 'customer POST till/v1/find';
    await extension.render();
    await shown(() => expect(text()).toContain('905 points'));
    expect(laurel.asked[0].body).toEqual({customer: CUSTOMER});
    await press('another_card');
    await shown(() => expect(all('s-text-field')).toHaveLength(1));
  });

  test('a customer who is no member joins', async () => {
    inCart('404');
    laurel.answers['POST till/v1/find'] = 'nobody POST till/v1/find';
    await extension.render();
    await shown(() => saying('s-button', 'join'));
    await press('join');
    await shown(() => expect(text()).toContain('0 points'));
    expect(laurel.asked.at(-1)).toMatchObject({name: 'POST till/v1/join', body: {customer: '404'}});
  });

  test('nobody’s card says so, and another can be tried', async () => {
    laurel.answers['POST till/v1/find'] = [404, {code: 'unknown_card', title: 'x', detail: 'This is nobody’s card.'}];
    await extension.render();
    await shown(() => expect(scan).not.toBeNull());
    scan({data: 'x'});
    await shown(() => expect(text()).toContain('This is nobody’s card.'));
    await press('another_card');
    await shown(() => expect(all('s-text-field')).toHaveLength(1));
  });

  test('who has no access to the app is told so, and nothing is asked', async () => {
    extension.shopify.session.getSessionToken = vi.fn(async () => undefined);
    await extension.render();
    await shown(() => expect(scan).not.toBeNull());
    scan({data: 'x'});
    await shown(() => expect(text()).toContain('problem.no_token'));
    expect(laurel.asked).toEqual([]);
  });
});

describe('a code', () => {
  test('is bought after asking, for the member’s own customer', async () => {
    await found();
    laurel.answers['POST till/v1/members/<id>/redemptions'] = [201, issued];
    laurel.answers['GET till/v1/members/<id>'] = [200, {...MEMBER, redemptions: [issued]}];
    await press('get');
    await shown(() => saying('s-button', 'use'));
    expect(laurel.asked).toHaveLength(1);
    await press('use');
    await shown(() => expect(text()).toContain('LRL-ABC'));
    const bought = laurel.asked.find(({name}) => name === 'POST till/v1/members/<id>/redemptions');
    expect(bought.body).toEqual({reward: 'amount-5', customer: CUSTOMER});
    expect(bought.headers['Idempotency-Key']).toMatch(/^[0-9a-f]{32}$/);
  });

  test('goes into the cart, with the customer whom it is bound to', async () => {
    laurel.answers['POST till/v1/find'] = [200, {...MEMBER, redemptions: [issued]}];
    await found();
    await press('use_now');
    await shown(() => expect(extension.shopify.toast.show).toHaveBeenCalledWith('in_cart'));
    expect(extension.shopify.cart.setCustomer).toHaveBeenCalledWith({id: Number(CUSTOMER)});
    expect(extension.shopify.cart.addCartCodeDiscount).toHaveBeenCalledWith('LRL-ABC');
  });

  test('leaves a cart that has the customer already as it is', async () => {
    inCart(CUSTOMER);
    laurel.answers['POST till/v1/find'] = [200, {...MEMBER, redemptions: [issued]}];
    await extension.render();
    await shown(() => saying('s-button', 'use_now'));
    await press('use_now');
    await shown(() => expect(extension.shopify.cart.addCartCodeDiscount).toHaveBeenCalled());
    expect(extension.shopify.cart.setCustomer).not.toHaveBeenCalled();
  });

  test('that the cart does not take can be typed in', async () => {
    extension.shopify.cart.addCartCodeDiscount = vi.fn(async () => Promise.reject(new Error('no')));
    laurel.answers['POST till/v1/find'] = [200, {...MEMBER, redemptions: [issued]}];
    await found();
    await press('use_now');
    await shown(() => expect(all('s-banner').some((one) => one.getAttribute('heading') === 'not_in_cart')).toBe(true));
  });

  test('is given back', async () => {
    laurel.answers['POST till/v1/find'] = [200, {...MEMBER, redemptions: [issued]}];
    await found();
    await press('give_back');
    await shown(() => expect(laurel.asked.map(({name}) => name)).toContain('POST till/v1/members/<id>/redemptions/<id>/cancel'));
    expect(laurel.asked.find(({name}) => name.endsWith('cancel')).path).toMatch(/redemptions\/\d+\/cancel$/);
  });

  test('cannot be had by a member without a customer here, and that is said', async () => {
    laurel.answers['POST till/v1/find'] = [200, {...MEMBER, member: {...MEMBER.member, customers: []}}];
    await found();
    expect(all('s-banner').some((one) => one.getAttribute('heading') === 'no_customer')).toBe(true);
    expect(all('s-button').filter((one) => one.textContent.trim() === 'get')).toEqual([]);
  });
});
