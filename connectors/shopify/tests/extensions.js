/** What is deployed: each folder with a shopify.extension.toml, its targets and their modules. */

import {readdirSync, readFileSync, existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

export const APP = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const FOLDER = join(APP, 'extensions');

export const extensions = readdirSync(FOLDER)
  .filter((name) => existsSync(join(FOLDER, name, 'src')))
  .map((name) => {
    const toml = readFileSync(join(FOLDER, name, 'shopify.extension.toml'), 'utf8');
    const targets = [...toml.matchAll(/target = "([^"]+)"\s+module = "([^"]+)"/g)].map(([, target, module]) => ({
      target,
      module: join(FOLDER, name, module),
    }));
    return {name, folder: join(FOLDER, name), version: /api_version = "([^"]+)"/.exec(toml)?.[1], targets};
  });
