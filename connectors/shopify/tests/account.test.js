/** The block on the customer's profile, and with it everything that the page and the checkout have in common. */

import {describe, expect, test, vi} from 'vitest';

import {LOOK_AGAIN_MS} from '../extensions/shared/use.js';
import {all, kept, press, saying, shown, stage, text} from './stage.js';

const {extension, laurel} = stage('customer-account.profile.block.render', 'laurel-account');

async function opened() {
  extension.shopify.sessionToken = {get: token};
  await extension.render();
  await shown(() => expect(text()).toContain('120 points'));
}

const token = vi.fn(async () => 'a.fresh.token');
const issued = () => [200, kept('GET v1/redemptions/<id>')];

describe('reading', () => {
  test('shows where something will be until the answer is there', async () => {
    laurel.answers['GET v1/me'] = 'never';
    await extension.render();
    expect(all('s-skeleton-paragraph').length).toBeGreaterThan(0);
  });

  test('asks with a fresh token of Shopify’s each time, in the reader’s language', async () => {
    extension.shopify.localization.language.value = {isoCode: 'de-AT'};
    token.mockClear();
    await opened();
    expect(laurel.asked.map(({name}) => name)).toEqual(['GET v1/me', 'GET v1/rewards', 'GET v1/redemptions']);
    for (const {headers, lang} of laurel.asked) {
      expect(headers.Authorization).toBe('Bearer a.fresh.token');
      expect(lang).toBe('de-AT');
    }
    expect(token).toHaveBeenCalledTimes(3);
  });

  test('shows balance, level and the way to the next', async () => {
    await opened();
    saying('s-heading', '120 points');
    saying('s-badge', 'Member');
    expect(all('s-progress')[0].getAttribute('value')).toBe('0');
    expect(text()).toContain('next');
  });

  test('shows what is pending, what ends and what is owed only where there is some', async () => {
    await opened();
    for (const key of ['pending', 'expiring', 'deficit']) expect(text()).not.toContain(key);
  });

  test('shows what is pending and what ends', async () => {
    const at = '2026-12-05T00:00:00Z';
    const balance = {pending: 50, pending_text: '50 points', pending_next: {points: 50, text: '50 points', at}, expiring: {points: 10, text: '10 points', at}, deficit: 5};
    laurel.answers['GET v1/me'] = [200, kept('GET v1/me', {member: {balance}})];
    await opened();
    for (const key of ['pending_on', 'expiring', 'deficit']) expect(text()).toContain(key);
  });

  test('says why nothing can be spent, and offers nothing', async () => {
    const stopped = {reason: 'frozen', title: 'Not at the moment', sentence: 'Points wait.'};
    laurel.answers['GET v1/me'] = [200, kept('GET v1/me', {member: {stopped}})];
    await opened();
    expect(all('s-banner')[0].getAttribute('heading')).toBe('Not at the moment');
    expect(all('s-button').filter((one) => one.textContent === 'get')).toEqual([]);
  });

  test('a failure says so and can be tried again', async () => {
    laurel.answers['GET v1/me'] = ['in turn', 'offline', 'GET v1/me'];
    await extension.render();
    await shown(() => expect(text()).toContain('problem.offline'));
    await press('again');
    await shown(() => expect(text()).toContain('120 points'));
  });

  test('what the server says of a failure is said in its words', async () => {
    laurel.answers['GET v1/me'] = [404, {code: 'unknown_shop', title: 'x', detail: 'There is no such shop here.'}];
    await extension.render();
    await shown(() => expect(text()).toContain('There is no such shop here.'));
  });

  test('an answer that is none is a failure', async () => {
    extension.fetch = vi.fn(async () => new Response('<html>', {status: 502}));
    await extension.render();
    await shown(() => expect(text()).toContain('problem.offline'));
  });
});

test('a failure after something was shown leaves it there, and says so', async () => {
  laurel.answers['GET v1/redemptions'] = [200, {redemptions: [issued()[1]]}];
  await opened();
  laurel.answers['GET v1/me'] = 'offline';
  await press('give_back');
  await shown(() => expect(text()).toContain('problem.offline'));
  expect(text()).toContain('120 points');
});

describe('somebody who is no member', () => {
  test('is told what there is, and to sign in', async () => {
    laurel.answers['GET v1/me'] = 'nobody GET v1/me';
    await extension.render();
    await shown(() => expect(text()).toContain('sign_in'));
    expect(text()).toContain('1 point for every €1.00');
    expect(laurel.asked).toHaveLength(1);
  });

  test('joins by one press where they are signed in', async () => {
    const stranger = [200, {...kept('GET v1/me'), member: null}];
    laurel.answers['GET v1/me'] = ['in turn', stranger, 'GET v1/me'];
    await extension.render();
    await shown(() => saying('s-button', 'join'));
    await press('join');
    await shown(() => expect(text()).toContain('120 points'));
    expect(laurel.asked.map(({name}) => name)).toContain('POST v1/join');
  });
});

test('joining that no answer came of says so, and can be tried again', async () => {
  laurel.answers['GET v1/me'] = [200, {...kept('GET v1/me'), member: null}];
  laurel.answers['POST v1/join'] = 'offline';
  await extension.render();
  await shown(() => saying('s-button', 'join'));
  await press('join');
  await shown(() => expect(text()).toContain('problem.offline'));
  saying('s-button', 'join');
});

