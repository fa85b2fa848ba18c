/** Each module against Shopify's published types of its own target: elements, attributes and `shopify` itself. */

import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import ts from 'typescript';

import {APP, extensions} from './extensions.js';

const {config} = ts.readConfigFile(join(APP, 'tests', 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
const {options} = ts.parseJsonConfigFileContent({...config, files: []}, ts.sys, APP);

/** One host for all: a library is read once. */
const host = ts.createCompilerHost(options);
const read = new Map();
const plain = host.getSourceFile.bind(host);
let written = {};
host.getSourceFile = (path, version, ...rest) => {
  if (path in written) return ts.createSourceFile(path, written[path], version);
  if (!read.has(path)) read.set(path, plain(path, version, ...rest));
  return read.get(path);
};
const exists = host.fileExists.bind(host);
host.fileExists = (path) => path in written || exists(path);

let wrong = 0;
for (const {folder, targets} of extensions) {
  for (const {target, module} of targets) {
    const global = join(folder, 'shopify.d.ts');
    written = {[global]: `declare const shopify: import('@shopify/ui-extensions/${target}').Api;\n`};
    const program = ts.createProgram([global, module], options, host);
    for (const found of ts.getPreEmitDiagnostics(program)) {
      wrong += 1;
      console.error(`${target}: ${ts.formatDiagnostic(found, {getCanonicalFileName: (path) => path, getCurrentDirectory: () => APP, getNewLine: () => '\n'}).trim()}`);
    }
  }
}
console.log(`types: ${extensions.flatMap(({targets}) => targets).length} targets, ${wrong} wrong`);
process.exit(wrong ? 1 : 0);
