// @vitest-environment node
/** What is deployed: targets that Shopify publishes, bundles within its limits, words in every language. */

import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {gzipSync} from 'node:zlib';

import {build} from 'esbuild';
import {expect, test} from 'vitest';

import {APP, extensions, FOLDER} from './extensions.js';

/** Ours, well below Shopify's own (64 KB in the checkout, 128 KB on a page of the account). Bytes as sent, compressed. */
const MOST_BYTES = 16 * 1024;
const LANGUAGES = ['ar', 'de', 'en.default', 'es', 'et', 'fr', 'pl', 'ru'];

const targets = extensions.flatMap((one) => one.targets.map((target) => ({...target, name: one.name})));

test('each extension has targets, and each target a module', () => {
  expect(extensions.map(({name}) => name)).toEqual(['laurel-account', 'laurel-account-page', 'laurel-checkout', 'laurel-pos']);
  expect(targets).toHaveLength(9);
  for (const {module} of targets) expect(existsSync(module), module).toBe(true);
});

test('Shopify publishes each target, for the version that is named', () => {
  const require = createRequire(join(APP, 'package.json'));
  const published = join(dirname(require.resolve('@shopify/ui-extensions')), 'build/ts/surfaces');
  const known = readdirSync(published, {recursive: true}).map(String);
  for (const {target} of targets) {
    expect(known.some((path) => path.endsWith(`/targets/${target}.d.ts`)), target).toBe(true);
  }
  const home = dirname(require.resolve('@shopify/ui-extensions'));
  const [year, month] = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version.split('.');
  for (const {version} of extensions) expect(version).toBe(`${year}-${month.padStart(2, '0')}`);
});

test('a full page stands beside no other target', () => {
  for (const one of extensions) {
    if (one.targets.some(({target}) => target === 'customer-account.page.render')) expect(one.targets).toHaveLength(1);
  }
});

test.each(targets)('$target is small', async ({module}) => {
  const {outputFiles} = await build({
    entryPoints: [module],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: {'process.env.NODE_ENV': '"production"'},
    logLevel: 'silent',
  });
  const [{contents}] = outputFiles;
  const sent = gzipSync(contents, {level: 9}).length;
  expect(sent, `${sent} bytes`).toBeLessThan(MOST_BYTES);
  expect(contents.length).toBeLessThan(64 * 1024);
});

test('nothing is written as markup or kept in the browser', () => {
  const forbidden = /innerHTML|eval\(|new Function|localStorage|sessionStorage|document\.cookie/;
  for (const path of readdirSync(FOLDER, {recursive: true}).map(String).filter((name) => /\.jsx?$/.test(name) && !name.startsWith('laurel-loyalty'))) {
    expect(readFileSync(join(FOLDER, path), 'utf8'), path).not.toMatch(forbidden);
  }
});

const flat = (words, before = '') =>
  Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${before}${key}`, value]] : flat(value, `${before}${key}.`),
  );
const words = (name, language) =>
  new Map(flat(JSON.parse(readFileSync(join(FOLDER, name, 'locales', `${language}.json`), 'utf8'))));
const places = (sentence) => [...sentence.matchAll(/\{\{(\w+)\}\}/g)].map(([, place]) => place).sort();

test.each(extensions)('$name speaks every language, with the same places in each sentence', ({name}) => {
  expect(readdirSync(join(FOLDER, name, 'locales')).sort()).toEqual(LANGUAGES.map((one) => `${one}.json`).sort());
  const english = words(name, 'en.default');
  for (const language of LANGUAGES) {
    const theirs = words(name, language);
    expect([...theirs.keys()]).toEqual([...english.keys()]);
    for (const [key, sentence] of theirs) expect(places(sentence), `${language} ${key}`).toEqual(places(english.get(key)));
  }
});

test('what shoppers read is the same in the account and in the checkout', () => {
  for (const language of LANGUAGES) {
    const account = words('laurel-account', language);
    for (const name of ['laurel-account-page', 'laurel-checkout']) expect(words(name, language)).toEqual(account);
  }
});

test('every word that is asked for is there, and no other', () => {
  const asked = (files) =>
    new Set(files.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/['"]([a-z_]+(?:\.[a-z_]+)?)['"]/g)].map(([, key]) => key)));
  const sources = (folder) => readdirSync(folder).filter((name) => /\.jsx?$/.test(name)).map((name) => join(folder, name));
  const shared = sources(join(FOLDER, 'shared'));
  const said = (...names) => asked([...shared, ...names.flatMap((name) => sources(join(FOLDER, name, 'src')))]);
  const shopper = said('laurel-account', 'laurel-account-page', 'laurel-checkout');
  expect([...words('laurel-account', 'en.default').keys()].filter((key) => !shopper.has(key))).toEqual([]);
  const till = said('laurel-pos');
  expect([...words('laurel-pos', 'en.default').keys()].filter((key) => !till.has(key))).toEqual([]);
  for (const [names, name] of [[['laurel-account', 'laurel-account-page', 'laurel-checkout'], 'laurel-account'], [['laurel-pos'], 'laurel-pos']]) {
    const files = [...(name === 'laurel-pos' ? [join(FOLDER, 'shared', 'words.js')] : shared), ...names.flatMap((one) => sources(join(FOLDER, one, 'src')))];
    const known = words(name, 'en.default');
    for (const path of files) {
      for (const [, key] of readFileSync(path, 'utf8').matchAll(/translate\('([^']+)'/g)) expect(known.has(key), `${path}: ${key}`).toBe(true);
    }
  }
});
