/** What each further place adds: the page of its own, an order's page. */

import {expect, test} from 'vitest';

import {find} from '../extensions/laurel-account/src/OrderStatus.jsx';
import {fitting} from '../extensions/shared/steps.js';
import {money} from '../extensions/shared/words.js';
import {all, shown, stage, text} from './stage.js';

const {extension} = stage('customer-account.page.render', 'laurel-account-page');

test('the page shows all rewards', async () => {
  await extension.render();
  await shown(() => expect(text()).toContain('120 points'));
  expect(all('s-page')).toHaveLength(1);
  expect(all('s-text').filter((one) => ['€5.00 off', 'Free shipping', '10% off', '10 % off'].includes(one.textContent)).length).toBeGreaterThan(2);
});

test('an order is found by its own name and by no longer one', () => {
  const items = [{title: 'Order #10421'}, {title: 'Order #1042'}];
  expect(find(items, '#1042')).toBe(items[1]);
  expect(find(items, '#104')).toBeNull();
  expect(find(items, undefined)).toBeNull();
  expect(find([{title: null}], '#1042')).toBeNull();
});

test('points of a reward in steps are whole steps between what is least and what there is', () => {
  const steps = {points: 10, minimum: 50, maximum: 200};
  for (const [typed, available, wanted] of [[97, 120, 90], [10, 120, 50], [500, 120, 120], [500, 999, 200], [Number.NaN, 120, 50]]) {
    expect(fitting(steps, available, typed)).toBe(wanted);
  }
  expect(fitting({...steps, maximum: null}, 125, 999)).toBe(120);
});

test('money has the places of its currency', () => {
  const i18n = {formatCurrency: (number, {currency}) => `${number} ${currency}`};
  expect(money(i18n, {minor: 1250, currency: 'EUR'})).toBe('12.5 EUR');
  expect(money(i18n, {minor: 1250, currency: 'JPY'})).toBe('1250 JPY');
  expect(money(i18n, {minor: 1250, currency: 'KWD'})).toBe('1.25 KWD');
});