describe('rewards', () => {
  test('what can be had has a button that names it, what is short says how much is missing', async () => {
    await opened();
    const [get] = all('s-button').filter((one) => one.textContent === 'get');
    expect(get.getAttribute('accessibilitylabel') ?? get.accessibilityLabel).toContain('get_named');
    expect(all('s-button').filter((one) => one.textContent === 'get')).toHaveLength(1);
    expect(text()).toContain('to_go');
  });

  test('none at all is said', async () => {
    laurel.answers['GET v1/rewards'] = [200, {rewards: []}];
    await opened();
    expect(text()).toContain('no_rewards');
  });

  test('one that is locked says how it opens', async () => {
    const [first] = kept('GET v1/rewards').rewards;
    laurel.answers['GET v1/rewards'] = [200, {rewards: [{...first, state: 'locked', reason: 'From Silver on'}]}];
    await opened();
    expect(text()).toContain('From Silver on');
  });
});

describe('a code', () => {
  test('costs nothing before it is said what it costs and what is left', async () => {
    await opened();
    await press('get');
    await shown(() => saying('s-button', 'use'));
    expect(text()).toContain('left');
    await press('not_now');
    await shown(() => saying('s-button', 'get'));
    expect(laurel.asked.filter(({name}) => name.startsWith('POST'))).toEqual([]);
  });

  test('is bought once, waited for, and shown to be copied', async () => {
    await opened();
    laurel.answers['GET v1/redemptions'] = [200, {redemptions: [issued()[1]]}];
    laurel.answers['GET v1/redemptions/<id>'] = ['in turn', [200, kept('POST v1/redemptions')], issued()];
    await press('get');
    await shown(() => saying('s-button', 'use'));
    vi.useFakeTimers();
    const use = saying('s-button', 'use');
    use.dispatchEvent(new Event('click'));
    use.dispatchEvent(new Event('click'));
    await vi.advanceTimersByTimeAsync(3 * LOOK_AGAIN_MS);
    vi.useRealTimers();
    await shown(() => expect(all('s-clipboard-item')[0]?.getAttribute('text') ?? all('s-clipboard-item')[0]?.text).toBe(issued()[1].code));
    const copy = saying('s-button', 'copy');
    expect(copy.getAttribute('commandfor') ?? copy.commandFor).toBe(all('s-clipboard-item')[0].id);
    const bought = laurel.asked.filter(({name}) => name === 'POST v1/redemptions');
    expect(bought).toHaveLength(1);
    expect(bought[0].body).toEqual({reward: 'amount-5'});
    expect(bought[0].headers['Idempotency-Key']).toMatch(/^[0-9a-f]{32}$/);
  });

  test('that no answer came of is asked for again under the same key', async () => {
    await opened();
    laurel.answers['POST v1/redemptions'] = ['in turn', 'offline', issued()];
    await press('get');
    await shown(() => saying('s-button', 'use'));
    await press('use');
    await shown(() => expect(text()).toContain('problem.offline'));
    await press('use');
    await shown(() => saying('s-button', 'get'));
    const keys = laurel.asked.filter(({name}) => name === 'POST v1/redemptions').map(({headers}) => headers['Idempotency-Key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test('that no answer came of stays the same wish, and the codes are read anew when it is left', async () => {
    const [first] = kept('GET v1/rewards').rewards;
    const steps = {points: 10, amount: {minor: 50, currency: 'EUR'}, minimum: 50, maximum: null};
    laurel.answers['GET v1/rewards'] = [200, {rewards: [{...first, steps}]}];
    await opened();
    laurel.answers['POST v1/redemptions'] = 'offline';
    await press('get');
    await shown(() => saying('s-button', 'use'));
    expect(all('s-number-field')[0].hasAttribute('disabled')).toBe(false);
    await press('use');
    await shown(() => expect(text()).toContain('problem.offline'));
    expect(all('s-number-field')[0].hasAttribute('disabled')).toBe(true);
    const before = laurel.asked.length;
    await press('not_now');
    await shown(() => expect(laurel.asked.slice(before).map(({name}) => name)).toContain('GET v1/redemptions'));
  });

  test('that is refused says why, and the points are read anew', async () => {
    await opened();
    laurel.answers['POST v1/redemptions'] = 'refused POST v1/redemptions';
    const before = laurel.asked.length;
    await press('get');
    await shown(() => saying('s-button', 'use'));
    await press('use');
    await shown(() => expect(text()).toContain('100 points are needed, 20 are available.'));
    await shown(() => expect(laurel.asked.slice(before).map(({name}) => name)).toContain('GET v1/me'));
  });

  test('is given back', async () => {
    laurel.answers['GET v1/redemptions'] = ['in turn', [200, {redemptions: [issued()[1]]}], [200, {redemptions: [kept('POST v1/redemptions/<id>/cancel')]}]];
    await opened();
    await press('give_back');
    await shown(() => expect(text()).toContain('cancelling'));
    expect(laurel.asked.map(({path}) => path)).toContain('v1/redemptions/r_1/cancel');
  });

  test('of a reward in steps is bought for as many points as was said', async () => {
    const [first] = kept('GET v1/rewards').rewards;
    const steps = {points: 10, amount: {minor: 50, currency: 'EUR'}, minimum: 50, maximum: null};
    laurel.answers['GET v1/rewards'] = [200, {rewards: [{...first, steps}]}];
    laurel.answers['POST v1/redemptions'] = issued();
    await opened();
    await press('get');
    await shown(() => expect(all('s-number-field')).toHaveLength(1));
    const [field] = all('s-number-field');
    field.value = '97';
    field.dispatchEvent(new Event('change'));
    await shown(() => expect(String(field.value)).toBe('90'));
    await press('use');
    await shown(() => expect(laurel.asked.find(({name}) => name === 'POST v1/redemptions')?.body).toEqual({reward: 'amount-5', points: 90}));
  });
});
