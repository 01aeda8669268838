/**
 * SIGKILL aimed inside log append, fsync, a new segment, checkpoint write, manifest rename, removal of what is old, and recovery itself, again and again
 * in one directory. After each: what was acknowledged is there, whole steps only, and every view is its query.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seeded } from '../engine/harness.ts';
import { bundled } from './bundled.ts';
import { progress, rounds } from './child.ts';
import type { Aim } from './victim.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-aimed-'));
after(() => rmSync(root, { recursive: true, force: true }));
const victim = bundled(fileURLToPath(new URL('victim.ts', import.meta.url)));

interface Life {
  /** Steps found by the start; null when it was killed before. */
  recovered: number | null;
  /** The last acknowledged step; -1 when there was none. */
  wrote: number;
  missed: boolean;
}

async function live(path: string, seed: number, aim: Aim, ...more: 'cold'[]): Promise<Life> {
  const args = [victim, path, String(seed), JSON.stringify(aim), ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  const life: Life = { recovered: null, wrote: -1, missed: false };
  for await (const line of createInterface(child.stdout)) {
    const [word, value] = line.split(' ');
    if (word === 'recovered') life.recovered = Number(value);
    if (word === 'wrote') life.wrote = Number(value);
    if (word === 'missed') life.missed = true;
  }
  assert.equal(errors, '', JSON.stringify(aim));
  return life;
}

const COLD = '/cold/cold-';
const LOG = '/log/\\d+\\.log$';
const PAGES = '/checkpoints/pages-';
const MANIFEST = '/checkpoints/manifest-';

/** Places in the work; `often`: how many of them come in a life, at the least. */
const PLACES: (Pick<Aim, 'operation' | 'file' | 'when'> & { often: number })[] = [
  { operation: 'write', file: LOG, when: 'half', often: 20 },
  { operation: 'sync', file: LOG, when: 'before', often: 20 },
  { operation: 'create', file: LOG, when: 'after', often: 3 },
  { operation: 'write', file: PAGES, when: 'half', often: 3 },
  { operation: 'sync', file: PAGES, when: 'after', often: 3 },
  { operation: 'write', file: MANIFEST, when: 'half', often: 3 },
  { operation: 'rename', file: MANIFEST, when: 'before', often: 3 },
  { operation: 'rename', file: MANIFEST, when: 'after', often: 3 },
  { operation: 'remove', file: LOG, when: 'after', often: 2 },
  { operation: 'remove', file: PAGES, when: 'after', often: 1 },
];

const MORE_PLACES: typeof PLACES = [
  { operation: 'write', file: LOG, when: 'before', often: 80 },
  { operation: 'sync', file: LOG, when: 'after', often: 80 },
  { operation: 'sync', file: PAGES, when: 'before', often: 4 },
  { operation: 'syncFolder', file: '/checkpoints$', when: 'before', often: 4 },
  { operation: 'remove', file: MANIFEST, when: 'after', often: 2 },
];

/** Of state that goes to disk. */
const COLD_PLACES: typeof PLACES = [
  { operation: 'createNow', file: COLD, when: 'after', often: 1 },
  { operation: 'writeNow', file: COLD, when: 'half', often: 4 },
  { operation: 'writeNow', file: COLD, when: 'after', often: 4 },
  { operation: 'sync', file: COLD, when: 'before', often: 3 },
  { operation: 'sync', file: COLD, when: 'after', often: 3 },
  { operation: 'readNow', file: COLD, when: 'before', often: 4 },
  { operation: 'rename', file: MANIFEST, when: 'before', often: 3 },
  { operation: 'rename', file: MANIFEST, when: 'after', often: 3 },
];

/** A start has about so many operations, at the least. */
const STARTS_OPERATIONS = 12;

test('kills aimed at every kind of write, and at recovery', { timeout: 3_600_000 }, async () => {
  const { random, seed } = seeded('aimed kills');
  const path = join(root, 'data');
  let acknowledged = -1;
  let recoveriesKilled = 0;
  const check = (life: Life, label: string) => {
    if (life.recovered !== null)
      assert.ok(life.recovered > acknowledged, `${life.recovered} steps, ${acknowledged} was acknowledged, ${label}`);
    acknowledged = Math.max(acknowledged, life.wrote);
  };
  for (let round = rounds(1, 12); round > 0; round--) {
    progress(`aimed kills: ${round} rounds to go`);
    for (const { often, ...place } of rounds(0, 1) === 0 ? PLACES : [...PLACES, ...MORE_PLACES]) {
      const aim: Aim = { ...place, nth: 1 + random(often), during: 'work' };
      const label = `${JSON.stringify(aim)}, seed ${seed}`;
      const life = await live(path, seed, aim);
      assert.ok(!life.missed && life.recovered !== null, `the aim never came: ${label}`);
      check(life, label);
      // Now and then the next start is killed, and the one after it.
      for (let kills = random(5) === 0 ? 2 : 0; kills > 0; kills--) {
        const nth = 1 + random(STARTS_OPERATIONS);
        const when = random(2) === 0 ? 'before' : 'half';
        const start: Aim = { operation: 'any', file: '', nth, when, during: 'recovery' };
        const killed = await live(path, seed, start);
        if (killed.recovered === null) recoveriesKilled++;
        check(killed, `${JSON.stringify(start)}, seed ${seed}`);
      }
    }
  }
  // A start that is killed at each of its operations in turn, the directory being what the kill before left.
  let whole = false;
  for (let nth = 1; !whole; nth += rounds(7, 1)) {
    if (nth % 20 === 1) progress(`aimed kills: operation ${nth} of a start`);
    const killed = await live(path, seed, { operation: 'any', file: '', nth, when: 'after', during: 'recovery' });
    whole = killed.recovered !== null;
    if (!whole) recoveriesKilled++;
    check(killed, `a start killed at operation ${nth}, seed ${seed}`);
  }
  assert.ok(recoveriesKilled > 0);
});

test('kills aimed at what puts state on disk', { timeout: 3_600_000 }, async () => {
  const { random, seed } = seeded('aimed kills, state on disk');
  const path = join(root, 'cold');
  let acknowledged = -1;
  for (let round = rounds(1, 6); round > 0; round--) {
    for (const { often, ...place } of COLD_PLACES) {
      const aim: Aim = { ...place, nth: 1 + random(often), during: 'work' };
      const label = `${JSON.stringify(aim)}, seed ${seed}`;
      const life = await live(path, seed, aim, 'cold');
      assert.ok(!life.missed && life.recovered !== null, `the aim never came: ${label}`);
      assert.ok(life.recovered > acknowledged, `${life.recovered} steps, ${acknowledged} was acknowledged, ${label}`);
      acknowledged = Math.max(acknowledged, life.wrote);
    }
  }
});
