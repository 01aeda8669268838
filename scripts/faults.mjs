/**
 * npm run faults              kills, full and failing disks, damaged files, random crashes: some minutes
 * npm run faults -- --long    the same tests with many more rounds, and networks to Kafka that are cut for half a minute: about an hour
 *
 * SEED=n replays a run; every test prints its seed.
 */
import { spawn } from 'node:child_process';
import { globSync } from './glob.mjs';

const root = new URL('..', import.meta.url).pathname;
const unknown = process.argv.slice(2).filter((arg) => arg !== '--long');
if (unknown.length > 0) {
  console.error(`unknown argument ${unknown[0]}: npm run faults [-- --long]`);
  process.exit(2);
}
const long = process.argv.includes('--long');
const files = globSync(root, ['test/faults'], (name) => name.endsWith('.test.ts'));
if (long) files.push('test/kafka/exactly_once.test.ts', 'test/kafka/source_faults.test.ts');
const env = { ...process.env, TIDEMARK_CHECKED: '1', ...(long ? { FAULTS: 'long' } : {}) };
const args = ['--import', 'tsx', '--test', '--test-reporter=spec', '--test-concurrency=1', ...files];
const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
child.on('close', (code) => process.exit(code ?? 1));
