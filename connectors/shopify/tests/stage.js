/** An extension on Shopify's own test stage, and a Laurel that gives the answers of answers.json and notes what was asked. */

import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {getExtension} from '@shopify/ui-extensions-tester';
import {render} from 'preact';
import {afterEach, beforeEach, expect, vi} from 'vitest';

import {APP, FOLDER} from './extensions.js';

const KEPT = JSON.parse(readFileSync(join(APP, 'tests', 'answers.json'), 'utf8'));
export const SERVER = 'https://laurel.example.com';

/** A kept answer's body, with `changes` merged into it. */
export function kept(name, changes = {}) {
  return merged(structuredClone(KEPT[name][1]), changes);
}

function merged(one, changes) {
  for (const [name, value] of Object.entries(changes)) {
    one[name] = value && one[name] && typeof value === 'object' && !Array.isArray(value) ? merged(one[name], value) : value;
  }
  return one;
}

/** `laurel.answers` may be replaced: 'POST v1/redemptions' -> name of a kept answer, [status, body], or 'offline'. */
export function stage(target, folder) {
  const extension = getExtension(target, {configSearchDir: join(FOLDER, folder)});
  const laurel = {asked: [], answers: {}, account: null};
  beforeEach(() => {
    laurel.asked = [];
    laurel.answers = {};
    laurel.account = null;
    extension.setUp();
    extension.fetch = vi.fn(async (address, options) => answer(laurel, address, options));
  });
  afterEach(() => {
    vi.useRealTimers();
    render(null, document.body); // or the next one would find this one's state
    extension.tearDown();
  });
  return {extension, laurel};
}

/** What stands at the customer, as the target brings it along; and as Shopify tells it, where it is asked. */
export const FIELDS = {points: '85', pending: '40', tier_name: 'Silver', unit: 'points'};
export const beside = (fields, type = 'customer') =>
  Object.entries(fields).map(([key, value]) => ({
    target: {type, id: 'gid://shopify/Customer/7'},
    metafield: {namespace: '$app:laurel', key, value, valueType: 'string', type: 'single_line_text_field'},
  }));
export const told = (fields) => ({
  data: {customer: Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value && {value}]))},
});

async function answer(laurel, address, {method, headers, body}) {
  if (address === 'shopify://customer-account/api/2026-07/graphql.json') {
    expect(headers.Authorization).toBeUndefined();
    if (laurel.account === 'offline') throw new TypeError('Failed to fetch');
    return new Response(JSON.stringify(laurel.account ?? {data: {customer: null}}));
  }
  const url = new URL(address);
  expect(url.origin).toBe(SERVER);
  expect(url.pathname).toMatch(/^\/extensions\/shopify\//);
  const path = url.pathname.replace('/extensions/shopify/', '');
  const name = `${method} ${path.replace(/(members|redemptions)\/r?_?\d+/g, '$1/<id>')}`;
  laurel.asked.push({name, path, lang: url.searchParams.get('lang'), headers, body: body && JSON.parse(body)});
  let told = laurel.answers[name] ?? name;
  if (Array.isArray(told) && told[0] === 'in turn') told = told.length > 2 ? told.splice(1, 1)[0] : told[1];
  if (told === 'offline') throw new TypeError('Failed to fetch');
  if (told === 'never') return new Promise(() => {});
  const [status, json] = typeof told === 'string' ? KEPT[told] : told;
  return new Response(JSON.stringify(json), {status, headers: {'Content-Type': 'application/json'}});
}

export const all = (selector) => [...document.body.querySelectorAll(selector)];
export const text = () => document.body.textContent;

/** The first element that says exactly this. */
export function saying(selector, words) {
  const found = all(selector).find((one) => one.textContent.trim() === words);
  expect(found, `no ${selector} says ${words}: ${document.body.innerHTML}`).toBeDefined();
  return found;
}

export async function press(words) {
  saying('s-button', words).dispatchEvent(new Event('click'));
}

export const shown = (check) => vi.waitFor(check, {timeout: 60_000, interval: 5});
