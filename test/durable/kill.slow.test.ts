/** kill -9 at any instant of writing rows and taking checkpoints: what was acknowledged is there, the view agrees, no value of a sequence comes twice, the directory stays small. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Random, testSeed } from '../../operators/testing/property.ts';

const seed = testSeed();
const path = mkdtempSync(join(tmpdir(), 'tidemark-kill-'));
after(() => rmSync(path, { recursive: true, force: true }));
const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url));

interface Life {
  /** Rows that it found. */
  recovered: number;
  sum: number;
  fromCheckpoint: boolean;
  /** The last row that it was told is durable; -1 when there was none. */
  acknowledged: number;
  /** Values of the sequence that it was given. */
  values: number[];
}

/** Lets a writer live until it has written `rows` rows, `checkpoints` checkpoints were taken and some microseconds are over, then kills it. */
async function live(rows: number, checkpoints: number, random: Random): Promise<Life> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const life: Life = { recovered: -1, sum: 0, fromCheckpoint: false, acknowledged: -1, values: [] };
  let written = 0;
  let taken = 0;
  for await (const line of createInterface(child.stdout)) {
    const [word, ...values] = line.split(' ');
    if (word === 'recovered') {
      life.recovered = Number(values[0]);
      life.sum = Number(values[1]);
      life.fromCheckpoint = values[2] !== 'none';
    } else if (word === 'checkpoint') taken++;
    else if (word === 'value') life.values.push(Number(values[0]));
    else if (word === 'wrote') {
      life.acknowledged = Number(values[0]);
      written++;
    }
    if (written >= rows && taken >= checkpoints && !child.killed) {
      for (let spin = random.below(2_000_000); spin > 0; spin--);
      child.kill('SIGKILL');
    }
  }
  assert.ok(life.recovered >= 0, errors);
  assert.ok(written >= rows, errors);
  return life;
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

test('kills while checkpoints are taken', { timeout: 300_000 }, async () => {
  const random = new Random(seed);
  let acknowledged = -1;
  let fromCheckpoint = 0;
  let value = 0;
  for (let round = 0; round < 20; round++) {
    const life = await live(1 + random.below(150), round % 3, random);
    const label = `round ${round}, seed ${seed}`;
    assert.ok(life.recovered > acknowledged, `${life.recovered} rows, ${acknowledged} was acknowledged, ${label}`);
    // Rows are 0, 1, ..., so the sum says that none is missing in between and none is there twice.
    assert.equal(life.sum, (life.recovered ** 2 - life.recovered) / 2, label);
    for (const next of life.values) {
      assert.ok(next > value, `value ${next} comes after ${value}, ${label}`);
      value = next;
    }
    if (life.fromCheckpoint) fromCheckpoint++;
    acknowledged = life.acknowledged;
  }
  // The second life took one, and there is always one from then on.
  assert.ok(fromCheckpoint >= 18, `${fromCheckpoint} starts from a checkpoint`);
  // About a megabyte of rows, two checkpoints of them, the log's reserve of 4 MiB.
  assert.ok(bytesOf(path) < 40 << 20, `${bytesOf(path)} bytes`);
});
