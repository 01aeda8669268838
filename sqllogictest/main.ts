/**
 * npm run slt -- [--way batch|views|both] [--target tidemark|pglite] [--failures N] [--list FILE --root DIR] PATH...
 *
 * Prints passed and failed records per file, then "F of N files pass whole; R of M records pass".
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type FileResult, runFile, type Way } from './run_file.ts';
import { pgliteTarget, tidemarkTarget } from './target.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    way: { type: 'string', default: 'both' },
    target: { type: 'string', default: 'tidemark' },
    failures: { type: 'string', default: '3' },
    list: { type: 'string' },
    root: { type: 'string', default: '.' },
    quiet: { type: 'boolean', default: false },
  },
});

function files(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(join(path, name)))
    .filter((name) => /\.(slt|test)(\.part)?$/.test(name));
}

const paths = positionals.flatMap(files);
if (values.list !== undefined) {
  const names = readFileSync(values.list, 'utf8')
    .split('\n')
    .filter((l) => l !== '' && !l.startsWith('#'));
  paths.push(...names.map((name) => join(values.root, name)).filter((p) => existsSync(p)));
}
if (paths.length === 0) {
  console.error('npm run slt -- PATH...   (files or folders of .slt and .test files)');
  process.exit(2);
}
const ways: Way[] = values.way === 'both' ? ['batch', 'views'] : [values.way as Way];
const open = values.target === 'pglite' ? pgliteTarget : tidemarkTarget;
let whole = 0;
let passed = 0;
let total = 0;
for (const path of paths) {
  const results: FileResult[] = [];
  for (const way of ways) {
    const target = await open();
    try {
      results.push(await runFile(path, target, { way, strictErrors: !path.includes('corpora') }));
    } finally {
      await target.close();
    }
  }
  const good = results.reduce((n, r) => n + r.passed, 0);
  const bad = results.reduce((n, r) => n + r.failures.length, 0);
  passed += good;
  total += good + bad;
  if (bad === 0) whole++;
  if (bad > 0 || !values.quiet)
    console.log(
      `${bad === 0 ? 'pass' : 'FAIL'}  ${relative(values.root, path)}: ${results.map((r, i) => `${ways[i]} ${r.passed} passed, ${r.failures.length} failed`).join('; ')}`,
    );
  for (const [i, result] of results.entries()) {
    for (const f of result.failures.slice(0, Number(values.failures))) {
      console.log(
        `        ${ways[i]} line ${f.line}: ${f.message}\n            ${f.sql.replaceAll(/\s+/g, ' ').slice(0, 200)}`,
      );
    }
  }
}
console.log(`${whole} of ${paths.length} files pass whole; ${passed} of ${total} records pass`);
process.exit(whole === paths.length ? 0 : 1);
