/**
 * Makes a fresh clone ready: installs the packages when they are missing or the lock file is newer, builds dist/ when a source is newer.
 * Plain Node without packages, because it runs before there are any. What is fresh already costs some milliseconds.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const stamp = join(root, 'node_modules', '.tidemark-installed');
const built = join(root, 'dist', '.built');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`tidemark needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

const time = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : time(path));
  }
  return latest;
}

function run(what, command, args) {
  process.stderr.write(`${what} ...\n`);
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) {
    console.error(`tidemark: ${what} failed (${command} ${args.join(' ')})`);
    process.exit(done.status ?? 1);
  }
}

if (time(stamp) < time(join(root, 'package-lock.json'))) {
  run('Installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, '');
}
const kernels = join('operators', 'kernels');
const kernelModule = join(kernels, 'kernels.wasm');
const kernelSources = [
  newest(join(root, kernels, 'assembly')),
  ...readdirSync(join(root, kernels))
    .filter((f) => f.endsWith('_layout.ts'))
    .map((f) => time(join(root, kernels, f))),
];
if (time(join(root, kernelModule)) < Math.max(...kernelSources, time(join(root, 'scripts', 'build_kernels.mjs')))) {
  run('Building kernels', process.execPath, [join(root, 'scripts', 'build_kernels.mjs')]);
}
const sources = [...['planner', 'operators', 'src'].map((f) => newest(join(root, f))), time(join(root, kernelModule))];
if (time(built) < Math.max(...sources, time(join(root, 'scripts', 'bundle.mjs')))) {
  run('Building', process.execPath, [join(root, 'scripts', 'bundle.mjs')]);
  writeFileSync(built, '');
}
