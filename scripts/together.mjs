/**
 * Runs test files in one process: what they all load (TypeScript, kernels, PostgreSQL's parser, the catalogs) is loaded and compiled once, a third of the
 * CPU that a process each takes. Their tests run one after another, in the order given, when all files are loaded: some count memory, and modules may take some.
 *
 *   node --import tsx --test-reporter=tap scripts/together.mjs FILE...
 */
import { resolve } from 'node:path';
import { before } from 'node:test';
import { pathToFileURL } from 'node:url';

let loaded;
const all = new Promise((done) => {
  loaded = done;
});
before(() => all);
for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)).href);
loaded();
