/**
 * Runs the tests in stages and sums them up; the last line is `N passed, N failed`.
 *
 *   npm run check          types, lint, walls, unit tests (x.test.ts) with a quarter of the random rounds
 *   npm test               the same with all rounds, then slow tests (x.slow.test.ts), tests that cross folders (test/), sqllogictest files, docs
 *
 * A stage that fails does not stop the others.
 */
import { spawn } from 'node:child_process';
import { globSync } from './glob.mjs';

const root = new URL('..', import.meta.url).pathname;
const only = process.argv[2];
if (process.argv.length > 3 || (only !== undefined && only !== 'check')) {
  console.error('usage: test.mjs [check]');
  process.exit(2);
}
const node = process.execPath;
// CI replays one seed, so that a change is judged by itself; elsewhere every run tries new ones and prints them.
const seed = process.env.SEED ?? (process.env.CI === 'true' ? '7' : undefined);
const env = {
  ...process.env,
  TIDEMARK_CHECKED: '1',
  TIDEMARK_QUICK: only === 'check' ? '1' : '0',
  ...(seed === undefined ? {} : { SEED: seed }),
};

let passed = 0;
let failed = 0;

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.on('close', (code) => resolve({ code: code ?? 1, text }));
  });
}

/** A stage that passes or fails as a whole. */
async function single(name, command, args) {
  const start = Date.now();
  const { code, text } = await run(command, args);
  if (code === 0) passed++;
  else {
    failed++;
    process.stdout.write(text);
  }
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

/** A stage of node:test files, a process each. */
async function tests(name, files, concurrency = 2) {
  if (files.length === 0) return;
  const start = Date.now();
  const args = ['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`, '--test-reporter=tap', ...files];
  sumUp(name, [await run(node, args)], start);
}

/** A stage of node:test files, those of a folder in one process, two processes at a time. */
async function together(name, groups) {
  const start = Date.now();
  const waiting = groups.filter((files) => files.length > 0);
  const results = [];
  const work = async () => {
    for (let files = waiting.shift(); files !== undefined; files = waiting.shift())
      results.push(await run(node, ['--import', 'tsx', '--test-reporter=tap', 'scripts/together.mjs', ...files]));
  };
  await Promise.all([work(), work()]);
  sumUp(name, results, start);
}

/** Counts and prints what the processes of a stage say. */
function sumUp(name, results, start) {
  let good = 0;
  let bad = 0;
  let skipped = 0;
  for (const { code, text } of results) {
    const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    const wrong = count('fail') + count('cancelled');
    good += count('pass');
    bad += wrong === 0 && code !== 0 ? 1 : wrong;
    skipped += count('skipped');
    if (code !== 0) process.stdout.write(failures(text));
    for (const line of text.split('\n')) if (/^#? ?# (skip|note):/i.test(line)) console.log(line.replace(/^# */, ''));
  }
  passed += good;
  failed += bad;
  console.log(
    `${bad === 0 ? 'ok  ' : 'FAIL'} ${name}: ${good} passed, ${bad} failed, ${skipped} skipped (${((Date.now() - start) / 1000).toFixed(1)} s)`,
  );
}

/** The failing tests of a TAP text, with their messages and the seeds printed before. */
function failures(text) {
  const lines = text.split('\n');
  const out = [];
  let inside = false;
  for (const line of lines) {
    if (/seed/i.test(line) && line.startsWith('#')) out.push(line);
    if (/^\s*not ok /.test(line)) inside = true;
    else if (/^\s*ok /.test(line) || /^# Subtest/.test(line)) inside = false;
    if (inside) out.push(line);
  }
  return `${out.slice(0, 400).join('\n')}\n`;
}

const bin = (name) => `${root}node_modules/.bin/${name}`;
const folders = ['planner', 'operators', 'src', 'sqllogictest', 'bench'];
const all = globSync(root, folders, (name) => name.endsWith('.test.ts'));
const slow = all.filter((f) => f.endsWith('.slow.test.ts'));

await single('types', node, [`${root}node_modules/typescript-native/bin/tsc`, '-p', 'tsconfig.json']);
await single('lint', bin('biome'), ['ci', '--reporter=summary', '.']);
await single('walls', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', ...folders.slice(0, 4)]);
const quick = all.filter((f) => !f.endsWith('.slow.test.ts'));
await together(
  'unit',
  ['src', 'operators', 'planner', 'sqllogictest', 'bench'].map((folder) =>
    quick.filter((f) => f.startsWith(`${folder}/`)),
  ),
);
if (only !== 'check') {
  await tests('slow', slow);
  await tests(
    'across folders',
    globSync(root, ['test'], (name) => name.endsWith('.test.ts')),
    1,
  );
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
