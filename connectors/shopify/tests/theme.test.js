// @vitest-environment node
/** The blocks for themes under Shopify's own theme check, as its command line runs it for an extension. */

import {join} from 'node:path';

import {themeCheckRun} from '@shopify/theme-check-node';
import {expect, test} from 'vitest';

import {APP} from './extensions.js';

test('the theme check finds nothing', async () => {
  const folder = join(APP, 'extensions', 'laurel-loyalty');
  const {offenses, theme} = await themeCheckRun(folder, 'theme-check:theme-app-extension');
  expect(theme.length).toBeGreaterThan(8);
  expect(offenses.map((one) => `${one.check} ${one.uri.split('/').at(-1)}: ${one.message}`)).toEqual([]);
});
